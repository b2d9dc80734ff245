"""The inner loops of encoding, compiled: what goes into AES and where it goes from there, and OR and XOR of masks.

Arrays in, arrays out; checked outside, computed inside. Plain twins stand in tests/naive.py.
"""

# ruff: noqa: SIM110 (a kernel is one nest of loops; all() is not compiled)

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

LANES = 8  # words of 64 rows that are XORed at once
POSITIONS = 14  # 9-bit positions in a 16-byte block; 126 of its 128 bits


@njit(cache=True, nogil=True)
def constant_weight(
    blocks: NDArray[np.uint8],
    starts: NDArray[np.int64],
    tokens: NDArray[np.int64],
    rounds: NDArray[np.int64],
    weight: int,
    out: NDArray[np.uint64],
) -> None:
    """Set exactly `weight` bits in each filter, dealt to its tokens in turn.

    blocks: (b, 16) uint8 pseudo-random blocks; filter i owns blocks[starts[i]:], `rounds[i]` of each of its
    `tokens[i]` tokens (token-major) and one last block as filler. out: (m, 8) uint64, zeroed.
    Position p of a block is its bits 9p to 9p + 8, little endian. Dealing in turn gives every token an equal
    share, so common bits over weight is shared tokens over tokens of the longer value. Without tokens: left as it is.
    """
    words = np.zeros(8, np.uint64)  # one filter, nearer than its row
    for i in range(len(starts)):
        n, per = tokens[i], rounds[i]
        if n == 0:
            continue
        words[:] = 0
        placed = _dealt(blocks, starts[i], n, per, weight, words)
        # A value of very few, colliding tokens is filled up from its own filler, walking on to the weight.
        filler, step = starts[i] + n * per, 0
        position = _position(blocks, filler, 0)
        stride = _position(blocks, filler, 1) | 1  # odd, so the walk visits all 512 positions
        while placed < weight and step < 512:
            placed += _set(words, position)
            position = (position + stride) & 511
            step += 1
        out[i] = words


@njit(cache=True, nogil=True)
def _dealt(
    blocks: NDArray[np.uint8], start: int, tokens: int, rounds: int, weight: int, words: NDArray[np.uint64]
) -> int:
    """Positions of one filter's tokens set in turn, up to the weight; how many bits that were."""
    placed = 0
    for r in range(rounds):
        for place in range(POSITIONS):
            for t in range(tokens):
                placed += _set(words, _position(blocks, start + t * rounds + r, place))
                if placed == weight:
                    return placed
    return placed


@njit(cache=True, nogil=True, inline="always")
def _set(words: NDArray[np.uint64], position: int) -> int:
    """Set a bit; 1 where it was not set before, without a branch that nobody could foresee."""
    word, place = position >> 6, np.uint64(position & 63)
    old = words[word]
    words[word] = old | np.uint64(1) << place
    return int(1 - np.int64(old >> place & np.uint64(1)))


@njit(cache=True, nogil=True)
def gather_blocks(
    values: NDArray[np.int64],
    starts: NDArray[np.int64],
    digests: NDArray[np.uint64],
    tags: NDArray[np.int32],
    codes: NDArray[np.int32],
    offsets: NDArray[np.int64],
    rounds: NDArray[np.int8],
    tweaks: NDArray[np.uint64],
    out: NDArray[np.uint64],
) -> None:
    """Write what AES is given for each side's value in one slot: its tags' digests, its filter's blocks, a filler.

    values: (m,) place of the value, -1 for none; starts: (m,) its first block in out (b, 2). digests (d, 2), tags,
    codes, offsets: as in FieldTokens; rounds: (v,) blocks of each filter token. Block r of a token is its digest with
    r + 1 mixed into the last byte, the filler that of the first token with 255: distinct inputs for AES. tweaks:
    (m, 2), XORed into every block of a side, or (1, 2) for all sides.
    """
    for i in range(len(values)):
        value, block = values[i], starts[i]
        if value < 0:
            continue
        low, high = tweaks[i % len(tweaks), 0], tweaks[i % len(tweaks), 1]
        for t in range(tags.shape[1]):
            tag = tags[value, t]
            if tag >= 0:
                out[block, 0], out[block, 1] = digests[tag, 0] ^ low, digests[tag, 1] ^ high
                block += 1
        first, last = offsets[value], offsets[value + 1]
        for c in range(first, last):
            code = codes[c]
            for r in range(rounds[value]):
                out[block, 0] = digests[code, 0] ^ low
                out[block, 1] = digests[code, 1] ^ high ^ np.uint64(r + 1) << np.uint64(56)
                block += 1
        if first < last:
            code = codes[first]
            out[block, 0] = digests[code, 0] ^ low
            out[block, 1] = digests[code, 1] ^ high ^ np.uint64(255) << np.uint64(56)


