"""Expected errors by group: what the run says before anybody knows the truth."""

import numpy as np
import pytest

from linkage.parties.deciding import judge
from linkage.parties.expected import COMPLETENESS, completeness, expected_errors, pair_groups
from tests.pairs import SAME, changed, compared
from tests.support import SCHEMA, agreement

NO_PLACE = {"postcode": None, "address": None}
NO_DATE = {"date_of_birth": None}


def test_completeness_is_read_off_what_both_sides_have():
    rows = np.array([SAME, changed(**NO_DATE), changed(**NO_PLACE), changed(**NO_DATE, **NO_PLACE)], np.int8)
    assert completeness(rows, SCHEMA).tolist() == [0, 1, 2, 3]
    # One of postcode and address is enough of a place.
    assert completeness(np.array([changed(postcode=None)], np.int8), SCHEMA).tolist() == [0]
    assert len(COMPLETENESS) == 4


def test_expected_errors_add_up_to_the_doubt_in_the_probabilities():
    """Ten links at 0.9 expect one false; a group that holds all the doubt is named, the others are not (R17)."""
    sure, doubtful = [SAME] * 300, [changed(**NO_PLACE)] * 60
    one = compared(sure + doubtful, [14.0] * 300 + [9.0] * 60, [0.9999] * 300 + [0.9] * 60)
    judged = [judge(one, agreement())]
    found = {(each.by, each.name): each for each in expected_errors(judged, agreement())}
    overall = found["overall", "all pairs"]
    assert overall.count == 360
    assert overall.false_links.expected * overall.count == pytest.approx(300 * 0.0001 + 60 * 0.1)
    assert found["completeness", "no place"].false_links.expected == pytest.approx(0.1)
    assert [key for key, each in found.items() if each.alarm] == [("completeness", "no place")]


def test_every_pair_is_in_one_group_of_each_kind():
    one = compared([SAME, changed(**NO_DATE)], [14.0, 2.0], [0.9999, 0.3])
    groups = pair_groups([judge(one, agreement())], agreement())
    for by in ("overall", "agency", "completeness"):
        assert sum(group.here.astype(int) for group in groups if group.by == by).tolist() == [1, 1]
