"""What an agency says about its men, in the vocabulary's words alone.

A long file (local_id, code, basis, date or recency, status; role optional) comes in, Flags by local id go out.
Rule: no other column is let in, for it could hold what no agreement covers (R5); a flag with a gap is refused (R19).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from functools import cache, partial

from linkage.errors import FlagsError
from linkage.intake import dates
from linkage.intake.cell import to_ascii
from linkage.intake.header import shown
from linkage.intake.table import Table
from linkage.intake.usual import bare
from linkage.model import Flag
from linkage.vocabulary import Vocabulary
from linkage.words import nearest

_LISTED = 100  # faults listed one by one
COLUMNS = ("local_id", "code", "basis", "date", "recency", "status", "role")
_NEEDED = ("local_id", "code", "basis", "status")


def read_flags(
    table: Table,
    vocabulary: Vocabulary,
    local_ids: Collection[str],
    today: dt.date,
    dated: Collection[str] | None = None,
) -> dict[str, tuple[Flag, ...]]:
    """Flags by local id, in the vocabulary's order, none twice.

    local_ids: of the agency's people; a flag about anybody else is a fault. dated: all dates of the file, of which the
    table is a part; None where it is all of it. Raises FlagsError with every fault and its line at once; texts of the
    file are never repeated, only the nearest word that is known (R21).
    """
    cells = _columns(table)
    known = frozenset(cells["local_id"]).intersection(local_ids)
    order = dates.order_of(set(cells["date"]) if dated is None else dated)
    faults: list[str] = []
    if order is None:
        faults.append("whether day or month comes first in the dates is open: write dates as yyyy-mm-dd")
    # Rows are many and what they say is little: each thing said is judged once.
    judged = cache(partial(_faults, vocabulary))
    recent = cache(partial(_recency, vocabulary, order or "dmy", today))
    made = cache(partial(_flag, vocabulary))
    flags: dict[str, list[Flag]] = {}
    for line, local_id, code, basis, date, recency, status, role in zip(table.lines, *cells.values(), strict=True):
        band, wrong = recent(date, recency)
        wrong = (*_stranger(local_id, known), *judged(code, role, basis, status), *wrong)
        if not wrong:
            flags.setdefault(local_id, []).append(made(code, basis, band, status))
        faults += [f"line {line}: {fault}" for fault in wrong]
    if faults:
        more = [f"and {len(faults) - _LISTED:,} more faults"] if len(faults) > _LISTED else []
        raise FlagsError(
            faults[0] if len(faults) == 1 else f"{len(faults):,} faults in the flags",
            "every flag needs a known code, basis, date or recency, and status",
            [*faults[:_LISTED], *more],
        )
    place = {code: number for number, code in enumerate(vocabulary.by_code)}
    return {one: tuple(sorted(dict.fromkeys(held), key=lambda flag: place[flag.code])) for one, held in flags.items()}


def columns_of(names: Sequence[str]) -> dict[str, str]:
    """By column of a flag file, how one that has these columns spells it."""
    named = {bare(name): name for name in COLUMNS}
    return {named[bare(name)]: name for name in names if bare(name) in named}


def _columns(table: Table) -> dict[str, Sequence[str]]:
    """Cells by column, empty where a column that may be absent is. Raises FlagsError for any other column."""
    spelt = columns_of(table.columns)
    found = {name: table.columns.index(as_spelt) for name, as_spelt in spelt.items()}
    strange = [place for place, name in enumerate(table.columns) if name not in spelt.values()]
    faults = [f"{shown(table.columns, place)} is no column of a flag file and is not let in" for place in strange]
    faults += [f"column '{name}' is missing" for name in _NEEDED if name not in found]
    if "date" not in found and "recency" not in found:
        faults.append("column 'date' or 'recency' is missing")
    if faults:
        raise FlagsError(faults[0], f"a flag file has the columns {', '.join(COLUMNS)} and no other", faults)
    empty = [""] * len(table)
    cells: dict[str, Sequence[str]] = {name: table.cells[found[name]] if name in found else empty for name in COLUMNS}
    plain, capitals = ("local_id", "date"), cache(to_ascii)
    return {name: list(column) if name in plain else [*map(capitals, column)] for name, column in cells.items()}


def _stranger(local_id: str, known: frozenset[str]) -> list[str]:
    if local_id in known:
        return []
    return ["the local id is not in the agency's file" if local_id else "no local id"]


def _faults(vocabulary: Vocabulary, code: str, role: str, basis: str, status: str) -> list[str]:
    """What is wrong with a flag, whoever it is about and whenever it was."""
    meant, faults = vocabulary.by_code.get(code), []
    if not code:
        faults.append("no code")
    elif meant is None:
        faults.append(f"the code is not in the vocabulary; {vocabulary.suggestion(code)}")
    elif not meant.on:
        faults.append(f"the code {code} is switched off in this vocabulary")
    elif role and role != meant.role:
        faults.append(f"the role contradicts the code {code}, whose role is {meant.role}")
    return [
        *faults,
        *_listed("basis", basis, vocabulary.names("bases")),
        *_listed("status", status, vocabulary.names("statuses")),
    ]


def _recency(
    vocabulary: Vocabulary, order: str, today: dt.date, date: str, recency: str
) -> tuple[str, tuple[str, ...]]:
    """The recency band of a flag and what is wrong with it; a date decides, a stated band must agree."""
    if not date:
        return recency, (*_listed("date or recency", recency, vocabulary.names("recency")),)
    found = dates.day(date, order, today)
    if not found:
        return "", ("the date is no date",)
    if found > today.isoformat():
        return "", ("the date is in the future",)
    band = band_of(dt.date.fromisoformat(found), vocabulary, today)
    if recency and recency != band:
        return band, (f"the recency contradicts the date, which is {band}",)
    return band, ()


def _flag(vocabulary: Vocabulary, code: str, basis: str, band: str, status: str) -> Flag:
    return Flag(code, vocabulary.by_code[code].role, basis, band, status)


def band_of(date: dt.date, vocabulary: Vocabulary, today: dt.date) -> str:
    """The recency band of a past date: the first whose years, counted to the same day, it has not left."""
    age = today.year - date.year - ((today.month, today.day) < (date.month, date.day))
    for band in sorted((one for one in vocabulary.recency if one.years is not None), key=lambda one: one.years or 0):
        if age < (band.years or 0):
            return band.name
    return next(one.name for one in vocabulary.recency if one.years is None)


def _listed(what: str, word: str, known: tuple[str, ...]) -> list[str]:
    if not word:
        return [f"no {what}"]
    return [] if word in known else [f"the {what} is not in the vocabulary; {nearest(word, known)}"]
