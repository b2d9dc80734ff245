"""The compiled inner loop of comparing: two rows' tags and filters in, the strongest level of a field out.

Sides of evidence, slots and preallocated outputs; rule as in kernels.py. The plain twin is tests/naive_compare.py.
"""

# ruff: noqa: C901, PLR0911, PLR0912, SIM110 (a ladder has one exit a level; any() is not compiled)

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linkage.layout import (
    DATE_DIGITS,
    FILTER_BITS,
    FILTER_WEIGHT,
    FILTER_WORDS,
    INITIALS,
    POSTCODE_CHARACTERS,
    ROOTS,
    SOUNDS,
    YEAR_WINDOW,
    group,
)
from linkage.match.kernels import kernel, popcount
from linkage.schema import LEVELS, MISSING, RARITY_BUCKETS, Kind

Sides = tuple[NDArray[np.uint8], NDArray[np.uint32], NDArray[np.uint64]]
"""presence (n, s), tags (n, t) and filters (n, q, words), as in model.Evidence."""
Tags = NDArray[np.uint32]
Filters = NDArray[np.uint64]
Places = NDArray[np.int64]
Levels = NDArray[np.int8]

# Of shared / longer, in padded bigrams: close, similar, distant. Dealt filters read about .015 below the exact share,
# so the cuts stand between the shares that one and two slips of the pen leave (5/7, 6/8; 4/7, 3/5) and the next lower.
NAME_CUTS = (0.675, 0.475, 0.28)
TEXT_CUTS = (0.73, 0.48, 0.23)
BY_CHANCE = FILTER_WEIGHT**2 / FILTER_BITS
"""Bits that two unrelated filters share on average."""


def needed(cuts: tuple[float, float, float]) -> tuple[int, int, int]:
    """Bits two filters must share for each similarity; the overlap expected by chance is taken off.

    Source: Swamidass & Baldi 2007, section 3.
    """
    shares = (np.arange(FILTER_WEIGHT + 1) - BY_CHANCE) / (FILTER_WEIGHT - BY_CHANCE)
    close, similar, distant = (int((shares < cut).sum()) for cut in cuts)
    return close, similar, distant


# What follows is constant in compiled code: the levels' numbers, and where each group of tags begins in its slot.
def _at(kind: Kind, *levels: str) -> tuple[int, ...]:
    names = [level.name for level in LEVELS[kind]]
    return tuple(names.index(level) for level in levels)


_NAME, _DATE, _POSTCODE, _TEXT, _PHONE = Kind.FORENAME, Kind.DATE, Kind.POSTCODE, Kind.TEXT, Kind.PHONE
_SAME = 0
_VARIANT, _CLOSE, _SOUNDS, _SIMILAR, _DISTANT, _INITIAL, _OTHER_NAME = _at(
    _NAME, "variant", "close", "sounds", "similar", "distant", "initial", "different"
)
_DIGIT, _SWAPPED, _TWO_PARTS, _YEAR_ONLY, _TWO_DIGITS, _YEAR, _OTHER_DATE, _GENERATION = _at(
    _DATE, "digit", "swapped", "two_parts", "year_only", "two_digits", "year", "different", "generation"
)
_TYPO, _SECTOR, _DISTRICT, _AREA, _OTHER_PLACE = _at(_POSTCODE, "typo", "sector", "district", "area", "different")
_TEXT_CLOSE, _TEXT_SIMILAR, _TEXT_DISTANT, _OTHER_TEXT = _at(_TEXT, "close", "similar", "distant", "different")
_ENDING, _OTHER_PHONE = _at(_PHONE, "ending", "different")
_ROOT_TAG, _SOUND_TAG, _INITIAL_TAG = (group(_NAME, name).start for name in ("root", "sound", "initial"))
_DAY_TAG, _MONTH_TAG, _YEAR_TAG = (group(_DATE, name).start for name in ("day", "month", "year"))
_SWAP_TAG, _DIGIT_TAG, _WINDOW_TAG = (group(_DATE, name).start for name in ("swap", "digit", "window"))
_SECTOR_TAG, _DISTRICT_TAG, _AREA_TAG = (group(_POSTCODE, name).start for name in ("sector", "district", "area"))
_CHARACTER_TAG, _ENDING_TAG = group(_POSTCODE, "character").start, group(_PHONE, "ending").start
_NAME_NEEDS, _TEXT_NEEDS = needed(NAME_CUTS), needed(TEXT_CUTS)

