"""What is attacked, and what the attacker holds beside it.

Rows of the file in an order nobody knows, people in plain text, and some rows he knows already.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linkage.audit.finding import Guess
from linkage.model import Records

Places = NDArray[np.int64]
NOBODY = -1


@dataclass(frozen=True, repr=False)
class World:
    """filters: (n, w), what was sent. people: what the attacker holds in plain text, m of them.

    truth: (n,) place in `people` of each row's person, NOBODY where he is not on the attacker's list.
    known: rows of which the attacker knows the truth beforehand. second: (n, w), each row's filter in another file,
    where the attacker holds two files and knows which rows are one person's. made: what attacks computed of filters
    and people (their graphs take longest), shared by worlds that differ in what is known.
    """

    filters: NDArray[np.uint64]
    people: Records
    truth: Places
    known: Places
    second: NDArray[np.uint64] | None = None
    made: dict[str, Any] = field(default_factory=dict, compare=False)

    def knowing(self, known: int, rng: np.random.Generator) -> World:
        """The same world where the attacker knows so many rows, drawn at random."""
        held = np.flatnonzero(self.truth != NOBODY)
        return replace(self, known=np.sort(rng.permutation(held)[:known]))

    @property
    def codes(self) -> NDArray[np.float32]:
        """Bits as -1 and 1, (n, bits); of two filters their mean, which is surer."""
        codes = signs(self.filters)
        return codes if self.second is None else (codes + signs(self.second)) / np.float32(2)

    @property
    def unknown(self) -> Places:
        """Rows to attack, (u,)."""
        return np.setdiff1d(np.arange(len(self.truth)), self.known)

    @property
    def free(self) -> Places:
        """People not yet given to a known row."""
        return np.setdiff1d(np.arange(len(self.people)), self.truth[self.known])

    def count(self, rows: Places, named: Places) -> Guess:
        """Of the rows attacked whose person is on the list, how many were rightly named."""
        attacked = self.truth[self.unknown] != NOBODY
        right = (self.truth[rows] == named) & (named != NOBODY)
        return Guess(int(attacked.sum()), int(right.sum()), 1 / max(len(self.free), 1))


def make_world(
    filters: NDArray[np.uint64],
    people: Records,
    rng: np.random.Generator,
    *,
    known: int = 0,
    overlap: float = 1.0,
    take: int | None = None,
) -> World:
    """A world out of a file's filters (n, w) and its people in the same order.

    overlap: share of the rows attacked whose person is on the attacker's list; the list is as long as the file
    attacked, the rest of it being others of the same population. take: rows drawn (stated sampling).
    """
    from linkage.audit.scheme import take as take_people

    most = min(take or len(filters), int(len(filters) / (2 - overlap)))
    drawn = rng.permutation(len(filters))[: round(most * (2 - overlap))]
    rows, listed = drawn[:most], drawn[len(drawn) - most :]
    rows, listed = rng.permutation(rows), rng.permutation(listed)
    place = np.full(len(filters), NOBODY, np.int64)
    place[listed] = np.arange(most)
    truth = place[rows]
    world = World(filters[rows], take_people(people, listed), truth, np.empty(0, np.int64))
    return world.knowing(known, rng)


def signs(filters: NDArray[np.uint64]) -> NDArray[np.float32]:
    """Bits as -1 and 1, (n, bits) float32."""
    bits = np.unpackbits(np.ascontiguousarray(filters).view(np.uint8), axis=1, bitorder="little")
    return bits.astype(np.float32) * 2 - 1
