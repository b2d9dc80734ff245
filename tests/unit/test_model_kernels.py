"""The match model's kernels against their plain twins."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from linkage.match import onetoone
from linkage.match.kernels_model import expect, move, numbered, rivals
from tests import naive_model

SEEDS = st.integers(0, 2**32 - 1)


@given(SEEDS, st.integers(0, 60), st.integers(1, 14), st.integers(1, 10))
def test_an_e_step_is_its_twin(seed, patterns, columns, classes):
    """Also where a class cannot have a pattern but for the least chance there is, in every column."""
    random = np.random.default_rng(seed)
    tables = random.uniform(0, 1, (3 * columns, classes)) ** 3
    tables = np.maximum(tables, 1e-9)
    tables[random.uniform(size=tables.shape) < 0.2] = 1e-9
    codes = (random.integers(0, 3, (patterns, columns)) + 3 * np.arange(columns)).astype(np.int32)
    weights, shares = random.uniform(0, 50, patterns), random.dirichlet(np.ones(classes))
    counts, mass = random.uniform(size=tables.shape), random.uniform(size=classes)  # whatever stood there before
    likelihood = expect(codes, weights, tables, shares, counts, mass)
    expected = naive_model.expect(codes, weights, tables, shares)
    np.testing.assert_allclose(likelihood, expected[0], rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(counts, expected[1], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(mass, expected[2], rtol=1e-9, atol=1e-12)


def test_two_dozen_columns_do_not_run_out_of_numbers():
    codes = np.arange(24, dtype=np.int32)[None]
    tables = np.full((24, 2), 1e-9)
    tables[:, 1] *= 2
    counts, mass = np.empty_like(tables), np.empty(2)
    likelihood = expect(codes, np.ones(1), tables, np.array([0.5, 0.5]), counts, mass)
    np.testing.assert_allclose(likelihood, np.log(0.5) + 24 * np.log(1e-9) + np.log1p(2.0**24))
    np.testing.assert_allclose(mass, [1 / (1 + 2**24), 2**24 / (1 + 2**24)])


@given(st.lists(st.integers(0, 9), max_size=30))
def test_rows_are_numbered_as_they_come(rows):
    found, count = numbered(np.array(rows, np.int32), 10)
    order = list(dict.fromkeys(rows))
    assert found.tolist() == [order.index(row) for row in rows]
    assert count == len(order)


@given(SEEDS, st.integers(1, 30))
def test_rivals_are_all_other_pairs_of_a_row(seed, pairs):
    random = np.random.default_rng(seed)
    rows, pull = random.integers(0, 6, pairs).astype(np.int32), random.exponential(1, pairs)
    expected, total = naive_model.rivals(rows, pull), random.uniform(size=6)
    rivals(rows, pull, total)
    np.testing.assert_allclose(pull, expected, atol=1e-12)
    assert (pull >= 0).all()


@given(SEEDS, st.integers(1, 30), st.sampled_from([0.0, 1e-3, 0.2, 1.0]))
def test_a_row_is_as_free_as_its_partners_leave_it(seed, pairs, copies):
    random = np.random.default_rng(seed)
    rows, pull = random.integers(0, 6, pairs).astype(np.int32), random.exponential(3, pairs)
    expected = naive_model.log_free(rows, pull, copies)
    onetoone._free(rows, pull, copies, np.empty(6))
    np.testing.assert_allclose(pull, expected, rtol=1e-9, atol=1e-9)


def test_messages_move_a_share_of_the_way_and_the_farthest_is_told():
    messages = np.array([0.0, -2.0, 4.0])
    assert move(messages, np.array([1.0, -2.0, 1.0]), 0.25) == 3.0
    np.testing.assert_allclose(messages, [0.75, -2.0, 1.75])
