"""One secret, many keys, none of which says anything about another."""

import dataclasses

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from keys.derive import LABELS, Purpose, expand_blocks, expand_spans, pair_keys, run_key, stream, token_digests
from keys.errors import SecretMismatchError
from keys.framing import frame
from keys.labels import Label
from keys.secret import LinkageSecret

AGREEMENT = bytes(range(32))
PAIRS = bytes(range(160))
KEY = b"k" * 32


@pytest.fixture
def secret():
    return LinkageSecret(False, AGREEMENT, KEY)


@pytest.fixture
def run(secret):
    return run_key(secret, "run 1", AGREEMENT)


def test_labels_are_in_one_table_and_all_different():
    """Two names of one label would be one label used for two things; BLAKE2b's has at most 16 bytes."""
    assert len(set(LABELS)) == len(LABELS) == len(Label.__members__)
    assert len(Label.TOKEN) <= 16


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


def test_a_pair_key_is_hkdf_expand_of_the_evidence_subkey(run):
    """The fast form gives what the library's own HKDF gives."""
    plain = [
        HKDFExpand(SHA256(), 16, frame(Label.PAIR, PAIRS[start : start + 16])).derive(run.subkey(Purpose.EVIDENCE))
        for start in range(0, len(PAIRS), 16)
    ]
    assert pair_keys(run, PAIRS) == b"".join(plain)
    assert len(set(plain)) == len(plain)
    assert pair_keys(run, b"") == b""


def test_a_pair_key_takes_a_run_key_and_whole_pair_ids(run):
    """Neither a subkey, nor the secret, nor an id cut short will do."""
    for other in (run.subkey(Purpose.EVIDENCE), run.value, None):
        with pytest.raises(TypeError):
            pair_keys(other, PAIRS)
    with pytest.raises(ValueError, match="16 bytes"):
        pair_keys(run, PAIRS[:-1])


def test_equal_tokens_meet_only_within_key_and_domain():
    """Two fields, or two runs, have nothing in common; the border of domain and token counts."""
    assert token_digests(KEY, b"surname", [b"smith"]) == token_digests(KEY, b"surname", [b"smith"])
    digests = [
        token_digests(KEY, b"surname", [b"smith"]),
        token_digests(KEY, b"forename", [b"smith"]),
        token_digests(KEY, b"surnames", [b"mith"]),
        token_digests(KEY, b"", [b"surnamesmith"]),
        token_digests(b"l" * 32, b"surname", [b"smith"]),
    ]
    assert len(set(digests)) == len(digests)


def test_tokens_keep_their_places():
    """Digest i is token i's, whatever stands beside it."""
    tokens = [b"a", b"", b"b", b"a"]
    together = token_digests(KEY, b"d", tokens)
    assert [together[16 * row : 16 * row + 16] for row in range(4)] == [
        token_digests(KEY, b"d", [token]) for token in tokens
    ]
    assert token_digests(KEY, b"d", []) == b""


@pytest.mark.parametrize("key", [b"", b"k" * 16, b"k" * 31, b"k" * 33, b"k" * 64])
def test_only_whole_subkeys_derive(key):
    """BLAKE2b would take any of these, an empty key included, and then be no keyed hash at all."""
    with pytest.raises(ValueError, match="32 bytes"):
        token_digests(key, b"d", [b"token"])
    with pytest.raises(ValueError, match="32 bytes"):
        stream(key, b"d", 16)


def test_blocks_are_expanded_pair_by_pair(run):
    """As one cipher object per block would; numbers of blocks may differ."""
    keys_of_pairs = pair_keys(run, PAIRS[:48])
    blocks = [bytes(range(64)), b"", bytes(16)]
    plain = b"".join(
        Cipher(AES128(keys_of_pairs[16 * pair : 16 * pair + 16]), ECB())  # noqa: S305 - the twin of a PRF
        .encryptor()
        .update(block[start : start + 16])
        for pair, block in enumerate(blocks)
        for start in range(0, len(block), 16)
    )
    assert expand_blocks(keys_of_pairs, blocks) == plain


def test_blocks_in_one_buffer_are_the_same_blocks(run):
    """Pairs of three, of no and of one block; a buffer longer or shorter than its last pair is refused."""
    keys_of_pairs, data = pair_keys(run, PAIRS[:48]), memoryview(bytes(range(64)))
    assert expand_spans(keys_of_pairs, data, [3, 3, 4]) == expand_blocks(keys_of_pairs, [data[:48], b"", data[48:]])
    assert expand_spans(b"", data[:0], []) == b""
    for ends in ([3, 3, 3], [3, 3, 5], [3, 4]):
        with pytest.raises(ValueError, match=r"key|16 bytes"):
            expand_spans(keys_of_pairs, data, ends)


def test_equal_values_meet_within_a_pair_and_never_between_pairs(run):
    """What evidence is for, and what frequency attacks would need."""
    keys_of_pairs = pair_keys(run, PAIRS[:32])
    block = token_digests(run.subkey(Purpose.NAMES), b"surname", [b"smith"])
    out = expand_blocks(keys_of_pairs, [block + block, block])
    assert out[:16] == out[16:32] != out[32:]


def test_blocks_that_do_not_fit_are_refused(run):
    """One key too few, one too many, half a block."""
    keys_of_pairs = pair_keys(run, PAIRS[:32])
    for keys_given, blocks in (
        (keys_of_pairs, [bytes(16)]),
        (keys_of_pairs[:16], [bytes(16)] * 2),
        (keys_of_pairs[:24], [bytes(16)]),
        (keys_of_pairs, [bytes(16), bytes(15)]),
        (keys_of_pairs, [bytes(8), bytes(8)]),
    ):
        with pytest.raises(ValueError, match=r"key|16 bytes"):
            expand_blocks(keys_given, blocks)


def test_a_stream_is_its_key_and_labels_own():
    """The same bytes again, other bytes for another label or key, the beginning independent of the length."""
    assert stream(KEY, b"a", 100) == stream(KEY, b"a", 1000)[:100]
    assert len({stream(KEY, b"a", 32), stream(KEY, b"b", 32), stream(b"l" * 32, b"a", 32)}) == 3
    assert stream(KEY, b"a", 0) == b""
    with pytest.raises(ValueError, match="2\\*\\*36"):
        stream(KEY, b"a", -1)
    with pytest.raises(ValueError, match="2\\*\\*36"):
        stream(KEY, b"a", (1 << 36) + 1)
