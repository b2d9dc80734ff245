"""How many sets of rows cancel out where some people are encoded by their names alone.

    python benchmarks/names_alone.py [--people N] [--draws N] [--json]

A share of a census of the pretend county has nothing but names. Counted are fours of rows, no two alike, of two
forenames and two surnames: their tokens cancel out whatever hardens the filters, and a published attack finds them
(docs/privacy-foreign.md). Names that cancel by their letters come on top; so does what real names share more often.
"""

from __future__ import annotations

import argparse
import json

import numpy as np
from scipy.sparse import csr_matrix

from linkage.agreement import load
from linkage.audit.standins import census
from linkage.resources import resource

SHARES = (0.005, 0.01, 0.02, 0.05, 0.1)


def sets(forenames, surnames):
    """Fours of rows that cancel out, and rows that are in one."""
    names = np.unique(np.stack([forenames, surnames], axis=1), axis=0)
    held = csr_matrix((np.ones(len(names)), (names[:, 0], names[:, 1])))
    common = (held @ held.T).tocoo()  # surnames that two forenames have in common
    apart = common.row != common.col
    further = csr_matrix((common.data[apart] - 1, (common.row[apart], common.col[apart])), common.shape)
    fours = ((common.data * (common.data - 1))[apart]).sum() / 4
    return fours, int(((further @ held).multiply(held).tocsr().data > 0).sum())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=24_000)
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    columns = census(load(resource("examples", "rehearse")).schema, args.people).columns
    forenames, surnames = (columns[name].codes[columns[name].offsets[:-1]] for name in ("forename", "surname"))
    rng, found = np.random.default_rng(1), {}
    for share in SHARES:
        draws = [rng.permutation(args.people)[: round(share * args.people)] for _ in range(args.draws)]
        found[share] = np.mean([sets(forenames[rows], surnames[rows]) for rows in draws], axis=0).tolist()
    if args.json:
        print(json.dumps(found))
        return
    for share, (fours, rows) in found.items():
        print(f"{share:.1%} of {args.people:,} with names alone: {fours:.2f} sets, {rows:.1f} rows in one")


if __name__ == "__main__":
    main()
