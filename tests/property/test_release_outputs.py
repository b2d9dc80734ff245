"""Laws of the worklist and the sheets, for any link there can be."""

import csv
import dataclasses
import datetime as dt
import io
import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.errors import ReleaseError
from linkage.model import Anchor, Flag
from linkage.release.links import (
    AGREEMENT_WORDS,
    SENSES,
    AgencySearched,
    Band,
    FieldAgreement,
    LinkView,
    Rate,
    RunSummary,
    Withheld,
)
from linkage.release.sheets import worklist_html
from linkage.release.worklist import COLUMNS, guarded, one_line, plain, worklist_csv
from linkage.vocabulary import load

VOCABULARY = load()
DAY = dt.date(2026, 11, 23)


anything = st.text(max_size=30)
nasty = st.one_of(
    anything,
    st.from_regex(r"[=+\-@\t\r\n|%＝＋－＠'\" ]{1,3}[A-Za-z0-9!()]{0,8}", fullmatch=True),
    st.from_regex(r"0{0,3}[0-9]{1,20}([.,/eE:-][0-9]{1,4}){0,2}", fullmatch=True),
    st.sampled_from(["MAR1", "1 Jan", "TRUE", "5 pm", "1e5", "00012", "3-12", "=cmd|' /C calc'!A0", '=HYPERLINK("x")']),
)
flags = st.builds(
    lambda code, basis, recency, status: Flag(code.code, code.role, basis, recency, status),
    st.sampled_from(VOCABULARY.codes),
    st.sampled_from(VOCABULARY.names("bases")),
    st.sampled_from(VOCABULARY.names("recency")),
    st.sampled_from(VOCABULARY.names("statuses")),
)
fields = st.builds(
    FieldAgreement,
    st.sampled_from(["Forename", "Date of birth", "NHS number"]),
    st.sampled_from(sorted(AGREEMENT_WORDS)),
    st.sampled_from(sorted(SENSES)),
    st.floats(-30, 30),
)
due_dates = st.one_of(st.just(""), anything, st.dates().map(dt.date.isoformat))


@st.composite
def links(draw):
    withheld = draw(st.sampled_from(Withheld))
    return LinkView(
        link_id=draw(st.binary(min_size=16, max_size=16)).hex(),
        agency="police",
        agency_title=draw(nasty),
        contact_desk=draw(nasty),
        band=draw(st.sampled_from(Band)),
        agreement=tuple(draw(st.lists(fields, max_size=6))),
        flags=() if withheld else tuple(draw(st.lists(flags, max_size=6))),
        anchor=Anchor(draw(nasty), draw(nasty), draw(due_dates), draw(anything), draw(anything)),
        withheld=withheld,
        found_on=DAY,
        expires=DAY,
    )


def summary(title="Police"):
    agencies = (AgencySearched("police", title, 1234, (("surname", 0.9),)),)
    return RunSummary("run", "agreement", "1f3a", DAY, DAY, agencies, Rate(0.1, 0.05, 0.2), None, (), 5, 4, 1)


def table(data):
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


@given(nasty)
def test_r26_no_cell_starts_a_formula(text):
    cell = guarded(text)
    assert not re.match(r"\s*[=+\-@|%＝＋－＠]", cell)
    assert not any(unicodedata.category(char) == "Cc" for char in cell)


@given(nasty)
def test_r26_what_is_guarded_is_got_back_whole(text):
    assert plain(guarded(text)) == one_line(text)


@given(st.from_regex(r"[0-9]{1,40}", fullmatch=True))
def test_r26_a_number_stays_bare_only_when_it_survives_being_a_number(digits):
    """A spreadsheet holds a number as a 64-bit float with 15 digits and no leading zero."""
    survives = f"{float(digits):.0f}" == digits and len(digits) <= 15
    assert guarded(digits) == (digits if survives else f"'{digits}")


