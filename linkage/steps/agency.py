"""An agency's steps in a run: encode, answer."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import linkage.vocabulary as vocabularies
from keys import vault
from keys.aead import NoteSealer
from keys.derive import run_key
from keys.secret import LinkageSecret
from linkage import roots
from linkage.bars import check_names, check_profile
from linkage.encode.screening import names_alone
from linkage.errors import (
    ColumnsError,
    NotAgreedError,
    OtherRunError,
    QualityError,
    ReplayedPackageError,
    RequestRefusedError,
    UnexpectedPackageError,
)
from linkage.exchange.desk import SECRET, Desk, require, taken_in
from linkage.intake import mapping as mappings
from linkage.intake.flags import read_flags
from linkage.intake.quality import Quality
from linkage.intake.records import Intake, take_in
from linkage.intake.suggest import suggest
from linkage.intake.table import read_table
from linkage.match.candidates import cores
from linkage.memory import give_back_free, give_back_large
from linkage.model import Request
from linkage.notes import NOTE_BYTES
from linkage.package.container import Body, Kind, Opened
from linkage.package.contents import RequestContents
from linkage.parties import agency, issuing
from linkage.parties.agency import Answered, Encoded
from linkage.parties.issuing import Issue
from linkage.parties.local import LocalTable
from linkage.steps import verdict
from linkage.steps.account import Account, Progress, quiet
from linkage.steps.close import all_or_nothing, refuse_used
from linkage.vocabulary import Vocabulary


@dataclass(frozen=True)
class Source:
    """An agency's own file and how to read it. mapping: None to suggest one from the header. flags: a long file."""

    path: Path
    mapping: Path | None = None
    flags: Path | None = None
    sheet: str | None = None
    dates: str | None = None


def _unlocking(desk: Desk) -> Future[LinkageSecret]:
    """The linkage secret, in half a second of another thread, in which this one can read."""
    beside = ThreadPoolExecutor(1)
    coming = beside.submit(vault.fetch, desk.folder / SECRET, LinkageSecret, desk.passphrase, test=desk.identity.test)
    beside.shutdown(wait=False)
    return coming


def vocabulary_of(desk: Desk) -> Vocabulary:
    """The flag vocabulary of the agreement. Raises NotAgreedError when the installed one is another."""
    vocabulary = vocabularies.load()
    if desk.agreement.terms.release.vocabulary not in ("default", vocabulary.digest()):
        raise NotAgreedError(
            "the flag vocabulary installed here is not the one the agreement names",
            "install the release all parties use, or put the agreed vocabulary in its place",
        )
    return vocabulary


def read_source(source: Source, desk: Desk, today: dt.date) -> Intake:
    """Standardised records and quality of a file. Raises YourFileError and its kin, all errors at once."""

    def wanted(columns: tuple[str, ...]) -> set[str]:
        return {column for _, column in read_mapping(source, columns, desk).names()}

    table = read_table(source.path, sheet=source.sheet, wanted=wanted)
    mapping = read_mapping(source, table.columns, desk)
    if source.dates:
        mapping = dataclasses.replace(mapping, dates=source.dates)  # type: ignore[arg-type]  # the caller's word is checked
    flags = None
    if source.flags:
        flags = read_flags(read_table(source.flags), vocabulary_of(desk), table.column(mapping.id), today)
    if desk.party.holds_anchors and mapping.anchor is None:
        raise ColumnsError(
            f"'{desk.party.name}' holds anchors, but the mapping has no [anchor] columns",
            "name at least child_id under [anchor] in the mapping file",
        )
    required = desk.agreement.terms.quality.required_present
    return take_in(table, mapping, desk.agreement.schema, flags=flags, required_present=required, today=today)


def read_mapping(source: Source, columns: Sequence[str], desk: Desk) -> mappings.Mapping:
    """The mapping file, or one suggested from the header."""
    if source.mapping:
        return mappings.load(source.mapping)
    return suggest(columns, desk.agreement.schema)


def check_quality(quality: Quality) -> None:
    """Refuse a file whose quality says no-go (R8)."""
    if not quality.go:
        raise QualityError(
            f"the quality report says no-go: {quality.reasons[0]}",
            "see `linkage profile`; improve the export, or agree on another minimum",
            quality.reasons,
        )


