"""What opens only where two parties meet: secrets in shares of two, and the masks they lift.

Secrets of tokens and a party's place come in, shares go out; two parties' shares give the secrets back.
Rule: shares of one party, however many, say nothing of a secret; of two parties, everything.

A share is the point at the party's place on a line whose height at 0 is the secret and whose slope is as secret, byte
by byte over GF(256). Every row of a party that holds a token shows the same point, so that rows of one file cannot
open one another.
Source: Shamir 1979, "How to share a secret"; shares derived from the value itself, Davidson et al. 2022 (STAR), 4.2.
"""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

from keys.prf import xored

__all__ = ["MOST_PLACES", "NONCE_BYTES", "SECRET_BYTES", "mask", "recover", "share"]

SECRET_BYTES = 32
NONCE_BYTES = 16
MOST_PLACES = 255
_POLYNOMIAL = 0x11B  # that of AES


def share(secrets: bytes, slopes: bytes, place: int) -> bytes:
    """Shares of secrets at a party's place, as long as they are: secret + slope * place over GF(256).

    Raises ValueError unless both are of one length and the place lies from 1 to 255.
    """
    if len(secrets) != len(slopes) or not 1 <= place <= MOST_PLACES:
        raise ValueError("a slope for each secret, and a place from 1 to 255")
    return xored(secrets, slopes.translate(_times(place)))


def recover(one: bytes, place_one: int, two: bytes, place_two: int) -> bytes:
    """Secrets from two parties' shares of them (Lagrange's interpolation at 0).

    Raises ValueError unless both are of one length and the places are different ones.
    """
    if len(one) != len(two) or place_one == place_two:
        raise ValueError("shares of two parties, one of each for each secret")
    apart = _inverse(place_one ^ place_two)
    return xored(one.translate(_times(_product(place_two, apart))), two.translate(_times(_product(place_one, apart))))


def mask(secrets: bytes, nonces: bytes, data: bytes) -> bytes:
    """M pieces of one length with the ChaCha20 keystream of each one's secret laid over; again, and it is lifted.

    secrets: (m, 32) bytes. nonces: (m, 16) random bytes, of which 12 are used: none serves two pieces under one secret.
    data: m pieces end to end. About 3 microseconds a piece of 1,000 bytes. Raises ValueError when lengths do not fit.
    """
    count = len(secrets) // SECRET_BYTES
    if len(secrets) % SECRET_BYTES or len(nonces) != NONCE_BYTES * count or len(data) % max(count, 1):
        raise ValueError("a secret, a nonce and a piece of one length for each")
    size = len(data) // max(count, 1)
    out = []
    for piece in range(count):
        secret = secrets[SECRET_BYTES * piece : SECRET_BYTES * (piece + 1)]
        # The first 4 bytes are the block counter: it starts at 0, so that it never runs over.
        nonce = bytes(4) + nonces[NONCE_BYTES * piece : NONCE_BYTES * piece + 12]
        stream = Cipher(ChaCha20(secret, nonce), mode=None).encryptor()
        out.append(stream.update(data[size * piece : size * (piece + 1)]))
    return b"".join(out)


@cache
def _times(factor: int) -> bytes:
    """Table of every byte times a factor."""
    return bytes(_product(byte, factor) for byte in range(256))


@cache
def _product(one: int, two: int) -> int:
    """Product in GF(256)."""
    total = 0
    for bit in range(8):
        total ^= (one << bit) * (two >> bit & 1)
    for bit in range(14, 7, -1):
        total ^= (_POLYNOMIAL << bit - 8) * (total >> bit & 1)
    return total


def _inverse(number: int) -> int:
    return next(other for other in range(1, 256) if _product(number, other) == 1)
