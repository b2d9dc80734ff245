"""The compiled loops of tight tokens do what their plain twins do."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from linkage.encode.kernels_tight import by_top_bits, count_sharing, deal_tokens, form_digests, hold_form
from linkage.encode.sharing import sharing_of
from tests import naive_encode as naive


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from([0, 1, 2, 8, 1 << 63, (1 << 64) - 1])), max_size=12))
def test_sharing_is_counted_person_by_person(entries):
    """Values that fall on one place of the table, the value 0, and a person who has a value twice."""
    entries.sort(key=lambda entry: entry[0])
    rows, values = np.array([row for row, _ in entries], np.int32), np.array([value for _, value in entries], np.uint64)
    assert sharing_of(values, rows).tolist() == naive.sharing(values.tolist(), rows.tolist())


@given(st.lists(st.integers(0, 3), max_size=40), st.integers(0, 9))
def test_sharing_is_counted_in_groups_as_it_is_in_one(values, seed):
    """However few entries a group has, and wherever a value falls."""
    spread = np.random.default_rng(seed).integers(0, 1 << 63, 4, np.uint64) * np.uint64(2)
    of = spread[np.array(values, np.int64)]
    rows = np.arange(len(of), dtype=np.int32)
    for bits in (0, 1, 3):
        order, sharing = np.empty(len(of), np.int32), np.empty(len(of), np.int32)
        bounds = by_top_bits(of, bits, order)
        tops = [int(value) >> 64 - bits for value in of]
        assert order.tolist() == sorted(range(len(of)), key=tops.__getitem__)
        assert bounds.tolist() == [sum(top < group for top in tops) for group in range(2**bits + 1)]
        count_sharing(of, rows, order, bounds, 64, sharing)
        assert sharing.tolist() == naive.sharing(of.tolist(), rows.tolist())


@given(st.lists(st.sets(st.integers(0, 3)), max_size=6), st.integers(1, 4), st.integers(0, 9))
def test_tokens_are_dealt_in_their_order_each_to_a_place_of_its_own(ways, per_row, seed):
    """Until the row is full; what is not dealt stays as it was."""
    noise = np.random.default_rng(seed).integers(0, 1 << 32, (4, per_row)).astype(np.uint32)
    out, of = np.full((4, per_row, 2), 99, np.uint64), np.full((4, per_row), -1, np.int8)
    filled, slots = np.zeros(4, np.int64), np.tile(np.arange(per_row, dtype=np.uint8), (4, 1))
    for nth, people in enumerate(ways):
        rows = np.array(sorted(people), np.int64)
        digests = np.stack([rows, np.full(len(rows), nth)], axis=1).astype(np.uint64)
        deal_tokens(rows, nth, digests, noise, filled, slots, out, of)
    for person in range(4):
        found = {(of[person, slot], *out[person, slot].tolist()) for slot in np.flatnonzero(of[person] >= 0)}
        assert found == {(nth, person, nth) for nth in naive.dealt(ways, per_row, person)}
    assert (out[of < 0] == 99).all()


VALUES = st.lists(st.lists(st.integers(0, 3), max_size=3), min_size=1, max_size=8)


@given(VALUES, st.sets(st.integers(0, 7)), st.lists(st.booleans(), min_size=4, max_size=4), st.integers(0, 2))
def test_whoever_has_a_form_of_a_value_is_given_its_digest(values, some, has, rank):
    """Of some people, whatever width their offsets have."""
    codes = np.array([code for one in values for code in one], np.int32)
    people = sorted(person for person in some if person < len(values))
    expected = [n for n in people if len(values[n]) > rank and has[values[n][rank]]]
    digests = np.arange(8, dtype=np.uint64).reshape(4, 2)
    for kind in (np.int32, np.int64):
        offsets = np.cumsum([0, *map(len, values)]).astype(kind)
        rows = np.array(people, np.int64)
        rows = rows[: hold_form(rows, rank, codes, offsets, np.array(has))]
        assert rows.tolist() == expected
        out = np.empty((len(rows), 2), np.uint64)
        form_digests(rows, rank, codes, offsets, digests, out)
        assert out.tolist() == [digests[values[n][rank]].tolist() for n in expected]
