"""Bytes of a CSV become rows with the lines they begin at.

Rule: encoding and delimiter are decided from the whole file or by trial parsing, never by guessing from one quoted cell
(the standard library's Sniffer takes a delimiter inside quotes for the real one; see docs/decisions/0002).
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from linkage.errors import UnreadableFileError
from linkage.intake.header import Row

_DELIMITERS = ",;\t|"
_SAMPLE_ROWS = 200
_SAMPLE_BYTES = 1 << 20
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
_LINE_END = re.compile(rb"\r\n|\r|\n")
_MANY = 1000
_STATED = re.compile(r'"?sep=(.)"?(\r\n|\r|\n)', re.IGNORECASE)
_SAVE = "save it from the spreadsheet as 'CSV UTF-8', or as XLSX"


@dataclass(frozen=True)
class Dialect:
    """How a CSV is written. skipped: bytes before its first row; line: of the file, at which that row stands."""

    delimiter: str
    skipped: int = 0
    line: int = 1


def read_rows(raw: bytes) -> Iterator[Row]:
    """Rows of a CSV file, blank ones left out, each with its line in the file (1 the first), as they are read.

    Raises UnreadableFileError where the bytes are no text, or quotation marks do not pair.
    """
    data = utf8(raw)
    return without_underline(parse(data, dialect_of(data)))


def without_underline(rows: Iterable[Row], tell: Callable[[Row], object] = lambda _: None) -> Iterator[Row]:
    """The rows without a second one of dashes, with which SQL Server underlines its header; `tell` is told of it."""
    for number, row in enumerate(rows):
        if number != 1 or any(cell.strip("- ") for cell in row[1]):
            yield row
        else:
            tell(row)


def utf8(raw: bytes) -> bytes:
    """The text of the bytes as UTF-8: UTF-16 by its mark, else each line UTF-8 or, where it is not, Windows-1252.

    Raises UnreadableFileError.
    """
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):  # Excel's "Unicode Text"
        text = _try(raw, "utf-16")
        if text is None:
            raise UnreadableFileError("the file says that it is UTF-16 and is not", _SAVE)
        return text.removeprefix("\ufeff").encode()
    return utf8_lines(raw.removeprefix(codecs.BOM_UTF8).removesuffix(b"\x1a")).removeprefix(codecs.BOM_UTF8)


def utf8_lines(raw: bytes) -> bytes:
    """Whole lines as UTF-8: each line UTF-8 or, where it is not, Windows-1252.

    Deciding line by line reads files that were glued together from both. Raises UnreadableFileError.
    """
    from linkage.intake.kernels import look  # loads numba

    _, strange = look(np.frombuffer(raw, np.uint8))
    if strange:
        _refuse_bytes(raw)
    return raw if raw.isascii() or _try(raw, "utf-8") is not None else _line_by_line(raw).encode()


def dialect_of(data: bytes) -> Dialect:
    """How UTF-8 text is written; its first line may say so. Raises UnreadableFileError as delimiter_of."""
    head = data[:40].decode("utf-8", "ignore")
    stated = _STATED.match(head)  # Excel's own first line that names the delimiter
    if stated:
        return Dialect(stated[1], len(head[: stated.end()].encode()), 2)
    return Dialect(delimiter_of(data[:_SAMPLE_BYTES]))


def delimiter_of(data: bytes) -> str:
    """The delimiter under which most of the first rows have the same number of cells, more than one.

    Raises UnreadableFileError where none gives more than one column.
    """
    best, score = "", (0.0, 0)
    for delimiter in _DELIMITERS:
        widths: Counter[int] = Counter()
        reader = csv.reader(_lines(data), delimiter=delimiter)
        try:
            widths.update(len(row) for row in islice(reader, _SAMPLE_ROWS) if row)
        except csv.Error:
            continue
        width, times = max(widths.items(), key=lambda pair: (pair[1], pair[0]), default=(0, 0))
        found = (times / max(widths.total(), 1), width)
        if width > 1 and found > score:
            best, score = delimiter, found
    if not best:
        raise UnreadableFileError(
            "no comma, semicolon, tab or bar divides the lines into columns",
            "is this a CSV or XLSX file? Export the table again with a delimiter",
        )
    return best


def _lines(data: bytes) -> io.TextIOWrapper:
    # Decoded as it is read: a str of the whole file, or StringIO with its four bytes a character, would not be small.
    return io.TextIOWrapper(io.BytesIO(data), "utf-8", newline="")


def parse(data: bytes, dialect: Dialect) -> Iterator[Row]:
    """Rows of UTF-8 text, blank ones left out. Raises UnreadableFileError where quotation marks do not pair."""
    reader = csv.reader(_lines(data[dialect.skipped :]), delimiter=dialect.delimiter, strict=True)
    line = dialect.line
    try:
        for cells in reader:
            if "".join(cells).strip():
                yield line, cells
            line = reader.line_num + dialect.line
    except csv.Error:
        raise UnreadableFileError(
            f"the quotation marks of the row that begins at line {line} do not pair",
            "close or double the quotation mark in that row, or export the table again",
        ) from None


def _refuse_bytes(raw: bytes) -> None:
    found = list(islice(_CONTROL.finditer(raw), _MANY))
    first = len(_LINE_END.findall(raw, 0, found[0].start())) + 1
    many = f"{_MANY:,} or more" if len(found) == _MANY else f"{len(found):,}"
    raise UnreadableFileError(f"{many} bytes cannot be text (such as NUL), first at line {first}", _SAVE)


def _try(raw: bytes, encoding: str) -> str | None:
    # Errors are raised by the caller, outside: a UnicodeDecodeError carries the bytes it failed on.
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None


def _line_by_line(raw: bytes) -> str:
    lines: list[str] = []
    bad: list[int] = []
    for number, line in enumerate(raw.splitlines(keepends=True), start=1):
        text = _try(line, "utf-8")
        text = _try(line, "cp1252") if text is None else text
        if text is None:
            bad.append(number)
        else:
            lines.append(text)
    if bad:
        raise UnreadableFileError(
            f"{len(bad):,} lines are neither UTF-8 nor Windows-1252, first at line {bad[0]}",
            _SAVE,
            [f"line {number}" for number in bad[:20]],
        )
    return "".join(lines)
