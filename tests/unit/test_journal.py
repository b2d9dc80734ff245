"""The log: whatever is changed in it afterwards shows (R37)."""

import hashlib
import os
import stat

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.errors import YourFileError
from linkage.exchange import journal as logging
from linkage.exchange.journal import START, Journal


@pytest.fixture
def journal(tmp_path):
    return filled(tmp_path)


def filled(folder):
    journal = Journal(folder / "journal.jsonl")
    journal.append("collect", "encode", "run-1", people=12)
    journal.append("disclose", "encode", "run-1", recipient="matcher", files=1)
    journal.append("combine", "screen", "run-1", packages=["aa", "bb"])
    journal.append("erase", "close", "run-1", files=3)
    return journal


def test_what_was_appended_is_there_in_order(journal):
    entries = journal.entries()
    assert [(entry.what, entry.step) for entry in entries] == [
        ("collect", "encode"), ("disclose", "encode"), ("combine", "screen"), ("erase", "close"),
    ]  # fmt: skip
    assert entries[0].details == {"people": 12}
    assert Journal(journal.path).entries() == entries


def test_every_entry_holds_the_digest_of_the_line_before(journal):
    lines = journal.path.read_bytes().splitlines()
    before = [START, *(hashlib.sha256(line).hexdigest() for line in lines)]
    assert [entry.before for entry in journal.entries()] == before[:-1]


def test_a_log_that_was_never_written_is_empty(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    assert journal.entries() == []
    assert journal.taken() == set()


def test_packages_taken_in_are_remembered(journal):
    journal.append("combine", "decide", "run-1", packages=["cc"])
    assert journal.taken() == {"aa", "bb", "cc"}


@pytest.mark.skipif(os.name != "posix", reason="file modes mean nothing on Windows")
def test_the_log_is_for_its_owner_alone(journal):
    assert {stat.S_IMODE(path.stat().st_mode) for path in (journal.path, journal.head)} == {0o600}


# --- edits ----------------------------------------------------------------------------------------------------------


def broken(journal):
    with pytest.raises(YourFileError, match="the log was edited") as refusal:
        journal.entries()
    assert refusal.value.exit_code == 20
    return str(refusal.value)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    journal = filled(tmp_path_factory.mktemp("journal"))
    return journal, journal.path.read_bytes()


@given(st.data())
@settings(max_examples=300)
def test_every_changed_byte_shows(written, data):
    """In the first line as in the last, line ends included."""
    journal, text = written
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != text[place]))
    journal.path.write_bytes(text[:place] + bytes([other]) + text[place + 1 :])
    broken(journal)


@given(st.data())
@settings(max_examples=200)
def test_every_removed_stretch_shows(written, data):
    journal, text = written
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    journal.path.write_bytes(text[:start] + text[end:])
    broken(journal)


@given(st.data())
@settings(max_examples=200)
def test_everything_put_in_shows(written, data):
    journal, text = written
    place = data.draw(st.integers(0, len(text)))
    more = data.draw(st.binary(min_size=1, max_size=5))
    journal.path.write_bytes(text[:place] + more + text[place:])
    broken(journal)


@pytest.mark.parametrize("gone", [{0}, {1}, {3}, {2, 3}, {0, 1, 2, 3}])
def test_removed_lines_show_the_last_ones_too(journal, gone):
    lines = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(b"".join(line for nth, line in enumerate(lines) if nth not in gone))
    broken(journal)


def test_swapped_lines_show(journal):
    one, two, *rest = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(b"".join([two, one, *rest]))
    assert "line 1 " in broken(journal)


def test_the_first_line_that_does_not_follow_is_named(journal):
    journal.path.write_bytes(journal.path.read_bytes().replace(b'"people":12', b'"people":13'))
    assert "line 2 " in broken(journal)
    journal.path.write_bytes(journal.path.read_bytes().replace(b'"people":13', b'"people":12'))
    journal.path.write_bytes(journal.path.read_bytes().replace(b'"files":3', b'"files":4'))
    assert "line 4 " in broken(journal)


def test_a_log_without_its_head_shows(journal):
    journal.head.unlink()
    broken(journal)
    journal.head.write_bytes(b"\xff")
    broken(journal)


@pytest.mark.parametrize(
    "edit",
    [
        lambda lines: lines[:-1],
        lambda lines: [*lines[:-1], lines[-1].replace(b"3", b"4")],
        lambda _: [],
        lambda lines: [lines[0].replace(b"12", b"13"), *lines[1:]],
        lambda lines: [*lines[:-1], lines[-1][:-9]],
    ],
    ids=["last removed", "last changed", "emptied", "first changed", "torn"],
)
def test_what_was_once_broken_is_not_mended_by_going_on(journal, edit):
    """A later entry follows what was there before the edit."""
    journal.path.write_bytes(b"".join(edit(journal.path.read_bytes().splitlines(keepends=True))))
    journal.append("consult", "receive", "run-1", links=2)
    broken(journal)
    journal.append("consult", "receive", "run-1", links=2)
    broken(journal)


def test_nor_by_going_on_without_a_head(journal):
    journal.head.unlink()
    journal.append("consult", "receive", "run-1", links=2)
    broken(journal)


def test_a_machine_that_stops_between_line_and_head_breaks_nothing(journal, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(logging, "write_over", stop)
        with pytest.raises(KeyboardInterrupt):
            journal.append("consult", "receive", "run-1", links=2)
    assert len(journal.entries()) == 5
    journal.append("erase", "close", "run-1", files=1)
    assert len(journal.entries()) == 6


def test_an_entry_is_one_canonical_line(journal):
    for line in journal.path.read_bytes().splitlines():
        entry = msgspec.json.decode(line, type=logging.Entry)
        assert msgspec.json.encode(entry, order="sorted") == line
