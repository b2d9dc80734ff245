"""What a candidate search is asked for, and what it gives back.

Settings, results and their account; no search here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from linkage.errors import ShapeError, UsageProblemError
from linkage.model import Pairs

Filters = NDArray[np.uint64]
"""(n, w) uint64: one packed filter a row, w words of 64 bits."""

Progress = Callable[[int, int], None]
"""Told (done, total) now and then, in units of the search's own."""

MOST_WORDS = 4096
MOST_ROWS = 2**31 - 1


@dataclass(frozen=True)
class Nearest:
    """The k nearest rows by Hamming distance: for hardened filters, where only the ranking means something.

    keep: rows kept per left row (k). both_sides: also the k nearest left rows of every right row.
    furthest: share of bits in which a candidate may differ at most; 1 sets no limit.
    recall: 1 is exact; less lets the search drop pairs after a first look (see look.py), so that this share of the
    pairs asked for is found, strangers at the far end of the lists sooner lost than a near row. sample: rows per side
    that are searched exactly, to choose that look and, others, to check the result. threads: 0 takes every core.
    """

    keep: int = 10
    both_sides: bool = True
    furthest: float = 1.0
    recall: float = 1.0
    sample: int = 200
    seed: int = 0
    threads: int = 0

    def __post_init__(self) -> None:
        _check("keep", 1 <= self.keep <= 10_000, "from 1 to 10,000")
        _check("furthest", 0 <= self.furthest <= 1, "from 0 to 1")
        _check("recall", 0.5 <= self.recall <= 1, "from 0.5 to 1")
        _check("sample", self.sample >= 0, "0 or more")


@dataclass(frozen=True)
class Above:
    """Every pair whose Dice similarity reaches `dice`: for plain filters. Exact.

    keep: of those, the pairs that are among so many nearest of one of their rows; None: all. It bounds memory.
    """

    dice: float = 0.8
    threads: int = 0
    keep: int | None = None

    def __post_init__(self) -> None:
        _check("dice", 0 < self.dice <= 1, "above 0, up to 1")
        _check("keep", self.keep is None or self.keep >= 1, "1 or more")


@dataclass(frozen=True)
class Sampled:
    """Pairs whose Dice similarity reaches `dice`, by bit sampling: for many rows of plain filters.

    recall: with every_pair, the chance of finding a pair that just reaches the threshold, the hardest there is;
    without, the share of all pairs found, most of which lie well above it: several times faster. sample: left rows
    whose result is checked exactly. keep: as in Above. Where bit sampling would take longer than the exact search,
    that is run instead.
    """

    dice: float = 0.8
    recall: float = 0.999
    every_pair: bool = True
    sample: int = 1000
    seed: int = 0
    threads: int = 0
    keep: int | None = None

    def __post_init__(self) -> None:
        _check("dice", 0 < self.dice <= 1, "above 0, up to 1")
        _check("recall", 0.5 <= self.recall < 1, "from 0.5 to below 1")
        _check("keep", self.keep is None or self.keep >= 1, "1 or more")
        _check("sample", self.sample >= 0, "0 or more")


Settings = Nearest | Above | Sampled


@dataclass(frozen=True)
class Verified:
    """What a random sample of rows showed: of `expected` pairs an exact search gives, `found` were found.

    low, high: 95 % Wilson interval of the recall.
    """

    expected: int
    found: int
    low: float
    high: float

    @property
    def recall(self) -> float:
        """Share found; 1 where nothing was to be found."""
        return self.found / self.expected if self.expected else 1.0


@dataclass(frozen=True)
class SearchStats:
    """Account of one search.

    possible: pairs there are. compared: pairs of filters looked at, however briefly. stated_recall: what was
    promised per pair. verified: what a sample showed, None where the search is exact. plan: choices made, by name.
    """

    possible: int
    compared: int
    seconds: float
    stated_recall: float
    verified: Verified | None = None
    plan: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, repr=False)
class Candidates(Pairs):
    """Candidate pairs in order of left, then right row; within one file left < right.

    distances: (m,) int32, bits in which the two filters differ.
    """

    distances: NDArray[np.int32]
    stats: SearchStats

    def __repr__(self) -> str:
        return f"Candidates({len(self)})"


Engine = Callable[[Filters, Filters | None, Settings, Progress | None], Candidates]
"""Does the work of find_candidates, somewhere."""


def checked(filters: Filters) -> Filters:
    """The filters, contiguous; raises ShapeError unless they are (n, w) uint64 of a bearable size."""
    if filters.ndim != 2 or filters.dtype != np.uint64:
        raise ShapeError(f"filters must be two-dimensional uint64, not {filters.ndim}-dimensional {filters.dtype}")
    if not 1 <= filters.shape[1] <= MOST_WORDS or filters.shape[0] > MOST_ROWS:
        raise ShapeError(f"filters of shape {filters.shape} are not supported")
    return np.ascontiguousarray(filters)


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _check(name: str, holds: bool, allowed: str) -> None:
    if not holds:
        raise UsageProblemError(f"search setting '{name}' must be {allowed}")
