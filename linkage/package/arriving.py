"""The parts of one safetensors container, come in any order, as the arrays they are.

Parts come in, arrays go out, of some only the elements that are wanted. Rule: nothing is held twice. A part is let go
once its bytes are in their place; where rows are chosen that is at once if the parts come as `best_order` says.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linkage.package.stream import Entry, padded_length, read_head

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, repr=False)
class Rows:
    """Arrays with a row a code, of which some rows are wanted.

    codes: name of the array of codes; beside: names of the others. choose: given the codes, says which rows, ascending.
    Where these arrays are not all there and of one length, nothing is chosen and all rows come.
    """

    codes: str
    beside: tuple[str, ...]
    choose: Callable[[NDArray[Any]], NDArray[np.int64]]


@dataclass(frozen=True, repr=False)
class Places:
    """Which elements of an array are wanted: places (k,), ascending, among those of its first `axes` axes.

    Where the array has fewer of them, all come.
    """

    places: NDArray[np.int64]
    axes: int = 1

    def fit(self, shape: tuple[int, ...]) -> bool:
        """Whether an array of such a shape has them."""
        return len(shape) >= self.axes and (not len(self.places) or self.places[-1] < math.prod(shape[: self.axes]))


Wanted = Rows | Mapping[str, Places]
"""What is wanted: rows that are chosen once their codes are there, or by array elements that are known before."""


def best_order(part: int) -> int:
    """What to sort parts by, so that none is held: the first has the head; the codes stand near the end."""
    return 0 if part == 1 else -part + (1 << 32)


class Arriving:
    """A container on its way. What is wrong with it is said by `arrays`, when all of it should be there."""

    def __init__(self, wanted: Wanted | None = None) -> None:
        self._wanted: Wanted = {} if wanted is None else wanted
        self._room: _Room | None = None
        self._held: dict[int, bytes] = {}
        self._next, self._last = 1, 0  # numbers of the parts that come next from the front, and from the back
        self._front, self._back = 0, 0  # bytes up to here, and from here on, have come
        self._problem: Exception | None = None

    def add(self, part: int, parts: int, piece: bytes) -> None:
        """Take in a part, one of so many."""
        self._held[part] = piece
        del piece
        try:
            self._settle(parts)
        except (TypeError, ValueError, OverflowError, MemoryError) as problem:
            self._problem = self._problem or problem

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All arrays by name.

        Raises ValueError unless the parts are one container, of arrays alone, of which every byte belongs to one
        array, and behind it as many zeros as `padded` puts there.
        """
        if self._problem or self._room is None or self._front != self._back:
            raise ValueError("bytes are missing, or belong to no array") from self._problem
        return self._room.arrays()

    def _settle(self, parts: int) -> None:
        """Put away every part that adjoins what was put away before."""
        if self._room is None:
            length = self._beginning(8)
            head = length and self._beginning(8 + int.from_bytes(length, "little"))
            if not head:
                return
            self._room = _Room(head, self._wanted)
            self._back, self._last = padded_length(self._room.end), parts
        while (piece := self._held.pop(self._next, None)) is not None:
            self._room.put(piece, self._front)
            self._front, self._next = self._front + len(piece), self._next + 1
        while (piece := self._held.pop(self._last, None)) is not None:
            self._back, self._last = self._back - len(piece), self._last - 1
            self._room.put(piece, self._back)

    def _beginning(self, size: int) -> bytes | None:
        """The first bytes, or None while they are not all here."""
        found, part = bytearray(), 1
        while len(found) < size:
            if part not in self._held:
                return None
            found += memoryview(self._held[part])[: size - len(found)]
            part += 1
        return bytes(found)


