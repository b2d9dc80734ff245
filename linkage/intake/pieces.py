"""Records of a file too long to be held: part by part, with one quality report of all.

Tables of parts come in, Records go to a shelf. Rule: what all rows decide together is decided before any is read, and
what is said of the file is said of all of it; at any fault the file is read whole, where each has its line.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from collections.abc import Mapping as Mapped
from dataclasses import dataclass

from linkage.errors import ColumnsError, FlagsError, ValuesError
from linkage.intake.collector import paused
from linkage.intake.mapping import Mapping, check
from linkage.intake.parted import Parted
from linkage.intake.quality import Digits, FieldQuality, Quality, both
from linkage.intake.records import Part, Settled, flagged, read_part, report
from linkage.intake.sources import date_columns, date_values
from linkage.model import Flag, Records
from linkage.schema import Schema
from linkage.shelf import Held, Shelf

FlagsOf = Callable[[int, Sequence[str]], Mapped[str, tuple[Flag, ...]]]
"""Told the number of a part and its local ids, gives the flags of these, as read_flags does."""


@dataclass(frozen=True, repr=False)
class Pieces:
    """Records of a file, part by part, and the quality report of all of it."""

    parts: tuple[Held[Records], ...]
    quality: Quality

    def __repr__(self) -> str:
        return f"Pieces(people={self.quality.people}, parts={len(self.parts)}, go={self.quality.go})"


def take_in_parts(
    file: Parted,
    mapping: Mapping,
    schema: Schema,
    shelf: Shelf,
    *,
    flags: FlagsOf | None = None,
    required_present: float,
    today: dt.date,
    tell: Callable[[int, int], None] = lambda *_: None,
) -> Pieces | None:
    """Records and report, as records.take_in gives them of a table; None where anything is at fault.

    tell: told how many parts are done, of how many.
    """
    if flags and mapping.anchor:
        return None
    try:
        check(mapping, file.columns, schema)
        values = date_values(date_columns(mapping, schema), file.dates.__getitem__)
        settled = Settled.by(values, mapping, today)
        parts: list[Held[Records]] = []
        fields: tuple[FieldQuality, ...] = ()
        digits: dict[str, Digits] = {}
        people = 0
        for nth, load in enumerate(file.parts):
            with paused():
                part = read_part(load(), mapping, schema, settled)
            if part.ids or part.anchors:
                return None
            records = flagged(part.records, flags(nth, part.records.local_ids)) if flags else part.records
            parts.append(shelf.put(records))
            people += len(records)
            fields, digits = _together(fields, digits, part)
            del part, records
            tell(nth + 1, len(file.parts))
    except (ColumnsError, FlagsError, ValuesError):
        return None
    quality, wrong = report(schema, settled, fields, digits, people, required_present)
    return None if wrong or settled.faults() else Pieces(tuple(parts), quality)


def _together(
    fields: tuple[FieldQuality, ...], digits: dict[str, Digits], part: Part
) -> tuple[tuple[FieldQuality, ...], dict[str, Digits]]:
    if not fields:
        return part.fields, part.digits
    return (
        tuple(both(one, two) for one, two in zip(fields, part.fields, strict=True)),
        {name: digits[name] + more for name, more in part.digits.items()},
    )
