"""What taking in a CSV costs: core seconds and peak memory of `read_table` and `take_in`, each in a fresh process.

    python benchmarks/speed_intake.py [--rows 100000 1000000] [--schema three pilot]

three: forename, surname, date of birth. pilot: the fields of configs/templates/pilot.toml and an address, with gaps
and slips. Core seconds leave out the loading of modules and of compiled code, which the first rows of the file pay for
before the clock starts; memory counts everything.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import json
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.peer_runs import ROOT
from benchmarks.peers.speed_peers import Clock
from benchmarks.speed_data import FOLDER, _population
from linkage import toml
from linkage.schema import Field, Kind, Schema

TODAY = dt.date(2026, 11, 2)
THREE = Schema(
    (Field("forename", Kind.FORENAME), Field("surname", Kind.SURNAME, 1, required=True), Field("dob", Kind.DATE))
)
FIRST_ROWS = 20_000


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--schema", nargs="+", default=["three", "pilot"])
    parser.add_argument("--one", help="measure this file in this process")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(Path(options.one), options.schema[0])))
        return
    for schema in options.schema:
        for rows in options.rows:
            command = [sys.executable, __file__, "--schema", schema, "--one", str(people(schema, rows))]
            told = json.loads(subprocess.run(command, check=True, capture_output=True, cwd=ROOT).stdout)
            parts = f"read {told['read']:.2f}, take in {told['take']:.2f}"
            print(f"{schema:6} {rows:>9,} rows: {told['cpu']:.2f} core s ({parts}), {told['peak']:,.0f} MB", flush=True)


def measure(path, schema):
    """Core seconds of both steps, and the peak of this process in MB."""
    from linkage.intake.records import take_in
    from linkage.intake.suggest import suggest
    from linkage.intake.table import read_table

    fields = THREE if schema == "three" else pilot()
    first = path.with_name(f"first-{path.name}")
    with path.open(encoding="utf-8") as file:
        first.write_text("".join(line for _, line in zip(range(FIRST_ROWS), file, strict=False)), "utf-8")
    for one in (first, path):
        clock = Clock()
        table = read_table(one)
        read = clock.so_far()["cpu"]
        intake = take_in(table, suggest(table.columns, fields), fields, today=TODAY)
        cpu = clock.so_far()["cpu"]
    first.unlink()
    assert intake.quality.go
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"read": read, "take": cpu - read, "cpu": cpu, "peak": peak}


def pilot():
    """The pilot's fields and an address."""
    from linkage.terms import Terms

    told = toml.read(ROOT / "configs" / "templates" / "pilot.toml", Terms)
    fields = [Field(one.name, Kind(one.kind), one.values, one.required) for one in told.fields]
    return Schema((*fields, Field("address", Kind.TEXT)))


def people(schema, rows):
    """The file, made once."""
    path = FOLDER / f"intake-{schema}-{rows}.csv"
    if not path.exists():
        population, _ = _population(rows, 1)
        rng = np.random.default_rng(2)
        chosen = rng.permutation(len(population))[:rows]
        columns = (_three if schema == "three" else _pilot)(population, chosen, rng)
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))
    return path


def _three(population, rows, _):
    return {
        "local_id": [f"L{row}" for row in rows.tolist()],
        "forename": population.forename[rows].tolist(),
        "surname": population.surname[rows].tolist(),
        "dob": population.born[rows].astype(str).tolist(),
    }


def _pilot(population, rows, rng):
    count = len(rows)

    def some(share):
        return rng.random(count) < share

    born = population.born[rows].astype(str)
    digits = rng.integers(0, 10, (count, 9))
    digits[:, 0] = 4 + digits[:, 0] % 4
    check = (11 - (digits * np.arange(10, 1, -1)).sum(axis=1) % 11) % 11
    nhs = ["".join(map(str, row)) + str(last) for row, last in zip(digits.tolist(), (check % 10).tolist(), strict=True)]
    pnc = [
        f"{year}/{serial:07}{chr(65 + letter)}"
        for year, serial, letter in zip(
            rng.integers(1985, 2026, count), rng.integers(0, 999_999, count), rng.integers(0, 26, count), strict=True
        )
    ]
    forename = population.forename[rows].astype(object)
    middle = some(0.3)
    forename[middle] = forename[middle] + " " + population.middle[rows][middle].astype(object)
    columns = {
        "nominal_ref": [f"L{row}" for row in rows.tolist()],
        "forenames": forename,
        "surname": population.surname[rows].astype(object),
        "alias_surname": np.where(some(0.1), population.other_surname[rows].astype(object), ""),
        "dob": np.array([f"{date[8:]}/{date[5:7]}/{date[:4]}" for date in born.tolist()], dtype=object),
        "postcode": population.map.postcodes[population.units[rows, 0]].astype(object),
        "previous_postcode": np.where(
            some(0.3), population.map.postcodes[population.units[rows, 1]].astype(object), ""
        ),
        "sex": np.where(rows < population.men, "Male", "Female").astype(object),
        "mobile": population.numbers[rows, 0].astype(object),
        "nhs_number": np.where(some(0.7), np.array(nhs, dtype=object), ""),
        "pnc": np.where(some(0.3), np.array(pnc, dtype=object), ""),
        "address": np.array(
            [str(a) for a in population.map.addresses(population.units[rows, 0], population.houses[rows, 0])], object
        ),
        "officer": np.array([f"PC {number}" for number in rng.integers(0, 3000, count)], dtype=object),
    }
    for name, slip in (
        ("forenames", "Dr Zoë-Ann O'Hara"), ("surname", "UNKNOWN"), ("dob", "12 March 1984"), ("postcode", "ZZ99 3VZ"),
        ("mobile", "+48 512 345 678"), ("nhs_number", "1234567890"), ("address", "St. Mary's House, flat2, M1 1AE"),
    ):  # fmt: skip
        columns[name][some(0.01)] = slip
    return columns


if __name__ == "__main__":
    main()
