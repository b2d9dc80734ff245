"""HKDF-SHA256 as this toolkit uses it: always with a label from the table and framed context.

Key bytes, a label and context come in, key bytes go out.
Source: RFC 5869; the keys expanded here are uniform 32-byte strings, so extraction is needed only for shares.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from keys.framing import frame
from keys.labels import Label

KEY_BYTES = 32


def expand(key: bytes, label: Label, *context: bytes, length: int = KEY_BYTES) -> bytes:
    """HKDF-Expand of a uniform key under a label and its context, `length` bytes.

    Raises ValueError when the key is not 32 bytes: a shorter one was never made by this room.
    """
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key to expand has {KEY_BYTES} bytes")
    return HKDFExpand(SHA256(), length, frame(label, *context)).derive(key)


def extract(material: bytes, salt: bytes, label: Label, *context: bytes) -> bytes:
    """HKDF (extract, then expand) of material whose entropy is not spread evenly, or that is salted; 32 bytes."""
    return HKDF(SHA256(), KEY_BYTES, salt, frame(label, *context)).derive(material)
