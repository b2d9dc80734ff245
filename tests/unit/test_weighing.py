"""Several pairs of files weighed side by side: each result stands where its files stand."""

from threading import Event

import numpy as np

from linkage.model import Comparisons, Evidence, NullTable, Pairs, Scores
from linkage.package.contents import EvidenceContents
from linkage.parties import matcher
from linkage.parties.screened import Joined, Screened
from tests.support import SCHEMA, agreement

FIELDS = len(SCHEMA)
NULL = NullTable(
    np.empty((0, FIELDS), np.int8), np.empty((0, FIELDS), np.int8), np.empty((0, 2), np.int8), np.empty(0), 10, 0,
    np.full(FIELDS, 0.5),
)  # fmt: skip


def ids(numbers):
    return np.repeat(np.array(numbers, np.uint8)[:, None], 16, axis=1)


def contents(numbers):
    """What a party says of some pairs; its notes are the pairs' numbers."""
    codes = ids(numbers)
    evidence = Evidence(codes, codes, codes.astype(np.uint32), codes.astype(np.uint64)[:, None])
    return EvidenceContents(evidence, codes, b"key")


def joined(right, numbers):
    rows = np.arange(len(numbers), dtype=np.int32)
    return Joined("childrens_services", right, Pairs(rows, rows), ids(numbers))


def test_files_keep_their_order_whichever_is_weighed_first(monkeypatch):
    """The first two files wait for the next two; of the notes those of each one's own likely pairs are kept."""
    second = Event()

    def fit(pairs, comparisons, *_):
        if len(pairs) == 3:
            assert second.wait(60)
        second.set()
        weight = np.where(np.arange(len(pairs)) == 1, 90.0, -90.0)
        assert len(comparisons) == len(pairs)
        return Scores(
            weight, np.full(len(pairs), 0.5), np.zeros((len(pairs), FIELDS + 1), np.float32), {"expected_pairs": 1.0}
        )

    def compare(*sides):
        levels = np.zeros((len(sides[-1][0]), FIELDS), np.int8)
        return Comparisons(levels, levels, levels[:, :2])

    monkeypatch.setattr(matcher, "fit_and_score", fit)
    monkeypatch.setattr(matcher, "compare", compare)
    monkeypatch.setattr(matcher, "cores", lambda: 2)
    evidence = {
        "childrens_services": contents([5, 4, 3, 2, 1]), "police": contents([3, 1, 2]), "housing": contents([4, 5])
    }  # fmt: skip
    screened = Screened((joined("police", [1, 2, 3]), joined("housing", [4, 5])), dict.fromkeys(evidence, NULL))
    told = []
    one, two = matcher.score(screened, evidence, agreement(), lambda *progress: told.append(progress))
    assert [each.joined.right for each in (one, two)] == ["police", "housing"]
    for each, number in ((one, 2), (two, 5)):
        assert each.sealed.pairs.tolist() == [1]
        assert each.sealed.notes[:, 0, 0].tolist() == [number, number]
    assert [done for _, done, _ in told] == [0, 1, 2]
