"""XORs of few codes: diffusion is linear, so the XOR of two, three or four codes is the code of what they do not share.

The attacker is given codes made by XOR and people in plain text. Small sets of rows whose XOR is nearly nothing are
sets whose people cancel out (brothers with the same two forenames, say); the same sets stand in the plain text. Rows
and people are joined where they share such a set, and the two graphs of these joins are laid upon one another.
Source: Armknecht & Schaefer 2026, "Breaking BAD? Better call SAUL!", PoPETs 2026(2). As there, small files only: all
sets of four of n rows are searched as all pairs of pairs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linkage.audit import graph
from linkage.audit.finding import Guess
from linkage.audit.scheme import Scheme, any_key
from linkage.audit.world import World
from linkage.match.candidates import Nearest

Filters = NDArray[np.uint64]
SETS_PER_ROW = 4
NEAREST = 6
"""Pairs whose XOR comes nearest to that of a pair."""


def xor_attack(world: World, scheme: Scheme) -> Guess:
    """Rows named by the sets they belong to, and by these together with plain resemblance; the better of both."""
    resemblance = graph.make_graphs(world, scheme)
    own = scheme.encode_plain(world.people, any_key())
    joins = [_joins(world.filters), _joins(own)]
    together = [joins[0] + np.maximum(resemblance.seen, 0), joins[1] + np.maximum(resemblance.expected, 0)]
    guesses = []
    for seen, expected in (joins, together):
        noise = max(float(np.sqrt(0.3) * seen.std()), 1e-3)
        graphs = graph.Graphs(seen, expected, noise)
        first = graph.seeded(world) if len(world.known) else graph.profiles(graphs)
        ways = (graph.soft(world, graphs, first, 1.0), graph.power(world, graphs, first))
        guesses += [world.count(world.unknown, graph.assign(world, scores)) for scores in ways]
    return max(guesses, key=lambda guess: guess.found)


def sets(filters: Filters) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Sets of two, three or four rows with the smallest XOR: (s, 4) rows, -1 where there are fewer, and (s,) weights.

    Weights are in bits; at most SETS_PER_ROW sets a row, the smallest first.
    """
    from linkage.match.search import find_candidates

    count = len(filters)
    low, high = np.triu_indices(count, 1)
    twos = filters[low] ^ filters[high]
    found = [(np.stack([low, high, np.full(len(low), -1), np.full(len(low), -1)], axis=1), _weight(twos))]
    settings = Nearest(keep=NEAREST, both_sides=False)
    singles = find_candidates(filters, twos, settings)
    three = np.stack([singles.left, low[singles.right], high[singles.right], np.full(len(singles.left), -1)], axis=1)
    found.append((three, _weight(filters[singles.left] ^ twos[singles.right])))
    pairs = find_candidates(twos, None, settings)
    four = np.stack([low[pairs.left], high[pairs.left], low[pairs.right], high[pairs.right]], axis=1)
    found.append((four, _weight(twos[pairs.left] ^ twos[pairs.right])))
    rows = np.sort(np.concatenate([each[0] for each in found]), axis=1)[:, ::-1]
    weights = np.concatenate([each[1] for each in found])
    distinct = (rows[:, :-1] != rows[:, 1:]) | (rows[:, 1:] < 0)
    rows, weights = rows[distinct.all(axis=1)], weights[distinct.all(axis=1)]
    rows, first = np.unique(rows, axis=0, return_index=True)
    weights = weights[first]
    kept = np.argsort(weights, kind="stable")[: SETS_PER_ROW * count]
    return rows[kept].astype(np.int64), weights[kept]


def _joins(filters: Filters) -> NDArray[np.float32]:
    """(n, n) how many of the smallest sets two rows share."""
    rows, _ = sets(filters)
    out = np.zeros((len(filters), len(filters)), np.float32)
    for one in range(4):
        for other in range(4):
            held = (rows[:, one] >= 0) & (rows[:, other] >= 0)
            if one != other:
                np.add.at(out, (rows[held, one], rows[held, other]), 1)
    return np.asarray(np.minimum(out, 4))


def _weight(filters: Filters) -> NDArray[np.float64]:
    return np.asarray(np.bitwise_count(filters).sum(axis=1), np.float64)
