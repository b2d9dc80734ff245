"""The compiled loop of the nearest search: two blocks of rows and their lists in, better lists out.

Rule as in kernels.py; the plain twin is naive.nearest_block.
"""

from __future__ import annotations

import numpy as np

from linkage.match.kernels import ROW_BITS, Counts, Span, Words, insert_best, kernel
from linkage.match.kernels_lanes import LANES, differing_behind, differing_lanes, lowest_bit

TILE = 128  # right rows met by one left row at a time; the 40 words of a usual first look are 40 kB of them


@kernel
def turn_slabs(rows: Words, start: int, stop: int, slabs: Words) -> None:
    """Copy the first words of rows[start:stop] into slabs (TILE / LANES, words, LANES), zeros behind the last row."""
    slabs[:] = 0
    for j in range(stop - start):
        for w in range(slabs.shape[1]):
            slabs[j // LANES, w, j % LANES] = rows[start + j, w]


@kernel
def nearest_block(
    left: Words,
    right: Words,
    span: Span,
    best_left: Counts,
    best_right: Counts,
    sides: int,
    first: int,
    limit: int,
) -> None:
    """Bring the best lists of a block of left rows (and right rows) up to date with each other.

    left: (n, w), right: (m, w) uint64. span: left start, left stop, right start, right stop.
    best_left: (n, k), best_right: (m, k) int64 ascending keys distance << 32 | row, the same array for one file with
    itself. sides: bit 0 keeps best_right too; bit 1 meets only pairs with left row < right row of one file.
    first: words compared at the first look. limit: a pair that differs in more bits there is
    dropped; 64 * first drops none.

    Nothing else is lost: a running distance never falls, so when it exceeds the bound of both rows the full distance
    does. The bound of a row is the largest distance whose key would still enter its list, (last key - 1) >> 32; lists
    only improve, so what cannot enter now can never enter. Keys are distinct and totally ordered, so the k smallest of
    the pairs within the limit are one set whatever the order in which pairs arrive.
    """
    both = sides & 1
    within = sides & 2
    keep = best_left.shape[1]
    slabs = np.empty((TILE // LANES, first, LANES), np.uint64)
    counts = np.empty(TILE, np.int64)
    bound_right = np.full(TILE, -1, np.int64)
    near = np.empty(TILE // LANES, np.uint8)
    masks = near.view(np.uint64)
    for start in range(span[2], span[3], TILE):
        stop = min(start + TILE, span[3])
        turn_slabs(right, start, stop, slabs)
        if both:
            for j in range(start, stop):
                bound_right[j - start] = min(limit, (best_right[j, keep - 1] - 1) >> ROW_BITS)
        for i in range(span[0], span[1]):
            begin = max(start, i + 1) if within else start
            if begin >= stop:
                continue
            bound = min(limit, (best_left[i, keep - 1] - 1) >> ROW_BITS)
            differing_lanes(left[i], slabs, first, bound, bound_right, counts, near)
            for word in range(len(masks)):
                mask = masks[word]
                while mask:
                    j = start + 64 * word + lowest_bit(mask)
                    mask &= mask - np.uint64(1)
                    if j < begin or j >= stop:
                        continue
                    distance = counts[j - start] + differing_behind(left, right, i, j, first)
                    insert_best(best_left[i], (distance << ROW_BITS) | j)
                    if both:
                        insert_best(best_right[j], (distance << ROW_BITS) | i)
                        bound_right[j - start] = min(limit, (best_right[j, keep - 1] - 1) >> ROW_BITS)
