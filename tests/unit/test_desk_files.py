"""Files whole or not at all, and never over another."""

import os
import stat
from pathlib import Path

import pytest

from linkage.errors import OutputExistsError, YourFileError
from linkage.exchange import files
from linkage.exchange.files import read, write_all, write_new, write_over

posix = pytest.mark.skipif(os.name != "posix", reason="file modes mean nothing on Windows")


def everything(folder):
    """All files below a folder, hidden ones too, with what is in them."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_all_files_are_written(tmp_path):
    paths = [tmp_path / "a" / "one", tmp_path / "b" / "two"]
    assert write_all([(path, path.name.encode()) for path in paths]) == paths
    assert everything(tmp_path) == {"a/one": b"one", "b/two": b"two"}


def test_nothing_to_write_is_no_fault():
    assert write_all([]) == []


@pytest.mark.parametrize("there", [0, 1, 2])
def test_if_one_exists_none_is_written(tmp_path, there):
    paths = [tmp_path / str(nth) for nth in range(3)]
    paths[there].write_bytes(b"old")
    with pytest.raises(OutputExistsError, match="exists already") as refusal:
        write_all([(path, b"new") for path in paths])
    assert refusal.value.exit_code == 26
    assert everything(tmp_path) == {str(there): b"old"}


def test_one_name_twice_is_refused(tmp_path):
    with pytest.raises(OutputExistsError):
        write_all([(tmp_path / "one", b"1"), (tmp_path / "one", b"2")])
    assert everything(tmp_path) == {}


@posix
def test_a_dangling_link_is_not_written_through(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputExistsError):
        write_new(tmp_path / "link", b"new")
    assert everything(tmp_path) == {}


def test_a_file_that_appears_meanwhile_is_not_overwritten(tmp_path, monkeypatch):
    """Somebody else's file, made between our look and our writing, stays, and ours vanish."""
    write = files._write

    def slow(path, data, *, private):
        (tmp_path / "two").write_bytes(b"theirs")
        write(path, data, private=private)

    monkeypatch.setattr(files, "_write", slow)
    with pytest.raises(OutputExistsError):
        write_all([(tmp_path / "one", b"ours"), (tmp_path / "two", b"ours")])
    assert everything(tmp_path) == {"two": b"theirs"}


class Crash(BaseException):
    """The machine stops here, as far as Python can act it."""


@pytest.mark.parametrize("stage", ["_write", "_publish"])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_crash_leaves_nothing_half_written(tmp_path, monkeypatch, stage, nth):
    calls, real = [], getattr(files, stage)

    def failing(*args, **more):
        calls.append(1)
        if len(calls) == nth:
            raise Crash
        return real(*args, **more)

    monkeypatch.setattr(files, stage, failing)
    with pytest.raises(Crash):
        write_all([(tmp_path / str(place), b"x" * 100) for place in range(3)])
    assert everything(tmp_path) == {}


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, monkeypatch, nth):
    calls, real = [], os.fsync

    def full(handle):
        calls.append(1)
        if len(calls) == nth:
            raise OSError(28, "No space left on device")
        real(handle)

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(YourFileError, match="No space left"):
        write_all([(tmp_path / str(place), b"x") for place in range(3)])
    assert everything(tmp_path) == {}


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(YourFileError, match="cannot write"):
        write_new(tmp_path / "file" / "below", b"x")


@posix
def test_without_hard_links_it_works_as_well(tmp_path, monkeypatch):
    def none(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(Path, "hardlink_to", none)
    write_all([(tmp_path / "one", b"1"), (tmp_path / "two", b"2")])
    assert everything(tmp_path) == {"one": b"1", "two": b"2"}
    with pytest.raises(OutputExistsError):
        write_new(tmp_path / "one", b"new")


@posix
def test_private_files_are_for_their_owner_alone(tmp_path):
    before = os.umask(0)
    try:
        write_new(tmp_path / "mine", b"x", private=True)
        write_over(tmp_path / "state", b"x")
        write_over(tmp_path / "state", b"y")
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_newer_state_takes_the_place_of_older_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "state"
    write_over(path, b"old")
    monkeypatch.setattr(files.os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(YourFileError):
        write_over(path, b"new")
    assert everything(tmp_path) == {"state": b"old"}


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(YourFileError, match="cannot read"):
        read(tmp_path / "none")
    with pytest.raises(YourFileError, match="cannot read"):
        read(tmp_path)
