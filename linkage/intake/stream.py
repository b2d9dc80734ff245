"""A CSV without fault becomes coded columns, a block at a time, however long it is.

A file comes in; a header, columns and lines go out, or None. Rule: only what is beyond doubt is read here. Whatever is
not, a fault above all, is left to the careful reader (text.py, table.py), which names every one of them.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from linkage.errors import ColumnsError, UnreadableFileError
from linkage.intake import text
from linkage.intake.coder import Coded, Column, Growing
from linkage.intake.header import AHEAD, Row, check_header, names_of

BLOCK = 1 << 21
"""Bytes read at a time."""
_SPARE = 1.02  # of what the first block says of the whole file
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
Wanted = Callable[[tuple[str, ...]], Collection[str]]
"""Told the names of all columns, says which are wanted."""


@dataclass(frozen=True, repr=False)
class Streamed:
    """What a Table holds; see there."""

    columns: tuple[str, ...]
    cells: tuple[Coded, ...]
    lines: NDArray[np.int32]


@dataclass(frozen=True, repr=False)
class Block:
    """Cells of some rows: of wanted column k and row i, data[starts[k, i]:starts[k, i] + lengths[k, i]].

    data: (b,) UTF-8; starts, lengths: (k, r); lines: (r,).
    """

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    lines: NDArray[np.int32]


class Taker(Protocol):
    """What becomes of a file that is read."""

    @property
    def wanted(self) -> Sequence[str]:
        """Columns whose cells it takes, in the file's order."""

    def take(self, block: Block) -> None:
        """The next rows."""


Begin = Callable[[tuple[str, ...], int], Taker | None]
"""Told the names of all columns, and how many rows there will be, more or less; None to read no further."""


@dataclass(frozen=True)
class _Head:
    """What the first rows say. width: cells of the header; skipped: rows before the first of data."""

    columns: tuple[str, ...]
    width: int
    skipped: int
    dialect: text.Dialect


def read_plain(path: Path, wanted: Wanted | None) -> Streamed | None:
    """The table of a CSV, or None where anything in it is at fault, doubtful, or not made for reading in blocks.

    Raises OSError where the file cannot be read.
    """
    whole: list[_Whole] = []

    def begin(columns: tuple[str, ...], rows: int) -> Taker:
        whole.append(_Whole(columns, columns if wanted is None else wanted(columns), rows))
        return whole[0]

    return whole[0].finish() if walk(path, begin) else None


class _Whole:
    """Takes all cells of a file into memory. rows: how many to expect."""

    def __init__(self, columns: tuple[str, ...], wanted: Collection[str], rows: int) -> None:
        self.wanted = [name for name in columns if name in wanted]
        self._columns, self._rows = columns, rows
        self._coders = [Column() for _ in self.wanted]
        self._lines = Growing(np.int32)

    def take(self, block: Block) -> None:
        for nth, coder in enumerate(self._coders):
            coder.add(block.data, block.starts[nth], block.lengths[nth])
            if not self._lines.count and 0 < len(block.lines) < self._rows:
                coder.expect(_SPARE * self._rows / len(block.lines))
        self._lines.extend(block.lines)

    def finish(self) -> Streamed:
        made = dict(zip(self.wanted, self._coders, strict=True))
        cells = tuple(made[name].finish() if name in made else Coded.of(()) for name in self._columns)
        return Streamed(self._columns, cells, self._lines.finish())


def walk(path: Path, begin: Begin) -> bool:
    """Read a CSV, a block at a time; whether it was read to its end.

    It is not where anything in it is at fault, doubtful, or not made for reading in blocks, or where nobody takes it.
    Raises OSError where the file cannot be read.
    """
    with path.open("rb") as file:
        try:
            return _read(_blocks(file), begin, path.stat().st_size)
        except (UnreadableFileError, ColumnsError):
            return False


def _read(blocks: Iterator[tuple[bytes, bool]], begin: Begin, size: int) -> bool:
    data, whole = next(blocks)
    head = None if data.startswith(_MARKS) else _head(data)
    taker = head and begin(head.columns, _rows_of(data, size))
    if not head or not taker:
        return False
    slots = np.full(head.width, -1, np.int32)
    slots[[head.columns.index(name) for name in taker.wanted]] = np.arange(len(taker.wanted))
    data, skipped, line = data[head.dialect.skipped :], head.skipped, head.dialect.line
    while True:
        found = _split(data, head.dialect.delimiter, slots, whole, line)
        if found is None:
            return False
        rows = slice(skipped, found.rows)
        taker.take(Block(found.data, found.starts[:, rows], found.lengths[:, rows], found.lines[rows]))
        skipped, line = max(skipped - found.rows, 0), found.line
        if whole:
            return True
        more, whole = next(blocks)
        data = data[found.taken :] + more


def _rows_of(data: bytes, size: int) -> int:
    """How many rows a file of so many bytes has, if all are like its first block."""
    ends = data.count(b"\n") or data.count(b"\r")
    return int((ends + 1) * size / max(len(data), 1))


@dataclass(frozen=True, repr=False)
class _Split:
    """Cells of the rows of one block, as kernels.split gives them."""

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    lines: NDArray[np.int32]
    rows: int
    taken: int
    line: int


def _split(data: bytes, delimiter: str, slots: NDArray[np.int32], whole: bool, line: int) -> _Split | None:
    from linkage.intake.kernels import ODD, look, split  # loads numba

    most = look(np.frombuffer(data, np.uint8))[0] + 1
    starts, lengths = np.empty((2, int((slots >= 0).sum()), most), np.int64)
    lines = np.empty(most, np.int32)
    copy = np.frombuffer(bytearray(data), np.uint8)
    rows, taken, line, how = split(copy, ord(delimiter), slots, whole, line, starts, lengths, lines)
    return None if how == ODD else _Split(copy, starts, lengths, lines, rows, taken, line)


def _head(data: bytes) -> _Head | None:
    """What the first block says of the file; None where its header is not in order. Raises UnreadableFileError."""
    dialect = text.dialect_of(data)
    rows = islice(text.parse(data, dialect), AHEAD + 1)
    underlined: list[Row] = []
    ahead = list(text.without_underline(rows, underlined.append))
    if len(ahead) < 2 or not ahead[0][1][-1].strip():
        return None
    check_header(ahead[:AHEAD])
    columns = names_of(ahead[0][1])
    return _Head(columns, len(columns), 1 + len(underlined), dialect)


def _blocks(file: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Blocks of whole lines as UTF-8, and whether the file ends with each. Raises UnreadableFileError."""
    rest = file.read(BLOCK).removeprefix(codecs.BOM_UTF8)
    while more := file.read(BLOCK):
        cut = rest.rfind(b"\n") + 1
        if cut:
            yield text.utf8_lines(rest[:cut]), False
        rest = rest[cut:] + more
    yield text.utf8_lines(rest), True
