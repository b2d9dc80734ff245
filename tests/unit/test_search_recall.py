"""Promises and checks: the arithmetic of recall."""

import numpy as np
import pytest

from linkage.match.recall import (
    differing_limits,
    look_limits,
    meeting_chance,
    shared_needed,
    tables_needed,
    verified,
    wilson,
)


@pytest.mark.parametrize("dice", [0.05, 1 / 3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0])
def test_the_shared_bits_needed_are_the_fewest_that_reach_the_similarity(dice):
    need = shared_needed(200, dice)
    for total in range(1, 401):
        assert 2 * need[total] / total >= dice
        assert 2 * (need[total] - 1) / total < dice


def test_two_empty_filters_never_reach_a_threshold():
    assert shared_needed(64, 0.01)[0] > 0


def test_exact_limits_are_the_bound_itself():
    limits = look_limits(20, 8, 1280, 1.0)
    assert limits.shape == (3, 1281)
    assert (limits == np.arange(1281)).all()


def test_limits_lose_no_more_than_promised():
    """Pairs exactly at the bound, with their differing bits anywhere, are dropped at most as often as stated."""
    rng = np.random.default_rng(1)
    words, first, bound, recall = 16, 8, 380, 0.9
    limits = look_limits(words, first, bound, recall)
    seen = [8 * 64, 16 * 64]
    lost = 0
    for _ in range(4000):
        differing = np.sort(rng.choice(words * 64, bound, replace=False))
        running = np.searchsorted(differing, seen)
        lost += bool((running > limits[:, bound]).any())
    assert lost / 4000 <= 0.1
    assert lost > 0, "limits that never drop anything save nothing"


def test_limits_grow_with_the_bound_and_end_at_it():
    limits = look_limits(64, 8, 1600, 0.999)
    assert (np.diff(limits[:, :1601], axis=1) >= 0).all()
    assert (limits[-1] == np.arange(4097)).all()
    assert (limits <= np.arange(4097)).all()
    assert limits[0, 1600] < 300


def test_a_first_look_loses_no_more_than_its_risk_and_little_less():
    """Drawn 192 of 1,024 bits, pairs 75 apart pass the limit with just less than the chance allowed."""
    rng = np.random.default_rng(2)
    limit = differing_limits(1024, 192, np.array([0, 75, 1024]), 0.05)
    draws = rng.hypergeometric(75, 1024 - 75, 192, 20_000)
    assert limit[0] == 0
    assert (draws > limit[1]).mean() < 0.055
    assert (draws > limit[1] - 1).mean() > 0.05
    assert limit[2] == 192
    assert (
        differing_limits(1024, 192, np.arange(200), 0.05, 32) >= differing_limits(1024, 192, np.arange(200), 0.05)
    ).all()


def test_meeting_chance_is_that_of_drawing_without_replacement():
    """Two positions of four, one differing: the draw misses it in half the cases."""
    assert meeting_chance(4, np.array([0, 1, 3]), 2).tolist() == [1.0, 0.5, 0.0]


def test_tables_needed_is_the_fewest():
    chance = np.array([0.2, 0.5])
    tables = tables_needed(chance, 0.99, 1000)
    recalls = [np.mean(1 - (1 - chance) ** n) for n in (tables - 1, tables)]
    assert recalls[0] < 0.99 <= recalls[1]
    assert tables_needed(chance, 0.99, 5) == 6


def test_wilson_interval_is_the_textbook_one():
    """Newcombe 1998, table I: 81 of 263 gives .2553 to .3662; 0 of 20 gives 0 to .1611."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


def test_verified_counts_what_was_wanted_and_what_was_found():
    check = verified(np.array([1, 5, 9, 11]), np.array([5, 11, 12, 1]))
    assert (check.expected, check.found, check.recall) == (4, 3, 0.75)
    assert check.low < 0.75 < check.high
