"""Audit an encoding before it is sent, or the agreement's encoding on stand-in rows: `linkage audit`."""

from __future__ import annotations

from pathlib import Path

from linkage.agreement import load
from linkage.audit.standins import census
from linkage.audit.suite import SAMPLE, Bars, audit
from linkage.audit.words import audit_html, audit_text
from linkage.errors import OutputExistsError
from linkage.intake import mapping as mappings
from linkage.intake.records import take_in
from linkage.intake.suggest import suggest
from linkage.intake.table import read_table
from linkage.steps.account import Progress, quiet

STAND_INS = 6_000
"""Pretend people attacked where no plaintext may be at hand, as at the matcher."""


def audit_file(
    terms: Path,
    file: Path | None = None,
    mapping: Path | None = None,
    sheet: str | None = None,
    *,
    sample: int = SAMPLE,
    page: Path | None = None,
    bars: Bars | None = None,
    progress: Progress = quiet,
) -> tuple[dict[str, object], str]:
    """Facts and text of an audit of an agency's own file, or of pretend people when `file` is None.

    The rows are encoded as `linkage encode` would under a key that nobody keeps; nothing is sent and no value shown.
    page: where to write the same as HTML. facts["verdict"] is "within the bars", "above the bars" or "inconclusive".
    """
    agreement = load(terms)
    if page and page.exists():
        raise OutputExistsError(f"{page.name} exists", "choose another name; nothing is ever overwritten")
    if file:
        table = read_table(file, sheet=sheet)
        found = mappings.load(mapping) if mapping else suggest(table.columns, agreement.schema)
        records = take_in(table, found, agreement.schema).records
    else:
        records = census(agreement.schema, STAND_INS)
    result = audit(records, agreement.schema, agreement.profile, sample=sample, bars=bars, progress=progress)
    if page:
        with page.open("x", encoding="utf-8", newline="\n") as out:
            out.write(audit_html(result))
    note = "" if file else "Stand-in rows: people of a pretend county, for the plaintext of a real file is not here.\n"
    return result.to_json() | {"stand_ins": file is None}, note + audit_text(result)
