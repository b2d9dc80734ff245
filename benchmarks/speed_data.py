"""Pretend people for benchmarks/speed.py: a clean CSV, and plain filters of two files that hold half of each other.

Made once under .bench/speed and used again: the same numbers give the same files.
"""

from __future__ import annotations

import csv

import numpy as np

from benchmarks.peer_runs import BENCH
from keys.derive import RunKey
from linkage import toml
from linkage.agreement import load
from linkage.encode.screening import make_filters
from linkage.intake.records import take_in
from linkage.intake.suggest import suggest
from linkage.intake.table import Table
from linkage.resources import resource
from linkage.synth.county import TODAY
from linkage.synth.desk import Desk, Numbers, write_card
from linkage.synth.people import make_people
from linkage.synth.tables import load_tables
from linkage.terms import Profile

PROFILE = "plain-2026-11"
DEFAULT = "union-2026-11"
FOLDER = BENCH / "speed"
COLUMNS = ("local_id", "forename", "surname", "date_of_birth", "postcode", "sex", "address")
_CHUNK = 250_000


def people_csv(rows):
    """A clean file of so many people."""
    path = FOLDER / f"people-{rows}.csv"
    if not path.exists():
        population, _ = _population(rows, 1)
        columns = _clean(population, np.random.default_rng(2).permutation(len(population))[:rows])
        with _whole(path).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(zip(*columns, strict=True))
        _whole(path).rename(path)
    return path


def filters(rows):
    """Paths of two arrays of plain filters: every other row of both is one person, whom a housing office misspelt.

    Any first part of both files is such a pair of files, so that growth can be measured on slices.
    """
    paths = [FOLDER / f"filters-{rows}-{side}.npy" for side in ("left", "right")]
    if not all(path.exists() for path in paths):
        _write_filters(rows, paths)
    return paths


def _write_filters(rows, paths):
    profile = toml.read(resource("profiles", PROFILE), Profile)
    schema = load(resource("examples", "rehearse")).schema
    key = RunKey("speed", test=True, value=bytes(32))
    population, tables = _population(rows * 2, 3)
    rng = np.random.default_rng(4)
    drawn = rng.permutation(len(population))
    ours, others = drawn[:rows], drawn[rows : 2 * rows]
    theirs = np.where(np.arange(rows) % 2 == 0, ours, others)
    nothing = np.full(len(population), "", dtype=object)
    desk = Desk(population, Numbers(nothing, nothing, nothing), tables.variants, tables.sources.sources["housing"],
                np.random.Generator(np.random.PCG64(5)), TODAY)  # fmt: skip
    for path, people, write in ((paths[0], ours, _clean), (paths[1], theirs, lambda _, some: _misspelt(desk, some))):
        parts = []
        for start in range(0, rows, _CHUNK):
            columns = write(population, people[start : start + _CHUNK])
            table = Table(COLUMNS, tuple(columns), np.arange(2, len(columns[0]) + 2, dtype=np.int32))
            parts.append(
                make_filters(take_in(table, suggest(COLUMNS, schema), schema).records, schema, profile, key)[0]
            )
        with _whole(path).open("wb") as file:
            np.save(file, np.concatenate(parts))
        _whole(path).rename(path)


def _population(people, seed):
    FOLDER.mkdir(parents=True, exist_ok=True)
    tables = load_tables()
    # Somewhat more than seven women come with ten men.
    return make_people(np.random.Generator(np.random.PCG64(seed)), tables, max(500, round(people / 1.6)), TODAY), tables


def _clean(population, rows):
    return [
        [f"L{row}" for row in rows.tolist()],
        population.forename[rows].tolist(),
        population.surname[rows].tolist(),
        population.born[rows].astype(str).tolist(),
        population.map.postcodes[population.units[rows, 0]].tolist(),
        np.where(rows < population.men, "M", "F").tolist(),
        [str(line) for line in population.map.addresses(population.units[rows, 0], population.houses[rows, 0])],
    ]


def _misspelt(desk, rows):
    card = write_card(desk, rows)
    cells = (card.first, card.last, card.born.astype(str), card.postcode, card.sex, card.address)
    return [[f"R{row}" for row in rows.tolist()], *(cell.tolist() for cell in cells)]


def _whole(path):
    return path.with_suffix(".part")
