"""Pairs with probabilities and a truth in, one system's row of figures out: every system is measured here."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from linkage.evaluate.accuracy import at, best
from linkage.evaluate.calibration import calibration
from linkage.match.onetoone import assign
from linkage.model import Pairs

SURE = 0.9
DUPLICATED = 0.02
"""Share of rows with a double in their own file from which a file counts as one that holds duplicates."""


@dataclass(frozen=True)
class Truth:
    """True person of every row of both files, as numbers; -1 where unknown."""

    left: np.ndarray
    right: np.ndarray

    @classmethod
    def of(cls, left, right):
        """From the two truth columns, "" where unknown."""
        codes = {}
        sides = [[codes.setdefault(one, len(codes)) if one else -1 for one in side] for side in (left, right)]
        return cls(*(np.array(side, np.int64) for side in sides))

    @property
    def pairs(self):
        """Pairs of one person there are, candidates or not."""
        on_the_right = Counter(self.right[self.right >= 0].tolist())
        return sum(on_the_right[person] for person in self.left[self.left >= 0].tolist())

    @property
    def many(self):
        """Whether a left, a right row may have several partners: the other file holds duplicates."""
        return _duplicated(self.right), _duplicated(self.left)

    def holds(self, pairs):
        """Which pairs are one person, (m,)."""
        person = self.left[pairs.left]
        return (person == self.right[pairs.right]) & (person >= 0)


@dataclass(frozen=True)
class Row:
    """One system on one set; None where a figure has no meaning for it."""

    system: str
    setup: str = ""
    own_f1: float | None = None
    best_f1: float | None = None
    precision: float | None = None
    sure_precision: float | None = None
    ece: float | None = None
    links: int | None = None
    false: int | None = None
    seconds: float | None = None
    note: str = ""


def measure_pairs(peer, setup, pairs, probability, truth, seconds):
    """The row of a peer whose pairs are linked from `peer.own` upwards, after the assignment we use ourselves.

    peer: title, own threshold chosen without truth, and whether its score claims to be a probability.
    """
    assigned = assign(pairs, probability, truth.many)
    linked = assigned & (probability >= peer.own)
    row = measure_links(peer.title, setup, pairs, probability, truth, assigned, linked, seconds)
    return row if peer.probabilistic else replace(row, sure_precision=None, ece=None)


def measure_links(system, setup, pairs, probability, truth, assigned, linked, seconds):
    """The row of a system that says itself which pairs it assigns and links."""
    holds = truth.holds(pairs)
    ours, peak = at(linked, holds, truth.pairs), best(probability, assigned, holds, truth.pairs)
    sure = assigned & (probability >= SURE)
    return Row(
        system,
        setup,
        own_f1=ours.f1 if truth.pairs else None,
        best_f1=peak.f1 if truth.pairs else None,
        precision=ours.precision if ours.linked else None,
        sure_precision=float(holds[sure].mean()) if sure.any() else None,
        ece=calibration(probability, holds, assigned).ece,
        links=ours.linked,
        false=ours.linked - ours.correct,
        seconds=seconds,
    )


def to_pairs(left, right):
    """Pairs of row numbers as the matcher holds them."""
    return Pairs(np.asarray(left, np.int32), np.asarray(right, np.int32))


def fairest(rows):
    """A peer's best set-up: the highest F1 at its own threshold, then at the best; fewest links where nobody is one.

    The choice looks at the truth, in the peer's favour.
    """
    return max(rows, key=lambda row: (row.own_f1 or 0.0, row.best_f1 or 0.0, -(row.links or 0)))


def _duplicated(person):
    known = person[person >= 0]
    counts = np.bincount(known) if len(known) else np.zeros(1, np.int64)
    return bool(counts[counts > 1].sum() > DUPLICATED * max(len(known), 1))
