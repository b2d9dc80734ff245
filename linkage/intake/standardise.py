"""How a value of each kind becomes comparable: which cleaner serves which field, and which compiled loop helps it.

A cell's text comes in; its standardised values and a verdict go out. Cleaners see distinct values only (columns.py).
"""

from __future__ import annotations

import datetime as dt
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from linkage.intake import dates, identifiers, names, places
from linkage.intake.cell import PLACEHOLDERS, Cleaner
from linkage.intake.cleaning import Plain, What, keys_of
from linkage.intake.usual import scheme
from linkage.schema import Field, Kind

_SHAPES = {"pnc": "9999/9999999A", "cro": "999999/99A", "noms": "A9999AA"}


def cleaner(field: Field, order: str, today: dt.date, earliest: int) -> Cleaner:
    """The cleaner of a field.

    order: of day, month and year in its column; no birth is after today, or in a year before the earliest.
    """
    cleaners: dict[Kind, Cleaner] = {
        Kind.FORENAME: partial(names.forename, most=field.values),
        Kind.SURNAME: names.surname,
        Kind.DATE: partial(dates.birth, order=order, today=today, earliest=earliest),
        Kind.POSTCODE: places.postcode,
        Kind.SEX: identifiers.sex,
        Kind.TEXT: places.address,
        Kind.PHONE: identifiers.phone,
        Kind.IDENTIFIER: identifiers.of(field),
    }
    return cleaners[field.kind]


def plain(field: Field, order: str, today: dt.date, earliest: int) -> Plain | None:
    """The compiled loop that says of plain values what the field's cleaner says, where there is one."""
    if field.kind is Kind.DATE:
        least = earliest or today.year - dates.MAX_AGE
        first = {"dmy": 1, "mdy": 2}.get(order, 0)
        return Plain(What.DATE, (first, least, today.year * 10_000 + today.month * 100 + today.day))
    if field.kind is Kind.IDENTIFIER:
        return _number(scheme(field))
    if field.kind in (Kind.FORENAME, Kind.SURNAME):
        return Plain(What.NAME, (field.values if field.kind is Kind.FORENAME else 0,), _no_names())
    return _fixed().get(field.kind)


def _number(scheme: str) -> Plain | None:
    if scheme in _SHAPES:
        return Plain(What.SHAPED, shorts=np.frombuffer(_SHAPES[scheme].encode(), np.uint8).reshape(1, -1))
    return {"nhs": Plain(What.NHS), "nino": None}.get(scheme, Plain(What.OTHER))


@cache
def _no_names() -> NDArray[np.uint64]:
    return np.sort(keys_of(PLACEHOLDERS | names.WORDS_APART))


@cache
def _fixed() -> dict[Kind, Plain]:
    """The loops that are the same for every field of a kind."""
    longs = keys_of(places.SHORT)
    shorts = np.zeros((len(longs), max(map(len, places.SHORT.values()))), np.uint8)
    for row, short in zip(shorts, places.SHORT.values(), strict=True):
        row[: len(short)] = list(short.encode())
    return {
        Kind.POSTCODE: Plain(What.POSTCODE),
        Kind.TEXT: Plain(What.ADDRESS, words=np.sort(longs), shorts=shorts[np.argsort(longs)]),
        Kind.PHONE: Plain(What.PHONE),
    }