@njit(cache=True, nogil=True)
def place_tags(
    values: NDArray[np.int64],
    starts: NDArray[np.int64],
    tags: NDArray[np.int32],
    blocks: NDArray[np.uint32],
    noise: NDArray[np.uint32],
    out: NDArray[np.uint32],
) -> None:
    """Write the tags of one slot, (m, t): the first word of each real tag's block, the next word of noise elsewhere.

    values, starts, tags: as in gather_blocks. blocks: (b, 4) uint32, four words each.
    """
    used = 0
    for i in range(len(values)):
        value, block = values[i], starts[i]
        for t in range(out.shape[1]):
            if value >= 0 and tags[value, t] >= 0:
                out[i, t] = blocks[block, 0]
                block += 1
            else:
                out[i, t] = noise[used]
                used += 1


@njit(cache=True, nogil=True)
def copy_tags(
    values: NDArray[np.int64], tags: NDArray[np.int32], words: NDArray[np.uint32], out: NDArray[np.uint32]
) -> None:
    """Write the word of each real tag of one slot, (m, t); the others stay. values, tags: as in gather_blocks."""
    for i in range(len(values)):
        if values[i] >= 0:
            for t in range(out.shape[1]):
                tag = tags[values[i], t]
                if tag >= 0:
                    out[i, t] = words[tag]


@njit(cache=True, nogil=True)
def pad_blocks(
    data: NDArray[np.uint8], ends: NDArray[np.int64], rows: NDArray[np.int64], out: NDArray[np.uint8]
) -> None:
    """Write some texts, each with a one bit behind it, into blocks of 16 bytes: out (blocks, m, 16) zeroed.

    data, ends: as in Texts. rows: (m,) the texts, each shorter than its blocks.
    """
    for m in range(len(rows)):
        start, size = ends[rows[m]], ends[rows[m] + 1] - ends[rows[m]]
        for place in range(size):
            out[place >> 4, m, place & 15] = data[start + place]
        out[size >> 4, m, size & 15] = 128


@njit(cache=True, nogil=True)
def bigram_lists(
    points: NDArray[Any],
    number: NDArray[np.int32],
    lengths: NDArray[np.int64],
    edge: int,
    size: int,
    most: NDArray[np.int64],
    last: NDArray[np.int32],
    codes: NDArray[np.int32],
    count: NDArray[np.int64],
) -> None:
    """Distinct padded bigrams of each value in order of first appearance, at most most[v] of them.

    points: the letters of all values; number: of each letter, below `size`; lengths: (v,) letters of each. edge: the
    padding's number. last: (size ** 2,) of -1, the value in which each bigram was met last, written. codes: written one
    list after another, first letter * size + second; count: (v,), written.
    """
    at, end = 0, 0
    for v in range(len(lengths)):
        begin, before = end, edge
        for place in range(lengths[v] + 1):
            letter = number[points[at + place]] if place < lengths[v] else edge
            code = before * size + letter
            before = letter
            if end - begin < most[v] and last[code] != v:
                last[code] = v
                codes[end] = code
                end += 1
        count[v] = end - begin
        at += lengths[v]


@njit(cache=True, nogil=True)
def word_lists(
    points: NDArray[np.uint8],
    lengths: NDArray[np.int64],
    space: NDArray[np.bool_],
    table: NDArray[np.int32],
    codes: NDArray[np.int32],
    count: NDArray[np.int64],
    firsts: NDArray[np.int64],
) -> int:
    """Words of each value, numbered in order of first appearance; returns how many distinct ones there are.

    points: the characters of all values; lengths: (v,) characters of each. space: (256,) what parts words.
    table: zeros, a power of two, twice as many as words at least. codes: written one list after another; count: (v,),
    written. firsts: (words, 2), start and end of where each distinct one stands first, written.
    """
    at, end, distinct = 0, 0, 0
    for v in range(len(lengths)):
        begin, stop = end, at + lengths[v]
        while at < stop:
            if space[points[at]]:
                at += 1
                continue
            start, mixed = at, np.uint64(0)
            while at < stop and not space[points[at]]:
                mixed = (mixed ^ np.uint64(points[at])) * np.uint64(0x9E3779B97F4A7C15)
                mixed ^= mixed >> np.uint64(29)
                at += 1
            slot = np.int64(mixed >> np.uint64(1)) & (len(table) - 1)
            while table[slot] and not _equal_words(points, firsts[table[slot] - 1], start, at):
                slot = (slot + 1) & (len(table) - 1)
            if not table[slot]:
                firsts[distinct] = start, at
                distinct += 1
                table[slot] = distinct
            codes[end] = table[slot] - 1
            end += 1
        count[v] = end - begin
    return distinct


@njit(cache=True, nogil=True)
def _equal_words(points: NDArray[np.uint8], first: NDArray[np.int64], start: int, end: int) -> bool:
    if first[1] - first[0] != end - start:
        return False
    for place in range(end - start):
        if points[first[0] + place] != points[start + place]:
            return False
    return True


