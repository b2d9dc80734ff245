"""Named arrays as the bytes of one safetensors container, a part at a time.

Arrays come in, parts of one size go out; joined they are a container that `safetensors` reads.
Rule: an array is never copied whole; `save` would hold everything three times, which for a million rows is gigabytes.
Source: https://github.com/huggingface/safetensors, section "Format".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

_NAMES = {"bool": "BOOL", "uint": "U", "int": "I", "float": "F"}
_ALIGNED = 8


@dataclass(frozen=True, repr=False)
class Stream:
    """A container to be sent: its length in bytes, and the pieces of memory it consists of."""

    length: int
    pieces: tuple[memoryview, ...]

    @classmethod
    def of(cls, data: bytes) -> Stream:
        """Bytes that are there already."""
        return cls(len(data), (memoryview(data),))

    def __bytes__(self) -> bytes:
        return b"".join(self.pieces)

    def parts(self, size: int) -> Iterator[bytes]:
        """The container's bytes, `size` at a time."""
        held: list[memoryview] = []
        room = size
        for piece in self.pieces:
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


def container(arrays: Mapping[str, NDArray[Any]]) -> Stream:
    """The container of some arrays: the largest elements first, so that each array is aligned, then by name."""
    plain = {name: np.ascontiguousarray(one, one.dtype.newbyteorder("<")) for name, one in arrays.items()}
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
    pieces = (memoryview(head), *(plain[name].reshape(-1).view(np.uint8).data for name in order))
    return Stream(len(head) + end, pieces)


def _dtype(dtype: np.dtype[Any]) -> str:
    family = _NAMES[dtype.name.rstrip("0123456789")]
    return family if family == "BOOL" else f"{family}{8 * dtype.itemsize}"
