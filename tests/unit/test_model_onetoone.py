"""Competition between pairs, checked against every possible matching counted one by one."""

from itertools import combinations

import numpy as np
import pytest

from linkage.errors import ShapeError
from linkage.match import onetoone
from linkage.model import Pairs


def pairs(*edges):
    left, right = zip(*edges, strict=True)
    return Pairs(np.array(left, np.int32), np.array(right, np.int32))


def naive(edges, odds, copies=(0.0, 0.0)):
    """Probability of each edge, by adding up all sets of edges; a row's k partners weigh copies ** (k - 1)."""
    total, each = 0.0, np.zeros(len(edges))
    for size in range(len(edges) + 1):
        for chosen in combinations(range(len(edges)), size):
            weight = np.prod([odds[e] for e in chosen]) if chosen else 1.0
            for side in (0, 1):
                rows = [edges[e][side] for e in chosen]
                for row in set(rows):
                    weight *= copies[side] ** (rows.count(row) - 1)
            total += weight
            each[list(chosen)] += weight
    return each / total


TREE = [(0, 0), (0, 1), (1, 1), (2, 1), (2, 2)]
ODDS = np.array([3.0, 0.5, 8.0, 0.2, 40.0])


@pytest.mark.parametrize("copies", [(0.0, 0.0), (0.3, 0.0), (0.05, 0.6), (1.0, 1.0)])
def test_posteriors_are_exact_where_candidates_form_a_tree(copies):
    found = onetoone.posterior(pairs(*TREE), np.log(ODDS), copies)
    np.testing.assert_allclose(found, naive(TREE, ODDS, copies), atol=1e-4)


def test_posteriors_are_close_on_a_loop():
    loop = [(0, 0), (0, 1), (1, 0), (1, 1)]
    odds = np.array([20.0, 1.0, 1.0, 20.0])
    np.testing.assert_allclose(onetoone.posterior(pairs(*loop), np.log(odds)), naive(loop, odds), atol=0.05)


def test_without_rivals_a_pair_keeps_its_own_odds():
    found = onetoone.posterior(pairs((0, 0), (1, 1)), np.log([4.0, 0.25]))
    np.testing.assert_allclose(found, [0.8, 0.2], atol=1e-6)


def test_two_equal_rivals_share_what_there_is():
    found = onetoone.posterior(pairs((0, 0), (0, 1)), np.array([20.0, 20.0]))
    np.testing.assert_allclose(found, [0.5, 0.5], atol=1e-6)


def test_where_a_file_holds_duplicates_equal_rivals_may_both_hold():
    found = onetoone.posterior(pairs((0, 0), (0, 1)), np.array([20.0, 20.0]), (1.0, 0.0))
    assert (found > 0.99).all()


def test_no_row_is_picked_twice_and_the_surer_pair_wins():
    picked = onetoone.assign(pairs((0, 0), (0, 1), (1, 1), (1, 0)), np.array([0.6, 0.9, 0.8, 0.1]))
    assert picked.tolist() == [False, True, False, True]


def test_ties_go_to_the_lower_rows_whatever_the_order_of_input():
    edges = [(1, 0), (0, 0), (0, 1)]
    for order in ([0, 1, 2], [2, 1, 0], [1, 0, 2]):
        picked = onetoone.assign(pairs(*(edges[e] for e in order)), np.full(3, 0.5))
        assert [edges[e] for e, p in zip(order, picked, strict=True) if p] == [(0, 0)]


def test_a_row_may_keep_several_partners_of_a_file_with_duplicates():
    picked = onetoone.assign(pairs((0, 0), (0, 1), (1, 1)), np.array([0.9, 0.8, 0.7]), (True, False))
    assert picked.tolist() == [True, True, False]


def test_lengths_that_differ_are_refused():
    with pytest.raises(ShapeError):
        onetoone.posterior(pairs((0, 0)), np.zeros(2))
    with pytest.raises(ShapeError):
        onetoone.assign(pairs((0, 0)), np.zeros(2))
