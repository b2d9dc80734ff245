"""From weighed pairs to links: what the rules, the bands and the volume cap let through, and with what beside it."""

import numpy as np
import pytest

from linkage.match.estimate import Band
from linkage.model import NullTable
from linkage.notes import SEALED_NOTE_BYTES
from linkage.parties.deciding import decide, judge
from linkage.parties.matcher import match_weight
from linkage.parties.screened import Screened
from tests.pairs import SAME, changed, compared
from tests.support import SCHEMA, TODAY, agreement, terms


def world(one, **changes):
    """Links of judged pairs, whose notes say which pair and which side they are."""
    agreed = agreement(**changes)
    empty = np.empty((0, len(SCHEMA)), np.int8)
    null = NullTable(empty, empty, np.empty((0, 2), np.int8), np.empty(0), 10, 0, np.full(len(SCHEMA), 0.5))
    screened = Screened((one.joined,), {"childrens_services": null, "police": null})
    judged = [judge(one, agreed)]
    return decide(screened, judged, agreed, TODAY).contents, judged[0]


def test_a_strong_link_carries_its_flags_and_a_probable_one_does_not():
    """R16: flags of a probable link stop at the matcher, byte for byte."""
    contents, _ = world(compared([SAME, SAME], [12.0, -5.0], [0.99999, 0.9]))
    bands = {link.pair[:2]: link.band for link in contents.meta.links}
    assert bands == {"00": "strong", "01": "probable"}
    assert contents.notes[0].tolist() == [20] * SEALED_NOTE_BYTES
    assert not contents.notes[1].any()
    assert contents.anchor_notes[1].tolist() == [11] * SEALED_NOTE_BYTES


def test_twins_are_not_linked_however_sure_the_model_is():
    """R15: same surname, date and address, another forename."""
    contents, judged = world(compared([changed(forename="different", nhs_number=None)], [20.0], [0.99999]))
    assert judged.linked.all()
    assert contents.meta.links == ()


def test_father_and_son_are_not_linked():
    """R11: same name and address, twelve years or more apart."""
    row = changed(date_of_birth="generation", nhs_number=None)
    assert world(compared([row], [20.0], [0.99999]))[0].meta.links == ()


def test_a_name_alone_links_nobody():
    """R14."""
    nothing = dict.fromkeys(("date_of_birth", "postcode", "address", "phone", "nhs_number"))
    assert world(compared([changed(**nothing)], [9.0], [0.999]))[0].meta.links == ()


def test_a_contradicting_identifier_goes_to_review_without_flags():
    """R13: it caps the band, and a person looks."""
    contents, _ = world(compared([changed(nhs_number="different")], [20.0], [0.99999]))
    assert [link.band for link in contents.meta.links] == ["review"]
    assert contents.meta.links[0].reasons == ("identifier_differs",)
    assert not contents.notes.any()


def test_the_agreed_bits_bound_the_bands_whatever_the_probability():
    """R16: with two rows in all, nothing can weigh twenty bits more than chance."""
    one = compared([SAME], [6.0], [0.9999], people=4)
    assert match_weight(one.scores, one.possible)[0] == pytest.approx(10.0)
    assert judge(one, agreement()).band.tolist() == [Band.PROBABLE]
    assert judge(compared([SAME], [5.0], [0.9999], people=4), agreement()).band.tolist() == [Band.POSSIBLE]


def test_above_the_cap_the_least_certain_links_wait_and_are_counted():
    """R30: overflow is announced, never dropped silently."""
    release = terms().release
    one = compared([SAME] * 3, [12.0, 14.0, 13.0], [0.99999] * 3)
    contents, _ = world(one, release=type(release)(vocabulary="default", most_links=2))
    assert [link.pair[:2] for link in contents.meta.links] == ["01", "02"]
    assert contents.meta.summary.overflow == 1


def test_nothing_found_is_told_apart_from_not_enough_information():
    """R29: of ten anchors one is linked, one had only a name to compare, and of eight nothing is said."""
    nothing = dict.fromkeys(("date_of_birth", "postcode", "address", "phone", "nhs_number"))
    summary = world(compared([SAME, changed(**nothing)], [14.0, 1.0], [0.99999, 0.6]))[0].meta.summary
    assert (summary.anchors, summary.nothing_found, summary.not_enough) == (10, 9, 1)


def test_one_anchor_gets_one_row_of_a_file_without_duplicates():
    """Two rows claim one man: the surer keeps him."""
    one = compared([SAME, SAME], [12.0, 14.0], [0.9990, 0.9999], left=[3, 3], right=[5, 6])
    contents, _ = world(one)
    assert [link.pair[:2] for link in contents.meta.links] == ["01"]


def test_names_that_agree_only_crosswise_are_said_to_be_swapped():
    """A social worker must not read "forename: different" where the two names changed places."""
    row = changed(forename="different", surname="different")
    one = compared([row, SAME], [14.0, 15.0], [0.9999, 0.9999])
    one.comparisons.crossed[0] = 0
    reasons = {link.pair[:2]: link.reasons for link in world(one)[0].meta.links}
    assert reasons == {"00": ("names_swapped",), "01": ()}
