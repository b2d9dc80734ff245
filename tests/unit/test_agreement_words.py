"""Small things everybody uses: TOML to structs, hints that name the nearest word, data files, sealed notes in plain."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage import toml
from linkage.errors import ColumnsError, FlagsError, SealedNoteError, UsageProblemError
from linkage.model import Anchor, Flag, Note
from linkage.notes import NOTE_BYTES, decode_note, encode_note
from linkage.resources import resource
from linkage.words import count, nearest


class Inner(toml.Table, frozen=True, kw_only=True):
    depth: int = 0


class Outer(toml.Table, frozen=True, kw_only=True):
    name: str
    inner: Inner = Inner()
    many: tuple[Inner, ...] = ()


def test_a_file_becomes_a_struct(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text('name = "x"\n[inner]\ndepth = 2\n[[many]]\ndepth = 3\n')
    assert toml.read(path, Outer) == Outer(name="x", inner=Inner(depth=2), many=(Inner(depth=3),))


@pytest.mark.parametrize("text", ['name = "x"\n[inner]\ndepht = 1', 'name = "x"\n[[many]]\ndepht = 1', "depht = 1"])
def test_an_unknown_entry_at_any_depth_names_the_nearest(text):
    with pytest.raises(ColumnsError, match="unknown field") as refusal:
        toml.parse(text.encode(), Outer, "a.toml", ColumnsError)
    assert refusal.value.hint == "did you mean 'depth'?"


def test_nearest_names_one_or_all():
    assert nearest("polise", ["police", "housing"]) == "did you mean 'police'?"
    assert nearest("zzz", ["police", "housing"]) == "known are: police, housing"


def test_counts_read_like_english():
    assert [count(1, "row"), count(2, "row"), count(12_345, "row")] == ["1 row", "2 rows", "12,345 rows"]
    assert count(2, "entry", "entries") == "2 entries"


def test_a_resource_that_is_not_there_names_the_nearest():
    assert resource("profiles", "plain-2026-11").is_file()
    with pytest.raises(UsageProblemError) as refusal:
        resource("profiles", "plan-2026-11")
    assert refusal.value.hint == "did you mean 'plain-2026-11'?"


# --- notes ----------------------------------------------------------------------------------------------------------

FLAGS = st.builds(
    Flag,
    code=st.text("ABCDEFGHIJ-", min_size=2, max_size=6),
    role=st.sampled_from(["PERPETRATOR", "VICTIM", "SUBJECT"]),
    basis=st.sampled_from(["FACT", "ALLEGED", "OPINION", "SELF"]),
    recency=st.sampled_from(["UNDER_1Y", "1_TO_5Y", "OVER_5Y", "UNKNOWN"]),
    status=st.sampled_from(["ACTIVE", "CLOSED", "UNKNOWN"]),
)
IDS = st.text(max_size=10)
NOTES = st.builds(
    Note,
    flags=st.lists(FLAGS, max_size=4).map(tuple),
    anchors=st.lists(st.builds(Anchor, IDS, IDS, IDS, IDS, IDS), max_size=1).map(tuple),
)


@given(NOTES)
@settings(max_examples=100)
def test_a_note_comes_back_as_it_went(note):
    assert decode_note(encode_note(note)) == note


def test_a_note_that_does_not_fit_is_refused_with_counts_alone():
    note = Note(anchors=tuple(Anchor(f"CANARY-{nth:030}") for nth in range(20)))
    with pytest.raises(FlagsError, match="0 flags and 20 children") as refusal:
        encode_note(note)
    assert "CANARY" not in str(refusal.value)
    assert len(encode_note(Note(anchors=note.anchors[:5]))) <= NOTE_BYTES


@pytest.mark.parametrize(
    "plain",
    [
        b"", b"\xff", b"{}", b"[[],[],[]]", b"[" * 9999, b'[[["DA-P",0,0,0]],[]]', b'[[["DA-P",9,0,0,0]],[]]',
        b'[[["DA-P",0,4,0,0]],[]]', b'[[["DA-P",0,0,4,0]],[]]', b'[[["DA-P",0,0,0,3]],[]]', b'[[["DA-P",0,0,0,-1]],[]]',
        b'[[],[["child","case","","","","a note"]]]',
    ],
)  # fmt: skip
def test_a_note_in_another_form_is_refused(plain):
    with pytest.raises(SealedNoteError) as refusal:
        decode_note(plain)
    assert refusal.value.exit_code == 52


@given(st.binary(max_size=60))
@settings(max_examples=200)
def test_random_notes_never_crash_the_reader(data):
    try:
        note = decode_note(data)
    except SealedNoteError:
        return
    assert msgspec.json.decode(data) == msgspec.json.decode(encode_note(note))
