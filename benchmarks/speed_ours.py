"""This toolkit at work for benchmarks/speed.py, each task in a process of its own.

    python benchmarks/speed_ours.py encode PEOPLE.csv WORK PROFILE [profile|alone]
    python benchmarks/speed_ours.py kernel LEFT.npy RIGHT.npy DICE THREADS
    python benchmarks/speed_ours.py lsh LEFT.npy RIGHT.npy DICE RECALL every|all ROWS
    python benchmarks/speed_ours.py parts LEFT.npy RIGHT.npy DICE RECALL ROWS
    python benchmarks/speed_ours.py machine

Prints one JSON object: work done, seconds of wall and of all cores, and what was found. Compiled code is loaded, or
made, on a small part of the task before the clock starts, as peers' compiled code comes ready.
"""

from __future__ import annotations

import cProfile
import datetime as dt
import json
import pstats
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.peak import peak
from benchmarks.peers.speed_peers import Clock
from linkage.resources import resource as found_at

RUNS = ("warm", "warm-in-parts", "timed")
FIRST_ROWS = 2000
CANDIDATES = 10  # as in the templates of real runs; rehearsals look at more


def main():
    what, *rest = sys.argv[1:]
    result = {"encode": encode, "kernel": kernel, "lsh": lsh, "parts": parts, "machine": machine}[what](*rest)
    print(json.dumps({"peak": peak()} | result))


