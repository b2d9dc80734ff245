"""Posteriors in; thresholds, bands and the errors a run must expect out, all without truth (R16, R17).

Rule: every figure here follows from probabilities; it is right only as far as they are calibrated, so intervals
leave room for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from linkage.errors import ShapeError

LEAN = 0.65
"""Beta of the F measure that the own threshold maximises; below 1 precision counts more than recall."""
MOST_FALSE_STRONG = 0.001
LEAST_STRONG_PROBABILITY = 0.95
LEAST_STRONG_WEIGHT = 3.0
"""Bits a strong link must carry by itself: it is never strong only because its rows have nobody better."""
CALIBRATION_DOUBT = 0.5
"""Standard deviation allowed for wrong calibration, as a share of the expected errors."""

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


class Band(IntEnum):
    """How sure a link is (R16)."""

    NONE = 0
    POSSIBLE = 1
    PROBABLE = 2
    STRONG = 3


@dataclass(frozen=True)
class Rate:
    """An expected error rate in [0, 1] with its 95 % interval, and the number of links or true pairs it is of."""

    expected: float
    low: float
    high: float
    of: float


def own_threshold(probability: Floats, assigned: Mask, lean: float = LEAN) -> float:
    """Probability above which assigned pairs are links: the threshold with the best expected F measure.

    probability: (m,) of all candidate pairs; assigned: (m,) pairs left by onetoone.assign. Returns above 1 when no
    pair deserves a link. Source: van Rijsbergen 1979, F measure; expected counts in place of counted ones.
    """
    _check(probability, assigned)
    ranked = np.sort(probability[assigned])[::-1]
    if not len(ranked):
        return 2.0
    beta = lean * lean
    right = np.cumsum(ranked)
    score = (1 + beta) * right / (np.arange(1, len(ranked) + 1) + beta * probability.sum())
    best = float(ranked[int(np.argmax(score))])
    # However few the true pairs, what is more likely false than true is no link.
    return max(best, 0.5)


def strong_threshold(
    probability: Floats, weight: Floats, assigned: Mask, most_false: float = MOST_FALSE_STRONG
) -> float:
    """Probability from which links are strong, so that at most `most_false` of them are expected to be false.

    Returns above 1 when there can be none. weight: (m,) bits, see model.Scores.
    """
    _check(probability, assigned)
    able = assigned & (weight >= LEAST_STRONG_WEIGHT) & (probability >= LEAST_STRONG_PROBABILITY)
    ranked = np.sort(probability[able])[::-1]
    if not len(ranked):
        return 2.0
    share = np.cumsum(1 - ranked) / np.arange(1, len(ranked) + 1)
    kept = int((share <= most_false).sum())
    # Pairs of one probability stand or fall together.
    while 0 < kept < len(ranked) and ranked[kept] == ranked[kept - 1]:
        kept = int((ranked > ranked[kept - 1]).sum())
    return float(ranked[kept - 1]) if kept else 2.0


def bands(
    probability: Floats,
    weight: Floats,
    assigned: Mask,
    most_false: float = MOST_FALSE_STRONG,
    strong_weight: float = LEAST_STRONG_WEIGHT,
    threshold: float | None = None,
) -> NDArray[np.int8]:
    """Band of every candidate pair, (m,) int8 of Band.

    Strong: within the cap on expected false links, and at least strong_weight bits of its own. Probable: a link.
    Possible: assigned, at least an even chance in ten, but below the threshold (default: own_threshold).
    """
    if threshold is None:
        threshold = own_threshold(probability, assigned)
    cut = max(strong_threshold(probability, weight, assigned, most_false), threshold)
    band = np.full(len(probability), int(Band.NONE), np.int8)
    band[assigned & (probability >= 0.1)] = Band.POSSIBLE
    band[assigned & (probability >= threshold)] = Band.PROBABLE
    band[assigned & (probability >= cut) & (weight >= max(strong_weight, LEAST_STRONG_WEIGHT))] = Band.STRONG
    return band


def false_links(probability: Floats, linked: Mask) -> Rate:
    """Expected share of links that join two people."""
    _check(probability, linked)
    doubt = 1 - probability[linked]
    return _rate(doubt, float(linked.sum()))


def missed_links(probability: Floats, linked: Mask, candidate_recall: float = 1.0) -> Rate:
    """Expected share of true pairs that are not linked.

    candidate_recall: share of true pairs that became candidates, as stated by the search; the others are missed.
    """
    _check(probability, linked)
    missed = probability[~linked]
    found = float(probability.sum())
    true = found / max(candidate_recall, 1e-6)
    rate = _rate(missed, found)
    share, unseen = found / true if true else 1.0, 1 - candidate_recall
    low, middle, high = (value * share + unseen for value in (rate.low, rate.expected, rate.high))
    return Rate(min(middle, 1.0), min(low, 1.0), min(high, 1.0), true)


def by_group(
    probability: Floats, linked: Mask, group: NDArray[np.integer], names: tuple[str, ...]
) -> dict[str, tuple[Rate, Rate]]:
    """False-link and missed-link rates of each group (R17). group: (m,) place in names."""
    found = {}
    for place, name in enumerate(names):
        here = np.asarray(group == place)
        found[name] = (false_links(probability[here], linked[here]), missed_links(probability[here], linked[here]))
    return found


def _rate(chances: Floats, of: float) -> Rate:
    """Rate of events with these chances: gamma interval, chance and calibration doubt together."""
    from scipy.special import gammaincinv

    if of <= 0:
        return Rate(0.0, 0.0, 0.0, 0.0)
    mean = float(chances.sum())
    if mean < 1e-9:
        return Rate(0.0, 0.0, min(3.0 / of, 1.0), of)
    spread = float((chances * (1 - chances)).sum()) + 1.0 + (CALIBRATION_DOUBT * mean) ** 2
    shape = mean * mean / spread
    low, high = (float(gammaincinv(shape, level)) * mean / shape for level in (0.025, 0.975))
    # No event in n: up to three are still plausible (Hanley & Lippman-Hand 1983).
    return Rate(min(mean / of, 1.0), min(low / of, 1.0), min(max(high, 3.0) / of, 1.0), of)


def _check(probability: Floats, mask: Mask) -> None:
    if len(probability) != len(mask):
        raise ShapeError(f"{len(probability)} probabilities but a mask of {len(mask)}")
