"""What shows in packages without any truth: nothing in noise, and each leak where there is one."""

import dataclasses

import numpy as np
import pytest

from linkage.audit import traces
from linkage.audit.evidence import sides
from linkage.audit.scheme import any_key, of_profile
from linkage.audit.standins import census
from linkage.model import Screening
from tests.support import DIFFUSED, PLAIN
from tests.unit.test_audit_attacks import SCHEMA

SIZE = 300


@pytest.fixture(scope="module")
def people():
    return census(SCHEMA, SIZE)


def rng(seed=1):
    return np.random.default_rng(seed)


def bits(count, words=64, seed=5):
    return rng(seed).integers(0, 1 << 32, (count, 2 * words), dtype=np.uint32).view(np.uint64)


def screening(filters, owner=None, seed=1):
    owner = np.arange(len(filters)) if owner is None else np.asarray(owner)
    people = int(owner.max()) + 1
    return Screening(
        bits(people, 2, seed).view(np.uint8), filters, owner.astype(np.int32), np.empty((people, 0, 16), np.uint8)
    )


def looks(found):
    return {each.what: each for each in found}


def test_in_noise_nothing_shows_but_its_size():
    found = traces.of_screening(screening(bits(SIZE)), "police", 1000)
    assert {each.what for each in found if each.shows} == {"size", "people with several filters"}


def test_in_plain_filters_everything_shows(people):
    filters = of_profile(PLAIN, SCHEMA).encode(people, any_key())
    found = looks(traces.of_screening(screening(filters), "police", 1000))
    for what in (
        "bits set more often than others", "rows fuller than others", "spread of resemblance", "bits that go together"
    ):  # fmt: skip
        assert found[what].shows, what
    assert not found["rows that are equal"].shows


def test_equal_rows_and_rows_of_one_person_are_counted():
    filters = np.concatenate([bits(50), bits(50)])
    found = looks(traces.of_screening(screening(filters), "police", 1000))
    assert found["rows that are equal"].seen == "50 of 100"
    assert found["rows that are equal"].shows
    found = looks(traces.of_screening(screening(bits(60), [*range(40), *range(20)]), "police", 1000))
    assert found["people with several filters"].seen == "50.0%"


def test_two_runs_of_one_file_have_nothing_in_common(people):
    scheme = of_profile(DIFFUSED, SCHEMA)
    runs = [screening(scheme.encode(people, any_key()), seed=seed) for seed in (1, 2)]
    assert not [each for each in traces.between_runs(*runs, "police") if each.shows]


def test_a_key_used_for_two_runs_is_found_out(people):
    scheme, key = of_profile(DIFFUSED, SCHEMA), any_key()
    runs = [screening(scheme.encode(people, key), seed=seed) for seed in (1, 2)]
    found = looks(traces.between_runs(*runs, "police"))
    assert found["resemblance across runs"].shows
    assert not found["pseudonyms of one run in the other"].shows


def test_a_pseudonym_used_for_two_runs_is_found_out():
    found = looks(traces.between_runs(screening(bits(40)), screening(bits(40, seed=6)), "police"))
    assert found["pseudonyms of one run in the other"].shows
    assert not found["resemblance across runs"].shows


@pytest.fixture(scope="module")
def evidence(people):
    return sides(people, SCHEMA)


NOTES = np.zeros((SIZE, 400), np.uint8)


def test_evidence_across_pairs_shows_nothing_but_which_fields_are_there(evidence):
    found = traces.of_evidence(evidence, NOTES, "police")
    assert {each.what for each in found if each.shows} == {"which fields are there"}
    assert looks(found)["bytes of tags"].seen.startswith("compress to 100")


@pytest.mark.parametrize(
    ("part", "what"), [("tags", "tags equal across pairs"), ("filters", "bits filters of two pairs share")]
)
def test_one_key_for_two_pairs_is_found_out(evidence, part, what):
    """Half the sides are those of the other half again, as they would be under one key."""
    again = np.tile(np.arange(SIZE // 2), 2)
    repeated = dataclasses.replace(evidence, **{part: getattr(evidence, part)[again]})
    assert looks(traces.of_evidence(repeated, NOTES, "police"))[what].shows


def test_tags_that_are_not_random_are_found_out(evidence):
    low = dataclasses.replace(evidence, tags=evidence.tags & np.uint32(0x7FFFFFFF))
    assert looks(traces.of_evidence(low, NOTES, "police"))["bytes of tags"].shows


def test_no_packages_of_nobody_break_it():
    names, filters = np.empty((0, 16), np.uint8), np.empty((0, 64), np.uint64)
    nobody = Screening(names, filters, np.empty(0, np.int32), np.empty((0, 0, 16), np.uint8))
    assert len(traces.of_screening(nobody, "police", 100)) == 2
    assert len(traces.between_runs(nobody, nobody, "police")) == 1
