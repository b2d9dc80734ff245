"""Who in a file shares what with how many: the entries of every combination, counted in the whole file part by part.

Forms of values come in, entries go out, which say who has which value; and how many people share each, and which pairs
do. Rule: a value is known by half of a keyed digest, and equal ones of all parts are counted in one place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from linkage.combinations import Combination
from linkage.encode.parts import Parts, Ranks
from linkage.terms import Tokens

MOST_NEAR = 40
"""Twice the largest budget that may be agreed: without a budget, as an audit's control is, pairs would be no end."""

_BLOCK = 1 << 14  # people whose digests are made at a time: what they are made of stays in the cache
_GROUP = 1 << 14  # entries counted at a time, likewise
_APART = 24  # bits above those by which entries are put in groups
_WAITING = 1 << 20  # pairs found, from which on they are looked at
_SPARE = 4  # times as many pairs as are wanted, from which on they are thinned


class Way(NamedTuple):
    """One way to combine values. nth: place of the combination among all."""

    nth: int
    combination: Combination
    ranks: Ranks


@dataclass(frozen=True, repr=False)
class Entries:
    """Every way in which somebody combines his values in one combination, in order of people, of each by rank.

    rows: (m,) people. way: (m,) place among the ways. values: (m,) half a digest, which tells values apart.
    people: who have any, here and in other groups of the same part.
    """

    rows: NDArray[np.int32]
    way: NDArray[np.int8]
    values: NDArray[np.uint64]
    people: int

    @staticmethod
    def of(parts: Parts, ways: Sequence[Way]) -> Entries:
        """Those of one combination in one part of a file, numbered from 0."""
        rows, values = [np.empty(0, np.int32)], [np.empty(0, np.uint64)]
        counts = [0] * len(ways)
        for nth, (_, combination, ranks) in enumerate(ways):
            for start in range(0, parts.people, _BLOCK):
                some = parts.holders(combination, ranks, slice(start, start + _BLOCK))
                counts[nth] += len(some)
                rows.append(some.astype(np.int32))
                values.append(parts.digests(combination, ranks, some)[:, 0].copy())
        way = np.repeat(np.arange(len(ways), dtype=np.int8), counts)
        person, value = np.concatenate(rows), np.concatenate(values)
        if len(ways) > 1:
            order = np.argsort(person, kind="stable")  # ways come in order of rank
            person, way, value = person[order], way[order], value[order]
        return Entries(person, way, value, int(np.count_nonzero(np.diff(person, prepend=-1))))

    @staticmethod
    def join(parts: Sequence[Entries], first: Sequence[int]) -> Entries:
        """Those of several parts, numbered in the whole file. first: of each part, its first person's number."""
        if len(parts) == 1:
            return parts[0]
        rows = np.concatenate([one.rows + np.int32(n) for one, n in zip(parts, first, strict=True)])
        way, values = (np.concatenate([getattr(one, name) for one in parts]) for name in ("way", "values"))
        return Entries(rows, way, values, sum(one.people for one in parts))

    def grouped(self, bits: int) -> list[Entries]:
        """The same in groups by some bits of their values, which neither the coin nor counting looks at first."""
        from linkage.encode.kernels_tight import by_top_bits  # loads numba

        order = np.empty(len(self.rows), np.int32)
        bounds = by_top_bits(self.values << np.uint64(_APART), bits, order).tolist()
        groups = (order[start:stop] for start, stop in pairwise(bounds))
        counts = [self.people, *[0] * (len(bounds) - 2)]
        return [Entries(self.rows[g], self.way[g], self.values[g], n) for g, n in zip(groups, counts, strict=True)]


@dataclass(frozen=True, repr=False)
class Neighbours:
    """Pairs of people (p, 2), each once, ascending, who share a value that just misses, or keeps, the budget.

    Of values that the coin keeps: were one of the two in another file, they would meet. count: how many such pairs the
    file has; where there are very many, the pairs are a random part of them. known: (k,) which of the pairs asked about
    are among them.
    """

    pairs: NDArray[np.int64]
    count: int
    known: NDArray[np.bool_]


