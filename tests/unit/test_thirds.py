"""A third file supports a pair whose rows both belong to one row of it, and does nothing else."""

import numpy as np

from linkage.match.grouping import Spoke
from linkage.match.thirds import supported
from linkage.model import Pairs


def spoke(one, two, *edges):
    left, right, chance = zip(*edges, strict=True)
    pairs = Pairs(np.array(left, np.int32), np.array(right, np.int32))
    return Spoke(one, two, pairs, np.array(chance), np.ones(len(edges), bool))


def test_rows_that_meet_in_a_third_file_belong_together():
    first, *_ = supported([spoke("a", "b", (0, 0, 0.4)), spoke("a", "c", (0, 5, 0.99)), spoke("b", "c", (0, 5, 0.99))])
    assert 0.7 < first[0] < 0.99


def test_rows_with_different_partners_there_keep_what_they_have():
    first, *_ = supported([spoke("a", "b", (0, 0, 0.4)), spoke("a", "c", (0, 5, 0.99)), spoke("b", "c", (0, 6, 0.99))])
    assert first[0] == 0.4


def test_a_doubtful_third_says_little():
    first, *_ = supported([spoke("a", "b", (0, 0, 0.4)), spoke("a", "c", (0, 5, 0.2)), spoke("b", "c", (0, 5, 0.2))])
    assert first[0] < 0.43


def test_what_is_hardly_possible_stays_so():
    first, *_ = supported([spoke("a", "b", (0, 0, 1e-6)), spoke("a", "c", (0, 5, 1.0)), spoke("b", "c", (0, 5, 1.0))])
    assert first[0] < 1e-4


def test_files_compared_with_the_anchors_only_have_no_third():
    given = [spoke("a", "b", (0, 0, 0.4), (1, 1, 0.9)), spoke("a", "c", (0, 5, 0.99))]
    for before, after in zip(given, supported(given), strict=True):
        assert after.tobytes() == before.probability.tobytes()


def test_a_row_no_third_file_was_asked_about_is_left_alone():
    first, *_ = supported([spoke("a", "b", (9, 9, 0.4)), spoke("a", "c", (0, 5, 0.9)), spoke("b", "c", (0, 5, 0.9))])
    assert first[0] == 0.4
