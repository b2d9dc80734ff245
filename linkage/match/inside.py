"""Who is found for whom inside one file, as a matcher would find them who has the hardened filters alone.

Plain filters come in, each asked row's nearest others go out. A bit sent is the XOR of several plain bits: how far
apart two rows are as sent is a function of how far apart they are in plain, and noise, one coin for each bit sent. A
matcher's last candidates are strangers by that noise. An agency that holds the plain filters need not count all bits
sent: it draws the noise from its law.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.match.candidates import Filters, checked, cores

LUCK_BITS = 18
"""Bits of the sum of two rows' tickets that say how lucky the pair is, from 0, the luckiest."""

_UNIT = 256  # steps of one bit of distance
_TASK = 256  # rows searched by one thread at a time
_LUCKIEST = 20  # rows compared first, for each place of a list

Tickets = NDArray[np.uint64]


@dataclass(frozen=True, repr=False)
class Inside:
    """Pairs found: place among the asked rows (m,), row of the file (m,), distance (m,) int32 in 256ths of a bit."""

    asked: NDArray[np.int64]
    rows: NDArray[np.int64]
    distances: NDArray[np.int32]


@dataclass(frozen=True, repr=False)
class Part:
    """Some rows of a file. filters: (n, w) plain, in random order; asked: (q,) those of them that ask, ascending.

    tickets: (n,) random numbers in ascending order. The noise of a pair hangs on the sum of its tickets, so for every
    row the pairs that it favours lie side by side, and what it leaves to the rest is known before any is compared: a
    look at a few words shows whether they can be near enough.
    """

    filters: Filters
    asked: NDArray[np.int64]
    tickets: Tickets


def nearest_inside(
    parts: Sequence[Callable[[], Part]], keep: int, sent_bits: int, xor: int, recall: float = 0.999
) -> Inside:
    """Each asking row's `keep` nearest other rows of a file, by distances as they would be after diffusion.

    parts: the file, one part in memory at a time; each is asked for twice. xor: plain bits behind each of the bits
    sent; 0 where plain bits are sent, without noise. recall: least chance of each such pair to be found.
    """
    from linkage.match.kernels import ROW_BITS  # loads numba

    asking = [_asking(load()) for load in parts]
    filters, tickets = (np.concatenate(each) for each in zip(*asking, strict=True))
    search = _search(keep, sent_bits, xor, recall, filters.shape[1])
    worst = np.iinfo(np.int64).max
    best = np.full((len(filters), keep), worst, np.int64)
    first_row = first_asked = 0
    for load in parts:
        part = load()
        own = np.full(len(filters), -1, np.int64)
        own[first_asked : first_asked + len(part.asked)] = part.asked
        search(part, first_row, (filters, tickets, own), best)
        first_row, first_asked = first_row + len(part.filters), first_asked + len(part.asked)
    place, rank = np.nonzero(best < worst)
    keys = best[place, rank]
    return Inside(place, keys & ((1 << ROW_BITS) - 1), (keys >> ROW_BITS).astype(np.int32))


def _asking(part: Part) -> tuple[Filters, Tickets]:
    return checked(part.filters)[part.asked], part.tickets[part.asked]


_Asked = tuple[Filters, Tickets, NDArray[np.int64]]


def _search(
    keep: int, sent_bits: int, xor: int, recall: float, words: int
) -> Callable[[Part, int, _Asked, NDArray[np.int64]], None]:
    """How the asked rows' lists are brought up to date with one part; see kernels_inside.nearest_drawn."""
    from linkage.match.kernels_inside import nearest_drawn
    from linkage.match.kernels_lanes import MOST_WORDS
    from linkage.match.recall import differing_limits

    bits = 64 * words
    means, noise = law(bits, sent_bits, xor)
    # Strangers stand out from relatives by few words where filters are nearly half full, and plain ones are not.
    first = min(max(1, words * 3 // 16 if xor else words // 2), MOST_WORDS)
    # The most plain bits in which rows may differ for their distance to be within 0, 1, 2 ... bits.
    within = np.searchsorted(means, _UNIT * np.arange(int(means[-1]) // _UNIT + 2), side="right") - 1
    limits = differing_limits(bits, 64 * first, within, 1 - recall, 8) if recall < 1 else within

    def search(part: Part, first_row: int, asked: _Asked, best: NDArray[np.int64]) -> None:
        luckiest = np.searchsorted(part.tickets, np.uint64(0) - asked[1])  # sums of tickets wrap around 2 ** 64
        # Once lists are full, those of the next part need not begin with what is likely to fill them.
        seen = min(_LUCKIEST * keep, len(part.filters)) if first_row == 0 else 0

        def task(start: int) -> None:
            some = slice(start, start + _TASK)
            own = asked[0][some], asked[1][some], asked[2][some]
            nearest_drawn(
                part.filters, part.tickets, first_row, own, luckiest[some], seen, (means, noise), (first, limits),
                best[some],
            )  # fmt: skip

        with ThreadPoolExecutor(cores()) as pool:
            list(pool.map(task, range(0, len(best), _TASK)))

    return search


def law(bits: int, sent_bits: int, xor: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distance as sent of two filters that differ in 0 to `bits` plain bits (bits + 1,), on average; and its noise.

    The noise (2 ** LUCK_BITS,) is what luck adds, ascending, each of its entries as probable as another.
    Of a bit that is the XOR of t plain bits, 1 - 2 P(differs) = (1 - 2 d / bits) ** t; exact for places drawn
    independently, and nearly so for distinct ones. The noise is that of `sent_bits` coins.
    """
    steps = 1 << LUCK_BITS
    if not xor:
        return _UNIT * np.arange(bits + 1), np.zeros(steps, np.int64)
    # Rows that differ in more than half of their bits are strangers like any.
    apart = np.minimum(2 * np.arange(bits + 1) / bits, 1)
    means = sent_bits / 2 * (1 - (1 - apart) ** xor)
    ways = np.concatenate([[0], np.cumsum(np.log(np.arange(1, sent_bits + 1)))])
    chance = np.cumsum(np.exp(ways[-1] - ways - ways[::-1] - sent_bits * np.log(2)))
    heads = np.searchsorted(chance, (np.arange(steps) + 0.5) / steps)
    return np.rint(_UNIT * means).astype(np.int64), _UNIT * (heads - sent_bits // 2)
