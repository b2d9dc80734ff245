"""Where random bytes come from: the operating system, or, to repeat a test, a seed.

A source of chance is handed down to whatever draws from it; there is no global one. A repeatable source can be
computed by anybody who knows its seed, so it serves test keys alone (R50).
Rule: nonces, salts, note keys and storage keys are never drawn from here: they touch no outcome, so they need no
repeating.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

from keys.errors import TestKeyError
from keys.framing import frame
from keys.labels import Label


@dataclass(frozen=True, eq=False)
class Chance:
    """A source of random bytes. draw(n) gives the next n; test: whether anybody could repeat them."""

    draw: Callable[[int], bytes]
    test: bool

    @classmethod
    def pretend(cls, seed: int, *label: str) -> Self:
        """A repeatable source: the ChaCha20 keystream of a seed and what it is for, from its start."""
        key = sha256(frame(Label.CHANCE, str(seed).encode(), *(part.encode() for part in label))).digest()
        # The nonce is zero because every seed and label have a key of their own.
        stream = Cipher(ChaCha20(key, bytes(16)), mode=None).encryptor()
        return cls(lambda nbytes: stream.update(bytes(nbytes)), test=True)

    @classmethod
    def seeded(cls, seed: bytes, label: bytes, *, test: bool) -> Self:
        """A source for one part of a work, so that parts may be made by several hands, in any order.

        seed: random bytes from another source, whose `test` is said; label: what part. The keystream of both.
        """
        key = sha256(frame(Label.CHANCE, b"part", seed, label)).digest()
        stream = Cipher(ChaCha20(key, bytes(16)), mode=None).encryptor()
        return cls(lambda nbytes: stream.update(bytes(nbytes)), test=test)

    def require(self, *, test: bool) -> None:
        """Return when the source may serve keys of this mode; raise TestKeyError for a repeatable one and live keys."""
        if self.test and not test:
            raise TestKeyError(
                "a seed repeats what must be random", "seeds are for test keys and test agreements; leave the seed out"
            )


SYSTEM = Chance(secrets.token_bytes, test=False)
"""The operating system's generator: the only source for live keys."""
