"""Promises and checks: the arithmetic of recall."""

import numpy as np
import pytest
from scipy.stats import hypergeom

from linkage.match.look import kept_by, lossy_look
from linkage.match.recall import (
    differing_chances,
    differing_limits,
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


def test_a_look_keeps_the_share_it_was_asked_for_and_little_more():
    """Pairs at the distances asked for, their differing bits anywhere, pass the limit as often as stated."""
    rng = np.random.default_rng(1)
    wanted = rng.permutation(np.concatenate([rng.integers(100, 350, 3000), rng.integers(380, 400, 6000)]))
    limit = kept_by(1024, 512, wanted, 0.9)
    drawn = rng.hypergeometric(wanted, 1024 - wanted, 512)
    assert 0.89 < (drawn <= limit).mean() < 0.93
    assert (drawn <= limit - 6).mean() < 0.9


def test_a_look_at_all_bits_or_for_nobody_keeps_everything():
    assert kept_by(512, 512, np.array([10, 200]), 0.999) == 200
    assert kept_by(512, 64, np.empty(0, np.int32), 0.9) == 64


def test_a_look_never_breaks_off_where_nothing_is_gained():
    """Strangers no farther apart than the pairs that are wanted: every pair would go on."""
    running = np.cumsum(np.full((50, 16), 20), axis=1)
    look = lossy_look(running, running, 0.99)
    assert (look.words, look.drops(16)) == (16, False)
    near = lossy_look(running, running // 3, 0.99)
    assert near.words == 4
    assert near.drops(16)


def test_a_look_believes_the_sample_more_than_the_law():
    """Wanted pairs that differ in their first words alone are not dropped for it."""
    running = np.cumsum(np.full((50, 16), 32), axis=1)
    wanted = np.minimum(np.cumsum(np.full((50, 16), 20), axis=1), 160)
    look = lossy_look(running, wanted, 0.99)
    assert look.limit >= wanted[0, look.words - 1] > look.words * 64 * wanted[0, -1] / 1024
    even = np.cumsum(np.full((50, 16), 10), axis=1)
    assert lossy_look(running, even, 0.99).limit < 120


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


@pytest.mark.parametrize(("bits", "seen"), [(1024, 192), (1792, 1024), (64, 64), (64, 0)])
def test_chances_and_limits_are_scipys(bits, seen):
    """The library's own hypergeometric law, which takes two seconds to load."""
    apart = np.arange(0, bits + 1, 7)
    assert differing_chances(bits, seen, apart) == pytest.approx(
        hypergeom.pmf(np.arange(seen + 1), bits, apart[:, None], seen), abs=1e-12
    )
    for risk in (0.05, 1e-6):
        wanted = np.minimum(hypergeom.isf(risk, bits, apart, seen), apart)
        assert differing_limits(bits, seen, apart, risk).tolist() == wanted.tolist()
