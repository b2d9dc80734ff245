"""Laws of packages: what is sealed opens to the same, and nothing else opens at all."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import load

from linkage.errors import TheirPackageError
from linkage.package.container import MAGIC, Body, Expected, open_package, pack, read_header
from linkage.package.stream import Made, container, padded_length
from tests import support

AGREED = support.agreement()
EXPECTED = Expected("evidence", "r", AGREED)
ME = support.identity("matcher")
SMALL = Body(b"{}", {"x": np.arange(4, dtype=np.uint8)})
DATA = next(iter(pack(SMALL, "evidence", "r", AGREED, support.identity("police"), "matcher")))[1]
LENGTH = len(DATA)

NAMES = st.text("abcdefgh.", min_size=1, max_size=6)
ARRAYS = st.sampled_from([np.uint8, np.int8, np.int32, np.uint32, np.uint64, np.float32, np.float64]).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4))
)


@given(st.binary(max_size=50), st.dictionaries(NAMES, ARRAYS, max_size=3))
@settings(max_examples=50)
def test_what_is_sealed_opens_to_the_same_package(meta, arrays):
    parts = pack(Body(meta, arrays), "evidence", "r", AGREED, support.identity("police"), "matcher")
    body = open_package([data for _, data in parts], EXPECTED, ME).body
    assert body.meta == meta
    assert body.arrays.keys() == arrays.keys()
    for name, array in arrays.items():
        assert body.arrays[name].dtype == array.dtype
        assert body.arrays[name].shape == array.shape
        assert body.arrays[name].tobytes() == array.tobytes()


@given(st.dictionaries(NAMES, ARRAYS, max_size=4), st.integers(1, 200))
def test_a_stream_is_the_container_in_parts(arrays, size):
    """The library reads every array again, a turned one too; parts are of the size asked for."""
    arrays = {name: array.T for name, array in arrays.items()} | {"bits": np.array([True, False])}
    stream = container(arrays)
    parts = list(stream.parts(size))
    read = load(b"".join(parts))
    assert read.keys() == arrays.keys()
    for name, array in arrays.items():
        assert read[name].dtype == array.dtype
        assert read[name].shape == array.shape
        assert read[name].tobytes() == array.tobytes()
    assert {len(part) for part in parts[:-1]} <= {size}
    assert len(parts) == -(-stream.length // size)


@given(ARRAYS, st.lists(st.integers(0, 4)), st.integers(1, 200))
def test_an_array_made_while_it_is_sent_is_the_same_as_one_that_is_there(array, cuts, size):
    made = Made(array.dtype, array.shape, lambda: iter(np.split(array, sorted(cuts))))
    there, streamed = container({"a": array, "b": array}), container({"a": made, "b": array})
    assert streamed.length == there.length
    assert b"".join(streamed.parts(size)) == bytes(streamed) == bytes(there)


@pytest.mark.parametrize("parts", [[], [np.zeros((1, 2))] * 3, [np.zeros((2, 2), np.float32)], [np.zeros((2, 1))]])
def test_an_array_made_otherwise_than_announced_is_never_sent_whole(parts):
    with pytest.raises(ValueError, match="part"):
        bytes(container({"a": Made(np.dtype(np.float64), (2, 2), lambda: iter(parts))}))


@given(st.integers(0, LENGTH - 1), st.integers(1, 255))
@settings(max_examples=400)
def test_every_change_of_a_byte_is_refused(place, change):
    altered = DATA[:place] + bytes([DATA[place] ^ change]) + DATA[place + 1 :]
    with pytest.raises(TheirPackageError):
        open_package([altered], EXPECTED, ME)


def test_every_byte_of_the_head_counts():
    """Header and signature byte by byte, where the parser has most to decide."""
    _, end = read_header(DATA)
    for place in range(end + 64):
        altered = DATA[:place] + bytes([DATA[place] ^ 1]) + DATA[place + 1 :]
        with pytest.raises(TheirPackageError):
            open_package([altered], EXPECTED, ME)


@given(st.integers(0, LENGTH - 1))
@settings(max_examples=100)
def test_every_cut_is_refused(length):
    with pytest.raises(TheirPackageError):
        open_package([DATA[:length]], EXPECTED, ME)


@given(st.integers(0, LENGTH), st.binary(min_size=1, max_size=20))
@settings(max_examples=100)
def test_every_insertion_is_refused(place, more):
    with pytest.raises(TheirPackageError):
        open_package([DATA[:place] + more + DATA[place:]], EXPECTED, ME)


@given(st.one_of(st.binary(max_size=400), st.binary(max_size=400).map(lambda data: MAGIC + data)))
@settings(max_examples=300)
def test_random_bytes_are_refused_and_never_crash_the_reader(data):
    with pytest.raises(TheirPackageError):
        open_package([data], EXPECTED, ME)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**70) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
ENTRIES = ("agreement", "kind", "package", "part", "parts", "recipient", "run", "sender", "sealed", "sha256")


@given(st.dictionaries(st.sampled_from(ENTRIES), JSON), st.binary(min_size=64, max_size=100))
@settings(max_examples=300)
def test_random_headers_are_refused_and_never_crash_the_reader(header, rest):
    import json

    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    data = MAGIC + len(text).to_bytes(4, "little") + text + rest
    with pytest.raises(TheirPackageError):
        open_package([data], EXPECTED, ME)


@given(st.integers(0, 1 << 40))
def test_lengths_are_padded_to_few_steps(length):
    """No shorter, little longer, a step of its own, and the longer the coarser."""
    padded = padded_length(length)
    assert length <= padded <= max(1.12 * length, length + 1)
    assert padded_length(padded) == padded
    digits = f"{padded:b}"
    assert len(digits.rstrip("0")) <= (max(length, 2).bit_length() - 1).bit_length() + 1