class Meetings:
    """Pairs that meet, as they are found; of more than `most`, a random part.

    Kept are those whose hash comes first, so that a pair which is found again, by another value, is the same pair; how
    many there are, the highest hash kept says. Source: Bar-Yossef, Jayram, Kumar, Sivakumar & Trevisan 2002, "Counting
    distinct elements in a data stream", section 2.
    """

    def __init__(
        self, people: int, most: int | None = None, asked: NDArray[np.int64] | None = None, seed: int = 0
    ) -> None:
        self._people, self._most, self._seed = max(people, 1), most, np.uint64(seed)
        self._held, self._waiting = np.empty(0, np.int64), [np.empty(0, np.int64)]
        self._thinned = False
        self._asked = self._numbers(np.empty((0, 2), np.int64) if asked is None else asked)
        self._known = np.zeros(len(self._asked), np.bool_)

    def add(self, pairs: NDArray[np.integer]) -> None:
        """Further pairs (p, 2), the lower number first."""
        self._waiting.append(self._numbers(pairs))  # as one number each: many times faster than by rows
        if sum(map(len, self._waiting)) > _WAITING:
            self._take_in()

    def finish(self) -> Neighbours:
        """All of them, or as many as are wanted."""
        self._take_in()
        count, held = len(self._held), self._held
        if self._most is not None and (self._thinned or count > self._most):
            held = self._first()
            if self._thinned:
                share = (float(self._hashes(held).max()) + 1) / 2**64
                count = round((len(held) - 1) / share)
        return Neighbours(np.stack(np.divmod(held, self._people), axis=1), count, self._known)

    def _take_in(self) -> None:
        """What waits becomes part of what is held."""
        numbers = np.sort(np.concatenate(self._waiting))
        self._waiting = []
        if len(numbers):
            place = np.minimum(np.searchsorted(numbers, self._asked), len(numbers) - 1)
            self._known |= numbers[place] == self._asked
        held = np.sort(np.concatenate([self._held, numbers]))
        self._held = held[np.diff(held, prepend=-1) > 0]
        if self._most is not None and len(self._held) > _SPARE * self._most:
            self._held, self._thinned = self._first(), True

    def _numbers(self, pairs: NDArray[np.integer]) -> NDArray[np.int64]:
        return pairs[:, 0].astype(np.int64) * self._people + pairs[:, 1]

    def _first(self) -> NDArray[np.int64]:
        order = np.argsort(self._hashes(self._held))[: self._most]
        return np.sort(self._held[order])

    def _hashes(self, numbers: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Numbers mixed with the seed; source: Steele, Lea & Flood 2014 (SplitMix), as Vigna's splitmix64 ends."""
        mixed = numbers.astype(np.uint64) ^ self._seed
        mixed = (mixed ^ mixed >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ mixed >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        return mixed ^ mixed >> np.uint64(31)


def within_budget(entries: Entries, terms: Tokens) -> tuple[NDArray[np.bool_], NDArray[np.int32], NDArray[np.int32]]:
    """Entries whose values few enough people share and the coin keeps (m,), how many share each, and neighbours."""
    rows, values = entries.rows, entries.values
    sharing = sharing_of(values, rows)
    near = min(2 * terms.most_sharing, MOST_NEAR)
    heads = _coin(values, terms.kept) & (sharing > 0)
    few = np.flatnonzero(heads & (sharing > 1) & (sharing <= near))
    few = few[np.argsort(values[few], kind="stable")]
    return heads & (sharing <= terms.most_sharing), sharing, _neighbours(rows[few], values[few], near)


def sharing_of(values: NDArray[np.uint64], rows: NDArray[np.int32]) -> NDArray[np.int32]:
    """How many people share each entry's value, (m,); 0 where its person has had the value before, by a better rank.

    rows: the people, ascending.
    """
    from linkage.encode.kernels_tight import by_top_bits, count_sharing  # loads numba

    sharing, order = np.empty(len(values), np.int32), np.empty(len(values), np.int32)
    bounds = by_top_bits(values, (len(values) // _GROUP).bit_length(), order)
    room = 1 << (int(np.diff(bounds).max()) * 3 // 2).bit_length()
    count_sharing(values, rows, order, bounds, room, sharing)
    return sharing


def _coin(values: NDArray[np.uint64], kept: float) -> NDArray[np.bool_]:
    """Which values give a token, (m,): a share of them, the same wherever the key is the same.

    A digest never leaves as it is, and what is made of it for the wire is another PRF's output: its own bits may toss.
    """
    return values < np.uint64(min(round(kept * 2**64), 2**64 - 1))


def _neighbours(rows: NDArray[np.int32], value: NDArray[np.uint64], most: int) -> NDArray[np.int32]:
    """Pairs of people (p, 2) who share a value that at most `most` have; rows stand in order of value and person."""
    found = [np.empty((0, 2), np.int32)]
    for apart in range(1, most):
        same = value[apart:] == value[:-apart]
        found.append(np.stack([rows[:-apart][same], rows[apart:][same]], axis=1))
    return np.concatenate(found)