@njit(cache=True, nogil=True)
def set_places(digests: NDArray[np.uint64], each: int, count: int, size: int, masks: NDArray[np.uint64]) -> None:
    """Set the first `count` places of each digest: `each` whole ones of `size` bits from the low end of each half.

    digests: (t, 2); masks: (t, 2 ** size / 64), written.
    """
    for t in range(len(digests)):
        for nth in range(count):
            place = (digests[t, nth // each] >> np.uint64(size * (nth % each))) & np.uint64((1 << size) - 1)
            masks[t, place >> np.uint64(6)] |= np.uint64(1) << (place & np.uint64(63))


@njit(cache=True, nogil=True, inline="always")
def _position(blocks: NDArray[np.uint8], block: int, place: int) -> int:
    byte, shift = 9 * place >> 3, 9 * place & 7
    return int((np.int64(blocks[block, byte]) | np.int64(blocks[block, byte + 1]) << 8) >> shift & 511)


@njit(cache=True, nogil=True)
def or_masks(
    masks: NDArray[np.uint64], codes: NDArray[np.int32], offsets: NDArray[np.int64], out: NDArray[np.uint64]
) -> None:
    """OR into out[r] the masks of row r: masks[codes[offsets[r]:offsets[r + 1]]]. masks: (v, w); out: (n, w)."""
    all_of = np.empty(masks.shape[1], np.uint64)  # one row, nearer than in out
    for r in range(len(offsets) - 1):
        all_of[:] = 0
        for c in range(offsets[r], offsets[r + 1]):
            mask = masks[np.uint32(codes[c])]
            for w in range(len(all_of)):
                all_of[w] |= mask[w]
        row = out[r]
        for w in range(len(all_of)):
            row[w] |= all_of[w]


@njit(cache=True, nogil=True)
def nth_values(
    codes: NDArray[np.int32],
    offsets: NDArray[Any],
    owner: NDArray[np.int32],
    version: NDArray[np.int8],
    used: NDArray[np.bool_],
    out: NDArray[np.int32],
) -> None:
    """Each filter's value of one column, (m,): its owner's nth, or his first where he has fewer, -1 where none.

    codes, offsets: as in model.Column. owner: (m,) people; version: (m,) which of their values. used: (v,), set where a
    value is among them.
    """
    for m in range(len(owner)):
        first, end = offsets[owner[m]], offsets[owner[m] + 1]
        if first == end:
            out[m] = -1
            continue
        value = codes[first + version[m]] if first + version[m] < end else codes[first]
        out[m] = value
        used[value] = True


@njit(cache=True, nogil=True, parallel=True)
def or_values(masks: NDArray[np.uint64], values: NDArray[np.int32], start: int, out: NDArray[np.uint64]) -> None:
    """OR into out[r] the mask of values[r], where it is one of those from `start` on: masks (v, w); out (n, w)."""
    for r in prange(len(values)):
        v = values[r] - start
        if 0 <= v < len(masks):
            row, mask = out[r], masks[v]
            for w in range(len(mask)):
                row[w] |= mask[w]


@njit(cache=True, nogil=True, parallel=True)
def xor_bits(filters: NDArray[np.uint64], places: NDArray[np.int64], out: NDArray[np.uint64]) -> None:
    """Bit s of out[r] = XOR of the bits places[s] of filters[r]. filters: (n, w); places: (64 v, t); out: (n, v).

    A block of rows is turned on its side, so that one instruction serves the same bit of neighbouring rows: a table of
    what each byte flips, XORed row by row (Arlazarov, Dinic, Kronrod & Faradzev 1970), took ten times as long.
    """
    rows, words = filters.shape
    sent = out.shape[1]
    for block in prange((rows + 64 * LANES - 1) // (64 * LANES)):
        start = block * 64 * LANES
        planes = np.zeros((64 * words, LANES), np.uint64)
        for w in range(words):
            for r in range(min(64 * LANES, rows - start)):
                planes[64 * w + (r & 63), r >> 6] = filters[start + r, w]
            _turn_bits(planes[64 * w : 64 * w + 64])
        turned = np.empty((64, LANES), np.uint64)
        for v in range(sent):
            for bit in range(64):
                for lane in range(LANES):
                    turned[bit, lane] = planes[places[64 * v + bit, 0], lane]
                for t in range(1, places.shape[1]):
                    for lane in range(LANES):
                        turned[bit, lane] ^= planes[places[64 * v + bit, t], lane]
            _turn_bits(turned)
            for r in range(min(64 * LANES, rows - start)):
                out[start + r, v] = turned[r & 63, r >> 6]


@njit(cache=True, nogil=True)
def _turn_bits(block: NDArray[np.uint64]) -> None:
    """Transpose LANES squares of 64 x 64 bits in place: bit j of row i becomes bit i of row j. block: (64, LANES).

    Source: Warren 2012, "Hacker's Delight", section 7-3.
    """
    half, mask = 32, np.uint64(0xFFFFFFFF)
    while half:
        shift = np.uint64(half)
        for pair in range(32):
            k = (pair // half) * 2 * half + pair % half
            for lane in range(LANES):
                swap = ((block[k, lane] >> shift) ^ block[k + half, lane]) & mask
                block[k + half, lane] ^= swap
                block[k, lane] ^= swap << shift
        half >>= 1
        mask ^= mask << np.uint64(half)
