"""The report of one run, for `linkage demo` and `linkage rehearse`: a self-contained page, or text for a terminal.

A dict of numbers comes in, one text goes out. Every part of the dict may be absent:

    title, run, date, test, agreement {title, digest}, notes [sentence]
    parties     [{name, title, steps [{step, what, count}]}]
    candidates  {count, possible, recall}
    pairs, best {precision, recall, f1, correct, false, missed}
    calibration {ece, bins [{predicted, observed, count}]}
    bands       {name: count} or {name: {count, true, false}}
    errors      {false_links, missed_links: {expected, low, high, true}}
    rules       {rule: {true, false}}
    groups      [{name, count, missed_rate, false_rate, alarm}]
    seconds     {step: seconds}

Shares are in [0, 1]. Rule: numbers about many people; a report that leaves has them rounded (R42).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from linkage.release.page import render
from linkage.release.sentences import TEST, rounded
from linkage.report.cells import Bin, Section
from linkage.report.sections import figures, sections, trimmed


def run_report_html(data: Mapping[str, Any], *, leaves: bool = False) -> str:
    """The report as one HTML page that loads nothing. leaves: counts under 5 suppressed, others rounded to 5 (R42)."""
    return render(
        "run_report.html.j2",
        "run_report_style.css.j2",
        Path(__file__).parent,
        heading=_heading(data),
        facts=_facts(data),
        notes=list(data.get("notes") or ()),
        test=bool(data.get("test")),
        test_words=TEST,
        figures=figures(data, _count(leaves)),
        sections=[(section, points(section.bins)) for section in _sections(data, leaves)],
    )


def run_report_text(data: Mapping[str, Any], *, leaves: bool = False) -> str:
    """The same report in plain text, columns aligned, ending with one line break."""
    lines = [_heading(data), *(f"{label}: {value}" for label, value in _facts(data))]
    if data.get("test"):
        lines.insert(0, TEST)
    lines += list(data.get("notes") or ())
    for section in _sections(data, leaves):
        lines += ["", section.title, f"  {section.reading}", *_table(section)]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Point:
    """One bin on the chart, in units of its view box: 100 to a side, y downwards."""

    x: float
    y: float
    radius: float
    label: str


def points(bins: tuple[Bin, ...]) -> list[Point]:
    """Chart points; the radius grows with the logarithm of the pairs, so that small bins are still seen."""
    return [
        Point(
            round(100 * each.predicted, 2),
            round(100 - 100 * each.observed, 2),
            round(1.0 + 0.5 * math.log10(max(each.count, 1)), 2),
            f"predicted {each.predicted:.3f}, true share {each.observed:.3f}",
        )
        for each in bins
    ]


def _sections(data: Mapping[str, Any], leaves: bool) -> list[Section]:
    return [trimmed(section) for section in sections(data, _count(leaves))]


def _count(leaves: bool) -> Any:
    return rounded if leaves else "{:,}".format


def _heading(data: Mapping[str, Any]) -> str:
    return str(data.get("title") or "Report of a linkage run")


def _facts(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    agreement = data.get("agreement") or {}
    facts = [
        ("Run", data.get("run")),
        ("Date", data.get("date")),
        ("Agreement", agreement.get("title")),
        ("Digest", agreement.get("digest")),
    ]
    return [(label, str(value)) for label, value in facts if value]


def _table(section: Section) -> list[str]:
    head = [tuple(section.head)] if any(section.head) else []
    texts = head + [tuple(cell.text for cell in row) for row in section.rows]
    widths = [max(len(row[place]) for row in texts) for place in range(len(section.head))]
    right = [all(row[place].number for row in section.rows) for place in range(len(section.head))]
    return [
        "  " + "  ".join(t.rjust(w) if r else t.ljust(w) for t, w, r in zip(row, widths, right, strict=True)).rstrip()
        for row in texts
    ]
