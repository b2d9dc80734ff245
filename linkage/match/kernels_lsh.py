"""The compiled inner loops of bit sampling: keys from bits, rows by parts of their keys, and the join of two files.

Packed filters, positions and preallocated scratch go in; pairs and counts come out. Rule: as in kernels.py.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linkage.match.kernels import Counts, Rows, Words, kernel, popcount

Slots = NDArray[np.uint32]
BLOCK = 64  # rows keyed together, one bit of a word each
_WAITING = 256  # pairs decided together
_FEWEST_FOUND = 1 << 12


@kernel
def turn_square(square: Words) -> None:
    """Turn 64 x 64 bits on their side, in place: bit c of word r becomes bit r of word c.

    square: (64,) uint64. Ever smaller corners change places (Warren, Hacker's Delight, section 7-3).
    """
    width, mask = 32, np.uint64(0xFFFFFFFF)
    while width:
        for high in range(0, 64, 2 * width):
            for r in range(high, high + width):
                moved = ((square[r] >> np.uint64(width)) ^ square[r + width]) & mask
                square[r + width] ^= moved
                square[r] ^= moved << np.uint64(width)
        width >>= 1
        mask ^= mask << np.uint64(width)


@kernel
def turn_bits(filters: Words, start: int, stop: int, columns: Words) -> None:
    """Turn a file on its side: bit i % 64 of columns[p, i // 64] becomes bit p of row i; start is a multiple of 64.

    filters: (n, w). columns: (64 w, blocks), written for the blocks of start to stop, zeros behind the last row.
    """
    square = np.empty(64, np.uint64)
    for block in range(start >> 6, (stop + 63) >> 6):
        for w in range(filters.shape[1]):
            for r in range(64):
                row = (block << 6) + r
                square[r] = filters[row, w] if row < filters.shape[0] else np.uint64(0)
            turn_square(square)
            for r in range(64):
                columns[(w << 6) + r, block] = square[r]


@kernel
def sampled_slots(columns: Words, positions: Counts, shift: int, slots: Slots) -> None:
    """Slot of every row from its sampled bits.

    columns: (bits, blocks) as turn_bits writes them: a table reads the columns it samples and no others. positions:
    (k,) bits to sample, k <= 64. slots: (n,), written: the top 64 - shift bits of the key times an odd constant.
    Equal keys share a slot; unequal ones may, which costs time and loses nothing.
    """
    square = np.empty(64, np.uint64)
    for start in range(0, slots.shape[0], BLOCK):
        square[positions.shape[0] :] = 0
        for q in range(positions.shape[0]):
            square[q] = columns[positions[q], start >> 6]
        turn_square(square)
        for r in range(min(BLOCK, slots.shape[0] - start)):
            slots[start + r] = (square[r] * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(shift)


@kernel
def sketched(columns: Words, positions: Counts, sketches: Words) -> None:
    """The first look at every row: chosen bits of it side by side.

    columns: as turn_bits writes them. positions: (b,), b <= 192. sketches: (n, 3), zeroed, written: bit q of a row's
    sketch is its bit positions[q].
    """
    for q in range(positions.shape[0]):
        for i in range(sketches.shape[0]):
            bit = (columns[positions[q], i >> 6] >> np.uint64(i & 63)) & np.uint64(1)
            sketches[i, q >> 6] |= bit << np.uint64(q & 63)


@kernel
def part_rows(slots: Slots, sizes: Slots, sketches: Words, low_bits: int, starts: Counts, entries: Words) -> None:
    """Rows with what the first look needs, by the upper bits of their slots, in parts that fit a near cache.

    slots, sizes: (n,), sizes below 2**16: set bits of the row. sketches: (n, 3). starts: (parts + 1,), written: part
    p holds entries starts[p] to starts[p + 1], in order of rows. entries: (n, 4), written: the sketch, then
    row << 32 | lower bits of the slot << 16 | size. Rows without a set bit are left out: nothing is similar to them.
    """
    low_mask = np.uint64((1 << low_bits) - 1)
    ends = np.zeros(starts.shape[0] + 1, np.int64)
    for i in range(slots.shape[0]):
        ends[(np.int64(slots[i]) >> low_bits) + 2] += sizes[i] > 0
    for p in range(1, ends.shape[0]):
        ends[p] += ends[p - 1]
    for i in range(slots.shape[0]):
        if sizes[i] == 0:
            continue
        part = (np.int64(slots[i]) >> low_bits) + 1
        place = ends[part]
        ends[part] = place + 1
        entries[place, 0] = sketches[i, 0]
        entries[place, 1] = sketches[i, 1]
        entries[place, 2] = sketches[i, 2]
        low = np.uint64(slots[i]) & low_mask
        entries[place, 3] = (np.uint64(i) << np.uint64(32)) | (low << np.uint64(16)) | np.uint64(sizes[i])
    starts[:] = ends[: starts.shape[0]]


@kernel
def _order_part(entries: Words, start: int, stop: int, low_mask: int, firsts: Counts, ordered: Words) -> None:
    """Copy entries start to stop in order of their slots, entries of one slot in their old order.

    firsts: (slots + 2,), written: slot s holds ordered[firsts[s]] to ordered[firsts[s + 1]].
    """
    firsts[:] = 0
    for y in range(start, stop):
        firsts[np.int64((entries[y, 3] >> np.uint64(16)) & low_mask) + 2] += 1
    for s in range(2, firsts.shape[0]):
        firsts[s] += firsts[s - 1]
    for y in range(start, stop):
        slot = np.int64((entries[y, 3] >> np.uint64(16)) & low_mask) + 1
        place = firsts[slot]
        firsts[slot] = place + 1
        for w in range(4):
            ordered[place, w] = entries[y, w]


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
def join_table(
    files: tuple[Words, Words],
    entries: tuple[Words, Words],
    starts: tuple[Counts, Counts],
    within: bool,
    low_bits: int,
    limits: Counts,
    shown: Words,
    masks: Words,
    table: int,
    need: Counts,
) -> tuple[Rows, int]:
    """Pairs of one table's slots whose Dice similarity reaches the threshold, and the number of pairs compared.

    files: filters (n, w) and (m, w). entries, starts: as part_rows writes them, of both files. within: one file with
    itself. limits: (2 bits + 1,) by sum of set bits, sketch bits in which a wanted pair may differ. shown: (tables,
    3), the part of a sketch that each of the first tables samples, for as many as lie wholly in it. masks: (tables,
    w) sampled bits. need: (2 bits + 1,), shared bits needed by a sum of set bits. Returns (3, p) int32.

    The right rows of a part are put in order of their slots in near memory, and each left row runs through its slot.
    A pair is reported in the first table in which it agrees on all sampled bits, so that none is
    reported twice and nothing need be remembered; near pairs meet again and again, and most of these meetings are
    turned away by the sketch alone.
    """
    left, right = entries
    low_mask = np.uint64((1 << low_bits) - 1)
    low16 = np.uint64(0xFFFF)
    earlier = min(table, shown.shape[0])
    firsts = np.empty((1 << low_bits) + 2, np.int64)
    longest = 0
    for part in range(starts[1].shape[0] - 1):
        longest = max(longest, starts[1][part + 1] - starts[1][part])
    ordered = np.empty((longest, 4), np.uint64)
    waiting = np.empty((_WAITING, 3), np.int64)
    found = np.empty((3, _FEWEST_FOUND), np.int32)
    waits = pairs = compared = 0
    for part in range(starts[0].shape[0] - 1):
        _order_part(right, starts[1][part], starts[1][part + 1], low_mask, firsts, ordered)
        own_rows = ordered if within else left
        base = 0 if within else starts[0][part]
        for x in range(base, base + starts[0][part + 1] - starts[0][part]):
            own = own_rows[x, 3]
            slot = np.int64((own >> np.uint64(16)) & low_mask)
            a, b, c, size = own_rows[x, 0], own_rows[x, 1], own_rows[x, 2], np.int64(own & low16)
            # In a slot rows keep their order, so in one file the right row is always the larger.
            begin, stop = x + 1 if within else firsts[slot], firsts[slot + 1]
            compared += max(0, stop - begin)
            for y in range(begin, stop):
                d, e, f, other = a ^ ordered[y, 0], b ^ ordered[y, 1], c ^ ordered[y, 2], ordered[y, 3]
                total = size + np.int64(other & low16)
                if popcount(d) + popcount(e) + popcount(f) > limits[total]:
                    continue
                met = False
                for q in range(earlier):
                    met |= ((d & shown[q, 0]) | (e & shown[q, 1]) | (f & shown[q, 2])) == 0
                if met:
                    continue
                waiting[waits, 0] = np.int64(own >> np.uint64(32))
                waiting[waits, 1] = np.int64(other >> np.uint64(32))
                waiting[waits, 2] = total
                waits += 1
                if waits == _WAITING:
                    if found.shape[1] - pairs < _WAITING:
                        more = np.empty((3, 2 * found.shape[1]), np.int32)
                        more[:, :pairs] = found[:, :pairs]
                        found = more
                    pairs = _decide(files, waiting, waits, masks, table, need, found, pairs)
                    waits = 0
    last = np.empty((3, pairs + waits), np.int32)
    last[:, :pairs] = found[:, :pairs]
    pairs = _decide(files, waiting, waits, masks, table, need, last, pairs)
    return last[:, :pairs].copy(), compared
