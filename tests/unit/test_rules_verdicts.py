"""Rules outrank the score: each is a sentence of the requirements."""

import numpy as np
import pytest
from model_world import null_table, world

from linkage import rules
from linkage.errors import ShapeError
from linkage.model import Comparisons
from linkage.rules import Outcome, Rule, Verdict
from linkage.schema import LEVELS, MISSING, Field, Kind, Schema

SCHEMA = Schema(
    (
        Field("forename", Kind.FORENAME),
        Field("surname", Kind.SURNAME),
        Field("born", Kind.DATE),
        Field("postcode", Kind.POSTCODE),
        Field("sex", Kind.SEX),
        Field("nhs", Kind.IDENTIFIER),
        Field("pnc", Kind.IDENTIFIER),
        Field("phone", Kind.PHONE),
    )
)
ALIKE = {"forename": "same", "surname": "same", "born": "same", "postcode": "same", "sex": "same"}


def verdict(crossed=(7, 7), **levels):
    """Verdict and rule for one pair; fields not named are as in ALIKE, or missing."""
    row = []
    for field in SCHEMA.fields:
        name = levels.get(field.name, ALIKE.get(field.name))
        names = [level.name for level in LEVELS[field.kind]]
        row.append(MISSING if name is None else names.index(name))
    compared = Comparisons(
        np.array([row], np.int8), np.full((1, len(SCHEMA)), -1, np.int8), np.array([crossed], np.int8)
    )
    found = rules.apply(compared, SCHEMA)
    return Verdict(found.verdict[0]), Rule(found.rule[0])


def test_full_agreement_passes():
    assert verdict() == (Verdict.PASS, Rule.NONE)


@pytest.mark.parametrize("forename", ["same", "variant", "close", "sounds"])
def test_r11_father_and_son_are_never_linked_automatically(forename):
    assert verdict(forename=forename, born="generation") == (Verdict.BLOCK, Rule.GENERATION)


def test_r11_needs_the_same_address():
    assert verdict(born="generation", postcode="different", phone="same")[1] is not Rule.GENERATION


@pytest.mark.parametrize("forename", ["different", "distant"])
def test_r15_twins_are_not_linked(forename):
    assert verdict(forename=forename) == (Verdict.BLOCK, Rule.TWINS)


@pytest.mark.parametrize("forename", ["similar", "initial"])
def test_r15_twins_of_similar_names_go_to_review(forename):
    assert verdict(forename=forename) == (Verdict.REVIEW, Rule.MAYBE_TWINS)


@pytest.mark.parametrize("forename", ["different", "distant", "initial"])
def test_r15_twins_without_an_address_to_compare_go_to_review(forename):
    assert verdict(forename=forename, postcode=None) == (Verdict.REVIEW, Rule.MAYBE_TWINS)


def test_r15_swapped_names_are_no_twins():
    assert verdict(forename="different", surname="different", crossed=(0, 0)) == (Verdict.PASS, Rule.NONE)


def test_r13_an_identifier_that_differs_caps_the_band():
    assert verdict(nhs="different") == (Verdict.REVIEW, Rule.IDENTIFIER_DIFFERS)
    assert verdict(nhs="same", pnc="different") == (Verdict.REVIEW, Rule.IDENTIFIER_DIFFERS)


def test_r13_an_identifier_that_agrees_against_name_and_date_goes_to_review():
    found = verdict(nhs="same", forename="different", surname="different", born="different")
    assert found == (Verdict.REVIEW, Rule.IDENTIFIER_AGAINST_PERSON)


def test_r13_an_identifier_that_agrees_with_the_person_passes():
    assert verdict(nhs="same", postcode="different") == (Verdict.PASS, Rule.NONE)


def test_r14_a_name_alone_never_links():
    assert verdict(born="different", postcode="different") == (Verdict.BLOCK, Rule.NAME_ONLY)
    assert verdict(born="generation", postcode=None) == (Verdict.BLOCK, Rule.NAME_ONLY)


def test_r14_initials_and_date_of_birth_never_link():
    found = verdict(forename="initial", surname="initial", postcode=None)
    assert found == (Verdict.BLOCK, Rule.INITIALS_AND_DATE)
    assert verdict(forename="initial", surname=None, postcode="different")[1] is Rule.INITIALS_AND_DATE
    assert verdict(forename="initial", surname="initial", postcode="same")[1] is not Rule.INITIALS_AND_DATE


def test_r14_r29_nothing_but_names_to_compare_is_not_enough_information():
    assert verdict(born=None, postcode=None) == (Verdict.BLOCK, Rule.NOT_ENOUGH)


def test_r12_a_postcode_that_disagrees_vetoes_nothing():
    assert verdict(postcode="different") == (Verdict.PASS, Rule.NONE)


def test_a_block_outranks_a_review():
    assert verdict(nhs="different", born="generation") == (Verdict.BLOCK, Rule.GENERATION)


def test_r29_not_enough_is_told_apart_from_no_match():
    rule = np.array([Rule.NOT_ENOUGH, Rule.NONE, Rule.NOT_ENOUGH, Rule.NONE], np.int8)
    rows, linked = np.array([0, 1, 1, 2]), np.array([False, False, False, True])
    found = rules.outcomes(rows, linked, rule, 4)
    assert found.tolist() == [Outcome.NOT_ENOUGH, Outcome.NO_MATCH, Outcome.LINKED, Outcome.NO_MATCH]


def test_r14_chance_pairs_are_read_off_the_files_themselves():
    given = world(overlap=0, families=0)
    schema = Schema(SCHEMA.fields[:5])
    chance = rules.chance_pairs(given.left_null, given.right_null, schema)
    levels = given.comparisons.levels
    assert chance["exact_name"] == pytest.approx(((levels[:, 0] == 0) & (levels[:, 1] == 0)).sum(), rel=0.4)
    assert chance["exact_name_and_date"] <= chance["near_name_and_date"]
    empty = Comparisons(np.empty((0, 5), np.int8), np.empty((0, 5), np.int8), np.empty((0, 2), np.int8))
    assert rules.chance_pairs(null_table(empty, 1), null_table(empty, 1), schema)["exact_name"] == 0


def test_rules_count_how_often_they_spoke():
    levels = np.array([[0, 0, 8, 0, 0], [0, 0, 0, 0, 0]], np.int8)
    compared = Comparisons(levels, np.full_like(levels, -1), np.full((2, 2), 7, np.int8))
    assert rules.apply(compared, Schema(SCHEMA.fields[:5])).counts()["generation"] == 1


def test_comparisons_of_other_fields_are_refused():
    compared = Comparisons(np.zeros((1, 2), np.int8), np.zeros((1, 2), np.int8), np.zeros((1, 2), np.int8))
    with pytest.raises(ShapeError):
        rules.apply(compared, SCHEMA)
