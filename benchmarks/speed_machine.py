"""What this machine gives at best: bytes moved between memory and a core, and bits counted by a core."""

from __future__ import annotations

import numpy as np

from benchmarks.peers.speed_peers import Clock
from linkage.match.kernels import count8, kernel

_COPIED = 1 << 27  # bytes, far more than a cache holds
_COUNTED = 1 << 12  # bytes, well inside the nearest cache
_REPEATS = 5


def limits():
    """Bytes a second of a copy (read and written), and words of 64 bits counted a second, one thread each."""
    source, target = np.ones(_COPIED // 8), np.empty(_COPIED // 8)
    columns = np.random.default_rng(1).integers(0, 2**63, (8, _COUNTED // 64), dtype=np.uint64)
    counts = np.zeros(_COUNTED // 64, np.int64)
    _count(columns, counts, 1)
    target[:] = source
    copied, counted = [], []
    for _ in range(_REPEATS):
        clock = Clock()
        target[:] = source
        copied.append(2 * _COPIED / clock.so_far()["cpu"])
        clock, rounds = Clock(), 400_000
        _count(columns, counts, rounds)
        counted.append(columns.size * rounds / clock.so_far()["cpu"])
    return {"bytes": max(copied), "words": max(counted)}


@kernel
def _count(columns, counts, rounds):
    """Count words that never leave the nearest cache, eight to a sum as the search does."""
    for turn in range(rounds):
        flip = np.uint64(turn)
        for j in range(counts.shape[0]):
            counts[j] += count8(
                columns[0, j] ^ flip, columns[1, j] ^ flip, columns[2, j] ^ flip, columns[3, j] ^ flip,
                columns[4, j] ^ flip, columns[5, j] ^ flip, columns[6, j] ^ flip, columns[7, j] ^ flip,
            )  # fmt: skip
