"""What a search will ask of this machine, told before it begins.

Filters and settings come in; pairs, seconds and bytes to expect go out. Rule: what follows from the settings is
counted, the rest is measured on a few of these very rows with the kernels that will run. A figure is meant to be right
within a factor of two.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from linkage.match.candidates import Above, Candidates, Filters, Nearest, Sampled, Settings, cores
from linkage.match.search import local

# Bytes by what they are for, from the largest sum of arrays alive at once; tests measure them again.
_LISTED, _PAIRED = 46, 55  # a place in a list of nearest, and a pair that comes of it
_ROW, _SLOT, _MET = 80, 16, 52  # a row arranged for a table, a slot of both files, a pair found by sampling
_PLANNING, _BUFFER = 17_000_000, 3_200_000  # distances of sampled strangers; what one thread writes pairs to
_COUNTED, _ABOVE, _TILES = 32, 24, 1_600_000  # comparing all: a row whose bits are counted, a pair, a thread
_LOOKED = 32 * 512 * 17  # a word of the pairs by which the nearest search chooses its first look
_MERGED, _JAVA = 80, 2 << 30  # with Spark: a pair while lists are merged, and Java's heap with the waves in it
_SAMPLE_PAIRS = 1 << 25  # pairs of filters a sample may cost, well under a second
_SAMPLE_ROWS = 256
_TABLES_TIMED = 2
_TABLE_ROWS = 100_000


@dataclass(frozen=True)
class Estimate:
    """What one search is expected to take.

    compared: pairs of filters looked at. pairs: candidate pairs found. memory: bytes beyond the filters themselves.
    seconds: on this machine's cores when nothing else runs; None where it was not asked for.
    """

    compared: int
    pairs: int
    memory: int
    seconds: float | None

    @property
    def on_spark(self) -> int:
        """Bytes this machine needs where a cluster searches."""
        return _JAVA + _MERGED * self.pairs


def estimate(left: Filters, right: Filters, settings: Settings, *, timed: bool = True) -> Estimate:
    """What find_candidates(left, right, settings) will look at, find, hold and take; a second or two's work, timed."""
    if not len(left) or not len(right):
        return Estimate(0, 0, 0, 0.0 if timed else None)
    if isinstance(settings, Nearest):
        return _nearest(left, right, settings, timed=timed)
    return _alike(left, right, settings, timed=timed)


def _nearest(left: Filters, right: Filters, settings: Nearest, *, timed: bool) -> Estimate:
    from linkage.match.exact import first_look, nearest  # loads numba

    possible = len(left) * len(right)
    ours = len(left) * min(settings.keep, len(right))
    theirs = len(right) * min(settings.keep, len(left)) if settings.both_sides else 0
    # The union of both sides' lists lies between the longer of them and their sum: the middle is 1.42 off at most.
    pairs = int(np.sqrt(max(ours, theirs) * (ours + theirs)))
    memory = max(_LISTED * (ours + theirs) + _PAIRED * pairs, _LOOKED * left.shape[1])
    if not timed:
        return Estimate(possible, pairs, memory, None)
    rng = np.random.default_rng(0)
    rows = left[rng.choice(len(left), min(len(left), _SAMPLE_ROWS), replace=False)]
    others = right[rng.choice(len(right), min(len(right), _SAMPLE_PAIRS // _SAMPLE_ROWS), replace=False)]
    one = replace(settings, both_sides=False, sample=0, threads=1)
    look = first_look(left, right, settings)
    nearest(rows[:1], others[:1], one, look=look)  # compiles
    began = time.perf_counter()
    nearest(rows, others, one, look=look)
    each = (time.perf_counter() - began) / (len(rows) * len(others))
    return Estimate(possible, pairs, memory, each * possible / _threads(settings))


def _alike(left: Filters, right: Filters, settings: Above | Sampled, *, timed: bool) -> Estimate:
    from linkage.match.lsh import modelled_time, plan_if_cheaper, sampled

    possible, threads = len(left) * len(right), _threads(settings)
    rng = np.random.default_rng(0)
    sample = left[rng.choice(len(left), min(len(left), max(_SAMPLE_PAIRS // len(right), 64)), replace=False)]
    every = Above(settings.dice, threads=1)
    seconds, shown = _clock(sample, right, every)
    pairs = -(-len(shown) * len(left) // len(sample))
    if settings.keep is not None:
        pairs = min(pairs, settings.keep * (len(left) + len(right)))
    each = seconds / (len(sample) * len(right))
    plan = plan_if_cheaper(left, right, settings) if isinstance(settings, Sampled) else None
    if plan is None or isinstance(settings, Above):
        memory = _COUNTED * (len(left) + len(right)) + _ABOVE * pairs + _TILES * threads
        return Estimate(possible, pairs, memory, each * possible / threads if timed else None)
    memory = _ROW * (len(left) + len(right)) + _SLOT * 2**plan.slot_bits + _MET * pairs + _BUFFER * threads
    told = Estimate(int(plan.met), pairs, max(memory, _PLANNING), None)
    if not timed:
        return told
    few, others = left[:_TABLE_ROWS], right[:_TABLE_ROWS]
    share = len(few) * len(others) / possible
    tables = min(_TABLES_TIMED, plan.tables)
    short = replace(plan, tables=tables, met=plan.met * share * tables / plan.tables)
    began = time.perf_counter()
    sampled(few, others, replace(settings, sample=0), plan=short)
    ratio = (time.perf_counter() - began) / modelled_time(short, len(few) + len(others))
    checked = min(settings.sample, len(left)) * len(right) * each / threads
    return replace(told, seconds=float(ratio * plan.time + checked))


def _clock(left: Filters, right: Filters, settings: Settings) -> tuple[float, Candidates]:
    """Seconds and result of a search, its code compiled and loaded before."""
    local(left[:1], right[:1], settings)
    began = time.perf_counter()
    found = local(left, right, settings)
    return time.perf_counter() - began, found


def _threads(settings: Settings) -> int:
    return settings.threads or cores()
