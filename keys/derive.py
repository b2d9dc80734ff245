"""Everything the linkage secret is turned into, each thing under a label of its own.

The secret comes in once; a RunKey, subkeys, keys per pair, token digests and keyed random bytes go out.
Rule: one direction only. From nothing that leaves this room can what came in be found, nor one output from another.

secret -> run key (per run: two runs' encodings cannot be linked) -> subkey per purpose -> key per pair or per token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import ClassVar, Self

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

from keys.errors import SecretMismatchError
from keys.framing import frame
from keys.guard import Guarded, same
from keys.kdf import KEY_BYTES, expand
from keys.labels import LABELS, Label, mode
from keys.prf import BLOCK_BYTES, Bytes, Xor, interleaved, of_blocks, of_messages
from keys.secret import LinkageSecret
from keys.sharing import share

__all__ = [
    "BLOCK_BYTES", "DIGEST_BYTES", "KEY_BYTES", "LABELS", "PAIR_ID_BYTES", "Bytes", "PairKeys", "Purpose", "RunKey",
    "message_digests", "pair_keys", "run_key", "stream", "tight_tokens", "token_keys", "token_shares",
]  # fmt: skip

DIGEST_BYTES = BLOCK_BYTES
PAIR_ID_BYTES = BLOCK_BYTES
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


@dataclass(frozen=True, eq=False, repr=False)
class PairKeys(Guarded):
    """What makes evidence of digests, for m pairs each as if under a key of its own: AES-256 of digest XOR tweak.

    cipher: 32 bytes, one for all pairs of a run. tweaks: (m, 16) bytes, a PRF of each pair id under another key.
    Digests of two pairs, equal or not, give unrelated outputs, as tweaks are independent random blocks to whoever lacks
    the key, even if he chose the ids: two inputs of AES are equal with a chance of q**2 / 2**129 for q blocks of a run,
    and outputs of distinct inputs are as good as random (see `prf`). Nobody decrypts, so one XOR is enough.
    Source: Rogaway 2004, "Efficient instantiations of tweakable blockciphers", XE.
    Raises ValueError when the tweaks are not whole.
    """

    cipher: bytes
    tweaks: bytes

    def __post_init__(self) -> None:
        if len(self.tweaks) % BLOCK_BYTES:
            raise ValueError(f"tweaks have {BLOCK_BYTES} bytes each")

    @classmethod
    def alone(cls, key: bytes) -> Self:
        """One key of 32 bytes for all rows, without tweaks: for comparisons that never leave."""
        return cls(key, bytes(BLOCK_BYTES))

    def __len__(self) -> int:
        return len(self.tweaks) // BLOCK_BYTES

    def expand(self, blocks: Bytes) -> bytearray:
        """Outputs for blocks of 16 bytes, each the XOR of a digest and its pair's tweak."""
        return of_blocks(self.cipher, blocks)

    def to_payload(self) -> bytes:
        """Everything, for comparison only."""
        return frame(self.cipher, self.tweaks)


def pair_keys(key: RunKey, pair_ids: bytes) -> PairKeys:
    """Keys of evidence for m pairs. pair_ids: (m, 16) bytes row after row.

    It takes the RunKey, not a subkey, so that evidence cannot be keyed by anything else.
    Raises TypeError without a RunKey, ValueError when the ids are not whole.
    """
    return _tweaked(key, Label.PAIR, pair_ids)


def token_keys(key: RunKey, digests: bytes) -> PairKeys:
    """Keys of the evidence that travels with m tight tokens; `pair_keys` of one-round. digests: as for tight_tokens."""
    return _tweaked(key, Label.TIGHT_KEY, digests)


def tight_tokens(key: RunKey, digests: bytes) -> bytes:
    """The public form of m tight tokens, (m, 16) bytes: what the matcher joins by, and nothing else follows from it.

    digests: (m, 16) bytes of `message_digests` under Purpose.TOKENS; random bytes give random tokens. They stay at
    home: whoever holds one and the run key has all that is derived here. Raises as `pair_keys` does.
    """
    return bytes(of_blocks(expand(_subkey(key, Purpose.TOKENS), Label.TIGHT_TOKEN), digests))


def token_shares(key: RunKey, digests: bytes, place: int) -> tuple[bytes, bytes]:
    """The secret of m tight tokens, and the share in each that the party at a place may show; (m, 32) bytes each.

    Two parties' shares of one token give its secret, one party's say nothing of it; see `keys.sharing`.
    """
    secret, slope = (_halves(key, label, digests) for label in (Label.TIGHT_SECRET, Label.TIGHT_SLOPE))
    return secret, share(secret, slope, place)


def _subkey(key: RunKey, purpose: Purpose) -> bytes:
    if not isinstance(key, RunKey):
        raise TypeError("evidence is keyed by a RunKey")
    return key.subkey(purpose)


def _tweaked(key: RunKey, label: Label, ids: bytes) -> PairKeys:
    subkey = _subkey(key, Purpose.EVIDENCE)
    return PairKeys(expand(subkey, Label.EVIDENCE, label), bytes(of_blocks(expand(subkey, label), ids)))


def _halves(key: RunKey, label: Label, digests: bytes) -> bytes:
    """32 bytes for each digest: one half under one key, one under another."""
    subkey = _subkey(key, Purpose.TOKENS)
    return interleaved(*(of_blocks(expand(subkey, label, bytes([half])), digests) for half in range(2)))


def message_digests(subkey: bytes, domain: bytes, columns: Sequence[Bytes], xor: Xor | None = None) -> bytearray:
    """Keyed digest of each of n messages of as many 16-byte blocks each, (n, 16) bytes row after row.

    columns, xor: as in `prf.of_messages`. domain: what kind of token it is (field and role). It and the number of
    blocks have a key of their own: equal tokens of two domains, and messages of two lengths, have nothing in common.
    Raises ValueError when the subkey is not 32 bytes or the columns do not fit.
    """
    return of_messages(expand(subkey, Label.TOKEN, domain, len(columns).to_bytes(4, "big")), columns, xor)


def stream(subkey: bytes, label: bytes, nbytes: int) -> bytes:
    """Keyed random bytes: the ChaCha20 keystream under a key derived from the subkey and `label`.

    label: what the bytes are for; every label has its own key, so the nonce may be zero. The first bytes do not
    depend on how many are asked for. Raises ValueError when nbytes is negative or above 2**36.
    """
    if not 0 <= nbytes <= _STREAM_BYTES:
        raise ValueError("between 0 and 2**36 bytes")
    cipher = Cipher(ChaCha20(expand(subkey, Label.STREAM, label), bytes(16)), mode=None)
    return cipher.encryptor().update(bytes(nbytes))
