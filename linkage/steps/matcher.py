"""The matcher's steps: screen, decide."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path

from linkage.agreement import Agreement
from linkage.errors import ReplayedPackageError, UsageProblemError
from linkage.exchange.desk import Desk, require, taken_in
from linkage.layout import Layout
from linkage.match.candidates import Engine, SearchStats
from linkage.match.estimate import Rate
from linkage.match.recall import wilson
from linkage.notes import SEALED_NOTE_BYTES
from linkage.package.container import Body, Opened
from linkage.package.contents import EvidenceContents, RequestContents, ScreeningContents
from linkage.package.tokens import TokenContents, TokenForm
from linkage.parties import deciding, matcher, planning
from linkage.parties.answers import Answers, Choose
from linkage.parties.expected import expected_errors
from linkage.parties.screened import Screened
from linkage.rules import RuleOutcome
from linkage.steps import joining
from linkage.steps.account import Account, Progress, quiet
from linkage.steps.close import all_or_nothing, refuse_used
from linkage.steps.joining import all_here

_DECIDED = "decided"
"""State that says a run of one-round was decided: there are no packages by which a second time would be told."""


def screen(
    desk: Desk,
    run: str,
    paths: Sequence[Path],
    *,
    dry_run: bool = False,
    progress: Progress = quiet,
    engine: Engine | None = None,
) -> Account:
    """Candidates among all agencies' encodings, found by an engine (None: here), and one request to each.

    In one-round no request is needed. Raises TooLargeError, before any work, when this machine cannot hold it.
    """
    require(desk, "matcher")
    refuse_used(desk, run)
    if desk.agreement.one_round:
        return joining.join(desk, run, paths, dry_run=dry_run, progress=progress)
    packages, files = _encodings(desk, run, paths)
    planning.plan(files, desk.agreement, timed=False, spark=engine is not None).refuse()
    screened, requests = matcher.screen(files, desk.agreement, progress, desk.chance, engine)
    facts: dict[str, object] = {
        "run": run,
        "people": {name: len(contents.screening) for name, contents in files.items()},
        "candidates": {f"{join.left} x {join.right}": len(join.pairs) for join in screened.joined},
        "recall": {f"{join.left} x {join.right}": _recall(join.search) for join in screened.joined if join.search},
        "requests": {name: len(request) for name, request in requests.items()},
    }
    total = sum(len(join.pairs) for join in screened.joined)
    said = f"{total:,} candidate pairs{_sampled(screened)}"
    if dry_run:
        return Account(f"{said}; nothing was written", facts, dry_run=True)
    written: list[Path] = []
    with all_or_nothing(desk, run):
        desk.keep(run, "screened", screened.to_stream())
        for name, request in requests.items():
            written += desk.send(RequestContents(request).to_body(), "request", run, name)
    desk.journal.append("combine", "screen", run, pairs=total, packages=taken_in(packages))
    return Account(said, facts, tuple(written), "send each request to its agency")


def _sampled(screened: Screened) -> str:
    """In words, what the searches that may lose pairs found of random samples; nothing where none may."""
    lossy = [join.search for join in screened.joined if join.search and join.search.verified]
    if not lossy:
        return ""
    sought, found = (sum(getattr(one.verified, part) for one in lossy) for part in ("expected", "found"))
    low, high = wilson(found, sought)
    stated = min(one.stated_recall for one in lossy)
    return f" (stated recall {stated:.1%}; of {sought:,} in a sample {found:,} found: {low:.1%} to {high:.1%})"


def _recall(search: SearchStats) -> dict[str, object]:
    """What a search promised to find, and what a random sample of rows, searched exactly, says of it."""
    check = search.verified
    if check is None:
        return {"stated": search.stated_recall}
    found = {"sought": check.expected, "found": check.found, "interval": [round(check.low, 4), round(check.high, 4)]}
    return {"stated": search.stated_recall, **found}


def plan(desk: Desk, run: str, paths: Sequence[Path], *, spark: bool = False) -> Account:
    """What `screen` will take, measured on a few rows of these very files; nothing is written.

    In one-round there is no search to guess at: tokens are joined, and what met is counted. Raises TooLargeError, with
    all of it, when this machine cannot hold it.
    """
    if desk.agreement.one_round:
        require(desk, "matcher")
        return joining.plan(desk, run, paths)
    planned = planning.plan(_encodings(desk, run, paths)[1], desk.agreement, spark=spark)
    planned.refuse()
    return Account(planned.words(), {"run": run, **planned.facts()}, dry_run=True)


def _encodings(desk: Desk, run: str, paths: Sequence[Path]) -> tuple[dict[str, Opened], dict[str, ScreeningContents]]:
    """All agencies' packages, and what is in them."""
    require(desk, "matcher")
    packages = desk.take(paths, "screening", run)
    all_here(packages, desk.agreement, "screening encodings")
    sizes = desk.agreement.profile.sent_bits // 64, desk.agreement.tokens_per_row
    schema = desk.agreement.schema
    return packages, {name: ScreeningContents.from_body(one.body, schema, *sizes) for name, one in packages.items()}


