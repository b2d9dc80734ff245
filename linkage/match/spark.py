"""The candidate search on a Spark cluster: the same kernels, the same pairs.

Filters come in, candidate pairs go out, as in search.py. Both files are cut into blocks, one side's are spread over
tasks, the other's sent to every machine, and where two blocks meet they are searched as two small files. Rule: how
the files are cut may change the time and never the pairs, so what follows only ranks or joins what meetings found.

Bit sampling is an equality join on (table, sampled bits), made as a broadcast join: its tables are drawn once, from
the seed, so that a pair meets among blocks exactly where it meets in whole files, and inside a task the local join
reads them off one after another. A join with a shuffle would move every row once a table (docs/scale.md has both).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from linkage.match.candidates import (
    Above,
    Candidates,
    Engine,
    Filters,
    Nearest,
    Progress,
    Sampled,
    SearchStats,
    Settings,
)
from linkage.match.exact import checked_on_sample, first_look, nearest
from linkage.match.kept import Found, nearest_of_either
from linkage.match.look import Look
from linkage.match.lsh import Tables, check_sample, plan_if_cheaper, sampled
from linkage.match.search import local

BLOCK_BYTES = 16 << 20  # each core holds some copies of two blocks, in Java, Arrow and Python
WAVE_BYTES = 128 << 20  # of a side, sent to the cluster or fetched from it at a time: what Java's heap must bear
_TASKS = 3  # per core and wave, so that no core waits long for another
_FEWEST = 64  # rows of a block: turning the tiles that meet it then costs a fifteenth of the meeting


@contextmanager
def on_spark(master: str | None = None) -> Iterator[Engine]:
    """An engine for find_candidates that runs on Spark; see spark_session for master and errors."""
    from linkage.match.spark_session import session

    with session(master) as spark:

        def engine(
            left: Filters, right: Filters | None, settings: Settings, progress: Progress | None = None
        ) -> Candidates:
            return search(spark, left, right, settings, progress)

        yield engine


def search(
    spark: Any, left: Filters, right: Filters | None, settings: Settings, progress: Progress | None = None
) -> Candidates:
    """The pairs the local engine finds, found by a cluster; arguments as find_candidates, progress in waves.

    One file with itself, an agency's own business, is searched on this machine.
    """
    if right is None or not len(left) or not len(right):
        return local(left, right, settings, progress)
    began = time.perf_counter()
    plan = plan_if_cheaper(left, right, settings) if isinstance(settings, Sampled) else None
    look = first_look(left, right, settings) if isinstance(settings, Nearest) else None
    meeting = Meeting.of(settings, plan, look)
    found, compared = _meet_all(spark, left, right, meeting, progress)
    recall, check, facts = 1.0, None, {"waves": float(compared[1])}
    if plan and isinstance(settings, Sampled):
        recall = settings.recall
        facts |= {"bits": plan.bits, "tables": plan.tables, "expected_compared": plan.met}
        codes = found[0].astype(np.int64) * len(right) + found[1]
        check = check_sample(left, right, settings, codes)
    if look and isinstance(settings, Nearest) and settings.recall < 1 and look.drops(left.shape[1]):
        recall = settings.recall
        facts |= {"first_words": look.words, "first_bits": look.limit}
        if settings.sample:
            codes = found[0].astype(np.int64) * len(right) + found[1]
            check = checked_on_sample(left, right, settings, codes)
    seconds = time.perf_counter() - began
    stats = SearchStats(len(left) * len(right), compared[0], seconds, recall, check, facts)
    return Candidates(found[0], found[1], found[2], stats)


@dataclass(frozen=True)
class Meeting:
    """What two blocks do when they meet, and what becomes of the pairs of many meetings. Travels to the tasks."""

    settings: Settings
    plan: Tables | None
    look: Look | None = None

    @classmethod
    def of(cls, settings: Settings, plan: Tables | None, look: Look | None) -> Meeting:
        """The search each task is asked for, by the tables or the first look of the whole files; on its one core."""
        if isinstance(settings, Nearest):
            return cls(replace(settings, sample=0, threads=1), None, look)
        if isinstance(settings, Sampled) and plan:
            return cls(replace(settings, sample=0, threads=1), plan)
        return cls(Above(settings.dice, threads=1, keep=settings.keep), None)

    def pairs(self, left: Filters, right: Filters) -> Candidates:
        """Pairs of two blocks, rows counted from the start of each."""
        if self.plan and isinstance(self.settings, Sampled):
            # Slots only sort rows that may meet; how many there are does not change what meets.
            slot_bits = math.ceil(math.log2(max(len(left), len(right)))) + 1
            plan = replace(self.plan, slot_bits=min(max(slot_bits, 4), self.plan.slot_bits))
            return sampled(left, right, self.settings, plan=plan)
        if isinstance(self.settings, Nearest):
            return nearest(left, right, self.settings, look=self.look)
        return local(left, right, self.settings)

    def merge(self, parts: list[Found]) -> Found:
        """The pairs of several meetings that the whole search keeps, as far as these meetings can tell.

        A left row's k nearest are among the k nearest of each block it met; ties go to the lower row, as in the kernel.
        """
        found = np.concatenate(parts, axis=1)
        if not isinstance(self.settings, Nearest):
            return nearest_of_either(found, self.settings.keep)
        found = found[:, np.lexsort((found[1], found[2], found[0]))]
        rank = np.arange(found.shape[1]) - np.searchsorted(found[0], found[0])
        return found[:, rank < self.settings.keep]


@dataclass(frozen=True)
class Cut:
    """Rows of a block and of a wave, of the side that is spread over tasks and of the one that all machines get."""

    spread_block: int
    spread_wave: int
    shared_block: int
    shared_wave: int


def cut(spread: Filters, cores: int) -> Cut:
    """How to cut two files, one of them spread over so many cores: some blocks for each, none and no wave too large."""
    block = max(_FEWEST, BLOCK_BYTES // spread[:1].nbytes)
    wave = max(block, WAVE_BYTES // spread[:1].nbytes)
    share = max(_FEWEST, -(-min(len(spread), wave) // (cores * _TASKS)))
    return Cut(min(block, share), wave, block, wave)


def _meet_all(
    spark: Any, left: Filters, right: Filters, meeting: Meeting, progress: Progress | None
) -> tuple[Found, tuple[int, int]]:
    """What the search keeps of all meetings, with the pairs compared and the number of waves.

    The nearest are ranked where they are found: with its own side spread, a row leaves one list behind. So lists of
    both sides take two passes, which beats a list from every task for every row of the other side. Bit sampling
    sorts both blocks at every meeting: the longer side is spread.
    """
    cores = spark.sparkContext.defaultParallelism
    passes, turned = [(left, right, False)], [(right, left, True)]
    if not isinstance(meeting.settings, Nearest):
        passes = turned if len(right) > len(left) else passes
    elif meeting.settings.both_sides:
        meeting = replace(meeting, settings=replace(meeting.settings, both_sides=False))
        passes += turned
    jobs = []
    for spread, shared, is_turned in passes:
        sizes = cut(spread, cores)
        for start in range(0, len(spread), sizes.spread_wave):
            jobs += [(spread, shared, is_turned, sizes, start, j) for j in range(0, len(shared), sizes.shared_wave)]
    compared = spark.sparkContext.accumulator(0)
    task = _task(meeting, left.shape[1], compared)
    nobody = np.empty((3, 0), np.int32)
    parts, wave = [], nobody
    for nth, (spread, shared, is_turned, sizes, start, j) in enumerate(jobs):
        wave = meeting.merge([wave if j else nobody, *_wave(spark, spread, shared, sizes, (start, j), task)])
        if j + sizes.shared_wave >= len(shared):
            parts.append(wave[[1, 0, 2]] if is_turned else wave)
        if progress:
            progress(nth + 1, len(jobs))
    found = np.concatenate(parts, axis=1)
    if not isinstance(meeting.settings, Nearest):
        found = nearest_of_either(found, meeting.settings.keep)
    _, first = np.unique(found[0].astype(np.int64) * len(right) + found[1], return_index=True)
    return found[:, first], (compared.value, len(jobs))


def _wave(
    spark: Any, spread: Filters, shared: Filters, sizes: Cut, starts: tuple[int, int], task: Callable[..., Any]
) -> list[Found]:
    """Pairs of one wave of each side, a part for each task."""
    from pyspark.sql.functions import broadcast

    ours = _blocks(spark, spread, (starts[0], starts[0] + sizes.spread_wave), sizes.spread_block, ("i", "left"))
    theirs = _blocks(spark, shared, (starts[1], starts[1] + sizes.shared_wave), sizes.shared_block, ("j", "right"))
    # One cell for all pairs of a task: with one meeting to a batch, each row would travel as a batch of its own.
    tiles = ours.crossJoin(broadcast(theirs)).mapInArrow(task, "found binary")
    return [np.frombuffer(cell, np.int32).reshape(3, -1) for cell in tiles.toArrow().column("found").to_pylist()]


def _blocks(spark: Any, filters: Filters, rows: tuple[int, int], block: int, names: tuple[str, str]) -> Any:
    """A frame with one row, and one part, for each block: the number of its first row, and its filters as bytes."""
    import pyarrow as pa

    stop = min(rows[1], len(filters))
    starts = range(rows[0], stop, block)
    cells = [filters[start : min(start + block, stop)].tobytes() for start in starts]
    table = pa.table({names[0]: pa.array(starts, pa.int64()), names[1]: pa.array(cells, pa.binary())})
    return spark.createDataFrame(table)


def _task(meeting: Meeting, words: int, compared: Any) -> Callable[[Iterator[Any]], Iterator[Any]]:
    """The function that runs in a task: blocks come in as Arrow batches, merged pairs go out as bytes."""

    def run(batches: Iterator[Any]) -> Iterator[Any]:
        import pyarrow as pa

        found = np.empty((3, 0), np.int32)
        for batch in batches:
            for one in batch.to_pylist():
                left, right = (np.frombuffer(one[side], np.uint64).reshape(-1, words) for side in ("left", "right"))
                pairs = meeting.pairs(left, right)
                compared.add(pairs.stats.compared)
                part = np.stack([pairs.left + one["i"], pairs.right + one["j"], pairs.distances]).astype(np.int32)
                found = meeting.merge([found, part])
        yield pa.RecordBatch.from_arrays([pa.array([found.tobytes()], pa.binary())], ["found"])

    return run