class _Room:
    """Room for the arrays of a container, and what waits until it is known which of their rows are wanted.

    end: where the arrays' bytes end.
    """

    def __init__(self, head: bytes, wanted: Wanted) -> None:
        self._entries = entries = read_head(head)
        self.end = max((entry.stop for entry in entries.values()), default=len(head))
        rows = wanted if isinstance(wanted, Rows) else None
        self._rows = rows if rows and _go_together(entries, rows) else None
        self._late = self._rows.beside if self._rows else ()
        known = {} if isinstance(wanted, Rows) else wanted
        self._places = {
            name: known[name] for name in known.keys() & entries.keys() if known[name].fit(entries[name].shape)
        }
        self._arrays = {name: self._empty(name) for name in entries if name not in self._late}
        self._left = entries[self._rows.codes].nbytes if self._rows else 0
        self._chosen = np.empty(0, np.int64)
        self._waiting: list[tuple[Bytes, int]] = []
        self._choose()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All arrays, once all bytes were put."""
        if self._rows is None:
            return self._arrays
        return self._arrays | {self._rows.codes: self._arrays[self._rows.codes][self._chosen]}

    def put(self, piece: bytes, at: int) -> None:
        """Bytes of the container, from `at` on, which were not put before."""
        some = np.frombuffer(piece, np.uint8)
        if some[max(self.end - at, 0) :].any():
            raise ValueError("bytes belong to no array")
        for name in self._arrays:
            self._fill(name, some, at)
        if self._late:
            self._waiting.append((some, at))
            self._choose()

    def _choose(self) -> None:
        """Choose rows, once all codes are there, and put what waited for that."""
        if self._rows is None or not self._late or self._left:
            return
        self._chosen = self._rows.choose(self._arrays[self._rows.codes])
        self._places |= {name: Places(self._chosen) for name in self._late}
        self._arrays |= {name: self._empty(name) for name in self._late}
        while self._waiting:
            some, at = self._waiting.pop()
            for name in self._late:
                self._fill(name, some, at)
        self._late = ()

    def _empty(self, name: str) -> NDArray[Any]:
        """Room for an array, or for what is wanted of it."""
        wanted, shape = self._places.get(name), self._entries[name].shape
        if wanted:
            shape = (len(wanted.places), *shape[wanted.axes :])
        return np.empty(shape, self._entries[name].dtype)

    def _fill(self, name: str, piece: Bytes, at: int) -> None:
        """Put those bytes of an array that are in a piece in their place."""
        entry = self._entries[name]
        first, stop = max(entry.start, at), min(entry.stop, at + len(piece))
        if first >= stop:
            return
        some, place = piece[first - at : stop - at], first - entry.start
        room = self._arrays[name].reshape(-1).view(np.uint8)
        if wanted := self._places.get(name):
            width = entry.nbytes // math.prod(entry.shape[: wanted.axes])
            fill_rows(room.reshape(-1, width), wanted.places, some, place)
            return
        room[place : place + len(some)] = some
        if self._rows and name == self._rows.codes:
            self._left -= len(some)


def _go_together(entries: Mapping[str, Entry], rows: Rows) -> bool:
    """Whether the arrays are all there, of one length."""
    names = {rows.codes, *rows.beside}
    return names <= entries.keys() and len({entries[name].shape[:1] for name in names} - {()}) == 1


def fill_rows(room: Bytes, chosen: NDArray[np.int64], piece: Bytes, at: int) -> None:
    """Of the rows of which a piece has bytes, put those chosen in their place.

    room: (k, width); chosen: (k,) ascending; at: where the piece begins among the bytes of all rows.
    """
    width, end = room.shape[1], at + len(piece)
    first, last = -(-at // width), end // width  # of the rows that are whole
    if first < last:
        begin, stop = np.searchsorted(chosen, [first, last])
        rows = piece[first * width - at : last * width - at].reshape(-1, width)
        np.take(rows, chosen[begin:stop] - first, axis=0, out=room[begin:stop], mode="clip")  # "raise" would copy
    for row in {at // width, end // width} - set(range(first, last)):
        place = int(np.searchsorted(chosen, row))
        if place < len(chosen) and chosen[place] == row:
            begin, stop = max(at, row * width), min(end, (row + 1) * width)
            room[place, begin - row * width : stop - row * width] = piece[begin - at : stop - at]
