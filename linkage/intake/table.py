"""A file becomes a Table: named columns of text, and the line of every row.

Rule: every fault of the file is named at once, by line and column, and never by a value.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linkage.errors import ColumnsError, UnreadableFileError
from linkage.intake import text, workbook
from linkage.intake.coder import Coded
from linkage.intake.collector import paused
from linkage.intake.header import AHEAD, Row, check_header, names_of
from linkage.intake.stream import Wanted, read_plain
from linkage.texts import Texts

_START = 1 << 12  # bytes that tell what a file is
_BLOCK = 1 << 12  # rows turned into columns at a time
_LISTED = 20  # faults listed one by one; the rest is counted


@dataclass(frozen=True, repr=False)
class Table:
    """A file as text, column by column.

    columns: distinct names, as the file spells them. cells: per column n texts, stripped, "" where empty, or none where
    the column was not wanted; Coded where they were read from a file.
    lines: (n,) int32 line (of a workbook: row) in the file at which each row begins; the header has line 1.
    """

    columns: tuple[str, ...]
    cells: tuple[Sequence[str], ...]
    lines: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.lines)

    def column(self, name: str) -> Sequence[str]:
        """Cells of the column of that name."""
        return self.cells[self.columns.index(name)]

    def __repr__(self) -> str:
        return f"Table(rows={len(self)}, columns={len(self.columns)})"


def read_table(path: Path, *, sheet: str | None = None, wanted: Wanted | None = None) -> Table:
    """The table a CSV or XLSX file holds; what a file is, its bytes decide and not its name.

    wanted: the columns whose cells are held, all without it; the others only count as cells of their rows.
    Raises UnreadableFileError (cannot be opened, decoded or parsed) or ColumnsError (header, ragged rows).
    """
    with paused():
        return _read(path, sheet, wanted)


def _read(path: Path, sheet: str | None, wanted: Wanted | None) -> Table:
    try:
        with path.open("rb") as file:
            start = file.read(_START)
        if start.startswith(b"PK\x03\x04"):
            return _table(workbook.read_rows(path, sheet), wanted)
        if start.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
            workbook.refuse_old_office(path.read_bytes())
        if start.lstrip()[:200].lower().startswith((b"<html", b"<!doctype", b"<?xml", b"<table")):
            what = "the file is a web page or XML, whatever its name says"
            raise UnreadableFileError(what, "save it as XLSX or as 'CSV UTF-8'")
        if found := read_plain(path, wanted):
            return Table(found.columns, found.cells, found.lines)
        raw = path.read_bytes()
    except OSError as error:
        what = f"{path.name} cannot be opened: {error.strerror}"
        raise UnreadableFileError(what, "check its path and your rights") from None
    if not raw.strip():
        raise UnreadableFileError("the file is empty", "export the table again")
    return _table(text.read_rows(raw), wanted)


def from_frame(frame: Any) -> Table:
    """The table a pandas frame holds; an index that has a name, or is not just a count, becomes the first column.

    Lines are those of the CSV that the frame would be written to: 2 for the first row.
    Raises ColumnsError for columns without name or with the same name.
    """
    if any(frame.index.names) or type(frame.index).__name__ != "RangeIndex":
        # pandas names an index without name "index" or "level_0".
        frame = frame.reset_index()
    columns = [str(name).strip() for name in frame.columns]
    faults = [f"column {place + 1} has no name" for place, name in enumerate(columns) if not name]
    faults += [f"column {place + 1} repeats a name" for place, name in enumerate(columns) if name in columns[:place]]
    if faults:
        raise ColumnsError(faults[0], "give every column one name", faults)
    series = [frame.iloc[:, place] for place in range(len(columns))]
    cells = tuple([workbook.cell_text(_plain(value)).strip() for value in one] for one in series)
    return Table(tuple(columns), cells, np.arange(2, len(frame) + 2, dtype=np.int32))


def _plain(value: Any) -> Any:
    # pandas' own missing value has no truth of being equal to itself; its time stamps are datetimes already.
    return None if type(value).__name__ == "NAType" else value


def _table(rows: Iterable[Row], wanted: Wanted | None) -> Table:
    rows = iter(rows)
    ahead = list(islice(rows, AHEAD))
    if not ahead:
        raise UnreadableFileError("the file is empty", "export the table again")
    if not ahead[0][1][-1].strip():  # what stands below a last column without a name says whether it is one
        ahead += rows
    width = _width(ahead)
    header: Row = (ahead[0][0], list(ahead[0][1][:width]))
    check_header([header, *ahead[1:AHEAD]])
    lines, ragged = array("i"), list[tuple[int, int]]()
    names = names_of(header[1])
    held = names if wanted is None else wanted(names)
    columns = [_Cells() for _ in names]
    below = chain(ahead[1:], rows)
    while block := list(islice(below, _BLOCK)):
        ragged += [(line, len(cells)) for line, cells in block if len(cells) < width or _beyond(cells, width)]
        lines.extend(line for line, _ in block)
        if not ragged:
            by_column = zip(*(cells for _, cells in block), strict=False)
            for name, column, cells in zip(names, columns, by_column, strict=False):
                if name in held:
                    column.add(cells)
    if ragged:
        raise _ragged(ragged, len(lines), width)
    return Table(names, tuple(column.finish() for column in columns), np.array(lines, dtype=np.int32))


class _Cells:
    """One column as it is read."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._codes = array("i")

    def add(self, cells: Iterable[str]) -> None:
        """Further cells, to be stripped."""
        places = self._places
        self._codes.extend([places.setdefault(cell.strip(), len(places)) for cell in cells])

    def finish(self) -> Coded:
        """All cells."""
        return Coded(Texts.of(self._places), np.array(self._codes, np.int32))


def _width(rows: list[Row]) -> int:
    """Columns of the header, less trailing ones without a name that hold nothing (a delimiter at each line's end)."""
    header = rows[0][1]
    width = len(header)
    while width > 1 and not header[width - 1].strip() and not any(_beyond(cells, width - 1) for _, cells in rows[1:]):
        width -= 1
    return width


def _beyond(cells: Sequence[str], width: int) -> bool:
    return len(cells) > width and "".join(cells[width:]).strip() != ""


def _ragged(ragged: list[tuple[int, int]], rows: int, width: int) -> ColumnsError:
    details = [f"line {line}: {count} cells" for line, count in ragged[:_LISTED]]
    if len(ragged) > _LISTED:
        details.append(f"and {len(ragged) - _LISTED:,} more rows")
    return ColumnsError(
        f"{len(ragged):,} of {rows:,} rows do not have {width} cells, first at line {ragged[0][0]}",
        "a cell that holds the delimiter or a line break needs quotation marks; delete lines below the table",
        details,
    )
