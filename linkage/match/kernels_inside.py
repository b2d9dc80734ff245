"""The compiled inner loop of searching one file as a matcher would see it: plain distances, and coins.

Rule as in kernels.py; the plain twin is in tests/naive.py.
"""

from __future__ import annotations

import numpy as np

from linkage.match.kernels import ROW_BITS, STRIP, TILE, Counts, Words, distances_to_tile, insert_best, kernel, turn


@kernel
def nearest_drawn(filters: Words, coins: Words, asked: Counts, means: Counts, step: int, best: Counts) -> None:
    """Bring the best lists of some rows up to date with the whole file.

    filters: (n, w), coins: (n, c). asked: (q,) rows. A pair's distance is means[plain bits that differ], (64 w + 1,),
    and `step` for each coin that differs. best: (q, k) ascending keys distance << 32 | row, updated.
    """
    words, keep = filters.shape[1], best.shape[1]
    columns = np.empty((words, TILE), np.uint64)
    coin_columns = np.empty((coins.shape[1], TILE), np.uint64)
    counts = np.empty(TILE, np.int64)
    thrown = np.zeros(TILE, np.int64)
    for start in range(0, len(filters), TILE):
        stop = min(start + TILE, len(filters))
        turn(filters, start, stop, words, columns)
        turn(coins, start, stop, coins.shape[1], coin_columns)
        for q in range(len(asked)):
            row = asked[q]
            distances_to_tile(filters[row], columns, words, counts)
            if step:
                distances_to_tile(coins[row], coin_columns, coins.shape[1], thrown)
            limit = (best[q, keep - 1] - 1) >> ROW_BITS
            for j in range(TILE):
                counts[j] = means[counts[j]] + step * thrown[j]
            for strip in range(0, TILE, STRIP):
                hit = False
                for j in range(strip, strip + STRIP):
                    hit |= counts[j] <= limit
                if not hit:
                    continue
                for j in range(strip, min(strip + STRIP, stop - start)):
                    if counts[j] <= limit and start + j != row:
                        insert_best(best[q], (counts[j] << ROW_BITS) | (start + j))
                        limit = (best[q, keep - 1] - 1) >> ROW_BITS
