"""What the matcher asks for: who keeps which candidates, and what an agency can make of ten runs of requests."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import asking as watched
from keys.chance import Chance
from linkage.match.candidates import Nearest
from linkage.model import Pairs, Request, Screening
from linkage.parties import asking
from linkage.parties.screened import Joined, Screened
from linkage.steps.matcher import _sampled
from tests import support

RUNS = 10
PEOPLE = 500


def screening(filters, owner=None, tokens=None):
    """One token a person where any are given, told by its number."""
    filters = np.asarray(filters, np.uint64).reshape(-1, 1)
    owner = np.arange(len(filters), dtype=np.int32) if owner is None else np.asarray(owner, np.int32)
    names = np.random.default_rng(5).integers(0, 256, (owner.max() + 1, 16), dtype=np.uint8)
    marks = np.zeros((len(names), 0 if tokens is None else 1, 16), np.uint8)
    marks[..., 0] = np.asarray(tokens or [], np.uint8).reshape(marks.shape[:2])
    return Screening(names, filters, owner, marks)


def pairs_of(*args):
    found = asking.candidates(*args)
    return sorted(zip(found.left.tolist(), found.right.tolist(), strict=True))


# --- candidates -----------------------------------------------------------------------------------------------------


def naive_cut(distances, limits):
    """Every pair by distance, then row by row: first the right rows choose, then the left ones among what is left."""
    kept = [(d, one, other) for one, row in enumerate(distances) for other, d in enumerate(row)]
    for side, most in ((2, limits[1]), (1, limits[0])):
        chosen = []
        for row in {pair[side] for pair in kept}:
            chosen += sorted(pair for pair in kept if pair[side] == row)[:most]
        kept = chosen
    return sorted(pair[1:] for pair in kept)


CODES = st.lists(st.integers(0, 255), min_size=1, max_size=6)


@given(CODES, CODES, st.integers(1, 3), st.integers(1, 3))
@settings(max_examples=50)
def test_right_rows_keep_their_nearest_then_left_rows_theirs(left, right, most_left, most_right):
    distances = [[(one ^ other).bit_count() for other in right] for one in left]
    limits = most_left, most_right
    assert pairs_of(screening(left), screening(right), Nearest(keep=6), limits) == naive_cut(distances, limits)


@given(CODES, CODES, st.integers(1, 3), st.integers(1, 3), st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_rows_that_share_a_token_come_first_however_far_apart(left, right, most_left, most_right, random):
    """And are found where nobody is near enough to be looked at; among themselves the nearest come first."""
    marks = [random.sample(range(1, 10), len(side)) for side in (left, right)]
    distances = [
        [(one ^ other).bit_count() - 65 * (mine == its) for other, its in zip(right, marks[1], strict=True)]
        for one, mine in zip(left, marks[0], strict=True)
    ]
    limits = most_left, most_right
    sides = [screening(codes, tokens=its) for codes, its in zip((left, right), marks, strict=True)]
    assert pairs_of(*sides, Nearest(keep=6), limits) == naive_cut(distances, limits)
    met = [(one, marks[1].index(mark)) for one, mark in enumerate(marks[0]) if mark in marks[1]]
    assert set(met) <= set(pairs_of(*sides, Nearest(keep=1, both_sides=False), (None, None)))


def test_a_person_with_two_filters_is_one_candidate_by_the_nearer():
    """An alias does not use up a second place."""
    left, right = screening([0b0]), screening([0b1111, 0b1, 0b11], owner=[0, 0, 1])
    assert pairs_of(left, right, Nearest(keep=5), (1, None)) == [(0, 0)]
    assert pairs_of(left, right, Nearest(keep=5), (None, None)) == [(0, 0), (0, 1)]


@given(CODES, CODES, st.integers(1, 2), st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_one_sided_lists_choose_pairs_as_near(left, right, most_right, random):
    """Where rows of the right file may keep few, their own lists are enough, people with several filters among them.

    Anchors have room for all: else it would matter which of two equally near anchors a row kept.
    """
    owners = []
    for codes in (left, right):
        owner = [random.randint(0, 2) for _ in codes]
        _, person = np.unique(owner, return_inverse=True)
        owners.append(person.tolist())
    here, there = screening(left, owners[0]), screening(right, owners[1])
    sides, limits = (here, there), (len(right), most_right)
    search, turned = asking.search_for(*sides, Nearest(keep=12), limits)
    assert turned
    assert search.keep < 12
    near: dict[tuple[int, int], int] = {}
    for one, first in zip(left, owners[0], strict=True):
        for other, second in zip(right, owners[1], strict=True):
            near[first, second] = min(near.get((first, second), 99), (one ^ other).bit_count())
    table = [[near[a, b] for b in range(len(there))] for a in range(len(here))]
    found = asking.candidates(*sides, Nearest(keep=12), limits)
    kept = [table[a][b] for a, b in zip(found.left, found.right, strict=True)]
    assert sorted(kept) == sorted(table[a][b] for a, b in naive_cut(table, limits))


def test_large_files_are_searched_at_the_stated_recall_and_the_run_says_what_it_found(monkeypatch):
    rng = np.random.default_rng(3)
    anchors, rows = (rng.integers(0, 2**64, (count, 64), np.uint64) for count in (3000, 2000))
    rows[:900] = anchors[:900] ^ (rng.integers(0, 2**64, (900, 64), np.uint64) & rows[:900])
    owner = np.arange(3000, dtype=np.int32)
    alone = np.empty((3000, 0, 16), np.uint8)  # nobody has a token
    sides = [
        Screening(np.zeros((len(one), 16), np.uint8), one, owner[: len(one)], alone[: len(one)])
        for one in (anchors, rows)
    ]
    asked = *sides, Nearest(recall=0.9), (10, 2)
    exact = asking.candidates(*asked)
    assert exact.stats.stated_recall == 1
    monkeypatch.setattr(asking, "SMALL", 0)
    found = asking.candidates(*asked)
    assert found.stats.stated_recall == 0.9
    assert 0.85 < found.stats.verified.recall < 1
    near = (found.left == found.right) & (found.right < 900)
    assert near.sum() == 900, "who stands out from strangers is never lost"
    told = _sampled(Screened((Joined("anchors", "rows", found, np.zeros((len(found), 16)), found.stats),), {}))
    assert told.startswith(f" (stated recall 90.0%; of {found.stats.verified.expected:,} in a sample")
    assert not _sampled(Screened((Joined("anchors", "rows", exact, np.zeros((len(exact), 16)), exact.stats),), {}))


# --- requests -------------------------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(st.integers(1, 12), st.integers(1, 4), st.randoms(use_true_random=False))
def test_every_row_is_asked_as_often_whatever_the_candidates(people, times, random):
    """A law: the rows of a request, sorted, depend on the file's size and the agreement alone."""
    rows = [row for row in range(people) for _ in range(random.randint(0, times))]
    pairs = Pairs(np.zeros(len(rows), np.int32), np.array(rows, np.int32))
    chance = Chance.pretend(random.randint(0, 99))
    joined = Joined("anchors", "police", pairs, asking.random_ids(len(rows), chance))
    own = screening(np.arange(people))
    asked = asking.request("police", own, [joined], times, chance)
    assert np.array_equal(np.unique(asked.pseudonyms, axis=0, return_counts=True)[1], np.full(people, times))
    assert len(np.unique(asked.pair_ids, axis=0)) == times * people
    real = {(bytes(i), bytes(own.pseudonyms[row])) for i, row in zip(joined.pair_ids, rows, strict=True)}
    assert real <= set(zip(map(bytes, asked.pair_ids), map(bytes, asked.pseudonyms), strict=True))


