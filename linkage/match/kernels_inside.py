"""The compiled inner loop of searching one file as a matcher would see it: plain distances, and coins.

Rule as in kernels.py; the plain twin is in tests/naive.py.
"""

# ruff: noqa: C901 (a kernel is one nest of loops)

from __future__ import annotations

import numpy as np

from linkage.match.kernels import (
    ROW_BITS,
    STRIP,
    TILE,
    Counts,
    Words,
    distances_to_tile,
    insert_best,
    kernel,
    popcount,
    turn,
)  # fmt: skip

UNIT_BITS = 8
"""A distance is told in 256ths of a bit."""


@kernel
def nearest_drawn(
    filters: Words, coins: Words, asked: Counts, law: tuple[Counts, int], look: tuple[int, Counts], best: Counts
) -> None:
    """Bring the best lists of some rows up to date with the whole file.

    filters: (n, w), coins: (n, c). asked: (q,) rows. law: a pair's distance is means[plain bits that differ] and a step
    for each coin that differs. look: words compared first, and for each whole bit of distance that is left to a pair
    once its coins are counted, in how many bits of these words it may differ at most; else it is dropped.
    best: (q, k) ascending keys distance << 32 | row, updated.
    """
    (means, step), (first, limits) = law, look
    words, keep, most = filters.shape[1], best.shape[1], len(limits) - 1
    columns = np.empty((first, TILE), np.uint64)
    coin_columns = np.empty((coins.shape[1], TILE), np.uint64)
    counts = np.empty(TILE, np.int64)
    thrown = np.zeros(TILE, np.int64)
    allowed = np.empty(64 * coins.shape[1] + 1, np.int64)  # by coins; lists only improve, so a tile's stay right
    for start in range(0, len(filters), TILE):
        stop = min(start + TILE, len(filters))
        turn(filters, start, stop, first, columns)
        turn(coins, start, stop, coins.shape[1], coin_columns)
        for q in range(len(asked)):
            row = asked[q]
            distances_to_tile(filters[row], columns, first, counts)
            if step:
                distances_to_tile(coins[row], coin_columns, coins.shape[1], thrown)
            limit = (best[q, keep - 1] - 1) >> ROW_BITS
            for coin in range(len(allowed)):
                left = (limit - step * coin) >> UNIT_BITS
                allowed[coin] = limits[min(left, most)] if left >= 0 else -1
            for strip in range(0, TILE, STRIP):
                hit = False
                for j in range(strip, strip + STRIP):
                    hit |= counts[j] <= allowed[thrown[j]]
                if not hit:
                    continue
                for j in range(strip, min(strip + STRIP, stop - start)):
                    if counts[j] > allowed[thrown[j]] or start + j == row:
                        continue
                    bits = counts[j]
                    for w in range(first, words):
                        bits += popcount(filters[row, w] ^ filters[start + j, w])
                    distance = means[bits] + step * thrown[j]
                    if distance <= limit:
                        insert_best(best[q], (distance << ROW_BITS) | (start + j))
                        limit = (best[q, keep - 1] - 1) >> ROW_BITS
