"""An agency finds inside its file whom a matcher would find there who has the filters as sent."""

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from linkage.encode.diffusion import diffused, diffusion_places
from linkage.match.candidates import Nearest
from linkage.match.inside import LUCK_BITS, Part, law, nearest_inside
from linkage.match.search import find_candidates
from tests import naive, support


def tickets(rng, n):
    return np.sort(rng.integers(0, 2**64, n, np.uint64))


def inside(filters, asked, keep, sent_bits, xor, drawn, **more):
    """The search of a file in one part."""
    part = Part(filters, asked, drawn)
    return nearest_inside([lambda: part], keep, sent_bits, xor, **more)


def people(n, words, seed=1):
    """Filters nearly half full, of which every second is a damaged copy of the one before."""
    rng = np.random.default_rng(seed)
    bits = rng.random((n, 64 * words)) < 0.45
    bits[1::2] = bits[::2] ^ (rng.random((n // 2, 64 * words)) < rng.uniform(0, 0.3, (n // 2, 1)))
    return np.packbits(bits, axis=1, bitorder="little").view(np.uint64), rng


@pytest.mark.parametrize(("n", "words"), [(40, 1), (300, 8), (530, 16)])
@pytest.mark.parametrize("xor", [0, 4])
def test_the_kernel_finds_what_its_plain_twin_finds(n, words, xor):
    filters, rng = people(n, words)
    drawn = tickets(rng, n)
    asked = np.sort(rng.choice(n, 30, replace=False))
    found = inside(filters, asked, 5, 4096, xor, drawn, recall=1)
    plain = naive.nearest_drawn(filters, drawn, asked, *law(64 * words, 4096, xor), 5)
    assert list(zip(found.distances.tolist(), found.rows.tolist(), strict=True)) == [p for row in plain for p in row]
    assert found.asked.tolist() == np.repeat(np.arange(30), 5).tolist()


@pytest.mark.parametrize("cuts", [[300], [0, 3, 260], [700, 710]])
@pytest.mark.parametrize("xor", [0, 4])
def test_a_file_in_parts_is_searched_as_one(cuts, xor):
    filters, rng = people(800, 8)
    bounds = list(pairwise([0, *cuts, 800]))
    drawn = np.concatenate([tickets(rng, stop - start) for start, stop in bounds])
    asked = np.sort(rng.choice(800, 60, replace=False))
    parts = [
        Part(filters[start:stop], asked[(asked >= start) & (asked < stop)] - start, drawn[start:stop])
        for start, stop in bounds
    ]
    loaded = []
    found = nearest_inside([lambda part=part: loaded.append(part) or part for part in parts], 5, 4096, xor, recall=1)
    plain = naive.nearest_drawn(filters, drawn, asked, *law(512, 4096, xor), 5)
    assert list(zip(found.distances.tolist(), found.rows.tolist(), strict=True)) == [p for row in plain for p in row]
    assert len(loaded) == 2 * len(parts)


GUARDED = """
import ctypes, mmap
import numpy as np
from linkage.match.inside import Part, nearest_inside

rows, words = 300, 16
held = -(-8 * rows * words // mmap.PAGESIZE) * mmap.PAGESIZE
room = mmap.mmap(-1, held + mmap.PAGESIZE)
end = ctypes.addressof(ctypes.c_char.from_buffer(room)) + held
assert ctypes.CDLL(None).mprotect(ctypes.c_void_p(end), mmap.PAGESIZE, 0) == 0
filters = np.frombuffer(room, np.uint64, rows * words, held - 8 * rows * words).reshape(rows, words)
filters[np.arange(rows), np.arange(rows) // 64] = 1 << np.arange(rows, dtype=np.uint64) % 64  # 2 apart, 1 from nothing
part = Part(filters, np.arange(rows), np.arange(rows, dtype=np.uint64))
nearest_inside([lambda: part], 9, 1024, {xor})
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is guarded in this way on Linux alone")
@pytest.mark.parametrize("xor", [0, 4])
def test_nothing_is_read_behind_the_file(xor):
    """Behind the last of few bits' rows stands a page that nobody may touch."""
    subprocess.run([sys.executable, "-c", GUARDED.format(xor=xor)], check=True)


def test_a_first_look_loses_no_more_than_was_said():
    filters, rng = people(3000, 16)
    drawn = tickets(rng, 3000)
    asked = np.arange(0, 3000, 3)
    whole, looked = (
        set(zip(one.asked.tolist(), one.rows.tolist(), strict=True))
        for one in (inside(filters, asked, 10, 4096, 4, drawn, recall=recall) for recall in (1, 0.6))
    )
    assert 0.8 < len(whole & looked) / len(whole) < 1


def test_a_file_smaller_than_the_list_is_found_whole():
    filters, _ = people(4, 8)
    found = inside(filters, np.array([2]), 9, 4096, 4, np.zeros(4, np.uint64))
    assert sorted(found.rows.tolist()) == [0, 1, 3]


def test_distances_follow_the_law_of_diffused_ones():
    """Mean and spread of what really is sent, at every plain distance there is."""
    profile = support.DIFFUSED
    filters, rng = people(400, profile.bits // 64)
    sent = naive.distances(*[diffused(filters, diffusion_places(profile, bytes(32)))] * 2)
    plain = naive.distances(filters, filters)
    means, noise = law(64 * filters.shape[1], profile.sent_bits, profile.xor)
    own = tickets(rng, 400)
    drawn = (means[plain] + noise[(own[:, None] + own) >> np.uint64(64 - LUCK_BITS)]) / 256
    for low, high in [(0.04, 0.12), (0.12, 0.2), (0.2, 0.3), (0.3, 0.46), (0.46, 0.6)]:
        there = np.triu((plain >= low * profile.bits) & (plain < high * profile.bits), 1)
        error = (sent - means[plain] / 256)[there]
        assert there.sum() > 20
        assert abs(error.mean()) < 10
        assert drawn[there].mean() == pytest.approx(sent[there].mean(), abs=10)
    far = np.triu(plain > 0.4 * profile.bits, 1)
    assert sent[far].std() == pytest.approx(drawn[far].std(), rel=0.05)


def test_candidates_are_as_many_strangers_as_the_matchers():
    """A copy too damaged to stand out from the noise is found by neither, and one that does by both."""
    filters, rng = people(1200, support.DIFFUSED.bits // 64)
    sent_bits = support.DIFFUSED.sent_bits
    found = inside(filters, np.arange(1200), 3, sent_bits, 4, tickets(rng, 1200))
    sent = diffused(filters, diffusion_places(support.DIFFUSED, bytes(32)))
    matcher = find_candidates(sent, None, Nearest(keep=3))
    own = (found.asked // 2 == found.rows // 2).mean() * 3
    theirs = 2 * (matcher.left // 2 == matcher.right // 2).sum() / 1200
    assert 0.3 < theirs < 0.95
    assert own == pytest.approx(theirs, abs=0.05)
