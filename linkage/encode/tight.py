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
from itertools import product

import numpy as np
from numpy.typing import NDArray

from keys.chance import SYSTEM, Chance
from keys.derive import Purpose, RunKey, message_digests
from linkage.combinations import Combination
from linkage.encode.parts import Digests, Parts
from linkage.model import Records
from linkage.terms import Tokens

MOST_RANK = 2
"""Values are combined by rank, best first, as long as their ranks add up to no more: first with first, then second."""

_DRAWN = 1 << 14  # people whose random tokens are drawn at a time

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


@dataclass(frozen=True, repr=False)
class _Entries:
    """What one combination finds in a file: person, sum of ranks (m,) and digest (m, 2), of values within the budget.

    neighbours: (p, 2), see Tight. held, shared: as in Issued.
    """

    rows: NDArray[np.int64]
    rank: NDArray[np.int8]
    digests: Digests
    neighbours: NDArray[np.int64]
    held: int
    shared: int


def make_tight(
    records: Records,
    combinations: Sequence[Combination],
    terms: Tokens,
    key: RunKey,
    chance: Chance = SYSTEM,
) -> Tight:
    """The same number of tokens for every person, in random order.

    Where he has more, those of his first values come before those of his second, and combinations in their order.
    terms: how many tokens a row has, the collision budget, and the share of values that give a token at all.
    """
    parts = Parts(records, key.subkey(Purpose.TOKENS))
    found = [_within_budget(parts, each, terms) for each in combinations]
    digests, of = _in_rows(found, len(records), terms.per_row, chance)
    account = [
        Issued(each.name, entries.held, entries.shared, int((of == nth).any(axis=1).sum()))
        for nth, (each, entries) in enumerate(zip(combinations, found, strict=True))
    ]
    pairs = np.concatenate([entries.neighbours for entries in found])
    # As one number each: many times faster than by rows.
    size = max(len(records), 1)
    neighbours = np.stack(np.divmod(np.unique(pairs[:, 0] * size + pairs[:, 1]), size), axis=1)
    return Tight(digests, of, neighbours, tuple(account))


def _within_budget(parts: Parts, combination: Combination, terms: Tokens) -> _Entries:
    """Entries of a combination whose values few enough people share and the coin keeps."""
    rows, rank, digests = _all_entries(parts, combination)
    sharing = _sharing(digests[:, 0], rows)
    held = int(np.count_nonzero(np.diff(rows, prepend=-1)))
    near = min(2 * terms.most_sharing, MOST_NEAR)
    heads = _coin(digests, terms.kept) & (sharing > 0)
    kept = heads & (sharing <= terms.most_sharing)
    few = np.flatnonzero(heads & (sharing > 1) & (sharing <= near))
    few = few[np.argsort(digests[few, 0], kind="stable")]
    neighbours = _neighbours(rows[few], digests[few, 0], near)
    return _Entries(rows[kept], rank[kept], digests[kept], neighbours, held, int(sharing.max(initial=0)))


def _sharing(values: NDArray[np.uint64], rows: NDArray[np.int64]) -> NDArray[np.int32]:
    """How many people share each entry's value, (m,); 0 where its person has had the value before, by a better rank.

    values: half a digest, which tells values apart; rows: the people, ascending.
    """
    from linkage.encode.kernels_tight import count_sharing  # loads numba

    sharing, room = np.empty(len(values), np.int32), 1 << (2 * len(values)).bit_length()
    count_sharing(values, rows, np.zeros(room, np.uint64), np.zeros(room, np.int32), np.zeros(room, np.int64), sharing)
    return sharing


def _coin(digests: Digests, kept: float) -> NDArray[np.bool_]:
    """Which values give a token, (m,): a share of them, the same wherever the key is the same.

    A digest never leaves as it is, and what is made of it for the wire is another PRF's output: its own bits may toss.
    """
    return digests[:, 0] < np.uint64(min(round(kept * 2**64), 2**64 - 1))


def _neighbours(rows: NDArray[np.int64], value: NDArray[np.uint64], most: int) -> NDArray[np.int64]:
    """Pairs of people (p, 2) who share a value that at most `most` have; rows stand in order of value and person."""
    found = [np.empty((0, 2), np.int64)]
    for apart in range(1, most):
        same = value[apart:] == value[:-apart]
        found.append(np.stack([rows[:-apart][same], rows[apart:][same]], axis=1))
    return np.concatenate(found)


def _all_entries(parts: Parts, combination: Combination) -> tuple[NDArray[np.int64], NDArray[np.int8], Digests]:
    """People, sums of ranks and keyed digests (m, 2) of every way to combine values that has all parts.

    In order of people, of each by rank.
    """
    fields = list(dict.fromkeys(field for part in combination.parts for field in part.fields))
    held = {field: parts.held(field) for field in fields}
    found: list[tuple[NDArray[np.int64], NDArray[np.int8], Digests]] = []
    for ranks in product(*(range(min(field.values, MOST_RANK + 1)) for field in fields)):
        if sum(ranks) > MOST_RANK:
            continue
        of = dict(zip(fields, ranks, strict=True))
        rows = np.flatnonzero(np.all([held[field] > rank for field, rank in of.items()], axis=0))
        rows = rows[np.all([parts.has(part, rows, of) for part in combination.parts], axis=0)]
        columns = [each for part in combination.parts for each in parts.digests(part, rows, of)]
        spelt = message_digests(parts.subkey, b"combination/" + combination.name.encode(), [c.data for c in columns])
        digests = np.frombuffer(spelt, np.uint64).reshape(-1, 2)
        found.append((rows, np.full(len(rows), sum(ranks), np.int8), digests))
    if len(found) == 1:
        return found[0]
    rows, rank, digests = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.lexsort((rank, rows))
    return rows[order], rank[order], digests[order]


def _in_rows(
    found: Sequence[_Entries], people: int, per_row: int, chance: Chance
) -> tuple[NDArray[np.uint8], NDArray[np.int8]]:
    """Digests (n, t, 16), and of which combination each is (n, t), -1 for a random one; in random order."""
    from linkage.encode.kernels_tight import deal_tokens  # loads numba

    rows = np.concatenate([each.rows for each in found])
    rank = np.concatenate([each.rank for each in found])
    nth = np.repeat(np.arange(len(found), dtype=np.int8), [len(each.rows) for each in found])
    digests = np.concatenate([each.digests for each in found])
    out, of = np.empty((people, per_row, 2), np.uint64), np.full((people, per_row), -1, np.int8)
    for start in range(0, people, _DRAWN):
        part = out[start : start + _DRAWN]
        part[:] = np.frombuffer(chance.draw(part.nbytes), np.uint64).reshape(part.shape)
    noise = np.frombuffer(chance.draw(4 * people * per_row), np.uint32).reshape(people, per_row)
    deal_tokens(rows, rank, nth, digests, noise, out, of)
    return out.view(np.uint8), of
