"""Thresholds, bands and expected errors follow from probabilities alone, and hold when these are honest."""

import numpy as np
import pytest

from linkage.errors import ShapeError
from linkage.match import estimate
from linkage.match.estimate import Band


@pytest.fixture
def honest():
    """20,000 pairs whose probabilities are exactly right, and the truth drawn from them."""
    random = np.random.default_rng(4)
    probability = np.concatenate([random.beta(0.3, 3, 12_000), random.beta(30, 0.2, 8_000)])
    return probability, random.random(len(probability)) < probability, np.ones(len(probability), bool)


def test_r17_intervals_of_false_and_missed_links_contain_the_truth(honest):
    probability, truth, assigned = honest
    linked = assigned & (probability >= estimate.own_threshold(probability, assigned))
    false, missed = estimate.false_links(probability, linked), estimate.missed_links(probability, linked)
    assert false.low <= 1 - truth[linked].mean() <= false.high
    assert missed.low <= 1 - truth[linked].sum() / truth.sum() <= missed.high
    assert false.expected == pytest.approx(1 - truth[linked].mean(), rel=0.4)


def test_the_own_threshold_is_near_the_best_f_measure(honest):
    probability, truth, assigned = honest
    cut = estimate.own_threshold(probability, assigned, lean=1.0)

    def f1(threshold):
        linked = probability >= threshold
        return 2 * (linked & truth).sum() / (linked.sum() + truth.sum())

    assert f1(cut) > max(f1(t) for t in np.linspace(0.05, 0.99, 50)) - 0.003


def test_leaning_to_precision_raises_the_threshold(honest):
    probability, _, assigned = honest
    assert estimate.own_threshold(probability, assigned, 0.5) > estimate.own_threshold(probability, assigned, 1.0)


def test_r17_strong_links_stay_within_the_agreed_share_of_false_ones(honest):
    probability, truth, assigned = honest
    weight = np.full(len(probability), 12.0)
    for most in (0.001, 0.01):
        band = estimate.bands(probability, weight, assigned, most)
        strong = band == Band.STRONG
        assert strong.sum() > 1000
        assert (~truth[strong]).mean() < 3 * most


def test_no_link_is_strong_only_because_its_rows_have_nobody_better(honest):
    probability, _, assigned = honest
    assert (estimate.bands(probability, np.full(len(probability), 1.0), assigned) < Band.STRONG).all()


def test_what_is_likelier_false_than_true_is_never_a_link():
    probability = np.full(40, 0.3)
    assert estimate.own_threshold(probability, np.ones(40, bool)) >= 0.5


def test_no_candidates_make_no_links_and_no_rates():
    nothing = np.empty(0)
    assert estimate.own_threshold(nothing, nothing.astype(bool)) > 1
    assert estimate.strong_threshold(nothing, nothing, nothing.astype(bool)) > 1
    assert estimate.false_links(nothing, nothing.astype(bool)).high == 0


def test_pairs_of_one_probability_are_strong_together_or_not_at_all():
    probability = np.concatenate([np.full(5, 0.9999), np.full(100, 0.99)])
    assigned = np.ones(105, bool)
    assert estimate.strong_threshold(probability, np.full(105, 20.0), assigned, 0.002) == 0.9999


def test_r29_pairs_that_never_became_candidates_count_as_missed():
    probability = np.full(1000, 0.999)
    linked = np.ones(1000, bool)
    assert estimate.missed_links(probability, linked, candidate_recall=0.9).expected == pytest.approx(0.1, abs=0.01)


def test_r17_rates_are_told_by_group():
    probability = np.array([0.99] * 100 + [0.6] * 100)
    found = estimate.by_group(probability, np.ones(200, bool), np.repeat([0, 1], 100), ("whole dates", "year only"))
    assert found["year only"][0].expected > 10 * found["whole dates"][0].expected


def test_masks_of_another_length_are_refused():
    with pytest.raises(ShapeError):
        estimate.false_links(np.zeros(2), np.zeros(3, bool))
