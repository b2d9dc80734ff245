"""Measured growth of the search with the rows, on this machine, and what a cluster would take.

    python benchmarks/scale.py [--rows N ...] [--anchors N] [--lsh-most N] [--only nearest] [--json]
                               [--write docs/scale.md]
    python benchmarks/scale.py --only tokens --rows 1250000 2500000 5000000 10000000 --anchors 1000000

Each search runs in a process of its own, so that its peak memory is its own. `nearest`: as `screen` searches under the
default profile, the 2 anchors nearest to each of N rows of its filters, at its stated recall; strangers are random, and
half of the anchors have a row that differs from them in 41 % of bits. `lsh`: N x N rows of 1,024 bits, Dice .8, stated
recall .999, filters drawn as in benchmarks/spark_same.py. `tokens`, only where asked for: the tokens of N rows joined
with those of the anchors, as many a row as one-round has; half of the anchors have a row with which they share three;
"compared" is then how many tokens were looked at. --write puts table and model between the marks of a page.
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
from peak import peak

HERE = Path(__file__).parent
START, END = "<!-- measured: begin -->", "<!-- measured: end -->"
TARGET_ANCHORS, TARGET_ROWS = 1_000_000, 80_000_000
MACHINES, CORES = 20, 16
USED = 0.7  # of a cluster's cores, on average: starting tasks, sending waves, waiting for the last
ROW_COST = 60e-9  # seconds to key, sort and copy one row for one table; docs/decisions/0004, 1,000,000 rows


def one(kind, rows, anchors):
    """Seconds, CPU seconds, pairs and the most memory of one search, run in this process."""
    left, right, search = {"nearest": nearest, "lsh": sampled, "tokens": shared}[kind](rows, anchors)
    search(left[:1500], right[:1500])
    bytes_in = left.nbytes + right.nbytes
    forget_peak()
    began, cpu = time.perf_counter(), time.process_time()
    found = search(left, right)
    took = {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - cpu}
    stats = getattr(found, "stats", None)
    return {
        "search": kind,
        "left": rows if kind == "lsh" else anchors,
        "rows": rows,
        **{name: round(value, 2) for name, value in took.items()},
        "compared": int(stats.compared) if stats else right.shape[0] * right.shape[1],
        "pairs": len(found),
        "filter_bytes": bytes_in,
        "peak_bytes": peak(),
        "tables": int(stats.plan.get("tables", 0)) if stats else 0,
        "sample": stats and stats.verified and [stats.verified.found, stats.verified.expected],
    }


def nearest(rows, anchors):
    """Two files and the default profile's search."""
    from linkage.match.candidates import Nearest
    from linkage.match.search import find_candidates
    from linkage.parties.matcher import RECALL

    return *hardened(rows, anchors), lambda left, right: find_candidates(
        left, right, Nearest(2, both_sides=False, recall=RECALL)
    )


def sampled(rows, _anchors):
    """Two files and the plain profile's search."""
    from spark_same import files

    from linkage.match.candidates import Sampled
    from linkage.match.search import find_candidates

    return *files(rows, 16, 0.3), lambda left, right: find_candidates(left, right, Sampled(0.8, sample=200))


def shared(rows, anchors):
    """Tokens of two files and the join of one-round."""
    from linkage.agreement import load
    from linkage.match.equality import meet
    from linkage.resources import resource

    per_row = load(resource("examples", "rehearse-one-round")).tokens_per_row
    rng = np.random.default_rng(1)
    left, right = (rng.integers(0, 256, (count, per_row, 16), np.uint8) for count in (anchors, rows))
    same = min(rows, anchors) // 2
    right[:same, :3] = left[:same, -3:]
    return left, right, meet


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
    parser.add_argument("--only", choices=["nearest", "lsh", "tokens"])
    parser.add_argument("--one", choices=["nearest", "lsh", "tokens"], help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", type=Path)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(one(args.one, args.rows[0], args.anchors)))
        return
    asked = [
        (kind, rows, args.anchors) for kind in ([args.only] if args.only else ("nearest", "lsh")) for rows in args.rows
    ]
    results = list(measure([job for job in asked if job[0] != "lsh" or job[1] <= args.lsh_most]))
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