NAMES, DATES, POSTCODES, TEXTS, PHONES, EXACT = range(6)
FAMILY = {
    Kind.FORENAME: NAMES, Kind.SURNAME: NAMES, Kind.DATE: DATES, Kind.POSTCODE: POSTCODES, Kind.TEXT: TEXTS,
    Kind.PHONE: PHONES, Kind.SEX: EXACT, Kind.IDENTIFIER: EXACT,
}  # fmt: skip
"""Which ladder of levels a kind climbs."""


@kernel
def _equal(one: Tags, i: int, a: int, two: Tags, j: int, b: int, size: int) -> bool:
    """Any of `size` tags of row i from a on equal to any of row j from b on."""
    for s in range(a, a + size):
        for t in range(b, b + size):
            if one[i, s] == two[j, t]:
                return True
    return False


@kernel
def _aligned(one: Tags, i: int, a: int, two: Tags, j: int, b: int, size: int) -> int:
    """How many of `size` tags are equal place by place."""
    count = 0
    for s in range(size):
        count += one[i, a + s] == two[j, b + s]
    return count


@kernel
def _shared(one: Filters, i: int, a: int, two: Filters, j: int, b: int) -> int:
    """Bits set in both of two filters."""
    count = 0
    for w in range(FILTER_WORDS):
        count += popcount(one[i, a, w] & two[j, b, w])
    return count


@kernel
def _name(one: Tags, i: int, a: int, two: Tags, j: int, b: int, shared: int) -> int:
    """Level of two names that share so many bits, -1 where one is a mere initial: spelling has nothing to say there."""
    if _equal(one, i, a, two, j, b, RARITY_BUCKETS):
        return _SAME
    if _equal(one, i, a + _ROOT_TAG, two, j, b + _ROOT_TAG, ROOTS):
        return _VARIANT
    if shared >= _NAME_NEEDS[0]:
        return _CLOSE
    if _equal(one, i, a + _SOUND_TAG, two, j, b + _SOUND_TAG, SOUNDS):
        return _SOUNDS
    if shared >= _NAME_NEEDS[1]:
        return _SIMILAR
    if shared >= _NAME_NEEDS[2]:
        return _DISTANT
    if _equal(one, i, a + _INITIAL_TAG, two, j, b + _INITIAL_TAG, INITIALS):
        return _INITIAL
    return _OTHER_NAME


@kernel
def _date(one: Tags, i: int, a: int, two: Tags, j: int, b: int, whole: bool) -> int:
    """Level of two dates; whole: of both the day is known."""
    if whole and one[i, a] == two[j, b]:
        return _SAME
    window = 0
    for s in range(YEAR_WINDOW):
        for t in range(YEAR_WINDOW):
            if one[i, a + _WINDOW_TAG + s] == two[j, b + _WINDOW_TAG + t]:
                window += 1
                break
    # Before anything that resembles: a son born on his father's birthday differs in a digit or two (R11).
    if window == 0:
        return _GENERATION
    day, month, year = (
        one[i, a + _DAY_TAG] == two[j, b + _DAY_TAG],
        one[i, a + _MONTH_TAG] == two[j, b + _MONTH_TAG],
        one[i, a + _YEAR_TAG] == two[j, b + _YEAR_TAG],
    )
    if not whole:
        return _YEAR_ONLY if year else _OTHER_DATE
    digits = _aligned(one, i, a + _DIGIT_TAG, two, j, b + _DIGIT_TAG, DATE_DIGITS)
    if digits >= DATE_DIGITS - 1:
        return _DIGIT
    if year and _aligned(one, i, a + _DAY_TAG, two, j, b + _SWAP_TAG, 2) == 2:  # day and month stand side by side
        return _SWAPPED
    if (day and month) or (month and year) or (day and year):
        return _TWO_PARTS
    if digits >= DATE_DIGITS - 2:
        return _TWO_DIGITS
    return _YEAR if year else _OTHER_DATE


