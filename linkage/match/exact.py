"""Best k by Hamming distance, every pair looked at: the search for hardened filters.

Filters come in, each row's nearest rows go out. Rule: what is found depends on the filters and settings alone: the
work is a fixed grid of tiles walked in a fixed order, and tiles that run at once share no row.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from linkage.match.candidates import Candidates, Filters, Nearest, Progress, SearchStats, Verified, cores
from linkage.match.kernels import ROW_BITS
from linkage.match.kernels_nearest import nearest_block
from linkage.match.look import STEP, Look, exact_look, lossy_look
from linkage.match.recall import WORD, verified

GROUP = 256  # fewest rows a side of a grid tile has, so that turning tiles costs little
MOST_GROUPS = 256
_ROW = (1 << ROW_BITS) - 1
Tile = tuple[int, int]


def nearest(
    left: Filters,
    right: Filters | None,
    settings: Nearest,
    progress: Progress | None = None,
    look: Look | None = None,
) -> Candidates:
    """Union of every left row's k nearest right rows and, with both_sides, every right row's k nearest left rows.

    left: (n, w); right: (m, w) or None for one file with itself, where every row has its k nearest others. Equal
    distances are ordered by row number. See Nearest for limits and recall; distances beyond `furthest` never count.
    look: where these are blocks of larger files, what first_look said of those.
    """
    began = time.perf_counter()
    within = right is None
    other = left if right is None else right
    furthest = int(settings.furthest * left.shape[1] * WORD + 1e-9)
    look = look or first_look(left, right, settings)
    worst = (furthest + 1) << ROW_BITS  # stands for nobody: a key must be smaller to enter a list
    best = _search(left, right, settings, worst, look, progress=progress)
    width = max(1, len(other))
    codes, distances = _union(best, worst, width, within)
    lossy = settings.recall < 1 and look.drops(left.shape[1])
    check = checked_on_sample(left, right, settings, codes) if lossy and settings.sample else None
    possible = len(left) * (len(left) - 1) // 2 if within else len(left) * len(other)
    stats = SearchStats(
        possible,
        possible,
        time.perf_counter() - began,
        settings.recall if lossy else 1.0,
        check,
        {"first_words": look.words, "first_bits": look.limit, "furthest_bits": furthest},
    )
    return Candidates((codes // width).astype(np.int32), (codes % width).astype(np.int32), distances, stats)


def first_look(left: Filters, right: Filters | None, settings: Nearest) -> Look:
    """The first look of a search, chosen on random samples; speed depends on it, and recall below 1.

    Strangers, 32 x 512 pairs, say how many would go on after it. With recall 1 the lists are taken to reach the tail
    of these (as a normal law), else some rows are searched exactly.
    """
    other = left if right is None else right
    words = left.shape[1]
    if words <= STEP or not len(left) or not len(other):
        return Look(words, WORD * words)
    rng = np.random.default_rng(settings.seed)
    rows = left[rng.integers(len(left), size=min(len(left), 32))]
    others = other[rng.integers(len(other), size=min(len(other), 512))]
    running = _running((rows[:, None] ^ others[None]).reshape(-1, left.shape[1]))
    if settings.recall < 1:
        wanted = _exact(left, right, settings, 2)
        pairs = left[wanted // len(other)] ^ other[wanted % len(other)]
        return lossy_look(running, _running(pairs), settings.recall)
    share = settings.keep / min(len(left), len(other)) if settings.both_sides else settings.keep / len(other)
    tail = NormalDist().inv_cdf(max(1e-9, 1 - min(share, 0.5)))
    expected = running[:, -1].mean() - tail * running[:, -1].std()
    return exact_look(running, int(min(settings.furthest * left.shape[1] * WORD, max(expected, 0))))


def _running(differing: Filters) -> NDArray[np.int64]:
    """Set bits of the first word, of the first two and so on of each row."""
    return np.cumsum(np.bitwise_count(differing), axis=1, dtype=np.int64)


def _search(
    left: Filters, right: Filters | None, settings: Nearest, worst: int, look: Look, *, progress: Progress | None
) -> list[NDArray[np.int64]]:
    """Best lists (n, k) and, where asked for and the files differ, (m, k): ascending keys distance << 32 | row."""
    within = right is None
    other = left if right is None else right
    best_left = np.full((len(left), settings.keep), worst, np.int64)
    both = within or settings.both_sides
    best_right = best_left if within else np.full((len(other) if both else 1, settings.keep), worst, np.int64)
    groups = max(1, min(MOST_GROUPS, min(len(left), len(other)) // GROUP))
    edges_left = [len(left) * g // groups for g in range(groups + 1)]
    edges_right = [len(other) * g // groups for g in range(groups + 1)]

    def work(tile: Tile) -> int:
        g, h = tile
        span = (edges_left[g], edges_left[g + 1], edges_right[h], edges_right[h + 1])
        sides = int(both) + 2 * int(within)
        nearest_block(left, other, span, best_left, best_right, sides, look.words, look.limit)
        return (span[1] - span[0]) * (span[3] - span[2])

    done = 0
    steps = _tournament(groups) if within else _latin_square(groups)
    total = len(left) * (len(left) + len(left) // groups) // 2 if within else len(left) * len(other)
    with ThreadPoolExecutor(settings.threads or cores()) as pool:
        for step in steps:
            done += sum(pool.map(work, step))
            if progress:
                progress(min(done, total), total)
    if progress:
        progress(total, total)
    return [best_left] if within or not both else [best_left, best_right]


def _latin_square(groups: int) -> Iterator[list[Tile]]:
    """Every tile of a square grid once; the tiles of one step share neither row group nor column group."""
    for step in range(groups):
        yield [(g, (g + step) % groups) for g in range(groups)]


def _tournament(groups: int) -> Iterator[list[Tile]]:
    """Every unordered pair of groups once, and each with itself; within a step no group plays twice.

    The circle method of round-robin tournaments: one seat stays, the others move round.
    """
    yield [(g, g) for g in range(groups)]
    seats = groups + groups % 2  # an odd number gets an empty seat
    for step in range(seats - 1):
        order = [0, *(1 + (step + s) % (seats - 1) for s in range(seats - 1))]
        games = [(order[s], order[seats - 1 - s]) for s in range(seats // 2)]
        step_tiles = [(min(game), max(game)) for game in games if max(game) < groups]
        if step_tiles:
            yield step_tiles


def _union(
    best: list[NDArray[np.int64]], worst: int, width: int, within: bool
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Pair codes left * width + right, ascending and distinct, with the distances of the pairs."""
    codes, distances = [], []
    for side, lists in enumerate(best):
        row, place = np.nonzero(lists < worst)
        keys = lists[row, place]
        partner = keys & _ROW
        if within:
            row, partner = np.minimum(row, partner), np.maximum(row, partner)
        codes.append(row * width + partner if side == 0 else partner * width + row)
        distances.append((keys >> ROW_BITS).astype(np.int32))
    distinct, where = np.unique(np.concatenate(codes), return_index=True)
    return distinct, np.concatenate(distances)[where]


