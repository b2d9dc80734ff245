"""Laws of competition, assignment and grouping that hold for any candidates."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.match import onetoone
from linkage.match.grouping import Spoke, group
from linkage.model import Pairs


@st.composite
def candidates(draw, most=25):
    edges = draw(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), min_size=1, max_size=most, unique=True))
    odds = draw(st.lists(st.floats(-16, 16), min_size=len(edges), max_size=len(edges)))
    left, right = zip(*edges, strict=True)
    return Pairs(np.array(left, np.int32), np.array(right, np.int32)), np.array(odds)


def shuffled(pairs, values, seed):
    order = np.random.default_rng(seed).permutation(len(pairs))
    return order, Pairs(pairs.left[order], pairs.right[order]), values[order]


@given(candidates())
def test_competition_never_makes_a_pair_likelier(drawn):
    pairs, odds = drawn
    assert (onetoone.posterior(pairs, odds) <= 1 / (1 + np.exp(-odds)) + 1e-6).all()


@given(candidates(), st.integers(0, 99))
def test_the_order_of_pairs_changes_no_probability(drawn, seed):
    pairs, odds = drawn
    order, again, moved = shuffled(pairs, odds, seed)
    np.testing.assert_allclose(onetoone.posterior(again, moved), onetoone.posterior(pairs, odds)[order], atol=1e-9)


@given(candidates(), st.integers(0, 99))
def test_assignment_is_one_to_one_and_order_free(drawn, seed):
    pairs, odds = drawn
    probability = 1 / (1 + np.exp(-odds))
    picked = onetoone.assign(pairs, probability)
    assert len(set(pairs.left[picked])) == len(set(pairs.right[picked])) == picked.sum()
    order, again, moved = shuffled(pairs, probability, seed)
    assert (onetoone.assign(again, moved) == picked[order]).all()


@given(candidates())
def test_no_pair_is_left_over_whose_rows_are_both_free(drawn):
    pairs, odds = drawn
    picked = onetoone.assign(pairs, odds)
    free_left = ~np.isin(pairs.left, pairs.left[picked])
    free_right = ~np.isin(pairs.right, pairs.right[picked])
    assert not (free_left & free_right).any()


@settings(max_examples=50)
@given(candidates(), candidates(), st.integers(0, 99))
def test_a_row_is_in_one_group_and_a_group_has_one_row_of_a_file(one, two, seed):
    spokes = [
        Spoke("birth", name, pairs, p := 1 / (1 + np.exp(-odds)), p > 0.3)
        for name, (pairs, odds) in (("police", one), ("housing", two))
    ]
    grouping = group(spokes, {"birth"})
    members = [member.row for each in grouping.groups for member in each.members]
    assert len(members) == len(set(members))
    for each in grouping.groups:
        files = [member.row[0] for member in each.members]
        assert len(files) == len(set(files))
    order, pairs, _ = shuffled(*one, seed)
    turned = Spoke("birth", "police", pairs, spokes[0].probability[order], spokes[0].allowed[order])
    assert group([spokes[1], turned], {"birth"}).groups == grouping.groups
