"""Parts of records that tight tokens are made of: a field's values in one of the forms of `linkage.combinations`.

Columns come in; keyed digests of combinations of their values go out, for any people who have them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from linkage.combinations import Combination, Part
from linkage.encode.digests import column_digests, text_digests
from linkage.encode.spelling import Shapes, sliced, texts_of
from linkage.model import Column, Offsets, Records
from linkage.roots import name_roots, phonetic
from linkage.schema import Field, Kind

Digests = NDArray[np.uint64]
"""(m, 2) uint64: 16 bytes a row."""


Ranks = Mapping[Field, int]
"""Which of a person's values of each field is meant, the best being 0."""


@dataclass(frozen=True, repr=False)
class Parts:
    """The forms of one agency's values as keyed digests, each made once; the values themselves are needed no more.

    people: n. subkey: of the run's tokens. forms: by field and form, of fields that the agency holds.
    """

    people: int
    subkey: bytes
    forms: Mapping[tuple[Field, str], _Formed]

    @classmethod
    def of(cls, records: Records, combinations: Sequence[Combination], subkey: bytes) -> Parts:
        """The forms of which some combinations are made."""
        wanted = {(each, part.form): None for one in combinations for part in one.parts for each in part.fields}
        held = {(each, form): records.columns[each.name] for each, form in wanted if each.name in records.columns}
        forms = {key: _Formed.of(column, key[0].kind, key[1], subkey) for key, column in held.items()}
        return cls(len(records), subkey, forms)

    def ways(self, combination: Combination, most: int) -> list[Ranks]:
        """The ways to combine somebody's values, best first, of which the ranks add up to `most` at most."""
        of = [(each, self.forms.get((each, part.form))) for part in combination.parts for each in part.fields]
        values = {each: min(each.values, formed.most if formed else 0) for each, formed in of}
        ranks = product(*(range(count) for count in values.values()))
        return [dict(zip(values, each, strict=True)) for each in ranks if sum(each) <= most]

    def holders(self, combination: Combination, ranks: Ranks, people: slice) -> NDArray[np.int64]:
        """Which of some neighbouring people have all parts of a combination in values of these ranks, ascending."""
        rows = np.arange(people.start, min(people.stop, self.people))
        for part in combination.parts:
            for each in part.fields:
                rows = self.forms[each, part.form].holders(rows, ranks[each])
        return rows

    def digests(self, combination: Combination, ranks: Ranks, rows: NDArray[np.int64]) -> Digests:
        """Keyed digests of a combination, (m, 2), for people who have all parts in values of these ranks.

        Equal values have equal digests at every agency.
        """
        columns = [each for part in combination.parts for each in self._part(part, ranks, rows)]
        return column_digests(self.subkey, b"combination/" + combination.name.encode(), columns)

    def _part(self, part: Part, ranks: Ranks, rows: NDArray[np.int64]) -> list[Digests]:
        made = [self.forms[each, part.form].of_rows(rows, ranks[each]) for each in part.fields]
        if len(made) == 2:  # both names: the lower one first, whichever field it stands in
            swapped = made[0][:, 0] > made[1][:, 0]
            made = [np.where(swapped[:, None], *reversed(made)), np.where(swapped[:, None], *made)]
        return made


@dataclass(frozen=True, repr=False)
class _Formed:
    """A column's values in one form: digests of every distinct one (v, 2), and whether it has such a form (v,).

    codes, offsets: each person's values, as in model.Column. most: values of the person who has most.
    """

    digests: Digests
    has: NDArray[np.bool_]
    codes: NDArray[np.int32]
    offsets: Offsets
    most: int

    @classmethod
    def of(cls, column: Column, kind: Kind, form: str, subkey: bytes) -> _Formed:
        domain = f"part/{form}".encode()
        make = _FORMS[kind, form]
        if make in (_whole, _unit):
            texts = texts_of(column.vocabulary)
            has = texts.holding(" ") if make is _unit else np.ones(len(texts), np.bool_)
            digests = text_digests(subkey, domain, texts)
        else:
            spelt, codes, _ = sliced(column.vocabulary, lambda value: [make(value)], _SHAPES.get((kind, form), {}))
            digests = text_digests(subkey, domain, spelt)[codes]
            has = np.array([text != "" for text in spelt], np.bool_)[codes]
        most = int(column.counts().max(initial=0))
        return cls(digests.view(np.uint64), has, column.codes, column.offsets, most)

    def holders(self, rows: NDArray[np.int64], rank: int) -> NDArray[np.int64]:
        """Which of some people have a value of that rank, in this form; their array is used up."""
        from linkage.encode.kernels_tight import hold_form  # loads numba

        return rows[: hold_form(rows, rank, self.codes, self.offsets, self.has)]

    def of_rows(self, rows: NDArray[np.int64], rank: int) -> Digests:
        """The form of that value of each of some people who have it."""
        from linkage.encode.kernels_tight import form_digests  # loads numba

        made = np.empty((len(rows), 2), np.uint64)
        form_digests(rows, rank, self.codes, self.offsets, self.digests, made)
        return made


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
