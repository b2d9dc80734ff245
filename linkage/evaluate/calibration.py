"""Whether probabilities mean what they say: of pairs given 0.9, nine in ten should be one person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.errors import ShapeError

BINS = 10


@dataclass(frozen=True)
class Bin:
    """One bin of probabilities: mean predicted, share observed, pairs."""

    predicted: float
    observed: float
    count: int


@dataclass(frozen=True)
class Calibration:
    """ece: expected calibration error in [0, 1]. bins: those with pairs, lowest first."""

    ece: float
    bins: tuple[Bin, ...]


def calibration(
    probability: NDArray[np.floating], truth: NDArray[np.bool_], assigned: NDArray[np.bool_] | None = None
) -> Calibration:
    """Expected calibration error in ten equal bins over the pairs that one-to-one assignment leaves.

    probability, truth, assigned: (m,). Source: Naeini, Cooper & Hauskrecht 2015, with bins of equal width.
    """
    if len(probability) != len(truth) or (assigned is not None and len(assigned) != len(truth)):
        raise ShapeError(f"{len(probability)} probabilities but {len(truth)} truths")
    if assigned is not None:
        probability, truth = probability[assigned], truth[assigned]
    if not len(probability):
        return Calibration(0.0, ())
    place = np.minimum((probability * BINS).astype(np.int64), BINS - 1)
    bins = []
    for number in range(BINS):
        here = place == number
        if here.any():
            bins.append(Bin(float(probability[here].mean()), float(truth[here].mean()), int(here.sum())))
    ece = sum(abs(b.predicted - b.observed) * b.count for b in bins) / len(probability)
    return Calibration(float(ece), tuple(bins))
