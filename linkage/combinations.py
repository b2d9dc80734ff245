"""The language of tight tokens: which combinations of a record's parts are hashed in one-round.

"forename.root surname.sound date.month" is a combination of three parts, each a kind of field and a form of its
value. A profile of configs/tokens lists combinations, the ones that find most first.
Rule: words only. What a form makes of a value is `linkage.encode.parts`' business.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import product

from linkage import toml
from linkage.schema import Field, Kind, Schema

NAMES = "names"
"""Both names together, in alphabetical order, so that swapped ones meet."""
FORMS: dict[str, tuple[str, ...]] = {
    Kind.FORENAME: ("root", "sound", "initial"),
    Kind.SURNAME: ("root", "sound", "initial"),
    NAMES: ("root", "sound"),
    Kind.DATE: ("whole", "month", "birthday", "year"),
    Kind.POSTCODE: ("whole", "sector", "district"),
    Kind.SEX: ("whole",),
    Kind.TEXT: ("whole", "start"),
    Kind.PHONE: ("whole",),
    Kind.IDENTIFIER: ("whole",),
}
"""Forms by kind. month: year and month. birthday: month and day. start: house number and first word of the street."""
_ALONE = (Kind.PHONE, Kind.IDENTIFIER)
"""Kinds whose one value hardly anybody shares."""


class TokenProfile(toml.Table, frozen=True, kw_only=True):
    """A profile of configs/tokens."""

    title: str
    dated: dt.date
    source: str
    combinations: tuple[str, ...]


@dataclass(frozen=True)
class Part:
    """One part of a combination. fields: the field it is read from; both names for NAMES."""

    fields: tuple[Field, ...]
    form: str


@dataclass(frozen=True)
class Combination:
    """Parts that are hashed together. name: with the fields it is read from, the domain of its tokens."""

    name: str
    parts: tuple[Part, ...]


def problems_of(profile: TokenProfile) -> list[str]:
    """What is wrong with a profile's combinations, one line each."""
    problems = [] if profile.combinations else ["the token profile names no combination"]
    seen: set[str] = set()
    for text in profile.combinations:
        problems += [f"combination '{text}' appears twice"] if text in seen else []
        seen.add(text)
        words = [_split(word) for word in text.split()]
        unknown = [".".join(word) for word in words if word[1] not in FORMS.get(word[0], ())]
        problems += [f"combination '{text}': '{word}' is no kind and form" for word in unknown]
        if not unknown and len(words) < 2 and not any(kind in _ALONE for kind, _ in words):
            problems.append(f"combination '{text}' is one part that many people share")
    return problems


def combinations_of(profile: TokenProfile, schema: Schema) -> tuple[Combination, ...]:
    """A profile's combinations under a schema, in the profile's order; those with a kind no field has are left out.

    A part of a kind that several fields have (two identifiers) gives a combination for each.
    """
    found = []
    for text in profile.combinations:
        choices = [[Part(fields, form) for fields in _fields(kind, schema)] for kind, form in map(_split, text.split())]
        for parts in product(*choices):
            name = " ".join(f"{'+'.join(field.name for field in part.fields)}.{part.form}" for part in parts)
            found.append(Combination(name, parts))
    return tuple(found)


def _split(word: str) -> tuple[str, str]:
    kind, _, form = word.partition(".")
    return kind, form or "whole"


def _fields(kind: str, schema: Schema) -> list[tuple[Field, ...]]:
    if kind == NAMES:
        places = schema.index(Kind.FORENAME), schema.index(Kind.SURNAME)
        return [tuple(schema.fields[place] for place in places if place is not None)] if None not in places else []
    return [(schema.fields[place],) for place in schema.indices(Kind(kind))]
