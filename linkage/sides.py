"""One side of evidence as bytes of one length, for one-round, where it travels masked until a token meets.

Both rooms that must agree on the bytes read them here: presence, tags, filters, then the key of the row's note.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linkage.layout import FILTER_WORDS, Layout
from linkage.model import Evidence

NOTE_KEY_BYTES = 32


def side_bytes(layout: Layout) -> int:
    """Length of one side."""
    return len(layout.slots) + 4 * layout.tags + 8 * FILTER_WORDS * layout.filters + NOTE_KEY_BYTES


def to_sides(evidence: Evidence, note_keys: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Sides of evidence with the key of each one's note (m, 32), as (m, side_bytes) uint8."""
    tags, filters = evidence.tags.astype("<u4"), evidence.filters.astype("<u8")
    parts = (evidence.presence, tags, filters, note_keys)
    return np.concatenate([_bytes(part) for part in parts], axis=1)


def _bytes(array: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Each row of an array as its bytes."""
    width = array.dtype.itemsize * int(np.prod(array.shape[1:]))
    return np.frombuffer(array.tobytes(), np.uint8).reshape(len(array), width)


def from_sides(sides: NDArray[np.uint8], pair_ids: NDArray[np.uint8], layout: Layout) -> tuple[Evidence, bytes]:
    """Inverse of to_sides, under pair ids (m, 16), with the keys of the notes end to end; nothing is proven of it."""
    count, slots = len(sides), len(layout.slots)
    ends = np.cumsum([slots, 4 * layout.tags, 8 * FILTER_WORDS * layout.filters])
    presence, tags, filters, keys = np.split(sides, ends, axis=1)
    evidence = Evidence(
        pair_ids,
        np.ascontiguousarray(presence),
        np.ascontiguousarray(tags).view("<u4").reshape(count, layout.tags),
        np.ascontiguousarray(filters).view("<u8").reshape(count, layout.filters, FILTER_WORDS),
    )
    return evidence, np.ascontiguousarray(keys).tobytes()
