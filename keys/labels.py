"""One table of every label that separates one use of a key from another.

Rule: no label is used for two things, and none is ever reused with another meaning: a change of meaning
takes a new label. The table stands apart from `derive` so that rooms barred from deriving (the matcher's) can
seal and verify without reaching it.
"""

from __future__ import annotations

from enum import Enum, unique


@unique
class Label(bytes, Enum):
    """Domain-separation labels. In brackets: what is keyed, and the context that follows the label, in order."""

    # Hashes and signatures
    FINGERPRINT = b"safeguarding-linkage/1/fingerprint"  # SHA-256 (mode, name, signing key, sealing key)
    SIGNATURE = b"safeguarding-linkage/1/signature"  # Ed25519 (mode, signer's digest, purpose, message)
    CHANCE = b"safeguarding-linkage/1/chance"  # SHA-256 (seed, what the stream is for...), test mode alone
    PARTIES = b"safeguarding-linkage/1/parties"  # SHA-256 (mode, digest of each contributor, in order of names)
    SHARE = b"safeguarding-linkage/1/share"  # purpose of a signature over, and start of, a share
    # HPKE `info`
    SEAL = b"safeguarding-linkage/1/seal"  # (mode, recipient's digest, caller's info)
    NOTE_WRAP = b"safeguarding-linkage/1/note-wrap"  # (run, sender's name, context)
    # HKDF-SHA256 info
    SECRET = b"safeguarding-linkage/1/secret"  # all shares (mode, agreement, parties)
    SECRET_CHECK = b"safeguarding-linkage/2/secret-check"  # linkage secret (mode, agreement, run, bound...)
    SECRET_FINGERPRINT = b"safeguarding-linkage/1/secret-fingerprint"  # linkage secret (mode, agreement)
    RUN = b"safeguarding-linkage/1/run"  # linkage secret (mode, agreement, run)
    SUBKEY = b"safeguarding-linkage/1/subkey"  # run key (purpose)
    TOKEN = b"safeguarding-linkage/2/token"  # a subkey (domain, blocks of a message); keys a CBC-MAC
    PAIR = b"safeguarding-linkage/2/pair"  # evidence subkey; keys the tweak of each pair id
    TIGHT_TOKEN = b"safeguarding-linkage/2/tight-token"  # tokens subkey; keys the public form of each digest
    TIGHT_KEY = b"safeguarding-linkage/2/tight-key"  # evidence subkey; keys the tweak of each digest
    TIGHT_SECRET = b"safeguarding-linkage/2/tight-secret"  # tokens subkey (half); keys the secret of each digest
    TIGHT_SLOPE = b"safeguarding-linkage/2/tight-slope"  # tokens subkey (half); keys the slope of each digest
    EVIDENCE = b"safeguarding-linkage/2/evidence"  # evidence subkey (label of the tweaks); keys tweaked digests
    STREAM = b"safeguarding-linkage/1/stream"  # a subkey (caller's label)
    BLOB = b"safeguarding-linkage/1/blob"  # storage key and salt (mode, caller's context)
    NOTE = b"safeguarding-linkage/3/note"  # note key (mode); keys AES-GCM
    NOTE_NONCE = b"safeguarding-linkage/3/note-nonce"  # note key (mode); keys a CBC-MAC of pair id and salt


LABELS: tuple[Label, ...] = tuple(Label)


def mode(test: bool) -> bytes:
    """Name of the mode as it stands in every label's context, so that test and live never meet (R50)."""
    return b"test" if test else b"live"


def is_test(name: bytes) -> bool:
    """Inverse of `mode`; raises ValueError for any other name."""
    return (b"live", b"test").index(name) == 1
