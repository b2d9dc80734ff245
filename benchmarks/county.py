"""A whole county from CSV to worklist, every party's steps as commands of its own: seconds by step, memory by party.

    python benchmarks/county.py [--scale 0.1] [--seed N] [--protocol one-round] [--keep FOLDER] [--json]

At scale 1: 20,000 anchors and files of 100,000, 31,000, 7,000, 5,000, 90,000 and 350,000 people (R46). Parties work one
after the other on this machine, which in a real run they do at once, each on its own.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
# Imports come after that line (E402), so that the checkout's own code is measured, installed or not.

import numpy as np  # noqa: E402

from linkage.exchange.carry import deliver  # noqa: E402
from linkage.resources import resource  # noqa: E402
from linkage.synth import files  # noqa: E402
from linkage.synth.agencies import EXPORTS  # noqa: E402
from linkage.synth.county import ANCHOR_PARTY, TODAY, County, Source, make_county, write_county  # noqa: E402
from linkage.synth.desk import Desk, Numbers  # noqa: E402
from linkage.synth.tables import load_tables  # noqa: E402

MEN = 400_000  # of a county of 1.2 million, at scale 1
SIZES = {"police": 100_000}  # smaller than the pretend county has it
REGISTER, REGISTERED = "general_practice", 350_000  # men of 16 to 60; it writes as a housing office does
MATCHER = "matcher"
RUN = "county"
PARTY = """[[parties]]
name = "{name}"
title = "General practices"
roles = ["agency"]
contact_desk = "Registration, 01632 960 107"
identity = "{identity}"

"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--protocol", choices=["two-round", "one-round"], default="two-round")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="make the county here and leave it")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    folder = args.keep or Path(tempfile.mkdtemp(prefix="county-"))
    try:
        report = run(folder / "county", args.scale, args.seed, args.protocol)
    finally:
        if not args.keep:
            shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(report, indent=2) if args.json else text(report))


@dataclass
class Clock:
    """What every command of every party took."""

    home: Path
    taken: list[dict[str, object]] = field(default_factory=list)

    def run(self, step, party, *args, desk=True):
        """One command at a party's desk; raises RuntimeError with its first words where it fails.

        The process says its own peak: the system's account of it begins with the memory of this one.
        """
        words = [*args, *(["--passphrase-file", "passphrase.txt"] if desk else [])]
        began = time.perf_counter()
        with tempfile.TemporaryFile() as said, tempfile.NamedTemporaryFile("r") as told:
            process = subprocess.Popen(
                [sys.executable, str(ROOT / "benchmarks" / "peak.py"), told.name, *words],
                cwd=self.home / party, env=os.environ | {"PYTHONPATH": str(ROOT)},
                stdout=subprocess.DEVNULL, stderr=said, stdin=subprocess.DEVNULL,
            )  # fmt: skip
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                said.seek(0)
                raise RuntimeError(f"{step} at {party}: {said.read(600).decode(errors='replace')}")
            took, peak = time.perf_counter() - began, int(told.read())
        self.taken.append(
            {"step": step, "party": party, "wall": took, "peak": peak, "cpu": used.ru_utime + used.ru_stime}
        )

    def deliver(self, kind):
        """Carry packages of a kind from all outboxes to the inboxes of those they are for."""
        desks = {path.name: path for path in self.home.iterdir() if path.is_dir()}
        deliver(sorted(self.home.glob(f"*/outbox/*{kind}-*.linkage")), desks)


def run(home, scale, seed, protocol):
    """Make the county, take every step, and account for it."""
    county = made(scale, seed)
    write_county(county, home)
    agencies = list(county.sources)
    for party in (*agencies, MATCHER):
        (home / party).mkdir(exist_ok=True)
        word = home / party / "passphrase.txt"
        word.touch(0o600)
        word.write_text(secrets.token_hex(16) + "\n")
    clock = Clock(home)
    set_up(clock, home, agencies, protocol)
    for party in agencies:
        flags = ["--flags", "flags.csv"] if (home / party / "flags.csv").exists() else []
        file = f"{party}{county.sources[party].form.suffix}"
        clock.run("encode", party, "encode", file, "--mapping", "mapping.toml", *flags, "--run", RUN)
    clock.deliver("tokens" if protocol == "one-round" else "screening")
    clock.run("screen", MATCHER, "screen", "--run", RUN)
    if protocol == "two-round":
        clock.deliver("request")
        for party in agencies:
            clock.run("answer", party, "answer", "--run", RUN)
        clock.deliver("evidence")
    clock.run("decide", MATCHER, "decide", "--run", RUN)
    clock.deliver("links")
    clock.run("receive", ANCHOR_PARTY, "receive", "--run", RUN)
    return account(clock.taken) | {
        "scale": scale,
        "protocol": protocol,
        "rows": {name: len(one) for name, one in county.sources.items()},
    }


