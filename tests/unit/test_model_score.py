"""The match model learns from two files, without labels, what their truth is."""

import numpy as np
import pytest
from model_world import SCHEMA, draw, null_table, world

from linkage.errors import ShapeError
from linkage.evaluate.accuracy import at
from linkage.evaluate.calibration import calibration
from linkage.match import estimate, onetoone
from linkage.match.model import fit_and_score
from linkage.model import Comparisons, NullTable, Pairs
from linkage.schema import MISSING, Field, Kind, Schema


def links(given, scores):
    assigned = onetoone.assign(given.pairs, scores.probability, scores.parameters["many"])
    cut = estimate.own_threshold(scores.probability, assigned)
    return assigned & (scores.probability >= cut)


@pytest.fixture(scope="module")
def plain():
    given = world()
    return given, fit_and_score(*given.inputs)


def test_true_pairs_are_found_among_relatives_and_strangers(plain):
    given, scores = plain
    assert at(links(given, scores), given.truth, given.true).f1 > 0.97


def test_probabilities_mean_what_they_say(plain):
    given, scores = plain
    assigned = onetoone.assign(given.pairs, scores.probability)
    assert calibration(scores.probability, given.truth, assigned).ece < 0.03


def test_the_number_of_true_pairs_is_estimated_without_labels(plain):
    given, scores = plain
    assert scores.parameters["expected_pairs"] == pytest.approx(given.true, rel=0.05)


def test_what_was_learnt_is_how_true_pairs_compare(plain):
    _, scores = plain
    levels = scores.parameters["levels"]
    assert levels["forename"][0] == pytest.approx(0.85, abs=0.07)
    assert levels["born"][0] == pytest.approx(0.93, abs=0.05)


def test_r34_contributions_of_fields_and_prior_add_up_to_the_weight(plain):
    _, scores = plain
    assert scores.contributions.shape == (len(scores), len(SCHEMA) + 1)
    np.testing.assert_allclose(scores.contributions.sum(axis=1, dtype=np.float64), scores.weight, atol=1e-4)


def test_r34_the_prior_is_one_and_the_same_for_every_pair(plain):
    _, scores = plain
    assert np.ptp(scores.contributions[:, -1]) == 0


def test_r36_the_same_input_gives_the_same_bytes(plain):
    given, scores = plain
    again = fit_and_score(*given.inputs)
    assert again.probability.tobytes() == scores.probability.tobytes()
    assert again.contributions.tobytes() == scores.contributions.tobytes()


def test_files_without_a_common_person_report_nothing():
    given = world(overlap=0)
    scores = fit_and_score(*given.inputs)
    assert not links(given, scores).any()
    assert (estimate.bands(scores.probability, scores.weight, np.ones(len(scores), bool)) < estimate.Band.STRONG).all()


def test_few_common_persons_among_many_others_are_still_found():
    given = world(people=1500, overlap=30)
    scores = fit_and_score(*given.inputs)
    found = at(links(given, scores), given.truth, given.true)
    assert found.precision > 0.85
    assert found.recall > 0.8


def test_missing_dates_and_postcodes_lower_certainty_but_not_honesty():
    given = world(gaps=0.4, people=1200, overlap=600)
    scores = fit_and_score(*given.inputs)
    assigned = onetoone.assign(given.pairs, scores.probability)
    assert calibration(scores.probability, given.truth, assigned).ece < 0.05
    complete = (given.comparisons.levels != MISSING).all(axis=1) & given.truth
    sparse = (given.comparisons.levels[:, 2:4] == MISSING).all(axis=1) & given.truth
    assert scores.weight[complete].mean() > scores.weight[sparse].mean()


def test_duplicates_inside_a_file_are_noticed_and_all_linked():
    given = world(people=800, overlap=500, copies=250)
    scores = fit_and_score(*given.inputs)
    assert scores.parameters["many"] == (True, False)
    assert scores.parameters["copies_right"] == pytest.approx(250, rel=0.2)
    assert at(links(given, scores), given.truth, given.true).f1 > 0.95


