"""One secret, many keys, none of which says anything about another."""

import dataclasses

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from keys import prf
from keys.derive import LABELS, PairKeys, Purpose, message_digests, pair_keys, run_key, stream, token_keys
from keys.errors import SecretMismatchError
from keys.framing import frame
from keys.labels import Label
from keys.secret import LinkageSecret

AGREEMENT = bytes(range(32))
PAIRS = bytes(range(160))
KEY = b"k" * 32


def cut(data):
    """Blocks of 16 bytes."""
    return [data[start : start + 16] for start in range(0, len(data), 16)]


def aes(key, block):
    """One block under one key, by a cipher object of its own."""
    return Cipher(AES256(key), ECB()).encryptor().update(block)  # noqa: S305 - the twin of a PRF


def by_the_book(key, *context):
    return HKDFExpand(SHA256(), 32, frame(*context)).derive(key)


@pytest.fixture
def secret():
    return LinkageSecret(False, AGREEMENT, KEY)


@pytest.fixture
def run(secret):
    return run_key(secret, "run 1", AGREEMENT)


def test_labels_are_in_one_table_and_all_different():
    """Two names of one label would be one label used for two things."""
    assert len(set(LABELS)) == len(LABELS) == len(Label.__members__)


def test_r7_keys_are_per_run(secret):
    """Another run, mode, agreement or secret has another key."""
    others = [
        run_key(secret, "run 2", AGREEMENT),
        run_key(dataclasses.replace(secret, test=True), "run 1", AGREEMENT),
        run_key(dataclasses.replace(secret, agreement_digest=bytes(32)), "run 1", bytes(32)),
        run_key(dataclasses.replace(secret, value=bytes(32)), "run 1", AGREEMENT),
        run_key(secret, "run 1", AGREEMENT),
    ]
    assert len({key.value for key in others}) == len(others)
    assert others[-1] == run_key(secret, "run 1", AGREEMENT)


def test_r7_a_secret_serves_one_agreement(secret):
    """Under another it is refused, not silently another key."""
    with pytest.raises(SecretMismatchError):
        run_key(secret, "run 1", bytes(32))


def test_a_run_without_a_name_has_no_key(secret):
    """An empty name is a bug of the caller's."""
    with pytest.raises(ValueError, match="name"):
        run_key(secret, "", AGREEMENT)


def test_every_purpose_has_its_own_subkey(run):
    """32 bytes each, and none is the run key."""
    subkeys = {run.subkey(purpose) for purpose in Purpose}
    assert len(subkeys) == len(Purpose)
    assert {len(subkey) for subkey in subkeys} == {32}
    assert run.value not in subkeys


def test_a_pairs_tweak_is_a_prf_of_its_id_and_the_cipher_has_a_key_of_its_own(run):
    """As one cipher object a pair would make them; neither says anything of the other."""
    subkey = run.subkey(Purpose.EVIDENCE)
    made = pair_keys(run, PAIRS)
    assert made.tweaks == b"".join(aes(by_the_book(subkey, Label.PAIR), pair) for pair in cut(PAIRS))
    assert made.cipher == by_the_book(subkey, Label.EVIDENCE, Label.PAIR)
    assert len({*cut(made.tweaks)}) == len(made) == 10
    assert len(pair_keys(run, b"")) == 0
    assert made != token_keys(run, PAIRS)


def test_a_pair_key_takes_a_run_key_and_whole_pair_ids(run):
    """Neither a subkey, nor the secret, nor an id cut short will do."""
    for other in (run.subkey(Purpose.EVIDENCE), run.value, None):
        with pytest.raises(TypeError):
            pair_keys(other, PAIRS)
    with pytest.raises(ValueError, match="16 bytes"):
        pair_keys(run, PAIRS[:-1])


def test_equal_tokens_meet_only_within_key_and_domain():
    """Two fields, or two runs, have nothing in common; the border of domain and token counts, and so does length."""
    one, zero = b"surname " * 2, bytes(16)
    assert message_digests(KEY, b"surname", [one]) == message_digests(KEY, b"surname", [one])
    digests = [
        message_digests(KEY, b"surname", [one]),
        message_digests(KEY, b"forename", [one]),
        message_digests(KEY, b"", [one]),
        message_digests(b"l" * 32, b"surname", [one]),
        message_digests(KEY, b"surname", [one, zero]),
        message_digests(KEY, b"surname", [zero, one]),
    ]
    assert len({bytes(digest) for digest in digests}) == len(digests)


def test_a_message_cannot_be_continued():
    """The classic forgery of CBC-MAC by a longer message: here every length has its own key."""
    one, two = b"1" * 16, b"2" * 16
    first = message_digests(KEY, b"d", [one])
    assert message_digests(KEY, b"d", [one, bytes(a ^ b for a, b in zip(two, first, strict=True))]) != (
        message_digests(KEY, b"d", [two])
    )


def test_messages_keep_their_places():
    """Digest i is message i's, whatever stands beside it."""
    columns = [bytes(range(64)), bytes(range(64, 128))]
    together = message_digests(KEY, b"d", columns)
    alone = [message_digests(KEY, b"d", list(message)) for message in zip(*map(cut, columns), strict=True)]
    assert together == b"".join(alone)
    assert message_digests(KEY, b"d", [b"", b""]) == b""


def test_messages_of_unequal_lengths_and_broken_blocks_are_refused():
    for columns in ([], [bytes(16), bytes(32)], [bytes(15)], [bytes(24), bytes(24)]):
        with pytest.raises(ValueError, match=r"one length|16 bytes"):
            message_digests(KEY, b"d", columns)


@pytest.mark.parametrize("key", [b"", b"k" * 16, b"k" * 31, b"k" * 33, b"k" * 64])
def test_only_whole_subkeys_derive(key):
    """AES would take some of these."""
    with pytest.raises(ValueError, match="32 bytes"):
        message_digests(key, b"d", [bytes(16)])
    with pytest.raises(ValueError, match="32 bytes"):
        stream(key, b"d", 16)
    with pytest.raises(ValueError, match="32 bytes"):
        PairKeys.alone(key).expand(bytes(16))


def test_blocks_given_in_pieces_are_the_same_blocks(monkeypatch):
    """The library is given so much at a time."""
    data = bytes(range(256))
    whole = prf.of_blocks(KEY, data)
    monkeypatch.setattr(prf, "_PIECE", 48)
    assert prf.of_blocks(KEY, data) == whole == b"".join(aes(KEY, block) for block in cut(data))


def test_tweaks_that_are_not_whole_are_refused():
    with pytest.raises(ValueError, match="16 bytes"):
        PairKeys(KEY, bytes(15))


def test_a_stream_is_its_key_and_labels_own():
    """The same bytes again, other bytes for another label or key, the beginning independent of the length."""
    assert stream(KEY, b"a", 100) == stream(KEY, b"a", 1000)[:100]
    assert len({stream(KEY, b"a", 32), stream(KEY, b"b", 32), stream(b"l" * 32, b"a", 32)}) == 3
    assert stream(KEY, b"a", 0) == b""
    with pytest.raises(ValueError, match="2\\*\\*36"):
        stream(KEY, b"a", -1)
    with pytest.raises(ValueError, match="2\\*\\*36"):
        stream(KEY, b"a", (1 << 36) + 1)
