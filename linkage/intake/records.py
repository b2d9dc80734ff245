"""A Table and its Mapping become Records and their quality report.

Rule: everything that is wrong is said at once; a bad value is a missing value, but a bad column is an error.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping as Mapped
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from linkage.errors import ColumnsError, ValuesError
from linkage.intake import dates
from linkage.intake.anchors import read_anchors
from linkage.intake.coder import Coded
from linkage.intake.collector import paused
from linkage.intake.columns import Cells, build
from linkage.intake.mapping import Mapping, check
from linkage.intake.quality import REQUIRED_PRESENT, Digits, FieldQuality, Quality, assess, field_quality
from linkage.intake.sources import Reading, cleaner_of, date_columns, date_values, sources
from linkage.intake.table import Table
from linkage.model import Anchor, Column, Flag, Note, Records
from linkage.schema import Field, Kind, Schema
from linkage.texts import Texts

_TOO_MANY = 0.5  # share of a column's values that cannot be what it says, above which the column is the wrong one
_LISTED = 20  # lines listed one by one
_WHAT = {
    Kind.FORENAME: "names",
    Kind.SURNAME: "names",
    Kind.DATE: "dates of birth",
    Kind.POSTCODE: "postcodes",
    Kind.SEX: "a sex",
    Kind.TEXT: "addresses",
    Kind.PHONE: "telephone numbers",
    Kind.IDENTIFIER: "valid numbers",
}


@dataclass(frozen=True, repr=False)
class Intake:
    """Records and the quality report of one file, from one reading."""

    records: Records
    quality: Quality

    def __repr__(self) -> str:
        return f"Intake(people={len(self.records)}, go={self.quality.go})"


def to_records(
    table: Table,
    mapping: Mapping,
    schema: Schema,
    *,
    flags: Mapped[str, tuple[Flag, ...]] | None = None,
    today: dt.date | None = None,
) -> Records:
    """Standardised people of a table; see take_in."""
    return take_in(table, mapping, schema, flags=flags, today=today).records


def profile(
    table: Table,
    mapping: Mapping,
    schema: Schema,
    required_present: float = REQUIRED_PRESENT,
    *,
    today: dt.date | None = None,
) -> Quality:
    """The data-quality report of a table (R8); faults for which take_in would refuse are reasons for no-go.

    Raises ColumnsError where the mapping does not fit.
    """
    with paused():
        intake, faults = _read(table, mapping, schema, today, required_present)
    whole = intake.quality
    return Quality(whole.rows, whole.people, whole.fields, (*faults, *whole.reasons), whole.warnings)


def take_in(
    table: Table,
    mapping: Mapping,
    schema: Schema,
    *,
    flags: Mapped[str, tuple[Flag, ...]] | None = None,
    required_present: float = REQUIRED_PRESENT,
    today: dt.date | None = None,
) -> Intake:
    """Records and report of a table.

    flags: per local id, as read_flags gives them; they become the notes. Where the mapping names anchor columns, every
    row attaches its man to a child: rows with one id are one man, his values and anchors put together.
    today: no birth is later; default the day it is. A no-go is not raised: see Quality.refuse.
    Raises ColumnsError where the mapping does not fit, ValuesError with every fault at once: ids missing or twice,
    dates of open order, columns of which more than half is invalid, anchors that do not say what they must.
    """
    if flags is not None and mapping.anchor is not None:
        raise ColumnsError("an anchor file carries no flags", "take in anchors and flags as two files")
    with paused():
        intake, faults = _read(table, mapping, schema, today, required_present)
    if faults:
        raise ValuesError(
            faults[0] if len(faults) == 1 else f"{len(faults)} faults in the values of the file",
            "correct the export or its mapping; `linkage profile` counts the values of every field",
            faults,
        )
    return intake if flags is None else Intake(flagged(intake.records, flags), intake.quality)


def flagged(records: Records, flags: Mapped[str, tuple[Flag, ...]]) -> Records:
    """The same people with their flags as notes."""
    unflagged = Note()  # one for all who have none
    notes = tuple(Note(flags=flags[local_id]) if local_id in flags else unflagged for local_id in records.local_ids)
    return replace(records, notes=notes)


@dataclass(frozen=True, repr=False)
class Settled:
    """What all dates of a file say together. order: of day, month and year, None where it is open.

    No birth is after today, or in a year before the earliest.
    """

    order: str | None
    earliest: int
    today: dt.date

    @staticmethod
    def by(values: Texts, mapping: Mapping, today: dt.date | None) -> Settled:
        """values: as date_values gives them."""
        today = today or dt.datetime.now(tz=dt.UTC).date()
        seen, rest = dates.look_at(values, today)
        order = mapping.dates or dates.order_of(rest, seen)
        return Settled(order, dates.earliest_of(rest, today, len(values)), today)

    def faults(self) -> list[str]:
        """An order that is open."""
        what = "whether day or month comes first in the dates is open: use --dates, or dates = 'dmy' in the mapping"
        return [] if self.order else [what]

    def warnings(self) -> list[str]:
        """Years that are long ago."""
        old = self.earliest < self.today.year - dates.MAX_AGE
        return [f"births of more than {dates.MAX_AGE} years ago: read as a file of former people"] if old else []


@dataclass(frozen=True, repr=False)
class Part:
    """A part of a file, or all of it. digits: of fields of numbers that the file holds.

    ids, anchors: what is wrong with ids, and with anchors and whom they are of.
    """

    records: Records
    fields: tuple[FieldQuality, ...]
    digits: dict[str, Digits]
    ids: list[str]
    anchors: list[str]


def _read(
    table: Table, mapping: Mapping, schema: Schema, today: dt.date | None, required_present: float
) -> tuple[Intake, list[str]]:
    check(mapping, table.columns, schema)
    values = date_values(date_columns(mapping, schema), lambda name: Coded.of(table.column(name)).texts)
    settled = Settled.by(values, mapping, today)
    part = read_part(table, mapping, schema, settled)
    quality, wrong = report(schema, settled, part.fields, part.digits, len(part.records), required_present)
    return Intake(part.records, quality), [*part.ids, *settled.faults(), *wrong, *part.anchors]


def read_part(table: Table, mapping: Mapping, schema: Schema, settled: Settled) -> Part:
    """The people of a part of a file, in which every one of them has all his rows."""
    ids: list[str] = []
    local_ids, owner = _people(table, mapping, ids)
    reading = Reading(table, mapping, schema, settled.order or "dmy", settled.today, settled.earliest)
    columns: dict[str, Column] = {}
    fields: list[FieldQuality] = []
    digits: dict[str, Digits] = {}
    for field in schema.fields:
        column, quality, numbers = _field(reading, field, owner, len(local_ids))
        fields.append(quality)
        columns |= {field.name: column} if column else {}
        digits |= {field.name: numbers} if numbers else {}
    notes: tuple[Note, ...] = ()
    anchors: list[str] = []
    if mapping.anchor:
        notes = _notes(local_ids, owner, read_anchors(table, mapping.anchor, reading.order, reading.today, anchors))
        anchors += _strangers(reading, owner)
    lines = table.lines[np.unique(owner, return_index=True)[1]]
    return Part(Records(local_ids, columns, lines, notes), tuple(fields), digits, ids, anchors)


def report(
    schema: Schema,
    settled: Settled,
    fields: Sequence[FieldQuality],
    digits: dict[str, Digits],
    people: int,
    required_present: float,
) -> tuple[Quality, list[str]]:
    """The report of a whole file, and columns that are wrong."""
    warnings, wrong = settled.warnings(), []
    for field, quality in zip(schema.fields, fields, strict=True):
        warnings += digits[field.name].warnings(field.name) if field.name in digits else []
        # Where the order is open, dates that do not fit it say nothing about the column.
        wrong += _wrong_column(quality, field.kind) if settled.order or field.kind is not Kind.DATE else []
    return assess(fields, people, required_present, warnings), wrong


def _field(
    reading: Reading, field: Field, owner: NDArray[np.int32], people: int
) -> tuple[Column | None, FieldQuality, Digits | None]:
    """One field's column (none where the file does not hold it), its quality, and digits where it has numbers."""
    cells = list(sources(reading, field))
    blank = [Cells(Coded(Texts.of([""]), np.zeros_like(owner)), cleaner_of(reading, field))]
    column, verdict, invalid = build(cells or blank, field.values, owner, people)
    quality = field_quality(field, verdict, invalid, reading.table.lines)
    if not cells:
        return None, quality, None
    numbers = field.kind is Kind.IDENTIFIER
    return column, quality, Digits.of(Coded.of(cells[0].texts), reading.table.lines) if numbers else None


