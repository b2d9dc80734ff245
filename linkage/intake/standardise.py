"""How a value of each kind becomes comparable: which cleaner serves which field.

A cell's text comes in; its standardised values and a verdict go out. Cleaners see distinct values only (columns.py).
"""

from __future__ import annotations

import datetime as dt
from functools import partial

from linkage.intake import dates, identifiers, names, places
from linkage.intake.cell import Cleaner
from linkage.schema import Field, Kind


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
