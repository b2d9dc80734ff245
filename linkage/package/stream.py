"""Named arrays as the bytes of one safetensors container, a part at a time, and what its head says.

Arrays come in, parts of one size go out; joined they are a container that `safetensors` reads. How they come back is
in `arriving`.
Rule: nothing is held twice; `save` and `load` would hold everything three times, which for a million rows is gigabytes.
What is made of smaller arrays need not be held whole at all.
Source: https://github.com/huggingface/safetensors, section "Format".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

_NAMES = {"bool": "BOOL", "uint": "U", "int": "I", "float": "F"}
_ALIGNED = 8
_TYPES = {
    "BOOL": "?", "U8": "<u1", "U16": "<u2", "U32": "<u4", "U64": "<u8", "I8": "<i1", "I16": "<i2", "I32": "<i4",
    "I64": "<i8", "F16": "<f2", "F32": "<f4", "F64": "<f8",
}  # fmt: skip


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

    def whole(self) -> NDArray[Any]:
        """All of it at once."""
        return np.concatenate([np.empty((0, *self.shape[1:]), self.dtype), *self.parts()])

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

    def padded(self) -> Stream:
        """The same with zeros behind it, up to a step of lengths."""
        length = padded_length(self.length)
        return Stream(length, (*self.pieces, memoryview(bytes(length - self.length))))

    def parts(self, size: int) -> Iterator[bytes]:
        """The container's bytes, `size` at a time."""
        part = BytesIO()  # what is written is copied at once: the pieces of a part need not be held until it is full
        for piece in self._views():
            start = 0
            while start < len(piece):
                start += part.write(piece[start : start + size - part.tell()])
                if part.tell() == size:
                    yield _emptied(part)
        if part.tell():
            yield _emptied(part)

    def _views(self) -> Iterator[memoryview]:
        for piece in self.pieces:
            yield from piece.views() if isinstance(piece, Made) else (piece,)


def _emptied(part: BytesIO) -> bytes:
    """What was written; nothing here holds it any longer."""
    data = part.getvalue()
    part.seek(0)
    part.truncate()
    return data


def padded_length(length: int) -> int:
    """The least step at or above a length: of its binary digits only as many are left as its size needs digits.

    At most 12 % more, 2 % for what fills a part; of a length, who carries a package learns little more than its order.
    Source: Nikitin, Barman, Lueks, Underwood, Hubaux & Ford 2019, "Reducing metadata leakage from encrypted files and
    communication with PURBs", section 4 (Padme).
    """
    size = max(length, 2).bit_length() - 1
    step = 1 << (size - size.bit_length())
    return -(-length // step) * step


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


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the head says of one array."""

    dtype: str
    shape: tuple[Annotated[int, Meta(ge=0)], ...]
    data_offsets: tuple[int, int]


@dataclass(frozen=True)
class Entry:
    """An array of a container that comes: its type and shape, and where in the container its bytes are."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    start: int
    stop: int

    @property
    def nbytes(self) -> int:
        """Its length in bytes."""
        return self.stop - self.start


def read_head(head: bytes) -> dict[str, Entry]:
    """The arrays of a container that begins so, in the order of their bytes.

    head: its first bytes, up to the first array. Raises ValueError unless the arrays stand end to end.
    """
    try:
        said = msgspec.json.decode(head[8:], type=dict[str, _Entry])
    except (msgspec.MsgspecError, RecursionError):
        raise ValueError("the head cannot be read") from None
    end, entries = 0, {}
    for name, entry in sorted(said.items(), key=lambda named: named[1].data_offsets):
        if entry.dtype not in _TYPES:
            raise ValueError("there is no such type of numbers")
        dtype = np.dtype(_TYPES[entry.dtype])
        start, stop = entry.data_offsets
        if start != end or stop - start != math.prod(entry.shape) * dtype.itemsize:
            raise ValueError("bytes belong to no array, or to several")
        entries[name], end = Entry(dtype, entry.shape, len(head) + start, len(head) + stop), stop
    return entries