def set_up(clock, home, agencies, protocol):
    """Identities, terms signed by all, and the linkage secret."""
    parties = [*agencies, MATCHER]
    for party in parties:
        clock.run("agree", party, "keys", "new", party, "--test")
    share_terms(clock, home, parties, protocol)
    for party in agencies:
        clock.run("agree", party, "secret", "contribute")
    clock.deliver("share")
    for party in agencies:
        clock.run("agree", party, "secret", "assemble")


def share_terms(clock, home, parties, protocol):
    """Children's services write the terms, with one party more than the template has; all sign them."""
    given = [f"--identity={party}={home / party / 'identity.pub'}" for party in parties if party != REGISTER]
    clock.run(
        "agree",
        ANCHOR_PARTY,
        "agreement",
        "new",
        "--template",
        "demo",
        "--test",
        "--protocol",
        protocol,
        *given,
        desk=False,
    )
    terms = home / ANCHOR_PARTY / "agreement.toml"
    head, found, tail = terms.read_text("utf-8").partition('[[parties]]\nname = "matcher"\n')
    identity = (home / REGISTER / "identity.pub").read_text("ascii").strip()
    terms.write_text(head + PARTY.format(name=REGISTER, identity=identity) + found + tail, "utf-8")
    for party in parties:
        if party != ANCHOR_PARTY:
            shutil.copy(terms, home / party)
    for party in parties:
        clock.run("agree", party, "agreement", "sign")
    for party, other in itertools.permutations(parties, 2):
        shutil.copy(home / party / f"agreement.{party}.sig", home / other)


def made(scale, seed):
    """The pretend county at a scale, its police file cut to size, and a register of men more."""
    county = make_county(round(MEN * scale), seed)
    sources = dict(county.sources)
    for party, rows in SIZES.items():
        sources[party] = first_rows(sources[party], round(rows * scale))
    tables, population = load_tables(), county.population
    nothing = np.full(len(population), "", dtype=object)
    rng = np.random.Generator(np.random.PCG64([seed, 2]))
    numbers = Numbers(nothing, nothing, nothing)
    desk = Desk(population, numbers, tables.variants, tables.sources.sources["housing"], rng, TODAY)
    rows = rng.permutation(population.men)[: round(REGISTERED * scale)]
    mapping = resource("synth", "mapping_housing").read_text("utf-8")
    sources[REGISTER] = Source(REGISTER, EXPORTS["housing"](desk, rows), {}, mapping, rows, files.PLAIN)
    return County(sources, population)


def first_rows(source, rows):
    """A source cut to its first rows, with the flags of those."""
    columns = {name: values[:rows] for name, values in source.columns.items()}
    held = set(next(iter(columns.values())).tolist())
    kept = np.array([one in held for one in next(iter(source.flags.values()), np.empty(0, object)).tolist()], bool)
    flags = {name: values[kept] for name, values in source.flags.items()}
    return replace(source, columns=columns, flags=flags, person=source.person[:rows])


def account(taken):
    """Seconds by step (and of its slowest party), and the highest peak of each party."""
    steps = {}
    for one in taken:
        step = steps.setdefault(one["step"], {"wall": 0.0, "cpu": 0.0, "slowest": one})
        step["wall"] += one["wall"]
        step["cpu"] += one["cpu"]
        step["slowest"] = max(step["slowest"], one, key=lambda other: other["cpu"])
    for step in steps.values():
        slowest = step.pop("slowest")
        step |= {"slowest": slowest["party"], "slowest_cpu": slowest["cpu"]}
    peaks = {}
    for one in taken:
        peaks[one["party"]] = max(peaks.get(one["party"], 0), one["peak"])
    total = {unit: sum(one[unit] for one in taken) for unit in ("wall", "cpu")}
    return {"steps": steps, "peaks": peaks, "total": total, "commands": taken}


def text(report):
    """The account for a terminal."""
    lines = [f"rows: {', '.join(f'{name} {rows:,}' for name, rows in report['rows'].items())}", ""]
    lines += [
        f"{name:10} {step['wall']:8.1f} s wall {step['cpu']:8.1f} core s   most: {step['slowest']},"
        f" {step['slowest_cpu']:.1f} core s"
        for name, step in report["steps"].items()
    ]
    lines += [f"{'all':10} {report['total']['wall']:8.1f} s wall {report['total']['cpu']:8.1f} core s", ""]
    lines += [f"{party:20} {peak / 1e6:8,.0f} MB at most" for party, peak in report["peaks"].items()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
