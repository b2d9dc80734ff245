"""What a third file says of a pair: probabilities between every two of several files in, the same in its light out.

Two rows that both belong to one row of a third file belong together. Rule: a third file only ever supports; that two
rows have different partners there may as well be its own mistake. The anchor decides whose rows are asked about (R2).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from linkage.match.grouping import Spoke

SUPPORT = 2.0
"""Log odds gained where both rows surely belong to one row of a third file. Far below what independent evidence would
earn, for who resembles one of a family resembles the others."""
_LEAST = 1e-9

Floats = NDArray[np.float64]


def supported(spokes: Sequence[Spoke], support: float = SUPPORT) -> list[Floats]:
    """Probability of every pair of every spoke after hearing the third files, (m,) each; the best third file counts.

    Two files without a third that is compared with both keep their probabilities to the last bit.
    """
    best: dict[tuple[str, str], tuple[NDArray[np.int64], Floats]] = {}
    for spoke in spokes:
        best[spoke.anchor_file, spoke.other_file] = _best(spoke.pairs.left, spoke.pairs.right, spoke.probability)
        best[spoke.other_file, spoke.anchor_file] = _best(spoke.pairs.right, spoke.pairs.left, spoke.probability)
    files = sorted({file for pair in best for file in pair})
    found = []
    for spoke in spokes:
        through = np.zeros(len(spoke.pairs))
        for third in files:
            one, two = best.get((spoke.anchor_file, third)), best.get((spoke.other_file, third))
            if one is None or two is None:
                continue
            left, right = _look(one, spoke.pairs.left), _look(two, spoke.pairs.right)
            same = (left[0] == right[0]) & (left[0] >= 0)
            through = np.maximum(through, np.where(same, left[1] * right[1], 0.0))
        found.append(_lifted(spoke.probability, support * through))
    return found


def _best(
    rows: NDArray[np.int32], partners: NDArray[np.int32], probability: Floats
) -> tuple[NDArray[np.int64], Floats]:
    """Most probable partner of every row, -1 where there is none, and its probability, (rows,) each."""
    size = int(rows.max(initial=-1)) + 1
    partner, chance = np.full(size, -1, np.int64), np.zeros(size)
    order = np.lexsort((-partners, probability))  # the last to write wins: most probable, then the lowest row
    partner[rows[order]], chance[rows[order]] = partners[order], probability[order]
    return partner, chance


def _look(best: tuple[NDArray[np.int64], Floats], rows: NDArray[np.int32]) -> tuple[NDArray[np.int64], Floats]:
    partner, chance = best
    inside = rows < len(partner)
    at = np.where(inside, rows, 0)
    if not len(partner):
        return np.full(len(rows), -1, np.int64), np.zeros(len(rows))
    return np.where(inside, partner[at], -1), np.where(inside, chance[at], 0.0)


def _lifted(probability: Floats, gain: Floats) -> Floats:
    odds = probability / np.maximum(1 - probability, _LEAST) * np.exp(gain)
    return np.where(gain > 0, odds / (1 + odds), probability)
