"""Fingerprints where a coin hides some of what rows share: many pretend coins, and the names that come up most.

The attacker is given the same graphs as in `fingerprints`, and knows with what probability a value gives a token, not
which. He thins his own list by coins of his own, again and again, colours every outcome, and counts which of his people
has which colour: the best guess there is from a row's surroundings, as far as colours tell them apart. Rows known, and
then those named for certain, have colours of their own, so that names spread to whoever meets them.
Sources: as in `fingerprints`; counting over the attacker's own draws is Monte Carlo maximum likelihood.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.audit.finding import Guess
from linkage.audit.fingerprints import GOLDEN, NONE, Codes, scramble
from linkage.audit.world import NOBODY, Places

Colours = NDArray[np.uint64]
DRAWS = 30
"""Coins the attacker tosses for all his list; 200 name as many as 30."""
ROUNDS = 3
TURNS = 3
"""Times that what was named for certain is built upon."""
CERTAIN = 0.9
LEAST = 0.05
"""Share of votes below which he names nobody: a guess among a crowd of twenty is no finding."""
_KNOWN = np.uint64(1 << 63)


@dataclass(frozen=True, repr=False)
class Shares:
    """Which of n rows share values: row, value and kind of each share (e,), and what is told of every row (n,)."""

    rows: Places
    values: Places
    kinds: Places
    told: Places

    @classmethod
    def of(cls, codes: Codes, kinds: Places, told: Places) -> Shares:
        """Of a matrix of codes (n, c), whose columns are of these kinds; what nobody shares says nothing."""
        _, values, counts = np.unique(codes, return_inverse=True, return_counts=True)
        values = values.reshape(codes.shape)
        rows, columns = np.nonzero((counts[values] > 1) & (codes != NONE))
        return cls(rows, np.unique(values[rows, columns], return_inverse=True)[1], kinds[columns], told)

    def thinned(self, kept: float, rng: np.random.Generator) -> Shares:
        """The same where a coin has dropped some values."""
        heads = (rng.random(int(self.values.max(initial=0)) + 1) < kept)[self.values]
        return Shares(self.rows[heads], self.values[heads], self.kinds[heads], self.told)


def vote_attack(
    seen: Shares, plain: Shares, truth: Places, known: Places, kept: float, rng: np.random.Generator
) -> Guess:
    """Rows named by what has their colour most often.

    truth: (n,) place in plain, NOBODY where it is not there. kept: share of values that the coin keeps.
    """
    draws = [plain.thinned(kept, rng) for _ in range(DRAWS)] if kept < 1 else [plain]
    sure = np.full(len(truth), NOBODY, np.int64)
    sure[known] = truth[known]
    attacked = np.setdiff1d(np.flatnonzero(truth != NOBODY), known)
    found = 0
    for _ in range(TURNS):
        named, share = _vote(seen, draws, sure, len(plain.told))
        named[share < LEAST] = NOBODY
        named[sure != NOBODY] = sure[sure != NOBODY]
        found = max(found, int((named[attacked] == truth[attacked]).sum()))
        fresh = np.flatnonzero((sure == NOBODY) & (share > CERTAIN) & ~np.isin(named, sure))
        # Two rows are not one person.
        _, first = np.unique(named[fresh], return_index=True)
        if not len(first):
            break
        sure[fresh[first]] = named[fresh[first]]
    return Guess(len(attacked), found, 1 / max(len(plain.told) - len(known), 1))


def _vote(seen: Shares, draws: list[Shares], sure: Places, people: int) -> tuple[Places, NDArray[np.float64]]:
    """Name and share of votes (n,) for each row, by that depth of colour that is surest; the shallowest of equals."""
    rows = np.flatnonzero(sure != NOBODY)
    number = np.zeros(people, np.uint64)
    number[sure[rows]] = sure[rows].astype(np.uint64) | _KNOWN
    own = np.where(sure != NOBODY, number[sure], np.uint64(0))
    theirs = [_colours(draw, number) for draw in draws]
    named, best = np.full(len(sure), NOBODY, np.int64), np.zeros(len(sure))
    for depth, mine in enumerate(_colours(seen, own)):
        colours, place, share = _favourites(np.stack([each[depth] for each in theirs]))
        at = np.minimum(np.searchsorted(colours, mine), len(colours) - 1)
        better = (colours[at] == mine) & (share[at] > best)
        named, best = np.where(better, place[at], named), np.where(better, share[at], best)
    return named, best


def _favourites(colours: NDArray[np.uint64]) -> tuple[Colours, Places, NDArray[np.float64]]:
    """Each colour seen in any draw (d, n), the place that has it most often, and that place's share of its votes."""
    _, people = colours.shape
    flat, place = colours.ravel(), np.tile(np.arange(people), len(colours))
    order = np.lexsort((place, flat))
    flat, place = flat[order], place[order]
    votes = np.flatnonzero(np.concatenate([[True], (flat[1:] != flat[:-1]) | (place[1:] != place[:-1])]))
    count = np.diff(np.append(votes, len(flat)))
    flat, place = flat[votes], place[votes]
    order = np.lexsort((-count, flat))
    flat, place, count = flat[order], place[order], count[order]
    first = np.flatnonzero(np.concatenate([[True], flat[1:] != flat[:-1]]))
    return flat[first], place[first], count[first] / np.add.reduceat(count, first)


def _colours(shares: Shares, known: Colours) -> list[Colours]:
    """(n,) colours by depth: whom of the known a row meets, then all about it to 1, 2 and 3 steps.

    known: (n,) a number of his own for everybody known, else 0.
    """
    start = np.where(known > 0, scramble(known), scramble(shares.told.astype(np.uint64)))
    piles = int(shares.values.max(initial=0)) + 1
    salt = scramble(shares.kinds.astype(np.uint64) * np.uint64(GOLDEN) + np.uint64(GOLDEN))
    met = np.zeros(piles, np.uint64)
    np.add.at(met, shares.values, np.where(known > 0, scramble(known), np.uint64(0))[shares.rows])
    # How many values they share is the coin's doing; that they share one is not.
    once = np.unique(np.stack([shares.rows.astype(np.uint64), met[shares.values], salt]), axis=1)
    once = once[:, once[1] > 0]
    beside = np.zeros(len(start), np.uint64)
    np.add.at(beside, once[0].astype(np.int64), scramble(once[1] + once[2]))
    found, colours = [start + scramble(beside)], start
    for _ in range(ROUNDS):
        # A sum does not depend on the order of its members.
        pile, mixed = np.zeros(piles, np.uint64), np.zeros(len(start), np.uint64)
        np.add.at(pile, shares.values, scramble(colours)[shares.rows])
        np.add.at(mixed, shares.rows, scramble(pile[shares.values] + salt))
        colours = scramble(colours) + mixed
        found.append(colours)
    return found
