"""What an audit of a run's own encodings decides: whether they may travel, and whether the run may go on.

Records, the run's key and the desk come in; a mark in the run's folder goes out, and a refusal where it must be.
Rule: a run that was once found to give too much away sends nothing more; only another run, encoded otherwise, does.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from keys.derive import RunKey
from keys.vault import shred
from linkage import bars
from linkage.agreement import Agreement
from linkage.errors import AboveTheBarError
from linkage.exchange.desk import Desk
from linkage.model import Records
from linkage.steps.account import Progress

if TYPE_CHECKING:
    from linkage.audit.suite import Audit

_MARK = "refused"
"""State of a run that exists once an audit refused it: why, as a list of sentences."""


def attack(
    records: Records,
    agreement: Agreement,
    progress: Progress,
    *,
    key: RunKey | None = None,
    sample: int | None = None,
) -> Audit:
    """Attack what the agreement's protocol sends of these records first: filters and tokens, or in one-round all.

    key: that of a run, for the very encodings that travel; without it, one that nobody keeps. sample: rows attacked,
    the suite's own choice when None.
    """
    from linkage.audit.one_round import audit_tokens
    from linkage.audit.suite import SAMPLE
    from linkage.audit.union import audit_union

    attack_all = audit_tokens if agreement.one_round else audit_union
    return attack_all(records, agreement, key=key, sample=sample or SAMPLE, progress=progress)


def judge(result: Audit, agreement: Agreement) -> list[str]:
    """What is to be said of an audit's verdict. Raises AboveTheBarError when the encodings must not travel."""
    if result.verdict == "inconclusive":
        return ["the audit is inconclusive: its attacks do not bite on so few or such rows; it is no proof of anything"]
    shares: dict[str, float] = {}
    for each in result.findings:
        if each.above:
            shares[each.family] = max(each.share, shares.get(each.family, 0.0))
    other = "a smaller budget in [tokens]" if agreement.one_round else "another profile"
    hint = f"nothing of this run may be sent: agree on {other} and encode under a new run"
    return bars.hold(agreement.terms, "the audited encoding", shares, hint)


def before_sending(
    desk: Desk, run: str, records: Records, key: RunKey, progress: Progress, *, dry_run: bool
) -> list[str]:
    """Audit what is about to be encoded; warnings. Raises AboveTheBarError when it must not be sent."""
    result = attack(records, desk.agreement, progress, key=key)
    try:
        warnings = judge(result, desk.agreement)
    except AboveTheBarError:
        if not dry_run:
            note(desk, run, result, refused=True)
        raise
    if not dry_run:
        note(desk, run, result, refused=False)
    return warnings


def settle(desk: Desk, run: str, result: Audit, packages: Sequence[Path]) -> list[str]:
    """Judge the audit of a run that was encoded here, and take back what may not travel.

    packages: the run's packages in the outbox. Raises AboveTheBarError once they are destroyed and the run is marked.
    """
    try:
        warnings = judge(result, desk.agreement)
    except AboveTheBarError as problem:
        # Marked first: what cannot be destroyed here is at least never followed by more.
        desk.replace(run, _MARK, msgspec.json.encode(problem.details))
        for path in packages:
            shred(path)
        note(desk, run, result, refused=True)
        gone = "its package in the outbox was destroyed" if packages else "its package has left: have it destroyed"
        raise AboveTheBarError(f"{problem}; {gone}", problem.hint, problem.details) from None
    note(desk, run, result, refused=False)
    return warnings


def note(desk: Desk, run: str, result: Audit, *, refused: bool) -> None:
    """An entry in the journal."""
    desk.journal.append(
        "consult", "audit refused" if refused else "audit", run, verdict=result.verdict,
        highest=f"{result.highest.share:.1%} by {result.highest.name}",
    )  # fmt: skip


def refuse_marked(desk: Desk, run: str) -> None:
    """Raise AboveTheBarError when an audit found that this run must not be sent."""
    why = desk.kept(run, _MARK)
    if why is not None:
        raise AboveTheBarError(
            f"an audit found that run '{run}' gives too much away: nothing of it is sent",
            "run `linkage close` for it, agree on another profile, and encode under a new run",
            msgspec.json.decode(why, type=list[str]),
        )
