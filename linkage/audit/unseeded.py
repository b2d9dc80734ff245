"""Similarity-graph matching of a large file of which the attacker knows nobody.

He describes every row and every person by its resemblances to all others, sorted, which tells few apart but gives each
row some people it may be. Then a random part of the rows, the anchors, give all rows odds by their own odds, which
sharpen round by round: `graph.soft` with the mean field cut to anchors and each row's odds to its likeliest people.
In memory: what is expected of everybody with everybody in float16, and anchors times people twice in float32
(24,000 people, 4,000 anchors: 1.2 GB and .8 GB).
Sources: node features as in Vidanage, Christen, Ranbaduge & Schnell 2020, "A graph matching attack on PPRL"; mean-field
inference of the quadratic assignment, cooled and damped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from linkage.audit.finding import Guess
from linkage.audit.graph import COOLING, HEAT, SETTLED, best_of_each_person
from linkage.audit.scheme import Matrix, Scheme, any_key
from linkage.audit.world import NOBODY, World, signs

Places = NDArray[np.int64]
BLOCK = 1024
"""Rows whose resemblances to all are in memory at a time."""
DEPTH, NEIGHBOURS = 60, 10
SPREAD = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)
KEPT = 30
"""Likeliest people kept for a row."""
OWN_KEYS = 3
ROUNDS = 12


@dataclass(frozen=True, repr=False)
class Odds:
    """Each row's likeliest people and their odds, (n, KEPT); odds of a row sum to 1."""

    people: Places
    shares: Matrix

    def named(self) -> tuple[Places, Matrix]:
        """The likeliest person of each row, and his odds."""
        row, first = np.arange(len(self.shares)), self.shares.argmax(axis=1)
        return self.people[row, first], self.shares[row, first]


def unseeded_attack(world: World, scheme: Scheme, rng: np.random.Generator, most: int = 4000) -> Guess:
    """The best round's guess; the attacker is lucky enough to stop there. most: anchors."""
    codes = world.codes
    odds = _described_alike(codes, signs(scheme.encode(world.people, any_key())))
    expected = _expected(world, scheme)
    noise = _noise(codes, expected)
    anchors = np.sort(rng.permutation(len(codes))[:most])
    rows = np.arange(len(codes))
    best = Guess(int((world.truth != NOBODY).sum()), 0, 1 / max(len(world.people), 1))
    pull, cost, before = np.empty((0, 0), np.float32), np.empty(0, np.float32), np.full(len(rows), NOBODY)
    for turn in range(ROUNDS):
        fresh = _pulled(odds, anchors, expected)
        if turn:
            fresh = np.float32(0.5) * (pull + fresh[0]), np.float32(0.5) * (cost + fresh[1])
        pull, cost = fresh
        heat = max(1.0, HEAT * COOLING**turn)
        odds = _weighed(codes, anchors, pull, cost, np.float32((noise * heat) ** 2))
        named, clear = odds.named()
        once = np.where(best_of_each_person(named, clear), named, NOBODY)
        best = max(best, world.count(rows, named), world.count(rows, once), key=lambda each: each.found)
        settled = float((named != before).mean()) < SETTLED
        before = named
        if settled and heat == 1:
            break
    return best


