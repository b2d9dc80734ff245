"""Tight tokens: keyed digests of combinations that hardly anybody in the file shares.

Records come in; the same number of digests for every person goes out, with an account of what was held back.
Rule: a value that more people share than the budget allows gives no token, and what is not there is a random one, so
that nothing in a row of tokens says what the row holds. A row is found by what is rare about it, or not at all.
Of the values that keep the budget a keyed coin drops some, the same at every agency: how many tokens two rows share
then says little of who they are, even to somebody who has both files in plain text.
Source: blocking keys as keyed hashes are attacked by their frequencies and by who shares them (docs/decisions/0008);
without shared values there is neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from keys.chance import SYSTEM, Chance
from keys.derive import Purpose, RunKey
from linkage.combinations import Combination
from linkage.encode.parts import Parts
from linkage.encode.sharing import Entries, Meetings, Neighbours, Way, within_budget
from linkage.model import Records
from linkage.shelf import Held, HeldMany, Shelf
from linkage.terms import Tokens

MOST_RANK = 2
"""Values are combined by rank, best first, as long as their ranks add up to no more: first with first, then second."""

_BLOCK = 1 << 14  # people whose digests are made at a time: what they are made of stays in the cache
_RANDOM = 16 + 4  # random bytes a token takes: itself, where there is no other, and its place in the row


@dataclass(frozen=True)
class Issued:
    """What one combination came to in a file. held: people who have it. shared: most who share one value of it.

    issued: people with a token of it; the others share every value with more people than the budget allows, the coin
    fell against it, or their row was full.
    """

    combination: str
    held: int
    shared: int
    issued: int


@dataclass(frozen=True, repr=False)
class Tight:
    """Tokens of one agency's file, of which nothing may leave but what `keys.derive.tight_tokens` makes of them.

    digests: (n, t, 16) uint8. of: (n, t) place of each token's combination, -1 where the token is random; it stays at
    home. account: by combination.
    neighbours: (p, 2) pairs of people, each once, who share a value that just misses, or keeps, the budget and that
    the coin keeps: were one of them in another file, the two would meet.
    """

    digests: NDArray[np.uint8]
    of: NDArray[np.int8]
    neighbours: NDArray[np.int64]
    account: tuple[Issued, ...]

    def __repr__(self) -> str:
        return f"Tight(people={len(self.of)}, tokens={self.of.shape[1]})"

    @property
    def real(self) -> NDArray[np.bool_]:
        """Which tokens are not random, (n, t)."""
        return self.of >= 0


@dataclass(frozen=True, repr=False)
class Given:
    """Which values of a part of a file give tokens, which are made of it for any people when they are needed.

    ways: in the order in which rows are filled. held: (n, ways / 8) uint8, a bit a way: who has a token of it, unless
    his row is full.
    """

    parts: Parts
    per_row: int
    ways: tuple[Way, ...]
    held: NDArray[np.uint8]

    @property
    def without(self) -> int:
        """How many people have no token."""
        return int((~self.held.any(axis=1)).sum())

    def issued(self, combinations: int) -> NDArray[np.int64]:
        """How many people have a token of each combination, (c,)."""
        of = np.array([way.nth for way in self.ways], np.int64)
        issued = np.zeros(combinations, np.int64)
        for start in range(0, len(self.held), _BLOCK):
            holds = np.unpackbits(self.held[start : start + _BLOCK].T, axis=0, bitorder="little")[: len(self.ways)]
            holds &= np.cumsum(holds, axis=0, dtype=np.int64) <= self.per_row  # else the row was full before
            for nth in range(combinations):
                issued[nth] += holds[of == nth].any(axis=0).sum()
        return issued

    def random_bytes(self, people: int) -> int:
        """How many random bytes `deal` takes for so many people."""
        return people * self.per_row * _RANDOM

    def deal(self, people: NDArray[np.integer], noise: bytes) -> tuple[NDArray[np.uint8], NDArray[np.int8]]:
        """Digests of tokens of some people (m, t, 16), and of which combination each is (m, t), -1 for a random one.

        In random order. Where somebody has more, those of his first values come before those of his second, and
        combinations in their order. noise: random_bytes(m) of them.
        """
        from linkage.encode.kernels_tight import deal_tokens  # loads numba

        shape = len(people), self.per_row
        drawn, places = noise[: 16 * shape[0] * shape[1]], noise[16 * shape[0] * shape[1] :]
        out = np.frombuffer(bytearray(drawn), np.uint64).reshape(*shape, 2)
        of = np.full(shape, -1, np.int8)
        filled, slots = np.zeros(shape[0], np.int64), np.tile(np.arange(self.per_row, dtype=np.uint8), (shape[0], 1))
        words = np.frombuffer(places, np.uint32).reshape(shape)
        held = np.unpackbits(self.held[people].T, axis=0, bitorder="little")
        for way, holds in zip(self.ways, held, strict=False):
            rows = np.flatnonzero(holds)
            digests = self.parts.digests(way.combination, way.ranks, people[rows].astype(np.int64))
            deal_tokens(rows, way.nth, digests, words, filled, slots, out, of)
        return out.view(np.uint8), of


@dataclass(frozen=True, repr=False)
class Combined:
    """How the values of one part of a file combine.

    people: in it; first: number of its first in the whole file. forms: what its tokens are made of. entries: by
    combination, and by group of values, of which there are 2 ** bits, of people numbered in the part.
    """

    people: int
    first: int
    forms: Held[Parts]
    ways: tuple[Way, ...]
    bits: int
    entries: tuple[HeldMany[Entries], ...]

    def of(self, nth: int) -> list[int]:
        """Places of one combination's ways among all."""
        return [place for place, way in enumerate(self.ways) if way.nth == nth]


