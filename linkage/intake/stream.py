"""A CSV without fault becomes coded columns, a block at a time, however long it is.

A file comes in; a header, columns and lines go out, or None. Rule: only what is beyond doubt is read here. Whatever is
not, a fault above all, is left to the careful reader (text.py, table.py), which names every one of them.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from linkage.errors import LinkageError
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
    with path.open("rb") as file:
        try:
            return _read(_blocks(file), wanted, path.stat().st_size)
        except LinkageError:
            return None


def _read(blocks: Iterator[tuple[bytes, bool]], wanted: Wanted | None, size: int) -> Streamed | None:
    data, whole = next(blocks)
    head = None if data.startswith(_MARKS) else _head(data)
    if head is None:
        return None
    held = head.columns if wanted is None else wanted(head.columns)
    coders = [Column() if name in held else None for name in head.columns]
    lines = Growing(np.int32)
    slots = np.full(head.width, -1, np.int32)
    slots[[coder is not None for coder in coders]] = np.arange(sum(coder is not None for coder in coders))
    data, skipped, line = data[head.dialect.skipped :], head.skipped, head.dialect.line
    while True:
        found = _split(data, head.dialect.delimiter, slots, whole, line)
        if found is None:
            return None
        rows = slice(skipped, found.rows)
        lines.extend(found.lines[rows])
        for coder, slot in zip(coders, slots.tolist(), strict=True):
            if coder:
                coder.add(found.data, found.starts[slot, rows], found.lengths[slot, rows])
                if line == head.dialect.line and not whole:
                    coder.expect(_SPARE * size / max(found.taken, 1))
        skipped, line = max(skipped - found.rows, 0), found.line
        if whole:
            break
        more, whole = next(blocks)
        data = data[found.taken :] + more
    cells = tuple(coder.finish() if coder else Coded.of(()) for coder in coders)
    return Streamed(head.columns, cells, lines.finish())


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
