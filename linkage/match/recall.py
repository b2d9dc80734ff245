"""What a search may promise, and whether it kept its promise.

Rule: probabilities only; no filter is compared here. Sources: sampling without replacement (hypergeometric) for
what part of a filter says of the whole; Wilson 1927 for intervals; Har-Peled, Indyk & Motwani 2012 for bit sampling.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from linkage.match.candidates import Verified

WORD = 64


def wilson(found: int, expected: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson score interval of a proportion; (0, 1) where nothing was expected. z: normal deviate (1.96: 95 %)."""
    if expected == 0:
        return 0.0, 1.0
    share = found / expected
    centre = share + z * z / (2 * expected)
    margin = z * math.sqrt(share * (1 - share) / expected + z * z / (4 * expected * expected))
    scale = 1 + z * z / expected
    return max(0.0, (centre - margin) / scale), min(1.0, (centre + margin) / scale)


def verified(wanted: NDArray[np.int64], have: NDArray[np.int64]) -> Verified:
    """Share of the wanted pair codes among those found. wanted: (a,), have: (b,), each without repeats."""
    found = int(np.isin(wanted, have).sum())
    return Verified(len(wanted), found, *wilson(found, len(wanted)))


def differing_limits(bits: int, seen: int, bounds: NDArray[np.int64], risk: float, step: int = 1) -> NDArray[np.int64]:
    """Differing bits among `seen` of `bits` drawn at random that pairs `bounds` apart exceed with a chance below risk.

    bounds: (b,), from 0 to bits. step: a quantile is computed for so many bounds together, and rounded up.
    """
    grid, place = np.unique(np.minimum(-(-bounds // step) * step, bits), return_inverse=True)
    beyond = np.cumsum(differing_chances(bits, seen, grid)[:, ::-1], axis=1)[:, ::-1]  # so many or more
    quantiles = (beyond[:, 1:] > risk).sum(axis=1)
    return np.asarray(np.minimum(quantiles[place], bounds), np.int64)


def differing_chances(bits: int, seen: int, apart: NDArray[np.int64]) -> NDArray[np.float64]:
    """Chance that of `seen` of `bits` places drawn without replacement 0, 1 ... `seen` differ, (q, seen + 1).

    apart: (q,) of all `bits`, so many differ. Hypergeometric.
    """
    ways = np.concatenate([[0], np.cumsum(np.log(np.arange(1, bits + 1)))])  # logarithms of factorials

    def choose(n: NDArray[np.int64], k: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.asarray(ways[n] - ways[k] - ways[n - k])

    far, differ = apart[:, None], np.arange(seen + 1)
    possible = (differ <= far) & (seen - differ <= bits - far)
    among = np.where(possible, differ, np.maximum(far - (bits - seen), 0))  # any number that is possible
    logs = choose(far, among) + choose(bits - far, seen - among) - choose(np.array(bits), np.array(seen))
    return np.asarray(np.where(possible, np.exp(logs), 0))


def shared_needed(bits: int, dice: float) -> NDArray[np.int64]:
    """Fewest shared bits with which a sum of set bits reaches a Dice similarity.

    Returns (2 bits + 1,) int64 by the sum s: the smallest c with 2 c / s >= dice in float64; unreachable for s = 0,
    since two empty filters have similarity 0.
    """
    total = np.arange(2 * bits + 1)
    need = np.maximum(np.floor(dice * total / 2).astype(np.int64) - 1, 0)
    for _ in range(3):  # rounding may put the floor one off; step up until the similarity itself is reached
        need += 2 * need / np.maximum(total, 1) < dice
    need[0] = 1
    return need


def meeting_chance(bits: int, differing: NDArray[np.int64], sampled: int) -> NDArray[np.float64]:
    """Chance that `sampled` of `bits` positions drawn without replacement all avoid the differing ones."""
    draw = np.arange(sampled)
    left = np.maximum(bits - draw[:, None] - differing[None, :], 0)
    chance: NDArray[np.float64] = np.prod(left / (bits - draw[:, None]), axis=0)
    return chance


def tables_needed(chance: NDArray[np.float64], recall: float, most: int) -> int:
    """Fewest tables with which pairs meeting with these chances per table are found with `recall` on average.

    chance: (q,) over the run's own spread of set bits. Returns most + 1 where that many do not suffice.
    """
    low, high = 1, most + 1
    while low < high:
        middle = (low + high) // 2
        if np.mean(1 - (1 - chance) ** middle) >= recall:
            high = middle
        else:
            low = middle + 1
    return low
