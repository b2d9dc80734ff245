"""A plan tells counts and bytes within a factor of two, and refuses what this machine cannot hold."""

import dataclasses
import tracemalloc

import numpy as np
import pytest

from keys.aead import NoteSealer
from linkage.errors import TooLargeError
from linkage.layout import Layout
from linkage.match import lsh
from linkage.match.candidates import Above, Nearest, Sampled
from linkage.match.plan import estimate
from linkage.match.search import find_candidates
from linkage.notes import NOTE_BYTES
from linkage.parties import agency, matcher, planning
from tests import support
from tests.unit.test_search_find import linked

FEW = 2000


def within_a_factor_of_two(told, actual):
    return actual / 2 <= told <= actual * 2


def measured(left, right, settings):
    """A search and the most bytes it held at a time, its code loaded before."""
    find_candidates(left[:300], right[:300], settings)
    tracemalloc.start()
    found = find_candidates(left, right, settings)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found, peak


@pytest.mark.parametrize(
    ("n", "m", "settings"),
    [
        (FEW, FEW, Nearest(10)),
        (FEW, 10 * FEW, Nearest(10)),
        (3 * FEW, FEW, Nearest(40, both_sides=False)),
        (FEW, 5 * FEW, Above(0.7)),
        (20 * FEW, 20 * FEW, Sampled(0.75, recall=0.9, sample=100)),
    ],
)
def test_counts_and_bytes_are_told_within_a_factor_of_two(n, m, settings):
    left, right = (linked(max(n, m), 8, 1, fill=0.3, damage=0.2)[side][:size] for side, size in ((0, n), (1, m)))
    told = estimate(left, right, settings, timed=False)
    found, peak = measured(left, right, settings)
    assert within_a_factor_of_two(told.compared, found.stats.compared)
    assert within_a_factor_of_two(told.pairs, len(found))
    assert within_a_factor_of_two(told.memory, peak)
    assert told.seconds is None


def test_time_is_measured_and_grows_with_the_pairs_to_compare():
    left, right = linked(FEW, 16, 2)
    one = estimate(left[:400], right[:400], Nearest(5)).seconds
    many = estimate(np.tile(left, (20, 1)), np.tile(right, (20, 1)), Nearest(5)).seconds
    assert 0 < one < many
    plain, other = linked(30 * FEW, 16, 3, fill=0.3)
    assert lsh.plan_if_cheaper(plain, other, Sampled(0.8, recall=0.9))
    assert estimate(plain, other, Sampled(0.8, recall=0.9)).seconds > 0


def test_with_a_cluster_this_machine_holds_the_pairs_and_java():
    people = np.zeros((800_000, 4), np.uint64)
    few, many = (estimate(people[:100], people[:100], Nearest(1)), estimate(people, people, Nearest(100), timed=False))
    assert few.on_spark > few.memory
    assert many.on_spark < many.memory


def test_nothing_takes_nothing():
    none = np.zeros((0, 16), np.uint64)
    assert estimate(none, none, Nearest()).memory == estimate(none, none, Sampled()).pairs == 0


@pytest.fixture(scope="module")
def encoded():
    agreed = support.agreement()
    names = ("childrens_services", "police", "housing")
    return {
        name: agency.encode(support.county(600, seed), agreed, support.key(), b"c" * 16)
        for seed, name in enumerate(names)
    }


@pytest.fixture(scope="module")
def files(encoded):
    return {name: one.contents for name, one in encoded.items()}


def test_a_run_is_told_within_a_factor_of_two(files):
    agreed = support.agreement()
    planned = planning.plan(files, agreed)
    tracemalloc.start()
    screened, requests = matcher.screen(files, agreed)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    for join in screened.joined:
        assert within_a_factor_of_two(planned.pairs[join.left, join.right], len(join.pairs))
    side = planning.side_bytes(Layout(agreed.schema))
    for name, request in requests.items():
        assert within_a_factor_of_two(planned.evidence[name], side * len(request))
    assert within_a_factor_of_two(planned.memory, peak)
    assert planned.facts()["fits"]
    assert str(sum(planned.pairs.values())) in planned.words().replace(",", "")


def test_what_does_not_fit_is_refused_with_what_would(files, monkeypatch):
    agreed = support.agreement()
    monkeypatch.setattr(planning, "free_memory", lambda: 1000)
    planned = planning.plan(files, agreed, timed=False)
    assert planned.free == 1000
    with pytest.raises(TooLargeError) as caught:
        dataclasses.replace(planned, memory=30 * 10**9, free=12 * 10**9, candidates=10, on_spark=13 * 10**9).refuse()
    assert caught.value.exit_code == 43
    assert "30.0 GB and 12.0 GB are free" in str(caught.value)
    assert "agree on 4 candidates a row instead of 10" in caught.value.hint
    assert "--engine spark" not in caught.value.hint
    with pytest.raises(TooLargeError) as caught:
        dataclasses.replace(planned, memory=30 * 10**9, free=12 * 10**9, on_spark=11 * 10**9).refuse()
    assert "--engine spark, which needs 11.0 GB here" in caught.value.hint
    dataclasses.replace(planned, free=planned.memory).refuse()


@pytest.mark.parametrize(("limit", "used", "table", "cached"), planning._CONTAINER)
def test_a_container_may_have_less_than_its_machine(tmp_path, limit, used, table, cached):
    machine = planning.free_memory(tmp_path)
    for name, text in {limit: "5000\n", used: "2000\n", table: f"rss 7\n{cached} 500\n"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert planning.free_memory(tmp_path) == 3500
    (tmp_path / limit).write_text("max\n")
    assert planning.free_memory(tmp_path) > machine / 2


def test_a_side_of_evidence_has_the_bytes_it_travels_with(encoded, files):
    agreed = support.agreement()
    request = matcher.screen(files, agreed)[1]["police"]
    desk = support.identity("childrens_services").public
    sealer = NoteSealer.new(desk, run="run-1", sender="police", context=b"d" * 32, length=NOTE_BYTES)
    evidence = agency.answer(request, encoded["police"].local, agreed, support.key(), sealer)
    body = evidence.to_body()
    travelling = sum((body.arrays | body.made)[name].nbytes for name in ("pair_ids", "evidence", "notes"))
    assert travelling == planning.side_bytes(Layout(agreed.schema)) * len(request)
