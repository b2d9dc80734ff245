"""What can be compared: kinds of field, and the words for how well two records agree.

Rule: data only. The order of the levels is fixed, strongest agreement first, because
explanations, null models and packages refer to levels by number.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MISSING = -1
"""Level where one side or both have no value."""

RARITY_BUCKETS = 6
"""Coarse rarity of a name within its own file: bucket b holds shares from 8**-(b+1) up to 8**-b; the last is open.

Evidence places a name's exact tag in the slot of its bucket, so the bucket shows only where two names agree.
"""


class Kind(StrEnum):
    """Kinds of field; each has its own standardisation, tokens and levels."""

    FORENAME = "forename"
    SURNAME = "surname"
    DATE = "date"
    POSTCODE = "postcode"
    SEX = "sex"
    TEXT = "text"
    PHONE = "phone"
    IDENTIFIER = "identifier"


class Sense(StrEnum):
    """What a level means to a reader (R34)."""

    AGREE = "agree"
    NEAR = "near"
    DISAGREE = "disagree"


@dataclass(frozen=True)
class Level:
    """One comparison level: a stable short name, words for people, and its sense."""

    name: str
    words: str
    sense: Sense


def _level(name: str, words: str, sense: Sense = Sense.NEAR) -> Level:
    return Level(name, words, sense)


_SAME = _level("same", "the same", Sense.AGREE)
_DIFFERENT = _level("different", "different", Sense.DISAGREE)

_NAME = (
    _SAME,
    _level("variant", "another form of the same name", Sense.AGREE),
    _level("close", "spelt almost the same"),
    _level("sounds", "sounds the same"),
    _level("similar", "spelt similarly"),
    _level("distant", "a few letters in common", Sense.DISAGREE),
    _level("initial", "the initial agrees", Sense.DISAGREE),
    _DIFFERENT,
)

LEVELS: dict[Kind, tuple[Level, ...]] = {
    Kind.FORENAME: _NAME,
    Kind.SURNAME: _NAME,
    Kind.DATE: (
        _SAME,
        _level("digit", "one digit differs"),
        _level("swapped", "day and month swapped"),
        _level("two_parts", "two of day, month and year agree"),
        _level("year_only", "the year agrees; only the year is known"),
        _level("two_digits", "two digits differ"),
        _level("year", "only the year agrees", Sense.DISAGREE),
        _DIFFERENT,
        _level("generation", "12 years or more apart", Sense.DISAGREE),
    ),
    Kind.POSTCODE: (
        _SAME,
        _level("typo", "one character differs"),
        _level("sector", "the same sector"),
        _level("district", "the same district"),
        _level("area", "the same area", Sense.DISAGREE),
        _DIFFERENT,
    ),
    Kind.SEX: (_SAME, _DIFFERENT),
    Kind.TEXT: (
        _SAME,
        _level("close", "almost the same"),
        _level("similar", "similar"),
        _level("distant", "a little in common", Sense.DISAGREE),
        _DIFFERENT,
    ),
    Kind.PHONE: (_SAME, _level("ending", "the last six digits agree"), _DIFFERENT),
    Kind.IDENTIFIER: (_SAME, _DIFFERENT),
}
"""Comparison levels of every kind, strongest first; a level's number is its place here."""


_ABBREVIATIONS = frozenset({"nhs", "pnc", "cro", "crn", "noms"})


@dataclass(frozen=True)
class Field:
    """One compared field as the agreement names it.

    values: how many values per person travel in evidence (aliases, several dates, former postcodes).
    required: share of rows that must have it, by the quality gate, when `required` is true (R8).
    """

    name: str
    kind: Kind
    values: int = 1
    required: bool = False

    @property
    def title(self) -> str:
        """The name for readers: "date of birth", "NHS number"."""
        return " ".join(word.upper() if word in _ABBREVIATIONS else word for word in self.name.split("_"))


@dataclass(frozen=True)
class Schema:
    """The agreement's compared fields, in the order every array uses."""

    fields: tuple[Field, ...]

    def __len__(self) -> int:
        return len(self.fields)

    def index(self, kind: Kind) -> int | None:
        """Place of the first field of a kind, or None."""
        return next((place for place, field in enumerate(self.fields) if field.kind is kind), None)

    def indices(self, kind: Kind) -> tuple[int, ...]:
        """Places of all fields of a kind."""
        return tuple(place for place, field in enumerate(self.fields) if field.kind is kind)

    def levels(self, place: int) -> tuple[Level, ...]:
        """Comparison levels of the field at a place."""
        return LEVELS[self.fields[place].kind]
