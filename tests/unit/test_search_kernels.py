"""Every compiled kernel does what its plain twin does."""

import numpy as np
import pytest
from numba import njit

from linkage.match import kernels, kernels_dice, kernels_lanes, kernels_lsh
from linkage.match.kernels_nearest import nearest_block
from linkage.match.recall import shared_needed
from tests import naive


def people(n, words, seed, *, copies=0.12):
    """Filters in which some rows of one half are damaged copies of rows of the other."""
    rng = np.random.default_rng(seed)
    bits = rng.random((n, words * 64)) < 0.4
    half = n // 2
    bits[half : 2 * half] ^= (rng.random((half, words * 64)) < copies) & (rng.random((half, 1)) < 0.7)
    bits[half : 2 * half] = np.where(rng.random((half, 1)) < 0.5, bits[:half], bits[half : 2 * half])
    bits ^= rng.random(bits.shape) < 0.03
    return np.packbits(bits, axis=1, bitorder="little").view(np.uint64)


@pytest.mark.parametrize("words", [1, 3, 8, 13, 16])
def test_a_tile_counts_like_plain_python(words):
    rows = people(40, words, words)
    columns = np.ascontiguousarray(rows.T)
    counts = np.empty(len(rows), np.int64)
    for used in range(words + 1):
        kernels.distances_to_tile(rows[0], columns, used, counts)
        assert counts.tolist() == [naive.distance(rows[0, :used], row[:used]) for row in rows]
        kernels_dice.shared_with_tile(rows[0], columns, used, counts)
        assert counts.tolist() == [naive.shared(rows[0, :used], row[:used]) for row in rows]


@pytest.mark.parametrize("count", [kernels.added8, kernels.counted8])
def test_eight_words_have_as_many_bits_as_one_by_one(count):
    for row in [*people(50, 8, 3), np.zeros(8, np.uint64), ~np.zeros(8, np.uint64)]:
        assert count(*row) == naive.size(row)


def test_a_best_list_keeps_the_smallest_in_order():
    rng = np.random.default_rng(5)
    best, plain = np.full(4, 10**6, np.int64), [10**6] * 4
    for key in rng.permutation(60):
        kernels.insert_best(best, key)
        plain = naive.insert_best(plain, int(key))
        assert best.tolist() == plain


@pytest.mark.parametrize("carry", [False, True])
@pytest.mark.parametrize("words", [1, 7, 8, 13, 16, 28])
def test_rows_side_by_side_are_counted_like_plain_python(words, carry):
    """Whether the machine counts the bits of whole vectors or they are added up first."""
    look = kernels_lanes.lanes(carry=carry)

    @njit
    def counted(row, slabs, most, each, counts, near):
        look(row, slabs, slabs.shape[1], most, each, counts, near)

    rows = people(48, words, words)
    slabs = np.ascontiguousarray(rows.reshape(6, 8, words).transpose(0, 2, 1))
    counts, near = np.empty(48, np.int64), np.empty(6, np.uint8)
    plain = np.array([naive.distance(rows[0], row) for row in rows])
    most, each = int(np.median(plain)), np.where(np.arange(48) % 5, -1, 64 * words)
    counted(rows[0], slabs, most, each, counts, near)
    np.testing.assert_array_equal(counts, plain)
    np.testing.assert_array_equal(np.unpackbits(near, bitorder="little"), (plain <= most) | (plain <= each))


@pytest.mark.parametrize("carry", [False, True])
@pytest.mark.parametrize("words", range(1, kernels_lanes.MOST_WORDS + 1))
def test_few_words_side_by_side_tell_who_is_near(words, carry):
    look = kernels_lanes.few_lanes(carry=carry)

    @njit
    def within(row, slabs, most, near):
        look(row, slabs, slabs.shape[1], most, near)

    rows = people(48, words, words)
    slabs = np.ascontiguousarray(rows.reshape(6, 8, words).transpose(0, 2, 1))
    near = np.empty(6, np.uint8)
    plain = np.array([naive.distance(rows[0], row) for row in rows])
    for most in (-1, 0, int(np.median(plain)), 64 * words):
        within(rows[0], slabs, most, near)
        np.testing.assert_array_equal(np.unpackbits(near, bitorder="little"), plain <= most)


