"""The compiled loops of encoding do what their plain twins do."""

import numpy as np
import pytest

from linkage.encode import kernels
from linkage.encode.diffusion import diffused, diffusion_places
from linkage.encode.spelling import bigrams
from tests import naive_encode as naive
from tests import support

RNG = np.random.default_rng(11)


@pytest.mark.parametrize("weight", [1, 20, 60, 512])
def test_constant_weight_is_its_twin(weight):
    shapes = [(1, 1), (2, 3), (3, 1), (24, 1), (1, 6), (5, 2)]
    sizes = [tokens * rounds + 1 for tokens, rounds in shapes]
    blocks = RNG.integers(0, 256, (sum(sizes), 16)).astype(np.uint8)
    starts = (np.cumsum(sizes) - sizes).astype(np.int64)
    tokens, rounds = (np.array(part, np.int64) for part in zip(*shapes, strict=True))
    out = np.zeros((len(shapes), 8), np.uint64)
    kernels.constant_weight(blocks, starts, tokens, rounds, weight, out)
    for row, (start, size) in enumerate(zip(starts, sizes, strict=True)):
        own = [block.tobytes() for block in blocks[start : start + size]]
        assert naive.bits(out[row]) == naive.constant_weight(own, *shapes[row], weight)
        assert len(naive.bits(out[row])) == weight


def test_constant_weight_is_reached_from_a_block_that_repeats_itself():
    """All positions of all tokens collide: the filler walks on to the weight."""
    blocks = np.zeros((3, 16), np.uint8)
    out = np.zeros((1, 8), np.uint64)
    kernels.constant_weight(blocks, np.zeros(1, np.int64), np.full(1, 2), np.full(1, 1), 60, out)
    assert naive.bits(out[0]) == naive.constant_weight([bytes(16)] * 3, 2, 1, 60) == set(range(60))


def test_constant_weight_leaves_a_filter_without_tokens_alone():
    out = np.zeros((2, 8), np.uint64)
    kernels.constant_weight(
        np.zeros((3, 16), np.uint8), np.zeros(2, np.int64), np.array([0, 2]), np.ones(2, int), 9, out
    )
    assert np.bitwise_count(out).sum(axis=1).tolist() == [0, 9]


def test_bigram_lists_are_the_bigrams_of_each_value():
    """Repeated letters, no letters, a list cut short; the padding is a letter like any other."""
    words, most = ["anna", "", "aaaa", "abcdefgh", "_"], [9, 9, 9, 3, 9]
    points = np.frombuffer("".join(words).encode(), np.uint8)
    number = np.array([" _abcdefghn".find(chr(point)) for point in range(128)], np.int32)
    lengths, last = np.array([len(word) for word in words]), np.full(121, -1, np.int32)
    codes, count = np.zeros(40, np.int64), np.zeros(len(words), np.int64)
    kernels.bigram_lists(points, number, lengths, 1, 11, np.array(most), last, codes, count)
    assert {*np.flatnonzero(last >= 0).tolist()} == {*codes[: count.sum()].tolist()}
    made = [" _abcdefghn"[code // 11] + " _abcdefghn"[code % 11] for code in codes[: count.sum()].tolist()]
    assert made == [gram for word, size in zip(words, most, strict=True) for gram in bigrams(word)[:size]]


def test_or_masks_is_its_twin():
    masks = RNG.integers(0, 2**63, (6, 3)).astype(np.uint64)
    lists = [[0, 1], [], [5], [2, 2, 3], []]
    codes = np.array([code for row in lists for code in row], np.int32)
    offsets = np.cumsum([0, *map(len, lists)]).astype(np.int64)
    out = np.zeros((len(lists), 3), np.uint64)
    kernels.or_masks(masks, codes, offsets, out)
    assert [naive.bits(row) for row in out] == naive.or_masks(masks, lists)


def test_or_masks_adds_to_what_is_there():
    out = np.full((1, 1), 4, np.uint64)
    kernels.or_masks(np.array([[1]], np.uint64), np.zeros(1, np.int32), np.array([0, 1]), out)
    assert out.tolist() == [[5]]


def test_or_values_adds_the_mask_of_each_row_whose_value_is_among_those_given():
    """A row without value, and one whose value is before or behind them, stays as it was."""
    masks = RNG.integers(0, 2**63, (2, 3)).astype(np.uint64)
    before = RNG.integers(0, 2**63, (5, 3)).astype(np.uint64)
    out = before.copy()
    kernels.or_values(masks, np.array([-1, 3, 4, 5, 6], np.int32), 4, out)
    added = naive.or_masks(masks, [[], [], [0], [1], []])
    assert [naive.bits(row) for row in out] == [naive.bits(row) | more for row, more in zip(before, added, strict=True)]


@pytest.mark.parametrize("rows", [0, 1, 63, 64, 300, 513])
def test_xor_bits_is_its_twin(rows):
    filters = RNG.integers(0, 2**64, (rows, 3), np.uint64)
    places = RNG.integers(0, 192, (128, 3))
    out = np.empty((rows, 2), np.uint64)
    kernels.xor_bits(filters, places, out)
    assert [naive.bits(row) for row in out] == [naive.diffuse(row, places) for row in filters]


def test_diffuse_is_its_twin():
    plain = RNG.integers(0, 2**63, (5, support.DIFFUSED.bits // 64)).astype(np.uint64)
    subkey = bytes(range(32))
    places = diffusion_places(support.DIFFUSED, subkey)
    sent = diffused(plain, places)
    assert sent.shape == (5, support.DIFFUSED.sent_bits // 64)
    assert [naive.bits(row) for row in sent] == [naive.diffuse(row, places) for row in plain]


def test_each_filter_has_its_owners_nth_value_or_his_first():
    """Of people with no value, one and three; and which values are among them at all."""
    codes, offsets = np.array([4, 2, 0, 2], np.int32), np.array([0, 0, 1, 4], np.int32)
    owner, version = np.array([2, 0, 1, 1, 2, 2], np.int32), np.array([2, 0, 0, 1, 0, 1], np.int8)
    used, out = np.zeros(6, np.bool_), np.empty(6, np.int32)
    kernels.nth_values(codes, offsets, owner, version, used, out)
    assert out.tolist() == [2, -1, 4, 4, 2, 0]
    assert np.flatnonzero(used).tolist() == [0, 2, 4]
