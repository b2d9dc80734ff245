"""The audit as text and as a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from linkage.audit.finding import Finding
from linkage.audit.suite import PASS_IS_NO_PROOF, Audit
from linkage.audit.traces import Trace
from linkage.bars import of_names

MEANING = {
    "within the bars": "No attack tried re-identifies more people than the agreement allows.",
    "above the bars": "At least one attack re-identifies more people than the agreement allows: do not send.",
    "inconclusive": "The attacks do not show what they must on codes whose answer is known: this audit says nothing.",
}


ATTACKS = ("attack", "what the attacker was given", "records", "re-identified", "95 % interval", "chance", "bar", "s")
LOOKS = ("package", "what is looked at", "seen", "by chance", "shows")


def audit_text(result: Audit, looks: Sequence[Trace] = ()) -> str:
    """For a terminal. looks: what shows in packages without any truth."""
    table = _columns([ATTACKS, *(_row(each) for each in (*result.bites, *result.findings))], left=2)
    seen = _columns([LOOKS, *(_look(each) for each in looks)], left=4) if looks else []
    lines = [*seen, "", f"{result.encoding}: {result.people:,} people; {result.sampling}", "", *table, ""]
    return "\n".join([*lines, *_sentences(result)]).lstrip("\n")


def _columns(rows: Sequence[tuple[str, ...]], *, left: int) -> list[str]:
    """Rows with their cells one below the other, the first `left` of each ranged left."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def audit_html(result: Audit, looks: Sequence[Trace] = ()) -> str:
    """One self-contained page."""
    from linkage.release.page import render

    return render(
        "audit.html.j2",
        "audit_style.css.j2",
        Path(__file__).parent,
        encoding=result.encoding,
        people=f"{result.people:,}",
        verdict=result.verdict,
        meaning=MEANING[result.verdict],
        sentences=_sentences(result)[1:],
        sampling=result.sampling,
        groups=[
            ("Does the audit bite?", ATTACKS, [(_row(each), each.above) for each in result.bites]),
            ("Attacks", ATTACKS, [(_row(each), each.above) for each in result.findings]),
            *([("What shows in the packages", LOOKS, [(_look(each), False) for each in looks])] if looks else []),
        ],
    )


def _sentences(result: Audit) -> list[str]:
    told = result.distinguished
    across = (
        f"Evidence of one person under two keys differs from chance by {told['tags_z']:.1f} (tags) and "
        f"{told['filters_z']:.1f} (filters) standard errors."
    )
    full = result.fill_correlation
    return [
        f"{result.verdict.upper()}: {MEANING[result.verdict]}",
        result.control,
        *([] if full is None else [f"How full a filter is says how long the record was: rank correlation {full:.2f}."]),
        *([f"Names alone: {of_names(result.names_alone, result.people)}."] if result.names_alone else []),
        across,
        result.leak,
        PASS_IS_NO_PROOF,
    ]


def _look(each: Trace) -> tuple[str, ...]:
    by = "" if each.errors is None else f", {each.errors:.1f} errors"
    return each.where, each.what, each.seen, each.chance, ("yes" if each.shows else "no") + by


def _row(each: Finding) -> tuple[str, ...]:
    return (
        each.name,
        each.given,
        f"{each.records:,}",
        f"{each.share:.2%}",
        f"{each.low:.2%} to {each.high:.2%}",
        f"{each.chance:.2%}",
        "" if each.bar is None else f"{each.bar:.1%}" + (" ABOVE" if each.above else ""),
        f"{each.seconds:.1f}",
    )
