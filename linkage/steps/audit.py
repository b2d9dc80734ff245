"""`linkage audit`: attack an agreement's encoding of a file, a run's own encodings, or what the matcher holds."""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import numpy as np

from keys import vault
from keys.derive import RunKey, run_key
from keys.secret import LinkageSecret
from linkage.agreement import Agreement, load
from linkage.audit import token_traces, traces
from linkage.audit.standins import census
from linkage.audit.suite import SAMPLE, Audit
from linkage.audit.traces import Trace
from linkage.audit.words import audit_html, audit_text
from linkage.encode.tokens import tokenise
from linkage.errors import OutputExistsError, UnexpectedPackageError, YourFileError
from linkage.exchange.desk import SECRET, Desk, require
from linkage.intake import mapping as mappings
from linkage.intake.records import take_in
from linkage.intake.suggest import suggest
from linkage.intake.table import read_table
from linkage.layout import Layout
from linkage.model import Records, Screening
from linkage.notes import SEALED_NOTE_BYTES
from linkage.package.container import Expected, Kind, Opened, open_package
from linkage.package.contents import EvidenceContents, ScreeningContents
from linkage.package.tokens import TokenContents
from linkage.parties import meeting
from linkage.parties.local import LocalTable, proof_of, tables_from_bytes
from linkage.shelf import Held, on_disk
from linkage.steps import verdict
from linkage.steps.account import Progress, quiet
from linkage.steps.close import packages_of, runs_of
from linkage.steps.matcher import read_tokens
from linkage.steps.reading import People, Source, everybody, read_people

STAND_INS = 6_000
"""Pretend people attacked where no plaintext may be at hand, as at the matcher."""
_Held = TypeVar("_Held")
_ON_STAND_INS = "Stand-in rows: people of a pretend county, for the plaintext of a real file is not here."


@dataclass(frozen=True)
class Options:
    """sample: rows attacked. page: where to write the audit as HTML, too."""

    sample: int = SAMPLE
    page: Path | None = None
    progress: Progress = quiet


def audit_file(terms: Path, file: Path | None = None, mapping: Path | None = None, sheet: str | None = None, *,
               options: Options | None = None) -> tuple[dict[str, object], str]:  # fmt: skip
    """Facts and text of an audit of an agency's own file, or of pretend people when `file` is None.

    The rows are encoded as `linkage encode` would under a key that nobody keeps; nothing is sent and no value shown.
    facts["verdict"] is "within the bars", "above the bars" or "inconclusive".
    """
    options = _checked(options)
    agreement = load(terms)
    if file:
        table = read_table(file, sheet=sheet)
        found = mappings.load(mapping) if mapping else suggest(table.columns, agreement.schema)
        records = take_in(table, found, agreement.schema).records
        return _told(_attack(records, agreement, options), options)
    return _told(_attack(census(agreement.schema, STAND_INS), agreement, options), options, stand_ins=True)


def audit_run(
    desk: Desk, run: str, source: Source, *, options: Options | None = None, today: dt.date | None = None
) -> tuple[dict[str, object], str]:
    """The same of the very encodings of a run that was encoded here, before they are sent.

    The local table proves that the file is the one encoded. Raises AboveTheBarError when they give too much away:
    by then the run's package in the outbox is destroyed and the run marked, so that nothing of it is sent later.
    """
    options = _checked(options)
    require(desk, "agency")
    tables = tables_from_bytes(desk.need(run, "local", "encode"))
    secret = vault.fetch(desk.folder / SECRET, LinkageSecret, desk.passphrase, test=desk.identity.test)
    key = run_key(secret, run, desk.agreement.digest)
    today = today or dt.datetime.now(dt.UTC).date()
    with on_disk(desk.folder) as shelf:
        people = read_people(source, desk, today, lambda: key, shelf)
        _check_same(people, tables, desk.agreement, key)
        records = everybody(people, source, desk, today)
    result = verdict.attack(records, desk.agreement, options.progress, key=key, sample=options.sample)
    facts, text = _told(result, options)
    warnings = verdict.settle(desk, run, result, packages_of(desk, run, "outbox"))
    return facts | {"run": run, "warnings": warnings}, "\n".join([f"Run '{run}', as it is sent.", text, *warnings])


def audit_desk(desk: Desk, run: str = "", *, options: Options | None = None) -> tuple[dict[str, object], str]:
    """What the matcher could learn from what it holds: looks at every package, then attacks on pretend people.

    run: one run; of all in the inbox when empty, and then runs are also held against one another.
    """
    options = _checked(options)
    require(desk, "matcher")
    look = _looks_one_round if desk.agreement.one_round else _looks
    looks = look(desk, [run] if run else runs_of(desk))
    if not looks:
        raise UnexpectedPackageError("there is no package to audit in inbox/", "put packages there, or check --run")
    records = census(desk.agreement.schema, STAND_INS)
    return _told(_attack(records, desk.agreement, options), options, looks, stand_ins=True)


