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
_MOSTLY_NEW, _FEW = 0.8, 1 << 12
"""Of more than so many distinct texts, more than this share of all cells: looking for equal ones does not pay."""


@dataclass(frozen=True, repr=False, eq=False)
class Coded(Sequence[str]):
    """n cells of one column. texts: in order of first appearance; codes: (n,) place of every cell in texts.

    distinct: whether no text stands twice; where a column holds hardly any text twice, it is not looked for.
    """

    texts: Texts
    codes: Codes
    distinct: bool = True

    @staticmethod
    def of(cells: Iterable[str]) -> Coded:
        """The same cells; those that are coded already stay as they are."""
        if isinstance(cells, Coded):
            return cells
        places: dict[str, int] = {}
        codes = [places.setdefault(cell, len(places)) for cell in cells]
        return Coded(Texts.of(places), np.array(codes, np.int32))

    def once(self) -> Coded:
        """The same cells, coded by distinct texts."""
        if self.distinct:
            return self
        coder = Coder()
        codes = coder.add(self.texts.data, self.texts.ends[:-1], np.diff(self.texts.ends))
        return Coded(coder.finish(), codes[self.codes])

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> Coded: ...

    def __getitem__(self, place: int | slice) -> str | Coded:
        if isinstance(place, slice):
            return Coded(self.texts, self.codes[place], self.distinct)
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


class Growing:
    """An array that grows at its end."""

    def __init__(self, kind: type[np.generic]) -> None:
        self.array = np.empty(0, kind)
        self.count = 0

    def make_room(self, more: int) -> None:
        """Room for so many more than `count`."""
        if len(self.array) < self.count + more:
            self.reserve(max(self.count + more, len(self.array) * 5 // 4))

    def reserve(self, whole: int) -> None:
        """Room for so many: what is not filled costs no memory, and growing little by little leaves holes in it."""
        longer = np.empty(max(whole, self.count), self.array.dtype)
        longer[: self.count] = self.array[: self.count]
        self.array = longer

    def extend(self, more: NDArray[Any]) -> None:
        """Put these behind the `count` ones."""
        self.make_room(len(more))
        self.array[self.count : self.count + len(more)] = more
        self.count += len(more)

    def finish(self) -> NDArray[Any]:
        """The `count` ones."""
        self.array.resize(self.count, refcheck=False)
        return self.array


class Coder:
    """Distinct texts so far."""

    def __init__(self) -> None:
        self._ends, self._store, self._hashes = Growing(np.int64), Growing(np.uint8), Growing(np.uint32)
        self._ends.extend(np.zeros(1, np.int64))
        self._slots = np.full(1 << 10, -1, np.int32)

    def __len__(self) -> int:
        return self._ends.count - 1

    def add(self, data: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> Codes:
        """Places of further texts, (n,): text i is data[starts[i]:starts[i] + lengths[i]]."""
        from linkage.intake.kernels import intern, place_again  # loads numba

        self._make_room(lengths)
        self._hashes.make_room(len(lengths))
        room = len(self) + len(lengths)
        if 2 * room > len(self._slots):
            self._slots = np.full(1 << (2 * room - 1).bit_length(), -1, np.int32)
            place_again(self._hashes.array, len(self), self._slots)
        codes = np.empty(len(lengths), np.int32)
        store, ends, hashes = self._store.array, self._ends.array, self._hashes.array
        count = intern(data, starts, lengths, self._slots, hashes, store, ends, len(self), codes)
        self._hashes.count = count
        self._counted(count)
        return codes

    def append(self, data: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> None:
        """Further texts, each as a new one; from then on none can be looked for."""
        from linkage.intake.kernels import append  # loads numba

        self._slots, self._hashes = np.empty(0, np.int32), Growing(np.uint32)
        self._make_room(lengths)
        append(data, starts, lengths, self._store.array, self._ends.array, len(self))
        self._counted(len(self) + len(lengths))

    def expect(self, times: float) -> None:
        """Be ready for so many times the texts there are."""
        self._ends.reserve(int(self._ends.count * times))
        self._store.reserve(int(self._store.count * times))

    def finish(self) -> Texts:
        """The texts, in order of first appearance; nothing can be added any more."""
        del self._slots, self._hashes
        return Texts(self._store.finish(), self._ends.finish())

    def _make_room(self, lengths: NDArray[np.int64]) -> None:
        self._store.make_room(int(lengths.sum()))
        self._ends.make_room(len(lengths))

    def _counted(self, count: int) -> None:
        self._ends.count = count + 1
        self._store.count = int(self._ends.array[count])


class Column:
    """Cells of one column as they are read."""

    def __init__(self) -> None:
        self._coder = Coder()
        self._codes = Growing(np.int32)
        self._distinct = True

    def add(self, data: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> None:
        """Further cells, as in Coder.add."""
        if self._distinct:
            self._codes.extend(self._coder.add(data, starts, lengths))
            self._distinct = len(self._coder) < max(_MOSTLY_NEW * self._codes.count, _FEW)
        else:
            count = len(self._coder)
            self._coder.append(data, starts, lengths)
            self._codes.extend(np.arange(count, len(self._coder), dtype=np.int32))

    def expect(self, times: float) -> None:
        """Be ready for so many times the cells there are."""
        self._codes.reserve(int(self._codes.count * times))
        if not self._distinct:
            self._coder.expect(times)

    def finish(self) -> Coded:
        """All cells."""
        return Coded(self._coder.finish(), self._codes.finish(), self._distinct)
