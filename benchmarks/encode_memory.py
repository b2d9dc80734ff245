"""What `linkage encode` holds at most, file by file, CSV to sealed package.

    python benchmarks/encode_memory.py [--rows N ...] [--profile NAME ...] [--json]

Files of pretend people, each encoded in a process of its own, under the plain and the default profile. The peak is the
whole process's, libraries and all. The goal is 500 MB, however long the file is. Beside it, what lay on the disk,
encrypted, while the file was encoded part by part; nothing of a file that is encoded whole.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.speed_data import people_csv

OURS = Path(__file__).resolve().parent / "speed_ours.py"
GOAL = 500e6


def measured(rows, profile):
    with tempfile.TemporaryDirectory() as work:
        command = [sys.executable, str(OURS), "encode", str(people_csv(rows)), work, profile, "alone"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    return {"profile": profile} | json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000, 2_000_000])
    parser.add_argument("--profile", nargs="+", default=["plain-2026-11", "union-2026-11"])
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    found = [measured(rows, profile) for rows in args.rows for profile in args.profile]
    if args.json:
        print(json.dumps(found, indent=2))
        return
    print("| profile | rows | wall s | core s | peak MB | goal | put aside MB |\n|---|---|---|---|---|---|---|")
    for one in found:
        met = "met" if one["peak"] <= GOAL else "not met"
        times = f"{one['wall']:.1f} | {one['cpu']:.1f}"
        sizes = f"{one['peak'] / 1e6:.0f} | {met} | {one['aside'] / 1e6:,.0f}"
        print(f"| {one['profile']} | {one['rows']:,} | {times} | {sizes} |")


if __name__ == "__main__":
    main()
