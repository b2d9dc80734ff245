"""The data-quality report before anything is encoded (R8)."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from linkage.agreement import load
from linkage.intake import mapping as mappings
from linkage.intake.quality import Quality
from linkage.intake.records import profile as assess
from linkage.intake.suggest import suggest
from linkage.intake.table import read_table


def profile(
    file: Path, mapping: Path | None, sheet: str | None, dates: str | None, terms: Path
) -> tuple[dict[str, object], str]:
    """Facts and text; counts and line numbers only."""
    agreement = load(terms)
    table = read_table(file, sheet=sheet)
    found = mappings.load(mapping) if mapping else suggest(table.columns, agreement.schema)
    if dates:
        found = dataclasses.replace(found, dates=dates)  # type: ignore[arg-type]  # click has checked the choice
    quality = assess(table, found, agreement.schema, agreement.terms.quality.required_present)
    facts = dataclasses.asdict(quality) | {"go": quality.go}
    suggested = "" if mapping else "\nMapping suggested from the header (save it and use --mapping to change it):\n"
    return facts, _text(quality) + (suggested + mappings.dump(found) if suggested else "")


def _text(quality: Quality) -> str:
    head = f"{'field':16} {'present':>9} {'usable':>9} {'placeholder':>12} {'invalid':>9} {'partly':>10}"
    lines = [f"{quality.rows:,} rows, {quality.people:,} people", "", head]
    for field in quality.fields:
        required = " (required)" if field.required else ""
        lines.append(
            f"{field.name:16} {_share(field.rows - field.empty, field.rows):>9} {field.usable:>9.1%}"
            f" {field.placeholder:>12,} {field.invalid:>9,} {field.partial:>10,}{required}"
        )
    lines += ["", *(f"note: {warning}" for warning in quality.warnings)]
    lines += ["GO" if quality.go else "NO GO", *(f"  {reason}" for reason in quality.reasons)]
    return "\n".join(lines)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"
