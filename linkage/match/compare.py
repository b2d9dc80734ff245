"""Two sides of evidence in, comparison levels out.

Each side is only equal or unequal tags and filters with a constant number of bits; the best pair of values of a
field counts. The same code compares rows of different agencies (one key per pair) and rows inside one agency.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linkage.errors import ShapeError
from linkage.layout import DATE_DIGITS, FILTER_BITS, FILTER_WEIGHT, POSTCODE_CHARACTERS, YEAR_WINDOW, Layout, Slot
from linkage.model import Comparisons, Evidence
from linkage.schema import LEVELS, MISSING, Kind

CHUNK = 1 << 16
"""Pairs compared at a time, so that memory does not grow with the run."""

_BY_CHANCE = FILTER_WEIGHT**2 / FILTER_BITS  # bits two unrelated filters share on average
# Of shared / longer, in padded bigrams: close, similar, distant. Dealt filters read about .015 below the exact share,
# so the cuts stand between the shares that one and two slips of the pen leave (5/7, 6/8; 4/7, 3/5) and the next lower.
_NAME_CUTS = (0.675, 0.475, 0.28)
_TEXT_CUTS = (0.73, 0.48, 0.23)

_Levels = NDArray[np.int8]
_Places = dict[Kind, dict[str, int]]
_PLACE: _Places = {kind: {level.name: place for place, level in enumerate(levels)} for kind, levels in LEVELS.items()}


def similarity(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Share of common tokens in the longer value, from constant-weight filters.

    left, right: (m, 8) uint64. Returns (m,) float64, about 0 for unrelated values, 1 for equal ones.
    The overlap expected by chance of two filters of equal weight is taken off (Swamidass & Baldi 2007, section 3).
    """
    common = np.bitwise_count(left & right).sum(axis=1, dtype=np.int64)
    return np.asarray((common - _BY_CHANCE) / (FILTER_WEIGHT - _BY_CHANCE))


def compare(left: Evidence, right: Evidence, layout: Layout) -> Comparisons:
    """Compare row r of the left side with row r of the right side, for every r.

    Returns levels (m, f), rarity (m, f) and crossed (m, 2); see model.Comparisons.
    Raises ShapeError when the sides differ in length or were made under another layout.
    """
    _check(left, right, layout)
    count, fields = len(left), len(layout.schema)
    levels = np.empty((count, fields), np.int8)
    rarity = np.full((count, fields), -1, np.int8)
    crossed = np.full((count, 2), MISSING, np.int8)
    for start in range(0, count, CHUNK):
        rows = np.arange(start, min(start + CHUNK, count))
        one, two = left.take(rows), right.take(rows)
        for place in range(fields):
            levels[rows, place], rarity[rows, place] = _best(one, two, layout, place, place)
        forename, surname = layout.schema.index(Kind.FORENAME), layout.schema.index(Kind.SURNAME)
        if forename is not None and surname is not None:
            crossed[rows, 0] = _best(one, two, layout, forename, surname)[0]
            crossed[rows, 1] = _best(one, two, layout, surname, forename)[0]
    return Comparisons(levels, rarity, crossed)


def _check(left: Evidence, right: Evidence, layout: Layout) -> None:
    for side in (left, right):
        fits = side.tags.shape[1:] == (layout.tags,) and side.filters.shape[1] == layout.filters
        if not fits or side.presence.shape[1] != len(layout.slots):
            raise ShapeError("evidence was made under other fields than the agreement's")
    if len(left) != len(right):
        raise ShapeError(f"evidence has {len(left)} left sides and {len(right)} right sides")


def _best(one: Evidence, two: Evidence, layout: Layout, left: int, right: int) -> tuple[_Levels, _Levels]:
    """Strongest level over all value pairs of two fields, and the rarity bucket where names agree exactly."""
    best = np.full(len(one), np.iinfo(np.int8).max, np.int8)
    rarity = np.full(len(one), -1, np.int8)
    for a in (slot for slot in layout.slots if slot.field == left):
        for b in (slot for slot in layout.slots if slot.field == right):
            both = (one.presence[:, a.presence] > 0) & (two.presence[:, b.presence] > 0)
            if not both.any():
                continue
            rows = np.flatnonzero(both)
            level, bucket = _LEVELLERS[a.kind](one.take(rows), two.take(rows), a, b)
            better = level < best[rows]
            best[rows[better]] = level[better]
            if bucket is not None:
                rarity[rows[better]] = bucket[better]
    best[best == np.iinfo(np.int8).max] = MISSING
    return best, rarity


def _equal(one: Evidence, two: Evidence, a: slice, b: slice) -> NDArray[np.bool_]:
    """Any tag of one group equal to any tag of the other, (m,)."""
    return np.asarray((one.tags[:, a, None] == two.tags[:, None, b]).any(axis=(1, 2)))


def _aligned(one: Evidence, two: Evidence, a: slice, b: slice) -> NDArray[np.int64]:
    """How many tags of two groups are equal place by place, (m,)."""
    return np.asarray((one.tags[:, a] == two.tags[:, b]).sum(axis=1))


def _first_true(size: int, ladder: list[tuple[int, NDArray[np.bool_]]], otherwise: int) -> _Levels:
    """First level of a ladder whose condition holds, row by row."""
    level = np.full(size, otherwise, np.int8)
    for place, holds in reversed(ladder):
        level[holds] = place
    return level


