"""Texts become keyed digests, all at once: what two agencies' equal values have in common, and nothing else.

Texts and a subkey come in, 16 bytes a text go out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from keys.derive import BLOCK_BYTES, Bytes, message_digests
from linkage.encode.spelling import texts_of

_TEXTS = 1 << 15  # looked at at a time, so that they stay in the cache


def text_digests(subkey: bytes, domain: bytes, texts: Sequence[str]) -> NDArray[np.uint8]:
    """Keyed digest of every text, (n, 16) uint8; equal texts of one domain have equal ones.

    A text is padded with a one and zeros to whole blocks, at least one bit of them (ISO/IEC 9797-1, method 2); texts of
    as many blocks are digested together, under a key of their own.
    """
    from linkage.encode.kernels import pad_blocks  # loads numba

    held = texts_of(texts)
    digests = np.empty((len(held), BLOCK_BYTES), np.uint8)
    for start in range(0, len(held), _TEXTS):
        blocks = np.diff(held.ends[start : start + _TEXTS + 1]) // BLOCK_BYTES + 1
        for count in np.flatnonzero(np.bincount(blocks)).tolist():
            rows = start + np.flatnonzero(blocks == count)
            padded = np.zeros((count, len(rows), BLOCK_BYTES), np.uint8)
            pad_blocks(held.data, held.ends, rows, padded)
            digests[rows] = column_digests(subkey, domain, list(padded)).view(np.uint8)
    return digests


def column_digests(subkey: bytes, domain: bytes, columns: Sequence[NDArray[np.generic]]) -> NDArray[np.uint64]:
    """Keyed digests (n, 2) of messages of as many blocks of 16 bytes as there are columns: (n, 16 bytes) each."""
    made = message_digests(subkey, domain, [column.data for column in columns], _xored)
    return np.frombuffer(made, np.uint64).reshape(-1, 2)


def _xored(one: Bytes, two: Bytes) -> Bytes:
    return (np.frombuffer(one, np.uint64) ^ np.frombuffer(two, np.uint64)).data
