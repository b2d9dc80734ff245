"""A long file read part by part: the same people, values, report and flags as when it is read whole."""

import datetime as dt
from itertools import chain, pairwise

import numpy as np
import pytest

from linkage.errors import ColumnsError
from linkage.intake import parted, stream
from linkage.intake.parted import Plan, read_parts
from linkage.intake.pieces import take_in_parts
from linkage.intake.records import take_in
from linkage.intake.sources import date_columns
from linkage.intake.suggest import suggest
from linkage.intake.table import read_table
from linkage.schema import Field, Kind, Schema
from linkage.shelf import Shelf

TODAY = dt.date(2026, 12, 1)
SCHEMA = Schema(
    (
        Field("forename", Kind.FORENAME, 3),
        Field("surname", Kind.SURNAME, 2),
        Field("date_of_birth", Kind.DATE, 2),
        Field("postcode", Kind.POSTCODE),
        Field("case_number", Kind.IDENTIFIER),
    )
)
HEADER = "local_id,forename,surname,date_of_birth,postcode,case_number,ward"
ROWS = 600


def rows(seed=1):
    """People with gaps, stand-ins, and numbers of which some lost a zero."""
    rng = np.random.default_rng(seed)
    for nth in range(ROWS):
        born = f"{rng.integers(1, 29):02}/{rng.integers(1, 13):02}/{rng.integers(1950, 2008)}"
        born = "31/02/1990" if nth % 17 == 0 else born
        number = "".join(map(str, rng.integers(1, 10, 10 if nth % 5 else 9)))
        name = ["John Paul", "Amy", "O'Neil", "unknown", ""][rng.integers(5)]
        post = ["LS6 1AB", "ls61ab", "BD1", "ZZZ", ""][rng.integers(5)]
        yield f'P{nth},{name},"{["Smith", "Obi-Jones", "KHAN"][rng.integers(3)]}",{born},{post},{number},w{nth}'


def written(tmp_path, lines, header=HEADER, end="\n"):
    path = tmp_path / "file.csv"
    path.write_text(end.join([header, *lines]) + end, encoding="utf-8", newline="")
    return path


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(parted, "ROWS", 100)
    monkeypatch.setattr(parted, "_BUFFER", 5000)
    monkeypatch.setattr(stream, "BLOCK", 3000)


def planned(columns):
    mapping = suggest(columns, SCHEMA)
    return Plan({name for _, name in mapping.names()}, mapping.id, date_columns(mapping, SCHEMA))


def read(path, seed=12345, shelf=None, parts=None):
    return read_parts(path, planned, lambda: seed, shelf or Shelf(), parts)


def cells_of(table):
    names = [name for name, cells in zip(table.columns, table.cells, strict=True) if len(cells)]
    return {line: row for line, *row in zip(table.lines.tolist(), *map(table.column, names), strict=True)}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_row_is_in_one_part_as_it_was(tmp_path, end):
    path = written(tmp_path, rows(), end=end)
    found, whole = read(path), read_table(path, wanted=lambda columns: set(columns) - {"ward"})
    tables = [load() for load in found.parts]
    assert len(tables) in (6, 7)
    assert all(40 < len(table) < 160 for table in tables)
    assert {line: row for table in tables for line, row in cells_of(table).items()} == cells_of(whole)
    assert sum(map(len, tables)) == ROWS
    assert set(found.dates["date_of_birth"]) == set(whole.column("date_of_birth"))
    assert not len(tables[0].cells[-1])  # what is not wanted is not held
    again = [load().column("local_id") for load in read(path).parts]
    assert again == [table.column("local_id") for table in tables]
    other = [load().column("local_id") for load in read(path, seed=6).parts]
    assert other != again


def test_rows_of_one_id_are_in_one_part(tmp_path):
    lines = [line.replace(f"P{nth},", f"P{nth % 50},", 1) for nth, line in enumerate(rows())]
    tables = [load() for load in read(written(tmp_path, lines)).parts]
    ids = [set(table.column("local_id")) for table in tables]
    assert sum(map(len, ids)) == 50
    assert len(set(chain(*ids))) == 50


def test_more_parts_than_people_leave_some_parts_empty(tmp_path):
    path = written(tmp_path, list(rows())[:5])
    found = read(path, parts=40)
    mapping = suggest(found.columns, SCHEMA)
    pieces = take_in_parts(found, mapping, SCHEMA, Shelf(), required_present=0.5, today=TODAY)
    assert sorted(chain.from_iterable(load().local_ids for load in pieces.parts)) == ["P0", "P1", "P2", "P3", "P4"]
    assert pieces.quality == whole_of(path).quality


