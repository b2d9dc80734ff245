"""How each row of an anchor file attaches a man to a child (R2, R47, R48).

Rows come in, Anchors go out, one a row; a man with several children has several.
Rule: an anchor without child is refused, and what a column says of him is one of a few public words.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from linkage.intake.cell import bare, is_placeholder, to_ascii
from linkage.intake.coder import Coded
from linkage.intake.dates import day
from linkage.intake.mapping import AnchorColumns
from linkage.intake.table import Table
from linkage.model import Anchor

RELATIONS = {
    "FATHER": ("FATHER", "BIRTHFATHER", "BIOLOGICALFATHER", "NATURALFATHER", "DAD", "PUTATIVEFATHER", "PARENT"),
    "STEPFATHER": ("STEPFATHER", "STEPDAD", "STEPPARENT"),
    "PARTNER": ("PARTNER", "MOTHERSPARTNER", "PARTNEROFMOTHER", "BOYFRIEND", "HUSBAND", "COHABITEE", "FIANCE"),
    "OTHER": ("OTHER", "MALECARER", "CARER", "UNCLE", "GRANDFATHER", "EXPARTNER", "LODGER", "FRIEND"),
}
CERTAINTIES = {
    "CONFIRMED": ("CONFIRMED", "REGISTERED", "DNA", "BIRTHCERTIFICATE", "YES", "Y", "CERTAIN"),
    "STATED": ("STATED", "STATEDBYMOTHER", "REPORTED", "SELFREPORTED", "NAMED"),
    "ASSUMED": ("ASSUMED", "PRESUMED", "PUTATIVE", "POSSIBLE", "SUSPECTED", "ALLEGED"),
    "UNKNOWN": ("UNKNOWN", "UNCERTAIN", "NOTKNOWN", "NO", "N", "DISPUTED"),
}


def read_anchors(table: Table, columns: AnchorColumns, order: str, today: dt.date, faults: list[str]) -> list[Anchor]:
    """The anchor of every row; what cannot be read is added to faults, with its line and without its text."""
    empty = [""] * len(table)

    def read(column: str, what: str, parse: Callable[[str], str | None]) -> list[str]:
        cells = Coded.of(table.column(column) if column else empty)
        parsed, codes = [parse(text) for text in cells.texts], cells.codes.tolist()
        bad = [int(table.lines[row]) for row, code in enumerate(codes) if parsed[code] is None]
        if bad:
            more = f" and {len(bad) - 1:,} more" if len(bad) > 1 else ""
            faults.append(f"{what}, at line {bad[0]}{more}")
        return [parsed[code] or "" for code in codes]

    child = read(columns.child_id, "a row without child id", lambda text: text or None)
    case = read(columns.case_id, "", lambda text: text)
    due = read(columns.due_date, "a due date that is no date", lambda text: _due(text, order, today))
    relation = read(columns.relation, f"a relation that is none of {', '.join(RELATIONS)}", _word_of(RELATIONS, ""))
    certainty = read(
        columns.paternity, f"a paternity that is none of {', '.join(CERTAINTIES)}", _word_of(CERTAINTIES, "UNKNOWN")
    )
    return [Anchor(*one) for one in zip(child, case, due, relation, certainty, strict=True)]


def _due(text: str, order: str, today: dt.date) -> str | None:
    return "" if is_placeholder(to_ascii(text)) else day(text, order, today) or None


def _word_of(words: dict[str, tuple[str, ...]], missing: str) -> Callable[[str], str | None]:
    known = {form: word for word, forms in words.items() for form in forms}

    def read(text: str) -> str | None:
        raw = to_ascii(text)
        return known.get(bare(raw), missing if is_placeholder(raw) else None)

    return read