def test_a_seed_repeats_a_request_and_another_does_not():
    own, none = screening(np.arange(9)), []
    one, same, other = (asking.request("police", own, none, 2, Chance.pretend(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one.pair_ids, same.pair_ids)
    assert np.array_equal(one.pseudonyms, same.pseudonyms)
    assert not np.array_equal(one.pseudonyms, other.pseudonyms)


def test_real_pairs_stand_anywhere_in_a_request():
    """Not first, not last: the middle place of many is the middle, within four standard errors."""
    own = screening(np.arange(400))
    pairs = Pairs(np.zeros(200, np.int32), np.arange(200, dtype=np.int32))
    chance = Chance.pretend(7)
    joined = Joined("anchors", "police", pairs, asking.random_ids(200, chance))
    asked = asking.request("police", own, [joined], 2, chance)
    real = {bytes(pair) for pair in joined.pair_ids}
    places = [place for place, pair in enumerate(asked.pair_ids) if bytes(pair) in real]
    assert abs(np.mean(places) / len(asked) - 0.5) < 4 * np.sqrt(1 / 12 / 200)


# --- ten runs -------------------------------------------------------------------------------------------------------


def guess(seen, linked):
    asked = np.stack([one.asked for one in seen]).astype(float)
    return watched.best_guess(asked, seen, linked, np.random.default_rng(3))


@pytest.fixture(scope="module")
def ten_runs():
    return watched.watch(PEOPLE, RUNS)


def test_after_ten_runs_the_best_guess_is_what_it_was_before_the_first(ten_runs):
    """The bound of the agreement: nothing learnt. Exactly so, for every person of the file is asked about alike."""
    seen, linked = ten_runs
    assert all((one.asked == watched.terms().times_asked(watched.ASKED)).all() for one in seen)
    assert guess(seen, linked) == pytest.approx(linked.mean(), abs=1 / PEOPLE)


def test_the_guess_would_be_right_if_only_candidates_were_asked_about(ten_runs):
    """The attack bites: the same runs, without what makes rows alike."""
    seen, linked = ten_runs
    asked = np.stack([one.candidates for one in seen]).astype(float)
    assert watched.best_guess(asked, seen, linked, np.random.default_rng(3)) > 0.9


def test_random_decoys_do_not_keep_the_bound_they_seem_to(ten_runs):
    """Nine in ten others asked about, afresh each run: those beside an anchor's man give him away (decision 0009)."""
    seen, linked = ten_runs
    found = np.stack([one.candidates for one in seen])
    asked = found | (np.random.default_rng(4).random(found.shape) < 0.9)
    bound = watched.bounds(0.9, RUNS, 10)
    assert watched.best_guess(asked.astype(float), seen, linked, np.random.default_rng(3)) > bound["own"]
    assert bound["beside"] > 0.99
    assert watched.bounds(1.0, RUNS, 10) == {"own": watched.PRIOR, "beside": watched.PRIOR}


def test_one_row_asked_about_less_often_shows():
    """The test above bites: a request that spares some strangers gives the others away."""

    def spare(request):
        few = np.unique(request.pseudonyms, axis=0)[:20]
        kept = ~(request.pseudonyms[:, None] == few).all(axis=2).any(axis=1)
        return Request(request.pair_ids[kept], request.pseudonyms[kept])

    seen, _ = watched.watch(60, 1, change=spare)
    assert seen[0].asked.min() == 0 < seen[0].asked.max()


def test_the_agreement_says_in_words_what_requests_tell(tmp_path):
    from linkage.agreement import dump
    from linkage.steps.agreement import show

    path = tmp_path / "agreement.toml"
    path.write_bytes(dump(support.terms()))
    facts, text = show(path)
    assert facts["times_asked"] == {"childrens_services": 20, "police": 2, "housing": 2}
    assert facts["most_learned_bits"] == 0
    assert "(childrens_services 20, police 2, housing 2 times)" in text
    assert "no better than before the first" in text
    path.write_bytes(dump(support.terms(requests=None)))
    facts, text = show(path)
    assert facts["most_learned_bits"] is None
    assert "for one desk only" in text
