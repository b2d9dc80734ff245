"""Pairs found so far, no more than each row's nearest: what bounds the memory of a search by a threshold.

Pairs come in as they are found, in any order; those that stay go out. Rule: what stays depends on all pairs together,
not on the order in which they came.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Found = NDArray[np.int32]
"""(3, p) int32: left row, right row, differing bits."""

_ROOM = 1 << 20  # pairs that may always be held


def ranks(rows: NDArray[np.integer], distance: NDArray[np.integer], partner: NDArray[np.integer]) -> NDArray[np.int64]:
    """How many pairs of the same row are nearer, (p,); equal distances go by the partner's number."""
    order = np.lexsort((partner, distance, rows))
    ranked = rows[order]
    rank = np.empty(len(rows), np.int64)
    rank[order] = np.arange(len(rows)) - np.searchsorted(ranked, ranked)
    return rank


def nearest_of_either(found: Found, keep: int | None, *, within: bool = False) -> Found:
    """Those pairs that are among the `keep` nearest of their left or of their right row, in the order given.

    within: both rows are of one file. keep: None for all. Of a union, the same pairs stay as of its parts' survivors:
    what is not among the nearest of some pairs is not among the nearest of more.
    """
    if keep is None or not found.shape[1]:
        return found
    left, right, distance = found
    if within:
        both = ranks(np.concatenate([left, right]), np.tile(distance, 2), np.concatenate([right, left])) < keep
        stays = both[: len(left)] | both[len(left) :]
    else:
        stays = (ranks(left, distance, right) < keep) | (ranks(right, distance, left) < keep)
    return found[:, stays]


class Kept:
    """A growing collection of pairs that holds no more than twice those that stay, or a million."""

    def __init__(self, keep: int | None, *, within: bool = False) -> None:
        self._keep, self._within = keep, within
        self._parts: list[Found] = []
        self._held, self._room = 0, _ROOM

    def add(self, found: Found) -> None:
        """Take in more pairs, none of which is here."""
        self._parts.append(found)
        self._held += found.shape[1]
        if self._keep is not None and self._held > self._room:
            stays = self.pairs()
            self._parts, self._held = [stays], stays.shape[1]
            self._room = max(_ROOM, 2 * self._held)

    def pairs(self) -> Found:
        """The pairs that stay."""
        found = np.concatenate([np.empty((3, 0), np.int32), *self._parts], axis=1)
        return nearest_of_either(found, self._keep, within=self._within)
