"""What the matcher asks for, so that no agency learns from being asked.

Candidate pairs come in, requests go out in which every row of a file stands equally often, in every run: in pairs with
its nearest rows elsewhere as far as there is room for them, else in decoys, whose answers are dropped.
Rule: which rows are asked about, and how often, depends on the agreement and the size of the file alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from keys.chance import Chance
from linkage.match.candidates import Engine, Nearest, SearchStats, Settings
from linkage.match.equality import meet
from linkage.match.search import find_candidates
from linkage.model import Bytes16, Pairs, Request, Screening
from linkage.parties.screened import Joined

CHUNK = 1 << 14
"""Pairs whose filters are laid side by side at a time."""
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
    """Candidate pairs of people: who share a token and who are near, each pair once, no row in more than it may be.

    Rows of the right file keep their nearest anchors first, then each anchor its nearest of those rows. The other way
    round, anchors of whom little is recorded would all keep the same few rows, which cannot all keep them. A pair
    that shares a token is nearer than any that does not.
    """
    search, turned = search_for(left, right, settings, limits)
    one_side, other_side = (right, left) if turned else (left, right)
    found = find_candidates(one_side.filters, other_side.filters, search, engine=engine)
    rows, columns = one_side.owner[found.left], other_side.owner[found.right]
    rows, columns = (columns, rows) if turned else (rows, columns)
    met = meet(left.tokens, right.tokens)
    people = max(len(right), 1)
    rows, columns = np.concatenate([met.left, rows]), np.concatenate([met.right, columns])
    codes = rows.astype(np.int64) * people + columns
    apart = np.concatenate([distances(left, right, met), found.distances])
    near = np.argsort(apart, kind="stable")  # so that the first of equal codes is the nearest
    code, first = np.unique(codes[near], return_index=True)
    one, other = code // people, code % people
    sharing = np.isin(code, codes[: len(met)])
    # Distances of those that share a token become negative, in their order.
    distance = np.where(sharing, apart[near][first] - right.filters.shape[1] * 64 - 1, apart[near][first])
    kept = nearest_of_each(other, distance, limits[1])
    kept = kept[nearest_of_each(one[kept], distance[kept], limits[0])]
    return Chosen(one[kept].astype(np.int32), other[kept].astype(np.int32), found.stats)


def distances(left: Screening, right: Screening, pairs: Pairs) -> NDArray[np.int32]:
    """Bits in which the nearest filters of two people differ, (m,)."""
    filters = [_filters_of(side) for side in (left, right)]
    apart = np.full(len(pairs), 64 * right.filters.shape[1], np.int32)
    for one, other in product(*(range(each.shape[1]) for each in filters)):
        rows = filters[0][pairs.left, one], filters[1][pairs.right, other]
        for start in range(0, len(pairs), CHUNK):
            part = slice(start, start + CHUNK)
            differ = left.filters[rows[0][part]] ^ right.filters[rows[1][part]]
            apart[part] = np.minimum(apart[part], np.bitwise_count(differ).sum(axis=1, dtype=np.int32))
    return apart


def _filters_of(side: Screening) -> NDArray[np.int64]:
    """Each person's filters (n, v), as many as anybody has, the last again where he has fewer."""
    order = np.argsort(side.owner, kind="stable")
    count = np.bincount(side.owner, minlength=len(side))
    first = np.cumsum(count) - count
    nth = np.arange(count.max(initial=0))
    return np.asarray(order[first[:, None] + np.minimum(nth, count[:, None] - 1)])


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
