"""The audit as text and as a page."""

from __future__ import annotations

from pathlib import Path

from linkage.audit.finding import Finding
from linkage.audit.suite import PASS_IS_NO_PROOF, Audit

MEANING = {
    "within the bars": "No attack tried re-identifies more people than the agreement allows.",
    "above the bars": "At least one attack re-identifies more people than the agreement allows: do not send.",
    "inconclusive": "The attacks do not show what they must on codes whose answer is known: this audit says nothing.",
}


def audit_text(result: Audit) -> str:
    """For a terminal."""
    rows: list[tuple[str, ...]] = [
        ("attack", "what the attacker was given", "records", "re-identified", "95 % interval", "chance", "bar", "s")
    ]
    rows += [_row(each) for each in (*result.bites, *result.findings)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    table = [
        "  ".join(cell.ljust(width) if place < 2 else cell.rjust(width)
                  for place, (cell, width) in enumerate(zip(row, widths, strict=True))).rstrip()
        for row in rows
    ]  # fmt: skip
    lines = [f"{result.encoding}: {result.people:,} people; {result.sampling}", "", *table, "", *_sentences(result)]
    return "\n".join(lines)


def audit_html(result: Audit) -> str:
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
            ("Does the audit bite?", [(_row(each), each.above) for each in result.bites]),
            ("Attacks", [(_row(each), each.above) for each in result.findings]),
        ],
    )


def _sentences(result: Audit) -> list[str]:
    told = result.distinguished
    across = (
        f"Evidence of one person under two pairs differs from chance by {told['tags_z']:.1f} (tags) and "
        f"{told['filters_z']:.1f} (filters) standard errors."
    )
    return [
        f"{result.verdict.upper()}: {MEANING[result.verdict]}",
        f"How full a filter is says how long the record was: rank correlation {result.fill_correlation:.2f}.",
        across,
        result.leak,
        PASS_IS_NO_PROOF,
    ]


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
