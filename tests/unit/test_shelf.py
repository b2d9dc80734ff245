"""What is put aside comes back, is noise on the disk, and is gone with whoever put it there."""

import os
import secrets

import numpy as np
import pytest

from keys import aside
from keys.aside import Aside
from keys.errors import OpenError
from linkage.errors import YourFileError
from linkage.shelf import Shelf, on_disk
from linkage.texts import Texts
from tests import support

SIZES = [0, 1, 4095, 4096, aside.CHUNK_BYTES, aside.CHUNK_BYTES + 1, 3 * aside.CHUNK_BYTES]


def test_bytes_come_back_whatever_their_number(tmp_path):
    held = Aside(tmp_path)
    pieces = [secrets.token_bytes(size) for size in SIZES]
    places = [held.put(piece) for piece in pieces]
    for nth in (3, 0, 6, 5, 1, 2, 4, 6):
        assert held.get(places[nth]) == pieces[nth]
    held.close()
    with pytest.raises(ValueError, match="closed"):
        held.get(places[1])


def on_the_disk(held):
    held._file.seek(0)
    return held._file.read()


def test_what_lies_on_the_disk_is_noise_and_never_twice_the_same(tmp_path):
    held, text = Aside(tmp_path), b"MR JOHN OKAFOR " * 5000
    for _ in range(2):
        held.put(text)
    data = on_the_disk(held)
    assert b"OKAFOR" not in data
    assert data[: len(data) // 2] != data[len(data) // 2 :]
    counts = np.bincount(np.frombuffer(data, np.uint8), minlength=256)
    assert abs(counts / len(data) * 256 - 1).max() < 0.3
    other = Aside(tmp_path)
    other.put(text)
    assert on_the_disk(other)[:1000] != data[:1000]
    assert repr(held) == f"Aside(bytes={len(data)})"
    held.close()
    other.close()


@pytest.mark.skipif(os.name != "posix", reason="elsewhere the name goes when the file is closed")
def test_the_file_has_no_name(tmp_path):
    held = Aside(tmp_path)
    held.put(b"x" * 100)
    assert list(tmp_path.iterdir()) == []
    held.close()


@pytest.mark.parametrize("size", [100, 2 * aside.CHUNK_BYTES])
def test_what_was_altered_or_exchanged_does_not_open(tmp_path, size):
    held = Aside(tmp_path)
    one, two = (held.put(secrets.token_bytes(size)) for _ in range(2))
    data = bytearray(on_the_disk(held))
    half = len(data) // 2
    for altered in (data[half:] + data[:half], data[:-1] + bytes([data[-1] ^ 1]), data[: half - 1]):
        held._file.seek(0)
        held._file.truncate()
        held._file.write(altered)
        held._sealed[:] = bytes(len(held._sealed))
        opened = []
        for place in (one, two):
            try:
                opened.append(held.get(place))
            except OpenError as problem:
                opened.append(problem)
        assert any(isinstance(each, OpenError) for each in opened)
        assert "altered" in str(next(each for each in opened if isinstance(each, OpenError)))
    held.close()


def test_a_full_disk_is_said_and_no_half_is_read(tmp_path, monkeypatch):
    held = Aside(tmp_path)

    class Full:
        def __init__(self, file):
            self.file = file

        def write(self, data):
            return self.file.write(data[: len(data) // 2])

        def __getattr__(self, name):
            return getattr(self.file, name)

    monkeypatch.setattr(held, "_file", Full(held._file))
    with pytest.raises(OSError, match="space"):
        held.put(b"x" * 100)
    held.close()


@pytest.mark.parametrize("where", ["memory", "disk"])
def test_things_of_arrays_come_back(tmp_path, where):
    things = [
        support.county(300),
        Texts.of(["a", "", "é"]),
        (np.zeros((0, 3), np.uint8), np.arange(10_000)[::3], {"x": np.eye(50)}, b"bytes", None),
    ]
    with on_disk(tmp_path) as disk:
        shelf = disk if where == "disk" else Shelf()
        held = [shelf.put(thing) for thing in things]
        people, texts, rest = (load() for load in held)
        assert people.columns["surname"].vocabulary == things[0].columns["surname"].vocabulary
        assert np.array_equal(people.columns["surname"].codes, things[0].columns["surname"].codes)
        assert texts == things[1]
        assert np.array_equal(rest[1], np.arange(0, 10_000, 3))
        assert np.array_equal(rest[2]["x"], np.eye(50))
        assert rest[0].shape == (0, 3)
        if where == "disk":
            rest[1][0] = 7  # a copy of its own, which may be worked on
            assert held[2]()[1][0] == 0
    if where == "disk":
        with pytest.raises(ValueError, match="gone"):
            held[0]()


def test_nothing_is_made_where_nothing_is_put(tmp_path):
    with on_disk(tmp_path / "nowhere"):
        assert not (tmp_path / "nowhere").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    with on_disk(tmp_path / "nowhere") as shelf, pytest.raises(YourFileError, match="nowhere") as caught:
        shelf.put(np.arange(5000))
    assert "room" in caught.value.hint