def described(codes: Matrix) -> Matrix:
    """Sorted resemblances of each row to all others, and the mean of its nearest neighbours' own, (n, features)."""
    count, depth = len(codes), min(DEPTH, len(codes) - 1)
    own, nearest = [], np.empty((count, min(NEIGHBOURS, depth)), np.int64)
    for part in _blocks(count):
        seen = codes[part] @ codes.T / np.float32(codes.shape[1])
        seen[np.arange(len(seen)), np.arange(part.start, part.stop)] = -1  # not with itself
        place = np.argpartition(-seen, depth - 1, axis=1)[:, :depth]
        near = np.take_along_axis(seen, place, axis=1)
        order = np.argsort(-near, axis=1, kind="stable")
        nearest[part] = np.take_along_axis(place, order, axis=1)[:, : nearest.shape[1]]
        some = seen[:, :: max(1, count // 4096)]  # of so many others, quantiles are known well enough
        spread = np.quantile(some, SPREAD, axis=1).T
        both = np.stack([seen.mean(axis=1), seen.std(axis=1)], axis=1)
        own.append(np.concatenate([np.take_along_axis(near, order, axis=1), spread, both], axis=1, dtype=np.float32))
    features = np.concatenate(own)
    return np.concatenate([features, features[nearest].mean(axis=1)], axis=1, dtype=np.float32)


def _described_alike(codes: Matrix, own: Matrix) -> Odds:
    """First odds: people whose description is like the row's."""
    left, right = described(codes), described(own)
    scale = np.concatenate([left, right]).std(axis=0) + 1e-9
    left, right = left / scale, right / scale
    sizes = (right**2).sum(axis=1)
    return _joined(_likeliest(2 * left[part] @ right.T - sizes) for part in _blocks(len(left)))


def _expected(world: World, scheme: Scheme) -> NDArray[np.float16]:
    """Expected agreement of any two people, (m, m), zero on the diagonal."""
    count = len(world.people)
    own = [signs(scheme.encode_plain(world.people, any_key())) for _ in range(OWN_KEYS)]
    expected = np.empty((count, count), np.float16)
    for part in _blocks(count):
        expected[part] = (
            sum(scheme.raised(codes[part] @ codes.T / np.float32(codes.shape[1])) for codes in own) / OWN_KEYS
        )
    np.fill_diagonal(expected, 0)
    return expected


def _noise(codes: Matrix, expected: NDArray[np.float16]) -> float:
    """Standard deviation of what is seen of a pair about what is expected, as in graph.make_graphs, from some rows."""
    seen = codes[:BLOCK] @ codes.T / np.float32(codes.shape[1])
    np.fill_diagonal(seen, 0)
    among = float(expected[:BLOCK].astype(np.float32).var())
    return float(np.sqrt(max(float(seen.var()) - among, 0.02 * float(seen.var()), 0.25 / codes.shape[1])))


def _pulled(odds: Odds, anchors: Places, expected: NDArray[np.float16]) -> tuple[Matrix, Matrix]:
    """What each anchor would show to each person, by the anchor's odds, (a, m); and each person's part, (m,)."""
    from scipy.sparse import csr_matrix

    people = len(expected)
    starts = np.arange(0, len(anchors) * odds.people.shape[1] + 1, odds.people.shape[1])
    held = (odds.shares[anchors].ravel(), odds.people[anchors].ravel(), starts)
    chances = csr_matrix(held, shape=(len(anchors), people))
    weight = np.asarray(chances.sum(axis=0), np.float32).ravel()
    pull, cost = np.empty((len(anchors), people), np.float32), np.empty(people, np.float32)
    for part in _blocks(people):
        among = expected[part].astype(np.float32)
        pull[:, part] = chances @ among.T
        cost[part] = 0.5 * (among**2) @ weight
    return pull, cost


def _weighed(codes: Matrix, anchors: Places, pull: Matrix, cost: Matrix, variance: np.float32) -> Odds:
    """Odds of all rows by what they show to the anchors."""
    # Plain form: (codes @ hold) @ pull, hold = codes[anchors].T / bits, zero for an anchor with itself. With hold @
    # pull first, a row a bit and not one an anchor, a round of 24,000 rows takes a quarter of the steps.
    toward = (codes[anchors].T / np.float32(codes.shape[1])) @ pull
    itself = np.full(len(codes), NOBODY)
    itself[anchors] = np.arange(len(anchors))
    parts = []
    for part in _blocks(len(codes)):
        logs = codes[part] @ toward - cost
        held = np.flatnonzero(itself[part] != NOBODY)
        alone = (codes[part][held] ** 2).mean(axis=1, keepdims=True)
        logs[held] -= alone * pull[itself[part][held]]
        parts.append(_likeliest(np.asarray(logs / variance, np.float32)))
    odds = _joined(iter(parts))
    shares = odds.shares
    for _ in range(4):  # nobody is given away more than once (Sinkhorn)
        taken = np.bincount(odds.people.ravel(), shares.ravel(), len(cost)).astype(np.float32)
        shares /= np.maximum(taken, 1)[odds.people]
        shares /= shares.sum(axis=1, keepdims=True) + np.float32(1e-12)
    return Odds(odds.people, shares)


def _likeliest(logs: Matrix) -> Odds:
    depth = min(KEPT, logs.shape[1])
    near = np.argpartition(-logs, depth - 1, axis=1)[:, :depth]
    kept = np.take_along_axis(logs, near, axis=1)
    shares = np.exp(kept - kept.max(axis=1, keepdims=True))
    return Odds(near, shares / shares.sum(axis=1, keepdims=True))


def _joined(parts: Iterator[Odds]) -> Odds:
    every = list(parts)
    return Odds(np.concatenate([each.people for each in every]), np.concatenate([each.shares for each in every]))


def _blocks(count: int) -> list[slice]:
    return [slice(start, stop) for start, stop in pairwise([*range(0, count, BLOCK), count])]
