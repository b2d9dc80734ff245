"""Who is found for whom inside one file, as a matcher would find them who has the hardened filters alone.

Plain filters come in, each asked row's nearest others go out. A bit sent is the XOR of several plain bits: how far
apart two rows are as sent is a function of how far apart they are in plain, and noise, one coin for each bit sent. A
matcher's last candidates are strangers by that noise. An agency that holds the plain filters need not count all bits
sent: it draws the noise from its law.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.match.candidates import Filters, checked, cores

COIN_WORDS = 2
"""Random words of each row; the bits in which two rows' words differ are the coins of their noise."""

_UNIT = 256  # steps of one bit of distance
_TASK = 256  # rows searched by one thread at a time
_GRID = 32  # distances per evaluated quantile; limits between are rounded up, which only drops less


@dataclass(frozen=True, repr=False)
class Inside:
    """Pairs found: place among the asked rows (m,), row of the file (m,), distance (m,) int32 in 256ths of a bit."""

    asked: NDArray[np.int64]
    rows: NDArray[np.int64]
    distances: NDArray[np.int32]


def nearest_inside(
    filters: Filters,
    asked: NDArray[np.int64],
    keep: int,
    sent_bits: int,
    xor: int,
    coins: Filters,
    recall: float = 0.9995,
) -> Inside:
    """Each asked row's `keep` nearest other rows of the file, by distances as they would be after diffusion.

    filters: (n, w) plain; asked: (q,) rows. xor: plain bits behind each of the bits sent; 0 where plain bits are sent,
    without noise. coins: (n, COIN_WORDS) random words. recall: least chance of each such pair to be found. Few
    strangers have coins that bring them near, and of the others a look at a quarter of the words is enough.
    """
    from linkage.match.kernels import ROW_BITS  # loads numba
    from linkage.match.kernels_inside import nearest_drawn
    from linkage.match.recall import differing_limits

    filters, coins = checked(filters), checked(coins)
    words = filters.shape[1]
    means, step = law(64 * words, sent_bits, xor)
    first = max(1, words // 4) if xor else words
    # The most plain bits in which rows may differ for their distance to be within 0, 1, 2 ... bits.
    within = np.searchsorted(means, _UNIT * np.arange(int(means[-1]) // _UNIT + 2), side="right") - 1
    limits = differing_limits(64 * words, 64 * first, np.arange(64 * words + 1), 1 - recall, _GRID)[within]
    worst = np.iinfo(np.int64).max
    best = np.full((len(asked), keep), worst, np.int64)

    def search(start: int) -> None:
        some = slice(start, start + _TASK)
        nearest_drawn(filters, coins, asked[some], (means, step), (first, limits), best[some])

    with ThreadPoolExecutor(cores()) as pool:
        list(pool.map(search, range(0, len(asked), _TASK)))
    place, rank = np.nonzero(best < worst)
    keys = best[place, rank]
    return Inside(place, keys & ((1 << ROW_BITS) - 1), (keys >> ROW_BITS).astype(np.int32))


def law(bits: int, sent_bits: int, xor: int) -> tuple[NDArray[np.int64], int]:
    """Least distance as sent of two filters that differ in 0 to `bits` plain bits (bits + 1,), and what a coin adds.

    Of a bit that is the XOR of t plain bits, 1 - 2 P(differs) = (1 - 2 d / bits) ** t; exact for places drawn
    independently, and nearly so for distinct ones. `sent_bits` coins deviate by half the root of their number, and as
    much as fewer coins that weigh more.
    """
    if not xor:
        return _UNIT * np.arange(bits + 1), 0
    # Rows that differ in more than half of their bits are strangers like any.
    apart = np.minimum(2 * np.arange(bits + 1) / bits, 1)
    means = sent_bits / 2 * (1 - (1 - apart) ** xor)
    return np.rint(_UNIT * means).astype(np.int64), round(_UNIT * (sent_bits / (64 * COIN_WORDS)) ** 0.5)
