"""The audit of one round attacks tokens and the evidence under them, and bites where a budget is too large."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from linkage import bars
from linkage.agreement import load
from linkage.audit import tokens
from linkage.audit.fingerprints import NONE, fingerprint_attack
from linkage.audit.one_round import CONTROL, audit_tokens
from linkage.audit.scheme import any_key
from linkage.audit.standins import census
from linkage.audit.tokens import Recipe, shared_values
from linkage.audit.votes import Shares, vote_attack
from linkage.audit.words import audit_html, audit_text
from linkage.errors import AboveTheBarError
from linkage.resources import resource
from linkage.steps.audit import Options, audit_file
from tests.support import one_round

EXAMPLE = resource("examples", "rehearse-one-round")
AGREED = load(EXAMPLE)
SIZE = 600
RECIPE = Recipe(AGREED.combinations, AGREED.terms.tokens)


def rng():
    return np.random.default_rng(3)


@pytest.fixture(scope="module")
def people():
    return census(AGREED.schema, SIZE)


@pytest.fixture(scope="module")
def result(people):
    return audit_tokens(people, AGREED, sample=200, seed=1)


def test_the_audit_bites_and_holds_one_round_to_the_bars(result):
    control, *noise = result.bites
    assert control.share > 0.95
    assert all(each.found <= 2 for each in noise)
    assert result.verdict == "within the bars"
    assert {each.family for each in result.findings} == {"none", "known", "evidence", "record"}
    assert not [each for each in result.findings if "filter" in each.name and "evidence" not in each.name]


def test_words_json_and_page_say_what_the_control_is_and_nothing_of_filters_sent(result):
    for text in (audit_text(result), audit_html(result)):
        assert CONTROL in text
        assert "rank correlation" not in text
    facts = result.to_json()
    assert facts["control"] == CONTROL
    assert facts["fill_correlation"] is None


def test_where_the_control_does_not_fall_nothing_is_said():
    """Nobody shares anything with anybody: even unbudgeted tokens name nobody."""
    alone = census(AGREED.schema, 2)
    assert audit_tokens(alone, AGREED, seed=1).verdict == "inconclusive"


def test_a_budget_of_one_leaves_no_graph_and_a_larger_one_does(people):
    shares = []
    for recipe in (RECIPE, RECIPE.loose()):
        graph = tokens.one_file(people, recipe, rng()).knowing(50, rng())
        guess = shared_values(graph)
        assert guess.records == SIZE - 50
        shares.append(guess.found / guess.records)
    assert shares[0] == 0
    assert shares[1] > 0.95


def test_the_very_tokens_of_a_run_are_attacked_whatever_its_key(people):
    graph = tokens.one_file(people, RECIPE.loose(), rng(), key=any_key())
    assert shared_values(graph).found > 0.95 * SIZE
    assert shared_values(graph.dealt_out(rng())).found <= 2


def test_where_a_fifth_of_the_people_are_listed_only_they_are_counted(people):
    graph = tokens.one_file(people, RECIPE.loose(), rng(), overlap=0.2).knowing(20, rng())
    listed = int((graph.truth >= 0).sum())
    assert listed == pytest.approx(0.2 * len(graph.truth), abs=1)
    guess = shared_values(graph)
    assert guess.records == listed - 20
    assert guess.found > 0.3 * guess.records


def test_two_files_joined_know_both_rows_of_a_known_man(people):
    """A man who stands in both files is known in both; else his second row would be found for nothing."""
    graph = tokens.two_halves(people, RECIPE, rng()).knowing(40, np.random.default_rng(4))
    assert len(graph.known) > 40
    assert len(np.unique(graph.person[graph.known])) == 40
    guess = shared_values(graph)
    assert guess.records == len(graph.truth) - len(graph.known)
    assert guess.found < 0.02 * guess.records
    assert shared_values(tokens.two_halves(people, RECIPE.loose(), rng())).found > 0.9 * len(graph.truth)


def test_known_people_name_whom_their_rows_meet():
    """Row 0 meets row 1 and nobody else does: whoever knows one of the pairs knows its other half, coin or none."""
    left = np.arange(20)
    codes = np.concatenate([np.stack([left, 100 + left], axis=1)] * 2)
    person = np.concatenate([left, left])
    shares = Shares.of(codes, np.zeros(2, np.int64), np.repeat([0, 1], 20))
    truth = np.concatenate([rng().permutation(20), 20 + np.random.default_rng(5).permutation(20)])
    seen = Shares.of(codes[truth], np.zeros(2, np.int64), np.repeat([0, 1], 20))
    known = np.flatnonzero(truth < 8)
    found = vote_attack(seen, shares, truth, known, 1.0, rng())
    assert (found.records, person[truth[known]].max()) == (32, 7)
    assert found.found == 10  # their other halves, and of the twelve who are alike in each file one
    assert vote_attack(seen, shares, truth, known[:0], 1.0, rng()).found <= 2


def test_many_coins_of_his_own_name_what_one_coin_hides(people):
    """Who takes a list as it is for what was sent is deceived by the coin; who counts over coins of his own, less."""
    coined = replace(RECIPE.loose(), terms=msgspec.structs.replace(RECIPE.loose().terms, kept=0.6))
    graph = tokens.two_halves(people, coined, rng()).knowing(60, rng())
    seen, listed = (Shares.of(codes, graph.kinds, graph.files[0]) for codes in (graph.seen, graph.plain[0]))
    once, many = (vote_attack(seen, listed, graph.truth, graph.known, kept, rng()).found for kept in (1.0, 0.6))
    assert many > 1.3 * once
    assert shared_values(graph).found > once  # the best of all, by coins of its own


def test_a_key_finds_whoever_has_a_token_and_another_key_nobody(people):
    key = any_key()
    assert tokens.equal_tokens(people, RECIPE.uncoined(), key, key).found == SIZE
    assert tokens.equal_tokens(people, RECIPE, key).found == 0
    assert tokens.with_the_key(people, RECIPE).share == 1


def test_values_that_may_stand_in_any_column_of_a_kind_meet():
    """One man's second value is another's first: told apart by column they have nothing in common."""
    plain = np.array([[1, 9], [2, 1], [3, 2], [4, 5], [6, 7]])
    apart = fingerprint_attack(plain, plain, np.arange(5), np.empty(0, np.int64))
    met = fingerprint_attack(plain, plain, np.arange(5), np.empty(0, np.int64), np.zeros(2, np.int64))
    assert apart.found == 0
    assert met.found == 3  # he who shares a value with each of two others, and by his values they
    assert NONE not in plain


def test_the_step_audits_tokens_under_a_one_round_agreement(tmp_path):
    facts, text = audit_file(EXAMPLE, options=Options(sample=100, page=tmp_path / "audit.html"))
    assert "Tight tokens of one round, budget 1" in text
    assert facts["verdict"] == "within the bars"
    assert CONTROL in (tmp_path / "audit.html").read_text("utf-8")


def live(**budget):
    terms = one_round().terms
    return msgspec.structs.replace(terms, test=False, tokens=msgspec.structs.replace(terms.tokens, **budget))


def test_a_budget_accepted_in_words_is_said_and_a_budget_of_one_has_no_way_round():
    accepting, shares = live(most_sharing=5, accepted="the parties accept it"), {"none": 0.2, "known": 0.3}
    (warning,) = bars.hold(accepting, "the audited encoding", shares, "")
    assert warning.endswith("a budget of 5 is accepted: the parties accept it")
    with pytest.raises(AboveTheBarError) as refusal:
        bars.hold(live(), "the audited encoding", shares, "agree on less")
    assert refusal.value.hint == "agree on less"
    with pytest.raises(AboveTheBarError):
        bars.hold(accepting, "the audited encoding", {"evidence": 0.01}, "")
