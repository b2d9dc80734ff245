"""What a desk writes down about people, before it has its own columns.

Rows of a population come in, Cards go out: names, dates, postcodes, numbers as written, and masks of what is filled in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.synth.damage import NO_DATE, NOWHERE, Dates, Mask, Pen, joined, parts
from linkage.synth.people import NOBODY, Population
from linkage.synth.places import ADDRESSES
from linkage.synth.tables import Habits, Variants, Words

Rng = np.random.Generator
Rows = NDArray[np.int64]
"""(r,) person of each row of a file."""
KNOWN_WHOLE = 0.75
"""Weight of what a row's cells have in common in whether they are filled: who is well known is known in all."""


@dataclass(frozen=True, repr=False)
class Numbers:
    """Identifiers of everybody who has any, (n,) by person, "" where there is none."""

    nhs: Words
    pnc: Words
    cro: Words


@dataclass(frozen=True, repr=False)
class Desk:
    """One source at work."""

    people: Population
    numbers: Numbers
    variants: Variants
    habits: Habits
    rng: Rng
    today: np.datetime64

    @property
    def pen(self) -> Pen:
        """How this source writes."""
        return Pen(self.rng, self.variants, self.habits)

    def some(self, count: int, share: float) -> Mask:
        """(count,) true for about that share."""
        chosen: Mask = self.rng.random(count) < share
        return chosen


@dataclass(frozen=True, repr=False)
class Card:
    """r rows as one source writes them. born: datetime64[D]. sex: "M" or "F"."""

    first: Words
    middle: Words
    last: Words
    born: Dates
    sex: Words
    postcode: Words
    address: Words
    phone: Words

    def __len__(self) -> int:
        return len(self.born)


def write_card(desk: Desk, rows: Rows, said: Rows | None = None) -> Card:
    """Cards of people; `said` (r,) is whose name and date each man gives, his own where left out."""
    people, pen, count = desk.people, desk.pen, len(rows)
    said = rows if said is None else said
    first, middle, last = pen.names(people.forename[said], people.middle[said], people.surname[said])
    born = pen.dates(people.born[said])
    stale = desk.some(count, desk.habits.stale_postcode) & (people.addresses[rows] > 1)
    place = stale.astype(np.int64)
    units, houses = people.units[rows, place], people.houses[rows, place]
    older = desk.some(count, desk.habits.stale_phone) & people.has_older_number[rows]
    phone = pen.numbers(people.numbers[rows, older.astype(np.int64)])
    sex = np.where(rows < people.men, "M", "F").astype(object)
    postcode = pen.postcodes(people.map.postcodes[units])
    address = np.array(people.map.addresses(units, houses), dtype=object)
    address[np.isin(postcode.astype(str), NOWHERE)] = ""
    return Card(first, middle, last, born, sex, postcode, address, phone)


def filled(rng: Rng, count: int, shares: Mapping[str, float]) -> dict[str, Mask]:
    """Which cells are filled, by column: exactly the share asked for, and together more often than by chance."""
    common = rng.standard_normal(count)
    masks: dict[str, Mask] = {}
    for column, share in shares.items():
        score = KNOWN_WHOLE * common + np.sqrt(1 - KNOWN_WHOLE**2) * rng.standard_normal(count)
        masks[column] = np.zeros(count, dtype=bool)
        masks[column][np.argsort(-score)[: round(share * count)]] = True
    return masks


def blanked(values: Words, keep: Mask, empty: str = "") -> Words:
    """Values where they are kept, else `empty`."""
    return np.where(keep, values, empty).astype(object)


def former_postcodes(desk: Desk, rows: Rows) -> Words:
    """Earlier postcodes of some people, latest first, with "; " between; "" for the others."""
    people = desk.people
    known = desk.some(len(rows), desk.habits.history)
    lists: Words = np.full(len(rows), "", dtype=object)
    for place in range(1, ADDRESSES):
        more = np.flatnonzero(known & (people.addresses[rows] > place))
        codes = people.map.postcodes[people.units[rows[more], place]]
        lists[more] = np.where(lists[more] == "", codes, lists[more] + "; " + codes)
    return lists


def other_names(desk: Desk, rows: Rows) -> Words:
    """Other names some people go by, as "SURNAME, Forename" with "; " between; "" for the others."""
    people, rng = desk.people, desk.rng
    who = np.flatnonzero(desk.some(len(rows), desk.habits.aliases))
    kind, second = rng.random(len(who)), rng.random(len(who)) < 0.2
    lists: Words = np.full(len(rows), "", dtype=object)
    nicknames = desk.pen.nicknames
    for row, drawn, more in zip(who.tolist(), kind.tolist(), second.tolist(), strict=True):
        person = rows[row]
        first, last = people.forename[person], people.surname[person]
        short = nicknames.get(first, (people.middle[person] or people.other_forename[person],))[0]
        named = (
            [(first, people.other_surname[person]), (short, last)]
            if drawn < 0.45
            else [(short, last), (people.other_forename[person], people.other_surname[person])]
            if drawn < 0.8
            else [(people.other_forename[person], people.other_surname[person]), (short, people.other_surname[person])]
        )
        lists[row] = "; ".join(f"{last.upper()}, {first}" for first, last in named[: 1 + more])
    return lists


def other_dates(desk: Desk, born: Dates) -> Dates:
    """A second date of birth for some people: day and month exchanged, or years off; NaT for the others."""
    rng, count = desk.rng, len(born)
    year, month, day = parts(born)
    exchange = (rng.random(count) < 0.4) & (day <= 12)
    years = rng.choice([-2, -1, 1, 2], size=count)
    dates = np.where(exchange, joined(year, day, month), joined(year + years, month, day))
    dates[~desk.some(count, desk.habits.other_dates) | (born == NO_DATE)] = np.datetime64("NaT")
    return dates


def borrowed_names(desk: Desk, rows: Rows) -> Rows:
    """Whose name and date each man gives: mostly his own, a few a brother's or another man's."""
    people, rng = desk.people, desk.rng
    lies = desk.some(len(rows), desk.habits.false_details)
    kin = people.kin[np.minimum(rows, people.men - 1)]
    brother = (rows < people.men) & (kin != NOBODY)
    friend = rng.integers(people.men, size=len(rows))
    said: Rows = np.where(lies, np.where(brother, kin, friend), rows).astype(np.int64)
    return said


def date_texts(dates: Dates, form: str) -> Words:
    """Dates as text: "dmy" 05/03/1985, "iso" 1985-03-05, "mon" 05-Mar-1985; "" for NaT."""
    known = ~np.isnat(dates)
    year, month, day = (part.tolist() for part in parts(np.where(known, dates, np.datetime64("1900-01-01"))))
    dated = zip(day, month, year, strict=True)
    if form == "dmy":
        made = [f"{d:02d}/{m:02d}/{y}" for d, m, y in dated]
    elif form == "iso":
        made = [f"{y}-{m:02d}-{d:02d}" for d, m, y in dated]
    else:
        months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        made = [f"{d:02d}-{months[m - 1]}-{y}" for d, m, y in dated]
    return blanked(np.array(made, dtype=object), known)


def upper(names: Words) -> Words:
    """Names in capitals."""
    return np.array([name.upper() for name in names], dtype=object)
