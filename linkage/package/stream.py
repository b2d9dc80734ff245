"""Named arrays as the bytes of one safetensors container, a part at a time.

Arrays come in, parts of one size go out; joined they are a container that `safetensors` reads.
Rule: an array is never copied whole; `save` would hold everything three times, which for a million rows is gigabytes.
What is made of smaller arrays need not be held whole at all.
Source: https://github.com/huggingface/safetensors, section "Format".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

_NAMES = {"bool": "BOOL", "uint": "U", "int": "I", "float": "F"}
_ALIGNED = 8


@dataclass(frozen=True, repr=False)
class Made:
    """An array that is made while it is sent: its element type and shape, and its parts, one after another."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    parts: Callable[[], Iterator[NDArray[Any]]]

    @property
    def nbytes(self) -> int:
        """Its length in bytes."""
        return math.prod(self.shape) * self.dtype.itemsize

    def views(self) -> Iterator[memoryview]:
        """Its bytes. Raises ValueError when the parts are not what was announced."""
        left = self.nbytes
        for part in self.parts():
            if part.dtype != self.dtype or part.shape[1:] != self.shape[1:]:
                raise ValueError("a part is of another type or shape than the array")
            left -= part.nbytes
            yield _bytes(part)
        if left:
            raise ValueError("the parts are more or less than the array")


@dataclass(frozen=True, repr=False)
class Stream:
    """A container to be sent: its length in bytes, and the pieces of memory it consists of, or that make them."""

    length: int
    pieces: tuple[memoryview | Made, ...]

    @classmethod
    def of(cls, data: bytes) -> Stream:
        """Bytes that are there already."""
        return cls(len(data), (memoryview(data),))

    def __bytes__(self) -> bytes:
        return b"".join(self._views())

    def parts(self, size: int) -> Iterator[bytes]:
        """The container's bytes, `size` at a time."""
        held: list[memoryview] = []
        room = size
        for piece in self._views():
            start = 0
            while start < len(piece):
                held.append(piece[start : start + room])
                start += len(held[-1])
                room -= len(held[-1])
                if not room:
                    yield b"".join(held)
                    held.clear()
                    room = size
        if held:
            yield b"".join(held)

    def _views(self) -> Iterator[memoryview]:
        for piece in self.pieces:
            yield from piece.views() if isinstance(piece, Made) else (piece,)


def container(arrays: Mapping[str, NDArray[Any] | Made]) -> Stream:
    """The container of some arrays: the largest elements first, so that each array is aligned, then by name."""
    plain = {name: one if isinstance(one, Made) else _little(one) for name, one in arrays.items()}
    order = sorted(plain, key=lambda name: (-plain[name].dtype.itemsize, name))
    entries: dict[str, object] = {}
    end = 0
    for name in order:
        start, end = end, end + plain[name].nbytes
        dtype, shape = _dtype(plain[name].dtype), list(arrays[name].shape)
        entries[name] = {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}
    text = msgspec.json.encode(entries)
    text += b" " * (-len(text) % _ALIGNED)
    head = len(text).to_bytes(8, "little") + text
    pieces = [one if isinstance(one, Made) else _bytes(one) for one in map(plain.__getitem__, order)]
    return Stream(len(head) + end, (memoryview(head), *pieces))


def _little(array: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<"))


def _bytes(array: NDArray[Any]) -> memoryview:
    return _little(array).reshape(-1).view(np.uint8).data


def _dtype(dtype: np.dtype[Any]) -> str:
    family = _NAMES[dtype.name.rstrip("0123456789")]
    return family if family == "BOOL" else f"{family}{8 * dtype.itemsize}"
