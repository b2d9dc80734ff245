"""The compiled inner loops of the candidate search.

Packed filters, bounds and preallocated outputs go in; counts and positions come out. Everything is checked outside.
Rule: arrays in, arrays out, nothing random, nothing shared between two calls that may run at once. Every kernel has
a plain twin in tests/naive.py. All release the interpreter lock, so that plain threads run them side by side.

Compiled code is cached beside this file or, where that folder is read-only, in the user's own cache folder; where
neither can be written it is compiled anew in every process. Like any compiled Python file, the cache is code.
"""

# ruff: noqa: C901, PLR0912 (a kernel takes many arrays by position and is one nest of loops)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Counts = NDArray[np.int64]
Rows = NDArray[np.int32]
Span = tuple[int, int, int, int]
"""Left start, left stop, right start, right stop."""

TILE = 256  # right rows met by one left row at a time; 8 words of them fill half of a 32 kB first-level cache
STRIP = 8  # counts tested by one branch
ROW_BITS = 32  # a best-list key is distance << 32 | row, so that one comparison orders by distance, then row


def kernel(function: Callable[..., Any]) -> Any:
    """Compile on first use, without the interpreter lock, cached where a cache can be kept."""
    try:
        return njit(nogil=True, cache=True)(function)
    except RuntimeError:  # no folder for the cache can be written
        return njit(nogil=True)(function)


def _popcount(_context: Any, word: Any) -> Any:
    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.call(builder.module.declare_intrinsic("llvm.ctpop", [ir.IntType(64)]), arguments)

    return types.int64(types.uint64), (generate if word == types.uint64 else None)


popcount: Any = intrinsic(_popcount)
"""Set bits of one uint64, as int64; LLVM picks VPOPCNTQ, a table of nibbles in AVX2, or the scalar instruction."""


@kernel
def _add3(a: Any, b: Any, c: Any) -> Any:
    """64 one-bit full adders: sum bits and carry bits."""
    half = a ^ b
    return half ^ c, (a & b) | (half & c)


@kernel
def count8(a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any) -> Any:
    """Set bits of eight words.

    Plain form: popcount(a) + ... + popcount(h). Seven words are first added bit by bit into ones, twos and fours,
    so that four counts do the work of eight (Harley & Seal; Mula, Kurz & Lemire 2018, section 3).
    """
    ones1, twos1 = _add3(a, b, c)
    ones2, twos2 = _add3(d, e, f)
    ones, twos3 = _add3(ones1, ones2, g)
    twos, fours = _add3(twos1, twos2, twos3)
    return popcount(ones) + popcount(h) + 2 * popcount(twos) + 4 * popcount(fours)


@kernel
def distances_to_tile(row: Words, columns: Words, words: int, counts: Counts) -> None:
    """Bits in which the first words of one row differ from those of every row of a tile.

    row: (w,) uint64. columns: (words, t) uint64, the tile turned on its side so that one instruction serves
    neighbouring rows. counts: (t,) int64, written.
    """
    counts[:] = 0
    whole = words - words % 8
    for w in range(0, whole, 8):
        a, b, c, d = row[w], row[w + 1], row[w + 2], row[w + 3]
        e, f, g, h = row[w + 4], row[w + 5], row[w + 6], row[w + 7]
        for j in range(counts.shape[0]):
            counts[j] += count8(
                a ^ columns[w, j], b ^ columns[w + 1, j], c ^ columns[w + 2, j], d ^ columns[w + 3, j],
                e ^ columns[w + 4, j], f ^ columns[w + 5, j], g ^ columns[w + 6, j], h ^ columns[w + 7, j],
            )  # fmt: skip
    for w in range(whole, words):
        a = row[w]
        for j in range(counts.shape[0]):
            counts[j] += popcount(a ^ columns[w, j])


@kernel
def turn(rows: Words, start: int, stop: int, words: int, columns: Words) -> None:
    """Copy the first words of rows[start:stop] into columns (words, TILE), zeros behind the last row."""
    for j in range(columns.shape[1]):
        if start + j < stop:
            for w in range(words):
                columns[w, j] = rows[start + j, w]
        else:
            for w in range(words):
                columns[w, j] = 0


