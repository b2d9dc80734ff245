"""Laws every search keeps, whatever the filters."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from linkage.match import lsh
from linkage.match.candidates import Above, Nearest, Sampled
from linkage.match.kept import Kept
from linkage.match.search import find_candidates
from tests import naive

WORDS = st.shared(st.integers(1, 11), key="words")
# Few distinct words make near rows and ties common.
WORD = st.one_of(st.sampled_from([0, 1, 3, 7, 2**64 - 1, 2**63]), st.integers(0, 2**64 - 1))


@pytest.fixture(scope="module", name="little_room")
def _little_room():
    """Room for two pairs, so that a handful is sorted out again and again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("linkage.match.kept._ROOM", 2)
        yield


@st.composite
def files(draw, most=40):
    rows = draw(st.integers(0, most))
    return draw(hnp.arrays(np.uint64, (rows, draw(WORDS)), elements=WORD))


def as_pairs(found):
    return {
        (i, j): d for i, j, d in zip(*(a.tolist() for a in (found.left, found.right, found.distances)), strict=True)
    }


@settings(max_examples=60)
@given(files(), files(), st.integers(1, 5), st.booleans(), st.floats(0, 1))
def test_nearest_is_its_plain_twin(left, right, keep, both_sides, furthest):
    found = find_candidates(left, right, Nearest(keep, both_sides, furthest))
    limit = int(furthest * left.shape[1] * 64 + 1e-9)
    assert as_pairs(found) == naive.nearest(left, right, keep, both_sides=both_sides, furthest=limit)


@settings(max_examples=40)
@given(files(), st.integers(1, 5), st.floats(0, 1))
def test_nearest_within_one_file_is_its_plain_twin(people, keep, furthest):
    found = find_candidates(people, None, Nearest(keep, furthest=furthest))
    limit = int(furthest * people.shape[1] * 64 + 1e-9)
    assert as_pairs(found) == naive.nearest(people, None, keep, both_sides=True, furthest=limit)


@settings(max_examples=40)
@given(files(), files(), st.integers(1, 4))
def test_exchanging_the_files_exchanges_the_pairs(left, right, keep):
    there = as_pairs(find_candidates(left, right, Nearest(keep)))
    back = as_pairs(find_candidates(right, left, Nearest(keep)))
    assert there == {(i, j): d for (j, i), d in back.items()}


@settings(max_examples=60)
@given(files(), files(), st.floats(0.01, 1))
def test_no_pair_above_the_threshold_is_lost_and_none_below_it_found(left, right, dice):
    assert as_pairs(find_candidates(left, right, Above(dice))) == naive.above(left, right, dice)
    assert as_pairs(find_candidates(left, None, Above(dice))) == naive.above(left, None, dice)


@settings(max_examples=60)
@given(files(), files(), st.floats(0.01, 1), st.integers(1, 4))
def test_the_nearest_above_a_threshold_are_their_plain_twin(left, right, dice, keep):
    for other in (right, None):
        wanted = naive.nearest_of_either(naive.above(left, other, dice), keep, within=other is None)
        assert as_pairs(find_candidates(left, other, Above(dice, keep=keep))) == wanted


@pytest.mark.usefixtures("little_room")
@settings(max_examples=60)
@given(
    st.dictionaries(st.tuples(st.integers(0, 6), st.integers(7, 12)), st.integers(0, 5), min_size=1),
    st.integers(1, 3), st.booleans(), st.randoms(use_true_random=False),
)  # fmt: skip
def test_what_is_kept_does_not_hang_on_the_order_in_which_it_came(pairs, keep, within, random):
    order = random.sample(sorted(pairs), len(pairs))
    some = Kept(keep, within=within)
    for i, j in order:
        some.add(np.array([[i], [j], [pairs[i, j]]], np.int32))
    kept = {(i, j): d for i, j, d in some.pairs().T.tolist()}
    assert kept == naive.nearest_of_either(pairs, keep, within=within)


@settings(max_examples=30)
@given(files(), files(), st.floats(0.3, 1), st.integers(0, 5))
def test_sampling_never_finds_what_is_not_there(left, right, dice, seed):
    if not len(left) or not len(right):
        return
    exact = naive.above(left, right, dice)
    found = as_pairs(lsh.sampled(left, right, Sampled(dice, 0.9, seed=seed)))
    assert found.items() <= exact.items()
