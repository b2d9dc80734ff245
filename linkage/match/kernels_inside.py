"""The compiled inner loop of searching one file as a matcher would see it: plain distances, and luck.

Rule as in kernels.py; the plain twin is in tests/naive.py.
"""

# ruff: noqa: C901 (a kernel is one nest of loops)

from __future__ import annotations

import numpy as np

from linkage.match.inside import LUCK_BITS
from linkage.match.kernels import ROW_BITS, Counts, Words, insert_best, kernel
from linkage.match.kernels_lanes import LANES, differing_behind, lowest_bit, within_lanes
from linkage.match.kernels_nearest import turn_slabs

TILE = 256  # rows met by one asked row at a time
UNIT_BITS = 8
"""A distance is told in 256ths of a bit."""

_SHIFT = np.uint64(64 - LUCK_BITS)


@kernel
def nearest_drawn(
    filters: Words,
    tickets: Words,
    asked: Counts,
    luckiest: Counts,
    seen: int,
    law: tuple[Counts, Counts],
    look: tuple[int, Counts],
    best: Counts,
) -> None:
    """Bring the best lists of some rows up to date with the whole file.

    filters: (n, w); tickets: (n,) ascending. asked: (q,) rows. law: a pair's distance is means[plain bits that differ]
    and noise[its luck], the highest bits of the sum of its tickets. luckiest: (q,) where for each asked row the luck
    of pairs begins to rise, from 0, round the file's end: the first `seen` rows from there are compared first. look:
    words compared first of all others, and for each whole bit of distance that the luckiest of a tile has left, in how
    many bits of these words it may differ at most. best: (q, k) ascending keys distance << 32 | row, updated.
    """
    (means, noise), (first, limits) = law, look
    rows, keep, most = len(filters), best.shape[1], len(limits) - 1
    for q in range(len(asked)):
        for step in range(seen):
            other = (luckiest[q] + step) % rows
            if other != asked[q]:
                mean = means[differing_behind(filters, filters, asked[q], other, 0)]
                _meet(tickets, asked[q], other, mean, noise, best[q])
    if seen == rows:
        return
    slabs = np.empty((TILE // LANES, first, LANES), np.uint64)
    near = np.empty(TILE // LANES, np.uint8)
    masks = near.view(np.uint64)
    for start in range(0, rows, TILE):
        stop = min(start + TILE, rows)
        turn_slabs(filters, start, stop, slabs)
        for q in range(len(asked)):
            row = asked[q]
            begins = start < luckiest[q] < stop  # in the middle of the tile
            luck = np.uint64(0) if begins else (tickets[row] + tickets[start]) >> _SHIFT
            room = ((best[q, keep - 1] - 1) >> ROW_BITS) - noise[luck]
            if room < 0:
                continue
            # Lists only improve, so what is dropped now could not have entered later.
            within_lanes(filters[row], slabs, first, limits[min(room >> UNIT_BITS, most)], near)
            for word in range(len(masks)):
                mask = masks[word]
                while mask:
                    other = start + 64 * word + lowest_bit(mask)
                    mask &= mask - np.uint64(1)
                    if other >= stop:
                        break  # what fills up the last tile is no row
                    mean = means[differing_behind(filters, filters, row, other, 0)]
                    # What is among the luckiest was met before.
                    if mean <= room and other != row and (other - luckiest[q]) % rows >= seen:
                        _meet(tickets, row, other, mean, noise, best[q])


@kernel
def _meet(tickets: Words, row: int, other: int, mean: int, noise: Counts, best: Counts) -> None:
    """Put a row into another's list if it belongs there. mean: of their distances."""
    distance = mean + noise[(tickets[row] + tickets[other]) >> _SHIFT]
    insert_best(best, (distance << ROW_BITS) | other)
