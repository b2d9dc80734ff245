"""How much of the truth a run finds, by what the two records of a pair lack: what decides between the protocols.

Persons, gaps and links come in, counts by group go out. Every true pair counts, whether or not it became a candidate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.model import Pairs

GROUPS = ("date and postcode on both sides", "a date is missing", "a postcode is missing", "both are missing")

Persons = NDArray[np.int64]
"""(n,) true person of each row, -1 where unknown."""
Known = NDArray[np.bool_]
"""(n, 2) whether each row has a date of birth, and a postcode."""


@dataclass(frozen=True)
class Found:
    """True pairs of one group, and how many of them were candidates, and were linked."""

    name: str
    true: int
    candidates: int
    linked: int

    def __add__(self, other: Found) -> Found:
        return Found(self.name, self.true + other.true, self.candidates + other.candidates, self.linked + other.linked)


def found_by_completeness(
    persons: tuple[Persons, Persons], known: tuple[Known, Known], pairs: Pairs, linked: NDArray[np.bool_]
) -> tuple[Found, ...]:
    """What became of the true pairs of two files, for each of GROUPS. linked: (m,) of the candidate pairs."""
    left, right = _true_pairs(*persons)
    group = np.where((known[0][left] & known[1][right]).all(axis=1), 0, 3)
    date, place = (known[0][left, column] & known[1][right, column] for column in (0, 1))
    group[~date & place], group[date & ~place] = 1, 2
    width = max(len(persons[1]), 1)
    true = left * width + right
    here = pairs.left.astype(np.int64) * width + pairs.right
    candidate, taken = np.isin(true, here), np.isin(true, here[linked])
    return tuple(
        Found(name, *(int((group == nth)[mask].sum()) for mask in (slice(None), candidate, taken)))
        for nth, name in enumerate(GROUPS)
    )


def _true_pairs(left: Persons, right: Persons) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of every pair of one person."""
    order = np.argsort(right, kind="stable")
    ranked = right[order]
    first, last = (np.searchsorted(ranked, left, side) for side in ("left", "right"))
    count = np.where(left >= 0, last - first, 0)
    rows = np.repeat(np.arange(len(left)), count)
    place = np.repeat(first - (np.cumsum(count) - count), count) + np.arange(count.sum())
    return rows, order[place]
