"""Bit sampling with a stated recall: the sub-quadratic search for plain filters.

Filters come in, pairs above a Dice threshold go out. Rule: how many bits and tables is computed from the run's own
set bits, threshold and spread of distances; what was promised is checked on a random sample of rows.
Sources: Indyk & Motwani 1998, bit sampling for Hamming distance; Joag-Dev & Proschan 1983 for tables cut from one
shuffle; Manegold, Boncz & Kersten 2002 for joins in parts that fit a cache.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from linkage.match.candidates import Above, Candidates, Filters, Progress, Sampled, SearchStats, Verified, cores
from linkage.match.kept import Kept, ranks
from linkage.match.kernels_lsh import BLOCK, join_table, part_rows, sampled_slots, sketched, turn_bits
from linkage.match.recall import WORD, differing_limits, meeting_chance, shared_needed, tables_needed, verified
from linkage.match.threshold import above, popcounts

MOST_TABLES = 512
MOST_BITS = 60
_SPREAD = 1024  # rows of each file whose pairs show how often strangers meet
_SHOWN = 100  # pairs a sample must show before their distances speak for the file
# Relative times, measured with 16 words: one row keyed and put in its part for one table; one pair met; one pair in
# the exact search.
_ROW_TIME, _PAIR_TIME, _EXACT_TIME = 20.0, 3.0, 2.5
_SKETCH = 192  # bits of the first look; with its tag an entry is half a line of cache
_SKETCH_SHARE = 0.05  # of the pairs that may be lost, the part that the first look may lose
_MOST_WORDS = 1023  # set bits are kept in 16 bits
_PART_BITS = 11  # rows of a part, about 2**11 of 32 bytes, stay in a second-level cache
_TURNED_ROWS = 1 << 16
_TABLE_BYTES = 36  # a row and table: its slot and its entry
_SCRATCH_BYTES = 1 << 31  # for tables under way at once, or as much as the files take if that is more


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
    recall = settings.recall + _SKETCH_SHARE * (1 - settings.recall)
    best = Tables(1, MOST_TABLES + 1, slot_bits, np.inf, np.inf)
    for sampled_bits in range(4, min(MOST_BITS, bits) + 1):
        tables = tables_needed(meeting_chance(bits, differing, sampled_bits), recall, MOST_TABLES)
        if tables > MOST_TABLES:
            break
        met = pairs * (np.dot(spread, meeting_chance(bits, distances, sampled_bits)) / spread.sum() + 2.0**-slot_bits)
        choice = Tables(sampled_bits, tables, slot_bits, tables * met, 0)
        cost = modelled_time(choice, touched)
        if cost < best.time:
            best = replace(choice, time=cost)
    return best


def modelled_time(plan: Tables, rows: int) -> float:
    """Time the tables take for so many rows of both files, in the unit of Tables.time."""
    return plan.tables * rows * _ROW_TIME + plan.met * _PAIR_TIME


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
    same pairs whatever the number of threads. A crowded slot costs time in proportion to its pairs and no memory.
    Beyond the inputs there are a copy of them turned on its side, 28 bytes a row, and 36 for each thread; and pairs
    found, which `keep` bounds.
    """
    began = time.perf_counter()
    plan = plan or plan_tables(left, right, settings)
    other = left if right is None else right
    compared, kept = 0, Kept(settings.keep, within=right is None)
    scratch = _TABLE_BYTES * (len(left) + (0 if right is None else len(other)))
    most = max(_SCRATCH_BYTES, left.nbytes + other.nbytes) // max(1, scratch)
    with ThreadPoolExecutor(max(1, min(settings.threads or cores(), most, plan.tables))) as pool:
        join = _Join(left, right, settings, plan, pool)
        for table, (found, count) in enumerate(pool.map(join.table, range(plan.tables))):
            kept.add(found)
            compared += count
            if progress:
                progress(table + 1, plan.tables)
    pairs = kept.pairs()
    codes = pairs[0].astype(np.int64) * len(other) + pairs[1]
    order = np.argsort(codes)
    codes, pairs = codes[order], pairs[:, order]
    check = check_sample(left, right, settings, codes) if settings.sample else None
    possible = len(left) * (len(left) - 1) // 2 if right is None else len(left) * len(other)
    chosen_plan = {"bits": plan.bits, "tables": plan.tables, "expected_compared": plan.met}
    stats = SearchStats(possible, compared, time.perf_counter() - began, settings.recall, check, chosen_plan)
    return Candidates(pairs[0], pairs[1], pairs[2], stats)


