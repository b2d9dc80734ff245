"""Competition between pairs: log odds of each pair alone in, probability that it holds beside its rivals out.

A row has one partner in a file without duplicates, so that a pair loses what its rivals win. Where a file is known
to hold duplicates, a second partner is allowed at a price.
Source: belief propagation for matchings (monomer-dimer model), Bayati, Shah & Sharma 2008; exact where the graph of
candidate pairs is a tree.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linkage.errors import ShapeError
from linkage.model import Pairs

ROUNDS = 100
DAMPING = 0.3
HOPELESS = -14.0
"""Log odds below which a pair is left out of the competition: it holds with less than one in a million."""
_CERTAIN = 28.0
SETTLED = 1e-5

Floats = NDArray[np.float64]


def posterior(
    pairs: Pairs, log_odds: Floats, copies: tuple[float, float] = (0.0, 0.0), settled: float = SETTLED
) -> Floats:
    """Probability of each pair under the rule of one partner a row, (m,).

    log_odds: (m,) natural log of the odds ignoring competition. copies: how readily a row of the left, of the right
    file has a second partner in the other, relative to its first: 0 never, 1 as readily.
    settled: largest relative change of a message that still counts as none.
    Raises ShapeError when log_odds and pairs differ in length.
    """
    if len(log_odds) != len(pairs):
        raise ShapeError(f"{len(pairs)} pairs but {len(log_odds)} log odds")
    probability = 1.0 / (1.0 + np.exp(np.minimum(-log_odds, 700.0)))
    rows = np.flatnonzero(log_odds > HOPELESS)
    if len(rows):
        left = np.unique(pairs.left[rows], return_inverse=True)[1]
        right = np.unique(pairs.right[rows], return_inverse=True)[1]
        probability[rows] = _propagate(left, right, np.exp(np.minimum(log_odds[rows], _CERTAIN)), copies, settled)
    return np.asarray(probability)


def _propagate(
    left: NDArray[np.int64], right: NDArray[np.int64], odds: Floats, copies: tuple[float, float], settled: float
) -> Floats:
    """Messages "my row is free for you", from rows to pairs, until they settle; (m,) probabilities."""
    from_left, from_right = np.zeros(len(odds)), np.zeros(len(odds))  # logarithms
    for _ in range(ROUNDS):
        new_left = np.log(_free(left, odds * np.exp(from_right), copies[0]))
        from_left_next = DAMPING * from_left + (1 - DAMPING) * new_left
        new_right = np.log(_free(right, odds * np.exp(from_left_next), copies[1]))
        change = max(float(np.abs(new_left - from_left).max()), float(np.abs(new_right - from_right).max()))
        from_left, from_right = from_left_next, DAMPING * from_right + (1 - DAMPING) * new_right
        if change < settled:
            break
    ratio = odds * np.exp(from_left + from_right)
    return np.asarray(ratio / (1 + ratio))


def _free(row: NDArray[np.int64], pull: Floats, copies: float) -> Floats:
    """How free a row is for each of its pairs, given the pull of its other pairs, (m,) in (0, 1].

    With k partners weighing copies ** (k - 1), the rivals' generating function is
    1 + (prod(1 + copies * pull) - 1) / copies, and prod(1 + copies * pull) with this pair in place.
    """
    if copies <= 0:
        rivals = np.maximum(np.bincount(row, pull)[row] - pull, 0.0)
        return np.asarray(1 / (1 + rivals))
    grown = np.log1p(copies * pull)
    rivals = np.maximum(np.bincount(row, grown)[row] - grown, 0.0)
    return np.asarray(1 / (np.exp(-rivals) - np.expm1(-rivals) / copies))


def assign(pairs: Pairs, probability: Floats, many: tuple[bool, bool] = (False, False)) -> NDArray[np.bool_]:
    """Pick pairs, most probable first, so that no row is picked twice; (m,) bool.

    many: whether a row of the left, of the right file may have several partners. Ties go to the lower row numbers.
    """
    if len(probability) != len(pairs):
        raise ShapeError(f"{len(pairs)} pairs but {len(probability)} probabilities")
    picked = np.zeros(len(pairs), bool)
    if all(many) or not len(pairs):
        return ~picked
    rank = np.lexsort((pairs.right, pairs.left, -probability))
    open_left = np.ones(int(pairs.left.max()) + 1, bool)
    open_right = np.ones(int(pairs.right.max()) + 1, bool)
    # A pair that is best for both its rows is picked in any order, so whole rounds can be taken at once.
    while len(rank):
        left, right = pairs.left[rank], pairs.right[rank]
        best = np.ones(len(rank), bool)
        if not many[0]:
            best &= _first(left)
        if not many[1]:
            best &= _first(right)
        chosen = rank[best]
        picked[chosen] = True
        if not many[0]:
            open_left[pairs.left[chosen]] = False
        if not many[1]:
            open_right[pairs.right[chosen]] = False
        rank = rank[~best & open_left[left] & open_right[right]]
    return picked


def _first(rows: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Where each row number stands for the first time, (m,)."""
    first = np.zeros(len(rows), bool)
    first[np.unique(rows, return_index=True)[1]] = True
    return first
