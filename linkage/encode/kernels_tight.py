"""The inner loops of tight tokens, compiled: what is hashed, who shares a value with how many, and rows filled.

Arrays in, arrays out; checked outside, computed inside. Plain twins stand in tests/naive_encode.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def hold_form(
    rows: NDArray[np.int64], rank: int, codes: NDArray[np.int32], offsets: NDArray[Any], has: NDArray[np.bool_]
) -> int:
    """Move people who have a value of a rank, in a form, to the front of rows, in their order; returns how many.

    codes, offsets: as in model.Column. has: (v,) which distinct values have the form.
    """
    held = 0
    for row in rows:
        place = offsets[row] + rank
        if place < offsets[row + 1] and has[codes[place]]:
            rows[held] = row
            held += 1
    return held


@njit(cache=True, nogil=True)
def form_digests(
    rows: NDArray[np.int64], rank: int, codes: NDArray[np.int32], offsets: NDArray[Any], digests: NDArray[np.uint64],
    out: NDArray[np.uint64],
) -> None:  # fmt: skip
    """Write the digest of each person's value of a rank, which he has: digests (v, 2), out (m, 2)."""
    for m in range(len(rows)):
        code = codes[offsets[rows[m]] + rank]
        out[m, 0], out[m, 1] = digests[code, 0], digests[code, 1]


@njit(cache=True, nogil=True)
def by_top_bits(values: NDArray[np.uint64], bits: int, order: NDArray[np.int32]) -> NDArray[np.int64]:
    """Entries in order of the top bits of their values, else as they stand, to order (m,); where each group ends.

    Returns (2 ** bits + 1,) bounds of the groups.
    """
    shift = np.uint64(64 - bits)
    ends = np.zeros((1 << bits) + 1, np.int64)
    for entry in range(len(values)):
        ends[(values[entry] >> shift if bits else np.uint64(0)) + np.uint64(1)] += 1
    ends = np.cumsum(ends)
    filled = ends[:-1].copy()
    for entry in range(len(values)):
        group = values[entry] >> shift if bits else np.uint64(0)
        order[filled[group]] = entry
        filled[group] += 1
    return ends


@njit(cache=True, nogil=True)
def count_sharing(
    values: NDArray[np.uint64],
    rows: NDArray[np.int32],
    order: NDArray[np.int32],
    bounds: NDArray[np.int64],
    room: int,
    sharing: NDArray[np.int32],
) -> None:
    """How many people share each entry's value, 0 for an entry whose person has had the value before.

    values: (m,) pseudo-random; rows: (m,) the people they are of, ascending. sharing: (m,) int32, written.
    order, bounds: entries in groups such that equal values are in one group, and ascending within it. A group is
    counted in a table that stays in the cache, of `room` places, a power of two above the largest group: the values
    met, how many people have each and the last of them. Being pseudo-random, a value says where to look first.
    """
    ends = np.uint64(room - 1)
    met, count, last = np.empty(room, np.uint64), np.empty(room, np.int32), np.empty(room, np.int32)
    for group in range(len(bounds) - 1):
        count[:] = 0
        for entry in order[bounds[group] : bounds[group + 1]]:
            place = values[entry] & ends
            while count[place] and met[place] != values[entry]:
                place = (place + np.uint64(1)) & ends
            sharing[entry] = 1
            if count[place] and last[place] == rows[entry]:
                sharing[entry] = 0
                continue
            met[place], last[place] = values[entry], rows[entry]
            count[place] += 1
        for entry in order[bounds[group] : bounds[group + 1]]:
            if sharing[entry]:
                place = values[entry] & ends
                while met[place] != values[entry]:
                    place = (place + np.uint64(1)) & ends
                sharing[entry] = count[place]


@njit(cache=True, nogil=True)
def deal_tokens(
    rows: NDArray[np.int64],
    nth: int,
    digests: NDArray[np.uint64],
    noise: NDArray[np.uint32],
    filled: NDArray[np.int64],
    slots: NDArray[np.uint8],
    out: NDArray[np.uint64],
    of: NDArray[np.int8],
) -> None:
    """Put tokens of combination `nth`, one for each of some people, at random places of their rows that are free.

    rows, digests: (m,) and (m, 2). noise: (n, t) random words. filled: (n,) tokens of each row so far, and slots:
    (n, t) its places in the order they are filled, ascending where none is. out: (n, t, 2) and of: (n, t), written
    where there is a token.
    """
    per_row = of.shape[1]
    for entry in range(len(rows)):
        person = rows[entry]
        token = filled[person]
        if token == per_row:
            continue
        # Fisher & Yates' shuffle; that some places are likelier by 2 ** -27 tells nobody anything.
        other = token + np.int64(noise[person, token]) % (per_row - token)
        slot = slots[person, other]
        slots[person, token], slots[person, other] = slot, slots[person, token]
        filled[person] += 1
        out[person, slot, 0], out[person, slot, 1] = digests[entry, 0], digests[entry, 1]
        of[person, slot] = nth
