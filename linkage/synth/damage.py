"""How a careful fact becomes a careless cell.

Arrays of true values come in, arrays of written ones go out.
Rule: randomness is drawn for whole arrays in a fixed order; a single value is then changed by a pure function of
the value and numbers in [0, 1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from anyascii import anyascii
from numpy.typing import NDArray

from linkage.synth.tables import Habits, Variants, Words

Rng = np.random.Generator
T = TypeVar("T")
Dates = NDArray[np.datetime64]
Mask = NDArray[np.bool_]
Change = Callable[[str, float, float], str]
NOWHERE = ("NF1 1NF", "ZZ99 3VZ", "NFA", "NF1 1FA")
"""What is written for no fixed abode, commonest first."""
NO_DATE = np.datetime64("1900-01-01")
"""What old systems fill in where a date is not known."""
RESTYLED = 0.45
"""Share of hyphened, apostrophed and Mc names that a desk writes in its own way."""


@dataclass(frozen=True, repr=False)
class Pen:
    """One source's way of writing names, dates and postcodes."""

    rng: Rng
    variants: Variants
    habits: Habits

    @cached_property
    def nicknames(self) -> dict[str, tuple[str, ...]]:
        """Short forms by formal name."""
        groups = [_group(line) for line in self.variants.nicknames]
        return {first: tuple(rest) for first, *rest in groups}

    @cached_property
    def forms(self) -> dict[str, tuple[str, ...]]:
        """Other forms by forename or surname."""
        return _others(self.variants.forenames)

    @cached_property
    def surname_forms(self) -> dict[str, tuple[str, ...]]:
        """Other forms by surname."""
        return _others(self.variants.surnames)

    @cached_property
    def by_ear(self) -> tuple[tuple[str, str], ...]:
        """Pieces of letters and what the ear may make of them, both ways."""
        pairs = [line.split() for line in self.variants.by_ear]
        return tuple((a, b) for a, b in pairs) + tuple((b, a) for a, b in pairs)

    @cached_property
    def neighbours(self) -> dict[str, str]:
        """Keys beside each key."""
        rows = self.variants.keyboard
        return {key: row[max(at - 1, 0) : at] + row[at + 1 : at + 2] for row in rows for at, key in enumerate(row)}

    def names(self, first: Words, middle: Words, last: Words) -> tuple[Words, Words, Words]:
        """Forenames, middle names and surnames as this source writes them; the arrays given are left as they are."""
        first, middle, last, habits = first.copy(), middle.copy(), last.copy(), self.habits
        turned = self._some(len(first), habits.middle_as_first) & (middle != "")
        first[turned], middle[turned] = middle[turned], first[turned]
        short = self._some(len(first), habits.nickname)
        self._change(first, short, lambda name, a, _: _pick(self.nicknames.get(name, (name,)), a))
        self._change(first, self._some(len(first), habits.transliterated) & ~short, self._other(self.forms))
        self._change(last, self._some(len(last), habits.transliterated * 0.6), self._other(self.surname_forms))
        folded = self._some(len(first), habits.folded)
        for names in (first, middle, last):
            names[folded] = self.plain(names[folded])
        self._change(last, self._some(len(last), RESTYLED), restyle)
        for names in (first, last):
            self._change(names, self._some(len(names), habits.by_ear), self._heard)
            self._change(names, self._some(len(names), habits.typing), self._slip)
        swapped = self._some(len(first), habits.swapped)
        first[swapped], last[swapped] = last[swapped], first[swapped]
        return first, middle, last

    def plain(self, names: Words) -> Words:
        """Names without diacritics, as old systems hold them."""
        return np.array([name if name.isascii() else anyascii(name) for name in names], dtype=object)

    def dates(self, born: Dates) -> Dates:
        """Dates of birth as this source writes them, all of them existing dates."""
        habits, count = self.habits, len(born)
        dates = born.copy()
        year, month, day = parts(dates)
        swap = self._some(count, habits.day_month / 0.39) & (day <= 12)  # 39 days in 100 can be taken for months
        dates[swap] = joined(year[swap], day[swap], month[swap])
        wrong = np.flatnonzero(self._some(count, habits.digit))
        dates[wrong] = self._wrong_digit(dates[wrong])
        only_year = self._some(count, habits.first_january)
        dates[only_year] = dates[only_year].astype("datetime64[Y]").astype("datetime64[D]")
        dates[self._some(count, habits.placeholder_date)] = NO_DATE
        return dates

    def postcodes(self, codes: Words) -> Words:
        """Postcodes with slips, in the ways people space them, and what stands for no fixed abode."""
        codes, count = codes.copy(), len(codes)
        self._change(codes, self._some(count, self.habits.typed_postcode), _mistyped)
        self._change(
            codes, self._some(count, 0.06), lambda code, a, _: code.replace(" ", "") if a < 0.7 else code.lower()
        )
        nowhere = self._some(count, self.habits.no_fixed_abode)
        self._change(codes, nowhere, lambda _, a, __: _pick(NOWHERE, a * a))
        return codes

    def numbers(self, numbers: Words) -> Words:
        """Telephone numbers in the ways people write them."""
        numbers = numbers.copy()
        self._change(numbers, self._some(len(numbers), 0.5), _spaced)
        return numbers

    def _some(self, count: int, share: float) -> Mask:
        chosen: Mask = self.rng.random(count) < share
        return chosen

    def _change(self, values: Words, where: Mask, change: Change) -> None:
        places = np.flatnonzero(where)
        chances = self.rng.random((len(places), 2)).tolist()
        values[places] = [change(value, a, b) for value, (a, b) in zip(values[places], chances, strict=True)]

    def _other(self, forms: dict[str, tuple[str, ...]]) -> Change:
        return lambda name, a, _: _pick(forms.get(name, (name,)), a * a)  # the first form named is the commonest

    def _heard(self, name: str, a: float, b: float) -> str:
        """The name with one piece spelt by ear; its first letter mostly survives."""
        low = name.lower()
        fits = [(piece, other) for piece, other in self.by_ear if low.find(piece, 1) > 0]
        if not fits:
            return self._slip(name, a, b)
        piece, other = _pick(fits, a)
        at = low.find(piece, 1)
        return name[:at] + other + name[at + len(piece) :]

    def _slip(self, name: str, a: float, b: float) -> str:
        """The name with one slip of the finger: a letter dropped, doubled, exchanged or mistaken for its neighbour."""
        if len(name) < 3:
            return name
        at = 1 + int(a * (len(name) - 1))
        if b < 0.25:
            return name[:at] + name[at + 1 :]
        if b < 0.45:
            return name[:at] + name[at] + name[at:]
        if b < 0.7:
            return name[: at - 1] + name[at] + name[at - 1] + name[at + 1 :] if at > 1 else name[0] + name[2:]
        near = self.neighbours.get(name[at].lower(), name[at])
        return name[:at] + near[int((b - 0.7) / 0.3 * len(near))] + name[at + 1 :]

    def _wrong_digit(self, born: Dates) -> Dates:
        """Dates with one part wrong in one digit, or one off."""
        year, month, day = parts(born)
        which, by = self.rng.random(len(born)), self.rng.choice([-10, -1, 1, 10], size=len(born))
        day = np.where(which < 0.45, day + by, day)
        month = np.where((which >= 0.45) & (which < 0.65), month + np.sign(by), month)
        year = np.where(which >= 0.65, year + by, year)
        month = np.where(month < 1, 2, np.where(month > 12, 11, month))
        return joined(year, month, np.where(day < 1, day + 20, day))


