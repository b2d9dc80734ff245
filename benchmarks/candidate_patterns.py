"""Whether the levels of one row's candidates say who it is, to a matcher who also holds both files in plain text.

    python benchmarks/candidate_patterns.py [--people N] [--runs R] [--known K] [--json]

A file of N pretend people and one of N / 2 anchors, half of them among the N (a tenth of their values another's), are
encoded, screened and compared by the product in two rounds; in evidence every pair has a key of its own. The attacker
then has, as the matcher after `decide`, for every row the levels of its agreement with each candidate, and how rare the
names are that agree. In plain text he compares everybody with everybody, under a key of his own, and screens the same
files R times, to learn which pairs become candidates. Every pair of rows is one of the pairs of people that look like
it: from flat odds over all people, rows and their candidates give one another odds, round by round (belief propagation
without the exclusion of the receiver, damped). Printed: the share of each file's rows rightly named in the best round
(and of those whose person is in both files), with nobody known and with K rows of each file known; the same from levels
without rarity; and the control, where what is seen is dealt out among the pairs at random.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.asking import ANCHORS, ASKED, CHECK, terms
from keys.derive import PairKeys, pair_keys
from linkage.audit.graph import best_of_each_person
from linkage.audit.scheme import any_key, take
from linkage.audit.standins import census
from linkage.audit.union import with_slips
from linkage.encode.evidence import make_evidence
from linkage.encode.inside import make_inside
from linkage.encode.tokens import tokenise
from linkage.layout import Layout
from linkage.match.compare import compare
from linkage.parties import agency, matcher

ROUNDS = 12
WRONG = 0.15
"""Share of pairs whose levels under another key differ in some field: how far the attacker trusts what he sees."""
SELDOM = 0.02
"""Odds of being a candidate, for a pair that was none in the attacker's own runs."""
MOST = 200_000
"""Pairs of people alike in their levels above which a pair of rows is left out: it says nothing."""
SIDES = (ANCHORS, ASKED)


@dataclass(frozen=True)
class Seen:
    """Candidate pairs of one run by people, (m, 2), and codes for how each agrees (m,): with rarity, and without."""

    pairs: np.ndarray
    codes: np.ndarray
    levels: np.ndarray