def _names(one: Evidence, two: Evidence, a: Slot, b: Slot) -> tuple[_Levels, NDArray[np.int8] | None]:
    place = _PLACE[Kind.FORENAME]
    hits = one.tags[:, a.group("exact"), None] == two.tags[:, None, b.group("exact")]
    alike = similarity(one.filters[:, a.filter], two.filters[:, b.filter])
    # Where one side is a mere initial, spelling has nothing to say: "J" and "J" are not almost the same name.
    whole = (one.presence[:, a.presence] == 2) & (two.presence[:, b.presence] == 2)
    initial = _equal(one, two, a.group("initial"), b.group("initial"))
    close, similar, distant = (whole & (alike >= cut) for cut in _NAME_CUTS)
    level = _first_true(
        len(one),
        [
            (place["same"], hits.any(axis=(1, 2))),
            (place["variant"], _equal(one, two, a.group("root"), b.group("root"))),
            (place["close"], close),
            (place["sounds"], _equal(one, two, a.group("sound"), b.group("sound"))),
            (place["similar"], similar),
            (place["distant"], distant),
            (place["initial"], initial),
        ],
        place["different"],
    )
    # The left side's own bucket; both sides' buckets are the same unless their files differ much in size.
    bucket = np.where(level == place["same"], hits.any(axis=2).argmax(axis=1), -1).astype(np.int8)
    return level, bucket


def _dates(one: Evidence, two: Evidence, a: Slot, b: Slot) -> tuple[_Levels, None]:
    place = _PLACE[Kind.DATE]
    whole = (one.presence[:, a.presence] == 2) & (two.presence[:, b.presence] == 2)
    day, month, year = (_aligned(one, two, a.group(part), b.group(part)) > 0 for part in ("day", "month", "year"))
    digits = _aligned(one, two, a.group("digit"), b.group("digit"))
    parts = slice(a.group("day").start, a.group("month").stop)  # day and month stand side by side
    swapped = _aligned(one, two, parts, b.group("swap")) == 2
    window = (one.tags[:, a.group("window"), None] == two.tags[:, None, b.group("window")]).any(axis=2).sum(axis=1)
    far = YEAR_WINDOW - window >= YEAR_WINDOW
    level = _first_true(
        len(one),
        [
            (place["same"], whole & (_aligned(one, two, a.group("exact"), b.group("exact")) > 0)),
            # Before anything that resembles: a son born on his father's birthday differs in a digit or two (R11).
            (place["generation"], far),
            (place["digit"], whole & (digits >= DATE_DIGITS - 1)),
            (place["swapped"], whole & swapped & year),
            (place["two_parts"], whole & ((day & month) | (month & year) | (day & year))),
            (place["year_only"], ~whole & year),
            (place["two_digits"], whole & (digits >= DATE_DIGITS - 2)),
            (place["year"], whole & year),
        ],
        place["different"],
    )
    return level, None


def _postcodes(one: Evidence, two: Evidence, a: Slot, b: Slot) -> tuple[_Levels, None]:
    place = _PLACE[Kind.POSTCODE]
    whole = (one.presence[:, a.presence] == 2) & (two.presence[:, b.presence] == 2)
    characters = _aligned(one, two, a.group("character"), b.group("character"))
    ladder = [(place["same"], _equal(one, two, a.group("exact"), b.group("exact")))]
    ladder.append((place["typo"], whole & (characters >= POSTCODE_CHARACTERS - 1)))
    ladder += [(place[part], _equal(one, two, a.group(part), b.group(part))) for part in ("sector", "district", "area")]
    return _first_true(len(one), ladder, place["different"]), None


def _texts(one: Evidence, two: Evidence, a: Slot, b: Slot) -> tuple[_Levels, None]:
    place = _PLACE[Kind.TEXT]
    alike = similarity(one.filters[:, a.filter], two.filters[:, b.filter])
    ladder = [(place["same"], _equal(one, two, a.group("exact"), b.group("exact")))]
    ladder += [
        (place[name], alike >= cut) for name, cut in zip(("close", "similar", "distant"), _TEXT_CUTS, strict=True)
    ]
    return _first_true(len(one), ladder, place["different"]), None


def _phones(one: Evidence, two: Evidence, a: Slot, b: Slot) -> tuple[_Levels, None]:
    place = _PLACE[Kind.PHONE]
    ladder = [
        (place["same"], _equal(one, two, a.group("exact"), b.group("exact"))),
        (place["ending"], _equal(one, two, a.group("ending"), b.group("ending"))),
    ]
    return _first_true(len(one), ladder, place["different"]), None


def _exact(one: Evidence, two: Evidence, a: Slot, b: Slot) -> tuple[_Levels, None]:
    return np.where(_equal(one, two, a.group("exact"), b.group("exact")), 0, 1).astype(np.int8), None


_LEVELLERS = {
    Kind.FORENAME: _names,
    Kind.SURNAME: _names,
    Kind.DATE: _dates,
    Kind.POSTCODE: _postcodes,
    Kind.TEXT: _texts,
    Kind.PHONE: _phones,
    Kind.SEX: _exact,
    Kind.IDENTIFIER: _exact,
}
