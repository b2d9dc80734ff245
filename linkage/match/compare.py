"""Two sides of evidence in, comparison levels out.

Each side is only equal or unequal tags and filters with a constant number of bits; the best pair of values of a
field counts. The same code compares rows of different agencies (one key per pair) and rows inside one agency.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from linkage.errors import ShapeError
from linkage.layout import Layout
from linkage.match.candidates import cores
from linkage.model import Comparisons, Evidence
from linkage.schema import MISSING, Kind

CHUNK = 1 << 10
"""Pairs a thread compares at a time, field by field: few enough that both sides stay in its cache meanwhile."""

Rows = tuple[NDArray[np.int64], NDArray[np.int64]]


def compare(left: Evidence, right: Evidence, layout: Layout, rows: Rows | None = None) -> Comparisons:
    """Compare pairs of rows: of the left side and of the right, (m,) each; without them row r with row r.

    Returns levels (m, f), rarity (m, f) and crossed (m, 2); see model.Comparisons.
    Raises ShapeError when the sides differ in length, where it matters, or were made under another layout.
    """
    _check(left, right, layout, rows)
    here, there = rows or (np.arange(len(left)), np.arange(len(right)))
    count, fields = len(here), len(layout.schema)
    levels = np.empty((fields, count), np.int8)
    rarity = np.empty((fields, count), np.int8)
    crossed = np.full((2, count), MISSING, np.int8)
    forename, surname = layout.schema.index(Kind.FORENAME), layout.schema.index(Kind.SURNAME)

    def part(start: int) -> None:
        some = slice(start, start + CHUNK)
        pairs = here[some], there[some]
        for place in range(fields):
            _best(left, right, layout, pairs, (place, place), levels[place, some], rarity[place, some])
        if forename is not None and surname is not None:
            unused = np.empty(len(pairs[0]), np.int8)
            _best(left, right, layout, pairs, (forename, surname), crossed[0, some], unused)
            _best(left, right, layout, pairs, (surname, forename), crossed[1, some], unused)

    with ThreadPoolExecutor(cores()) as pool:
        list(pool.map(part, range(0, count, CHUNK)))
    return Comparisons(*(np.ascontiguousarray(found.T) for found in (levels, rarity, crossed)))


def _check(left: Evidence, right: Evidence, layout: Layout, rows: Rows | None) -> None:
    for side in (left, right):
        fits = side.tags.shape[1:] == (layout.tags,) and side.filters.shape[1] == layout.filters
        if not fits or side.presence.shape[1] != len(layout.slots):
            raise ShapeError("evidence was made under other fields than the agreement's")
    here, there = (len(one) for one in rows or (left, right))
    if here != there:
        raise ShapeError(f"evidence has {here} left sides and {there} right sides")


def _best(
    left: Evidence,
    right: Evidence,
    layout: Layout,
    rows: Rows,
    places: tuple[int, int],
    levels: NDArray[np.int8],
    rarity: NDArray[np.int8],
) -> None:
    """Strongest level over all value pairs of two fields, and the rarity bucket where names agree exactly."""
    from linkage.match.kernels_compare import FAMILY, best_levels  # loads numba

    one, two = ((side.presence, side.tags, side.filters) for side in (left, right))
    slots = tuple(
        np.array([(s.presence, s.tags.start, s.filter) for s in layout.slots if s.field == place], np.int64)
        for place in places
    )
    best_levels(FAMILY[layout.schema.fields[places[0]].kind], one, two, rows, slots, levels, rarity)
