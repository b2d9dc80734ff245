"""Measured growth of the search with the rows, on this machine, and what a cluster would take.

    python benchmarks/scale.py [--rows N ...] [--anchors N] [--lsh-most N] [--only nearest] [--json]
                               [--write docs/scale.md]

Each search runs in a process of its own, so that its peak memory is its own. `nearest`: as `screen` searches under the
default profile, the 2 anchors nearest to each of N rows of its filters, at its stated recall; strangers are random, and
half of the anchors have a row that differs from them in 41 % of bits. `lsh`: N x N rows of 1,024 bits, Dice .8, stated
recall .999, filters drawn as in benchmarks/spark_same.py. --write puts table and model between the marks of a page.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
START, END = "<!-- measured: begin -->", "<!-- measured: end -->"
TARGET_ANCHORS, TARGET_ROWS = 1_000_000, 80_000_000
MACHINES, CORES = 20, 16
USED = 0.7  # of a cluster's cores, on average: starting tasks, sending waves, waiting for the last
ROW_COST = 60e-9  # seconds to key, sort and copy one row for one table; docs/decisions/0004, 1,000,000 rows


def one(kind, rows, anchors):
    """Seconds, CPU seconds, pairs and the most memory of one search, run in this process."""
    from spark_same import files

    from linkage.match.candidates import Nearest, Sampled
    from linkage.match.search import find_candidates
    from linkage.parties.matcher import RECALL

    if kind == "nearest":
        left, right = hardened(rows, anchors)
        settings = Nearest(2, both_sides=False, recall=RECALL)
    else:
        left, right = files(rows, 16, 0.3)
        settings = Sampled(0.8, sample=200)
    find_candidates(left[:1500], right[:1500], settings)
    filters = left.nbytes + right.nbytes
    forget_peak()
    began, cpu = time.perf_counter(), time.process_time()
    found = find_candidates(left, right, settings)
    return {
        "search": kind,
        "left": anchors if kind == "nearest" else rows,
        "rows": rows,
        "seconds": round(time.perf_counter() - began, 2),
        "cpu_seconds": round(time.process_time() - cpu, 2),
        "compared": int(found.stats.compared),
        "pairs": len(found),
        "filter_bytes": filters,
        "peak_bytes": peak(),
        "tables": int(found.stats.plan.get("tables", 0)),
        "sample": found.stats.verified and [found.stats.verified.found, found.stats.verified.expected],
    }


def hardened(rows, anchors):
    """A file of rows and one of anchors, as diffusion leaves them under the default profile."""
    from linkage import toml
    from linkage.resources import resource
    from linkage.terms import Profile, Screening

    words = toml.read(resource("profiles", Screening().profile), Profile).sent_bits // 64
    rng = np.random.default_rng(1)
    left, right = (rng.integers(0, 2**64, (count, words), np.uint64) for count in (rows, anchors))
    same = min(rows, anchors) // 2
    # Bits are drawn anew where most of a few coins say so: 13 times in 16, so that 41 % come to differ.
    one, two, three, four = (rng.integers(0, 2**64, (same, words), np.uint64) for _ in range(4))
    left[:same] = right[:same] ^ (rng.integers(0, 2**64, (same, words), np.uint64) & (one | two | (three & four)))
    return left, right


def forget_peak():
    """From here on the peak is that of the search. Only on Linux; elsewhere drawing the filters counts too."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak():
    """Most bytes this process held in memory, all libraries and the filters included."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) * 1024 for line in status.read_text().splitlines() if "VmHWM" in line)
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS


def measure(kinds):
    """Every search in a process of its own."""
    for kind, rows, anchors in kinds:
        command = [sys.executable, __file__, "--one", kind, "--rows", str(rows), "--anchors", str(anchors)]
        env = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE.parent), str(HERE)])}
        yield json.loads(subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout)


def model(results):
    """Core seconds a compared pair, and the power of the rows with which bit sampling's work grows; None: too few."""
    fitted = {}
    nearest = [one for one in results if one["search"] == "nearest"]
    if nearest:
        compared, cpu = (np.array([one[key] for one in nearest], float) for key in ("compared", "cpu_seconds"))
        fitted["nearest_core_seconds_a_pair"] = float(compared @ cpu / (compared @ compared))
    sampled = [one for one in results if one["tables"]]
    if len(sampled) > 1:
        rows, cpu = (np.log([one[key] for one in sampled]) for key in ("rows", "cpu_seconds"))
        fitted["lsh_power"] = float(np.polyfit(rows, cpu, 1)[0])
    if sampled:
        last = sampled[-1]
        fitted["lsh_core_seconds_a_pair_met"] = last["cpu_seconds"] / last["compared"]
        fitted["lsh_share_of_pairs_met"] = last["compared"] / (last["left"] * last["rows"])
        fitted["lsh_tables"] = last["tables"]
    return fitted


