"""Rows of an XLSX workbook, values only.

Rule: what Excel holds as a date or a whole number comes out as the text a person would have typed, an error as nothing.
"""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from linkage.errors import UnreadableFileError
from linkage.intake.header import Row

_MAX_UNPACKED = 2 << 30  # bytes; more is no agency's list of people but a zip bomb
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def cell_text(value: Any) -> str:
    """Text of one cell of a workbook or frame: ISO dates, whole numbers without '.0', nothing for nothing."""
    if value is None or value != value:  # noqa: PLR0124 - NaN and NaT are the values that differ from themselves
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def refuse_old_office(raw: bytes) -> None:
    """Say what an OLE file is: a workbook behind a password, or one of before 2007."""
    if _ENCRYPTED in raw:
        raise UnreadableFileError(
            "the workbook is protected by a password", "save a copy without password on this machine, and use that"
        )
    raise UnreadableFileError("the file is of Office 97 to 2003 (.xls)", "save it as XLSX or as 'CSV UTF-8'")


def read_rows(path: Path, sheet: str | None) -> list[Row]:
    """Rows of one sheet with their row numbers, blank rows left out; cells beyond the last filled one of all are cut.

    sheet: its name; may be left out where only one sheet holds anything. Raises UnreadableFileError.
    """
    from python_calamine import CalamineWorkbook, SheetTypeEnum

    raw = path.read_bytes()
    _check_zip(raw)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(raw))
        tables = [one.name for one in book.sheets_metadata if one.typ == SheetTypeEnum.WorkSheet]
        sheets = tables if sheet is None else [one for one in tables if one == sheet]
        found = [rows for rows in (list(_rows(book, one)) for one in sheets) if rows]
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # noqa: BLE001 - any fault inside a foreign workbook, a panic too, means the same; may quote a cell
        raise UnreadableFileError("the workbook is damaged", "open it in the spreadsheet and save it again") from None
    if not sheets:
        raise UnreadableFileError("the workbook has no sheet of that name", "check the spelling of the sheet's name")
    if not found:
        raise UnreadableFileError("the workbook is empty", "choose the sheet that holds the table")
    if len(found) > 1:
        raise UnreadableFileError(f"{len(found)} sheets of the workbook hold something", "name the sheet to read")
    width = max(_filled(cells) for _, cells in found[0])
    return [(line, [*cells[:width], *[""] * (width - len(cells))]) for line, cells in found[0]]


def _check_zip(raw: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        raise UnreadableFileError("the workbook is damaged", "open it in the spreadsheet and save it again") from None
    if "xl/workbook.xml" not in names:
        raise UnreadableFileError(
            "the file is a zip, but no XLSX workbook", "unpack it, or save the table as XLSX or CSV"
        )
    if size > _MAX_UNPACKED:
        raise UnreadableFileError("the workbook unpacks to more than 2 GB", "export the table as CSV")


def _rows(book: Any, sheet: str) -> Iterator[Row]:
    rows = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)  # else lines would be counted from the first
    for line, cells in enumerate(rows, start=1):
        texts = [cell_text(cell) for cell in cells]
        if "".join(texts).strip():
            yield line, texts


def _filled(cells: Any) -> int:
    return max((place + 1 for place, cell in enumerate(cells) if cell.strip()), default=0)
