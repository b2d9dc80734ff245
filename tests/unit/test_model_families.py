"""People of one household are not one person, even where neither file has ever held two of them (R11, R15)."""

import numpy as np
import pytest
from model_world import SCHEMA, tenancies, world

from linkage import rules
from linkage.evaluate.accuracy import at
from linkage.match import estimate, onetoone
from linkage.match.estimate import Band
from linkage.match.model import fit_and_score
from linkage.rules import Verdict
from linkage.schema import MISSING


def judged(given):
    """Links the rules let stand, and strong ones among them."""
    scores = fit_and_score(*given.inputs)
    assigned = onetoone.assign(given.pairs, scores.probability, scores.parameters["many"])
    blocked = rules.apply(given.comparisons, SCHEMA).verdict == Verdict.BLOCK
    band = estimate.bands(scores.probability, scores.weight, assigned)
    return (band >= Band.PROBABLE) & ~blocked, (band == Band.STRONG) & ~blocked, scores


@pytest.fixture(scope="module")
def tenants():
    given, kind = tenancies()
    return given, kind, *judged(given)


@pytest.mark.parametrize("relation", ["couple", "twins", "son", "namesake"])
def test_r11_r15_people_who_resemble_one_another_are_not_linked(tenants, relation):
    given, kind, linked, _, _ = tenants
    located = given.comparisons.levels[:, 3] != MISSING
    assert (located & (kind == relation)).any()
    assert linked[located & (kind == relation)].sum() == 0


@pytest.mark.parametrize("relation", ["couple", "twins", "son", "namesake"])
def test_r11_r15_without_an_address_to_tell_them_apart_a_person_must_look(tenants, relation):
    given, kind, linked, strong, _ = tenants
    review = rules.apply(given.comparisons, SCHEMA).verdict == Verdict.REVIEW
    assert not (linked & ~review)[kind == relation].any()
    assert not (strong & ~review)[kind == relation].any()


def test_a_wifes_tenancy_is_never_a_strong_link(tenants):
    given, _, _, strong, _ = tenants
    assert strong.sum() > 30
    assert not (strong & ~given.truth).any()


def test_men_who_hold_their_own_tenancy_are_found(tenants):
    given, _, linked, _, _ = tenants
    found = at(linked, given.truth, given.true)
    assert found.precision > 0.97
    assert found.recall > 0.8


def test_couples_do_not_count_as_expected_matches(tenants):
    given, _, _, _, scores = tenants
    assert scores.parameters["expected_pairs"] == pytest.approx(given.true, rel=0.15)
    assert scores.parameters["relatives"] > given.true / 2


def test_the_other_sex_speaks_against_a_match(tenants):
    given, _, _, _, scores = tenants
    sex = given.comparisons.levels[:, 4]
    assert scores.contributions[sex == 1, 4].max() < 0


def test_r34_contributions_add_up_where_relatives_are_among_the_candidates(tenants):
    *_, scores = tenants
    np.testing.assert_allclose(scores.contributions.sum(axis=1, dtype=np.float64), scores.weight, atol=1e-4)


def test_families_inside_both_files_are_not_taken_for_duplicates():
    scores = fit_and_score(*world(families=1500, people=1500).inputs)
    assert scores.parameters["many"] == (False, False)


def test_more_couples_than_common_men_make_no_more_links():
    few, many = (judged(tenancies(couples=count, seed=7)[0])[0].sum() for count in (40, 600))
    assert many <= few * 1.1