def files(people, seed=1):
    """Anchors and the file asked; half of the anchors are in both."""
    agreement, rng = terms(), np.random.default_rng(seed)
    everybody = census(agreement.schema, people + people // 4, seed)
    both = np.arange(people // 4)
    anchors = take(everybody, np.concatenate([both, np.arange(people, len(everybody))]))
    return agreement, {ANCHORS: with_slips(anchors, rng), ASKED: take(everybody, np.arange(people))}


def candidates(agreement, held):
    """Pairs of people that become candidates under a key of their own, (m, 2)."""
    key = any_key()
    made = {name: agency.encode(file, agreement, key, CHECK) for name, file in held.items()}
    screened, _ = matcher.screen({name: one.contents for name, one in made.items()}, agreement)
    (join,) = screened.joined
    rows = [made[name].local.rows(made[name].contents.screening.pseudonyms) for name in SIDES]
    return np.stack([rows[0][join.pairs.left], rows[1][join.pairs.right]], axis=1)


def run(agreement, held):
    """A real run: every pair of rows compared under its own key."""
    pairs, key, layout = candidates(agreement, held), any_key(), Layout(agreement.schema)
    ids = np.random.default_rng().integers(0, 256, (len(pairs), 16), np.uint8)
    sides = [
        make_evidence(tokenise(held[name], agreement.schema, key), rows, ids, pair_keys(key, ids.tobytes()), layout)
        for name, rows in zip(SIDES, pairs.T, strict=True)
    ]
    return Seen(pairs, *coded(compare(*sides, layout)))


def everybody(agreement, held):
    """The same codes for every two people, (2, a, b), under one key of the attacker's."""
    key, layout = any_key(), Layout(agreement.schema)
    one = PairKeys.alone(key.value)
    left, right = (
        make_inside(tokenise(held[name], agreement.schema, key), np.arange(len(held[name])), one, layout)
        for name in SIDES
    )
    found = np.empty((2, len(left), len(right)), np.int64)
    for row in range(len(left)):
        rows = np.full(len(right), row), np.arange(len(right))
        found[:, row] = coded(compare(left, right, layout, rows))
    return found


def coded(comparisons):
    """One number for the levels of all fields and the rarity of names that agree, and one for the levels alone."""
    return _mixed(np.concatenate([comparisons.levels, comparisons.rarity], axis=1)), _mixed(comparisons.levels)


def _mixed(parts):
    mixed = np.zeros(len(parts), np.uint64)
    for column in parts.T:
        mixed = (mixed ^ (column + 1).astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return mixed.astype(np.int64)


def likely(agreement, held, runs):
    """How likely each two people are to be candidates, by own runs, (a, b)."""
    shape = tuple(len(held[name]) for name in SIDES)
    total = np.full(shape, SELDOM, np.float32)
    for _ in range(runs):
        pairs = candidates(agreement, held)
        total[pairs[:, 0], pairs[:, 1]] += np.float32(1 / runs)
    return total


def alike(codes, plain, chance):
    """For every code seen among rows: which pairs of people have it, weighed by their chance, (a, b) sparse."""
    order = np.argsort(plain, axis=None, kind="stable")
    values = plain.ravel()[order]
    made = {}
    for code in np.unique(codes):
        start, stop = np.searchsorted(values, code), np.searchsorted(values, code, "right")
        if 0 < stop - start <= MOST:
            left, right = np.divmod(order[start:stop], plain.shape[1])
            made[code] = csr_matrix((chance[left, right], (left, right)), shape=plain.shape)
    return made


def attack(pairs, codes, classes, shape, known):
    """Unknown rows of each file rightly named in the best round, (rows,) bool each; row r is person r, not used."""
    odds = [np.full((size, size), 1 / size, np.float32) for size in shape]
    for side, rows in zip(odds, known, strict=True):
        _fix(side, rows)
    edges = {code: pairs[codes == code] for code in classes}
    best = [np.zeros(size, bool) for size in shape]
    for turn in range(ROUNDS):
        logs = [np.zeros_like(side) for side in odds]
        for code, hold in classes.items():
            rows = edges[code].T
            floor = WRONG * len(rows[0]) / len(codes) * hold.data.mean()
            for way, matrix in ((0, hold), (1, hold.T.tocsr())):
                told = (1 - WRONG) * (matrix @ odds[1 - way][rows[1 - way]].T).T + floor
                np.add.at(logs[way], rows[way], np.log(told))
        for way, side in enumerate(logs):
            share = np.exp(side - side.max(axis=1, keepdims=True))
            share /= share.sum(axis=1, keepdims=True)
            for _ in range(4):  # nobody is given away more than once (Sinkhorn)
                share /= np.maximum(share.sum(axis=0, keepdims=True), 1)
                share /= share.sum(axis=1, keepdims=True) + 1e-12
            fresh = share if turn == 0 else 0.5 * (share + odds[way])
            odds[way] = _fix(fresh.astype(np.float32), known[way])
            best[way] = max(best[way], *_found(odds[way], known[way]), key=np.sum)
    return best


def _fix(odds, rows):
    odds[rows] = 0
    odds[:, rows] = 0
    odds[rows, rows] = 1
    return odds


def _found(odds, known):
    """By every row's likeliest person, and by each person's surest row only."""
    rows = np.arange(len(odds))
    named = odds.argmax(axis=1)
    right = (named == rows) & ~np.isin(rows, known)
    return right, right & best_of_each_person(named, odds[rows, named])


def report(people, runs, known, seed=1):
    """Shares named by what is seen and what is known."""
    agreement, held = files(people, seed)
    shape, rng = tuple(len(held[name]) for name in SIDES), np.random.default_rng(seed)
    start = time.perf_counter()
    seen, plain, chance = run(agreement, held), everybody(agreement, held), likely(agreement, held, runs)
    own = seen.pairs[:, 0], seen.pairs[:, 1]
    found = {
        "pairs": len(seen.codes),
        "levels_repeat": float((plain[0][own] == seen.codes).mean()),
        "candidates_repeat": float((chance[own] > SELDOM).mean()),
        "named": {},
    }
    ways = {
        "levels and rarity": (seen.codes, plain[0]),
        "levels alone": (seen.levels, plain[1]),
        "dealt out at random": (rng.permutation(seen.codes), plain[0]),
    }
    for name, (codes, grid) in ways.items():
        classes = alike(codes, grid, chance)
        for count in (0, known):
            some = [rng.permutation(size)[:count] for size in shape]
            right = attack(seen.pairs, codes, classes, shape, some)
            found["named"][f"{name}, {count} known"] = {
                side: {"all": _share(named, some[way]), "in_both": _share(named[: people // 4], some[way])}
                for way, (side, named) in enumerate(zip(SIDES, right, strict=True))
            }
            print(f"{time.perf_counter() - start:.0f} s: {name}, {count} known", file=sys.stderr, flush=True)
    return found


def _share(named, known):
    return float(named.sum() / (len(named) - (known < len(named)).sum()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=3_000)
    parser.add_argument("--runs", type=int, default=4)
    parser.add_argument("--known", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    told = report(args.people, args.runs, args.known)
    if args.json:
        print(json.dumps(told, indent=2))
        return
    print(f"{told['pairs']:,} pairs; under another key {told['levels_repeat']:.0%} of them look the same")
    print(f"and {told['candidates_repeat']:.0%} were candidates in one of the attacker's own runs")
    for name, shares in told["named"].items():
        words = "; ".join(f"{side} {each['all']:.2%} (in both {each['in_both']:.2%})" for side, each in shares.items())
        print(f"{name:30} {words}")


if __name__ == "__main__":
    main()
