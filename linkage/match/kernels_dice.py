"""The compiled inner loops over plain filters: exact Dice search, and buckets of bit sampling.

Packed filters, positions and preallocated outputs go in; pairs and counts come out. Rule: as in kernels.py.
"""

# ruff: noqa: C901, PLR0912, PLR0917 (a kernel takes many arrays by position and is one nest of loops)

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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


@kernel
def sampled_slots(filters: Words, positions: Counts, shift: int, slots: NDArray[np.uint32]) -> None:
    """Slot of every row from its sampled bits.

    filters: (n, w). positions: (k,) bits to sample, k <= 64. slots: (n,), written: the top 64 - shift bits of the key
    times an odd constant. Equal keys share a slot; unequal ones may, which costs time and loses nothing.
    """
    for i in range(filters.shape[0]):
        key = np.uint64(0)
        for q in range(positions.shape[0]):
            bit = (filters[i, positions[q] >> 6] >> np.uint64(positions[q] & 63)) & np.uint64(1)
            key = (key << np.uint64(1)) | bit
        slots[i] = (key * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(shift)


@kernel
def gather_by_slot(
    filters: Words,
    sizes: Rows,
    slots: NDArray[np.uint32],
    starts: Counts,
    rows: Rows,
    gathered: Words,
    gathered_sizes: Rows,
) -> None:
    """Copy rows into the order of their slots, so that verification streams through memory.

    filters: (n, w). sizes: (n, 2) int32. slots: (n,). starts: (slots + 1,) int64, written: slot s holds places
    starts[s] to starts[s + 1]. rows: (n,), gathered: (n, w), gathered_sizes: (n, 2), written. Stable within a slot.
    """
    starts[:] = 0
    for i in range(slots.shape[0]):
        starts[np.int64(slots[i]) + 1] += 1
    for s in range(starts.shape[0] - 1):
        starts[s + 1] += starts[s]
    free = starts[:-1].copy()
    for i in range(slots.shape[0]):
        place = free[slots[i]]
        free[slots[i]] += 1
        rows[place] = i
        gathered_sizes[place, 0] = sizes[i, 0]
        gathered_sizes[place, 1] = sizes[i, 1]
        for w in range(filters.shape[1]):
            gathered[place, w] = filters[i, w]


@kernel
def _agree(left: Words, x: int, right: Words, y: int, masks: Words, table: int) -> bool:
    """Whether two rows agree on every bit a table samples."""
    for w in range(masks.shape[1]):  # noqa: SIM110 - a generator does not compile
        if (left[x, w] ^ right[y, w]) & masks[table, w]:
            return False
    return True


@kernel
def join_block(
    lefts: tuple[Words, Rows, Rows, Counts],
    rights: tuple[Words, Rows, Rows, Counts],
    places: tuple[int, int],
    within: bool,
    masks: Words,
    table: int,
    first: int,
    need: Counts,
    found: Rows,
) -> tuple[int, int, int]:
    """Pairs of one table's slots whose Dice similarity reaches the threshold, until `found` is full.

    lefts, rights: gathered filters (n, w), sizes (n, 2) int32 (set bits of the row, and of its words after the
    first), row numbers (n,), slot starts (slots + 1,). places: the left places to serve. within: one file with
    itself. masks: (tables, w) sampled bits. need, found: as dice_block; capacity at least the largest right slot.
    A pair is reported in the first table in which it agrees on all sampled bits, so that none is reported twice and
    nothing need be remembered between tables. Returns pairs written, the place to go on from, pairs compared.
    """
    left, left_sizes, left_rows, left_starts = lefts
    right, right_sizes, right_rows, right_starts = rights
    pairs = 0
    compared = 0
    slot = np.searchsorted(left_starts, places[0], side="right") - 1
    for x in range(places[0], places[1]):
        while left_starts[slot + 1] <= x:
            slot += 1
        begin = x + 1 if within else right_starts[slot]
        stop = right_starts[slot + 1]
        if found.shape[1] - pairs < stop - begin:
            return pairs, x, compared
        compared += max(0, stop - begin)
        size, rest = left_sizes[x, 0], left_sizes[x, 1]
        for y in range(begin, stop):
            total = size + right_sizes[y, 0]
            wanted = need[total]
            shared = 0
            for w in range(first):
                shared += popcount(left[x, w] & right[y, w])
            if shared + min(rest, right_sizes[y, 1]) < wanted:
                continue
            for w in range(first, left.shape[1]):
                shared += popcount(left[x, w] & right[y, w])
            if shared < wanted or not _agree(left, x, right, y, masks, table):
                continue
            earlier = False
            for t in range(table):
                earlier = earlier or _agree(left, x, right, y, masks, t)
            if earlier:
                continue
            a, b = left_rows[x], right_rows[y]
            # Places within a slot keep the order of rows, so that in one file a < b already.
            found[0, pairs] = a
            found[1, pairs] = b
            found[2, pairs] = total - 2 * shared
            pairs += 1
    return pairs, places[1], compared
