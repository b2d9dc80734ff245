"""The worklist as one CSV: opened links come in, bytes for a spreadsheet or a case system go out (R26).

UTF-8 with byte-order mark, CRLF, comma, every body cell quoted. One row per link, keyed on the authority's child id.
Spreadsheets rewrite what looks like a number, a date or a formula. Quoting does not stop them, so any cell they would
rewrite begins with one apostrophe, the sign for "text" that every spreadsheet user knows; `plain` takes it off again.
ISO dates stay bare: they are unambiguous, and every spreadsheet reads them as the day they say.
Rule: order by due date, child and agency; no count, rank or score of flags exists (R18).
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable

from linkage.release import sentences
from linkage.release.flags import prompts, shown_flags
from linkage.release.links import LinkView, RunSummary, in_order, is_date
from linkage.vocabulary import Vocabulary

COLUMNS = (
    "child_id",
    "case_id",
    "due_date",
    "relation",
    "paternity",
    "link_id",
    "found_on",
    "expires",
    "band",
    "agency",
    "contact_desk",
    "agreement",
    "flags",
    "prompts",
    "caution",
    "about_the_search",
    "decision",
    "reason",
    "decided_by",
)
"""Columns in order; the last three are for the person who decides (R25) and leave here empty."""

NOTHING_FOUND = "nothing found"
"""Band of the one row, without a child id, of a run without links: an empty list must not read as a clearance."""

TEXT_SIGN = "'"

# First characters that start a formula, with their full-width twins, and those that importers strip before they look.
_FORMULA = frozenset("=+-@|%\t\r\n＝＋－＠")
_BREAKING = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_INTEGER = re.compile(r"0|[1-9][0-9]{0,14}")  # a spreadsheet keeps 15 digits
_MONTHS = tuple(name.lower() for name in sentences.MONTHS)
# The letters of a number, a time, a truth value or a date; a cell with no other letters might be rewritten.
_REWRITTEN = frozenset(
    {"", "e", "d", "a", "p", "am", "pm", "true", "false", "sept", *_MONTHS, *(m[:3] for m in _MONTHS)}
)


def worklist_csv(
    links: Iterable[LinkView], summary: RunSummary, vocabulary: Vocabulary, *, test_mode: bool = False
) -> bytes:
    """The worklist of one run, byte-identical for the same links in any order (R36).

    A run without links gives one row with an empty child id and the band "nothing found" (R29).
    Raises ReleaseError when a flag is outside the vocabulary.
    """
    caution = " ".join(f"{headline} {more}" for headline, more in sentences.CAUTION) + f" {sentences.BASE_RATE}"
    if test_mode:
        caution = f"{sentences.TEST} {caution}"
    search = sentences.search_statement(summary)
    rows = [_row(link, vocabulary, caution, search) for link in in_order(links)]
    if not rows:
        rows = [{"band": NOTHING_FOUND, "caution": caution, "about_the_search": search}]
    out = io.StringIO(newline="")
    # The header is bare: programmes that overlook the byte-order mark would keep quotes in the first name.
    out.write(",".join(COLUMNS) + "\r\n")
    body = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    body.writerows([guarded(row.get(column, "")) for column in COLUMNS] for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def guarded(text: str) -> str:
    """One line that a spreadsheet shows as it is written: no control characters, no formula, no number rewritten."""
    text = one_line(text)
    return TEXT_SIGN + text if _would_change(text) else text


def plain(cell: str) -> str:
    """What `guarded` was given, up to control characters; for case systems that read the CSV."""
    return cell.removeprefix(TEXT_SIGN)


def one_line(text: str) -> str:
    """A text without control and direction-changing characters, each replaced by a space; trimmed."""
    return "".join(
        " " if char in _TURNING or unicodedata.category(char) in _BREAKING else char for char in text
    ).strip()


def _would_change(text: str) -> bool:
    if not text or is_date(text) or _INTEGER.fullmatch(text):
        return False
    if text[0] in _FORMULA or text[0] == TEXT_SIGN:
        return True
    letters = "".join(char for char in text if char.isalpha()).lower()
    return letters in _REWRITTEN


def _row(link: LinkView, vocabulary: Vocabulary, caution: str, search: str) -> dict[str, str]:
    anchor, flags = link.anchor, shown_flags(link, vocabulary)
    return {
        "child_id": anchor.child_id,
        "case_id": anchor.case_id,
        "due_date": sentences.due(anchor),
        "relation": sentences.relation(anchor),
        "paternity": sentences.paternity(anchor),
        "link_id": link.link_id,
        "found_on": link.found_on.isoformat(),
        "expires": link.expires.isoformat(),
        "band": link.band.value,
        "agency": link.agency_title,
        "contact_desk": link.contact_desk,
        "agreement": "; ".join(f"{field.title}: {field.words}" for field in link.agreement),
        "flags": "; ".join(flag.in_one_line() for flag in flags) or sentences.why_no_flags(link),
        "prompts": "; ".join(prompts(flags)),
        "caution": caution,
        "about_the_search": search,
    }
