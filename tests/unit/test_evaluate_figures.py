"""Figures against a known truth, on cases small enough to count by hand."""

import numpy as np
import pytest

from linkage.errors import ShapeError
from linkage.evaluate.accuracy import Accuracy, at, best, by_group, unevenly_served
from linkage.evaluate.calibration import calibration


def test_precision_recall_and_f1_of_given_links():
    found = at(np.array([1, 1, 1, 0], bool), np.array([1, 1, 0, 1], bool), true=5)
    assert (found.precision, found.recall, found.f1) == (pytest.approx(2 / 3), 0.4, pytest.approx(0.5))


def test_nothing_to_link_and_nothing_linked_is_right():
    assert at(np.zeros(3, bool), np.zeros(3, bool), 0).f1 == 1.0
    assert at(np.ones(1, bool), np.zeros(1, bool), 0).precision == 0.0


def test_the_best_threshold_is_found_with_truth():
    found = best(np.array([0.9, 0.8, 0.7, 0.1]), np.ones(4, bool), np.array([1, 1, 0, 1], bool), 3)
    assert (found.linked, found.correct, found.threshold) == (4, 3, 0.1)
    found = best(np.array([0.9, 0.8, 0.7, 0.1]), np.array([1, 1, 1, 0], bool), np.array([1, 1, 0, 1], bool), 3)
    assert (found.linked, found.threshold) == (2, 0.8)


def test_equal_scores_are_not_told_apart_by_a_threshold():
    assert best(np.full(4, 0.5), np.ones(4, bool), np.array([1, 0, 0, 0], bool), 1).linked == 4


def test_honest_probabilities_have_no_calibration_error_and_boasts_do():
    probability = np.repeat([0.25, 0.75], 400)
    truth = np.concatenate([np.arange(400) % 4 == 0, np.arange(400) % 4 != 0])
    assert calibration(probability, truth).ece == pytest.approx(0)
    assert calibration(np.full(100, 0.95), np.arange(100) % 2 == 0).ece == pytest.approx(0.45)


def test_calibration_counts_assigned_pairs_only():
    found = calibration(np.array([0.9, 0.1]), np.array([True, True]), np.array([True, False]))
    assert [b.count for b in found.bins] == [1]
    assert calibration(np.empty(0), np.empty(0, bool)).ece == 0


def test_r17_a_group_served_far_worse_than_the_rest_raises_an_alarm():
    linked = np.ones(200, bool)
    truth = np.concatenate([np.ones(100, bool), np.arange(100) >= 20])
    groups = by_group(linked, truth, np.repeat([0, 1], 100), np.array([100, 80]), ("whole dates", "year only"))
    overall = Accuracy(200, 180, 180)
    assert unevenly_served(groups, overall, factor=1.5) == ("year only",)
    assert unevenly_served(groups, overall, factor=3) == ()


def test_arrays_that_do_not_belong_together_are_refused():
    with pytest.raises(ShapeError):
        at(np.zeros(2, bool), np.zeros(3, bool), 1)
    with pytest.raises(ShapeError):
        calibration(np.zeros(2), np.zeros(3, bool))
    with pytest.raises(ShapeError):
        best(np.zeros(2), np.zeros(2, bool), np.zeros(3, bool), 1)
