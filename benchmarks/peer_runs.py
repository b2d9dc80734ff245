"""Peers in an environment of their own: made on first use, given CSV files, asked for pairs with probabilities."""

from __future__ import annotations

import csv
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.measured import Row, fairest, measure_pairs, to_pairs

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / ".bench"
FOUND = BENCH / "found"
SCRIPTS = ROOT / "benchmarks" / "peers"
REQUIREMENTS = (SCRIPTS / "requirements.txt", SCRIPTS / "requirements-anonlink.txt")
MOST_SECONDS = 1800


@dataclass(frozen=True)
class Peer:
    """A peer's script, set-ups to choose the best of, own threshold (no truth), and whether it gives probabilities."""

    title: str
    script: str
    setups: tuple[str, ...]
    own: float
    probabilistic: bool = True


PEERS = {
    "splink": Peer("Splink, plaintext", "splink_pairs.py", ("names", "forename-surname", "core"), 0.5),
    "anonlink": Peer("clkhash + anonlink", "clk_pairs.py", ("all", "core"), 0.8, probabilistic=False),
    "ecm": Peer("recordlinkage ECM, plaintext", "ecm_pairs.py", ("blocked", "neighbours"), 0.5),
}


def environment(say, name="peers", requirements=REQUIREMENTS):
    """Python of an environment of peers, made when it is missing or the pins have changed.

    Of the requirements the first must install; where others have no build for the machine, their rows say so.
    """
    home = BENCH / name
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    wanted = hashlib.sha256(b"".join(path.read_bytes() for path in requirements)).hexdigest()
    stamp = home / "pins"
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    say("making the peers' environment (once)")
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]
    for nth, path in enumerate(requirements):
        subprocess.run([*install, str(path)], check=nth == 0, stdout=subprocess.DEVNULL)
    stamp.write_text(wanted)
    return python


def versions(python, requirements=REQUIREMENTS):
    """Installed versions of what the peers need."""
    names = [line.split("==")[0] for path in requirements for line in path.read_text().splitlines() if "==" in line]
    code = (
        "import sys, importlib.metadata as m\n"
        "held = {d.metadata['Name'].lower(): d.version for d in m.distributions()}\n"
        "print('\\n'.join(f'{n} {held[n]}' for n in sys.argv[1:] if n in held))"
    )
    done = subprocess.run([str(python), "-c", code, *names], check=True, capture_output=True, text=True)
    return dict(line.split() for line in done.stdout.splitlines())


def run_peer(peer, python, files, say, *, fresh=False):
    """The row of a peer's best set-up on two files, and the rows of all its set-ups.

    What a peer found is kept under .bench by a digest of its script, pins and input, and taken from there when the
    same is asked again, unless fresh: row numbers, probabilities and seconds only.
    """
    FOUND.mkdir(parents=True, exist_ok=True)
    rows = []
    with tempfile.TemporaryDirectory(dir=BENCH) as folder:
        sides = [Path(folder) / name for name in ("left.csv", "right.csv")]
        for path, intake in zip(sides, files.intakes.values(), strict=True):
            write_records(path, intake.records, files.agreement.schema)
        for setup in peer.setups:
            read = [SCRIPTS / peer.script, *REQUIREMENTS, *sides]
            digest = hashlib.sha256(
                setup.encode() + b"".join(hashlib.sha256(one.read_bytes()).digest() for one in read)
            )
            kept = FOUND / f"{digest.hexdigest()}.csv"
            say(f"{peer.title}, {setup}" + (", as found before" if kept.exists() and not fresh else ""))
            why = "" if kept.exists() and not fresh else _run_setup(peer, setup, python, sides, kept)
            if why:
                rows.append(Row(peer.title, setup, note=why))
                continue
            seconds = float(kept.with_suffix(".seconds").read_text())
            rows.append(measure_pairs(peer, setup, *read_pairs(kept), files.truth, seconds))
    return fairest([row for row in rows if not row.note] or rows), rows


def _run_setup(peer, setup, python, sides, kept):
    """Run a peer's script and keep what it found; why it did not, or ""."""
    out = sides[0].parent / f"{setup}.csv"
    command = [str(python), str(SCRIPTS / peer.script), *map(str, sides), str(out), "--setup", setup]
    started = time.perf_counter()
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=MOST_SECONDS)
    except subprocess.CalledProcessError as failed:
        return f"did not run ({_last(failed.stderr)})"
    except subprocess.TimeoutExpired:
        return f"not done after {MOST_SECONDS} s"
    kept.with_suffix(".seconds").write_text(f"{time.perf_counter() - started:.3f}")
    out.replace(kept)
    return ""


def write_records(path, records, schema):
    """Standardised values as we encode them, the best value of each field, by row number; "" where missing."""
    columns = [records.columns.get(field.name) for field in schema.fields]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["row_id", *(field.name for field in schema.fields)])
        for row in range(len(records)):
            writer.writerow([row, *(_value(column, row) for column in columns)])


def read_pairs(path):
    """Pairs and probabilities of a peer's CSV: left, right, probability; each pair once, with its highest."""
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    if not lines:
        return to_pairs([], []), np.empty(0)
    found = np.loadtxt(lines, delimiter=",", ndmin=2)
    found = found[np.lexsort((-found[:, 2], found[:, 1], found[:, 0]))]
    first = np.ones(len(found), bool)
    first[1:] = (found[1:, :2] != found[:-1, :2]).any(axis=1)
    found = found[first]
    return to_pairs(found[:, 0], found[:, 1]), found[:, 2]


def _value(column, row):
    if column is None or column.offsets[row] == column.offsets[row + 1]:
        return ""
    return column.vocabulary[column.codes[column.offsets[row]]]


def _last(stderr):
    """Kind of the error a peer ended with; its words may hold values, and stay out of the table."""
    lines = stderr.decode(errors="replace").strip().splitlines()
    return lines[-1].split(":")[0][:60] if lines else "no message"
