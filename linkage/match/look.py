"""The first look of a nearest search: how many words of a pair are compared first, and which pairs end there.

Distances come in, a Look goes out. Rule: what a look drops depends on the pair alone, never on what was found before,
so that tiles may come in any order and on any machine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.match.recall import differing_chances

STEP = 4
"""A look ends at a multiple of so many words, of few enough places that each is weighed by its own sample."""
_GOING_ON = 80  # words that could be compared in the time it takes to pick one pair out and go on with it
_STOPS = 8  # looks that are tried
_GRID = 64  # distances by which wanted pairs are told apart


@dataclass(frozen=True)
class Look:
    """Words compared first, and in how many of their bits a pair may differ before it is dropped."""

    words: int
    limit: int

    def drops(self, words: int) -> bool:
        """Whether a pair of filters of so many words can be lost."""
        return self.words < words and self.limit < 64 * self.words


def exact_look(running: NDArray[np.int64], bound: int) -> Look:
    """The quickest look that loses nothing; see cheapest. bound: distance that the lists are expected to reach."""
    bits = 64 * running.shape[1]
    looks = {words: Look(words, bits) for words in stops(running.shape[1])}
    return cheapest(running, looks, dict.fromkeys(looks, bound))


def lossy_look(running: NDArray[np.int64], wanted: NDArray[np.int64], recall: float) -> Look:
    """The quickest look that is expected to keep a share `recall` of the wanted pairs; see cheapest.

    wanted: (q, w) bits in which the first 1, 2 ... w words of a random sample of them differ. Where a pseudo-random
    function put the bits, a pair d apart differs in Hypergeometric(bits, d, bits seen) places of the first words: an
    even guess from few pairs. Where it did not, the sample itself shows that more is to be allowed. Keeping a share of
    all wanted pairs means that those at the edge of the lists, most of them strangers, are lost more often than nearer
    ones.
    """
    words = running.shape[1]
    looks = {}
    for first in stops(words):
        law = kept_by(64 * words, 64 * first, wanted[:, -1], recall)
        shown = np.quantile(wanted[:, first - 1], recall, method="lower") if len(wanted) else 0
        looks[first] = Look(first, max(law, int(shown)))
    looks[words] = Look(words, 64 * words)
    return cheapest(running, looks, {first: look.limit for first, look in looks.items()})


def stops(words: int) -> list[int]:
    """Where a first look may end: after some words, or all."""
    step = max(STEP, words // _STOPS // STEP * STEP)
    return [*range(step, words, step), words]


def cheapest(running: NDArray[np.int64], looks: dict[int, Look], limits: dict[int, int]) -> Look:
    """The look with the least work a pair, by how many pairs of strangers go on after it.

    running: (s, w) bits in which the first 1, 2 ... w words of sampled pairs differ.
    """
    words = running.shape[1]
    prices = {words: float(words)}
    for first in looks:
        if first < words:
            going_on = (running[:, first - 1] <= limits[first]).mean()
            prices[first] = float(first + going_on * (_GOING_ON + (words - first) / 2))
    return looks[min(prices, key=prices.__getitem__)]


def kept_by(bits: int, seen: int, wanted: NDArray[np.int64], recall: float) -> int:
    """Least limit for `seen` bits of `bits` with which a share `recall` of pairs so far apart is kept on average.

    wanted: (q,) distances. They are put into groups of like ones, each taken for its farthest, which only drops less.
    """
    groups = np.array_split(np.sort(wanted), min(_GRID, max(len(wanted), 1)))
    far, weight = np.array([[group[-1], len(group)] for group in groups if len(group)], np.int64).reshape(-1, 2).T
    if not len(far):
        return seen
    kept = weight @ np.cumsum(differing_chances(bits, seen, far), axis=1) / weight.sum()
    return int(np.searchsorted(kept, recall))