def cluster(fitted):
    """Hours of the stated cluster for the target, by search."""
    pairs, cores = TARGET_ANCHORS * TARGET_ROWS, MACHINES * CORES
    core_seconds = {}
    if "nearest_core_seconds_a_pair" in fitted:
        core_seconds["nearest"] = pairs * fitted["nearest_core_seconds_a_pair"]
    if "lsh_tables" in fitted:
        from linkage.match.spark import BLOCK_BYTES

        block = BLOCK_BYTES // 128
        arranged = TARGET_ANCHORS * (TARGET_ROWS / block) + TARGET_ROWS * (TARGET_ANCHORS / block)
        met = pairs * fitted["lsh_share_of_pairs_met"] * fitted["lsh_core_seconds_a_pair_met"]
        core_seconds["lsh"] = met + arranged * fitted["lsh_tables"] * ROW_COST
    return {
        name: {"core_hours": took / 3600, "hours": took / 3600 / cores / USED} for name, took in core_seconds.items()
    }


def page(results, fitted, hours):
    """The measured part of docs/scale.md."""
    lines = [
        f"Python {platform.python_version()} on {os.cpu_count()} cores; `{' '.join(['python', *sys.argv])}`",
        "",
        "| search | left rows | right rows | wall s | CPU s | pairs compared | found | filters MB | peak MB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in results:
        figures = [f"{one[key]:,}" for key in ("left", "rows", "seconds", "cpu_seconds", "compared", "pairs")]
        figures += [f"{one[key] / 1e6:,.0f}" for key in ("filter_bytes", "peak_bytes")]
        lines.append(f"| {one['search']} | {' | '.join(figures)} |")
    lines += ["", "Fitted: " + "; ".join(f"{name} {value:.3g}" for name, value in fitted.items()) + ".", ""]
    for name, took in hours.items():
        lines.append(
            f"- {name}, {TARGET_ANCHORS:,} x {TARGET_ROWS:,}: {took['core_hours']:,.0f} core hours, "
            f"{took['hours']:.2f} h on {MACHINES} machines of {CORES} cores, {USED:.0%} of them at work."
        )
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--anchors", type=int, default=2000)
    parser.add_argument("--lsh-most", type=int, default=1_000_000, help="more rows than this are for `nearest` alone")
    parser.add_argument("--only", choices=["nearest", "lsh"])
    parser.add_argument("--one", choices=["nearest", "lsh"], help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", type=Path)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(one(args.one, args.rows[0], args.anchors)))
        return
    asked = [
        (kind, rows, args.anchors) for kind in ([args.only] if args.only else ("nearest", "lsh")) for rows in args.rows
    ]
    results = list(measure([job for job in asked if job[0] == "nearest" or job[1] <= args.lsh_most]))
    fitted = model(results)
    hours = cluster(fitted)
    if args.write:
        before, rest = args.write.read_text("utf-8").split(START)
        after = rest.split(END)[1]
        args.write.write_text(f"{before}{START}\n{page(results, fitted, hours)}\n{END}{after}", "utf-8")
    if args.json:
        print(json.dumps({"measured": results, "model": fitted, "cluster": hours}, indent=2))
    else:
        print(page(results, fitted, hours))


if __name__ == "__main__":
    main()
