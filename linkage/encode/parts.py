"""Parts of records that tight tokens are made of: a field's values in one of the forms of `linkage.combinations`.

Columns come in; for every person and each of his values a keyed digest of its form goes out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from linkage.combinations import Part
from linkage.encode.digests import text_digests
from linkage.encode.spelling import Shapes, sliced
from linkage.model import Column, Records
from linkage.roots import name_roots, phonetic
from linkage.schema import Field, Kind

Digests = NDArray[np.uint64]
"""(m, 2) uint64: 16 bytes a row."""


@dataclass(repr=False)
class Parts:
    """The forms of one agency's values; each is made once. subkey: of the run's tokens."""

    records: Records
    subkey: bytes
    _forms: dict[tuple[str, str], _Formed] = field(default_factory=dict)

    def held(self, of: Field) -> NDArray[np.int64]:
        """How many values of a field each person has, (n,)."""
        column = self.records.columns.get(of.name)
        return np.zeros(len(self.records), np.int64) if column is None else column.counts()

    def has(self, part: Part, rows: NDArray[np.int64], ranks: Mapping[Field, int]) -> NDArray[np.bool_]:
        """Which of some people's values of the given ranks have the forms of a part, (m,)."""
        formed = ((self._formed(of, part.form), ranks[of]) for of in part.fields)
        has: NDArray[np.bool_] = np.all([one.has[one.places(rows, rank)] for one, rank in formed], axis=0)
        return has

    def digests(self, part: Part, rows: NDArray[np.int64], ranks: Mapping[Field, int]) -> list[Digests]:
        """Digests of a part for some people, from their values of the given ranks: one for each of its fields.

        Equal values have equal digests at every agency.
        """
        formed = ((self._formed(of, part.form), ranks[of]) for of in part.fields)
        made = [one.digests[one.places(rows, rank)] for one, rank in formed]
        if len(made) == 2:  # both names: the lower one first, whichever field it stands in
            swapped = made[0][:, 0] > made[1][:, 0]
            made = [np.where(swapped[:, None], *reversed(made)), np.where(swapped[:, None], *made)]
        return made

    def _formed(self, of: Field, form: str) -> _Formed:
        key = of.name, form
        if key not in self._forms:
            column = self.records.columns.get(of.name, Column((), np.empty(0, np.int32), np.zeros(1, np.int64)))
            self._forms[key] = _Formed.of(column, of.kind, form, self.subkey)
        return self._forms[key]


@dataclass(frozen=True, repr=False)
class _Formed:
    """A column with the digest of every distinct value's form (v, 2), and whether it has such a form (v,)."""

    column: Column
    digests: Digests
    has: NDArray[np.bool_]

    @classmethod
    def of(cls, column: Column, kind: Kind, form: str, subkey: bytes) -> _Formed:
        domain = f"part/{form}".encode()
        make = _FORMS[kind, form]
        if make is _whole:
            digests, has = text_digests(subkey, domain, column.vocabulary), np.ones(len(column.vocabulary), np.bool_)
        else:
            spelt, codes, _ = sliced(column.vocabulary, lambda value: [make(value)], _SHAPES.get((kind, form), {}))
            digests = text_digests(subkey, domain, spelt)[codes]
            has = np.array([text != "" for text in spelt], np.bool_)[codes]
        return cls(column, digests.view(np.uint64), has)

    def places(self, rows: NDArray[np.int64], rank: int) -> NDArray[np.int32]:
        """The distinct value of that rank of each of some people who have one."""
        return self.column.codes[self.column.offsets[rows] + rank]


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

_DATE = "####-##-##"
_SHAPES: Mapping[tuple[Kind, str], Shapes] = {
    (Kind.DATE, "month"): {_DATE: ((0, 1, 2, 3, 5, 6),)},
    (Kind.DATE, "birthday"): {_DATE: ((5, 6, 8, 9),)},
    (Kind.DATE, "year"): {_DATE: ((0, 1, 2, 3),)},
    (Kind.POSTCODE, "sector"): {"#" * n + " ###": ((*range(n), n + 1),) for n in (2, 3, 4)},
    (Kind.POSTCODE, "district"): {"#" * n + " ###": (tuple(range(n)),) for n in (2, 3, 4)},
}
"""On which characters the form of a usual value depends."""
