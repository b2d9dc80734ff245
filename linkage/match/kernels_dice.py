"""The compiled inner loops over plain filters: exact Dice search, and buckets of bit sampling.

Packed filters, positions and preallocated outputs go in; pairs and counts come out. Rule: as in kernels.py.
"""

# ruff: noqa: C901, PLR0912 (a kernel takes many arrays by position and is one nest of loops)

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linkage.match.kernels import STRIP, TILE, Counts, Rows, Span, Words, count8, kernel, popcount, turn

Slots = NDArray[np.uint32]
_WAITING = 256  # pairs decided together
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
def sampled_slots(filters: Words, positions: Counts, shift: int, slots: Slots) -> None:
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
def slot_order(slots: Slots, slot_bits: int, order: Rows, scratch: Rows) -> None:
    """Row numbers in order of their slots, rows of one slot in their old order.

    slots: (n,). order, scratch: (n,) int32, written. Two passes of a radix sort, so that few places are written to
    at a time: one pass over all slots at once waits for memory at every row.
    """
    half = (slot_bits + 1) // 2
    mask = (1 << half) - 1
    for digit_place in range(2):
        ends = np.zeros((1 << half) + 1, np.int64)
        for i in range(slots.shape[0]):
            ends[((np.int64(slots[i]) >> (half * digit_place)) & mask) + 1] += 1
        for s in range(1 << half):
            ends[s + 1] += ends[s]
        for i in range(slots.shape[0]):
            row = i if digit_place == 0 else scratch[i]
            digit = (np.int64(slots[row]) >> (half * digit_place)) & mask
            if digit_place == 0:
                scratch[ends[digit]] = row
            else:
                order[ends[digit]] = row
            ends[digit] += 1


@kernel
def gather(filters: Words, sizes: Slots, slots: Slots, order: Rows, starts: Counts, gathered: Words) -> None:
    """Copy what the first look needs into the order of the slots, so that verification streams through memory.

    filters: (n, w). sizes: (n,) uint32, set bits of the row << 16 | set bits of its words after the first. slots:
    (n,). order: (n,). starts: (slots + 1,) int64, written: slot s holds places starts[s] to starts[s + 1].
    gathered: (n, first + 1), written: the first words, then row << 32 | sizes; 64 bytes where first is 7.
    """
    first = gathered.shape[1] - 1
    starts[:] = 0
    # No branch in this loop depends on data, so that many rows are on their way from memory at once.
    for place in range(order.shape[0]):
        row = order[place]
        starts[np.int64(slots[row]) + 1] = place + 1
        for w in range(first):
            gathered[place, w] = filters[row, w]
        gathered[place, first] = (np.uint64(row) << np.uint64(32)) | np.uint64(sizes[row])
    for s in range(1, starts.shape[0]):
        starts[s] = max(starts[s], starts[s - 1])


