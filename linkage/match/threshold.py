"""Every pair above a Dice threshold, exactly: for plain filters of moderate files, and to check bit sampling.

Filters come in, pairs go out in order of rows. Rule: memory is that of the result and one small buffer a thread.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from linkage.match.candidates import Above, Candidates, Filters, Progress, SearchStats, cores
from linkage.match.kept import Found, Kept
from linkage.match.kernels import TILE
from linkage.match.kernels_dice import dice_block
from linkage.match.recall import WORD, shared_needed

SLOPE_BITS = 16
_BLOCK_ROWS = 256
_BLOCK_PAIRS = 1 << 29  # pairs of filters in one task, about a second's work
_POPCOUNT_ROWS = 1 << 16


def above(left: Filters, right: Filters | None, settings: Above, progress: Progress | None = None) -> Candidates:
    """Every pair of filters whose Dice similarity reaches the threshold, or those of them to keep; see stream_above."""
    began = time.perf_counter()
    kept = Kept(settings.keep, within=right is None)
    for part in stream_above(left, right, settings, progress):
        kept.add(part)
    found = kept.pairs()
    possible = len(left) * (len(left) - 1) // 2 if right is None else len(left) * len(right)
    stats = SearchStats(possible, possible, time.perf_counter() - began, 1.0, None, {"first_words": first_words(left)})
    return Candidates(found[0], found[1], found[2], stats)


def stream_above(
    left: Filters, right: Filters | None, settings: Above, progress: Progress | None = None
) -> Iterator[Found]:
    """Every pair block by block of left rows, in order of rows, for results too many to hold at once.

    left: (n, w); right: (m, w) or None for one file with itself. Yields (3, p) int32 arrays: left row, right row,
    differing bits. Two threads or twenty give the same arrays.
    """
    other = left if right is None else right
    first = first_words(left)
    need = shared_needed(left.shape[1] * WORD, settings.dice)
    slope = int(settings.dice * (1 << SLOPE_BITS))
    counted = _counts(left, first)
    counted_other = counted if right is None else _counts(other, first)
    sizes, rests = (counted[0], counted_other[0]), (counted[1], counted_other[1])
    rows = max(1, min(_BLOCK_ROWS, _BLOCK_PAIRS // max(1, len(other))))

    def work(start: int) -> Found:
        stop = min(start + rows, len(left))
        buffer = np.empty((3, 2 * rows * TILE), np.int32)
        parts = []
        place = start // TILE * TILE if right is None else 0
        while place < len(other):
            span = (start, stop, place, len(other))
            pairs, place = dice_block(left, other, span, right is None, sizes, rests, first, slope, need, buffer)
            parts.append(buffer[:, :pairs].copy())
        found = np.concatenate(parts, axis=1) if parts else np.empty((3, 0), np.int32)
        return found[:, np.lexsort((found[1], found[0]))]

    threads = settings.threads or cores()
    waiting: deque[Future[Found]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(left), rows):
            waiting.append(pool.submit(work, start))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
                if progress:
                    progress(start - (len(waiting) - 1) * rows, len(left))
        while waiting:
            yield waiting.popleft().result()
    if progress:
        progress(len(left), len(left))


def first_words(filters: Filters) -> int:
    """Words compared before the first look: half, up to 8. The rest can add no more than its own set bits."""
    words: int = filters.shape[1]
    return min(8, (words + 1) // 2)


def popcounts(filters: Filters) -> NDArray[np.int64]:
    """Set bits of every row, (n,), in slices so that no array of the filters' own size is made."""
    counts = np.empty(len(filters), np.int64)
    for start in range(0, len(filters), _POPCOUNT_ROWS):
        part = filters[start : start + _POPCOUNT_ROWS]
        counts[start : start + len(part)] = np.bitwise_count(part).sum(axis=1, dtype=np.int64)
    return counts


def _counts(filters: Filters, first: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Set bits of whole rows, and of their words after the first."""
    return popcounts(filters), popcounts(filters[:, first:])
