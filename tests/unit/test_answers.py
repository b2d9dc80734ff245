"""The matcher's reading of evidence, one package at a time, and finding codes among codes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage import ids
from linkage.model import Evidence, Pairs
from linkage.package.contents import EvidenceContents
from linkage.parties.answers import Answers
from linkage.parties.screened import Joined, Screened

CODES = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), unique=True, max_size=9)
"""Of few halves, so that codes share them."""


def codes(halves):
    return np.array(halves, np.uint64).reshape(-1, 2).view(np.uint8).reshape(-1, 16)


@given(CODES, st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), max_size=9))
def test_codes_are_found_by_all_their_bytes(have, want):
    found = ids.places(codes(have), codes(want))
    assert found.tolist() == [have.index(one) if one in have else -1 for one in want]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=6))
def test_codes_are_unique_unless_all_bytes_are_the_same(halves):
    assert ids.unique(codes(halves)) == (len(set(halves)) == len(halves))


def joined(left, right, numbers):
    rows = np.zeros(len(numbers), np.int32)
    return Joined(left, right, Pairs(rows, rows), codes([(0, number) for number in numbers]))


def answer(numbers):
    """Evidence of some pairs; every array says which pair it is of."""
    told = np.array(numbers)[:, None]
    evidence = Evidence(
        codes([(0, number) for number in numbers]), told.astype(np.uint8), told.astype(np.uint32), told[:, None] + 0
    )
    return EvidenceContents(evidence, told.astype(np.uint8), b"key")


def some(contents, choose):
    """The pairs chosen of an answer, as its package would be opened."""
    rows = choose(contents.evidence.pair_ids)
    return EvidenceContents(contents.evidence.take(rows), contents.notes[rows], contents.note_key)


@pytest.fixture
def read():
    """Three files' answers, decoys among them, and what was opened so far."""
    answers = {"anchors": answer([4, 1, 9, 2, 3]), "one": answer([2, 8, 1]), "two": answer([7, 4, 3])}
    opened = []

    def opener(name, choose):
        opened.append(name)
        return some(answers[name], choose)

    screened = Screened((joined("anchors", "one", [1, 2]), joined("anchors", "two", [3, 4])), {})
    return Answers(screened, opener), opened


def test_evidence_of_decoys_is_dropped_and_all_else_stays_together(read):
    answers, _ = read
    assert list(answers) == ["anchors", "one", "two"]
    assert len(answers) == 3
    for name, numbers in {"anchors": [4, 1, 2, 3], "one": [2, 1], "two": [4, 3]}.items():
        contents = answers[name]
        for part in (contents.notes, contents.evidence.presence, contents.evidence.tags):
            assert part.ravel().tolist() == numbers
        assert contents.evidence.filters.ravel().tolist() == numbers
        assert contents.bound.tolist() == codes([(0, number) for number in numbers]).tolist()


def test_each_package_is_opened_once_in_a_run(read):
    """Anchors are held for all they are compared with; of other files one at a time."""
    answers, opened = read
    for right in ("one", "two"):
        assert answers["anchors"].note_key == answers[right].note_key
    assert opened == ["anchors", "one", "two"]
    assert len(answers["one"].evidence) == 2
    assert opened[3:] == ["one"], "it had been let go"