def _people(table: Table, mapping: Mapping, faults: list[str]) -> tuple[Texts, NDArray[np.int32]]:
    """Local ids in the file's order, and the person of every row; only in anchor files are several rows one person."""
    cells = Coded.of(table.column(mapping.id)).once()
    owner, named = cells.codes, np.diff(cells.texts.ends) > 0
    if not named.all():
        nameless = table.lines[~named[owner]]
        faults.append(f"{_rows(nameless)} no id, at lines {_list(nameless)}")
    repeated = (np.bincount(owner, minlength=len(named)) > 1) & named
    if mapping.anchor is None and repeated.any():
        faults.append(
            f"{int(repeated.sum()):,} ids stand in more than one row, at lines {_list(table.lines[repeated[owner]])}"
        )
    return cells.texts, owner


def _wrong_column(field: FieldQuality, kind: Kind) -> list[str]:
    filled = field.rows - field.empty
    if field.invalid <= _TOO_MANY * filled:
        return []
    what = f"{field.invalid:,} of {filled:,} values in field '{field.name}' are not {_WHAT[kind]}"
    return [f"{what}, first at line {field.invalid_lines[0]}"]


def _strangers(reading: Reading, owner: NDArray[np.int32]) -> list[str]:
    """Rows of an anchor file that share an id but not a person: two of forename, surname and date of birth differ."""
    rows = np.arange(len(owner), dtype=np.int32)
    first = np.unique(owner, return_index=True)[1][owner] if len(owner) else rows
    if (first == rows).all():
        return []
    differing = np.zeros(len(owner), np.int64)
    for kind in (Kind.FORENAME, Kind.SURNAME, Kind.DATE):
        place = reading.schema.index(kind)
        cells = [] if place is None else list(sources(reading, reading.schema.fields[place]))
        if cells:
            column, _, _ = build(cells, 1, rows, len(rows))
            best = np.full(len(rows), -1, np.int64)
            best[column.counts() > 0] = column.codes
            differing += (best >= 0) & (best[first] >= 0) & (best != best[first])
    lines = reading.table.lines[differing >= 2]
    if not len(lines):
        return []
    return [f"{_rows(lines)} another person's id, by name and date of birth, at lines {_list(lines)}"]


def _notes(local_ids: Sequence[str], owner: NDArray[np.int32], anchors: Sequence[Anchor]) -> tuple[Note, ...]:
    held: list[list[Anchor]] = [[] for _ in local_ids]
    for person, anchor in zip(owner, anchors, strict=True):
        held[person].append(anchor)
    return tuple(Note(anchors=tuple(dict.fromkeys(one))) for one in held)


def _rows(lines: NDArray[np.int32]) -> str:
    return "1 row has" if len(lines) == 1 else f"{len(lines):,} rows have"


def _list(lines: NDArray[np.int32]) -> str:
    more = f" and {len(lines) - _LISTED:,} more" if len(lines) > _LISTED else ""
    return ", ".join(str(line) for line in lines[:_LISTED]) + more