@pytest.mark.parametrize("sides", [0, 1, 3])
@pytest.mark.parametrize(
    ("words", "first", "limit"), [(8, 8, 512), (16, 8, 512), (16, 8, 190), (32, 24, 600), (28, 20, 500), (13, 4, 120)]
)
def test_a_block_lists_exactly_what_the_plain_one_lists(sides, words, first, limit):
    """Also when it may lose pairs: the same look loses the same pairs."""
    left = people(60, words, 1)
    right = left if sides & 2 else people(330, words, 1)
    worst = (words * 64 * 2 // 5 + 1) << 32
    outcomes = []
    for run in (nearest_block, naive.nearest_block):
        best_left = np.full((len(left), 3), worst, np.int64)
        best_right = best_left if sides & 2 else np.full((len(right), 3), worst, np.int64)
        run(left, right, (5, 50, 20, len(right) - 2), best_left, best_right, sides, first, limit)
        outcomes.append((best_left, best_right))
    np.testing.assert_array_equal(outcomes[0][0], outcomes[1][0])
    np.testing.assert_array_equal(outcomes[0][1], outcomes[1][1])
    assert (outcomes[0][0] < worst).any()


@pytest.mark.parametrize("within", [False, True])
@pytest.mark.parametrize("capacity", [30 * 256, 4 * 30 * 256])
def test_a_dice_block_stops_when_full_and_goes_on_where_it_was(within, capacity):
    left = people(600, 5, 2)
    first, need = 2, shared_needed(320, 0.75)
    sizes = np.array([naive.size(row) for row in left])
    rests = np.array([naive.size(row[first:]) for row in left])
    span_left, place, found = (10, 40), 0, {}
    while place < len(left):
        buffer = np.empty((3, capacity), np.int32)
        span = (*span_left, place, len(left))
        pairs, place = kernels_dice.dice_block(
            left, left, span, within, (sizes, sizes), (rests, rests), first, int(0.75 * 2**16), need, buffer
        )
        found |= {(i, j): d for i, j, d in buffer[:, :pairs].T.tolist()}
    plain = naive.above(left[10:40], left, 0.75)
    wanted = {(i + 10, j): d for (i, j), d in plain.items() if not within or j > i + 10}
    assert found == wanted
    assert len(wanted) > 10


@pytest.mark.parametrize("rows", [1, 64, 200])
def test_a_file_is_turned_on_its_side_the_plain_way(rows):
    filters = people(rows, 3, 4)
    blocks = -(-rows // 64)
    columns = np.empty((192, blocks), np.uint64)
    for start in range(0, rows, 64):  # block by block, as threads share the work
        kernels_lsh.turn_bits(filters, start, min(start + 64, rows), columns)
    assert [sum(int(word) << (64 * b) for b, word in enumerate(column)) for column in columns] == naive.turned(filters)
    looked = np.random.default_rng(1).permutation(192)[:150]
    sketches = np.zeros((rows, 3), np.uint64)
    kernels_lsh.sketched(columns, looked, sketches)
    assert [naive.bits_at(row, range(150)) for row in sketches] == [naive.bits_at(row, looked) for row in filters]


@pytest.mark.parametrize("slot_bits", [1, 5, 9])
@pytest.mark.parametrize("sampled", [1, 9, 60])
def test_rows_are_arranged_by_slot_the_plain_way(slot_bits, sampled):
    rows = people(200, 4, 3)
    rows[[0, 77, 199]] = 0
    columns = np.empty((256, 4), np.uint64)
    kernels_lsh.turn_bits(rows, 0, 200, columns)
    positions = np.random.default_rng(0).choice(256, sampled, replace=False)
    slots = np.empty(len(rows), np.uint32)
    kernels_lsh.sampled_slots(columns, positions, 64 - slot_bits, slots)
    assert slots.tolist() == naive.sampled_slots(rows, positions, 64 - slot_bits)
    low_bits = min(4, slot_bits)
    sizes = np.array([naive.size(row) for row in rows], np.uint32)
    starts, entries = np.empty((1 << (slot_bits - low_bits)) + 1, np.int64), np.empty((200, 4), np.uint64)
    kernels_lsh.part_rows(slots, sizes, rows[:, :3].copy(), low_bits, starts, entries)
    order = naive.parted(slots.tolist(), sizes.tolist(), low_bits)
    held = entries[: len(order)]
    np.testing.assert_array_equal(held[:, :3], rows[order, :3])
    low = slots & np.uint32((1 << low_bits) - 1)
    assert held[:, 3].tolist() == [row << 32 | int(low[row]) << 16 | int(sizes[row]) for row in order]
    parts = (slots[order] >> low_bits).tolist()
    assert starts.tolist() == [sum(part < p for part in parts) for p in range(len(starts))]
