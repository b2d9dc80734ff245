"""Bulk data at rest: encodings, local tables and logs of several hundred megabytes under one key.

A StorageKey, bytes and their context come in; encrypted bytes go out, and back.
Rule: chunks cannot be reordered, dropped, added or moved to another blob.

Blob: "LKB1", one byte for the mode ("L" or "T"), 32 random bytes of salt, then chunks of 1 MiB, each followed by
its 16-byte tag. The blob's own key is HKDF-SHA256(storage key, salt, context), so its nonces may count: 11 bytes
of chunk number, one byte that is 1 for the last chunk only.
Source: the STREAM construction (Hoang, Reyhanitabar, Rogaway & Vizar 2015), in the form age uses.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from keys.errors import OpenError, TestKeyError
from keys.framing import frame, unframe
from keys.guard import Kept
from keys.kdf import KEY_BYTES, extract
from keys.labels import Label, is_test, mode

CHUNK_BYTES = 1 << 20
_TAG_BYTES = 16
_SALT_BYTES = 32
_MAGIC = {False: b"LKB1L", True: b"LKB1T"}
_MAGIC_BYTES = 5
_HEADER_BYTES = _MAGIC_BYTES + _SALT_BYTES


@dataclass(frozen=True, eq=False, repr=False)
class StorageKey(Kept):
    """One party's key for its own files at rest; value: 32 bytes."""

    test: bool
    value: bytes

    kind: ClassVar[str] = "storage key"
    shown: ClassVar[tuple[str, ...]] = ("test",)

    def __post_init__(self) -> None:
        if len(self.value) != KEY_BYTES:
            raise ValueError(f"a storage key has {KEY_BYTES} bytes")

    @classmethod
    def new(cls, *, test: bool) -> Self:
        """Fresh key from the operating system's generator."""
        return cls(test, secrets.token_bytes(KEY_BYTES))

    def to_payload(self) -> bytes:
        """Mode and key for the vault."""
        return frame(mode(self.test), self.value)

    @classmethod
    def from_payload(cls, payload: bytes) -> Self:
        """Inverse of `to_payload`."""
        its_mode, value = unframe(payload, 2)
        return cls(is_test(its_mode), value)


def _cipher(key: StorageKey, salt: bytes, aad: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(extract(key.value, salt, Label.BLOB, mode(key.test), aad))


def _nonce(chunk: int, last: bool) -> bytes:
    return chunk.to_bytes(11, "big") + bytes([last])


def encrypt_blob(key: StorageKey, data: bytes, aad: bytes) -> bytes:
    """Encrypted blob of any length, bound to `aad` (what the file is, which run); at its peak, twice the data.

    37 bytes longer than the data, and 16 more for every mebibyte begun (one for empty data).
    """
    view = memoryview(data)
    starts = range(0, max(1, len(data)), CHUNK_BYTES)
    out = io.BytesIO()
    out.writelines(encrypt_stream(key, (view[start : start + CHUNK_BYTES] for start in starts), aad))
    return out.getvalue()


def encrypt_stream(key: StorageKey, chunks: Iterable[bytes | memoryview], aad: bytes) -> Iterator[bytes]:
    """The same, a chunk at a time. chunks: all of CHUNK_BYTES but the last, which may be shorter.

    Raises ValueError for chunks of other lengths.
    """
    salt = secrets.token_bytes(_SALT_BYTES)
    cipher = _cipher(key, salt, aad)
    yield _MAGIC[key.test] + salt
    following = iter(chunks)
    piece, number = next(following, b""), 0
    for after in following:
        if len(piece) != CHUNK_BYTES:
            raise ValueError("only the last chunk may be short")
        yield cipher.encrypt(_nonce(number, last=False), piece, None)
        piece, number = after, number + 1
    if len(piece) > CHUNK_BYTES:
        raise ValueError("a chunk is too long")
    yield cipher.encrypt(_nonce(number, last=True), piece, None)


def decrypt_blob(key: StorageKey, blob: bytes, aad: bytes) -> bytes:
    """Data of a blob; nothing is returned before its last byte is proved.

    Raises TestKeyError for a blob of the other mode (R50), OpenError when anything was changed, cut or bound
    to another context.
    """
    magic = blob[:_MAGIC_BYTES]
    if magic == _MAGIC[not key.test]:
        raise TestKeyError(
            "a live file met a test key" if key.test else "a test file met a live key",
            "use the storage key that belongs to this run's mode",
        )
    if magic != _MAGIC[key.test] or len(blob) < _HEADER_BYTES + _TAG_BYTES:
        raise OpenError("this is no encrypted file of this toolkit", "check that the right file was given")
    cipher = _cipher(key, blob[_MAGIC_BYTES:_HEADER_BYTES], aad)
    body = memoryview(blob)[_HEADER_BYTES:]
    step = CHUNK_BYTES + _TAG_BYTES
    chunks = -(-len(body) // step)
    out = io.BytesIO()
    try:
        for chunk in range(chunks):
            piece = body[chunk * step : (chunk + 1) * step]
            out.write(cipher.decrypt(_nonce(chunk, last=chunk == chunks - 1), piece, None))
    except InvalidTag as problem:
        raise OpenError(
            "an encrypted file does not open",
            "it was altered or cut short, or belongs to another key or another purpose",
        ) from problem
    return out.getvalue()
