r"""Secrets at rest, wrapped by a passphrase.

A kind, payload bytes and a passphrase come in; a new file goes out, and back.
Rule: nothing in this file can be changed without the passphrase noticing, the readable header included.

File: two lines of ASCII. First a JSON header (kind, mode, cost of the passphrase, salt, nonce), which is readable
so that an owner can tell his files apart; then the payload under ChaCha20-Poly1305 in base64, with the first line
as associated data. Key: scrypt(passphrase, salt of 16 random bytes), 32 bytes, used once because the salt is fresh.
Bulk data is encrypted in `storage` under a StorageKey that is itself kept here.
"""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from keys.errors import CustodyError, KeyFileError, PassphraseError, TestKeyError
from keys.files import read_private, shred, write_new
from keys.guard import Kept
from keys.labels import mode
from keys.passphrase import Passphrase
from keys.storage import StorageKey, decrypt_blob, encrypt_blob

__all__ = [
    "FOR_TESTS", "LIVE", "Cost", "Header", "StorageKey", "decrypt_blob", "encrypt_blob",
    "fetch", "header", "keep", "load", "shred", "store",
]  # fmt: skip

K = TypeVar("K", bound=Kept)

_FORMAT = "safeguarding-linkage key file 1"
_LIMIT_BYTES = 1 << 20
_SALT_BYTES = 16
_NONCE_BYTES = 12
_MAXIMUM_POWER = 20  # n = 2**20 takes 1 GiB; a file that asks for more was not made here


@dataclass(frozen=True)
class Cost:
    """What one guess of the passphrase costs: scrypt with 128 * n * r bytes of memory."""

    n: int
    r: int = 8
    p: int = 1


LIVE = Cost(1 << 17)
"""128 MiB, about half a second (OWASP Password Storage Cheat Sheet, 2024; RFC 7914). The floor for live files."""

FOR_TESTS = Cost(1 << 4)
"""No protection at all: for the keys of test suites, whose passphrases are printed beside them. Refused for live."""


@dataclass(frozen=True)
class Header:
    """First line of a vault file; salt and nonce in hexadecimal."""

    format: str
    kind: str
    mode: str
    cost: Cost
    salt: str
    nonce: str

    def line(self) -> bytes:
        """The header as it stands in the file."""
        return json.dumps(asdict(self), separators=(", ", ": ")).encode("ascii")


def _key(passphrase: Passphrase, its: Header) -> bytes:
    cost = its.cost
    return Scrypt(bytes.fromhex(its.salt), 32, n=cost.n, r=cost.r, p=cost.p).derive(passphrase.value)


def store(
    path: Path, kind: str, payload: bytes, passphrase: Passphrase, *, test: bool = False, cost: Cost = LIVE
) -> None:
    """Wrap a payload of at most half a mebibyte into a new file, mode 0600.

    cost: stays at LIVE outside test suites. Raises TestKeyError when a live file would be cheaper than LIVE,
    KeyFileError when the path exists or cannot be written.
    """
    if not test and cost.n * cost.r * cost.p < LIVE.n * LIVE.r * LIVE.p:
        raise TestKeyError("a live key file at the price of a test", "leave the cost of the passphrase at its default")
    if len(payload) > _LIMIT_BYTES // 2:
        raise ValueError("a vault file holds keys, not data")
    salt, nonce = secrets.token_hex(_SALT_BYTES), secrets.token_hex(_NONCE_BYTES)
    its = Header(_FORMAT, kind, mode(test).decode("ascii"), cost, salt, nonce)
    line = its.line()
    sealed = ChaCha20Poly1305(_key(passphrase, its)).encrypt(bytes.fromhex(nonce), payload, line)
    write_new(path, line + b"\n" + base64.b64encode(sealed) + b"\n")


def _read(path: Path) -> tuple[Header, bytes]:
    data = read_private(path, _LIMIT_BYTES).replace(b"\r\n", b"\n")
    try:
        line, body, end = data.split(b"\n")
        fields = json.loads(line)
        its = Header(**(fields | {"cost": Cost(**fields["cost"])}))
        lengths = len(bytes.fromhex(its.salt)), len(bytes.fromhex(its.nonce))
        sealed = base64.b64decode(body, validate=True)
        sound = (
            its.line() == line  # nothing twice, nothing unknown, nothing in another order or type
            and end == b""
            and its.format == _FORMAT
            and its.mode in {"live", "test"}
            and base64.b64encode(sealed) == body
            and lengths == (_SALT_BYTES, _NONCE_BYTES)
            and (its.cost.r, its.cost.p) == (LIVE.r, LIVE.p)
            and type(its.cost.n) is int
            and its.cost.n in {1 << power for power in range(1, _MAXIMUM_POWER + 1)}
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        sound = False
    if not sound:
        raise KeyFileError(f"{path} is not a key file of this toolkit", "check that the right file was given")
    if its.mode == "live" and its.cost.n < LIVE.n:
        raise KeyFileError(f"{path} is a live key file with a cheapened passphrase", "restore it from a backup")
    return its, sealed


def header(path: Path) -> Header:
    """What can be said of a file without its passphrase; nothing of it is proved until `load` succeeds."""
    return _read(path)[0]


def load(path: Path, kind: str, passphrase: Passphrase, *, test: bool | None = None) -> bytes:
    """Payload of a vault file.

    test: the mode the caller works in, when it matters. Raises KeyFileError when the file is unreadable or of
    another kind, TestKeyError when it is of the other mode (R50), PassphraseError when it does not open.
    """
    its, sealed = _read(path)
    if its.kind != kind:
        raise KeyFileError(f"{path} holds another kind of key: {its.kind}, not {kind}", "check the path")
    if test is not None and its.mode != mode(test).decode("ascii"):
        raise TestKeyError(f"{path} is a {its.mode} key file", "test and live keys never open one another's files")
    try:
        return ChaCha20Poly1305(_key(passphrase, its)).decrypt(bytes.fromhex(its.nonce), sealed, its.line())
    except InvalidTag as problem:
        raise PassphraseError(
            f"{path} does not open: the passphrase is wrong, or the file was altered",
            "try again; if you are sure of the passphrase, restore the file from a backup",
        ) from problem


def keep(path: Path, kept: Kept, passphrase: Passphrase, cost: Cost = LIVE) -> None:
    """Wrap an identity, share, secret or storage key into a new file of its own kind and mode; errors as `store`."""
    store(path, kept.kind, kept.to_payload(), passphrase, test=kept.test, cost=cost)


def fetch(path: Path, kind: type[K], passphrase: Passphrase, *, test: bool | None = None) -> K:
    """Inverse of `keep`: `fetch(path, Identity, passphrase)`; errors as `load`."""
    payload = load(path, kind.kind, passphrase, test=test)
    try:
        return kind.from_payload(payload)
    except (ValueError, CustodyError):
        # Without `from`: the cause might quote what was decrypted.
        raise KeyFileError(f"{path} opens, but holds no {kind.kind}", "restore it from a backup") from None