def encode(people, work, agreed, more=""):
    """The step `linkage encode` at a desk, from CSV to sealed package; then, unless alone, parts of it."""
    from linkage.intake import parted
    from linkage.steps.agency import encode as encode_step
    from linkage.steps.reading import Source

    with tempfile.TemporaryDirectory(dir=work) as folder, signed_desk(Path(folder), agreed) as desk:
        first = Path(folder) / "first.csv"
        with Path(people).open(encoding="utf-8") as file:
            first.write_text("".join(line for _, line in zip(range(FIRST_ROWS), file, strict=False)), "utf-8")
        rows = parted.ROWS
        for run, path, parted.ROWS in zip(
            RUNS, (first, first, Path(people)), (rows, FIRST_ROWS // 3, rows), strict=True
        ):
            with _put_aside() as aside:
                clock = Clock()
                account = encode_step(desk, run, Source(path))
                whole = clock.so_far()
        facts = {"rows": account.facts["people"], "peak": peak(), "aside": sum(aside)} | whole
        if more == "alone":
            return facts
        facts |= _kernels(desk, people)
        if not more:
            return facts
        profiler = cProfile.Profile()
        profiler.runcall(encode_step, desk, "profiled", Source(Path(people)))
        return facts | {"profile": _where(profiler)}


@contextmanager
def _put_aside():
    """A list to which goes how many bytes lay on the disk, once a step lets go of them."""
    from keys.aside import Aside

    told, close = [], Aside.close

    def closing(held):
        told.append(held._end)  # noqa: SLF001 - nobody else asks
        close(held)

    with mock.patch.object(Aside, "close", closing):
        yield told


def _kernels(desk, people):
    """Distinct values to filters as `encode` does it."""
    from keys.derive import RunKey
    from linkage.encode.screening import make_filters
    from linkage.steps.reading import Source, read_source

    records = read_source(Source(Path(people)), desk, dt.date(2026, 11, 2)).records
    key = RunKey("speed", test=True, value=bytes(32))
    clock = Clock()
    make_filters(records, desk.agreement.schema, desk.agreement.profile, key)
    return {"kernel": clock.so_far()}


@contextmanager
def signed_desk(folder, profile):
    """The desk of an agency whose agreement names a profile and is signed by all, with its secret."""
    import msgspec

    from keys import vault
    from keys.identity import Identity
    from keys.passphrase import from_text
    from keys.secret import LinkageSecret
    from linkage import toml
    from linkage.agreement import dump, resolve, sign_terms, signature_path
    from linkage.exchange.desk import AGREEMENT, IDENTITY, SECRET, open_desk
    from linkage.terms import Party, Terms

    roles = {"agency": ("agency",), "children": ("anchor-agency", "childrens-services"), "matcher": ("matcher",)}
    identities = {name: Identity.new(name, test=True) for name in roles}
    parties = tuple(
        Party(name=name, title=name, roles=role, contact_desk=name, identity=identities[name].public.to_text())
        for name, role in roles.items()
    )
    terms = toml.read(found_at("examples", "rehearse"), Terms)
    screening = msgspec.structs.replace(terms.screening, profile=profile, candidates=CANDIDATES)
    terms = msgspec.structs.replace(terms, parties=parties, screening=screening)
    agreed = resolve(terms)
    (folder / AGREEMENT).write_bytes(dump(terms))
    for name, identity in identities.items():
        signature_path(folder / AGREEMENT, name).write_text(sign_terms(agreed, identity), "ascii")
    word = from_text("a passphrase of the speed benchmark")
    vault.keep(folder / IDENTITY, identities["agency"], word)
    vault.keep(folder / SECRET, LinkageSecret(True, agreed.digest, bytes(range(32))), word)
    yield open_desk(folder, word)


def kernel(left, right, dice, threads):
    """Every pair above a Dice similarity, streamed."""
    from linkage.match.candidates import Above
    from linkage.match.threshold import stream_above

    rows, others = np.load(left), np.load(right)
    settings = Above(float(dice), int(threads))
    list(stream_above(rows[:300], others[:300], settings))
    clock = Clock()
    found = sum(part.shape[1] for part in stream_above(rows, others, settings))
    return {"pairs": len(rows) * len(others), "found": found} | clock.so_far()


def lsh(left, right, dice, recall, which, rows):
    """The plain profile's search with its check; every: the promise holds for the hardest pair, all: over all pairs."""
    from linkage.match.candidates import Sampled
    from linkage.match.search import find_candidates

    files = [np.load(path, mmap_mode="r")[: int(rows)] for path in (left, right)]
    settings = Sampled(float(dice), float(recall), every_pair=which == "every")
    find_candidates(*(np.array(file[:20_000]) for file in files), settings)
    files = [np.array(file) for file in files]
    clock = Clock()
    found = find_candidates(*files, settings)
    stats = found.stats
    return {
        "rows": len(files[0]), "pairs": stats.possible, "found": len(found), "compared": stats.compared,
        "verified": [stats.verified.found, stats.verified.expected, stats.verified.low, stats.verified.high]
        if stats.verified else None,
        "plan": {name: float(value) for name, value in stats.plan.items()},
    } | clock.so_far()  # fmt: skip


PARTS = {
    "_exact_sample": "exact search of two samples: distances to plan by, and the check",
    "turn_bits": "files turned on their side",
    "sketched": "first looks taken from them",
    "sampled_slots": "sampled bits to slots",
    "part_rows": "rows put in parts",
    "join_table": "parts joined, pairs decided",
}


def parts(left, right, dice, recall, rows):
    """Seconds on one thread of each part of bit sampling, and of all the rest."""
    from linkage.match import lsh as searched
    from linkage.match.candidates import Sampled
    from linkage.match.search import find_candidates

    seconds = dict.fromkeys(PARTS, 0.0)

    def clocked(name, work):
        def timed(*given):
            began = time.thread_time()
            result = work(*given)
            seconds[name] += time.thread_time() - began
            return result

        return timed

    files = [np.array(np.load(path, mmap_mode="r")[: int(rows)]) for path in (left, right)]
    settings = Sampled(float(dice), float(recall), every_pair=False, threads=1)
    find_candidates(*(file[:20_000] for file in files), settings)
    # The exact search runs in a thread of its own, of which only the process knows the time.
    searched.above = clocked_in_process(seconds, searched.above)
    for name in PARTS:
        if name != "_exact_sample":
            setattr(searched, name, clocked(name, getattr(searched, name)))
    clock = Clock()
    find_candidates(*files, settings)
    whole = clock.so_far()["cpu"]
    named = {title: seconds[name] for name, title in PARTS.items()}
    return {"rows": len(files[0]), "cpu": whole, "parts": named | {"all else": whole - sum(named.values())}}


def clocked_in_process(seconds, work):
    def timed(*given):
        began = time.process_time()
        result = work(*given)
        seconds["_exact_sample"] += time.process_time() - began
        return result

    return timed


def machine():
    """What the machine gives at best; see speed_machine."""
    from benchmarks import speed_machine

    return speed_machine.limits()


def _where(profiler):
    """The functions in which most time was spent: place, own seconds, and seconds with what they call."""
    rows = sorted(pstats.Stats(profiler).stats.items(), key=lambda row: -row[1][2])[:10]
    return [
        {"where": f"{Path(file).name}:{name}" if line else name, "own": round(own, 3), "whole": round(whole, 3)}
        for (file, line, name), (_, _, own, whole, _) in rows
    ]


if __name__ == "__main__":
    main()
