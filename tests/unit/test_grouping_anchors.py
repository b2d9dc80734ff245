"""Rows gather around anchors, and only there."""

import numpy as np
import pytest

from linkage.errors import ShapeError
from linkage.match.grouping import Spoke, group
from linkage.model import Pairs


def spoke(anchors, others, *edges, cut=0.5):
    left, right, chance = zip(*edges, strict=True)
    chance = np.array(chance)
    return Spoke(anchors, others, Pairs(np.array(left, np.int32), np.array(right, np.int32)), chance, chance >= cut)


def told(grouping):
    return {g.anchors: [m.row for m in g.members] for g in grouping.groups}


def test_r2_rows_of_other_files_meet_only_through_an_anchor():
    found = group([spoke("birth", "police", (0, 5, 0.9)), spoke("birth", "housing", (0, 7, 0.8))], {"birth"})
    assert told(found) == {(("birth", 0),): [("police", 5), ("housing", 7)]}


def test_pairs_below_the_threshold_form_no_group():
    assert group([spoke("birth", "police", (0, 5, 0.4))], {"birth"}).groups == ()


def test_a_row_claimed_by_two_anchors_goes_to_the_surer_and_is_counted():
    found = group([spoke("birth", "police", (0, 5, 0.8), (1, 5, 0.9))], {"birth"})
    assert told(found) == {(("birth", 1),): [("police", 5)]}
    assert found.conflicts["row_taken"] == 1


def test_a_group_has_one_row_of_a_file_unless_the_file_holds_duplicates():
    spokes = [spoke("birth", "police", (0, 5, 0.9), (0, 6, 0.8))]
    assert told(group(spokes, {"birth"})) == {(("birth", 0),): [("police", 5)]}
    assert group(spokes, {"birth"}).conflicts["file_taken"] == 1
    assert told(group(spokes, {"birth"}, many={"police"})) == {(("birth", 0),): [("police", 5), ("police", 6)]}


def test_anchors_of_one_man_in_two_files_share_what_either_finds():
    spokes = [
        spoke("birth", "visiting", (0, 3, 0.95)),
        spoke("birth", "police", (0, 5, 0.9)),
        spoke("visiting", "housing", (3, 7, 0.8)),
    ]
    assert told(group(spokes, {"birth", "visiting"})) == {
        (("birth", 0), ("visiting", 3)): [("police", 5), ("housing", 7)]
    }


def test_anchors_are_joined_before_they_compete_for_a_row():
    """Both anchors find the police row; as they are one man there is no conflict."""
    spokes = [
        spoke("visiting", "police", (3, 5, 0.99)),
        spoke("birth", "police", (0, 5, 0.9)),
        spoke("birth", "visiting", (0, 3, 0.6)),
    ]
    found = group(spokes, {"birth", "visiting"})
    assert told(found) == {(("birth", 0), ("visiting", 3)): [("police", 5)]}
    assert sum(found.conflicts.values()) == 0
    assert found.groups[0].members[0].support == 2


def test_an_anchor_of_the_same_man_that_disagrees_is_told():
    spokes = [
        spoke("birth", "visiting", (0, 3, 0.9)),
        spoke("birth", "police", (0, 5, 0.9)),
        spoke("visiting", "police", (3, 5, 0.01)),
    ]
    member = group(spokes, {"birth", "visiting"}).groups[0].members[0]
    assert (member.support, member.against) == (1, 1)


def test_chains_never_join_two_anchors_of_one_file():
    spokes = [spoke("birth", "visiting", (0, 3, 0.9), (1, 3, 0.8))]
    found = group(spokes, {"birth", "visiting"})
    assert found.conflicts["anchors_apart"] == 1
    assert [g.anchors for g in found.groups] == [(("birth", 0), ("visiting", 3))]


def test_r36_the_order_of_spokes_changes_nothing():
    spokes = [
        spoke("birth", "police", (0, 5, 0.8), (1, 5, 0.8), (2, 6, 0.7)),
        spoke("birth", "housing", (1, 2, 0.6)),
        spoke("birth", "visiting", (0, 0, 0.9)),
        spoke("visiting", "housing", (0, 2, 0.6)),
    ]
    files = {"birth", "visiting"}
    assert group(spokes, files).groups == group(spokes[::-1], files).groups


def test_a_spoke_of_unequal_parts_is_refused():
    with pytest.raises(ShapeError):
        Spoke("birth", "police", Pairs(np.zeros(1, np.int32), np.zeros(1, np.int32)), np.zeros(2), np.zeros(1, bool))
