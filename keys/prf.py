"""AES-256 as a pseudorandom function of very many short inputs at once: the library is called once for all of them.

Keys and blocks come in, blocks as unlike random bytes as nobody can tell go out. Nothing is ever decrypted.

Why ECB is right here: AES under a secret key is a pseudorandom permutation of single blocks, and is used as a function,
block by block. Equal blocks under one key give equal outputs, ECB's classic fault; it is what tokens are for. Outputs
of q distinct inputs are told from random bytes with advantage q**2 / 2**129 at most: 2**-61 for ten thousand million.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB

from keys.kdf import KEY_BYTES

BLOCK_BYTES = 16
Bytes = bytes | bytearray | memoryview
Xor = Callable[[Bytes, Bytes], Bytes]
_PIECE = 1 << 24  # bytes given to the library at once


def of_blocks(key: bytes, blocks: Bytes) -> bytearray:
    """AES-256 of each 16-byte block under one key, as long as all blocks together.

    Raises ValueError unless the key is whole and the blocks are.
    """
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key has {KEY_BYTES} bytes")
    if memoryview(blocks).nbytes % BLOCK_BYTES:
        raise ValueError(f"blocks have {BLOCK_BYTES} bytes each")
    # A view of an array without rows cannot be cast.
    data = memoryview(blocks).cast("B") if memoryview(blocks).nbytes else memoryview(b"")
    cipher = Cipher(AES256(key), ECB()).encryptor()  # noqa: S305 - a PRF, never encryption; see above
    out = bytearray(len(data) + BLOCK_BYTES)  # the library asks for room beyond what it writes
    with memoryview(out) as room:
        for start in range(0, len(data), _PIECE):
            cipher.update_into(data[start : start + _PIECE], room[start:])
    del out[len(data) :]
    return out


def of_messages(key: bytes, columns: Sequence[Bytes], xor: Xor | None = None) -> bytearray:
    """CBC-MAC of n messages of as many blocks each, (n, 16) bytes: a pseudorandom function of messages of that length.

    columns: first blocks of all messages end to end, then second blocks, and so on; one key for one number of columns,
    without which a message could be continued. xor: what XORs two byte strings, `xored` by default; whoever works with
    arrays has a faster one. Raises ValueError unless there is a column and all are of one length.
    Source: Bellare, Kilian & Rogaway 1994, "The security of the cipher block chaining message authentication code", 3.
    """
    if len({memoryview(column).nbytes for column in columns}) != 1:
        raise ValueError("columns of one length, one for each block of a message")
    state = of_blocks(key, columns[0])
    for column in columns[1:]:
        state = of_blocks(key, (xor or xored)(state, column))
    return state


def xored(one: Bytes, two: Bytes) -> bytes:
    """Two byte strings of one length, XORed."""
    count = memoryview(one).nbytes
    return (int.from_bytes(one, "little") ^ int.from_bytes(two, "little")).to_bytes(count, "little")


def interleaved(one: Bytes, two: Bytes) -> bytes:
    """A block of the one, a block of the other, and so on."""
    out = bytearray(2 * len(one))
    for half, blocks in enumerate((one, two)):
        for byte in range(BLOCK_BYTES):
            out[BLOCK_BYTES * half + byte :: 2 * BLOCK_BYTES] = blocks[byte::BLOCK_BYTES]
    return bytes(out)
