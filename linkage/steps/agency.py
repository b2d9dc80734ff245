"""An agency's steps in a run: encode, answer."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keys import vault
from keys.aead import NoteSealer
from keys.derive import RunKey, run_key
from keys.secret import LinkageSecret
from linkage import roots
from linkage.bars import check_names, check_profile
from linkage.errors import (
    NotAgreedError,
    OtherRunError,
    QualityError,
    ReplayedPackageError,
    RequestRefusedError,
    UnexpectedPackageError,
)
from linkage.exchange.desk import SECRET, Desk, require, taken_in
from linkage.intake.quality import Quality
from linkage.match.candidates import cores
from linkage.memory import give_back_free, give_back_large
from linkage.model import Request
from linkage.notes import NOTE_BYTES
from linkage.package.container import Body, Kind, Opened
from linkage.package.contents import RequestContents
from linkage.parties import agency, issuing
from linkage.parties.agency import Answered
from linkage.parties.local import LocalTable, tables_to_stream
from linkage.shelf import Held, on_disk
from linkage.steps import verdict
from linkage.steps.account import Account, Progress, quiet
from linkage.steps.close import all_or_nothing, refuse_used
from linkage.steps.reading import People, Source, everybody, read_people


def _unlocking(desk: Desk) -> Future[LinkageSecret]:
    """The linkage secret, in half a second of another thread, in which this one can read."""
    beside = ThreadPoolExecutor(1)
    coming = beside.submit(vault.fetch, desk.folder / SECRET, LinkageSecret, desk.passphrase, test=desk.identity.test)
    beside.shutdown(wait=False)
    return coming


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
    unlocked, today = _unlocking(desk), today or dt.datetime.now(dt.UTC).date()
    with on_disk(desk.folder) as shelf:
        people = read_people(source, desk, today, lambda: _key(unlocked.result(), desk, run), shelf, progress)
        check_quality(people.quality)
        give_back_free()
        secret, count = unlocked.result(), len(people)
        if audited:
            records, key = everybody(people, source, desk, today), _key(secret, desk, run)
            warnings += verdict.before_sending(desk, run, records, key, progress, dry_run=dry_run)
        made = (_issued if desk.agreement.one_round else _encoded)(desk, run, people, secret, progress)
        warnings += [*people.quality.warnings, *made.warnings]
        facts: dict[str, object] = {"run": run, "people": count, **made.facts}
        if dry_run:
            said = f"{count:,} people would be encoded; nothing was written"
            return Account(said, facts, dry_run=True, warnings=tuple(warnings))
        said, then, kind, body, matcher = made.said, made.then, made.kind, made.body, desk.agreement.matcher
        with all_or_nothing(desk, run):
            desk.keep(run, "local", tables_to_stream(made.tables))
            del people, made  # what stays is written: what is sent has its memory
            give_back_free()
            files = desk.send(body, kind, run, matcher.name)
    desk.journal.append("collect", "encode", run, people=count)
    desk.journal.append("disclose", "encode", run, recipient=matcher.name, files=len(files))
    return Account(
        f"{count:,} people encoded for run '{run}'{said}", facts, tuple(files),
        f"send the package to {matcher.title}; {then}",
        warnings=tuple(warnings),
    )  # fmt: skip


@dataclass(frozen=True, repr=False)
class _Made:
    """What an agency sends, what stays, and what is said of it: facts, and words behind how many people there are."""

    kind: Kind
    body: Body
    tables: Sequence[Held[LocalTable]]
    facts: dict[str, object]
    then: str
    said: str = ""
    warnings: Sequence[str] = ()


def _encoded(desk: Desk, run: str, people: People, secret: LinkageSecret, progress: Progress) -> _Made:
    """For two rounds."""
    key, check = _key(secret, desk, run), secret.check(run, roots.digest().encode())
    made = agency.encode_file(people.parts, desk.agreement, key, check, people.shelf, progress, desk.chance)
    return _Made(
        "screening", made.leaving.to_body(), made.tables,
        {"filters": len(made.leaving), "secret_check": made.leaving.check},
        then="its request comes back for `linkage answer`",
        warnings=check_names(made.alone, len(people)),
    )  # fmt: skip


def _issued(desk: Desk, run: str, people: People, secret: LinkageSecret, progress: Progress) -> _Made:
    """For one round."""
    key, check = _key(secret, desk, run), secret.check(run, roots.digest().encode())
    made = issuing.issue_file(
        people.parts, desk.agreement, key, check, _sealer(desk, run), desk.party.name, people.shelf, progress,
        desk.chance,
    )  # fmt: skip
    facts: dict[str, object] = {
        "tokens_per_row": made.leaving.form.per_row,
        "bytes_per_row": made.leaving.form.row_bytes,
        "combinations": [dataclasses.asdict(one) for one in made.account],
        "people_without_token": made.without,
        "secret_check": made.leaving.check,
    }
    return _Made(
        "tokens", made.leaving.to_body(), made.tables, facts,
        then="nothing comes back in one-round",
        said=f"; {made.without:,} have no token and cannot be found",
    )  # fmt: skip


def _key(secret: LinkageSecret, desk: Desk, run: str) -> RunKey:
    return run_key(secret, run, desk.agreement.digest)


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
    made = agency.answer(
        request, local, desk.agreement, _key(secret, desk, run), _sealer(desk, run), desk.chance, cores(), progress
    )
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
