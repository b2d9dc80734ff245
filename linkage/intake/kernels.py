"""The compiled loops of reading a CSV: bytes into cells, and cells into places of distinct texts.

Arrays in, arrays out; checked outside. What a row of a CSV is, text.py says with the standard library's reader; these
loops say the same of rows without fault and leave every other to it.
"""

# ruff: noqa: C901, PLR0911, PLR0912, PLR0915 (a kernel is one nest of loops)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]

DONE, ODD = 0, 1
"""Rows were read as far as they are whole; or a row is at fault, or too strange to be read here."""

_LF, _CR, _SPACE, _QUOTE = 10, 13, 32, 34
_LONGEST = 131_072  # bytes of a cell; the standard library's reader refuses longer ones
_BASIS, _PRIME = np.uint64(14695981039346656037), np.uint64(0x9E3779B97F4A7C15)


def kernel(function: Callable[..., Any]) -> Any:
    """Compile on first use, without the interpreter lock, cached where a cache can be kept."""
    try:
        return njit(nogil=True, cache=True)(function)
    except RuntimeError:  # no folder for the cache can be written
        return njit(nogil=True)(function)


@kernel
def _blank_at(data: Bytes, at: int, end: int) -> int:
    """Bytes of the white space that begins here, as str.strip knows it; 0 where there is none."""
    first = data[at]
    if first == _SPACE or 9 <= first <= 13:
        return 1
    if first < 0xC2:
        return 0
    if first == 0xC2 and at + 1 < end and (data[at + 1] == 0x85 or data[at + 1] == 0xA0):
        return 2
    if at + 2 >= end:
        return 0
    second, third = data[at + 1], data[at + 2]
    if first == 0xE2 and second == 0x80:
        return 3 if 0x80 <= third <= 0x8A or third in (0xA8, 0xA9, 0xAF) else 0
    if (first == 0xE1 and second == 0x9A and third == 0x80) or (first == 0xE2 and second == 0x81 and third == 0x9F):
        return 3
    return 3 if first == 0xE3 and second == 0x80 and third == 0x80 else 0


@kernel
def _stripped(data: Bytes, begin: int, end: int) -> tuple[int, int]:
    """Where a cell begins and ends without the white space around it."""
    while begin < end:
        size = _blank_at(data, begin, end)
        if size == 0:
            break
        begin += size
    while begin < end:
        last = data[end - 1]
        if last < 0x80:
            if not (last == _SPACE or 9 <= last <= 13):
                break
            end -= 1
            continue
        if end - begin >= 2 and _blank_at(data, end - 2, end) == 2:
            end -= 2
        elif end - begin >= 3 and _blank_at(data, end - 3, end) == 3:
            end -= 3
        else:
            break
    return begin, end


@kernel
def look(data: Bytes) -> tuple[int, int]:
    """Bytes of a block that are line feeds or carriage returns, and bytes that cannot be text (see text.py)."""
    ends, control = 0, 0
    for at in range(len(data)):
        character = data[at]
        ends += (character == _LF) | (character == _CR)
        control += ((character < 32) & ((character < 9) | (character > 13))) | (character == 127)
    return ends, control


@kernel
def split(
    data: Bytes, delimiter: int, slot: NDArray[np.int32], whole: bool, line: int, starts: Ints, lengths: Ints,
    lines: NDArray[np.int32],
) -> tuple[int, int, int, int]:  # fmt: skip
    """Cells of the rows in a block of a CSV, stripped; blank rows are left out.

    data: (b,) UTF-8 that begins with a row; doubled quotation marks in it become single ones. slot: (c,) by column of
    the header, the row of starts and lengths that takes its cells, -1 for none. whole: whether the file ends here.
    line: in the file, of the block's first row. starts, lengths: (k, r); lines: (r,); r at least the block's lines.
    Returns (rows, bytes of data they took, line after them, DONE or ODD).
    """
    stop, width, rows, at = len(data), len(slot), 0, 0
    while at < stop:
        row_at, row_line, column = at, line, 0
        filled, beyond, partly = False, False, False
        while True:
            if at < stop and data[at] == _QUOTE:
                begin = at + 1
                write = at = begin
                closed = False
                while at < stop:
                    character = data[at]
                    if character == _QUOTE:
                        if at + 1 == stop or data[at + 1] != _QUOTE:
                            closed = at + 1 < stop or whole
                            at += 1
                            break
                        at += 1
                    elif character == _LF or (character == _CR and at + 1 < stop and data[at + 1] != _LF):
                        line += 1
                    if write != at:
                        data[write] = character
                    write += 1
                    at += 1
                if not closed:
                    partly = True
                    break
                end = write
            else:
                begin = at
                while at < stop and data[at] != delimiter and data[at] != _LF and data[at] != _CR:
                    at += 1
                end = at
            if end - begin > _LONGEST:
                return rows, row_at, row_line, ODD
            if at >= stop and not whole:
                partly = True
                break
            begin, end = _stripped(data, begin, end)
            filled |= end > begin
            if column >= width:
                beyond |= end > begin
            elif slot[column] >= 0:
                starts[slot[column], rows] = begin
                lengths[slot[column], rows] = end - begin
            column += 1
            if at >= stop:
                break
            if data[at] == delimiter:
                at += 1
                continue
            if data[at] == _CR:
                if at + 1 == stop and not whole:
                    partly = True
                    break
                at += 1 + (at + 1 < stop and data[at + 1] == _LF)
            elif data[at] == _LF:
                at += 1
            else:
                return rows, row_at, row_line, ODD  # something stands behind a closing quotation mark
            line += 1
            break
        if partly:
            return rows, row_at, row_line, ODD if whole or stop - row_at > 64 * _LONGEST else DONE
        if filled:
            if column < width or beyond:
                return rows, row_at, row_line, ODD
            lines[rows] = row_line
            rows += 1
    return rows, at, line, DONE