@settings(max_examples=40)
@given(st.lists(links(), min_size=1, max_size=5))
def test_r26_one_row_per_link_and_one_cell_per_column(views):
    head, *body = table(worklist_csv(views, summary(), VOCABULARY))
    assert tuple(head) == COLUMNS
    assert [len(row) for row in body] == [len(COLUMNS)] * len(views)
    children = sorted(one_line(view.anchor.child_id) for view in views)
    assert sorted(plain(row[0]) for row in body) == children


@settings(max_examples=40)
@given(st.lists(links(), max_size=4), st.randoms(use_true_random=False))
def test_r36_outputs_are_the_same_in_every_order_of_arrival(views, random):
    views = list({view.link_id: view for view in views}.values())
    other = random.sample(views, len(views))
    assert worklist_csv(views, summary(), VOCABULARY) == worklist_csv(other, summary(), VOCABULARY)
    assert worklist_html(views, summary(), VOCABULARY) == worklist_html(other, summary(), VOCABULARY)


@settings(max_examples=40)
@given(st.lists(links(), min_size=2, max_size=5), st.lists(st.lists(flags, max_size=4), min_size=5, max_size=5))
def test_r18_other_flags_never_change_the_order(views, others):
    views = [dataclasses.replace(view, link_id=f"{nth:032x}") for nth, view in enumerate(views)]
    changed = [
        dataclasses.replace(view, flags=tuple(flags), withheld=Withheld.NOTHING)
        for view, flags in zip(views, others, strict=False)
    ]
    place = COLUMNS.index("link_id")

    def order(some):
        return [row[place] for row in table(worklist_csv(some, summary(), VOCABULARY))]

    assert order(views) == order(changed)


@settings(max_examples=40)
@given(links())
def test_r27_nobody_harmed_is_ever_mentioned_while_that_category_is_off(view):
    quiet = dataclasses.replace(view, agency_title="Police", contact_desk="desk", anchor=Anchor("1"))
    for output in (
        worklist_csv([quiet], summary(), VOCABULARY).decode(),
        worklist_html([quiet], summary(), VOCABULARY),
    ):
        assert VOCABULARY.code("DA-V").words not in output
        assert "mother" not in output.lower()
        assert "victim" not in output.lower()


@given(st.text(min_size=1, max_size=40), st.floats(-5, 5))
def test_r27_no_value_passes_as_a_word_of_agreement(value, weight):
    if value not in AGREEMENT_WORDS:
        with pytest.raises(ReleaseError):
            FieldAgreement("Surname", value, "agree", weight)


@settings(max_examples=40)
@given(st.uuids().map(str), st.uuids().map(str), links())
def test_r27_what_a_file_says_beyond_the_agreed_codes_stays_unsaid(relation, paternity, view):
    view = dataclasses.replace(view, anchor=Anchor("1", "2", "", relation, paternity))
    for output in (
        worklist_csv([view], summary(), VOCABULARY).decode(),
        worklist_html([view], summary(), VOCABULARY),
    ):
        assert relation not in output
        assert paternity not in output


def test_r27_a_link_has_no_place_for_a_name_an_address_or_a_number():
    names = {field.name for kind in (LinkView, FieldAgreement, Anchor, Flag) for field in dataclasses.fields(kind)}
    assert names == {
        *("link_id", "agency", "agency_title", "contact_desk", "band", "agreement", "flags", "anchor", "withheld"),
        *("found_on", "expires", "title", "words", "sense", "weight"),
        *("child_id", "case_id", "due_date", "relation", "paternity"),
        *("code", "role", "basis", "recency", "status"),
    }


@settings(max_examples=40)
@given(links())
def test_text_from_outside_never_becomes_markup(view):
    """The tags of a page depend on how many flags and fields there are, not on what any text says."""
    blank = dataclasses.replace(view, agency_title="x", contact_desk="x", anchor=Anchor("x", "x", view.anchor.due_date))

    def tags(shown):
        page = worklist_html([shown], summary(), VOCABULARY)
        return sorted(re.findall(r"<(/?[a-z]+)", re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)))

    assert tags(view) == tags(blank)
