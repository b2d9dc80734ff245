"""The compiled loops of tight tokens do what their plain twins do."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.encode.kernels_tight import deal_tokens
from linkage.encode.tight import _sharing
from tests import naive_encode as naive


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from([0, 1, 2, 8, 1 << 63, (1 << 64) - 1])), max_size=12))
def test_sharing_is_counted_person_by_person(entries):
    """Values that fall on one place of the table, the value 0, and a person who has a value twice."""
    entries.sort(key=lambda entry: entry[0])
    rows, values = np.array([row for row, _ in entries], np.int64), np.array([value for _, value in entries], np.uint64)
    assert _sharing(values, rows).tolist() == naive.sharing(values.tolist(), rows.tolist())


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 5)), max_size=14),
    st.integers(1, 4),
    st.integers(0, 9),
)
def test_tokens_are_dealt_by_rank_each_to_a_place_of_its_own(entries, per_row, seed):
    entries.sort(key=lambda entry: entry[2])
    rows, rank, nth = (np.array([entry[place] for entry in entries], kind) for place, kind in enumerate("qbb"))
    digests = np.stack([np.arange(len(rows)), nth], axis=1).astype(np.uint64)
    noise = np.random.default_rng(seed).integers(0, 1 << 32, (4, per_row)).astype(np.uint32)
    out, of = np.full((4, per_row, 2), 99, np.uint64), np.full((4, per_row), -1, np.int8)
    deal_tokens(rows, rank, nth, digests, noise, out, of)
    for person in range(4):
        found = {(of[person, slot], int(out[person, slot, 0])) for slot in np.flatnonzero(of[person] >= 0)}
        assert found == naive.dealt(rows.tolist(), rank.tolist(), nth.tolist(), per_row, person)
    assert (out[of < 0] == 99).all()
