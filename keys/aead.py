"""Sealed notes: flags and references that travel past the matcher to children's services.

A pair id and a note come in; bytes of one fixed length go out, and back.
Rule: the matcher sees nothing in a note, its length included.

One note key per agency and run, sealed once by HPKE to children's services; each note then costs a microsecond.
Note: 16 random bytes of salt, ciphertext of `length` + 4 bytes, 16 bytes of tag (AES-256-GCM under the note key).

Nonces. A nonce derived from the pair id alone would be exact as long as each pair id is sealed once, and would give
two notes away the day an answer is computed twice. A random nonce alone rests on the generator. So both: the nonce is
a PRF (AES-256 CBC-MAC) of the pair id and a 128-bit random salt, cut to 96 bits. Two notes of a key share one if one
pair id is sealed twice with one salt, which no crash or repetition brings, or by chance, q**2 / 2**97 for q notes:
2**-53 for four million.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keys.errors import CustodyError, OpenError
from keys.framing import frame, unframe
from keys.guard import Guarded
from keys.identity import Identity, PublicIdentity
from keys.kdf import KEY_BYTES, expand
from keys.labels import Label, is_test, mode
from keys.prf import BLOCK_BYTES, of_messages
from keys.seal import open_sealed, seal

PAIR_ID_BYTES = 16
_SALT_BYTES = BLOCK_BYTES  # as long as a pair id and as a block of which a nonce is cut: one stride for all three
_TAG_BYTES = 16
_LENGTH_BYTES = 4
_NONCE_BYTES = 12

NOTE_OVERHEAD = _SALT_BYTES + _LENGTH_BYTES + _TAG_BYTES
"""Bytes a sealed note is longer than the fixed length agreed for its plaintext."""


@dataclass(frozen=True, eq=False, repr=False)
class NoteKey(Guarded):
    """One agency's key for the notes of one run; value: 32 bytes."""

    run: str
    sender: str
    test: bool
    value: bytes

    shown: ClassVar[tuple[str, ...]] = ("run", "sender", "test")

    def __post_init__(self) -> None:
        if len(self.value) != KEY_BYTES:
            raise ValueError(f"a note key has {KEY_BYTES} bytes")

    def to_payload(self) -> bytes:
        """Everything, for comparison and for wrapping."""
        return frame(self.run.encode(), self.sender.encode(), mode(self.test), self.value)

    @classmethod
    def from_payload(cls, payload: bytes) -> Self:
        """Inverse of `to_payload`."""
        run, sender, its_mode, value = unframe(payload, 4)
        return cls(run.decode(), sender.decode(), is_test(its_mode), value)


def _wrap_info(run: str, sender: str, context: bytes) -> bytes:
    return frame(Label.NOTE_WRAP, run.encode(), sender.encode(), context)


@dataclass(frozen=True, repr=False)
class NoteSealer:
    """What an agency needs to seal the notes of one run: the key, and its copy sealed to children's services.

    wrapped: goes into the package beside the notes. context: bound to the key and to every note (agreement digest).
    """

    key: NoteKey
    wrapped: bytes
    context: bytes
    length: int

    @classmethod
    def new(cls, recipient: PublicIdentity, *, run: str, sender: str, context: bytes, length: int) -> Self:
        """Fresh key for one agency and run. length: bytes every note is padded to, the same at all agencies."""
        key = NoteKey(run, sender, recipient.test, secrets.token_bytes(KEY_BYTES))
        return cls(key, seal(recipient, key.to_payload(), _wrap_info(run, sender, context)), context, length)

    def seal(self, pair_id: bytes, plaintext: bytes) -> bytes:
        """One note for one pair; see `seal_all`."""
        return self.seal_all(pair_id, [plaintext])

    def seal_all(self, pair_ids: bytes, plaintexts: Sequence[bytes]) -> bytes:
        """The notes of m pairs, one after another, each padded with zeros to `length` and NOTE_OVERHEAD bytes longer.

        pair_ids: (m, 16) bytes row after row. Raises CustodyError when a plaintext is too long.
        """
        if len(pair_ids) != PAIR_ID_BYTES * len(plaintexts):
            raise ValueError(f"one pair id of {PAIR_ID_BYTES} bytes for each note")
        salts = secrets.token_bytes(_SALT_BYTES * len(plaintexts))
        cipher, nonces = _cipher(self.key), _nonces(self.key, pair_ids, salts)
        padded = {plaintext: _padded(plaintext, self.length) for plaintext in set(plaintexts)}  # most are the same
        notes = []
        for start, plaintext in zip(range(0, len(salts), _SALT_BYTES), plaintexts, strict=True):
            sealed = cipher.encrypt(nonces[start : start + _NONCE_BYTES], padded[plaintext], self.context)
            notes += [salts[start : start + _SALT_BYTES], sealed]
        return b"".join(notes)

    def __repr__(self) -> str:
        return f"NoteSealer(key={self.key!r}, length={self.length})"


def unwrap_key(identity: Identity, wrapped: bytes, *, run: str, sender: str, context: bytes) -> NoteKey:
    """The note key an agency sealed to children's services for this run.

    Raises OpenError when it was made by or for another party, run or context; TestKeyError when modes mix.
    """
    try:
        key = NoteKey.from_payload(open_sealed(identity, wrapped, _wrap_info(run, sender, context)))
    except ValueError:
        key = None
    if key is None or (key.run, key.sender, key.test) != (run, sender, identity.test):
        raise OpenError(f"the note key of '{sender}' is not what it should be", "ask the agency to answer again")
    return key


def _cipher(key: NoteKey) -> AESGCM:
    return AESGCM(expand(key.value, Label.NOTE, mode(key.test)))


def _nonces(key: NoteKey, pair_ids: bytes, salts: bytes) -> bytearray:
    """PRF of pair ids and salts (m, 16 bytes each), m blocks of 16 bytes of which a nonce is the beginning."""
    return of_messages(expand(key.value, Label.NOTE_NONCE, mode(key.test)), [pair_ids, salts])


def _padded(plaintext: bytes, length: int) -> bytes:
    if len(plaintext) > length:
        raise CustodyError(
            f"a note of {len(plaintext)} bytes does not fit the {length} agreed", "send fewer flags for this row"
        )
    return len(plaintext).to_bytes(_LENGTH_BYTES, "big") + plaintext.ljust(length, b"\0")


def open_note(key: NoteKey, pair_id: bytes, context: bytes, sealed: bytes) -> bytes:
    """Plaintext of a note; raises OpenError when it was altered or belongs to another pair, run, agency or context."""
    if len(pair_id) != PAIR_ID_BYTES:
        raise ValueError(f"a pair id has {PAIR_ID_BYTES} bytes")
    # Bytes cut short within the salt get a salt of zeros: they do not open either.
    nonce = _nonces(key, pair_id, sealed[:_SALT_BYTES].ljust(_SALT_BYTES, b"\0"))[:_NONCE_BYTES]
    try:
        padded = _cipher(key).decrypt(nonce, sealed[_SALT_BYTES:], context)
    except InvalidTag as problem:
        raise OpenError("a sealed note does not open for this pair", "ask the agency to answer again") from problem
    end = _LENGTH_BYTES + int.from_bytes(padded[:_LENGTH_BYTES], "big")
    # Only a sender who holds the key can pad wrongly; strict, so that padding carries no hidden words.
    if len(padded) < end or any(padded[end:]):
        raise OpenError("a sealed note is padded wrongly", "ask the agency to answer again")
    return padded[_LENGTH_BYTES:end]
