"""Everything the linkage secret is turned into, each thing under a label of its own.

The secret comes in once; a RunKey, subkeys, keys per pair, token digests and keyed random bytes go out.
Rule: one direction only. From nothing that leaves this room can what came in be found, nor one output from another.

secret -> run key (per run: two runs' encodings cannot be linked) -> subkey per purpose -> key per pair or per token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from hashlib import blake2b
from itertools import accumulate
from typing import ClassVar

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128, ChaCha20
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from keys.errors import SecretMismatchError
from keys.framing import frame
from keys.guard import Guarded, same
from keys.kdf import KEY_BYTES, expand
from keys.labels import LABELS, Label, mode
from keys.secret import LinkageSecret
from keys.sharing import share

__all__ = [
    "BLOCK_BYTES", "DIGEST_BYTES", "LABELS", "PAIR_ID_BYTES", "PAIR_KEY_BYTES", "Purpose", "RunKey",
    "expand_blocks", "expand_spans", "pair_keys", "run_key", "stream", "tight_tokens", "token_digests", "token_keys",
    "token_shares",
]  # fmt: skip

BLOCK_BYTES = 16
DIGEST_BYTES = 16
PAIR_ID_BYTES = 16
PAIR_KEY_BYTES = 16
_STREAM_BYTES = 1 << 36  # ChaCha20's 32-bit block counter ends at 2**38 bytes


@unique
class Purpose(StrEnum):
    """What a subkey is for; it is used for nothing else."""

    SCREENING = "screening"  # digests of tokens in screening filters
    DIFFUSION = "diffusion"  # which bits of a plain filter each bit of a diffused one is made of
    EVIDENCE = "evidence"  # keys per pair
    NAMES = "names"  # digests of values, before a pair key turns them into evidence
    TOKENS = "tokens"  # tight tokens of the one-round protocol
    ROWS = "rows"  # order of rows, decoys, anything keyed about rows
    CHECK = "check"  # proof inside packages that parameters agree


@dataclass(frozen=True, eq=False, repr=False)
class RunKey(Guarded):
    """Key of one run; value: 32 bytes. Only `run_key` makes one."""

    run: str
    test: bool
    value: bytes

    shown: ClassVar[tuple[str, ...]] = ("run", "test")

    def __post_init__(self) -> None:
        if len(self.value) != KEY_BYTES:
            raise ValueError(f"a run key has {KEY_BYTES} bytes")

    def subkey(self, purpose: Purpose) -> bytes:
        """Subkey for one purpose, 32 bytes."""
        return expand(self.value, Label.SUBKEY, Purpose(purpose).value.encode())

    def to_payload(self) -> bytes:
        """Everything, for comparison only: run keys are derived anew, never stored."""
        return frame(self.run.encode(), mode(self.test), self.value)


def run_key(secret: LinkageSecret, run: str, agreement_digest: bytes) -> RunKey:
    """Key of a run under the agreement the secret was made for; raises SecretMismatchError under any other."""
    if not run:
        raise ValueError("a run has a name")
    if not same(secret.agreement_digest, agreement_digest):
        raise SecretMismatchError(
            "the linkage secret was made for another agreement", "contribute and assemble under this agreement"
        )
    return RunKey(run, secret.test, expand(secret.value, Label.RUN, mode(secret.test), agreement_digest, run.encode()))


def pair_keys(key: RunKey, pair_ids: bytes) -> bytes:
    """AES-128 keys of m pairs, (m, 16) bytes row after row: HKDF-Expand(evidence subkey, label and pair id, 16).

    pair_ids: (m, 16) bytes row after row. About 1.2 microseconds a pair.
    It takes the RunKey, not a subkey, so that evidence cannot be keyed by anything else.
    Raises TypeError without a RunKey, ValueError when the ids are not whole.
    """
    return _expand_each(key, Purpose.EVIDENCE, Label.PAIR, pair_ids, PAIR_KEY_BYTES)


def tight_tokens(key: RunKey, digests: bytes) -> bytes:
    """The public form of m tight tokens, (m, 16) bytes: what the matcher joins by, and nothing else follows from it.

    digests: (m, 16) bytes of `token_digests` under Purpose.TOKENS; random bytes give random tokens. They stay at home:
    whoever holds one and the run key has all that is derived here. Raises as `pair_keys` does.
    """
    return _expand_each(key, Purpose.TOKENS, Label.TIGHT_TOKEN, digests, DIGEST_BYTES)


def token_keys(key: RunKey, digests: bytes) -> bytes:
    """AES-128 keys of the evidence that travels with m tight tokens, (m, 16) bytes; `pair_keys` of one-round."""
    return _expand_each(key, Purpose.EVIDENCE, Label.TIGHT_KEY, digests, PAIR_KEY_BYTES)


def token_shares(key: RunKey, digests: bytes, place: int) -> tuple[bytes, bytes]:
    """The secret of m tight tokens, and the share in each that the party at a place may show; (m, 32) bytes each.

    Two parties' shares of one token give its secret, one party's say nothing of it; see `keys.sharing`.
    """
    secret = _expand_each(key, Purpose.TOKENS, Label.TIGHT_SECRET, digests, KEY_BYTES)
    slope = _expand_each(key, Purpose.TOKENS, Label.TIGHT_SLOPE, digests, KEY_BYTES)
    return secret, share(secret, slope, place)


def _expand_each(key: RunKey, purpose: Purpose, label: Label, ids: bytes, length: int) -> bytes:
    """HKDF-Expand of a subkey under a label and each of m ids of 16 bytes, `length` bytes each, at most 32.

    Source: RFC 5869; output of at most 32 bytes is HMAC(key, info || 0x01), cut.
    """
    if not isinstance(key, RunKey):
        raise TypeError("evidence is keyed by a RunKey")
    if len(ids) % PAIR_ID_BYTES:
        raise ValueError(f"pair ids and digests have {PAIR_ID_BYTES} bytes each")
    # HKDFExpand(SHA256(), length, frame(label, id)).derive(subkey), with the keyed state and the constant head of the
    # info computed once: three times as fast.
    base = HMAC(key.subkey(purpose), SHA256())
    base.update(frame(label) + PAIR_ID_BYTES.to_bytes(4, "big"))
    out = bytearray(len(ids) // PAIR_ID_BYTES * length)
    for place, start in enumerate(range(0, len(ids), PAIR_ID_BYTES)):
        state = base.copy()
        state.update(ids[start : start + PAIR_ID_BYTES] + b"\x01")
        out[place * length : (place + 1) * length] = state.finalize()[:length]
    return bytes(out)


def token_digests(subkey: bytes, domain: bytes, tokens: Sequence[bytes]) -> bytes:
    """Keyed BLAKE2b digest of each of n tokens, (n, 16) bytes row after row.

    domain: what kind of token it is (field and role), bound with its length; equal tokens of two domains differ.
    Raises ValueError when the subkey is not 32 bytes. About 0.6 microseconds a token.
    """
    if len(subkey) != KEY_BYTES:
        raise ValueError(f"a subkey has {KEY_BYTES} bytes")
    base = blake2b(frame(domain), digest_size=DIGEST_BYTES, key=subkey, person=Label.TOKEN)
    digests = []
    for token in tokens:
        state = base.copy()
        state.update(token)
        digests.append(state.digest())
    return b"".join(digests)


def expand_blocks(keys: bytes, blocks: Sequence[bytes]) -> bytes:
    """Each pair's blocks under AES-128 with that pair's key, one after another, as long as all blocks together.

    keys: (m, 16) bytes from `pair_keys`. blocks: m byte strings of whole 16-byte blocks, each block a digest
    from `token_digests`; their numbers may differ. About 5 microseconds for a pair of 60 blocks.
    Raises ValueError when numbers or lengths do not fit.

    Why this is not encryption, and why ECB is right here: nobody ever decrypts. AES under a secret key is a
    pseudorandom permutation of single blocks, and is used as a pseudorandom function, block by block. Its inputs are
    128-bit digests, so they are distinct when the values behind them are, and the outputs of distinct inputs are
    indistinguishable from random bytes up to q**2 / 2**129 for q blocks under one key (some hundred here). That equal
    blocks under ONE key give equal outputs, ECB's classic fault, is what evidence needs: it is how two agencies'
    equal values meet. Between pairs the keys differ, so nothing meets.
    """
    if any(len(block) % BLOCK_BYTES for block in blocks):
        raise ValueError(f"blocks have {BLOCK_BYTES} bytes each")
    ends = list(accumulate(len(block) // BLOCK_BYTES for block in blocks))
    return bytes(expand_spans(keys, memoryview(b"".join(blocks)), ends))


def expand_spans(keys: bytes, blocks: memoryview, ends: Sequence[int]) -> bytearray:
    """The same for blocks that lie in one buffer: pair i's are those from ends[i - 1] up to ends[i].

    ends: m ascending numbers of blocks, the last one the length of the buffer.
    """
    if len(keys) != PAIR_KEY_BYTES * len(ends):
        raise ValueError("one key for each pair")
    if len(blocks) != BLOCK_BYTES * (ends[-1] if ends else 0):
        raise ValueError(f"blocks have {BLOCK_BYTES} bytes each")
    mode_of_blocks = ECB()  # noqa: S305 - a PRF on digests, never encryption; see above
    out = bytearray(len(blocks) + BLOCK_BYTES)  # the library asks for room beyond what it writes
    room, start = memoryview(out), 0
    for pair, last in enumerate(ends):
        end = BLOCK_BYTES * last
        cipher = Cipher(AES128(keys[PAIR_KEY_BYTES * pair : PAIR_KEY_BYTES * (pair + 1)]), mode_of_blocks)
        cipher.encryptor().update_into(blocks[start:end], room[start:])
        start = end
    room.release()
    del out[len(blocks) :]
    return out


def stream(subkey: bytes, label: bytes, nbytes: int) -> bytes:
    """Keyed random bytes: the ChaCha20 keystream under a key derived from the subkey and `label`.

    label: what the bytes are for; every label has its own key, so the nonce may be zero. The first bytes do not
    depend on how many are asked for. Raises ValueError when nbytes is negative or above 2**36.
    """
    if not 0 <= nbytes <= _STREAM_BYTES:
        raise ValueError("between 0 and 2**36 bytes")
    cipher = Cipher(ChaCha20(expand(subkey, Label.STREAM, label), bytes(16)), mode=None)
    return cipher.encryptor().update(bytes(nbytes))
