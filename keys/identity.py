"""Who a party is: an Ed25519 key to sign and an ML-KEM-768 + X25519 key to be sealed to.

A name comes in; a private Identity for its owner's vault and a PublicIdentity for the agreement go out.
Rule: every signature names its purpose, its signer and its mode, so that none can be read as another's.
"""

from __future__ import annotations

import base64
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import ClassVar, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey

from keys.chance import SYSTEM, Chance
from keys.errors import KeyFileError, SignatureError
from keys.framing import frame, unframe
from keys.guard import Kept
from keys.labels import Label, is_test, mode

SIGNING_KEY_BYTES = 32
MLKEM_SEED_BYTES = 64
MLKEM_PUBLIC_BYTES = 1184
X25519_BYTES = 32
SEALING_KEY_BYTES = MLKEM_PUBLIC_BYTES + X25519_BYTES
NAME_CHARACTERS = 80

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O or U, so that nothing read aloud or copied by hand is mistaken for a digit."""

_TEXT_PREFIX = {False: "linkage-live-1:", True: "linkage-test-1:"}
_CHECKSUM_BYTES = 4  # finds slips of the hand; the fingerprint is what finds an impostor


def in_groups(digest: bytes, groups: int = 8) -> str:
    """First 20 bits per group of a digest as groups of 4 characters of ALPHABET, for reading aloud."""
    number = int.from_bytes(digest, "big") >> (8 * len(digest) - 20 * groups)
    letters = "".join(ALPHABET[(number >> 5 * place) & 31] for place in reversed(range(4 * groups)))
    return " ".join(letters[start : start + 4] for start in range(0, len(letters), 4))


def check_name(name: str) -> None:
    """Raise KeyFileError unless a party's name is 1 to 80 printable characters, NFC, without outer spaces."""
    if not 1 <= len(name) <= NAME_CHARACTERS or not name.isprintable() or name != name.strip():
        raise KeyFileError(
            "a party's name must be 1 to 80 printable characters without spaces at its ends",
            "choose a short name such as 'Northshire Police'",
        )
    # Two spellings of one name would order differently and derive different secrets.
    if name != unicodedata.normalize("NFC", name):
        raise KeyFileError("a party's name has accents in decomposed form", "type the name anew instead of pasting it")


@dataclass(frozen=True, repr=False)
class PublicIdentity:
    """What others may know of a party, and need in order to seal to it and to check its signatures.

    signing_key: 32 bytes, Ed25519. sealing_key: 1,216 bytes, ML-KEM-768 public key followed by X25519's.
    Raises KeyFileError when a key has the wrong length or is no valid key.
    """

    name: str
    test: bool
    signing_key: bytes
    sealing_key: bytes

    def __post_init__(self) -> None:
        check_name(self.name)
        try:
            Ed25519PublicKey.from_public_bytes(self.signing_key)
            self.hpke_key()
        except ValueError as problem:
            raise KeyFileError(
                f"the public identity of '{self.name}' holds no valid keys", "ask the party to send it again"
            ) from problem

    def hpke_key(self) -> MLKEM768X25519PublicKey:
        """Public key for HPKE; ML-KEM's own input checks (FIPS 203, section 7.2) are made by the library."""
        if len(self.sealing_key) != SEALING_KEY_BYTES:
            raise ValueError("sealing key of another length")
        return MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(self.sealing_key[:MLKEM_PUBLIC_BYTES]),
            X25519PublicKey.from_public_bytes(self.sealing_key[MLKEM_PUBLIC_BYTES:]),
        )

    def digest(self) -> bytes:
        """SHA-256 over mode, name and both keys; 32 bytes."""
        fields = (mode(self.test), self.name.encode(), self.signing_key, self.sealing_key)
        return sha256(frame(Label.FINGERPRINT, *fields)).digest()

    def fingerprint(self) -> str:
        """First 160 bits of the digest in 8 groups of 4, for reading aloud (R7); test identities say so first (R50)."""
        groups = in_groups(self.digest())
        return f"TEST {groups}" if self.test else groups

    def to_text(self) -> str:
        """One line to paste into an agreement: mode in clear, then base64 of name, keys and a checksum."""
        body = frame(self.name.encode(), self.signing_key, self.sealing_key)
        return _TEXT_PREFIX[self.test] + base64.b64encode(body + self.digest()[:_CHECKSUM_BYTES]).decode("ascii")

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Inverse of `to_text`; spaces around the line are forgiven. Raises KeyFileError for anything else."""
        try:
            return cls._parse(text.strip())
        except (ValueError, KeyFileError) as problem:
            raise KeyFileError(
                "this is no public identity, or part of the line was lost in copying",
                "copy the whole line that `linkage keys show` prints",
            ) from problem

    @classmethod
    def _parse(cls, line: str) -> Self:
        test = line.startswith(_TEXT_PREFIX[True])
        data = base64.b64decode(line.removeprefix(_TEXT_PREFIX[test]), validate=True)
        name, signing_key, sealing_key = unframe(data[:-_CHECKSUM_BYTES], 3)
        identity = cls(name.decode(), test, signing_key, sealing_key)
        # One identity, one line: this proves the prefix, the checksum, and base64 without stray bits at its end.
        if identity.to_text() != line:
            raise ValueError("another line than this identity's")
        return identity

    def verify(self, message: bytes, signature: bytes, *, purpose: bytes = b"") -> None:
        """Return when `signature` is this party's over `message` for `purpose`; raise SignatureError otherwise."""
        signed = frame(Label.SIGNATURE, mode(self.test), self.digest(), purpose, message)
        try:
            Ed25519PublicKey.from_public_bytes(self.signing_key).verify(signature, signed)
        except InvalidSignature as problem:
            raise SignatureError(
                f"the signature is not that of '{self.name}'",
                f"ask '{self.name}' to send the file again, and compare fingerprints by telephone",
            ) from problem

    def __repr__(self) -> str:
        return f"PublicIdentity(name={self.name!r}, test={self.test}, fingerprint={self.fingerprint()!r})"


