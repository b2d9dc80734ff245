"""Bit sampling with a stated recall: the sub-quadratic search for plain filters.

Filters come in, pairs above a Dice threshold go out. Rule: how many bits and tables is computed from the run's own
set bits, threshold and spread of distances; what was promised is checked on a random sample of rows.
Source: Indyk & Motwani 1998, bit sampling for Hamming distance; numbers of positions without replacement.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.match.candidates import Above, Candidates, Filters, Progress, Sampled, SearchStats, Verified, cores
from linkage.match.kernels_dice import gather, join_block, sampled_slots, share_work, slot_order
from linkage.match.recall import WORD, meeting_chance, shared_needed, tables_needed, verified
from linkage.match.threshold import above, popcounts

MOST_TABLES = 512
MOST_BITS = 60
_SPREAD = 1024  # rows of each file whose pairs show how often strangers meet
_SHOWN = 100  # pairs a sample must show before their distances speak for the file
# Relative times, measured with 16 words: one row keyed, sorted and copied for one table; one pair verified;
# one pair in the exact search.
_ROW_TIME, _PAIR_TIME, _EXACT_TIME = 120.0, 6.6, 2.5
_CAPACITY = 1 << 18
_FIRST = 7  # words of the first look; with the row's number and sizes they fill one line of cache
_MOST_WORDS = 1023  # set bits are kept in 16 bits
_TASKS = 8  # per thread and table, so that no thread waits long for another


@dataclass(frozen=True)
class Tables:
    """Chosen bits and tables. slot_bits: log2 of the slots of a table. met: pairs expected to meet, all tables."""

    bits: int
    tables: int
    slot_bits: int
    met: float
    time: float


def plan_tables(left: Filters, right: Filters | None, settings: Sampled) -> Tables:
    """Cheapest bits and tables that find a pair just at the threshold with the stated recall.

    Two filters of p and q set bits and Dice similarity s differ in (1 - s)(p + q) bits, so a pair at the threshold
    agrees on all k sampled bits with a chance that depends on its set bits alone; recall is averaged over the run's
    set bits. Pairs above the threshold agree more often. Unless the promise is to hold for every pair, the distances of
    the pairs of a random sample of rows, searched exactly, take the place of the threshold; the check draws other rows.
    Strangers' meetings are estimated from random pairs.
    """
    rng = np.random.default_rng([settings.seed, 2])
    other = left if right is None else right
    rows, others = (f[rng.integers(len(f), size=min(len(f), _SPREAD))] for f in (left, other))
    bits = left.shape[1] * WORD
    sizes = np.concatenate([popcounts(rows), popcounts(others)])
    differing = np.floor((1 - settings.dice) * 2 * sizes + 1e-9).astype(np.int64)
    if not settings.every_pair:
        shown = _exact_sample(left, right, settings, 5)[1]
        differing = shown.astype(np.int64) if len(shown) >= _SHOWN else differing
    spread = np.bincount(
        np.concatenate([np.bitwise_count(row ^ others).sum(axis=1, dtype=np.int64) for row in rows]), minlength=bits + 1
    )
    distances = np.arange(bits + 1)
    pairs = len(left) * len(other) / (2 if right is None else 1)
    slot_bits = int(np.clip(np.ceil(np.log2(max(len(left), len(other)))) + 1, 4, 24))
    touched = len(left) + (0 if right is None else len(other))
    best = Tables(1, MOST_TABLES + 1, slot_bits, np.inf, np.inf)
    for sampled_bits in range(4, min(MOST_BITS, bits) + 1):
        tables = tables_needed(meeting_chance(bits, differing, sampled_bits), settings.recall, MOST_TABLES)
        if tables > MOST_TABLES:
            break
        met = pairs * (np.dot(spread, meeting_chance(bits, distances, sampled_bits)) / spread.sum() + 2.0**-slot_bits)
        cost = tables * (touched * _ROW_TIME + met * _PAIR_TIME)
        if cost < best.time:
            best = Tables(sampled_bits, tables, slot_bits, tables * met, cost)
    return best


def plan_if_cheaper(left: Filters, right: Filters | None, settings: Sampled) -> Tables | None:
    """The plan where bit sampling is expected to take less time than comparing every pair, else None."""
    other = left if right is None else right
    if not len(left) or not len(other) or left.shape[1] > _MOST_WORDS:
        return None
    plan = plan_tables(left, right, settings)
    pairs = len(left) * len(other) / (2 if right is None else 1)
    return plan if plan.time < pairs * _EXACT_TIME else None


def sampled(
    left: Filters,
    right: Filters | None,
    settings: Sampled,
    progress: Progress | None = None,
    plan: Tables | None = None,
) -> Candidates:
    """Pairs whose Dice similarity reaches the threshold and that meet in at least one table.

    left: (n, w); right: (m, w) or None for one file with itself. Progress counts tables. The same seed gives the
    same pairs whatever the number of threads. A crowded slot costs time in proportion to its pairs and no memory:
    work is cut by pairs, not by slots. Beyond the inputs a table needs 64 bytes a row for the copies.
    """
    began = time.perf_counter()
    plan = plan or plan_tables(left, right, settings)
    other = left if right is None else right
    compared, parts = 0, []
    with ThreadPoolExecutor(settings.threads or cores()) as pool:
        join = _Join(left, right, settings, plan, pool)
        for table in range(plan.tables):
            found, count = join.table(table)
            parts.extend(found)
            compared += count
            if progress:
                progress(table + 1, plan.tables)
    pairs = np.concatenate(parts, axis=1)
    parts.clear()
    codes = pairs[0].astype(np.int64) * len(other) + pairs[1]
    order = np.argsort(codes)
    codes, pairs = codes[order], pairs[:, order]
    check = _verify(left, right, settings, codes) if settings.sample else None
    possible = len(left) * (len(left) - 1) // 2 if right is None else len(left) * len(other)
    chosen_plan = {"bits": plan.bits, "tables": plan.tables, "expected_compared": plan.met}
    stats = SearchStats(possible, compared, time.perf_counter() - began, settings.recall, check, chosen_plan)
    return Candidates(pairs[0], pairs[1], pairs[2], stats)


class _Join:
    """The two files and their scratch space, table after table."""

    def __init__(
        self, left: Filters, right: Filters | None, settings: Sampled, plan: Tables, pool: ThreadPoolExecutor
    ) -> None:
        self._pool = pool
        self._within = right is None
        self._files = (left, left if right is None else right)
        self._need = shared_needed(left.shape[1] * WORD, settings.dice)
        self._tasks = _TASKS * (settings.threads or cores())
        self._positions = _positions(plan, left.shape[1], settings.seed)
        self._masks = np.zeros((plan.tables, left.shape[1]), np.uint64)
        for mask, chosen in zip(self._masks, self._positions, strict=True):
            np.bitwise_or.at(mask, chosen >> 6, np.uint64(1) << (chosen & 63).astype(np.uint64))
        self._sides = [_Side(left, plan.slot_bits)]
        if right is not None:
            self._sides.append(_Side(right, plan.slot_bits))

    def table(self, table: int) -> tuple[list[NDArray[np.int32]], int]:
        """Pairs first met in this table, (3, p) int32 parts, and the number of pairs compared."""
        positions = self._positions[table]
        sides = list(self._pool.map(lambda side: side.arrange(positions), self._sides))
        gathered = (sides[0][0], sides[-1][0])
        starts = (sides[0][1], sides[-1][1])
        capacity = max(_CAPACITY, int(np.diff(starts[1]).max(initial=0)))
        edges = np.empty(self._tasks + 1, np.int64)
        share_work(*starts, edges)

        def join(start: int, stop: int) -> tuple[list[NDArray[np.int32]], int]:
            buffer = np.empty((3, capacity), np.int32)
            parts, compared = [], 0
            while start < stop:
                pairs, start, count = join_block(
                    self._files,
                    gathered,
                    starts,
                    (start, stop),
                    self._within,
                    self._masks,
                    table,
                    self._need,
                    buffer,
                )
                parts.append(buffer[:, :pairs].copy())
                compared += count
            return parts, compared

        results = list(self._pool.map(join, edges[:-1].tolist(), edges[1:].tolist()))
        return [part for parts, _ in results for part in parts], sum(count for _, count in results)


class _Side:
    """One file, and the part of it that is copied into slot order."""

    def __init__(self, filters: Filters, slot_bits: int) -> None:
        first = min(_FIRST, (filters.shape[1] + 1) // 2)
        self._filters = filters
        self._sizes = (popcounts(filters) << 16 | popcounts(filters[:, first:])).astype(np.uint32)
        self._slots = np.empty(len(filters), np.uint32)
        self._slot_bits = slot_bits
        self._starts = np.empty((1 << slot_bits) + 1, np.int64)
        self._order, self._scratch = (np.empty(len(filters), np.int32) for _ in range(2))
        self._gathered = np.empty((len(filters), first + 1), np.uint64)

    def arrange(self, positions: NDArray[np.int64]) -> tuple[Filters, NDArray[np.int64]]:
        """First words and sizes in order of the slots of these sampled bits, and where each slot starts."""
        sampled_slots(self._filters, positions, 64 - self._slot_bits, self._slots)
        slot_order(self._slots, self._slot_bits, self._order, self._scratch)
        gather(self._filters, self._sizes, self._slots, self._order, self._starts, self._gathered)
        return self._gathered, self._starts


def _positions(plan: Tables, words: int, seed: int) -> list[NDArray[np.int64]]:
    """Sampled bits of every table, each drawn without replacement, tables independent of one another."""
    rng = np.random.default_rng([seed, 3])
    return [rng.choice(words * WORD, plan.bits, replace=False).astype(np.int64) for _ in range(plan.tables)]


def _verify(left: Filters, right: Filters | None, settings: Sampled, codes: NDArray[np.int64]) -> Verified:
    """Search a random sample of left rows exactly, and count how many of their pairs were found."""
    return verified(_exact_sample(left, right, settings, 4)[0], codes)


def _exact_sample(
    left: Filters, right: Filters | None, settings: Sampled, stream: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Pair codes left * len(right) + right and distances of all pairs of a random sample of left rows.

    stream: samples with different numbers are drawn independently.
    """
    other = left if right is None else right
    rng = np.random.default_rng([settings.seed, stream])
    rows = np.sort(rng.choice(len(left), min(settings.sample, len(left)), replace=False))
    exact = above(left[rows], other, Above(settings.dice, settings.threads))
    row, partner, distances = rows[exact.left], exact.right.astype(np.int64), exact.distances
    if right is None:
        proper = row != partner
        row, partner, distances = row[proper], partner[proper], distances[proper]
        row, partner = np.minimum(row, partner), np.maximum(row, partner)
    codes, where = np.unique(row * len(other) + partner, return_index=True)
    return codes, distances[where]
