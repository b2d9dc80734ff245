"""Notes pass the matcher shut, one length for all, each for one pair."""

import dataclasses

import pytest

from keys.aead import NOTE_OVERHEAD, NoteSealer, _cipher, _nonces, open_note, unwrap_key
from keys.errors import CustodyError, OpenError, TestKeyError
from keys.identity import Identity

PAIR, OTHER_PAIR = bytes(16), b"\x01" * 16
LENGTH = 64


@pytest.fixture(scope="module")
def children():
    return Identity.new("Children's Services", test=False)


@pytest.fixture(scope="module")
def sealer(children):
    return NoteSealer.new(children.public, run="run 1", sender="Police", context=b"agreement", length=LENGTH)


def test_a_note_goes_from_agency_to_childrens_services(children, sealer):
    """The wrapped key opens, and with it the note."""
    key = unwrap_key(children, sealer.wrapped, run="run 1", sender="Police", context=b"agreement")
    assert key == sealer.key
    assert open_note(key, PAIR, b"agreement", sealer.seal(PAIR, b"DA-P")) == b"DA-P"


def test_r22_notes_are_of_one_length_and_never_alike(sealer):
    """No note, one flag or many: the matcher cannot tell, not even for one pair twice."""
    notes = [sealer.seal(PAIR, text) for text in (b"", b"", b"DA-P", b"x" * LENGTH)]
    assert {len(note) for note in notes} == {LENGTH + NOTE_OVERHEAD}
    assert len({note[:16] for note in notes}) == len({note[16:32] for note in notes}) == len(notes)


def test_notes_sealed_together_open_one_by_one(sealer):
    """Each for its own pair, with a salt of its own; nothing when one is too long or has no pair."""
    texts = [b"DA-P", b"", b"x" * LENGTH]
    size = LENGTH + NOTE_OVERHEAD
    together = sealer.seal_all(PAIR + OTHER_PAIR + PAIR, texts)
    notes = [together[start : start + size] for start in range(0, len(together), size)]
    for pair, note, text in zip((PAIR, OTHER_PAIR, PAIR), notes, texts, strict=True):
        assert open_note(sealer.key, pair, b"agreement", note) == text
    assert len({note[:16] for note in notes}) == 3
    with pytest.raises(CustodyError, match="does not fit"):
        sealer.seal_all(PAIR, [b"x" * (LENGTH + 1)])
    with pytest.raises(ValueError, match="one pair id"):
        sealer.seal_all(PAIR, texts)


@pytest.mark.parametrize("text", [b"", b"\0", b"x\0\0", b"x" * LENGTH, b"\0" * LENGTH])
def test_padding_comes_off_exactly(sealer, text):
    """Zeros of the note itself stay."""
    assert open_note(sealer.key, PAIR, sealer.context, sealer.seal(PAIR, text)) == text


def test_a_note_too_long_is_refused(sealer):
    """Never cut, never longer than the others."""
    with pytest.raises(CustodyError, match="does not fit"):
        sealer.seal(PAIR, b"x" * (LENGTH + 1))


def test_a_note_belongs_to_one_pair_key_and_context(sealer):
    """A matcher that moves flags from one man to another is found out."""
    note = sealer.seal(PAIR, b"DA-P")
    stranger = dataclasses.replace(sealer.key, value=bytes(32))
    mode = dataclasses.replace(sealer.key, test=True)
    for key, pair, context in (
        (sealer.key, OTHER_PAIR, b"agreement"),
        (sealer.key, PAIR, b"another"),
        (stranger, PAIR, b"agreement"),
        (mode, PAIR, b"agreement"),
    ):
        with pytest.raises(OpenError):
            open_note(key, pair, context, note)


def test_every_byte_of_a_note_counts(sealer):
    """Salt, text and tag; and every length but its own."""
    note = sealer.seal(PAIR, b"DA-P")
    wrong = [note[:place] + bytes([note[place] ^ 1]) + note[place + 1 :] for place in range(len(note))]
    wrong += [note[:cut] for cut in range(len(note))] + [note + b"\0"]
    for broken in wrong:
        with pytest.raises(OpenError):
            open_note(sealer.key, PAIR, sealer.context, broken)


@pytest.mark.parametrize("padded", [b"\0\0\0\x05abcd", b"\xff\xff\xff\xffabcd", b"\0\0\0\x01ab", b"\0\0", b""])
def test_padding_carries_no_hidden_words(sealer, padded):
    """A sender who pads otherwise is refused."""
    salt = bytes(16)
    nonce = _nonces(sealer.key, PAIR, salt)[:12]
    right, wrong = (_cipher(sealer.key).encrypt(nonce, each, sealer.context) for each in (b"\0\0\0\x04abcd", padded))
    assert open_note(sealer.key, PAIR, sealer.context, salt + right) == b"abcd"
    with pytest.raises(OpenError):
        open_note(sealer.key, PAIR, sealer.context, salt + wrong)


@pytest.mark.parametrize("pair", [b"", bytes(15), bytes(17)])
def test_a_note_takes_a_whole_pair_id(sealer, pair):
    """Neither sealed nor opened without one."""
    with pytest.raises(ValueError, match="16 bytes"):
        sealer.seal(pair, b"")
    with pytest.raises(ValueError, match="16 bytes"):
        open_note(sealer.key, pair, b"agreement", bytes(100))


@pytest.mark.parametrize("change", [{"run": "run 2"}, {"sender": "Probation"}, {"context": b"another"}])
def test_a_wrapped_key_is_for_one_run_sender_and_context(children, sealer, change):
    """Not to be presented as another's."""
    right = {"run": "run 1", "sender": "Police", "context": b"agreement"}
    with pytest.raises(OpenError):
        unwrap_key(children, sealer.wrapped, **(right | change))


def test_only_childrens_services_unwrap(children, sealer):
    """Nobody else, and not in the other mode (R50)."""
    right = {"run": "run 1", "sender": "Police", "context": b"agreement"}
    with pytest.raises(OpenError):
        unwrap_key(Identity.new("Matcher", test=False), sealer.wrapped, **right)
    with pytest.raises(TestKeyError):
        unwrap_key(dataclasses.replace(children, test=True), sealer.wrapped, **right)


def test_two_runs_have_two_keys(children, sealer):
    """Fresh for every run and agency."""
    other = NoteSealer.new(children.public, run="run 2", sender="Police", context=b"agreement", length=LENGTH)
    assert other.key.value != sealer.key.value


def test_one_salt_for_two_pairs_still_gives_two_nonces(sealer, monkeypatch):
    """Should the generator fail, pairs stay apart."""
    monkeypatch.setattr("keys.aead.secrets.token_bytes", bytes)
    one, two = (sealer.seal(pair, b"DA-P") for pair in (PAIR, OTHER_PAIR))
    assert one[:16] == two[:16]
    assert one[16:] != two[16:]
