"""The compiled inner loops of the candidate search.

Packed filters, bounds and preallocated outputs go in; counts and positions come out. Everything is checked outside.
Rule: arrays in, arrays out, nothing random, nothing shared between two calls that may run at once. Every kernel has
a plain twin in tests/naive.py. All release the interpreter lock, so that plain threads run them side by side.

Compiled code is cached beside this file or, where that folder is read-only, in the user's own cache folder; where
neither can be written it is compiled anew in every process. Like any compiled Python file, the cache is code.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
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
COUNTED = bool(get_host_cpu_features().get("avx512vpopcntdq", False))
"""Whether an instruction counts the bits of a whole vector of words; else they are added up before they are counted."""
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
def added8(a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any) -> Any:
    """Set bits of eight words: seven are first added bit by bit into ones, twos and fours, so that four counts do.

    Source: Harley & Seal; Mula, Kurz & Lemire 2018, section 3.
    """
    ones1, twos1 = _add3(a, b, c)
    ones2, twos2 = _add3(d, e, f)
    ones, twos3 = _add3(ones1, ones2, g)
    twos, fours = _add3(twos1, twos2, twos3)
    return popcount(ones) + popcount(h) + 2 * popcount(twos) + 4 * popcount(fours)


@kernel
def counted8(a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any) -> Any:
    """The same, each word counted by itself."""
    low = (popcount(a) + popcount(b)) + (popcount(c) + popcount(d))
    return low + (popcount(e) + popcount(f)) + (popcount(g) + popcount(h))


count8: Any = counted8 if COUNTED else added8


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