def encode(
    desk: Desk,
    run: str,
    source: Source,
    *,
    audited: bool = False,
    dry_run: bool = False,
    progress: Progress = quiet,
    today: dt.date | None = None,
) -> Account:
    """Screening encodings for the matcher, and the encrypted local table that `answer` needs.

    Warns where too many people are encoded by their names alone. audited: attack the encodings first. Raises
    AboveTheBarError, before anything is written, when they or the agreement's profile give too much away. In one-round
    everything travels at once, tight tokens and evidence under each, and these are attacked.
    """
    require(desk, "agency")
    warnings = check_profile(desk.agreement.terms, desk.agreement.profile)
    refuse_used(desk, run)
    give_back_large()
    unlocked = _unlocking(desk)
    intake = read_source(source, desk, today or dt.datetime.now(dt.UTC).date())
    check_quality(intake.quality)
    give_back_free()
    secret = unlocked.result()
    if audited:
        key = run_key(secret, run, desk.agreement.digest)
        warnings += verdict.before_sending(desk, run, intake.records, key, progress, dry_run=dry_run)
    made = (_issued if desk.agreement.one_round else _encoded)(desk, run, intake, secret, progress)
    warnings += [*intake.quality.warnings, *made.warnings]
    people, facts = len(intake.records), {"run": run, "people": len(intake.records), **made.facts}
    if dry_run:
        said = f"{people:,} people would be encoded; nothing was written"
        return Account(said, facts, dry_run=True, warnings=tuple(warnings))
    said, then, kind, body, matcher = made.said, made.then, made.kind, made.body, desk.agreement.matcher
    with all_or_nothing(desk, run):
        desk.keep(run, "local", made.local.to_stream())
        del intake, made  # what stays is written: what is sent has its memory
        give_back_free()
        files = desk.send(body, kind, run, matcher.name)
    desk.journal.append("collect", "encode", run, people=people)
    desk.journal.append("disclose", "encode", run, recipient=matcher.name, files=len(files))
    return Account(
        f"{people:,} people encoded for run '{run}'{said}", facts, tuple(files),
        f"send the package to {matcher.title}; {then}",
        warnings=tuple(warnings),
    )  # fmt: skip


@dataclass(frozen=True, repr=False)
class _Made:
    """What an agency sends, what stays, and what is said of it: facts, and words behind how many people there are."""

    kind: Kind
    body: Body
    local: LocalTable
    facts: dict[str, object]
    then: str
    said: str = ""
    warnings: Sequence[str] = ()


def _encoded(desk: Desk, run: str, intake: Intake, secret: LinkageSecret, progress: Progress) -> _Made:
    """For two rounds."""
    made = encode_records(desk, run, intake, secret, progress)
    alone = names_alone(intake.records, desk.agreement.schema, desk.agreement.profile)
    return _Made(
        "screening", made.leaving.to_body(), made.local,
        {"filters": len(made.leaving.plain), "secret_check": made.leaving.check},
        then="its request comes back for `linkage answer`",
        warnings=check_names(alone, len(intake.records)),
    )  # fmt: skip


def _issued(desk: Desk, run: str, intake: Intake, secret: LinkageSecret, progress: Progress) -> _Made:
    """For one round."""
    made = issue_records(desk, run, intake, secret, progress)
    facts: dict[str, object] = {
        "tokens_per_row": made.leaving.form.per_row,
        "bytes_per_row": made.leaving.form.row_bytes,
        "combinations": [dataclasses.asdict(one) for one in made.account],
        "people_without_token": made.without,
        "secret_check": made.leaving.check,
    }
    return _Made(
        "tokens", made.leaving.to_body(), made.local, facts,
        then="nothing comes back in one-round",
        said=f"; {made.without:,} have no token and cannot be found",
    )  # fmt: skip


def encode_records(desk: Desk, run: str, intake: Intake, secret: LinkageSecret, progress: Progress) -> Encoded:
    """The recipe with this desk's keys."""
    key = run_key(secret, run, desk.agreement.digest)
    check = secret.check(run, roots.digest().encode())
    return agency.encode(intake.records, desk.agreement, key, check, progress, desk.chance)