def _looks(desk: Desk, runs: Sequence[str]) -> list[Trace]:
    """What shows in screening encodings and evidence, and between runs."""
    looks: list[Trace] = []
    files: dict[tuple[str, str], Screening] = {}
    for name in runs:
        for party, package in _held(desk, "screening", name).items():
            sizes = desk.agreement.profile.sent_bits // 64, desk.agreement.tokens_per_row
            screening = ScreeningContents.from_body(package.body, desk.agreement.schema, *sizes).screening
            files[party, name] = screening
            looks += traces.of_screening(screening, f"{party}, {name}", _bytes(desk, package))
        for party, package in _held(desk, "evidence", name).items():
            contents = EvidenceContents.from_body(package.body, Layout(desk.agreement.schema), SEALED_NOTE_BYTES)
            looks += traces.of_evidence(contents.evidence, contents.notes, f"{party}, {name}, evidence")
    return looks + _across(files, traces.between_runs)


def _looks_one_round(desk: Desk, runs: Sequence[str]) -> list[Trace]:
    """What shows in token packages, where their rows meet, in the evidence that opens there, and between runs."""
    looks: list[Trace] = []
    held: dict[tuple[str, str], TokenContents] = {}
    for name in runs:
        files: dict[str, TokenContents] = {}
        for party, package in _held(desk, "tokens", name).items():
            files[party] = read_tokens(package.body, desk.agreement)
            looks += token_traces.of_tokens(files[party], f"{party}, {name}", _bytes(desk, package))
        for left, right in desk.agreement.comparable():
            if left in files and right in files:
                where = f"{left} and {right}, {name}"
                looks += token_traces.of_meetings(files[left], files[right], where)
        held |= {(party, name): contents for party, contents in files.items()}
        for party, opened in _opened(files, desk).items():
            # A side that opened with two other files is one side.
            once = np.sort(np.unique(opened.evidence.tags, axis=0, return_index=True)[1])
            where = f"{party}, {name}, opened evidence"
            looks += traces.of_evidence(opened.evidence.take(once), opened.notes[once], where)
    return looks + _across(held, token_traces.between_token_runs)


def _opened(files: Mapping[str, TokenContents], desk: Desk) -> Mapping[str, EvidenceContents]:
    """Evidence of the pairs that meet, by party, as `screen` opens it."""
    pairs = [pair for pair in desk.agreement.comparable() if set(pair) <= files.keys()]
    parties = {party: files[party] for pair in pairs for party in pair}
    return meeting.join(parties, desk.agreement, chance=desk.chance).screened.evidence if pairs else {}


def _checked(options: Options | None) -> Options:
    options = options or Options()
    if options.page and options.page.exists():
        raise OutputExistsError(f"{options.page.name} exists", "choose another name; nothing is ever overwritten")
    return options


def _attack(records: Records, agreement: Agreement, options: Options) -> Audit:
    return verdict.attack(records, agreement, options.progress, sample=options.sample)


def _told(
    result: Audit, options: Options, looks: Sequence[Trace] = (), *, stand_ins: bool = False
) -> tuple[dict[str, object], str]:
    if options.page:
        with options.page.open("x", encoding="utf-8", newline="\n") as out:
            out.write(audit_html(result, looks))
    text = audit_text(result, looks)
    facts = result.to_json() | {"stand_ins": stand_ins, "traces": [each.to_json() for each in looks]}
    return facts, f"{_ON_STAND_INS}\n{text}" if stand_ins else text


def _check_same(people: People, tables: Sequence[LocalTable], agreement: Agreement, key: RunKey) -> None:
    """The file is the one the run was encoded from, row by row. Raises YourFileError."""
    same = len(people.parts) == len(tables) and all(map(partial(_same, agreement, key), people.parts, tables))
    if not same:
        raise YourFileError(
            "this file is not the one that the run was encoded from",
            "name the file as it was, with the same --mapping and --dates; without --run any file can be audited",
        )


def _same(agreement: Agreement, key: RunKey, load: Held[Records], table: LocalTable) -> bool:
    """Whether a part of the file gave this table."""
    records = load()
    kept = table.proof if agreement.one_round else proof_of(table.tokens)
    proof = proof_of(tokenise(records, agreement.schema, key))
    return records.local_ids == table.local_ids and hmac.compare_digest(proof, kept)


def _held(desk: Desk, kind: Kind, run: str) -> dict[str, Opened]:
    """Packages in the inbox by sender, proven as for a step, whether or not a step took them in before."""
    parts: dict[str, list[bytes]] = {}
    for name, data in desk.packages((), kind, run):
        parts.setdefault(name, []).append(data)
    opened = [open_package(each, Expected(kind, run, desk.agreement), desk.identity) for each in parts.values()]
    return {package.header.sender: package for package in opened}


def _bytes(desk: Desk, package: Opened) -> int:
    header = package.header
    return sum(len(data) for name, data in desk.packages((), header.kind, header.run) if name == header.package)


def _across(files: Mapping[tuple[str, str], _Held], between: Callable[[_Held, _Held, str], list[Trace]]) -> list[Trace]:
    """Every two runs of one party, one after the other."""
    keys = sorted(files)
    pairs = [(one, two) for one, two in pairwise(keys) if one[0] == two[0]]
    return [look for one, two in pairs for look in between(files[one], files[two], f"{one[0]}, {one[1]} and {two[1]}")]