class _Join:
    """The two files as bit sampling needs them; every table is a task of its own."""

    def __init__(
        self, left: Filters, right: Filters | None, settings: Sampled, plan: Tables, pool: ThreadPoolExecutor
    ) -> None:
        words = left.shape[1]
        bits = words * WORD
        self._within = right is None
        self._files = (left, left if right is None else right)
        self._need = shared_needed(bits, settings.dice)
        self._slot_bits, self._low_bits = plan.slot_bits, min(_PART_BITS, plan.slot_bits)
        shuffles = _shuffles(plan, bits, settings.seed)
        self._positions = _positions(plan, shuffles)
        self._masks = np.zeros((plan.tables, words), np.uint64)
        for mask, chosen in zip(self._masks, self._positions, strict=True):
            np.bitwise_or.at(mask, chosen >> 6, np.uint64(1) << (chosen & 63).astype(np.uint64))
        looked = shuffles[0][:_SKETCH]
        self._shown = _shown(plan, len(looked))
        risk = _SKETCH_SHARE * (1 - settings.recall)
        furthest = np.clip(np.arange(2 * bits + 1) - 2 * self._need, 0, bits)
        self._limits = differing_limits(bits, len(looked), furthest, risk)
        self._sides = [_Side(file, looked, pool) for file in self._files[: 1 if self._within else 2]]
        self._scratch = threading.local()

    def table(self, table: int) -> tuple[NDArray[np.int32], int]:
        """Pairs first met in this table, (3, p) int32, and the number of pairs compared."""
        spaces = self._spaces()
        for side, (slots, starts, entries) in zip(self._sides, spaces, strict=True):
            sampled_slots(side.columns, self._positions[table], 64 - self._slot_bits, slots)
            part_rows(slots, side.sizes, side.sketches, self._low_bits, starts, entries)
        found, compared = join_table(
            self._files,
            (spaces[0][2], spaces[-1][2]),
            (spaces[0][1], spaces[-1][1]),
            self._within,
            self._low_bits,
            self._limits,
            self._shown,
            self._masks,
            table,
            self._need,
        )
        return found, compared

    def _spaces(self) -> list[tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.uint64]]]:
        """This thread's own slots, starts and entries, of each side."""
        if not hasattr(self._scratch, "spaces"):
            parts = 1 << (self._slot_bits - self._low_bits)
            self._scratch.spaces = [
                (np.empty(rows, np.uint32), np.empty(parts + 1, np.int64), np.empty((rows, 4), np.uint64))
                for rows in (len(side.sizes) for side in self._sides)
            ]
        return list(self._scratch.spaces)


class _Side:
    """One file turned on its side, with the first look at every row and its set bits."""

    def __init__(self, filters: Filters, looked: NDArray[np.int64], pool: ThreadPoolExecutor) -> None:
        rows, words = filters.shape
        self.sizes = popcounts(filters).astype(np.uint32)
        self.columns = np.empty((words * WORD, -(-rows // BLOCK)), np.uint64)
        starts = range(0, rows, _TURNED_ROWS)
        list(pool.map(lambda s: turn_bits(filters, s, min(s + _TURNED_ROWS, rows), self.columns), starts))
        self.sketches = np.zeros((rows, 3), np.uint64)
        sketched(self.columns, looked, self.sketches)


def _shuffles(plan: Tables, bits: int, seed: int) -> list[NDArray[np.int64]]:
    """As many shuffles of all bits as the tables are cut from."""
    rng = np.random.default_rng([seed, 3])
    return [rng.permutation(bits).astype(np.int64) for _ in range(-(-plan.tables // (bits // plan.bits)))]


def _positions(plan: Tables, shuffles: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
    """Sampled bits of every table, cut from the shuffles one behind the other.

    Tables of one shuffle share no bit. The numbers of bits in which two filters differ in each are then negatively
    associated, so that the chance of differing in all of them is at most that of independent tables.
    """
    cuts = [
        shuffle[start : start + plan.bits]
        for shuffle in shuffles
        for start in range(0, len(shuffle) - plan.bits + 1, plan.bits)
    ]
    return cuts[: plan.tables]


def _shown(plan: Tables, looked: int) -> NDArray[np.uint64]:
    """The part of the first look that each of the first tables samples, (t, 3), for those that lie wholly in it."""
    within = min(plan.tables, looked // plan.bits)
    shown = np.zeros((within, 3), np.uint64)
    for place in range(within * plan.bits):
        shown[place // plan.bits, place >> 6] |= np.uint64(1) << np.uint64(place & 63)
    return shown


def check_sample(left: Filters, right: Filters | None, settings: Sampled, codes: NDArray[np.int64]) -> Verified:
    """Search a random sample of left rows exactly, and count how many of their pairs were found."""
    return verified(_exact_sample(left, right, settings, 4)[0], codes)


def _exact_sample(
    left: Filters, right: Filters | None, settings: Sampled, stream: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Pair codes left * len(right) + right and distances of the pairs to be kept of a random sample of left rows.

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
    if settings.keep is not None:
        near = ranks(row, distances, partner) < settings.keep
        row, partner, distances = row[near], partner[near], distances[near]
    if right is None:
        row, partner = np.minimum(row, partner), np.maximum(row, partner)
    codes, where = np.unique(row * len(other) + partner, return_index=True)
    return codes, distances[where]