def restyle(surname: str, a: float, b: float) -> str:
    """A surname with hyphen, apostrophe, space or Mc as another desk would write it; others come back unchanged.

    The same numbers give the same form: a picks among the ways, b between halves.
    """
    if "-" in surname:
        halves = surname.split("-")
        return _pick((surname.replace("-", " "), surname.replace("-", ""), halves[-1 if b < 0.6 else 0]), a)
    if "'" in surname:
        return _pick((surname.replace("'", ""), surname.replace("'", "’"), surname.replace("'", " ")), a)
    if " " in surname:
        return _pick((surname.replace(" ", ""), surname.replace(" ", "-"), surname.rsplit(" ", maxsplit=1)[-1]), a)
    for prefix, other in (("Mac", "Mc"), ("Mc", "Mac")):
        if surname.startswith(prefix) and surname[len(prefix) :][:1].isupper():
            rest = surname.removeprefix(prefix)
            return _pick((other + rest, f"{prefix} {rest}", prefix + rest.lower()), a)
    return surname


def parts(dates: Dates) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Years, months (1 to 12) and days (1 to 31)."""
    months = dates.astype("datetime64[M]")
    whole = months.astype(np.int64)
    return 1970 + whole // 12, 1 + whole % 12, 1 + (dates - months).astype(np.int64)


def joined(year: NDArray[np.int64], month: NDArray[np.int64], day: NDArray[np.int64]) -> Dates:
    """Dates of years, months and days; a day beyond the month's end becomes its last day."""
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    first = months.astype("datetime64[D]")
    last = (months + 1).astype("datetime64[D]") - np.timedelta64(1, "D")
    dates: Dates = np.minimum(first + (day - 1).astype("timedelta64[D]"), last)
    return dates


def _group(line: str) -> list[str]:
    return [name.replace("_", " ") for name in line.split()]


def _others(lines: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Every name of every group with the others of its groups; the first group that has it decides."""
    others: dict[str, tuple[str, ...]] = {}
    for group in map(_group, lines):
        for name in group:
            others.setdefault(name, tuple(other for other in group if other != name))
    return others


def _pick(choices: Sequence[T], a: float) -> T:
    return choices[int(a * len(choices))]


def _mistyped(code: str, a: float, b: float) -> str:
    """A postcode of valid shape with one character of its second half wrong, or its digits exchanged."""
    letters = "ABDEFGHJLNPQRSTUWXYZ"
    outward, inward = code.split(" ")
    if a < 0.3:
        return f"{outward} {int(b * 9) + 1}{inward[1:]}"
    letter = letters[int(b * len(letters))]
    return f"{outward} {inward[:1]}{letter}{inward[2:]}" if a < 0.65 else f"{outward} {inward[:2]}{letter}"


def _spaced(number: str, a: float, b: float) -> str:
    if a < 0.6:
        return f"{number[:5]} {number[5:8]} {number[8:]}" if b < 0.5 else f"{number[:5]} {number[5:]}"
    return f"+44{number[1:]}" if b < 0.6 else f"+44 (0){number[1:5]} {number[5:]}"