def test_a_short_file_is_read_whole(tmp_path, monkeypatch):
    path = written(tmp_path, rows())
    monkeypatch.setattr(parted, "ROWS", 1000)
    assert read(path) is None
    assert len(read(path, parts=3).parts) == 3


@pytest.mark.parametrize("fault", ["P1,too,few", 'P1,"a,b', "P1,a,b,c,d,e,f,g,h", "P1,\0,b,c,d,e,f"])
def test_a_faulty_file_is_read_whole(tmp_path, fault):
    lines = list(rows())
    assert read(written(tmp_path, [*lines[:400], fault, *lines[400:]])) is None


def test_a_header_that_is_not_understood_is_left_to_who_says_so(tmp_path):
    path = written(tmp_path, rows())

    def wrong(_columns):
        raise ColumnsError("no")

    assert read_parts(path, wrong, lambda: 1, Shelf()) is None


def taken(path, **more):
    found = read(path)
    mapping = suggest(found.columns, SCHEMA)
    return take_in_parts(found, mapping, SCHEMA, Shelf(), required_present=0.5, today=TODAY, **more)


def whole_of(path):
    table = read_table(path)
    return take_in(table, suggest(table.columns, SCHEMA), SCHEMA, required_present=0.5, today=TODAY)


def people_of(records):
    held = [
        [[column.vocabulary[code] for code in column.codes[a:b]] for a, b in pairwise(column.offsets)]
        for column in records.columns.values()
    ]
    return {one: values for one, *values in zip(records.local_ids, records.lines.tolist(), *held, strict=True)}


def test_people_and_report_are_those_of_the_whole_file(tmp_path):
    path = written(tmp_path, rows())
    pieces, intake = taken(path), whole_of(path)
    assert pieces.quality == intake.quality
    assert any("leading zeros" in warning for warning in pieces.quality.warnings)
    assert any(field.invalid for field in pieces.quality.fields)
    found = [load() for load in pieces.parts]
    assert {one: held for part in found for one, held in people_of(part).items()} == people_of(intake.records)
    assert repr(pieces) == f"Pieces(people={ROWS}, parts={len(found)}, go={pieces.quality.go})"


def test_the_order_of_dates_is_settled_by_all_rows(tmp_path):
    """No part but one could know that the day comes first."""
    lines = [f"P{nth},Amy,Smith,0{1 + nth % 9}/0{1 + nth % 8}/1980,,,w" for nth in range(ROWS)]
    assert taken(written(tmp_path, lines)) is None  # open: said when the file is read whole
    lines[333] = "P333,Amy,Smith,30/04/1980,,,w"
    pieces = taken(written(tmp_path, lines))
    born = {one: values[3] for part in pieces.parts for one, values in people_of(part()).items()}
    assert born["P0"] == ["1980"]  # the first of January means a year
    assert born["P1"] == ["1980-02-02"]
    assert born["P8"] == ["1980-01-09"]
    assert born["P333"] == ["1980-04-30"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda line, _: line.replace("P7,", "P8,", 1),  # an id twice
        lambda line, nth: "," + line.partition(",")[2] if nth == 9 else line,  # none
        lambda line, _: ",".join([*line.split(",")[:3], "gone", *line.split(",")[4:]]),  # no dates
    ],
)
def test_faults_are_left_to_who_reads_it_whole(tmp_path, spoil):
    lines = [spoil(line, nth) for nth, line in enumerate(rows())]
    assert taken(written(tmp_path, lines)) is None


def test_flags_of_each_part_become_its_notes(tmp_path):
    path = written(tmp_path, rows())
    asked = []

    def flags_of(nth, local_ids):
        asked.append((nth, len(local_ids)))
        return {one: (f"flag of {one}",) for one in local_ids if one.endswith("3")}

    pieces = taken(path, flags=flags_of)
    found = {one: note.flags for part in pieces.parts for one, note in zip(part().local_ids, part().notes, strict=True)}
    assert {one for one, flags in found.items() if flags} == {f"P{nth}" for nth in range(3, ROWS, 10)}
    assert found["P13"] == ("flag of P13",)
    assert [nth for nth, _ in asked] == list(range(len(pieces.parts)))
    assert sum(count for _, count in asked) == ROWS
