"""Texts become places in a list of distinct ones, which grows as a file is read and never holds a text twice.

Rule: a column of n cells is its distinct texts and n numbers; nothing below it keeps a str per row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from linkage.texts import Texts

Codes = NDArray[np.int32]


@dataclass(frozen=True, repr=False, eq=False)
class Coded(Sequence[str]):
    """n cells of one column. texts: distinct ones, in order of first appearance; codes: (n,) place of every cell."""

    texts: Texts
    codes: Codes

    @staticmethod
    def of(cells: Iterable[str]) -> Coded:
        """The same cells; those that are coded already stay as they are."""
        if isinstance(cells, Coded):
            return cells
        places: dict[str, int] = {}
        codes = [places.setdefault(cell, len(places)) for cell in cells]
        return Coded(Texts.of(places), np.array(codes, np.int32))

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> Coded: ...

    def __getitem__(self, place: int | slice) -> str | Coded:
        if isinstance(place, slice):
            return Coded(self.texts, self.codes[place])
        return self.texts[int(self.codes[place])]

    def __iter__(self) -> Iterator[str]:
        return map(tuple(self.texts).__getitem__, self.codes.tolist())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str) or not isinstance(other, Sequence) or len(self) != len(other):
            return False
        return all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # equal to lists, which have none

    def __repr__(self) -> str:
        return f"Coded({len(self)})"


class Coder:
    """Distinct texts so far."""

    def __init__(self) -> None:
        self.count = 0
        self._ends = np.zeros(1, np.int64)
        self._store = np.empty(0, np.uint8)
        self._hashes = np.empty(0, np.uint32)
        self._slots = np.full(1 << 10, -1, np.int32)

    def add(self, data: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> Codes:
        """Places of further texts, (n,): text i is data[starts[i]:starts[i] + lengths[i]]."""
        from linkage.intake.kernels import intern, place_again  # loads numba

        room = self.count + len(starts)
        self._store = _grown(self._store, int(self._ends[self.count]) + int(lengths.sum()))
        self._ends = _grown(self._ends, room + 1)
        self._hashes = _grown(self._hashes, room)
        if 2 * room > len(self._slots):
            self._slots = np.full(1 << (2 * room - 1).bit_length(), -1, np.int32)
            place_again(self._hashes, self.count, self._slots)
        codes = np.empty(len(starts), np.int32)
        self.count = intern(
            data, starts, lengths, self._slots, self._hashes, self._store, self._ends, self.count, codes
        )
        return codes

    def finish(self) -> Texts:
        """The distinct texts, in order of first appearance; nothing can be added any more."""
        ends, store = self._ends, self._store
        del self._slots, self._hashes, self._ends, self._store
        ends.resize(self.count + 1, refcheck=False)
        store.resize(int(ends[-1]), refcheck=False)
        return Texts(store, ends)


def _grown(array: NDArray[Any], room: int) -> NDArray[Any]:
    """The array with at least so much room, made longer in place where that can be."""
    if len(array) < room:
        array.resize(max(room, len(array) * 5 // 4), refcheck=False)
    return array
