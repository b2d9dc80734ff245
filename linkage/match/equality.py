"""Rows of two files that share a token: a database join, linear in the rows.

Tokens come in, (n, t) of 16 bytes; pairs of rows go out, each once, with the place of the token where they meet.
The left file is sorted once. The right one is read through in chunks (it may be a memory map), and nearly all of it
is told to be nowhere on the left by one look at a table of marks. The plain twin is `tests.naive.meetings`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.errors import ShapeError
from linkage.model import Pairs

CHUNK = 1 << 22
"""Tokens of the right file looked at together: some 200 MB."""
_MARKS = 28  # bits of a token in the table of marks, at most: 256 MB
_SPARE = 16  # marks for each token on the left
_RANKED, _LOOKED = 32, 56  # bytes: a token of the left file in order, one of the right file while it is looked for

Tokens = NDArray[np.uint8]
"""(n, t, 16): t tokens of each of n rows."""


@dataclass(frozen=True, repr=False)
class Meetings(Pairs):
    """Pairs of rows in order of the smallest token they share. left_slot, right_slot: (m,) its places in their rows."""

    left_slot: NDArray[np.int32]
    right_slot: NDArray[np.int32]


def meet(left: Tokens, right: Tokens, progress: Callable[[int, int], None] | None = None) -> Meetings:
    """All pairs of rows that share a token, each once, at the smallest of those they share.

    The order hangs on the tokens alone, not on the order of rows. Memory: 16 bytes for each token on the left, 256 MB
    of marks, a chunk, and what meets. Raises ShapeError unless both are (n, t, 16) uint8.
    """
    ours, theirs = _halves(left), _halves(right)
    order = np.argsort(ours[:, 0], kind="stable").astype(np.int64)
    ranked = ours[order, 0]
    bits = min(max(int(len(ours) * _SPARE).bit_length(), 10), _MARKS)
    keep = np.uint64((1 << bits) - 1)
    marks = np.zeros(1 << bits, np.bool_)
    marks[ranked & keep] = True
    ones, others = [], []
    for start in range(0, len(theirs), CHUNK):
        half = np.ascontiguousarray(theirs[start : start + CHUNK, 0])
        maybe = np.flatnonzero(marks[half & keep])
        maybe = maybe[np.argsort(half[maybe], kind="stable")]  # in order, so that the search below stays in the cache
        first, last = (np.searchsorted(ranked, half[maybe], side) for side in ("left", "right"))
        met = last - first
        place = np.repeat(first - (np.cumsum(met) - met), met) + np.arange(met.sum())
        one, other = order[place], start + np.repeat(maybe, met)
        same = ours[one, 1] == theirs[other, 1]
        ones.append(one[same])
        others.append(other[same])
        if progress:
            progress(min(start + CHUNK, len(theirs)), len(theirs))
    one, other = (np.concatenate(part) if part else np.empty(0, np.int64) for part in (ones, others))
    return _once(one, other, ours, left.shape[1], right.shape)


def meeting_bytes(left: Tokens, right: Tokens) -> int:
    """What `meet` takes at most beyond the tokens and the pairs it finds."""
    ours, theirs = (tokens.shape[0] * tokens.shape[1] for tokens in (left, right))
    marks = min(2 * _SPARE * ours, 1 << _MARKS)
    return marks + _RANKED * ours + _LOOKED * min(theirs, CHUNK) if ours and theirs else 0


def _halves(tokens: Tokens) -> NDArray[np.uint64]:
    """Tokens row after row as two numbers of 64 bits, (n * t, 2), without a copy."""
    if tokens.ndim != 3 or tokens.shape[2] != 16 or tokens.dtype != np.uint8:
        raise ShapeError(f"tokens must be (n, t, 16) uint8, not {tokens.shape} {tokens.dtype}")
    return tokens.reshape(-1, 16).view("<u8")


def _once(
    one: NDArray[np.int64], other: NDArray[np.int64], ours: NDArray[np.uint64], left_width: int, right: tuple[int, ...]
) -> Meetings:
    """Of all meetings of tokens, each pair of rows once; one, other: (k,) places of the tokens."""
    order = np.lexsort((other, one, ours[one, 1], ours[one, 0]))
    one, other = one[order], other[order]
    rows, width = max(right[0], 1), max(right[1], 1)
    left, right_row = one // max(left_width, 1), other // width
    _, first = np.unique(left * rows + right_row, return_index=True)
    first = np.sort(first)
    columns = left, right_row, one % max(left_width, 1), other % width
    return Meetings(*(column[first].astype(np.int32) for column in columns))
