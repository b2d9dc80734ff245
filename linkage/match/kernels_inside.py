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
    first_row: int,
    asked: tuple[Words, Words, Counts],
    luckiest: Counts,
    seen: int,
    law: tuple[Counts, Counts],
    look: tuple[int, Counts],
    best: Counts,
) -> None:
    """Bring the best lists of some rows up to date with a part of the file.

    filters: (n, w) of the part; tickets: (n,) ascending; first_row: the number of the first among all rows. asked:
    filters (q, w) and tickets (q,) of the rows asked, and their places in the part (q,), -1 where they are not in it.
    law: a pair's distance is means[plain bits that differ] and noise[its luck], the highest bits of the sum of its
    tickets. luckiest: (q,) where for each asked row the luck of pairs begins to rise, from 0, round the part's end: the
    first `seen` rows from there are compared first. look: words compared first of all others, and for each whole bit of
    distance that the luckiest of a tile has left, in how many bits of these words it may differ at most.
    best: (q, k) ascending keys distance << 32 | row, updated.
    """
    (means, noise), (first, limits), (sought, drawn, own) = law, look, asked
    rows, keep, most = len(filters), best.shape[1], len(limits) - 1
    for q in range(len(sought)):
        for step in range(seen):
            other = (luckiest[q] + step) % rows
            if other != own[q]:
                mean = means[differing_behind(sought, filters, q, other, 0)]
                _meet(drawn[q] + tickets[other], first_row + other, mean, noise, best[q])
    if seen == rows:
        return
    slabs = np.empty((TILE // LANES, first, LANES), np.uint64)
    near = np.empty(TILE // LANES, np.uint8)
    masks = near.view(np.uint64)
    for start in range(0, rows, TILE):
        stop = min(start + TILE, rows)
        turn_slabs(filters, start, stop, slabs)
        for q in range(len(sought)):
            begins = start < luckiest[q] < stop  # in the middle of the tile
            luck = np.uint64(0) if begins else (drawn[q] + tickets[start]) >> _SHIFT
            room = ((best[q, keep - 1] - 1) >> ROW_BITS) - noise[luck]
            if room < 0:
                continue
            # Lists only improve, so what is dropped now could not have entered later.
            within_lanes(sought[q], slabs, first, limits[min(room >> UNIT_BITS, most)], near)
            for word in range(len(masks)):
                mask = masks[word]
                while mask:
                    other = start + 64 * word + lowest_bit(mask)
                    mask &= mask - np.uint64(1)
                    if other >= stop:
                        break  # what fills up the last tile is no row
                    mean = means[differing_behind(sought, filters, q, other, 0)]
                    # What is among the luckiest was met before.
                    if mean <= room and other != own[q] and (other - luckiest[q]) % rows >= seen:
                        _meet(drawn[q] + tickets[other], first_row + other, mean, noise, best[q])


@kernel
def _meet(luck: int, row: int, mean: int, noise: Counts, best: Counts) -> None:
    """Put a row into another's list if it belongs there. luck: sum of their tickets; mean: of their distances."""
    insert_best(best, ((mean + noise[luck >> _SHIFT]) << ROW_BITS) | row)
