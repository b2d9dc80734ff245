"""The inner loops of tight tokens, compiled: who shares a value with how many, and tokens dealt to their rows.

Arrays in, arrays out; checked outside, computed inside. Plain twins stand in tests/naive_encode.py.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def count_sharing(
    values: NDArray[np.uint64],
    rows: NDArray[np.int64],
    met: NDArray[np.uint64],
    count: NDArray[np.int32],
    last: NDArray[np.int64],
    sharing: NDArray[np.int32],
) -> None:
    """How many people share each entry's value, 0 for an entry whose person has had the value before.

    values: (m,) pseudo-random; rows: (m,) the people they are of, ascending. sharing: (m,) int32, written.
    met, count, last: zeros, one length, a power of two above m: a table of the values met, of how many people have each
    and of the last of them. Being pseudo-random, a value says itself where in the table to look first.
    """
    ends = np.uint64(len(met) - 1)
    for entry in range(len(values)):
        place = values[entry] & ends
        while count[place] and met[place] != values[entry]:
            place = (place + np.uint64(1)) & ends
        sharing[entry] = 1
        if count[place] and last[place] == rows[entry]:
            sharing[entry] = 0
            continue
        met[place], last[place] = values[entry], rows[entry]
        count[place] += 1
    for entry in range(len(values)):
        if sharing[entry]:
            place = values[entry] & ends
            while met[place] != values[entry]:
                place = (place + np.uint64(1)) & ends
            sharing[entry] = count[place]


@njit(cache=True, nogil=True)
def deal_tokens(
    rows: NDArray[np.int64],
    rank: NDArray[np.int8],
    nth: NDArray[np.int8],
    digests: NDArray[np.uint64],
    noise: NDArray[np.uint32],
    out: NDArray[np.uint64],
    of: NDArray[np.int8],
) -> None:
    """Put each person's tokens at random places of his row, as many as it holds; those of lower rank come first.

    rows, rank, nth: (m,) entries, of one rank in the order wanted; digests: (m, 2). noise: (n, t) random words.
    out: (n, t, 2) and of: (n, t), written where there is a token.
    """
    people, per_row = of.shape
    starts = np.zeros(people + 1, np.int64)
    for entry in range(len(rows)):
        starts[rows[entry] + 1] += 1
    starts = np.cumsum(starts)
    filled, order = starts[:-1].copy(), np.empty(len(rows), np.int64)
    for entry in range(len(rows)):
        place = filled[rows[entry]]
        filled[rows[entry]] += 1
        while place > starts[rows[entry]] and rank[order[place - 1]] > rank[entry]:
            order[place] = order[place - 1]
            place -= 1
        order[place] = entry
    slots = np.empty(per_row, np.int64)
    for person in range(people):
        for slot in range(per_row):
            slots[slot] = slot
        for token in range(min(per_row, starts[person + 1] - starts[person])):
            # Fisher & Yates' shuffle; that some places are likelier by 2 ** -27 tells nobody anything.
            other = token + np.int64(noise[person, token]) % (per_row - token)
            slots[token], slots[other] = slots[other], slots[token]
            entry, slot = order[starts[person] + token], slots[token]
            out[person, slot, 0], out[person, slot, 1] = digests[entry, 0], digests[entry, 1]
            of[person, slot] = nth[entry]