@dataclass(frozen=True, eq=False, repr=False)
class Identity(Kept):
    """A party's private keys, as seeds: signing_seed 32, mlkem_seed 64 (FIPS 203 d || z), x25519_seed 32 bytes."""

    name: str
    test: bool
    signing_seed: bytes
    mlkem_seed: bytes
    x25519_seed: bytes

    shown: ClassVar[tuple[str, ...]] = ("name", "test")
    kind: ClassVar[str] = "identity"

    def __post_init__(self) -> None:
        check_name(self.name)
        lengths = (len(self.signing_seed), len(self.mlkem_seed), len(self.x25519_seed))
        if lengths != (SIGNING_KEY_BYTES, MLKEM_SEED_BYTES, X25519_BYTES):
            raise KeyFileError("a private identity has seeds of another length", "restore the key file from a backup")

    @classmethod
    def new(cls, name: str, *, test: bool, chance: Chance = SYSTEM) -> Self:
        """Fresh keys. Raises TestKeyError when live ones were to come from a repeatable source (R50)."""
        chance.require(test=test)
        seeds = (chance.draw(length) for length in (SIGNING_KEY_BYTES, MLKEM_SEED_BYTES, X25519_BYTES))
        return cls(name, test, *seeds)

    @cached_property
    def public(self) -> PublicIdentity:
        """The part that others may see; kept once made, for it takes longer than a signature."""
        signing = Ed25519PrivateKey.from_private_bytes(self.signing_seed).public_key()
        mlkem = MLKEM768PrivateKey.from_seed_bytes(self.mlkem_seed).public_key()
        x25519 = X25519PrivateKey.from_private_bytes(self.x25519_seed).public_key()
        sealing = mlkem.public_bytes_raw() + x25519.public_bytes_raw()
        return PublicIdentity(self.name, self.test, signing.public_bytes_raw(), sealing)

    def hpke_key(self) -> MLKEM768X25519PrivateKey:
        """Private key for HPKE."""
        return MLKEM768X25519PrivateKey(
            MLKEM768PrivateKey.from_seed_bytes(self.mlkem_seed),
            X25519PrivateKey.from_private_bytes(self.x25519_seed),
        )

    def sign(self, message: bytes, *, purpose: bytes = b"") -> bytes:
        """Ed25519 signature, 64 bytes, over label, mode, signer's digest, purpose and message.

        purpose: what the signature is for ("agreement", "package header"); the verifier must name the same one.
        """
        signed = frame(Label.SIGNATURE, mode(self.test), self.public.digest(), purpose, message)
        return Ed25519PrivateKey.from_private_bytes(self.signing_seed).sign(signed)

    def to_payload(self) -> bytes:
        """Name, mode and seeds for the vault."""
        return frame(self.name.encode(), mode(self.test), self.signing_seed, self.mlkem_seed, self.x25519_seed)

    @classmethod
    def from_payload(cls, payload: bytes) -> Self:
        """Inverse of `to_payload`."""
        name, its_mode, *seeds = unframe(payload, 5)
        return cls(name.decode(), is_test(its_mode), *seeds)
