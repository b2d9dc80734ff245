"""The compiled inner loop of searching one file as a matcher would see it: plain distances, and luck.

Rule as in kernels.py; the plain twin is in tests/naive.py.
"""

# ruff: noqa: C901, PLR0912 (a kernel is one nest of loops)

from __future__ import annotations

import numpy as np

from linkage.match.inside import LUCK_BITS
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
                _meet(filters, tickets, asked[q], other, means, noise, best[q])
    if seen == rows:
        return
    columns = np.empty((first, TILE), np.uint64)
    counts = np.empty(TILE, np.int64)
    for start in range(0, rows, TILE):
        stop = min(start + TILE, rows)
        turn(filters, start, stop, first, columns)
        for q in range(len(asked)):
            row = asked[q]
            begins = start < luckiest[q] < stop  # in the middle of the tile
            luck = np.uint64(0) if begins else (tickets[row] + tickets[start]) >> _SHIFT
            left = (((best[q, keep - 1] - 1) >> ROW_BITS) - noise[luck]) >> UNIT_BITS
            if left < 0:
                continue
            # Lists only improve, so what is dropped now could not have entered later.
            allowed = limits[min(left, most)]
            distances_to_tile(filters[row], columns, first, counts)
            for strip in range(0, TILE, STRIP):
                hit = False
                for j in range(strip, strip + STRIP):
                    hit |= counts[j] <= allowed
                if not hit:
                    continue
                for j in range(strip, min(strip + STRIP, stop - start)):
                    other = start + j
                    if counts[j] > allowed or other == row:
                        continue
                    if (other - luckiest[q]) % rows >= seen:  # else it was met before
                        _meet(filters, tickets, row, other, means, noise, best[q])


@kernel
def _meet(filters: Words, tickets: Words, row: int, other: int, means: Counts, noise: Counts, best: Counts) -> None:
    """Put a row into another's list if it belongs there."""
    distance = means[_differing(filters, row, other)] + noise[(tickets[row] + tickets[other]) >> _SHIFT]
    insert_best(best, (distance << ROW_BITS) | other)


@kernel
def _differing(filters: Words, one: int, two: int) -> int:
    """Bits in which two rows differ."""
    bits = 0
    for w in range(filters.shape[1]):
        bits += popcount(filters[one, w] ^ filters[two, w])
    return bits
