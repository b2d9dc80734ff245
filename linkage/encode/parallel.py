"""Evidence on several cores: parts of a request go to processes of their own.

AES under a key of each pair's own holds Python's lock most of the time, so threads would wait for one another.
Rule: processes are spawned, never forked, so it is the same on every platform; nothing is written to a disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from keys.derive import PAIR_KEY_BYTES
from linkage.encode.evidence import make_evidence
from linkage.encode.tokens import FieldTokens
from linkage.layout import Layout
from linkage.model import Bytes16, Evidence

WORTHWHILE = 500_000
"""Sides from which other processes save well more than their start costs (1.5 seconds each)."""

PART = 1 << 14
"""Sides a process makes at a time."""

_SHARED: list[tuple[Sequence[FieldTokens], Layout]] = []  # in a process of the pool: what all its parts need


def make_evidence_on(
    processes: int,
    tokens: Sequence[FieldTokens],
    rows: NDArray[np.integer],
    pair_ids: Bytes16,
    keys: bytes,
    layout: Layout,
) -> Evidence:
    """What make_evidence gives, made by several processes.

    A script that calls this needs the guard `if __name__ == "__main__"`, as with every spawned process.
    """
    starts = range(0, len(rows), PART)
    parts = [rows[start : start + PART] for start in starts]
    ids = [pair_ids[start : start + PART] for start in starts]
    own = [keys[PAIR_KEY_BYTES * start : PAIR_KEY_BYTES * (start + PART)] for start in starts]
    none = make_evidence(tokens, rows[:0], pair_ids[:0], b"", layout)
    presence, tags, filters = (
        np.empty((len(rows), *part.shape[1:]), part.dtype) for part in (none.presence, none.tags, none.filters)
    )
    with ProcessPoolExecutor(processes, get_context("spawn"), _begin, (tokens, layout)) as pool:
        for start, part in zip(starts, pool.map(_part, parts, ids, own), strict=True):
            place = slice(start, start + len(part))
            presence[place], tags[place], filters[place] = part.presence, part.tags, part.filters
    return Evidence(pair_ids, presence, tags, filters)


def _begin(tokens: Sequence[FieldTokens], layout: Layout) -> None:
    _SHARED[:] = [(tokens, layout)]


def _part(rows: NDArray[np.integer], pair_ids: Bytes16, keys: bytes) -> Evidence:
    tokens, layout = _SHARED[0]
    return make_evidence(tokens, rows, pair_ids, keys, layout)
