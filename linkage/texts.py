"""Many short texts held as one run of bytes: a tenth of what Python's own strings weigh.

Rule: it reads like a tuple of str, and every repr shows counts only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import overload

import numpy as np
from numpy.typing import NDArray

_BLOCK = 1 << 14  # texts decoded or encoded at a time


@dataclass(frozen=True, repr=False, eq=False)
class Texts(Sequence[str]):
    """n texts. data: UTF-8, text after text; ends: (n + 1,) int64; text i is data[ends[i]:ends[i + 1]]."""

    data: NDArray[np.uint8]
    ends: NDArray[np.int64]

    @staticmethod
    def of(texts: Iterable[str]) -> Texts:
        """These texts, in their order; taken from an iterator, they are never all held as str."""
        parts, lengths = [b""], [np.zeros(1, np.int64)]
        rest = iter(texts)
        while block := [text.encode() for text in islice(rest, _BLOCK)]:
            parts.append(b"".join(block))
            lengths.append(np.fromiter(map(len, block), np.int64, len(block)))
        return Texts(np.frombuffer(b"".join(parts), np.uint8), np.cumsum(np.concatenate(lengths)))

    @staticmethod
    def join(parts: Sequence[Texts]) -> Texts:
        """All texts of some parts, one part after the other."""
        lengths = [np.zeros(1, np.int64), *(np.diff(part.ends) for part in parts)]
        data = [np.empty(0, np.uint8), *(part.data[part.ends[0] : part.ends[-1]] for part in parts)]
        return Texts(np.concatenate(data), np.cumsum(np.concatenate(lengths)))

    def __len__(self) -> int:
        return len(self.ends) - 1

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> Texts: ...

    def __getitem__(self, place: int | slice) -> str | Texts:
        if isinstance(place, slice):
            start, stop, step = place.indices(len(self))
            if step != 1:
                return self.take(np.arange(start, stop, step))
            ends = self.ends[start : max(start, stop) + 1]
            return Texts(self.data[ends[0] : ends[-1]], ends - ends[0])
        place = range(len(self))[place]
        return self.data[self.ends[place] : self.ends[place + 1]].tobytes().decode()

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), _BLOCK):
            ends = self.ends[start : start + _BLOCK + 1]
            block = self.data[ends[0] : ends[-1]].tobytes()
            places = (ends - ends[0]).tolist()
            if block.isascii():
                text = block.decode()
                yield from (text[begin:end] for begin, end in pairwise(places))
            else:
                yield from (block[begin:end].decode() for begin, end in pairwise(places))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Texts):
            return np.array_equal(self.ends, other.ends) and np.array_equal(self.data, other.data)
        if isinstance(other, str) or not isinstance(other, Sequence) or len(self) != len(other):
            return False
        return all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # equal to lists, which have none

    def holding(self, character: str) -> NDArray[np.bool_]:
        """Which texts hold an ASCII character, (n,)."""
        return np.greater(self._counted(self.data == ord(character)), 0)

    def characters(self) -> NDArray[np.int64]:
        """How many characters each text has, (n,)."""
        return self._counted(self.data & 0xC0 != 0x80)  # all bytes but those that go on with a character

    def _counted(self, which: NDArray[np.bool_]) -> NDArray[np.int64]:
        before = np.concatenate([[0], np.cumsum(which)])[self.ends]
        return np.diff(before)

    def take(self, places: NDArray[np.integer]) -> Texts:
        """The texts at some places (m,), in that order."""
        first = self.ends[places]
        lengths = self.ends[places + 1] - first
        ends = np.concatenate([[0], np.cumsum(lengths)])
        data = np.empty(ends[-1], np.uint8)
        for start in range(0, len(places), _BLOCK):  # a byte's place takes eight
            some = slice(start, start + _BLOCK)
            begin, stop = ends[start], ends[min(start + _BLOCK, len(places))]
            data[begin:stop] = self.data[
                np.arange(begin, stop) - np.repeat(ends[:-1][some] - first[some], lengths[some])
            ]
        return Texts(data, ends)

    def __repr__(self) -> str:
        return f"Texts({len(self)})"
