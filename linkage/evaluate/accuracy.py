"""Precision, recall and F1 of links, at a threshold chosen beforehand and at the best one truth can find."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.errors import ShapeError

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Accuracy:
    """linked, correct: pairs. true: pairs of one person there are, candidates or not. threshold: where cut, or nan."""

    linked: int
    correct: int
    true: int
    threshold: float = float("nan")

    @property
    def precision(self) -> float:
        """Share of links that are right; 1 when there are none."""
        return self.correct / self.linked if self.linked else 1.0

    @property
    def recall(self) -> float:
        """Share of true pairs that are linked; 1 when there are none."""
        return self.correct / self.true if self.true else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 1 when there was nothing to link and nothing was."""
        both = self.linked + self.true
        return 2 * self.correct / both if both else 1.0


def at(linked: Mask, truth: Mask, true: int, threshold: float = float("nan")) -> Accuracy:
    """Accuracy of given links. linked, truth: (m,) per candidate pair; true: all true pairs."""
    if len(linked) != len(truth):
        raise ShapeError(f"{len(linked)} links but {len(truth)} truths")
    return Accuracy(int(linked.sum()), int((linked & truth).sum()), true, threshold)


def best(score: NDArray[np.floating], assigned: Mask, truth: Mask, true: int) -> Accuracy:
    """Accuracy at the threshold with the highest F1, which only truth can find. score: (m,), higher is surer."""
    if not len(score) == len(assigned) == len(truth):
        raise ShapeError(f"{len(score)} scores, {len(assigned)} assignments and {len(truth)} truths")
    rows = np.flatnonzero(assigned)
    if not len(rows):
        return Accuracy(0, 0, true)
    order = rows[np.argsort(-score[rows], kind="stable")]
    ranked = score[order]
    correct = np.cumsum(truth[order])
    count = np.arange(1, len(order) + 1)
    f1 = 2 * correct / (count + true)
    # Pairs of one score cannot be told apart by a threshold.
    f1[:-1][ranked[:-1] == ranked[1:]] = -1.0
    place = int(np.argmax(f1))
    return Accuracy(int(count[place]), int(correct[place]), true, float(ranked[place]))


def by_group(
    linked: Mask, truth: Mask, group: NDArray[np.integer], true: NDArray[np.integer], names: tuple[str, ...]
) -> dict[str, Accuracy]:
    """Accuracy of each group (R17). group: (m,) place in names; true: (g,) true pairs of each group."""
    return {
        name: at(linked[group == place], truth[group == place], int(true[place])) for place, name in enumerate(names)
    }


def unevenly_served(groups: dict[str, Accuracy], overall: Accuracy, factor: float = 2.0) -> tuple[str, ...]:
    """Groups whose share of missed or of false links is more than `factor` times the overall one (R17).

    A group needs at least three such errors, so that one unlucky pair raises no alarm.
    """
    alarmed = []
    for name, group in groups.items():
        missed, false = group.true - group.correct, group.linked - group.correct
        if (missed >= 3 and 1 - group.recall > factor * (1 - overall.recall)) or (
            false >= 3 and 1 - group.precision > factor * (1 - overall.precision)
        ):
            alarmed.append(name)
    return tuple(alarmed)
