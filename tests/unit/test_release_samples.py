"""Invented links and an invented run for the tests of the release room."""

import datetime as dt

import msgspec
import pytest

from linkage.errors import ReleaseError
from linkage.model import Anchor, Flag
from linkage.release.links import (
    AgencySearched,
    Band,
    FieldAgreement,
    LinkView,
    Rate,
    RunSummary,
    Withheld,
    field_agreement,
    in_order,
)
from linkage.schema import LEVELS, MISSING, Field, Kind
from linkage.vocabulary import load

VOCABULARY = load()
CODES = [code.code for code in VOCABULARY.codes if code.on]


def switched_on(vocabulary=VOCABULARY):
    """The same vocabulary with every category on."""
    codes = tuple(msgspec.structs.replace(code, on=True) for code in vocabulary.codes)
    return msgspec.structs.replace(vocabulary, codes=codes)


def flag(code, basis="FACT", recency="UNDER_1Y", status="ACTIVE"):
    return Flag(code, VOCABULARY.code(code).role, basis, recency, status)


AGREEMENT = tuple(
    field_agreement(Field(name, kind), level, weight, title)
    for name, kind, level, weight, title in (
        ("first", Kind.FORENAME, 1, 4.2, "Forename"),
        ("last", Kind.SURNAME, 0, 9.64, "Surname"),
        ("dob", Kind.DATE, 1, 7.31, "Date of birth"),
        ("pc", Kind.POSTCODE, 5, -1.72, "Postcode"),
        ("nhs", Kind.IDENTIFIER, MISSING, 0.0, "NHS number"),
        ("tel", Kind.PHONE, 0, 11.08, "Telephone"),
    )
)


def link(nth=1, **changes):
    """One strong link from the police with two flags, changed as told."""
    values = {
        "link_id": f"{nth:032x}",
        "agency": "police",
        "agency_title": "Southmere Police",
        "contact_desk": "Safeguarding hub, 01632 960 001",
        "band": Band.STRONG,
        "agreement": AGREEMENT,
        "flags": (flag("SU-A", basis="SELF"), flag("DA-P", "ALLEGED", "1_TO_5Y", "CLOSED")),
        "anchor": Anchor(f"{nth:07d}", "000418", "2026-12-24", "FATHER", "STATED"),
        "withheld": Withheld.NOTHING,
        "found_on": dt.date(2026, 11, 23),
        "expires": dt.date(2027, 2, 21),
    }
    return LinkView(**(values | changes))


def summary(**changes):
    """A run over two agencies."""
    usable = (
        ("forename", 0.998),
        ("surname", 1.0),
        ("date of birth", 0.963),
        ("postcode", 0.71),
        ("NHS number", 0.004),
    )
    values = {
        "run": "2026-11-southmere",
        "agreement_title": "Southmere fathers before birth",
        "digest": "1f3a 90bc 77d2 0e41",
        "searched_on": dt.date(2026, 11, 23),
        "expires": dt.date(2027, 2, 21),
        "agencies": (
            AgencySearched("police", "Southmere Police", 98_213, usable),
            AgencySearched("drugs", "Turning Tide drug and alcohol service", 3, usable[:4]),
        ),
        "missed": Rate(0.124, 0.101, 0.15),
        "false_links": Rate(0.0007, 0.0003, 0.0014),
        "bands": (("strong", 31), ("probable", 12), ("review", 2)),
        "anchors": 412,
        "nothing_found": 367,
        "not_enough": 58,
        "overflow": 0,
        "cap": 2000,
    }
    return RunSummary(**(values | changes))


def test_r18_more_flags_never_move_a_link():
    """A link with every category stands where the same link with none would stand."""
    everything = tuple(flag(code) for code in CODES)
    plain = [link(1, flags=()), link(2, flags=()), link(3, flags=())]
    loaded = [link(1, flags=()), link(2, flags=()), link(3, flags=everything)]
    assert [view.link_id for view in in_order(plain)] == [view.link_id for view in in_order(reversed(loaded))]


def test_links_come_by_due_date_then_child_then_agency_and_unknown_dates_last():
    dates = {1: "2027-03-01", 2: "", 3: "2026-12-01", 4: "soon"}
    views = [link(nth, anchor=Anchor("7", due_date=text)) for nth, text in dates.items()]
    views.append(link(5, anchor=Anchor("7", due_date="2026-12-01"), agency_title="Housing"))
    views.append(link(6, anchor=Anchor("6", due_date="2026-12-01"), agency_title="Zebra"))
    assert [int(view.link_id, 16) for view in in_order(views)] == [6, 5, 3, 1, 2, 4]


def test_r27_a_value_cannot_pass_as_a_word_of_agreement():
    with pytest.raises(ReleaseError) as refused:
        FieldAgreement("Surname", "Okonkwo", "agree", 9.0)
    assert "Okonkwo" not in str(refused.value) + refused.value.hint


def test_every_level_of_every_kind_has_words():
    for kind, levels in LEVELS.items():
        for place, level in enumerate(levels):
            assert field_agreement(Field("x", kind), place, 0.0).words == level.words


def test_r16_a_link_with_flags_cannot_say_that_they_are_withheld():
    with pytest.raises(ReleaseError):
        link(withheld=Withheld.PROBABLE)


@pytest.mark.parametrize("change", [{"band": "certain"}, {"withheld": "he moved"}, {"link_id": "Ann Example"}])
def test_what_is_in_no_closed_list_is_refused_without_being_repeated(change):
    with pytest.raises(ReleaseError) as refused:
        link(**change, **({} if "withheld" not in change else {"flags": ()}))
    assert not any(value in str(refused.value) for value in change.values())


def test_r4_a_link_shows_no_child_when_it_is_logged():
    assert repr(link()) == "LinkView(agency='police', band='strong')"
