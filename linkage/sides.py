"""One side of evidence as bytes of one length: presence, tags, then filters.

Both rooms that must agree on the bytes read them here. So it travels, and in one-round masked until a token meets, with
the key of the row's note behind it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linkage.layout import FILTER_WORDS, Layout
from linkage.model import Bytes16, Evidence

NOTE_KEY_BYTES = 32


def evidence_bytes(layout: Layout) -> int:
    """Length of one side of evidence."""
    return len(layout.slots) + 4 * layout.tags + 8 * FILTER_WORDS * layout.filters


def side_bytes(layout: Layout) -> int:
    """Length of one side of one-round."""
    return evidence_bytes(layout) + NOTE_KEY_BYTES


def to_bytes(evidence: Evidence) -> NDArray[np.uint8]:
    """Sides of evidence as (m, evidence_bytes) uint8."""
    parts = (evidence.presence, evidence.tags.astype("<u4"), evidence.filters.astype("<u8"))
    return np.concatenate([_bytes(part) for part in parts], axis=1)


def from_bytes(sides: NDArray[np.uint8], pair_ids: Bytes16, layout: Layout) -> Evidence:
    """Inverse of to_bytes, under pair ids (m, 16); nothing is proven of it."""
    ends = np.cumsum([len(layout.slots), 4 * layout.tags])
    presence, tags, filters = (np.ascontiguousarray(part) for part in np.split(sides, ends, axis=1))
    return Evidence(
        pair_ids,
        presence,
        tags.view("<u4").reshape(len(sides), layout.tags),
        filters.view("<u8").reshape(len(sides), layout.filters, FILTER_WORDS),
    )


def to_sides(evidence: Evidence, note_keys: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Sides of evidence with the key of each one's note (m, 32), as (m, side_bytes) uint8."""
    return np.concatenate([to_bytes(evidence), note_keys], axis=1)


def from_sides(sides: NDArray[np.uint8], pair_ids: Bytes16, layout: Layout) -> tuple[Evidence, bytes]:
    """Inverse of to_sides, with the keys of the notes end to end."""
    evidence, keys = np.split(sides, [evidence_bytes(layout)], axis=1)
    return from_bytes(evidence, pair_ids, layout), keys.tobytes()


def _bytes(array: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Each row of an array as its bytes."""
    width = array.dtype.itemsize * int(np.prod(array.shape[1:]))
    return np.ascontiguousarray(array).view(np.uint8).reshape(len(array), width)