@kernel
def insert_best(best: Counts, key: int) -> None:
    """Put a key into an ascending list of the k smallest, dropping the largest; no-op if it is not among them."""
    place = best.shape[0] - 1
    if key >= best[place]:
        return
    while place > 0 and best[place - 1] > key:
        best[place] = best[place - 1]
        place -= 1
    best[place] = key


@kernel
def _finish_distance(
    left: Words, i: int, right: Words, j: int, first: int, distance: int, bound: int, limits: Counts
) -> int:
    """Distance of two rows whose first words differ in `distance` bits, or -1 once it exceeds a limit on the way.

    Rows are named, not sliced: a slice counts references, and two threads counting on one array wait for each other.
    """
    words = left.shape[1]
    look = 1
    for w in range(first, words, 8):
        if w + 8 <= words:
            distance += count8(
                left[i, w] ^ right[j, w], left[i, w + 1] ^ right[j, w + 1],
                left[i, w + 2] ^ right[j, w + 2], left[i, w + 3] ^ right[j, w + 3],
                left[i, w + 4] ^ right[j, w + 4], left[i, w + 5] ^ right[j, w + 5],
                left[i, w + 6] ^ right[j, w + 6], left[i, w + 7] ^ right[j, w + 7],
            )  # fmt: skip
        else:
            for v in range(w, words):
                distance += popcount(left[i, v] ^ right[j, v])
        if distance > limits[look, bound]:
            return -1
        look += 1
    return distance


@kernel
def nearest_block(
    left: Words,
    right: Words,
    span: Span,
    best_left: Counts,
    best_right: Counts,
    sides: int,
    first: int,
    limits: Counts,
) -> None:
    """Bring the best lists of a block of left rows (and right rows) up to date with each other.

    left: (n, w), right: (m, w) uint64. span: (left start, left stop, right start, right stop).
    best_left: (n, k), best_right: (m, k) int64 ascending keys distance << 32 | row, the same array for one file with
    itself. sides: bit 0 keeps best_right too; bit 1 meets only pairs with left row < right row of one file.
    first: words compared before the first look. limits: (looks, bits + 1) int64; at look q a pair whose distance may
    be at most `bound` to matter is dropped when its running distance exceeds limits[q, bound].

    Exact mode, limits[q, b] = b. Nothing is lost: a running distance never falls, so when it exceeds the bound of
    both rows the full distance does. The bound of a row is the largest distance whose key would still enter its list,
    (last key - 1) >> 32; lists only improve, so what cannot enter now can never enter. Keys are distinct and totally
    ordered, so the k smallest are one set whatever the order in which pairs arrive.
    """
    both = sides & 1
    within = sides & 2
    keep = best_left.shape[1]
    columns = np.empty((first, TILE), np.uint64)
    counts = np.empty(TILE, np.int64)
    limit_right = np.full(TILE, -1, np.int64)
    for start in range(span[2], span[3], TILE):
        stop = min(start + TILE, span[3])
        turn(right, start, stop, first, columns)
        if both:
            for j in range(start, stop):
                limit_right[j - start] = limits[0, (best_right[j, keep - 1] - 1) >> ROW_BITS]
        for i in range(span[0], span[1]):
            begin = max(start, i + 1) if within else start
            if begin >= stop:
                continue
            distances_to_tile(left[i], columns, first, counts)
            limit_left = limits[0, (best_left[i, keep - 1] - 1) >> ROW_BITS]
            for strip in range(0, TILE, STRIP):
                hit = False
                for j in range(strip, strip + STRIP):
                    hit |= counts[j] <= max(limit_left, limit_right[j])
                if not hit:
                    continue
                for j in range(max(start + strip, begin), min(start + strip + STRIP, stop)):
                    if counts[j - start] > max(limit_left, limit_right[j - start]):
                        continue
                    bound = (best_left[i, keep - 1] - 1) >> ROW_BITS
                    if both:
                        bound = max(bound, (best_right[j, keep - 1] - 1) >> ROW_BITS)
                    distance = _finish_distance(left, i, right, j, first, counts[j - start], bound, limits)
                    if distance < 0:
                        continue
                    insert_best(best_left[i], (distance << ROW_BITS) | j)
                    limit_left = limits[0, (best_left[i, keep - 1] - 1) >> ROW_BITS]
                    if both:
                        insert_best(best_right[j], (distance << ROW_BITS) | i)
                        limit_right[j - start] = limits[0, (best_right[j, keep - 1] - 1) >> ROW_BITS]
