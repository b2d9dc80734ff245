"""The compiled inner loops of the exact Dice search over plain filters.

Packed filters, bounds and preallocated outputs go in; pairs and counts come out. Rule: as in kernels.py.
"""

# ruff: noqa: C901, PLR0912 (a kernel takes many arrays by position and is one nest of loops)

from __future__ import annotations

import numpy as np

from linkage.match.kernels import STRIP, TILE, Counts, Rows, Span, Words, count8, kernel, popcount, turn

NEVER = 1 << 62  # no count of shared bits, scaled, comes near


@kernel
def shared_with_tile(row: Words, columns: Words, words: int, counts: Counts) -> None:
    """Bits set in the first words of one row and of every row of a tile; arguments as distances_to_tile."""
    counts[:] = 0
    whole = words - words % 8
    for w in range(0, whole, 8):
        a, b, c, d = row[w], row[w + 1], row[w + 2], row[w + 3]
        e, f, g, h = row[w + 4], row[w + 5], row[w + 6], row[w + 7]
        for j in range(counts.shape[0]):
            counts[j] += count8(
                a & columns[w, j], b & columns[w + 1, j], c & columns[w + 2, j], d & columns[w + 3, j],
                e & columns[w + 4, j], f & columns[w + 5, j], g & columns[w + 6, j], h & columns[w + 7, j],
            )  # fmt: skip
    for w in range(whole, words):
        a = row[w]
        for j in range(counts.shape[0]):
            counts[j] += popcount(a & columns[w, j])


@kernel
def dice_block(
    left: Words,
    right: Words,
    span: Span,
    within: bool,
    sizes: tuple[Counts, Counts],
    rests: tuple[Counts, Counts],
    first: int,
    slope: int,
    need: Counts,
    found: Rows,
) -> tuple[int, int]:
    """Pairs of a block of rows whose Dice similarity reaches the threshold, until `found` is full.

    left: (n, w), right: (m, w) uint64. span: (left start, left stop, right start, right stop).
    within: only pairs with left row < right row of one file. sizes, rests: pairs of (n,), (m,) int64, set bits of the
    whole rows and of the words after the first. need: (2 bits + 1,) int64, shared bits needed by a sum of set bits.
    slope: floor(threshold * 2**16). found: (3, capacity) int32: left row, right row, differing bits; written.
    Returns pairs written and the right row to go on from. Capacity must be at least (rows of the block) * TILE.

    Nothing is lost: the words after the first share at most min(rest, rest) bits, so a pair with
    shared + min(rest, rest) < threshold * (size + size) / 2 cannot reach the threshold; the test of this in whole
    numbers, scaled by 2**17, uses a slope rounded down, so it only ever keeps more. Survivors are decided by `need`.
    """
    size_left, size_right = sizes
    rest_left, rest_right = rests
    columns = np.empty((first, TILE), np.uint64)
    counts = np.empty(TILE, np.int64)
    rest = np.zeros(TILE, np.int64)
    least = np.empty(TILE, np.int64)
    pairs = 0
    for start in range(span[2], span[3], TILE):
        stop = min(start + TILE, span[3])
        if found.shape[1] - pairs < (span[1] - span[0]) * (stop - start):
            return pairs, start
        turn(right, start, stop, first, columns)
        for j in range(start, stop):
            rest[j - start] = rest_right[j]
            least[j - start] = slope * size_right[j]
        for j in range(stop - start, TILE):
            least[j] = NEVER
        for i in range(span[0], span[1]):
            begin = max(start, i + 1) if within else start
            if begin >= stop:
                continue
            shared_with_tile(left[i], columns, first, counts)
            own_rest = rest_left[i]
            own_least = slope * size_left[i]
            for strip in range(0, TILE, STRIP):
                hit = False
                for j in range(strip, strip + STRIP):
                    hit |= ((counts[j] + min(own_rest, rest[j])) << 17) >= own_least + least[j]
                if not hit:
                    continue
                for j in range(max(start + strip, begin), min(start + strip + STRIP, stop)):
                    shared = counts[j - start]
                    total = size_left[i] + size_right[j]
                    if shared + min(own_rest, rest_right[j]) < need[total]:
                        continue
                    for w in range(first, left.shape[1]):
                        shared += popcount(left[i, w] & right[j, w])
                    if shared >= need[total]:
                        found[0, pairs] = i
                        found[1, pairs] = j
                        found[2, pairs] = total - 2 * shared
                        pairs += 1
    return pairs, span[3]
