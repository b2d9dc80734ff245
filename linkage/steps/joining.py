"""The matcher's step in one-round: `screen` joins tokens, and opens what met.

Packages in, Account out. Rule: a package is read twice, so that what lies beneath tokens that meet nobody is never
held.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from linkage.agreement import Agreement
from linkage.errors import MissingPartError, UnexpectedPackageError
from linkage.exchange.desk import Desk
from linkage.package.tokens import Beneath, TokenForm, TokenRows
from linkage.parties import meeting, planning_tokens
from linkage.parties.planning_tokens import PlannedJoin
from linkage.steps.account import Account, Progress, quiet
from linkage.steps.close import all_or_nothing


class TokenPackages:
    """The packages of a run of one round, read twice: what rows are joined by, then what lies beneath what met."""

    def __init__(self, desk: Desk, run: str, paths: Sequence[Path]) -> None:
        self.desk, self.run = desk, run
        self.form, self.parts = TokenForm.of(desk.agreement), desk.waiting(paths, "tokens", run)
        all_here(self.parts, desk.agreement, "tokens")
        self.sizes = {party: sum(path.stat().st_size for path in paths) for party, paths in self.parts.items()}
        self.names: dict[str, str] = {}

    def joined(self, progress: Progress) -> tuple[meeting.Joining, PlannedJoin]:
        """Which rows meet, and what opening them takes; the tokens themselves are let go.

        Raises TooLargeError where this machine holds one or the other not.
        """
        began = time.perf_counter()
        planning_tokens.check_tokens(self.sizes, self.desk.agreement)
        files = {}
        for nth, party in enumerate(self.parts):
            progress("tokens", nth, len(self.parts))
            files[party] = self._rows(party)
        met = meeting.find(files, self.desk.agreement, progress)
        planned = planning_tokens.plan(met, self.sizes, self.desk.agreement, time.perf_counter() - began)
        planned.refuse()
        return met, planned

    def _rows(self, party: str) -> TokenRows:
        package = self.desk.open(self.parts[party], "tokens", self.run, TokenRows.WANTED)
        self.names[party] = package.header.package
        return TokenRows.from_body(package.body, self.form)

    def beneath(self, party: str, rows: NDArray[np.int32], slots: NDArray[np.int32]) -> Beneath:
        """What lies beneath some tokens of a file."""
        package = self.desk.open(self.parts[party], "tokens", self.run, Beneath.wanted(rows, slots, self.form))
        if package.header.package != self.names[party]:
            raise UnexpectedPackageError(
                f"the package of {party} changed while it was read", "run `linkage screen` again"
            )
        return Beneath.from_body(package.body, rows, slots, self.form)


def join(desk: Desk, run: str, paths: Sequence[Path], *, dry_run: bool = False, progress: Progress = quiet) -> Account:
    """Candidates among rows that share a token, opened; kept for `decide`."""
    tokens = TokenPackages(desk, run, paths)
    met, _ = tokens.joined(progress)
    screened = meeting.open_met(met, tokens.beneath, desk.agreement, desk.chance, progress).screened
    total = sum(len(join.pairs) for join in screened.joined)
    facts: dict[str, object] = {
        "run": run,
        "people": {party: len(rows) for party, rows in met.pseudonyms.items()},
        "candidates": {f"{join.left} x {join.right}": len(join.pairs) for join in screened.joined},
    }
    if dry_run:
        return Account(f"{total:,} candidate pairs; nothing was written", facts, dry_run=True)
    with all_or_nothing(desk, run):
        desk.keep(run, "screened", screened.to_stream())
    desk.journal.append("combine", "screen", run, pairs=total, packages=sorted(tokens.names.values()))
    return Account(
        f"{total:,} candidate pairs", facts, (),
        "there is nothing to ask in one-round, the evidence came with the tokens: run `linkage decide`",
    )  # fmt: skip


def plan(desk: Desk, run: str, paths: Sequence[Path]) -> Account:
    """What `join` will take: tokens are joined, and what met is counted; nothing is written."""
    _, planned = TokenPackages(desk, run, paths).joined(quiet)
    return Account(planned.words(), {"run": run, **planned.facts()}, dry_run=True)


def all_here(packages: Mapping[str, object], agreement: Agreement, what: str) -> None:
    """Raise MissingPartError unless every agency's package is there."""
    missing = [party.name for party in agreement.encoders if party.name not in packages]
    if missing:
        raise MissingPartError(f"{what} of {', '.join(missing)} are missing", "wait for them, or ask for them again")