def issue_records(desk: Desk, run: str, intake: Intake, secret: LinkageSecret, progress: Progress) -> Issue:
    """The recipe of one-round with this desk's keys."""
    key, check = run_key(secret, run, desk.agreement.digest), secret.check(run, roots.digest().encode())
    return issuing.issue(
        intake.records, desk.agreement, key, check, _sealer(desk, run), desk.party.name, progress, desk.chance
    )


def _sealer(desk: Desk, run: str) -> NoteSealer:
    recipient = desk.agreement.childrens_services.public()
    return NoteSealer.new(recipient, run=run, sender=desk.party.name, context=desk.agreement.digest, length=NOTE_BYTES)


def answer(
    desk: Desk, run: str, paths: Sequence[Path], *, dry_run: bool = False, progress: Progress = quiet
) -> Account:
    """Evidence and sealed notes for the pairs the matcher asks about, unless it asks too much."""
    require(desk, "agency")
    if desk.agreement.one_round:
        raise NotAgreedError(
            "there is nothing to answer in one-round: the evidence went with the tokens",
            "do not answer requests; ask the matcher what it wants",
        )
    give_back_large()
    unlocked = _unlocking(desk)
    local = LocalTable.from_bytes(desk.need(run, "local", "encode"))
    verdict.refuse_marked(desk, run)
    matcher = desk.agreement.matcher.name
    packages: dict[str, Opened] = {}
    try:
        packages = desk.take(paths, "request", run)
        request = _request(packages, matcher)
        answered = agency.check_request(request, local, _answered(desk, run, local), desk.agreement, desk.party.name)
    except (RequestRefusedError, ReplayedPackageError, OtherRunError) as problem:
        if not dry_run:
            why = list(problem.details) or [str(problem)]
            desk.journal.append("consult", "answer refused", run, senders=sorted(packages), why=why)
        if _broke_off(desk, run):
            hint = "an earlier `answer` broke off: send its package if it is in outbox/, else begin a new run"
            raise RequestRefusedError(str(problem), hint, problem.details) from None
        raise
    secret = unlocked.result()
    facts: dict[str, object] = {"run": run, "pairs": len(request), "rows": int((answered.asked > 0).sum())}
    if dry_run:
        return Account(f"{len(request):,} pairs would be answered; nothing was written", facts, dry_run=True)
    key = run_key(secret, run, desk.agreement.digest)
    made = agency.answer(request, local, desk.agreement, key, _sealer(desk, run), desk.chance, cores(), progress)
    # What was answered is noted first: a crash may lose an answer, but never lets a pair be answered twice.
    before = desk.kept(run, "answered")
    desk.replace(run, "answered", answered.pair_ids.tobytes() + answered.asked.tobytes())
    try:
        files = desk.send(made.to_body(), "evidence", run, matcher)
    except Exception:
        # Evidence is made while it is written, whole or not at all: none was, so none of these pairs was answered.
        desk.restore(run, "answered", before)
        raise
    desk.journal.append(
        "disclose", "answer", run, pairs=len(request), recipient=matcher, files=len(files), packages=taken_in(packages)
    )
    return Account(f"{len(request):,} pairs answered", facts, tuple(files), "send the package to the matcher")


def _broke_off(desk: Desk, run: str) -> bool:
    """Pairs of this run are noted as answered, but no answer is in the journal: the machine stopped in between."""
    done = any(entry.step == "answer" and entry.run == run for entry in desk.journal.entries())
    return not done and desk.kept(run, "answered") is not None


def _request(packages: Mapping[str, Opened], matcher: str) -> Request:
    if set(packages) != {matcher}:
        raise RequestRefusedError("a request comes from the matcher alone", "ask the sender what it wants")
    try:
        return RequestContents.from_body(packages[matcher].body).request
    except UnexpectedPackageError as problem:
        raise RequestRefusedError(
            f"the request was refused: {problem}", "nothing was answered; the matcher's program is at fault"
        ) from None


def _answered(desk: Desk, run: str, local: LocalTable) -> Answered:
    data = desk.kept(run, "answered")
    if data is None:
        return Answered.nothing(local)
    split = len(data) - 8 * len(local)
    ids = np.frombuffer(data[:split], np.uint8).reshape(-1, 16)
    return Answered(ids, np.frombuffer(data[split:], np.int64))