@kernel
def intern(
    data: Bytes, starts: Ints, lengths: Ints, slots: NDArray[np.int32], hashes: NDArray[np.uint32], store: Bytes,
    ends: Ints, count: int, codes: NDArray[np.int32],
) -> int:  # fmt: skip
    """Place of every text among the distinct ones, in order of first appearance; returns how many these are.

    Text i is data[starts[i]:starts[i] + lengths[i]]. store, ends: the `count` distinct ones so far, as in Texts, with
    room for as many more as there are texts. slots: open addressing, a power of two of them, at least twice as many as
    distinct texts, -1 free. hashes: of the distinct ones. codes: (n,) the places found.
    """
    mask = np.uint64(len(slots) - 1)
    for i in range(len(starts)):
        begin, length = starts[i], lengths[i]
        full, word = _BASIS, np.uint64(0)
        for at in range(length):
            word = (word << np.uint64(8)) | np.uint64(data[begin + at])
            if at & 7 == 7:
                full = (full ^ word) * _PRIME
                full ^= full >> np.uint64(29)
                word = np.uint64(0)
        full = (full ^ word ^ (np.uint64(length) << np.uint64(56))) * _PRIME
        full ^= full >> np.uint64(32)
        short, place = np.uint32(full), full & mask
        while True:
            code = slots[place]
            if code < 0:
                slots[place] = code = count
                hashes[count] = short
                first = ends[count]
                for at in range(length):
                    store[first + at] = data[begin + at]
                ends[count + 1] = first + length
                count += 1
                break
            if hashes[code] == short and ends[code + 1] - ends[code] == length:
                first, same = ends[code], True
                for at in range(length):
                    if store[first + at] != data[begin + at]:
                        same = False
                        break
                if same:
                    break
            place = (place + np.uint64(1)) & mask
        codes[i] = code
    return count


@kernel
def append(data: Bytes, starts: Ints, lengths: Ints, store: Bytes, ends: Ints, count: int) -> None:
    """Put texts behind the `count` ones in a store with room for them, whether it holds them or not; see intern."""
    at = ends[count]
    for i in range(len(starts)):
        for nth in range(lengths[i]):
            store[at + nth] = data[starts[i] + nth]
        at += lengths[i]
        ends[count + 1 + i] = at


@kernel
def place_again(hashes: NDArray[np.uint32], count: int, slots: NDArray[np.int32]) -> None:
    """Fill a larger, free table with the distinct texts' places."""
    mask = np.uint64(len(slots) - 1)
    for code in range(count):
        place = np.uint64(hashes[code]) & mask
        while slots[place] >= 0:
            place = (place + np.uint64(1)) & mask
        slots[place] = code


@kernel
def digits(data: Bytes, ends: Ints, lengths: Ints) -> None:
    """Digits of every text, as in Texts: 0 where there is anything else, -1 where Python must tell."""
    for i in range(len(lengths)):
        lengths[i] = ends[i + 1] - ends[i]
        for at in range(ends[i], ends[i + 1]):
            if data[at] >= 0x80:
                lengths[i] = -1
                break
            if data[at] < 48 or data[at] > 57:
                lengths[i] = 0
