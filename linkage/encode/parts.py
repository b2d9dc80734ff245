"""Parts of records that tight tokens are made of: a field's values in one of the forms of `linkage.combinations`.

Columns come in; for every person and each of his values a small code of its form goes out, with the forms spelt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from linkage.combinations import Part
from linkage.model import Column, Records
from linkage.roots import name_roots, phonetic
from linkage.schema import Field, Kind

NONE = -1
"""Code of a value that has no such form."""


@dataclass(repr=False)
class Parts:
    """The forms of one agency's values; each is made once."""

    records: Records
    _forms: dict[tuple[str, str], _Formed] = field(default_factory=dict)

    def held(self, of: Field) -> NDArray[np.int64]:
        """How many values of a field each person has, (n,)."""
        column = self.records.columns.get(of.name)
        return np.zeros(len(self.records), np.int64) if column is None else column.counts()

    def codes(self, part: Part, rows: NDArray[np.int64], ranks: Mapping[Field, int]) -> NDArray[np.int64]:
        """Code of a part for some people, from their values of the given ranks, (m,); NONE where it has no form."""
        formed = [self._formed(of, part.form) for of in part.fields]
        codes = [one.codes(rows, ranks[of]) for one, of in zip(formed, part.fields, strict=True)]
        if len(codes) == 1:
            return codes[0]
        # Both names: the lower code first, whichever field it stands in.
        size = len(self._spellings)
        low, high = np.minimum(*codes), np.maximum(*codes)
        return np.where(low == NONE, NONE, low * size + high)

    def spell(self, part: Part, codes: NDArray[np.int64]) -> list[bytes]:
        """What codes (m,) stand for, the same at every agency, in UTF-8."""
        if len(part.fields) == 1:
            return [self._spelt[code] for code in codes.tolist()]
        halves = (half.tolist() for half in np.divmod(codes, len(self._spellings)))
        return [b"+".join(sorted((self._spelt[one], self._spelt[other]))) for one, other in zip(*halves, strict=True)]

    @cached_property
    def _spellings(self) -> dict[str, int]:
        return {}

    @cached_property
    def _spelt(self) -> tuple[bytes, ...]:
        return tuple(text.encode() for text in self._spellings)

    def prepare(self, parts: tuple[Part, ...]) -> None:
        """Make all forms before any is spelt."""
        for part in parts:
            for of in part.fields:
                self._formed(of, part.form)

    def _formed(self, of: Field, form: str) -> _Formed:
        key = of.name, form
        if key not in self._forms:
            column = self.records.columns.get(of.name, Column((), np.empty(0, np.int32), np.zeros(1, np.int64)))
            make = _FORMS[of.kind, form]
            spelt = [make(value) for value in column.vocabulary]
            places = [self._spellings.setdefault(text, len(self._spellings)) if text else NONE for text in spelt]
            self._forms[key] = _Formed(column, np.array(places, np.int64))
        return self._forms[key]


@dataclass(frozen=True, repr=False)
class _Formed:
    """A column with the code of every distinct value's form. table: (d,)."""

    column: Column
    table: NDArray[np.int64]

    def codes(self, rows: NDArray[np.int64], rank: int) -> NDArray[np.int64]:
        return np.asarray(self.table[self.column.codes[self.column.offsets[rows] + rank]])


def _root(value: str) -> str:
    return next(iter(name_roots(value)), "") if len(value) > 1 else ""


def _sound(value: str) -> str:
    """How a name's first root sounds, in Metaphone."""
    return next((code for code in phonetic(_root(value)) if code[0] == "m"), "")


def _initial(value: str) -> str:
    return value[:1]


def _whole(value: str) -> str:
    return value


def _date(start: int, end: int) -> Callable[[str], str]:
    """A slice of a date that is known to the day."""
    return lambda value: value[start:end] if len(value) == len("yyyy-mm-dd") else ""


def _outward(value: str) -> str:
    return value.split(" ", maxsplit=1)[0]


def _unit(value: str) -> str:
    return value if " " in value else ""


def _sector(value: str) -> str:
    return value[:-2] if " " in value else ""


def _start(value: str) -> str:
    words = value.split()
    return " ".join(words[:2]) if len(words) > 1 else ""


_FORMS: Mapping[tuple[Kind, str], Callable[[str], str]] = {
    **{
        (kind, form): make
        for kind in (Kind.FORENAME, Kind.SURNAME)
        for form, make in (("root", _root), ("sound", _sound), ("initial", _initial))
    },
    (Kind.DATE, "whole"): _date(0, 10),
    (Kind.DATE, "month"): _date(0, 7),
    (Kind.DATE, "birthday"): _date(5, 10),
    (Kind.DATE, "year"): lambda value: value[:4],
    (Kind.POSTCODE, "whole"): _unit,
    (Kind.POSTCODE, "sector"): _sector,
    (Kind.POSTCODE, "district"): _outward,
    (Kind.TEXT, "start"): _start,
    **{(kind, "whole"): _whole for kind in (Kind.SEX, Kind.TEXT, Kind.PHONE, Kind.IDENTIFIER)},
}
