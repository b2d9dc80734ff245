"""Write tables as agencies' systems would: separator, encoding, line ends, workbook.

Columns come in, files go out. Rule: the same columns give the same bytes, whenever and wherever;
nothing is overwritten.
"""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from linkage.errors import OutputExistsError
from linkage.synth.tables import Words

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time a zip archive can hold."""


@dataclass(frozen=True)
class Form:
    """How a file is written; sheet: name of the only sheet of a workbook, "" for CSV."""

    suffix: str = ".csv"
    encoding: str = "utf-8"
    line_end: str = "\n"
    quoting: Literal[0, 1] = csv.QUOTE_MINIMAL
    sheet: str = ""


PLAIN = Form()
FORMS: Mapping[str, Form] = {
    "childrens_services": Form(encoding="utf-8-sig", line_end="\r\n"),
    "police": Form(encoding="cp1252", line_end="\r\n"),
    "mental_health": Form(suffix=".xlsx", sheet="Patients"),
    "drugs_alcohol": Form(encoding="utf-8-sig", line_end="\r\n", quoting=csv.QUOTE_ALL),
    "probation": Form(),
    "housing": Form(encoding="cp1252", line_end="\r\n"),
}
"""How each party's system exports."""


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A folder that appears whole or not at all. Raises OutputExistsError where it already holds anything."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputExistsError("the county's folder is not empty", "name a folder that does not exist yet")
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    part.mkdir()
    try:
        yield part
        if folder.exists():
            folder.rmdir()
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def write_table(path: Path, columns: Mapping[str, Words], form: Form) -> None:
    """Write columns of equal length, header first. Raises FileExistsError where the path is taken."""
    if form.sheet:
        data = _workbook(columns, form.sheet)
        with path.open("xb") as file:
            file.write(data)
        return
    with path.open("x", encoding=form.encoding, errors="replace", newline="") as text:
        writer = csv.writer(text, lineterminator=form.line_end, quoting=form.quoting)
        writer.writerow(columns)
        writer.writerows(zip(*(values.tolist() for values in columns.values()), strict=True))


def _workbook(columns: Mapping[str, Words], sheet: str) -> bytes:
    """Bytes of a workbook with one sheet; dates are real date cells."""
    import openpyxl  # only where a workbook is written

    book = openpyxl.Workbook(write_only=True)
    page = book.create_sheet(sheet)
    page.append(list(columns))
    for row in zip(*(values.tolist() for values in columns.values()), strict=True):
        page.append(row)
    made = io.BytesIO()
    book.save(made)
    return _timeless(made.getvalue())


def _timeless(data: bytes) -> bytes:
    """The same workbook without the moment it was written, which would make every file different."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            body = old.read(entry)
            if entry.filename == "docProps/core.xml":
                body = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2000-01-01T00:00:00Z", body)
            new.writestr(zipfile.ZipInfo(entry.filename, EPOCH), body, zipfile.ZIP_DEFLATED)
    return out.getvalue()