@kernel
def _postcode(one: Tags, i: int, a: int, two: Tags, j: int, b: int, whole: bool) -> int:
    """Level of two postcodes; whole: of both the inward half is known."""
    if one[i, a] == two[j, b]:
        return _SAME
    characters = _aligned(one, i, a + _CHARACTER_TAG, two, j, b + _CHARACTER_TAG, POSTCODE_CHARACTERS)
    if whole and characters >= POSTCODE_CHARACTERS - 1:
        return _TYPO
    if one[i, a + _SECTOR_TAG] == two[j, b + _SECTOR_TAG]:
        return _SECTOR
    if one[i, a + _DISTRICT_TAG] == two[j, b + _DISTRICT_TAG]:
        return _DISTRICT
    return _AREA if one[i, a + _AREA_TAG] == two[j, b + _AREA_TAG] else _OTHER_PLACE


@kernel
def _text(same: bool, shared: int) -> int:
    if same:
        return _SAME
    if shared >= _TEXT_NEEDS[0]:
        return _TEXT_CLOSE
    if shared >= _TEXT_NEEDS[1]:
        return _TEXT_SIMILAR
    return _TEXT_DISTANT if shared >= _TEXT_NEEDS[2] else _OTHER_TEXT


@kernel
def best_levels(
    family: int,
    one: Sides,
    two: Sides,
    rows: tuple[Places, Places],
    slots: tuple[Places, Places],
    best: Levels,
    rarity: Levels,
) -> None:
    """Strongest level over all pairs of values of two fields, for every pair of rows.

    family: one of FAMILY. rows: (m,), (m,) the pairs' rows in either side. slots: (a, 3), (b, 3) presence column, first
    tag and filter of each value. best: (m,), written; MISSING where a side has no value. rarity: (m,), written: of a
    name that is the same the first bucket in which the left side's tag agrees, else -1.
    """
    a, b = slots
    for r in range(len(best)):
        i, j = rows[0][r], rows[1][r]
        best[r], rarity[r] = MISSING, -1
        for s in range(a.shape[0]):
            if one[0][i, a[s, 0]] == 0:
                continue
            for t in range(b.shape[0]):
                if two[0][j, b[t, 0]] == 0:
                    continue
                whole = one[0][i, a[s, 0]] == 2 and two[0][j, b[t, 0]] == 2
                first, second = a[s, 1], b[t, 1]
                if family == NAMES:
                    shared = _shared(one[2], i, a[s, 2], two[2], j, b[t, 2]) if whole else -1
                    level = _name(one[1], i, first, two[1], j, second, shared)
                elif family == DATES:
                    level = _date(one[1], i, first, two[1], j, second, whole)
                elif family == POSTCODES:
                    level = _postcode(one[1], i, first, two[1], j, second, whole)
                elif family == TEXTS:
                    shared = _shared(one[2], i, a[s, 2], two[2], j, b[t, 2])
                    level = _text(one[1][i, first] == two[1][j, second], shared)
                elif one[1][i, first] == two[1][j, second]:
                    level = _SAME
                elif family == PHONES:
                    ending = one[1][i, first + _ENDING_TAG] == two[1][j, second + _ENDING_TAG]
                    level = _ENDING if ending else _OTHER_PHONE
                else:
                    level = 1
                if best[r] != MISSING and level >= best[r]:
                    continue
                best[r] = level
                if family == NAMES and level == _SAME:
                    bucket = 0
                    while not _among(one[1][i, first + bucket], two[1], j, second):
                        bucket += 1
                    rarity[r] = bucket


@kernel
def _among(tag: int, two: Tags, j: int, b: int) -> bool:
    """Whether a tag is among the exact ones of a name."""
    for t in range(RARITY_BUCKETS):
        if two[j, b + t] == tag:
            return True
    return False
