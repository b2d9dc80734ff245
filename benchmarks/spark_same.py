"""Whether the local engine and Spark find the same candidates, and how long each takes.

    python benchmarks/spark_same.py [--rows N] [--master URL] [--only NAME ...] [--json]

Needs the extra `spark`. Drawn filters of the profiles' lengths, a third of the second file's damaged copies of the
first's. Three searches: `lsh` (1,024 bits, Dice .8, bit sampling), `nearest` (4,096 bits, the 10 best of a share of
the left rows and of every right row) and, asked for by name and for few rows, `shuffled`: the join of `lsh` written
the other way, as Spark's own equality join on (table, sampled bits), before any pair is verified, for its price.
"""

from __future__ import annotations

import argparse
import json
import sys
import time

import numpy as np

from linkage.match.candidates import Nearest, Sampled
from linkage.match.lsh import _positions, plan_tables
from linkage.match.search import find_candidates
from linkage.match.spark_session import session

DICE = 0.8


def files(rows, words, fill, seed=1):
    """Two files of filters: a third of the second are copies of the first's with 12 % of their bits drawn anew.

    Rows come from a common stock of patterns in each eighth of the filter, so that strangers share parts as people
    share names, and some slots of every table are crowded.
    """
    rng = np.random.default_rng(seed)
    parts = max(words // 8, 1) * 4
    stock = np.packbits(rng.random((4000, words * 64 // parts)) < fill, axis=1)
    weight = 1 / np.arange(1, len(stock) + 1)
    sides = [
        stock[rng.choice(len(stock), (rows, parts), p=weight / weight.sum())].reshape(rows, -1).view(np.uint64)
        for _ in range(2)
    ]
    left, right = (np.ascontiguousarray(side) for side in sides)
    same = rows // 3
    for start in range(0, same, 1000):
        stop = min(start + 1000, same)
        drawn = np.packbits(rng.random((stop - start, words * 64)) < 0.12, axis=1).view(np.uint64)
        fresh = np.packbits(rng.random((stop - start, words * 64)) < fill, axis=1).view(np.uint64)
        right[start:stop] = (left[start:stop] & ~drawn) | (fresh & drawn)
    return left, right


def compare(engine, left, right, settings):
    """Seconds of both engines, pairs, and whether rows, order and distances are equal."""
    report = {"left_rows": len(left), "right_rows": len(right), "settings": repr(settings)}
    found = {}
    for name, run in (("local", None), ("spark", engine)):
        began = time.perf_counter()
        found[name] = find_candidates(left, right, settings, engine=run)
        report[f"{name}_seconds"] = round(time.perf_counter() - began, 1)
    here, there = found["local"], found["spark"]
    report["plan"] = dict(there.stats.plan)
    report["pairs"] = len(here)
    report["same"] = all(
        np.array_equal(getattr(here, part), getattr(there, part)) for part in ("left", "right", "distances")
    )
    return report


def shuffled(spark, left, right, settings):
    """Seconds and rows of the same tables as Spark's own join, before any pair is verified."""
    import pyarrow as pa

    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "500000")
    plan = plan_tables(left, right, settings)
    tables = _positions(plan, left.shape[1], settings.seed)
    place = np.array([1 << q for q in range(plan.bits)], np.int64)
    began = time.perf_counter()
    sides = []
    for name, filters in (("i", left), ("j", right)):
        bits = np.unpackbits(filters.view(np.uint8), axis=1, bitorder="little")
        keys = np.concatenate([nth << 40 | (bits[:, table] @ place) for nth, table in enumerate(tables)])
        rows = np.tile(np.arange(len(filters), dtype=np.int32), len(tables))
        sides.append(spark.createDataFrame(pa.table({"key": keys, name: rows})))
    met = sides[0].join(sides[1], "key").select("i", "j").distinct().count()
    return {"rows": len(left), "tables": plan.tables, "met": met, "seconds": round(time.perf_counter() - began, 1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--master", default="local[*]")
    parser.add_argument("--only", action="append", choices=["lsh", "nearest", "shuffled"])
    parser.add_argument("--share", type=float, default=0.1, help="left rows of `nearest`, as a share")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    from linkage.match.spark import search

    wanted, report = args.only or ["lsh", "nearest"], {}
    with session(args.master) as spark:

        def engine(*asked):
            return search(spark, *asked)

        if "lsh" in wanted:
            report["lsh"] = compare(engine, *files(args.rows, 16, 0.3), Sampled(DICE))
        if "nearest" in wanted:
            left, right = files(args.rows, 64, 0.5)
            few = np.ascontiguousarray(left[: max(int(len(left) * args.share), 1)])
            report["nearest"] = compare(engine, few, right, Nearest(10))
        if "shuffled" in wanted:
            report["shuffled"] = shuffled(spark, *files(args.rows, 16, 0.3), Sampled(DICE))
    if args.json:
        print(json.dumps(report, indent=2))
    else:
        for name, facts in report.items():
            print(name, ", ".join(f"{key} {value}" for key, value in facts.items()), sep=": ")
    if not all(facts.get("same", True) for facts in report.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
