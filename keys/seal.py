"""Seal bytes to one recipient, post-quantum and classical at once.

A recipient's public identity, bytes and what they are bound to come in; sealed bytes go out, and back.
Rule: `info` is always bound, and with it the mode and the recipient's whole identity.

Sealed bytes: "LKS1", one byte for the mode ("L" or "T"), 1,120 bytes of encapsulation, ciphertext, 16 bytes of tag.
Source: RFC 9180 base mode, MLKEM768-X25519 + HKDF-SHA256 + ChaCha20-Poly1305. The sender is proved by a
signature outside, not by HPKE's authenticated mode, which does not exist for this KEM.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from keys.errors import CustodyError, OpenError, TestKeyError
from keys.framing import frame
from keys.identity import Identity, PublicIdentity
from keys.labels import Label, mode

_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_MAGIC = {False: b"LKS1L", True: b"LKS1T"}
_MAGIC_BYTES = 5

SEAL_OVERHEAD = _MAGIC_BYTES + KEM.MLKEM768_X25519.enc_length() + 16
"""Bytes a sealed message is longer than its plaintext."""


def _bound(recipient: PublicIdentity, info: bytes) -> bytes:
    return frame(Label.SEAL, mode(recipient.test), recipient.digest(), info)


def seal(recipient: PublicIdentity, plaintext: bytes, info: bytes) -> bytes:
    """Bytes that only `recipient` opens, and only with the same `info`; SEAL_OVERHEAD bytes longer.

    info: framed context the receiver knows by himself (run, sender, part, count).
    Raises CustodyError when the recipient's key admits no sealing (an X25519 point of small order).
    """
    return b"".join(seal_pieces(recipient, plaintext, info))


def seal_pieces(recipient: PublicIdentity, plaintext: bytes, info: bytes) -> tuple[bytes, bytes]:
    """The same in two pieces, the second nearly all of it, for whom joining them would be a copy too many."""
    try:
        return _MAGIC[recipient.test], _SUITE.encrypt(plaintext, recipient.hpke_key(), _bound(recipient, info))
    except ValueError as problem:
        raise CustodyError(
            f"nothing can be sealed to the key of '{recipient.name}'", "ask the party to make a new identity"
        ) from problem


def open_sealed(identity: Identity, sealed: bytes | memoryview, info: bytes) -> bytes:
    """Plaintext of bytes sealed to `identity` with the same `info`.

    Raises TestKeyError when they were sealed in the other mode (R50), OpenError in every other case.
    """
    magic = sealed[:_MAGIC_BYTES]
    if magic == _MAGIC[not identity.test]:
        raise TestKeyError(
            "live bytes met a test key" if identity.test else "test bytes met a live key",
            "use the identity that belongs to this run's mode",
        )
    if magic != _MAGIC[identity.test]:
        raise OpenError("these are no sealed bytes", "check that the right file was given")
    try:
        return _SUITE.decrypt(sealed[_MAGIC_BYTES:], identity.hpke_key(), _bound(identity.public, info))
    except (InvalidTag, ValueError) as problem:
        raise OpenError(
            f"sealed bytes do not open for '{identity.name}'",
            "they were altered, cut short, sealed to somebody else, or belong to another step or run",
        ) from problem
