"""A container whose parts come in any order, of which some rows are wanted, is what it is when read whole."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load

from linkage.package.arriving import Arriving, Places, Rows, best_order, fill_rows
from linkage.package.stream import container

BESIDE = ("flags", "wide", "none")


def arrays(count, seed=0):
    """Arrays with a row a code, and one that has none; all bytes random, the widths unlike."""
    random = np.random.default_rng(seed)
    return {
        "codes": random.integers(0, 256, (count, 2), np.uint8),
        "flags": random.integers(0, 256, (count, 3), np.uint8),
        "wide": random.integers(0, 2**64, (count, 2, 3), np.uint64),
        "none": np.empty((count, 0), np.uint32),
        "alone": random.integers(0, 2**16, 7, np.uint16),
    }


def arrived(parts, order, rows=None):
    arriving = Arriving(rows)
    for number in order:
        arriving.add(number, len(parts), parts[number - 1])
    return arriving.arrays()


def parts_of(data, size):
    return list(container(data).padded().parts(size))


@given(st.integers(0, 9), st.integers(1, 400), st.data())
def test_the_rows_chosen_come_whatever_the_parts_and_their_order(count, size, data):
    told, parts = arrays(count), parts_of(arrays(count), size)
    order = data.draw(st.permutations(range(1, len(parts) + 1)))
    chosen = np.array(sorted(data.draw(st.sets(st.integers(0, count - 1)))) if count else [], np.int64)
    found = arrived(parts, order, Rows("codes", BESIDE, lambda _: chosen))
    whole = load(bytes(container(told)))
    assert found.keys() == whole.keys()
    for name, array in whole.items():
        expected = array if name == "alone" else array[chosen]
        assert found[name].dtype == expected.dtype
        assert np.array_equal(found[name], expected)


def test_rows_are_chosen_by_their_codes():
    told = arrays(50)
    seen = []

    def choose(codes):
        seen.append(codes.copy())
        return np.flatnonzero(codes[:, 0] < 99)

    found = arrived(parts_of(told, 77), range(1, len(parts_of(told, 77)) + 1), Rows("codes", BESIDE, choose))
    assert len(seen) == 1
    assert np.array_equal(seen[0], told["codes"])
    assert np.array_equal(found["wide"], told["wide"][told["codes"][:, 0] < 99])
    assert 0 < len(found["wide"]) < 50


def test_in_the_best_order_no_part_is_held_once_the_codes_are_known():
    told = arrays(1000)
    parts = parts_of(told, 1000)
    arriving = Arriving(Rows("codes", BESIDE, lambda codes: np.arange(0, len(codes), 2)))
    held = []
    for number in sorted(range(1, len(parts) + 1), key=best_order):
        arriving.add(number, len(parts), parts[number - 1])
        held.append(len(arriving._held) + len(arriving._room._waiting))
    assert max(held) < 10 < len(parts)
    assert held[-1] == 0
    assert np.array_equal(arriving.arrays()["wide"], told["wide"][::2])


@given(st.integers(0, 9), st.integers(1, 400), st.data())
def test_elements_known_before_come_whatever_the_parts_and_their_order(count, size, data):
    """Of some arrays rows, of others elements within rows, of others nothing, and of the rest all."""
    told, parts = arrays(count), parts_of(arrays(count), size)
    order = data.draw(st.permutations(range(1, len(parts) + 1)))

    def some(most):
        return np.array(sorted(data.draw(st.sets(st.integers(0, most - 1)))) if most else [], np.int64)

    nothing = np.empty(0, np.int64)
    rows, elements = some(count), some(2 * count)
    wanted = {
        "flags": Places(rows), "wide": Places(elements, axes=2), "codes": Places(nothing), "unknown": Places(nothing),
    }  # fmt: skip
    found = arrived(parts, order, wanted)
    assert np.array_equal(found["flags"], told["flags"][rows])
    assert np.array_equal(found["wide"], told["wide"].reshape(-1, 3)[elements])
    assert found["codes"].shape == (0, 2)
    assert np.array_equal(found["alone"], told["alone"])


def test_of_an_array_that_lacks_what_is_wanted_all_comes():
    """Whoever asked for it finds more than he asked for, and refuses it."""
    told = arrays(20)
    wanted = {"flags": Places(np.array([20])), "alone": Places(np.array([0]), axes=2)}
    found = arrived(parts_of(told, 100), range(1, len(parts_of(told, 100)) + 1), wanted)
    assert np.array_equal(found["flags"], told["flags"])
    assert np.array_equal(found["alone"], told["alone"])


@pytest.mark.parametrize("name", ["codes", "wide"])
def test_of_arrays_that_do_not_go_together_all_rows_come(name):
    """Whoever takes them in refuses them then; here no row is taken for another's."""
    told = arrays(20)
    told[name] = told[name][:-1]
    found = arrived(parts_of(told, 100), range(1, len(parts_of(told, 100)) + 1), Rows("codes", BESIDE, lambda _: 1 / 0))
    assert all(np.array_equal(found[each], told[each]) for each in told)
    del told["flags"]
    found = arrived(parts_of(told, 10**6), [1], Rows("codes", BESIDE, lambda _: 1 / 0))
    assert np.array_equal(found["wide"], told["wide"])


def test_a_part_too_few_too_short_or_too_long_makes_no_container():
    parts = parts_of(arrays(20), 100)
    numbers = range(1, len(parts) + 1)
    for some in (numbers[1:], numbers[:-1], [*numbers[:3], *numbers[4:]], []):
        with pytest.raises(ValueError, match="bytes are missing"):
            arrived(parts, some)
    for place in (0, 3, len(parts) - 1):
        for piece in (parts[place][:-1], parts[place] + b"\0", parts[place] + b"\1"):
            with pytest.raises(ValueError, match="bytes are missing"):
                arrived([*parts[:place], piece, *parts[place + 1 :]], numbers)


def test_a_head_that_promises_more_than_memory_holds_is_no_container():
    text = b'{"x":{"dtype":"U8","shape":[1152921504606846976],"data_offsets":[0,1152921504606846976]}}'
    with pytest.raises(ValueError, match="bytes are missing"):
        arrived([len(text).to_bytes(8, "little") + text], [1])


@given(st.integers(1, 5), st.integers(0, 8), st.integers(0, 30), st.integers(1, 30), st.data())
def test_pieces_of_rows_go_where_the_rows_go(width, count, at, size, data):
    """Twin: all rows whole, of which those chosen are taken."""
    told = np.random.default_rng(count).integers(1, 256, (count, width), np.uint8)
    chosen = np.array(sorted(data.draw(st.sets(st.integers(0, count - 1)))) if count else [], np.int64)
    piece = told.reshape(-1)[at : at + size]
    room = np.zeros((len(chosen), width), np.uint8)
    fill_rows(room, chosen, piece, at)
    plain = np.zeros_like(told)
    plain.reshape(-1)[at : at + size] = piece
    assert np.array_equal(room, plain[chosen])
