"""Texts become keyed digests, all at once: what two agencies' equal values have in common, and nothing else.

Texts and a subkey come in, 16 bytes a text go out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from keys.derive import BLOCK_BYTES, message_digests
from linkage.encode.spelling import texts_of


def text_digests(subkey: bytes, domain: bytes, texts: Sequence[str]) -> NDArray[np.uint8]:
    """Keyed digest of every text, (n, 16) uint8; equal texts of one domain have equal ones.

    A text is padded with a one and zeros to whole blocks, at least one bit of them (ISO/IEC 9797-1, method 2); texts of
    as many blocks are digested together, under a key of their own.
    """
    from linkage.encode.kernels import pad_blocks  # loads numba

    held = texts_of(texts)
    blocks = np.diff(held.ends) // BLOCK_BYTES + 1
    digests = np.empty((len(held), BLOCK_BYTES), np.uint8)
    for count in np.flatnonzero(np.bincount(blocks)).tolist():
        rows = np.flatnonzero(blocks == count)
        padded = np.zeros((count, len(rows), BLOCK_BYTES), np.uint8)
        pad_blocks(held.data, held.ends, rows, padded)
        made = message_digests(subkey, domain, [column.data for column in padded])
        digests[rows] = np.frombuffer(made, np.uint8).reshape(-1, BLOCK_BYTES)
    return digests
