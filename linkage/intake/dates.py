"""Dates of birth as files hold them become ISO dates, or a year where only that is known (R9, R11).

Rule: the order of day and month is taken from the whole column or stated, never guessed value by value.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Collection, Iterable

import numpy as np

from linkage.intake.cell import INVALID, MISSING, PLACEHOLDER, Cleaned, Verdict, is_placeholder, to_ascii
from linkage.texts import Texts

MAX_AGE = 110  # years

_PARTS = re.compile(r"(\d{1,4})[-/. ]+(\d{1,2})[-/. ]+(\d{1,4})")
_TIME = re.compile(r"[T ]+\d{1,2}[:.]\d{2}([:.]\d{2}(\.\d+)?)?( ?[AP]M)?( ?Z|[+-]\d{2}:?\d{2})?$")
_DAY_MONTH = re.compile(r"(?:[A-Z]{3,9},? )?(\d{1,2})(?:ST|ND|RD|TH)?[-/., ]*(?:OF )?([A-Z]{3,9})[-/., ]*(\d{4}|\d{2})")
_MONTH_DAY = re.compile(r"([A-Z]{3,9})[-/. ]*(\d{1,2})(?:ST|ND|RD|TH)?[-/., ]+(\d{4}|\d{2})")
_YEAR_MONTH = re.compile(r"(\d{4})[-/. ](\d{1,2})|(?:\d{1,2}[-/. ]|[A-Z]{3,9}[-/., ]*)(\d{4})")
_SERIAL = re.compile(r"(\d{5})(\.\d+)?")
_MONTHS = (
    *("JANUARY", "FEBRUARY", "MARCH", "APRIL", "MAY", "JUNE"),
    *("JULY", "AUGUST", "SEPTEMBER", "OCTOBER", "NOVEMBER", "DECEMBER"),
)
_EXCEL_ZERO = dt.date(1899, 12, 30)
_NOBODY = frozenset({"1900-01-01", "1970-01-01", "1899-12-30", "1899-12-31", "1753-01-01", "1800-01-01", "1901-01-01"})
_NO_YEARS = frozenset({"0000", "0001", "1753", "1899", "9999"})
# A year before 2000, also within "19151111" and "11111915".
_OLD = re.compile(r"(?<!\d)1[89]\d\d(?!\d{1,3}(?!\d))|(?<=\d{4})1[89]\d\d(?!\d)")
_FORMER = 1850
_TOLERATED = 0.05  # share of values against the others' order that count as mistyped


Seen = tuple[int, int, int]
"""How many dates have a day first, a month first, and either."""


def look_at(values: Texts, today: dt.date) -> tuple[Seen, Texts]:
    """What plain dates of living people say about the order of day and month, and the values that are none."""
    from linkage.intake.plain import look_at_dates  # loads numba

    plain = np.zeros(len(values), np.bool_)
    seen = look_at_dates(values.data, values.ends, today.year - MAX_AGE, plain)
    return seen, values.take(np.flatnonzero(~plain))


def order_of(values: Iterable[str], seen: Seen = (0, 0, 0)) -> str | None:
    """The order "dmy" or "mdy" that a column's distinct values decide, "dmy" where none needs one, None where open.

    A value decides when its first or second number is above 12; a few against the rest are typing errors.
    seen: what look_at says of further values.
    """
    first, second, open_values = seen
    for value in values:
        parts = _split(_TIME.sub("", to_ascii(value)))
        if parts is None or len(parts[0]) == 4:
            continue
        a, b = int(parts[0]), int(parts[1])
        if 12 < a <= 31 and 1 <= b <= 12:
            first += 1
        elif 12 < b <= 31 and 1 <= a <= 12:
            second += 1
        elif a != b and 1 <= a <= 12 and 1 <= b <= 12:
            open_values += 1
    if max(first, second) == 0:
        return None if open_values else "dmy"
    if min(first, second) > _TOLERATED * max(first, second):
        return None
    return "dmy" if first > second else "mdy"


def earliest_of(values: Collection[str], today: dt.date, count: int = 0) -> int:
    """The earliest year of birth a column may hold: MAX_AGE years ago, or 1850 where it plainly is of former people.

    Plainly: at least one in a hundred of its distinct values lies before, in five years or more, stand-ins left out.
    count: how many there are with those that look_at has seen; 0 where these are all.
    """
    limit, count = today.year - MAX_AGE, count or len(values)
    years: Counter[int] = Counter()
    for value in values:
        found = _OLD.search(value)
        if found and 1850 <= (year := int(found[0])) < limit and year not in (1899, 1900, 1901):
            years[year] += 1
    return _FORMER if len(years) >= 5 and years.total() >= max(count / 100, 1) else limit


def birth(text: str, order: str, today: dt.date, earliest: int = 0) -> Cleaned:
    """A date of birth: ISO, or the year alone where only that is known, as for 1 January of any year.

    order: "dmy", "mdy", "ymd" or "iso". Known stand-ins are placeholders; a date after today or a year before the
    earliest (where it is 0: MAX_AGE ago) is invalid. Source for 1 January: NHS advice on unknown birthdays (R9).
    """
    raw = _TIME.sub("", to_ascii(text))
    if not raw:
        return MISSING
    if is_placeholder(raw) if not raw[0].isdigit() else raw.strip("09-/. ") == "":
        return PLACEHOLDER
    found = _parse(raw, order, today)
    if found in _NOBODY or found[:4] in _NO_YEARS:
        return PLACEHOLDER
    if not found or int(found[:4]) < (earliest or today.year - MAX_AGE) or found > today.isoformat():
        return INVALID
    if found.endswith("-01-01"):
        found = found[:4]
    return (found,), Verdict.VALID if len(found) > 4 else Verdict.PARTIAL


def day(text: str, order: str, today: dt.date) -> str:
    """A whole date, past or future (a due date), as ISO; "" where it is none."""
    found = _parse(_TIME.sub("", to_ascii(text)), order, today, century=False)
    return found if len(found) == 10 else ""


def _split(raw: str) -> tuple[str, str, str] | None:
    """The three numbers of a date in the order written, year first where that is plain; None where it has not three."""
    match = _PARTS.fullmatch(raw)
    if match:
        return match[1], match[2], match[3]
    digits = raw.zfill(8) if raw.isdigit() and len(raw) == 7 else raw  # Excel lost the first zero of ddmmyyyy
    if not (digits.isdigit() and len(digits) == 8):
        return None
    # As year, month, day 19xx1912 would need month 19: no eight digits can be read both ways between 1900 and 2099.
    if len(raw) == 8 and _iso(digits[:4], digits[4:6], digits[6:]) and digits[:2] in ("18", "19", "20"):
        return digits[:4], digits[4:6], digits[6:]
    return digits[:2], digits[2:4], digits[4:]


def _parse(raw: str, order: str, today: dt.date, *, century: bool = True) -> str:  # noqa: PLR0911 - one exit a format
    """ISO date, "yyyy", or "" for what is neither; two-digit years of births lie in the past."""
    parts = _split(raw)
    if parts:
        a, b, c = parts
        if len(a) == 4:
            return _iso(a, b, c)
        if order in ("ymd", "iso"):
            return _iso(_year(a, today, past=century), b, c) if len(c) <= 2 else ""
        day_, month = (a, b) if order == "dmy" else (b, a)
        return _iso(_year(c, today, past=century, day=f"{month:0>2}-{day_:0>2}"), month, day_)
    if re.fullmatch(r"(18|19|20)\d\d", raw):
        return raw
    if match := _SERIAL.fullmatch(raw):
        return (_EXCEL_ZERO + dt.timedelta(days=int(match[1]))).isoformat()
    if match := _DAY_MONTH.fullmatch(raw):
        return _named(match[1], match[2], match[3], today, past=century)
    if match := _MONTH_DAY.fullmatch(raw):
        return _named(match[2], match[1], match[3], today, past=century)
    if match := _YEAR_MONTH.fullmatch(raw):
        return match[1] or match[3]
    return ""


def _named(day_: str, name: str, year: str, today: dt.date, *, past: bool) -> str:
    month = next((place for place, known in enumerate(_MONTHS, start=1) if known.startswith(name)), 0)
    if not month:
        return ""
    return _iso(_year(year, today, past=past, day=f"{month:02}-{day_:0>2}"), str(month), day_)


def _year(year: str, today: dt.date, *, past: bool, day: str = "") -> str:
    """Four digits of a year of two: the latest that is not in the future, or this century's."""
    if len(year) != 2:
        return year
    this = f"20{year}"
    late = f"{this}-{day}" > today.isoformat() if day else int(this) > today.year
    return f"19{year}" if past and late else this


def _iso(year: str, month: str, day_: str) -> str:
    """ISO date of three numbers; the year alone where day or month is 0; "" where there is no such date."""
    if len(year) != 4:
        return ""
    if int(day_) == 0 or int(month) == 0:
        return year if int(month) <= 12 and int(day_) <= 31 else ""
    try:
        return dt.date(int(year), int(month), int(day_)).isoformat()
    except ValueError:
        return year if year in _NO_YEARS else ""
