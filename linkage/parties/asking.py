"""What the matcher asks for, so that no agency learns from being asked.

Candidate pairs come in, requests go out in which every row of a file stands equally often, in every run: in pairs with
its nearest rows elsewhere as far as there is room for them, else in decoys, whose answers are dropped.
Rule: which rows are asked about, and how often, depends on the agreement and the size of the file alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from keys.chance import Chance
from linkage.match.candidates import Engine, Nearest, SearchStats, Settings
from linkage.match.search import find_candidates
from linkage.model import Bytes16, Pairs, Request, Screening
from linkage.parties.screened import Joined

Limits = tuple[int | None, int | None]
"""Pairs in which a row of the left and of the right file may stand; None: any number."""

SMALL = 100_000_000
"""Pairs of filters up to which nothing is gained by losing any: all are compared in a second or two."""


@dataclass(frozen=True, repr=False)
class Chosen(Pairs):
    """Candidate pairs of people, and the account of the search for them."""

    stats: SearchStats


def search_for(left: Screening, right: Screening, settings: Settings, limits: Limits) -> tuple[Settings, bool]:
    """The search that gives all pairs that can be kept, and whether it is made with the sides changed over.

    Rows of the right file choose first. Where they may keep no more than so few that their own lists hold them, nothing
    else is looked for: whom an anchor resembles most is of no use to him once that row has kept two others.
    """
    if not isinstance(settings, Nearest):
        return settings, False
    if len(left.filters) * len(right.filters) <= SMALL:
        settings = replace(settings, recall=1.0)
    if limits[1] is None or not settings.both_sides:
        return settings, False
    # The nearest so many filters are those of as many people at least, none of whom has more filters than that.
    most = (limits[1] - 1) * int(np.bincount(left.owner, minlength=1).max()) + 1
    return (replace(settings, keep=most, both_sides=False), True) if most <= settings.keep else (settings, False)


def candidates(
    left: Screening, right: Screening, settings: Settings, limits: Limits, engine: Engine | None = None
) -> Chosen:
    """Candidate pairs of people: of all their filters, each pair once, and no row in more pairs than it may be.

    Rows of the right file keep their nearest anchors first, then each anchor its nearest of those rows. The other way
    round, anchors of whom little is recorded would all keep the same few rows, which cannot all keep them.
    """
    search, turned = search_for(left, right, settings, limits)
    one_side, other_side = (right, left) if turned else (left, right)
    found = find_candidates(one_side.filters, other_side.filters, search, engine=engine)
    rows, columns = one_side.owner[found.left], other_side.owner[found.right]
    rows, columns = (columns, rows) if turned else (rows, columns)
    people = max(len(right), 1)
    near = np.argsort(found.distances, kind="stable")  # so that the first of equal codes is the nearest
    code, first = np.unique((rows.astype(np.int64) * people + columns)[near], return_index=True)
    distance = found.distances[near][first]
    one, other = code // people, code % people
    kept = nearest_of_each(other, distance, limits[1])
    kept = kept[nearest_of_each(one[kept], distance[kept], limits[0])]
    return Chosen(one[kept].astype(np.int32), other[kept].astype(np.int32), found.stats)


def nearest_of_each(rows: NDArray[np.int64], distance: NDArray[np.int32], most: int | None) -> NDArray[np.int64]:
    """Places of those pairs that are among the nearest `most` of their row, ascending; equals in the order given."""
    if most is None:
        return np.arange(len(rows))
    order = np.lexsort((distance, rows))
    ranked = rows[order]
    rank = np.arange(len(rows)) - np.searchsorted(ranked, ranked)
    return np.sort(order[rank < most])


def request(name: str, screening: Screening, joined: Sequence[Joined], times: int | None, chance: Chance) -> Request:
    """Everything asked of one party, in random order: every row `times` times, or its candidate pairs alone (None)."""
    rows = np.concatenate([np.empty(0, np.int32), *(_rows(name, join) for join in joined)])
    ids = [join.pair_ids for join in joined if name in (join.left, join.right)]
    if times is not None:
        decoys = np.repeat(np.arange(len(screening)), times - np.bincount(rows, minlength=len(screening)))
        rows = np.concatenate([rows, decoys])
        ids.append(random_ids(len(decoys), chance))
    order = np.argsort(np.frombuffer(chance.draw(8 * len(rows)), np.uint64), kind="stable")
    pair_ids = np.concatenate([np.empty((0, 16), np.uint8), *ids])
    return Request(pair_ids[order], screening.pseudonyms[rows[order]])


def random_ids(count: int, chance: Chance) -> Bytes16:
    """Pair ids: of candidates and of decoys alike, so that nobody can tell them apart. (count, 16)."""
    return np.frombuffer(chance.draw(16 * count), np.uint8).reshape(count, 16)


def _rows(name: str, join: Joined) -> NDArray[np.int32]:
    if name == join.left:
        return join.pairs.left
    return join.pairs.right if name == join.right else np.empty(0, np.int32)
