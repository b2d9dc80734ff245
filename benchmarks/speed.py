"""Speed of this toolkit and its peers on the same data and cores, in one run, as ratios with their spread.

    python benchmarks/speed.py [--quick] [--growth] [--repeats N] [--json] [--write docs/speed.md]

Ours and theirs take turns, each in a process of its own, and a ratio is made of neighbours. Ratios are of core
seconds, so that other work on the machine does not decide them; those of wall time stand beside them. Peers (clkhash,
anonlink, faiss) live in an environment of their own under .bench, made on first use.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402  after the path, as the next

from benchmarks import peer_runs, speed_data, speed_ratios, speed_tables  # noqa: E402  the checkout's own code

DICE, RECALL = 0.8, 0.999
REQUIREMENTS = tuple(peer_runs.SCRIPTS / f"requirements-{name}.txt" for name in ("anonlink", "speed"))
OURS = ROOT / "benchmarks" / "speed_ours.py"
THEIRS = peer_runs.SCRIPTS / "speed_peers.py"


@dataclass(frozen=True)
class Sizes:
    """Rows of the CSV, of a large one (0: none), of the exact comparison's sides, of the bit sampling's; repeats."""

    encode: int
    large: int
    left: int
    right: int
    lsh: int
    repeats: int


FULL = Sizes(encode=100_000, large=1_000_000, left=4_000, right=100_000, lsh=1_000_000, repeats=3)
QUICK = Sizes(encode=20_000, large=0, left=2_000, right=50_000, lsh=50_000, repeats=2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small files and two repeats: minutes")
    parser.add_argument(
        "--growth", action="store_true", help="bit sampling of a quarter, half, once and twice the rows"
    )
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", type=Path, metavar="FILE", help="the report as Markdown")
    args = parser.parse_args()
    sizes = QUICK if args.quick else FULL
    report = run(sizes, args.repeats or sizes.repeats, growth=args.growth)
    report |= {"date": dt.datetime.now(dt.UTC).date().isoformat(), "command": command(args), "machine": about()}
    if args.write:
        args.write.write_text(speed_tables.markdown(report), encoding="utf-8")
    print(json.dumps(report, indent=2) if args.json else speed_tables.plain(report))


def run(sizes, repeats, *, growth=False):
    """All measurements and the ratios made of them."""
    python = peer_runs.environment(say, "speed-peers", REQUIREMENTS)
    say("people and filters")
    people = speed_data.people_csv(sizes.encode)
    files = speed_data.filters(sizes.lsh * 2 if growth else sizes.lsh)
    with tempfile.TemporaryDirectory(dir=speed_data.FOLDER) as work:
        parts = [Path(work) / f"{side}.npy" for side in ("left", "right")]
        for path, part, rows in zip(files, parts, (sizes.left, sizes.right), strict=True):
            np.save(part, np.load(path, mmap_mode="r")[:rows])
        taken = [
            one_turn(python, people, parts, files, sizes, Path(work), f"{nth + 1} of {repeats}")
            for nth in range(repeats)
        ]
        if sizes.large:
            say(f"encode {sizes.large:,} rows")
            taken[0] |= encodings(python, speed_data.people_csv(sizes.large), Path(work), "_large")
        machine = ours("machine")
        parts = ours("parts", *files, DICE, RECALL, sizes.lsh)
    grown = [lsh(files, rows, "all") for rows in grown_rows(sizes.lsh)] if growth else []
    versions = peer_runs.versions(python, REQUIREMENTS) | {
        f"our {name}": importlib.metadata.version(name) for name in ("numpy", "numba")
    }
    return speed_ratios.ratios(taken) | {
        "taken": taken, "limits": machine, "parts": parts, "growth": grown, "versions": versions,
    }  # fmt: skip


def one_turn(python, people, parts, files, sizes, work, which):
    """Everything once, ours and theirs by turns."""

    def theirs(what, *rest):
        say(f"{which}: {what}, theirs")
        return answer([str(python), str(THEIRS), what, *map(str, rest)])

    say(f"{which}: encode and compare")
    return encodings(python, people, work, profiled=which.startswith("1 ")) | {
        "kernel": ours("kernel", *parts, DICE, 1),
        "anonlink": theirs("kernel", *parts, DICE),
        "cores": ours("kernel", *parts, DICE, 2),
        "faiss": theirs("faiss", *parts, DICE),
        "product": theirs("product", *parts, DICE),
        "lsh": lsh(files, sizes.lsh, "all"),
        "lsh_every": lsh(files, sizes.lsh, "every"),
    }


def encodings(python, people, work, suffix="", *, profiled=False):
    """One CSV encoded by us under the profile that is most like theirs and under the default one, and by them."""
    return {
        f"encode{suffix}": ours("encode", people, work, speed_data.PROFILE, *(["profile"] if profiled else [])),
        f"clkhash{suffix}": answer([str(python), str(THEIRS), "encode", str(people), str(work)]),
        f"encode_default{suffix}": ours("encode", people, work, speed_data.DEFAULT),
    }


def lsh(files, rows, which):
    say(f"bit sampling of {rows:,} x {rows:,} rows, promise for {which}")
    return ours("lsh", *files, DICE, RECALL, which, rows)


def grown_rows(rows):
    """Sizes of which each is twice the one before."""
    return [rows // 4, rows // 2, rows, rows * 2]


def ours(what, *rest):
    return answer([sys.executable, str(OURS), what, *map(str, rest)])


def answer(command):
    """What a task prints as JSON; where it fails, why, in a word."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return {"failed": lines[-1].split(":")[0][:60] if lines else "no message"}
    return json.loads(done.stdout.splitlines()[-1])


def command(args):
    """The command that made the report."""
    flags = [f"--{name}" for name in ("quick", "growth") if getattr(args, name)]
    flags += [f"--repeats {args.repeats}"] if args.repeats else []
    flags += [f"--write {args.write.name if args.write.is_absolute() else args.write.as_posix()}"] if args.write else []
    return " ".join(["python benchmarks/speed.py", *flags])


def about():
    """The machine in words."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        named = [line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        model = named[0] if named else model
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return {"processor": model, "cores": os.cpu_count(), "python": platform.python_version(), "load": round(load, 1)}


def say(what):
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
