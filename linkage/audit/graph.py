"""Similarity-graph matching: name every row by whom it resembles, and whom those resemble.

The attacker is given the codes of one file and people in plain text; he knows the scheme and perhaps some rows, and no
key. Who resembles whom is the same in codes and in plain text, so he lays one graph upon the other.

Two ways from a first guess to all rows: hard, the projected power method (every round names all rows, each by the rows
just named), and soft (every round gives each row odds over all people, by the odds of the others), which draws on
resemblances far below the noise of any single pair. First guesses: rows known, or who has the same profile of
resemblances, or the same place in the spectrum of the graph.
Sources: Vidanage, Christen, Ranbaduge & Schnell 2020, "A graph matching attack on privacy-preserving record linkage";
Schaefer, Armknecht & Heng 2024, "R+R: Revisiting graph matching attacks on PPRL"; Onaran & Villar 2017, "Projected
power iteration for network alignment"; the soft form is mean-field inference of the quadratic assignment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.audit.finding import Guess
from linkage.audit.scheme import Scheme, agreement
from linkage.audit.world import NOBODY, World

Matrix = NDArray[np.float32]
Places = NDArray[np.int64]
ROUNDS = 16
HEAT, COOLING = 6.0, 0.7
"""By how much noise is overstated in the first round, and how quickly that ends."""
HUNGARIAN = 800
"""Rows up to which the best one-to-one assignment is worth its time."""
CHOICES = 20
"""People considered for a row in a greedy assignment."""
LEAST = np.float32(1e-20)
"""Odds that count as none: smaller ones end as denormal numbers, with which a processor multiplies far more slowly."""
SETTLED = 0.002
"""Share of rows whose name changes in a round below which the attacker stops."""


@dataclass(frozen=True, repr=False)
class Graphs:
    """Both graphs with zero diagonals, on one scale.

    seen: (n, n) agreement of codes; expected: (m, m) the same of people, as the scheme would have it.
    noise: standard deviation of seen about expected for a pair.
    """

    seen: Matrix
    expected: Matrix
    noise: float


def make_graphs(world: World, scheme: Scheme) -> Graphs:
    """Both graphs, laid on one scale; of one world and scheme they are made once, and never written to."""
    if scheme.name in world.made:
        return world.made[scheme.name]  # type: ignore[no-any-return]
    codes = world.codes
    seen, expected = agreement(codes), scheme.kernel(world.people)
    for graph in (seen, expected):
        np.fill_diagonal(graph, 0)
    floor = 1 / codes.shape[1]
    # What the codes spread beyond what is expected of people is noise; own keys differ, so it is never nothing.
    spread = max(float(seen.var()) - float(expected.var()), 0.02 * float(seen.var()), 0.25 * floor)
    graphs = Graphs(seen, expected, float(np.sqrt(spread)))
    world.made[scheme.name] = graphs
    return graphs


def graph_attack(world: World, scheme: Scheme, overlap: float = 1.0) -> Guess:
    """The best of all ways, by what they find: the attacker is lucky enough to choose rightly."""
    graphs = make_graphs(world, scheme)
    if len(world.known):
        return _better(world, soft(world, graphs, seeded(world), overlap))
    # Without rows to hold on to a crude beginning must not be believed: soft and hot, or hard steps before soft ones.
    starts = (profiles(graphs), spectrum(graphs))
    scores = [soft(world, graphs, first, overlap, HEAT) for first in starts]
    rough = named_odds(world, assign(world, power(world, graphs, starts[0])))
    scores.append(soft(world, graphs, rough, overlap))
    return max((_better(world, each) for each in scores), key=lambda guess: guess.found)


def _better(world: World, scores: Matrix) -> Guess:
    """What the scores find, each person once or not; whichever is more."""
    ways = (assign(world, scores), best(world, scores))
    return max((world.count(world.unknown, named) for named in ways), key=lambda guess: guess.found)


def named_odds(world: World, named: Places) -> Matrix:
    """Odds (n, m) that hold names (u,) of the unknown rows for certain."""
    odds = seeded(world)
    held = named != NOBODY
    odds[world.unknown[held], named[held]] = 1
    return odds


def seeded(world: World) -> Matrix:
    """Odds (n, m) that say nothing but what is known."""
    odds = np.zeros((len(world.truth), len(world.people)), np.float32)
    odds[world.known, world.truth[world.known]] = 1
    return odds


def profiles(graphs: Graphs) -> Matrix:
    """First odds from each node's own resemblances, sorted: how many near, how near, and its neighbours' the same."""
    left, right = _features(graphs.seen), _features(graphs.expected)
    spread = np.concatenate([left, right]).std(axis=0) + 1e-9
    return _nearest(left / spread, right / spread)


def spectrum(graphs: Graphs, most: int = 24) -> Matrix:
    """First odds from each node's place in the leading eigenvectors, without their signs.

    Source: Umeyama 1988, "An eigendecomposition approach to weighted graph matching problems".
    """
    from scipy.sparse.linalg import eigsh

    parts = []
    for graph in (graphs.seen, graphs.expected):
        values, vectors = eigsh(graph.astype(np.float64), k=min(most, len(graph) - 2), which="LA")
        parts.append(np.abs(vectors[:, ::-1]) * np.sqrt(np.abs(values[::-1])))
    return _nearest(parts[0], parts[1])


def soft(world: World, graphs: Graphs, odds: Matrix, overlap: float, heat: float = 1.0) -> Matrix:
    """Log odds of every person for every unknown row, (u, f), after rounds of mean-field inference.

    heat: by how much the noise is overstated at first, so that a crude beginning is not believed; cools to 1.
    """
    rows, people = world.unknown, world.free
    nobody = np.log(max((1 - overlap) * len(people) / max(overlap, 1e-3), 1e-9))
    fixed, before = seeded(world), np.full(len(rows), NOBODY)
    logs = np.zeros((len(rows), len(people)), np.float32)
    squares = graphs.expected**2
    for turn in range(ROUNDS):
        pull = (graphs.seen[rows] @ odds) @ graphs.expected[:, people]
        logs = (pull - 0.5 * (odds.sum(axis=0) @ squares[:, people])[None, :]) / np.float32(
            (graphs.noise * max(1.0, heat * COOLING**turn)) ** 2
        )
        now = logs.argmax(axis=1)
        changed = float((now != before).mean())
        before = now
        if changed < SETTLED and heat * COOLING**turn <= 1:
            break
        share = _shares(logs, nobody)
        fresh = fixed.copy()
        fresh[np.ix_(rows, people)] = share
        odds = fresh if turn == 0 else 0.5 * (odds + fresh)
    return logs


def power(world: World, graphs: Graphs, odds: Matrix) -> Matrix:
    """The same by naming every row outright in every round."""
    rows, people = world.unknown, world.free
    seen, expected = (graph - graph.mean(axis=1, keepdims=True) for graph in (graphs.seen, graphs.expected))
    scores = odds[np.ix_(rows, people)]
    named = _one_to_one(scores)
    for _ in range(ROUNDS):
        hard = seeded(world)
        held = named >= 0
        hard[rows[held], people[named[held]]] = 1
        scores = (seen[rows] @ hard) @ expected[:, people]
        norm = np.sqrt((expected[:, people] ** 2).sum(axis=0)) + 1e-9
        scores = scores / norm[None, :]
        after = _one_to_one(scores)
        if float((after != named).mean()) < SETTLED:
            break
        named = after
    return scores


def assign(world: World, scores: Matrix) -> Places:
    """People for the unknown rows, each once."""
    named = _one_to_one(scores)
    return np.asarray(np.where(named >= 0, world.free[np.maximum(named, 0)], NOBODY))


def best(world: World, scores: Matrix) -> Places:
    """The likeliest person of each unknown row, whoever else has him."""
    return np.asarray(world.free[scores.argmax(axis=1)])


def best_of_each_person(named: Places, clear: Matrix) -> NDArray[np.bool_]:
    """Of the rows that name one person, the one that does so most clearly, (u,)."""
    order = np.lexsort((-clear, named))
    first = np.ones(len(named), bool)
    first[1:] = named[order][1:] != named[order][:-1]
    once = np.zeros(len(named), bool)
    once[order] = first
    return once


def _one_to_one(scores: Matrix) -> Places:
    """The Hungarian solution (Jonker & Volgenant 1987) of small problems, else greedily from the clearest rows on."""
    named = np.full(len(scores), NOBODY, np.int64)
    if len(scores) <= HUNGARIAN:
        from scipy.optimize import linear_sum_assignment

        left, right = linear_sum_assignment(scores, maximize=True)
        named[left] = right
        return named
    depth = min(CHOICES, scores.shape[1])
    near = np.argpartition(-scores, depth - 1, axis=1)[:, :depth]
    value = np.take_along_axis(scores, near, axis=1)
    value = value - value.mean(axis=1, keepdims=True)  # by how much a choice stands out in its row
    taken = np.zeros(scores.shape[1], bool)
    for place in np.argsort(-value, axis=None, kind="stable").tolist():
        row = place // depth
        person = near[row, place % depth]
        if named[row] == NOBODY and not taken[person]:
            named[row], taken[person] = person, True
    return named


def _shares(logs: Matrix, nobody: float) -> Matrix:
    """Odds from log odds: rows sum to one with `nobody`, and nobody is given away more than once (Sinkhorn)."""
    top = np.maximum(logs.max(axis=1, keepdims=True), nobody)
    share = np.exp(logs - top)
    share[share < LEAST] = 0
    rest = np.exp(nobody - top)
    for _ in range(4):
        share /= np.maximum(share.sum(axis=0, keepdims=True), 1)
        share /= share.sum(axis=1, keepdims=True) + rest + 1e-12
    return np.asarray(share, np.float32)


def _features(graph: Matrix, depth: int = 60) -> Matrix:
    depth = min(depth, len(graph) - 1)
    near = -np.sort(np.partition(-graph, depth, axis=1)[:, :depth], axis=1)
    spread = np.quantile(graph, [0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98], axis=1).T
    own = np.concatenate([near, spread, graph.mean(axis=1, keepdims=True), graph.std(axis=1, keepdims=True)], axis=1)
    nearest = np.argpartition(-graph, 10, axis=1)[:, :10]
    return np.concatenate([own, own[nearest].mean(axis=1)], axis=1, dtype=np.float32)


def _nearest(left: Matrix, right: Matrix) -> Matrix:
    """Odds by squared distance of features; rows sum to one."""
    distance = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None, :] - 2 * left @ right.T
    odds = np.exp(distance.min(axis=1, keepdims=True) - distance)
    return np.asarray(odds / odds.sum(axis=1, keepdims=True), np.float32)
