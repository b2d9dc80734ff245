"""Tell a header from a person.

Rows come in as (line, cells); the checked header goes out, or every reason why there is none.
Rule: a file without a header has a person in its first line, so a cell is quoted only where it is made of column words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from linkage.errors import ColumnsError
from linkage.intake.usual import bare, known

Row = tuple[int, Sequence[str]]
"""A row and the line of the file at which it begins, 1 the first."""

AHEAD = 50
"""Rows read before a header is judged."""
_LOOKED_AT = 20  # rows searched for the real header below titles
_DATE = re.compile(r"\d{1,4}[-/. ](\d{1,2}|[A-Za-z]{3,9})[-/. ]\d{1,4}([T ].*)?")
_POSTCODE = re.compile(r"[A-Za-z]{1,2}\d[A-Za-z\d]? ?\d[A-Za-z]{2}")
_HOUSE = re.compile(r"\d+[A-Za-z]?[ ,]+\S.*")
_SINGLE = frozenset(
    (
        *("m", "f", "male", "female", "man", "woman", "mr", "mrs", "miss", "ms", "mx", "dr"),
        *("unknown", "null", "none", "true", "false", "yes", "no"),
    )
)


def names_of(cells: Sequence[str]) -> tuple[str, ...]:
    """Names of columns as they are kept, single spaces in them."""
    return tuple(" ".join(cell.split()) for cell in cells)


def looks_like_data(cell: str) -> bool:
    """Whether a cell of a would-be header is rather a value: a date, number, postcode, address, sex or title."""
    text = cell.strip()
    if not text:
        return False
    if text.lower() in _SINGLE or "@" in text or not any(character.isalpha() for character in text):
        return True
    if _DATE.fullmatch(text) or _POSTCODE.fullmatch(text) or _HOUSE.fullmatch(text):
        return True
    return sum(character.isdigit() for character in text) >= 4 and not known(text)


def believable(cells: Sequence[str]) -> bool:
    """Whether a row is surely a header: none of its cells a value, two and at least half made of column words."""
    filled = [cell for cell in cells if cell.strip()]
    if any(looks_like_data(cell) for cell in filled):
        return False
    made = sum(known(cell) for cell in filled)
    return made >= 2 and 2 * made >= len(filled)


def _unmistakable(cells: Sequence[str]) -> bool:
    return believable(cells) and len(cells) > 2 and all(known(cell) for cell in cells)


def shown(columns: Sequence[str], place: int) -> str:
    """A column as a message may name it: its header where that is surely one, else its place, 1 the first."""
    name = columns[place]
    if len(name) <= 40 and believable(columns) and known(name):
        return f"'{name}'"
    return f"column {place + 1}"


def check_header(rows: Sequence[Row]) -> None:
    """Make sure that the first row is a header.

    Raises ColumnsError with every fault at once, and the line that looks like the header where another does.
    """
    line, cells = rows[0]
    names = [cell.strip() for cell in cells]
    faults = []
    data = [place + 1 for place, name in enumerate(names) if looks_like_data(name)]
    if data:
        faults.append(f"line {line}: {_places(data)} {_hold(data)} a value, not a name: the file may have no header")
    unnamed = [place + 1 for place, name in enumerate(names) if not name]
    if unnamed:
        faults.append(f"line {line}: {_places(unnamed)} {_have(unnamed)} no name")
    count = Counter(bare(name) or name for name in names if name)
    for name in [name for name, times in count.items() if times > 1]:
        same = [place + 1 for place, other in enumerate(names) if (bare(other) or other) == name]
        faults.append(f"line {line}: {_places(same)} have the same name")
    # Below a header without fault only one of nothing but column words counts: "To" and "Case" are surnames, too.
    surely = believable if faults else _unmistakable
    better = next((number for number, row in rows[1:_LOOKED_AT] if surely(row)), None)
    if better is not None:
        faults.append(f"line {better} looks like the header")
    if not faults:
        return
    hint = (
        f"keep one header row: delete the lines above line {better}, unmerge its cells, and give every column one name"
        if better is not None
        else "give the file one header row in its first line, with one name for each column"
    )
    raise ColumnsError(faults[0] if len(faults) == 1 else "the header is not in order", hint, faults)


def _places(places: list[int]) -> str:
    if len(places) == 1:
        return f"column {places[0]}"
    listed = [str(place) for place in places[:12]]
    more = [] if len(places) <= 12 else [f"{len(places) - 12} more"]
    return f"columns {', '.join(listed + more)}"


def _hold(places: list[int]) -> str:
    return "holds" if len(places) == 1 else "each hold"


def _have(places: list[int]) -> str:
    return "has" if len(places) == 1 else "have"