@kernel
def share_work(left_starts: Counts, right_starts: Counts, edges: Counts) -> None:
    """Cut the left places into runs of about equal work: one unit a place and one a pair of its slot.

    left_starts, right_starts: (slots + 1,). edges: (tasks + 1,) int64, written: run t is edges[t] to edges[t + 1].
    A crowded slot is cut like any other, so that it occupies every thread and not one.
    """
    total = 0
    for s in range(left_starts.shape[0] - 1):
        total += (left_starts[s + 1] - left_starts[s]) * (1 + right_starts[s + 1] - right_starts[s])
    tasks = edges.shape[0] - 1
    edges[:] = left_starts[-1]
    edges[0] = 0
    done, task = 0, 1
    for s in range(left_starts.shape[0] - 1):
        weight = 1 + right_starts[s + 1] - right_starts[s]
        rows = left_starts[s + 1] - left_starts[s]
        while task < tasks and done + rows * weight > total * task // tasks:
            edges[task] = left_starts[s] + (total * task // tasks - done) // weight
            task += 1
        done += rows * weight


@kernel
def _agree(left: Words, i: int, right: Words, j: int, masks: Words, table: int) -> bool:
    """Whether two rows agree on every bit a table samples."""
    for w in range(masks.shape[1]):  # noqa: SIM110 - a generator does not compile
        if (left[i, w] ^ right[j, w]) & masks[table, w]:
            return False
    return True


@kernel
def _decide(
    files: tuple[Words, Words],
    waiting: Counts,
    waits: int,
    masks: Words,
    table: int,
    need: Counts,
    found: Rows,
    pairs: int,
) -> int:
    """Decide the pairs that passed the first look, from their whole rows; returns pairs written so far.

    waiting: (waits and more, 3) int64: left row, right row, sum of set bits. The rows lie anywhere in memory, so all
    are counted in one loop without a branch, which lets many of them be fetched at once, and judged in a second.
    """
    left, right = files
    shares = np.empty(waits, np.int64)
    for q in range(waits):
        shared = 0
        for w in range(left.shape[1]):
            shared += popcount(left[waiting[q, 0], w] & right[waiting[q, 1], w])
        shares[q] = shared
    for q in range(waits):
        i, j, total = waiting[q, 0], waiting[q, 1], waiting[q, 2]
        if shares[q] < need[total]:
            continue
        earliest = 0
        while earliest < table and not _agree(left, i, right, j, masks, earliest):
            earliest += 1
        if earliest == table and _agree(left, i, right, j, masks, table):
            found[0, pairs] = i
            found[1, pairs] = j
            found[2, pairs] = total - 2 * shares[q]
            pairs += 1
    return pairs


@kernel
def join_block(
    files: tuple[Words, Words],
    gathered: tuple[Words, Words],
    starts: tuple[Counts, Counts],
    places: tuple[int, int],
    within: bool,
    masks: Words,
    table: int,
    need: Counts,
    found: Rows,
) -> tuple[int, int, int]:
    """Pairs of one table's slots whose Dice similarity reaches the threshold, until `found` is full.

    files: filters (n, w) and (m, w). gathered, starts: as written by gather, of both files. places: the left places
    to serve. within: one file with itself. masks: (tables, w) sampled bits. need, found: as dice_block; capacity at
    least the largest right slot. The first look is that of dice_block, by the same proof.
    A pair is reported in the first table in which it agrees on all sampled bits, so that none is reported twice and
    nothing need be remembered between tables. Returns pairs written, the place to go on from, pairs compared.
    """
    left, right = gathered
    left_starts, right_starts = starts
    first = left.shape[1] - 1
    low16, low32 = np.uint64(0xFFFF), np.uint64(0xFFFFFFFF)
    waiting = np.empty((_WAITING, 3), np.int64)
    waits = 0
    pairs = 0
    compared = 0
    slot = np.searchsorted(left_starts, places[0], side="right") - 1
    for x in range(places[0], places[1]):
        while left_starts[slot + 1] <= x:
            slot += 1
        # Places within a slot keep the order of rows, so in one file the right row is always the larger.
        begin = x + 1 if within else right_starts[slot]
        stop = right_starts[slot + 1]
        if found.shape[1] - pairs - waits < stop - begin:
            return _decide(files, waiting, waits, masks, table, need, found, pairs), x, compared
        compared += max(0, stop - begin)
        own = left[x, first]
        size, rest = np.int64((own >> np.uint64(16)) & low16), np.int64(own & low16)
        for y in range(begin, stop):
            other = right[y, first]
            total = size + np.int64((other >> np.uint64(16)) & low16)
            shared = min(rest, np.int64(other & low16))
            for w in range(first):
                shared += popcount(left[x, w] & right[y, w])
            if shared < need[total]:
                continue
            waiting[waits, 0] = np.int64(own >> np.uint64(32))
            waiting[waits, 1] = np.int64((other >> np.uint64(32)) & low32)
            waiting[waits, 2] = total
            waits += 1
            if waits == _WAITING:
                pairs = _decide(files, waiting, waits, masks, table, need, found, pairs)
                waits = 0
    return _decide(files, waiting, waits, masks, table, need, found, pairs), places[1], compared