def read_tokens(body: Body, agreement: Agreement) -> TokenContents:
    """An agency's tokens, proven to be what the agreement says they are."""
    return TokenContents.from_body(body, TokenForm.of(agreement))


def decide(
    desk: Desk,
    run: str,
    paths: Sequence[Path],
    *,
    dry_run: bool = False,
    progress: Progress = quiet,
    today: dt.date | None = None,
) -> Account:
    """Links from all agencies' evidence, sent to children's services; everything else ends here."""
    require(desk, "matcher")
    screened = Screened.from_bytes(desk.need(run, "screened", "screen"))
    evidence, opened = _evidence(desk, run, paths, screened)
    compared = matcher.score(screened, evidence, desk.agreement, progress)
    del evidence
    judged = [deciding.judge(one, desk.agreement) for one in compared]
    today = today or dt.datetime.now(dt.UTC).date()
    decision = deciding.decide(screened, judged, desk.agreement, today)
    facts: dict[str, object] = {
        "run": run,
        "links": dict(decision.counts),
        "conflicts": dict(decision.grouping.conflicts),
    }
    facts["rules"] = _rules(judged)
    links = len(decision.contents.meta.links)
    if dry_run:
        return Account(f"{links:,} links would be sent; nothing was written", facts, dry_run=True)
    recipient = desk.agreement.childrens_services
    if desk.agreement.one_round:
        desk.keep(run, _DECIDED, b"decided")
    files = desk.send(decision.contents.to_body(), "links", run, recipient.name)
    desk.journal.append("disclose", "decide", run, links=links, recipient=recipient.name, packages=sorted(opened))
    return Account(
        f"{links:,} links", facts, tuple(files), f"send the package to {recipient.title}; then `linkage close`"
    )


def _evidence(
    desk: Desk, run: str, paths: Sequence[Path], screened: Screened
) -> tuple[Mapping[str, EvidenceContents], set[str]]:
    """Both sides of all pairs by party: what `screen` opened in one-round, else the agencies' answers.

    And the names of the packages of these, each there once it was opened.
    """
    if desk.agreement.one_round:
        if paths:
            raise UsageProblemError("in one-round the evidence came with the tokens", "name no files")
        if desk.kept(run, _DECIDED) is not None:
            raise ReplayedPackageError(f"run '{run}' was decided before", "nothing to do; see `linkage log show`")
        return screened.evidence, set()
    files = desk.waiting(paths, "evidence", run)
    all_here(files, desk.agreement, "evidence")
    layout, opened = Layout(desk.agreement.schema), set()

    def read(name: str, choose: Choose) -> EvidenceContents:
        package = desk.open(files[name], "evidence", run, EvidenceContents.wanted(choose))
        opened.add(package.header.package)
        return EvidenceContents.from_body(package.body, layout, SEALED_NOTE_BYTES)

    return Answers(screened, read), opened


def _expected(judged: Sequence[deciding.Judged], agreement: Agreement) -> list[dict[str, object]]:
    """Expected errors by group with their intervals, in per cent; a group the run serves much worse is marked (R17)."""
    return [
        {
            "by": each.by,
            "name": each.name,
            "links": each.count,
            "false_percent": _percent(each.false_links),
            "missed_percent": _percent(each.missed),
            "alarm": each.alarm,
        }
        for each in expected_errors(judged, agreement)
    ]


def _percent(rate: Rate) -> list[float]:
    return [round(100 * share, 2) for share in (rate.expected, rate.low, rate.high)]


def _rules(judged: Sequence[deciding.Judged]) -> Mapping[str, int]:
    """Proposed links that each rule held back."""
    counts: dict[str, int] = {}
    for one in judged:
        held = RuleOutcome(one.ruled.verdict[one.linked], one.ruled.rule[one.linked]).counts()
        counts = {name: counts.get(name, 0) + number for name, number in held.items()}
    return counts