def checked_on_sample(left: Filters, right: Filters | None, settings: Nearest, codes: NDArray[np.int64]) -> Verified:
    """Search a random sample of rows exactly, and count how many of their pairs were found.

    codes: (m,) left * len(right) + right of the pairs found.
    """
    return verified(_exact(left, right, settings, 1), codes)


def _exact(left: Filters, right: Filters | None, settings: Nearest, stream: int) -> NDArray[np.int64]:
    """Distinct codes, as in checked_on_sample, of the pairs wanted by a random sample of each side that has lists.

    stream: samples with different numbers are drawn independently.
    """
    rng = np.random.default_rng([settings.seed, stream])
    wanted = [_lists(left, left if right is None else right, settings, rng, within=right is None)]
    if right is not None and settings.both_sides:
        turned = _lists(right, left, settings, rng)
        wanted.append(turned % max(1, len(left)) * len(right) + turned // max(1, len(left)))
    return np.unique(np.concatenate(wanted))


def _lists(
    left: Filters, right: Filters, settings: Nearest, rng: np.random.Generator, *, within: bool = False
) -> NDArray[np.int64]:
    """Codes left * len(right) + right of the k nearest right rows of a random sample of left rows."""
    size = settings.sample or Nearest.sample
    rows = np.sort(rng.choice(len(left), min(size, len(left)), replace=False))
    # Within one file a row is its own nearest or as near as its copies: one more is asked for, and itself taken out.
    exact = replace(settings, recall=1.0, both_sides=False, keep=settings.keep + int(within))
    found = nearest(left[rows], right, exact)
    row, partner = rows[found.left], found.right.astype(np.int64)
    if within:
        order = np.lexsort((partner, found.distances, row))
        order = order[row[order] != partner[order]]
        row, partner = row[order], partner[order]
        rank = np.arange(len(row)) - np.searchsorted(row, row, side="left")
        row, partner = row[rank < settings.keep], partner[rank < settings.keep]
        row, partner = np.minimum(row, partner), np.maximum(row, partner)
    return np.asarray(row * len(right) + partner, np.int64)
