"""The join of tokens finds what looking at every two rows finds, whatever the order and however it is cut."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from linkage.errors import ShapeError
from linkage.match import equality
from linkage.match.equality import meet
from tests import naive


@st.composite
def files(draw):
    """Two files of tokens, few enough that rows meet often, some alike in one half only."""
    pool = [bytes([half, 0, 0, 0, 0, 0, 0, 9]) + bytes([other] * 8) for half in range(3) for other in range(3)]
    sizes = draw(st.tuples(st.integers(0, 6), st.integers(0, 6)))
    widths = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    made = []
    for size, width in zip(sizes, widths, strict=True):
        tokens = draw(st.lists(st.sampled_from(pool), min_size=size * width, max_size=size * width))
        made.append(np.frombuffer(b"".join(tokens), np.uint8).reshape(size, width, 16))
    return made


@given(files())
@settings(max_examples=300)
def test_rows_meet_where_looking_at_every_two_says_they_do(made):
    left, right = made
    found = meet(left, right)
    pairs = {
        (int(i), int(j)): (int(p), int(q))
        for i, j, p, q in zip(found.left, found.right, found.left_slot, found.right_slot, strict=True)
    }
    assert len(pairs) == len(found)
    assert pairs == naive.meetings(left, right)


@given(files())
def test_the_order_of_pairs_hangs_on_tokens_alone(made):
    """Shuffled rows give the same tokens in the same order (R36)."""
    left, right = made
    found, turned = meet(left, right), meet(left[::-1], right[::-1])
    assert_array_equal(left[found.left, found.left_slot], left[::-1][turned.left, turned.left_slot])


def test_chunks_leave_nothing_out(monkeypatch):
    """The right file cut anywhere gives the same pairs; so does a table of marks that is nearly full."""
    rng = np.random.default_rng(3)
    left, right = (rng.integers(0, 256, (size, 5, 16)).astype(np.uint8) for size in (300, 700))
    rows = rng.permutation(300)[:200]
    right[:200, 2] = left[rows, 4]
    whole = meet(left, right)
    assert len(whole) == 200
    monkeypatch.setattr(equality, "CHUNK", 37)
    monkeypatch.setattr(equality, "_MARKS", 3)
    for name in ("left", "right", "left_slot", "right_slot"):
        assert_array_equal(getattr(meet(left, right), name), getattr(whole, name))


def test_only_tokens_are_joined():
    for wrong in (np.zeros((3, 16), np.uint8), np.zeros((3, 2, 8), np.uint8), np.zeros((3, 2, 16), np.int8)):
        with pytest.raises(ShapeError):
            meet(wrong, np.zeros((1, 1, 16), np.uint8))