def test_agreement_on_a_rare_name_weighs_more():
    """Strangers share common names; in this world only true pairs share rare ones."""
    given = world()
    rare = np.flatnonzero(given.truth & (given.comparisons.levels[:, 0] == 0))
    for field in ("rarity",):
        values = getattr(given.comparisons, field)
        values[:, 0] = np.where(values[:, 0] >= 0, 1, -1)
        values[rare[::2], 0] = 3
    for table in (given.left_null, given.right_null):
        table.rarity[:, 0] = np.where(table.rarity[:, 0] >= 0, 1, -1)
    scores = fit_and_score(*given.inputs)
    forename = scores.contributions[:, 0]
    assert forename[rare[::2]].mean() > forename[rare[1::2]].mean() + 1


def test_r10_swapped_names_are_recognised():
    given = world(people=1500, overlap=800, seed=5)
    turned = np.flatnonzero(given.truth)[::10]
    given.comparisons.levels[turned, :2] = 7
    given.comparisons.rarity[turned, :2] = -1
    given.comparisons.crossed[turned] = 0
    scores = fit_and_score(*given.inputs)
    assert (scores.probability[turned] > 0.5).mean() > 0.8


def test_names_only_files_are_scored_without_complaint():
    """No date, no place, no sex: little can be known, and nothing breaks."""
    schema = Schema(SCHEMA.fields[:2])
    given = world()
    cut = Comparisons(given.comparisons.levels[:, :2], given.comparisons.rarity[:, :2], given.comparisons.crossed)
    tables = [
        NullTable(t.levels[:, :2], t.rarity[:, :2], t.crossed, t.counts, t.people, t.pairs, t.present[:2])
        for t in (given.left_null, given.right_null)
    ]
    scores = fit_and_score(given.pairs, cut, schema, *tables)
    assert np.isfinite(scores.weight).all()
    assert ((scores.probability >= 0) & (scores.probability <= 1)).all()


def test_no_candidates_give_no_scores():
    given = world()
    empty = draw(np.random.default_rng(0), [{"different": 1.0}] * len(SCHEMA), 0)
    none = Pairs(np.empty(0, np.int32), np.empty(0, np.int32))
    assert len(fit_and_score(none, empty, SCHEMA, given.left_null, given.right_null)) == 0


def test_empty_null_tables_do_not_break_the_run():
    given = world()
    empty = draw(np.random.default_rng(0), [{"different": 1.0}] * len(SCHEMA), 0)
    table = null_table(empty, 600)
    scores = fit_and_score(given.pairs, given.comparisons, SCHEMA, table, table)
    assert np.isfinite(scores.weight).all()


def test_counts_rounded_at_random_cost_little():
    """A table whose counts are 0, 5, 10 ... and right on average serves almost as well as the exact one."""
    given = world(people=1500, overlap=800, seed=3)
    random = np.random.default_rng(0)
    tables = []
    for table in (given.left_null, given.right_null):
        low = np.floor(table.counts / 5)
        counts = 5 * (low + (random.random(len(low)) < table.counts / 5 - low))
        kept = counts > 0
        parts = (table.levels[kept], table.rarity[kept], table.crossed[kept], counts[kept])
        tables.append(NullTable(*parts, table.people, table.pairs, table.present))
    scores = fit_and_score(given.pairs, given.comparisons, SCHEMA, *tables)
    assert at(links(given, scores), given.truth, given.true).f1 > 0.95


def test_parts_that_do_not_belong_together_are_refused():
    given = world()
    with pytest.raises(ShapeError):
        fit_and_score(Pairs(given.pairs.left[1:], given.pairs.right[1:]), *given.inputs[1:])
    more = Schema((*SCHEMA.fields, Field("phone", Kind.PHONE)))
    with pytest.raises(ShapeError):
        fit_and_score(given.pairs, given.comparisons, more, given.left_null, given.right_null)
