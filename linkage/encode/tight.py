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

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from keys.chance import SYSTEM, Chance
from keys.derive import Purpose, RunKey
from linkage.combinations import Combination
from linkage.encode.parts import Parts, Ranks
from linkage.model import Records
from linkage.terms import Tokens

MOST_RANK = 2
"""Values are combined by rank, best first, as long as their ranks add up to no more: first with first, then second."""

_BLOCK = 1 << 14  # people whose digests are made at a time: what they are made of stays in the cache
_GROUP = 1 << 14  # entries counted at a time, likewise
_RANDOM = 16 + 4  # random bytes a token takes: itself, where there is no other, and its place in the row

MOST_NEAR = 40
"""Twice the largest budget that may be agreed: without a budget, as an audit's control is, pairs would be no end."""


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


class _Way(NamedTuple):
    """One way to combine values. nth: place of the combination among all."""

    nth: int
    combination: Combination
    ranks: Ranks


@dataclass(frozen=True, repr=False)
class Given:
    """Which values of a file give tokens. Tokens are made of it for any people when they are needed, and not held.

    ways: in the order in which rows are filled. held: (n, ways / 8) uint8, a bit a way: who has a token of it, unless
    his row is full. counts: of each combination its name, how many people have it, and how many share one value of it
    at most.
    """

    parts: Parts
    per_row: int
    ways: tuple[_Way, ...]
    held: NDArray[np.uint8]
    counts: tuple[tuple[str, int, int], ...]

    @property
    def without(self) -> int:
        """How many people have no token."""
        return int((~self.held.any(axis=1)).sum())

    def account(self) -> tuple[Issued, ...]:
        """What every combination came to."""
        of = np.array([way.nth for way in self.ways], np.int64)
        issued = np.zeros(len(self.counts), np.int64)
        for start in range(0, len(self.held), _BLOCK):
            holds = np.unpackbits(self.held[start : start + _BLOCK].T, axis=0, bitorder="little")[: len(self.ways)]
            holds &= np.cumsum(holds, axis=0, dtype=np.int64) <= self.per_row  # else the row was full before
            for nth in range(len(issued)):
                issued[nth] += holds[of == nth].any(axis=0).sum()
        return tuple(Issued(*counted, int(count)) for counted, count in zip(self.counts, issued, strict=True))

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


def given_tokens(
    records: Records, combinations: Sequence[Combination], terms: Tokens, key: RunKey
) -> tuple[Given, NDArray[np.int64]]:
    """Which values of a file few enough people share, and the coin keeps; and neighbours as in Tight, ascending.

    terms: how many tokens a row has, the collision budget, and the share of values that give a token at all.
    """
    parts = Parts.of(records, combinations, key.subkey(Purpose.TOKENS))
    ways = [_Way(nth, one, ranks) for nth, one in enumerate(combinations) for ranks in parts.ways(one, MOST_RANK)]
    ways.sort(key=lambda way: sum(way.ranks.values()))  # combinations keep their order
    held = np.zeros((len(records), -(-len(ways) // 8)), np.uint8)
    counts, pairs = [], [np.empty(0, np.int64)]
    for nth in range(len(combinations)):
        own = [place for place, way in enumerate(ways) if way.nth == nth]
        entries = _all_entries(parts, [ways[place] for place in own])
        kept, sharing, met = _within_budget(entries, terms)
        for way, place in enumerate(own):
            held[entries.rows[kept & (entries.way == way)], place >> 3] |= 1 << (place & 7)
        people = int(np.count_nonzero(np.diff(entries.rows, prepend=-1)))
        counts.append((combinations[nth].name, people, int(sharing.max(initial=0))))
        # As one number each: many times faster than by rows.
        pairs.append(met[:, 0].astype(np.int64) * len(records) + met[:, 1])
    numbers = np.sort(np.concatenate(pairs))
    numbers = numbers[np.diff(numbers, prepend=-1) > 0]
    neighbours = np.stack(np.divmod(numbers, max(len(records), 1)), axis=1)
    return Given(parts, terms.per_row, tuple(ways), held, tuple(counts)), neighbours


def make_tight(
    records: Records,
    combinations: Sequence[Combination],
    terms: Tokens,
    key: RunKey,
    chance: Chance = SYSTEM,
) -> Tight:
    """The same number of tokens for every person of a file, all at once; see Given.deal and given_tokens."""
    given, neighbours = given_tokens(records, combinations, terms, key)
    people = np.arange(len(records))
    digests = np.empty((len(people), terms.per_row, 16), np.uint8)
    of = np.empty((len(people), terms.per_row), np.int8)
    for start in range(0, len(people), _BLOCK):
        some = people[start : start + _BLOCK]
        made = given.deal(some, chance.draw(given.random_bytes(len(some))))
        digests[some[0] : some[-1] + 1], of[some[0] : some[-1] + 1] = made
    return Tight(digests, of, neighbours, given.account())


@dataclass(frozen=True, repr=False)
class _Entries:
    """Every way in which somebody combines his values in one combination, in order of people, of each by rank.

    rows: (m,) people. way: (m,) place among the ways. values: (m,) half a digest, which tells values apart.
    """

    rows: NDArray[np.int32]
    way: NDArray[np.int8]
    values: NDArray[np.uint64]


def _all_entries(parts: Parts, ways: Sequence[_Way]) -> _Entries:
    rows, values = [np.empty(0, np.int32)], [np.empty(0, np.uint64)]
    counts = [0] * len(ways)
    for nth, (_, combination, ranks) in enumerate(ways):
        for start in range(0, parts.people, _BLOCK):
            some = parts.holders(combination, ranks, slice(start, start + _BLOCK))
            counts[nth] += len(some)
            rows.append(some.astype(np.int32))
            values.append(parts.digests(combination, ranks, some)[:, 0].copy())
    way = np.repeat(np.arange(len(ways), dtype=np.int8), counts)
    entries = _Entries(np.concatenate(rows), way, np.concatenate(values))
    if len(ways) < 2:
        return entries
    order = np.argsort(entries.rows, kind="stable")  # ways come in order of rank
    return _Entries(entries.rows[order], entries.way[order], entries.values[order])


def _within_budget(entries: _Entries, terms: Tokens) -> tuple[NDArray[np.bool_], NDArray[np.int32], NDArray[np.int32]]:
    """Entries whose values few enough people share and the coin keeps (m,), how many share each, and neighbours."""
    rows, values = entries.rows, entries.values
    sharing = _sharing(values, rows)
    near = min(2 * terms.most_sharing, MOST_NEAR)
    heads = _coin(values, terms.kept) & (sharing > 0)
    few = np.flatnonzero(heads & (sharing > 1) & (sharing <= near))
    few = few[np.argsort(values[few], kind="stable")]
    return heads & (sharing <= terms.most_sharing), sharing, _neighbours(rows[few], values[few], near)


def _sharing(values: NDArray[np.uint64], rows: NDArray[np.int32]) -> NDArray[np.int32]:
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
