"""Comparison levels in, one small code per column out; equal rows are counted once.

A name that agrees exactly is split by its rarity bucket, so that every probability table learns for itself how
much an agreement on a rare name is worth. Where forename and surname agree better crosswise than straight, the
row is turned round and says so in a column of its own.
Rule: counting only; nothing here knows what a match is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from linkage.schema import LEVELS, MISSING, RARITY_BUCKETS, Kind, Schema

NAMES = (Kind.FORENAME, Kind.SURNAME)
PLACES = (Kind.POSTCODE, Kind.TEXT, Kind.PHONE)
TURNED = 4
"""Levels of names that agree crosswise: same, variant, close, alike in sound; anything weaker is not turned round."""

_NAME_EXTRA = RARITY_BUCKETS - 1 + TURNED

Codes = NDArray[np.int16]


@dataclass(frozen=True)
class Alphabet:
    """The codes of every column: one column a field, and one for the order of names where there are two.

    sizes: codes a column. A column's codes are its levels, then missing (the order column has none missing).
    A name's are "same" by rarity bucket, its other levels, missing, and the levels of names turned round.
    names: columns of names. order: the column that says whether names are turned round, or None.
    rarest: highest rarity bucket told apart.
    """

    schema: Schema
    sizes: tuple[int, ...]
    names: tuple[int, ...]
    order: int | None
    rarest: int

    @classmethod
    def of(cls, schema: Schema, rarest: int = RARITY_BUCKETS - 1) -> Alphabet:
        """The alphabet of a schema."""
        names = tuple(place for place, field in enumerate(schema.fields) if field.kind in NAMES)
        sizes = [len(LEVELS[f.kind]) + 1 + (_NAME_EXTRA if f.kind in NAMES else 0) for f in schema.fields]
        two = schema.index(Kind.FORENAME) is not None and schema.index(Kind.SURNAME) is not None
        if two:
            sizes.append(2)
        return cls(schema, tuple(sizes), names, len(schema) if two else None, min(rarest, RARITY_BUCKETS - 1))

    @property
    def places(self) -> tuple[int, ...]:
        """Columns of fields that change when a person moves."""
        return tuple(place for place, field in enumerate(self.schema.fields) if field.kind in PLACES)

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """First column of every code block in the design matrix, and the end, (columns + 1,)."""
        return np.concatenate([[0], np.cumsum(self.sizes)])

    def block(self, column: int) -> slice:
        """The codes of one column within a table laid end to end."""
        return slice(int(self.starts[column]), int(self.starts[column + 1]))

    def missing(self, column: int) -> int | None:
        """The code that means missing, or None."""
        if column == self.order:
            return None
        return self.sizes[column] - 1 - (TURNED if column in self.names else 0)

    def by_level(self, table: NDArray[np.float64], place: int) -> NDArray[np.float64]:
        """Probabilities of a field's levels from those of its codes, buckets of rarity together."""
        start = self.block(place).start
        known = table[start : start + (self.missing(place) or 0)]
        if place in self.names:
            return np.concatenate([[known[:RARITY_BUCKETS].sum()], known[RARITY_BUCKETS:]])
        return known

    @cached_property
    def groups(self) -> list[slice]:
        """Codes that share one probability of 1: a column's, where names turned round stand apart."""
        found = []
        for column in range(len(self.sizes)):
            block = self.block(column)
            turned = TURNED if column in self.names else 0
            found.append(slice(block.start, block.stop - turned))
            if turned:
                found.append(slice(block.stop - turned, block.stop))
        return found

    def encode(self, levels: NDArray[np.int8], rarity: NDArray[np.int8], crossed: NDArray[np.int8]) -> Codes:
        """Codes of comparison rows, (m, columns).

        levels (m, f), rarity (m, f) and crossed (m, 2) as in model.Comparisons.
        """
        codes = np.empty((len(levels), len(self.sizes)), np.int16)
        turned = self._turned(levels, crossed)
        for place in range(len(self.schema)):
            level = levels[:, place].astype(np.int16)
            missing = self.missing(place)
            assert missing is not None  # noqa: S101  (only the order column has none)
            if place in self.names:
                bucket = np.clip(rarity[:, place], 0, self.rarest)
                codes[:, place] = np.where(level == 0, bucket, level + RARITY_BUCKETS - 1)
            else:
                codes[:, place] = level
            codes[level == MISSING, place] = missing
            if self.order is not None and place in self._two():
                across = crossed[:, self._two().index(place)]
                codes[turned, place] = missing + 1 + across[turned]
        if self.order is not None:
            codes[:, self.order] = turned
        return codes

    def _two(self) -> tuple[int, int]:
        forename, surname = self.schema.index(Kind.FORENAME), self.schema.index(Kind.SURNAME)
        assert forename is not None  # noqa: S101  (order is set only where both are there)
        assert surname is not None  # noqa: S101
        return forename, surname

    def _turned(self, levels: NDArray[np.int8], crossed: NDArray[np.int8]) -> NDArray[np.bool_]:
        if self.order is None:
            return np.zeros(len(levels), bool)
        straight = levels[:, self._two()]
        good = ((crossed >= 0) & (crossed < TURNED)).all(axis=1)
        worse = (straight >= TURNED).any(axis=1) & (straight >= 0).all(axis=1)
        return np.asarray(good & worse & (crossed.sum(axis=1) < straight.sum(axis=1)))

    def keys(self, codes: Codes) -> NDArray[np.int64]:
        """One number a row, the same for equal rows, (m,)."""
        key = np.zeros(len(codes), np.int64)
        for column, size in enumerate(self.sizes):
            key = key * size + codes[:, column]
        return key

    def gaps(self, codes: Codes) -> NDArray[np.int64]:
        """Which fields are missing, as bits: bit place is set where the field is missing, (m,)."""
        bits = np.zeros(len(codes), np.int64)
        for place in range(len(self.schema)):
            bits |= (codes[:, place] == self.missing(place)).astype(np.int64) << place
        return bits

    def design(self, codes: Codes) -> sparse.csr_matrix:
        """One row a pattern with a one for every code it has, (m, sum of sizes)."""
        columns = codes.astype(np.int64) + self.starts[:-1]
        count, width = codes.shape
        pointers = np.arange(0, count * width + 1, width)
        return sparse.csr_matrix((np.ones(count * width), columns.ravel(), pointers), (count, int(self.starts[-1])))


def distinct(codes: Codes, alphabet: Alphabet) -> tuple[Codes, NDArray[np.int64]]:
    """Distinct rows, and for every row the place of its like, in a stable order."""
    _, first, inverse = np.unique(alphabet.keys(codes), return_index=True, return_inverse=True)
    return codes[first], inverse.astype(np.int64)