def combine(
    records: Records, combinations: Sequence[Combination], key: RunKey, shelf: Shelf, first: int = 0, parts: int = 1
) -> Combined:
    """The values of one of so many parts of a file, combined."""
    forms = Parts.of(records, combinations, key.subkey(Purpose.TOKENS))
    ways = [Way(nth, one, ranks) for nth, one in enumerate(combinations) for ranks in forms.ways(one, MOST_RANK)]
    ways.sort(key=lambda way: sum(way.ranks.values()))  # combinations keep their order
    made: list[HeldMany[Entries]] = []
    bits = (parts // 2).bit_length()  # so that a group of all parts weighs no more than two parts
    for nth in range(len(combinations)):
        own = [way for way in ways if way.nth == nth]
        if parts == 1:  # made when they are counted, one combination after the other
            made.append(partial(_entries, forms, own))
        else:
            made.append(shelf.put_all(Entries.of(forms, own).grouped(bits)))
    return Combined(len(records), first, shelf.put(forms), tuple(ways), bits, tuple(made))


def _entries(forms: Parts, ways: Sequence[Way], _group: int) -> Entries:
    return Entries.of(forms, ways)


@dataclass(frozen=True, repr=False)
class GivenFile:
    """Which values of a file give tokens, by part, and neighbours.

    counts: of each combination its name, how many people have it, and how many share one value of it at most.
    """

    parts: tuple[Held[Given], ...]
    counts: tuple[tuple[str, int, int], ...]
    neighbours: Neighbours

    def account(self) -> tuple[Issued, ...]:
        """What every combination came to."""
        issued = sum((given().issued(len(self.counts)) for given in self.parts), np.zeros(len(self.counts), np.int64))
        return tuple(Issued(*counted, int(count)) for counted, count in zip(self.counts, issued, strict=True))

    @property
    def without(self) -> int:
        """How many people have no token."""
        return sum(given().without for given in self.parts)


def give(
    file: Sequence[Combined],
    combinations: Sequence[Combination],
    terms: Tokens,
    shelf: Shelf,
    meetings: Meetings,
) -> GivenFile:
    """Which values of a file few enough people share, and the coin keeps.

    terms: how many tokens a row has, the collision budget, and the share of values that give a token at all.
    meetings: where pairs who share a value are gathered.
    """
    first = [part.first for part in file]
    kept: list[HeldMany[_Kept]] = []  # by combination and group, of every part
    counts = []
    for nth, combination in enumerate(combinations):
        people = most = 0
        for group in range(1 << file[0].bits):
            of_parts = [part.entries[nth](group) for part in file]
            bounds = np.cumsum([0, *(len(one.rows) for one in of_parts)])
            entries = Entries.join(of_parts, first)
            within, sharing, met = within_budget(entries, terms)
            meetings.add(met)
            people, most = people + entries.people, max(most, int(sharing.max(initial=0)))
            own = (within[start:stop] for start, stop in pairwise(bounds))
            some = [_Kept(nth, one.rows[few], one.way[few]) for one, few in zip(of_parts, own, strict=True)]
            kept.append(shelf.put_all(some))
        counts.append((combination.name, people, most))
    given = [_given(part, (some(nth) for some in kept), terms, shelf) for nth, part in enumerate(file)]
    return GivenFile(tuple(given), tuple(counts), meetings.finish())


class _Kept(NamedTuple):
    """Of one combination, people (m,) of one part, and the way in which each has a value that gives a token (m,)."""

    nth: int
    rows: NDArray[np.int32]
    way: NDArray[np.int8]


def _given(part: Combined, kept: Iterable[_Kept], terms: Tokens, shelf: Shelf) -> Held[Given]:
    held = np.zeros((part.people, -(-len(part.ways) // 8)), np.uint8)
    for nth, rows, of in kept:
        for way, place in enumerate(part.of(nth)):
            held[rows[of == way], place >> 3] |= 1 << (place & 7)
    put = shelf.put(held)
    return lambda: Given(part.forms(), terms.per_row, part.ways, put())


def make_tight(
    records: Records,
    combinations: Sequence[Combination],
    terms: Tokens,
    key: RunKey,
    chance: Chance = SYSTEM,
) -> Tight:
    """The same number of tokens for every person of a file, all at once; see Given.deal and give."""
    shelf = Shelf()
    file = give([combine(records, combinations, key, shelf)], combinations, terms, shelf, Meetings(len(records)))
    given, people = file.parts[0](), np.arange(len(records))
    digests = np.empty((len(people), terms.per_row, 16), np.uint8)
    of = np.empty((len(people), terms.per_row), np.int8)
    for start in range(0, len(people), _BLOCK):
        some = people[start : start + _BLOCK]
        made = given.deal(some, chance.draw(given.random_bytes(len(some))))
        digests[some[0] : some[-1] + 1], of[some[0] : some[-1] + 1] = made
    return Tight(digests, of, file.neighbours.pairs, file.account())
