"""Similarity-graph matching for files too large for a graph of everybody with everybody.

The attacker is given what `graph.py` gives him, and rows known. Of both graphs he computes the columns of anchors only:
rows known, and in later rounds those named clearly enough as well. A row's odds over all people follow from its
resemblance to the anchors; of these he keeps its likeliest people, and later rounds choose among them.
In memory: rows times anchors, twice, in float32 (24,000 by 4,000: 0.8 GB).
Source: the method is that of `graph.soft`, with the mean field cut to anchors; seeds and percolation as in Yartseva &
Grossglauser 2013, "On the performance of percolation graph matching".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linkage.audit.finding import Guess
from linkage.audit.graph import best_of_each_person
from linkage.audit.scheme import Matrix, Scheme, take
from linkage.audit.world import NOBODY, World, signs

Places = NDArray[np.int64]
BLOCK = 1024
"""Rows whose odds over all people are in memory at a time."""
KEPT = 30
"""Likeliest people kept for a row."""


def sparse_attack(
    world: World, scheme: Scheme, *, rounds: int = 6, full: int = 2, most: int = 4000, sure: float = 0.9
) -> Guess:
    """The best round's guess; the attacker is lucky enough to stop there.

    rounds: at most; full: how many of them, from the first, weigh everybody and not only those kept. most: anchors.
    sure: odds above which a name becomes an anchor.
    """
    rows, people = world.unknown, world.free
    anchors, names = world.known, world.truth[world.known]
    best = Guess(int((world.truth[rows] != NOBODY).sum()), 0, 1 / max(len(people), 1))
    near = np.empty((len(rows), 0), np.int64)
    for turn in range(rounds):
        graphs = _columns(world, scheme, anchors, names)
        near, logs = _everybody(*graphs) if turn < full else _kept(*graphs, near)
        odds = np.exp(logs - logs.max(axis=1, keepdims=True))
        odds /= odds.sum(axis=1, keepdims=True)
        first = odds.argmax(axis=1)
        place = np.arange(len(rows))
        named, clear = people[near[place, first]], odds[place, first]
        once = best_of_each_person(named, clear)
        for guess in (world.count(rows, named), world.count(rows, np.where(once, named, NOBODY))):
            best = max(best, guess, key=lambda each: each.found)
        keep = np.flatnonzero(once & (clear > sure))
        keep = keep[np.argsort(-clear[keep], kind="stable")][: max(most - len(world.known), 0)]
        if len(keep) + len(world.known) <= len(anchors):
            break
        anchors = np.concatenate([world.known, rows[keep]])
        names = np.concatenate([world.truth[world.known], named[keep]])
    return best


def _columns(world: World, scheme: Scheme, anchors: Places, names: Places) -> tuple[Matrix, Matrix, float]:
    """Both graphs between the unknown and the anchors, (u, a) and (f, a), and the noise of a pair."""
    bits = 64 * world.filters.shape[1]
    hold = signs(world.filters[anchors]).T / np.float32(bits)
    seen = np.concatenate([signs(world.filters[part]) @ hold for part in _blocks(world.unknown)])
    expected = scheme.cross(take(world.people, world.free), take(world.people, names))
    spread = max(float(seen.var()) - float(expected.var()), 0.02 * float(seen.var()), 0.25 / bits)
    return seen, expected, float(np.sqrt(spread))


def _everybody(seen: Matrix, expected: Matrix, noise: float) -> tuple[Places, Matrix]:
    """The likeliest people of each row and their log odds, (u, KEPT), of all people."""
    cost = 0.5 * (expected**2).sum(axis=1)
    depth = min(KEPT, len(expected))
    found: list[tuple[Places, Matrix]] = []
    for part in _blocks(np.arange(len(seen))):
        logs = (seen[part] @ expected.T - cost) / np.float32(noise**2)
        near = np.argpartition(-logs, depth - 1, axis=1)[:, :depth]
        found.append((near, np.take_along_axis(logs, near, axis=1)))
    return np.concatenate([each[0] for each in found]), np.concatenate([each[1] for each in found])


def _kept(seen: Matrix, expected: Matrix, noise: float, near: Places) -> tuple[Places, Matrix]:
    """The same people again, weighed by more anchors."""
    cost = 0.5 * (expected**2).sum(axis=1)
    logs = np.empty(near.shape, np.float32)
    for row, people in enumerate(near):
        logs[row] = (expected[people] @ seen[row] - cost[people]) / noise**2
    return near, logs


def _blocks(rows: Places) -> list[Places]:
    return [rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK)] or [rows]
