"""What an agency learns from being asked: its best guess which of its people are linked, after several runs.

    python benchmarks/asking.py [--people N] [--runs R] [--json]

A file of N pretend people, of whom 3 in 100 are among the anchors too (with as many strangers), is encoded and screened
R times, each time under new keys, as real runs are. The agency notes how often each request names each of its rows. It
is also told the truth about half of its people, learns from them what being linked looks like, and guesses among the
other half: an attacker who knows the true model, as far as it can be learnt. Its best guess is the share really linked
among the five people it is surest of; equals share. Three ways of asking, on the same runs:

    as found         rows that are candidates of an anchor, and 5 % of random decoys
    nine in ten      the same, and every other row with a chance of .9, each equally often
    every row        the product's own requests
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass

import numpy as np

from keys.chance import Chance
from keys.derive import run_key
from keys.secret import LinkageSecret
from linkage.agreement import load, with_parties
from linkage.audit.scheme import take
from linkage.audit.standins import census
from linkage.match.candidates import Nearest
from linkage.match.search import find_candidates
from linkage.parties import agency, asking, matcher
from linkage.resources import resource
from linkage.terms import Party

ANCHORS, ASKED = "anchors", "asked"
PRIOR = 0.03
SURE = 5
CHECK = b"c" * 16


@dataclass(frozen=True)
class Seen:
    """What the agency sees of one run, and what it works out by itself.

    asked: (n,) times each of its rows stands in the request. candidates: (n,) rows among an anchor's nearest, as if
    only those were asked. beside: (n, k) the rows nearest to each, which would be asked if it were an anchor's.
    """

    asked: np.ndarray
    candidates: np.ndarray
    beside: np.ndarray


def terms():
    """The demo's terms between a file of anchors and another."""
    roles = {ANCHORS: ("anchor-agency", "childrens-services"), ASKED: ("agency",), "matcher": ("matcher",)}
    parties = tuple(Party(name=n, title=n, roles=r, contact_desk="desk") for n, r in roles.items())
    return with_parties(load(resource("templates", "demo")), parties)


def watch(people, runs, seed=1, change=lambda request: request):
    """Runs of one agency: what it sees of each, and which of its rows are linked, (n,) bool.

    change: done to every request on its way, to see whether a test of it bites.
    """
    agreement = terms()
    chance = Chance.pretend(seed, "asking")
    everybody = census(agreement.schema, 2 * people, seed)
    linked = np.arange(people) < round(PRIOR * people)
    strangers = np.arange(people, people + linked.sum())
    files = {ASKED: take(everybody, np.arange(people))}
    files[ANCHORS] = take(everybody, np.concatenate([np.flatnonzero(linked), strangers]))
    return [_run(agreement, files, f"run-{nth}", chance, change) for nth in range(runs)], linked


def _run(agreement, files, run, chance, change):
    key = run_key(LinkageSecret(True, agreement.digest, chance.draw(32)), run, agreement.digest)
    made = {name: agency.encode(file, agreement, key, CHECK, chance=chance) for name, file in files.items()}
    _, requests = matcher.screen({name: one.contents for name, one in made.items()}, agreement, chance=chance)
    local, request = made[ASKED].local, change(requests[ASKED])
    asked = np.bincount(local.rows(request.pseudonyms), minlength=len(local))
    own, anchors = (made[name].contents.screening for name in (ASKED, ANCHORS))
    keep = agreement.terms.screening.candidates
    rows = local.rows(own.pseudonyms)
    one_sided = asking.candidates(anchors, own, Nearest(keep=keep, both_sides=False), (None, None))
    candidates = np.bincount(rows[one_sided.right], minlength=len(local)) > 0
    return Seen(asked, candidates, _beside(own, rows, keep))


def _beside(own, rows, keep):
    """Each row's nearest by its first filter, itself among them, in the agency's order; (n, keep)."""
    first = np.unique(own.owner, return_index=True)[1]
    found = find_candidates(own.filters[first], own.filters, Nearest(keep=keep, both_sides=False))
    order = np.lexsort((found.distances, found.left))
    near = rows[own.owner[found.right[order]]].reshape(len(rows), keep)
    beside = np.empty_like(near)
    beside[rows] = near
    return beside


def best_guess(asked, seen, linked, rng):
    """Share really linked among the people the agency is surest of, of those it was not told about.

    asked: (runs, n) times each row was asked about. Learnt on one half by linear discriminants from how often a row
    and the rows beside it were asked about; equal scores share.
    """
    near = np.stack([times[one.beside].mean(axis=1) for times, one in zip(asked, seen, strict=True)])
    both = np.stack([(times[one.beside] > 0).all(axis=1) for times, one in zip(asked, seen, strict=True)])
    features = np.stack([asked.mean(0), (asked > 0).mean(0), near.mean(0), near.min(0), both.mean(0)], axis=1)
    told = np.zeros(len(linked), bool)
    for kind in (linked, ~linked):
        rows = rng.permutation(np.flatnonzero(kind))
        told[rows[: len(rows) // 2]] = True
    spread = np.atleast_2d(np.cov(features[told & ~linked].T)) + 1e-6 * np.eye(features.shape[1])
    away = features[told & linked].mean(0) - features[told & ~linked].mean(0)
    score = np.round(features[~told] @ np.linalg.solve(spread, away), 9)
    least = np.sort(score)[-SURE]
    above, equal = score > least, score == least
    right = linked[~told]
    return float((right[above].sum() + (SURE - above.sum()) * right[equal].mean()) / SURE)


def bounds(cover, runs, keep):
    """What a row's own requests can raise the prior to if rows are asked about with a chance of cover anyway.

    own: counting this row alone. beside: counting the `keep` rows nearest to an anchor, all of which are asked with it.
    """
    odds = PRIOR / (1 - PRIOR)
    raised = {"own": odds * cover**-runs, "beside": odds * cover ** -(runs * keep)}
    return {name: round(value / (1 + value), 4) for name, value in raised.items()}


def report(people, runs, seed=1):
    """Best guesses and bounds by way of asking."""
    seen, linked = watch(people, runs, seed)
    rng = np.random.default_rng(seed)
    found = np.stack([one.candidates for one in seen])
    keep = terms().terms.screening.candidates
    ways = {
        "as found": (found | (rng.random(found.shape) < 0.05), None),
        "nine in ten": (found | (rng.random(found.shape) < 0.9), bounds(0.9, runs, keep)),
        "every row": (np.stack([one.asked for one in seen]), bounds(1.0, runs, keep)),
    }
    guesses = {
        name: {"best_guess": round(_mean_guess(asked.astype(float), seen, linked, seed), 4), "bound": bound}
        for name, (asked, bound) in ways.items()
    }
    return {"people": people, "runs": runs, "prior": float(linked.mean()), "ways": guesses}


def _mean_guess(asked, seen, linked, seed, draws=20):
    """Over several draws of which people the agency is told about."""
    rngs = np.random.default_rng(seed).spawn(draws)
    return float(np.mean([best_guess(asked, seen, linked, rng) for rng in rngs]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=2_000)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    told = report(args.people, args.runs)
    if args.json:
        print(json.dumps(told, indent=2))
        return
    print(f"{told['people']:,} people, {told['prior']:.0%} of them linked; what {told['runs']} runs of requests tell")
    for name, way in told["ways"].items():
        bound, stated = way["bound"], "none"
        if bound:
            stated = f"{bound['beside']:.1%} (for a row's own requests alone {bound['own']:.1%})"
        print(f"{name:12} best guess {way['best_guess']:6.1%}   bound {stated}")


if __name__ == "__main__":
    main()
