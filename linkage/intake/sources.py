"""Where the values of each field come from: its own columns, middle names, full names.

Rule: nothing is read but the columns that the mapping names (R4).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from linkage.intake.cell import Cleaner
from linkage.intake.cleaning import Plain
from linkage.intake.coder import Coded, Coder
from linkage.intake.columns import Cells
from linkage.intake.mapping import Mapping, Source
from linkage.intake.names import full_name
from linkage.intake.standardise import cleaner, plain
from linkage.intake.table import Table
from linkage.schema import Field, Kind, Schema
from linkage.texts import Texts


@dataclass(frozen=True, repr=False)
class Reading:
    """One file being read. order: of day, month and year in its dates.

    No birth is after today, or in a year before the earliest.
    """

    table: Table
    mapping: Mapping
    schema: Schema
    order: str
    today: dt.date
    earliest: int


def date_columns(mapping: Mapping, schema: Schema) -> dict[str, str]:
    """The columns of all dates of a file, and what separates several in one cell."""
    sources = [mapping.fields[field.name] for field in schema.fields if _is_date(field, mapping)]
    if mapping.anchor and mapping.anchor.due_date:
        sources.append(Source((mapping.anchor.due_date,)))
    return {column: source.separator for source in sources for column in source.columns}


def date_values(columns: dict[str, str], texts_of: Callable[[str], Texts]) -> Texts:
    """Distinct texts of all dates of a file; they decide together about the order of day and month.

    columns: as date_columns gives them; texts_of: the distinct texts of a column.
    """
    values = Coder()
    for column, separator in columns.items():
        texts = texts_of(column)
        if separator:
            texts = Texts.of(part for cell in texts for part in cell.split(separator))
        values.add(texts.data, texts.ends[:-1], np.diff(texts.ends))
    return values.finish()


def sources(reading: Reading, field: Field) -> Iterator[Cells]:
    """The cells that give a field its values, the field's own columns first; none where the file does not hold it."""
    mapping, clean = reading.mapping, cleaner_of(reading, field)
    quick = plain(field, reading.order, reading.today, reading.earliest)
    if field.name in mapping.fields:
        yield from _cells(reading.table, mapping.fields[field.name], clean, quick)
    if field is not next(one for one in reading.schema.fields if one.kind is field.kind):
        return  # of two fields of names, middle and full names go to the first
    # A middle name is a further forename: where only one travels, it must not stand in for a missing first one.
    if field.kind is Kind.FORENAME and mapping.middle_names and field.values > 1:
        yield from _cells(reading.table, mapping.middle_names, clean, quick)
    if field.kind in (Kind.FORENAME, Kind.SURNAME) and mapping.full_name:
        half = 0 if field.kind is Kind.FORENAME else 1
        yield from _cells(reading.table, mapping.full_name, _half(clean, half, mapping.full_name_order))


def cleaner_of(reading: Reading, field: Field) -> Cleaner:
    """How the field's cells are cleaned in this file."""
    return cleaner(field, reading.order, reading.today, reading.earliest)


def _is_date(field: Field, mapping: Mapping) -> bool:
    return field.kind is Kind.DATE and field.name in mapping.fields


def _half(clean: Cleaner, half: int, order: str) -> Cleaner:
    return lambda text: clean(full_name(text, order)[half])


def _cells(table: Table, source: Source, clean: Cleaner, quick: Plain | None = None) -> Iterator[Cells]:
    if source.join:
        rows = zip(*(table.column(column) for column in source.columns), strict=True)
        yield Cells(Coded.of(" ".join(part for part in row if part) for row in rows), clean, source.separator, quick)
        return
    for column in source.columns:
        yield Cells(table.column(column), clean, source.separator, quick)
