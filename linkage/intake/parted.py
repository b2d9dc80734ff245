"""A CSV too long to be held becomes several tables, each of random people and of all rows that one of them has.

A file comes in, tables go out, one at a time, put on a shelf meanwhile. Rule: a row goes where its id says, by a keyed
hash, so that every part is a file of its own: ids, and what belongs to a person, stand in one of them. Whatever is in
doubt or at fault is read whole instead (table.py), which names every fault.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from linkage.intake.coder import Coded, Coder, Column
from linkage.intake.stream import Block, walk
from linkage.intake.table import Table
from linkage.shelf import Held, HeldMany, Shelf
from linkage.texts import Texts

ROWS = 1 << 18
"""Rows of a part, more or less."""
_BUFFER = 1 << 25  # bytes of rows that wait to be put away


class Plan(NamedTuple):
    """What of a file is wanted. id: the column of ids; dates: columns of dates, of which all parts decide together."""

    wanted: Collection[str]
    id: str
    dates: Collection[str]


Planned = Callable[[tuple[str, ...]], Plan]
"""Told the names of all columns, says what is wanted."""


@dataclass(frozen=True, repr=False)
class Parted:
    """A file in parts. dates: distinct texts of its columns of dates, each by its name."""

    columns: tuple[str, ...]
    parts: tuple[Held[Table], ...]
    dates: dict[str, Texts]

    def __repr__(self) -> str:
        return f"Parted(parts={len(self.parts)})"


def read_parts(
    path: Path,
    planned: Planned,
    seed: Callable[[], int],
    shelf: Shelf,
    parts: int | None = None,
    tell: Callable[[int, int], None] = lambda *_: None,
) -> Parted | None:
    """A CSV in as many parts as its length asks for; None where one is enough, or it must be read whole.

    So it must where a column of ids or dates is not there, for whoever reads it whole says so.

    seed: gives 64 bits when they are needed, which say, with its id, where a row belongs. parts: how many, if that is
    settled. tell: told how many rows are read, of about how many. Raises OSError where the file cannot be read.
    """
    found: list[_Dealer] = []

    def begin(columns: tuple[str, ...], rows: int) -> _Dealer | None:
        count = -(-rows // ROWS) if parts is None else parts
        plan = planned(columns) if count > 1 else None
        if plan is None or not {plan.id, *plan.dates} <= set(columns):
            return None
        found.append(_Dealer(columns, plan, seed(), count, shelf, lambda done: tell(done, rows)))
        return found[0]

    return found[0].finish() if walk(path, begin) else None


class _Piece(NamedTuple):
    """Some rows of a part, as in a Block, their cells end to end: lengths (k, r), lines (r,)."""

    data: NDArray[np.uint8]
    lengths: NDArray[np.int32]
    lines: NDArray[np.int32]


class _Dealer:
    """Deals rows to parts."""

    def __init__(
        self,
        columns: tuple[str, ...],
        plan: Plan,
        seed: int,
        parts: int,
        shelf: Shelf,
        tell: Callable[[int], None],
    ) -> None:
        wanted = {*plan.wanted, plan.id, *plan.dates}
        self.wanted = [name for name in columns if name in wanted]
        self._columns, self._seed, self._shelf = columns, np.uint64(seed), shelf
        self._id = self.wanted.index(plan.id)
        self._dates = {name: Coder() for name in plan.dates}
        self._waiting: list[list[_Piece]] = [[] for _ in range(parts)]
        self._put: list[HeldMany[list[_Piece]]] = []
        self._tell, self._rows, self._bytes = tell, 0, 0

    def take(self, block: Block) -> None:
        """Deal the next rows."""
        from linkage.intake.kernels_parted import deal, gather  # loads numba

        for name, coder in self._dates.items():
            nth = self.wanted.index(name)
            coder.add(block.data, block.starts[nth], block.lengths[nth])
        rows, kinds = len(block.lines), len(self.wanted)
        order, bounds = np.empty(rows, np.int64), np.zeros(len(self._waiting) + 1, np.int64)
        deal(block.data, block.starts[self._id], block.lengths[self._id], self._seed, order, bounds)
        lengths = np.empty(rows * kinds, np.int32)
        data = np.empty(int(block.lengths.sum()), np.uint8)
        ends = np.zeros(len(bounds), np.int64)
        gather(block.data, block.starts, block.lengths, order, bounds, lengths, data, ends)
        lines = block.lines[order]
        for part, waiting in enumerate(self._waiting):
            start, stop = bounds[part : part + 2]
            shape = kinds, stop - start
            piece = data[ends[part] : ends[part + 1]], lengths[start * kinds : stop * kinds].reshape(shape)
            waiting.append(_Piece(*piece, lines[start:stop]))
        self._rows += rows
        self._tell(self._rows)
        self._bytes += data.nbytes + lengths.nbytes + lines.nbytes
        if self._bytes > _BUFFER:
            self._put_away()

    def _put_away(self) -> None:
        self._put.append(self._shelf.put_all(self._waiting))
        self._waiting, self._bytes = [[] for _ in self._waiting], 0

    def finish(self) -> Parted:
        """All of the file."""
        self._put_away()
        parts = tuple(
            partial(_table, self._columns, self.wanted, self._put, part) for part in range(len(self._waiting))
        )
        return Parted(self._columns, parts, {name: coder.finish() for name, coder in self._dates.items()})


def _table(columns: tuple[str, ...], wanted: Sequence[str], put: Sequence[HeldMany[list[_Piece]]], part: int) -> Table:
    """A part as a table."""
    made, lines = {name: Column() for name in wanted}, [np.empty(0, np.int32)]
    for load in put:
        for piece in load(part):
            ends = np.cumsum(piece.lengths.ravel(), dtype=np.int64).reshape(piece.lengths.shape)
            for nth, column in enumerate(made.values()):
                lengths = piece.lengths[nth].astype(np.int64)
                column.add(piece.data, ends[nth] - lengths, lengths)
            lines.append(piece.lines)
    cells = tuple(made[name].finish() if name in made else Coded.of(()) for name in columns)
    return Table(columns, cells, np.concatenate(lines))
