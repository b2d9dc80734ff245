"""Competition between pairs: log odds of each pair alone in, probability that it holds beside its rivals out.

A row has one partner in a file without duplicates, so that a pair loses what its rivals win. Where a file is known
to hold duplicates, a second partner is allowed at a price.
Source: belief propagation for matchings (monomer-dimer model), Bayati, Shah & Sharma 2008; exact where the graph of
candidate pairs is a tree.
"""

from __future__ import annotations

from collections.abc import Sequence

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
    from linkage.match.kernels_model import numbered  # loads numba

    probability = 1.0 / (1.0 + np.exp(np.minimum(-log_odds, 700.0)))
    pairs_in = np.flatnonzero(log_odds > HOPELESS)
    if len(pairs_in):
        sides = [numbered(rows[pairs_in], int(rows.max()) + 1) for rows in (pairs.left, pairs.right)]
        odds = np.exp(np.minimum(log_odds[pairs_in], _CERTAIN))
        probability[pairs_in] = _propagate(sides, odds, copies, settled)
    return np.asarray(probability)


def _propagate(
    sides: Sequence[tuple[NDArray[np.int32], int]], odds: Floats, copies: tuple[float, float], settled: float
) -> Floats:
    """Messages "my row is free for you", from rows to pairs, until they settle; (m,) probabilities.

    sides: of the left and of the right, each pair's row, (m,), and how many rows there are.
    """
    from linkage.match.kernels_model import move  # loads numba

    messages = np.zeros((2, len(odds)))  # logarithms
    totals = [np.empty(count) for _, count in sides]
    pull = np.empty(len(odds))
    for _ in range(ROUNDS):
        change = 0.0
        for side, (rows, _) in enumerate(sides):
            np.exp(messages[1 - side], out=pull)
            pull *= odds
            _free(rows, pull, copies[side], totals[side])
            change = max(change, move(messages[side], pull, DAMPING))
        if change < settled:
            break
    ratio = odds * np.exp(messages[0] + messages[1])
    return np.asarray(ratio / (1 + ratio))


def _free(rows: NDArray[np.int32], pull: Floats, copies: float, total: Floats) -> None:
    """How free a row is for each of its pairs, as a logarithm, given the pull of its other pairs.

    With k partners weighing copies ** (k - 1), the rivals' generating function is
    1 + (prod(1 + copies * pull) - 1) / copies, and prod(1 + copies * pull) with this pair in place.
    pull: (m,), written over, without copies of the array: there are thousands of rounds. total: room for one a row.
    """
    from linkage.match.kernels_model import rivals  # loads numba

    if copies > 0:
        # Plain form: grown = log1p(copies * pull), free = 1 / (exp(-rivals) - expm1(-rivals) / copies).
        pull *= copies
        np.log1p(pull, out=pull)
        rivals(rows, pull, total)
        np.negative(pull, out=pull)
        np.expm1(pull, out=pull)
        pull *= 1 - 1 / copies
    else:
        rivals(rows, pull, total)
    np.log1p(pull, out=pull)
    np.negative(pull, out=pull)


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
