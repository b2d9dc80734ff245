"""All parties at one desk with files of one's own: the same recipes, keys and packages, and quality against a truth.

Nothing is written but the report; every party has a test identity that is forgotten afterwards.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from keys.aead import NoteSealer
from keys.chance import SYSTEM, Chance
from keys.derive import run_key
from keys.identity import Identity
from keys.secret import LinkageSecret, assemble, contribute
from linkage import roots
from linkage.agreement import Agreement, Party, load, with_parties
from linkage.errors import ColumnsError, UsageProblemError
from linkage.exchange.files import write_all
from linkage.intake import mapping as mappings
from linkage.intake.records import Intake, take_in
from linkage.intake.suggest import suggest
from linkage.intake.table import Table, read_table
from linkage.layout import Layout
from linkage.notes import NOTE_BYTES, SEALED_NOTE_BYTES
from linkage.package.container import Body, Expected, Kind, open_package, pack
from linkage.package.contents import EvidenceContents, RequestContents, ScreeningContents
from linkage.parties import agency, deciding, matcher
from linkage.parties.agency import Answered
from linkage.parties.local import LocalTable
from linkage.resources import resource
from linkage.steps.account import Progress
from linkage.steps.quality import measure

RUN = "rehearsal"
MATCHER, RECEIVER = "matcher", "receiver"


@dataclass(frozen=True)
class Truth:
    """Where the true persons are told: a file with columns party, local_id, person, or a column of every file."""

    path: Path | None = None
    column: str | None = None


@dataclass(frozen=True, repr=False)
class Rehearsed:
    """What a rehearsal leaves for measuring: judged pairs, and each party's rows as local ids in package order."""

    agreement: Agreement
    judged: tuple[deciding.Judged, ...]
    local_ids: Mapping[str, tuple[str, ...]]


def rehearse(
    terms: Path | None,
    inputs: Mapping[str, Path],
    maps: Mapping[str, Path],
    truth: Truth,
    out: Path | None,
    progress: Progress,
    seed: int | None = None,
) -> dict[str, object]:
    """Run every step on the files and report counts, quality (with a truth), error estimates and seconds by step.

    seed: repeats everything that chance decides; TestKeyError under a live agreement.
    """
    seconds: dict[str, float] = {}
    chance = SYSTEM if seed is None else Chance.pretend(seed, "rehearsal")
    agreement, identities = _parties(load(terms or resource("examples", "rehearse")), list(inputs), chance)
    with _timed(seconds, "intake"):
        tables = {name: read_table(path) for name, path in inputs.items()}
        if truth.column:
            _check_truth_column(tables, truth.column)
        intakes = {name: _take_in(name, table, maps, agreement, truth.column) for name, table in tables.items()}
    rehearsed = run(agreement, identities, intakes, progress, seconds, chance)
    persons = _persons(truth, tables, intakes)
    report = measure(rehearsed.judged, agreement, rehearsed.local_ids, persons)
    report |= {
        "title": "Rehearsal",
        "test": agreement.terms.test,
        "run": RUN,
        "agreement": {"title": agreement.terms.title, "digest": agreement.short_digest},
        "parties": [{"name": n, "title": n, "steps": _steps(intake)} for n, intake in intakes.items()],
        "notes": [f"{n}: {why}" for n, i in intakes.items() for why in (*i.quality.reasons, *i.quality.warnings)],
        "seconds": {step: round(value, 3) for step, value in seconds.items()},
    }
    if out:
        _write(out, report)
    return report


def run(
    agreement: Agreement,
    identities: Mapping[str, Identity],
    intakes: Mapping[str, Intake],
    progress: Progress,
    seconds: dict[str, float],
    chance: Chance = SYSTEM,
) -> Rehearsed:
    """The two rounds in memory, every package sealed, sent and opened as between real parties."""
    post = _Post(agreement, identities)
    secret = _secret(agreement, [identities[name] for name in intakes], chance)
    key = run_key(secret, RUN, agreement.digest)
    local: dict[str, LocalTable] = {}
    screening: dict[str, ScreeningContents] = {}
    words = agreement.profile.sent_bits // 64
    for nth, (name, intake) in enumerate(intakes.items()):
        progress("encode", nth, len(intakes))
        with _timed(seconds, "encode"):
            check = secret.check(RUN, roots.digest().encode())
            encoded = agency.encode(intake.records, agreement, key, check, chance=chance)
            local[name] = encoded.local
            body = post.send(encoded.contents.to_body(), "screening", name, MATCHER)
            screening[name] = ScreeningContents.from_body(body, agreement.schema, words)
    progress("encode", len(intakes), len(intakes))
    with _timed(seconds, "screen"):
        screened, requests = matcher.screen(screening, agreement, progress, chance)
    evidence: dict[str, EvidenceContents] = {}
    for nth, (name, request) in enumerate(requests.items()):
        progress("answer", nth, len(requests))
        with _timed(seconds, "answer"):
            asked = RequestContents.from_body(post.send(RequestContents(request).to_body(), "request", MATCHER, name))
            agency.check_request(asked.request, local[name], Answered.nothing(local[name]), agreement, name)
            sealer = NoteSealer.new(
                identities[RECEIVER].public, run=RUN, sender=name, context=agreement.digest, length=NOTE_BYTES
            )
            answered = agency.answer(asked.request, local[name], agreement, key, sealer, chance)
            body = post.send(answered.to_body(), "evidence", name, MATCHER)
            evidence[name] = EvidenceContents.from_body(body, Layout(agreement.schema), SEALED_NOTE_BYTES)
    progress("answer", len(requests), len(requests))
    with _timed(seconds, "decide"):
        compared = matcher.score(screened, evidence, agreement, progress)
        judged = tuple(deciding.judge(one, agreement) for one in compared)
    local_ids = {
        name: tuple(local[name].local_ids[row] for row in local[name].rows(contents.screening.pseudonyms).tolist())
        for name, contents in screening.items()
    }
    return Rehearsed(agreement, judged, local_ids)


class _Post:
    """Packs as one party and opens as the other."""

    def __init__(self, agreement: Agreement, identities: Mapping[str, Identity]) -> None:
        self.agreement, self.identities = agreement, identities

    def send(self, body: Body, kind: Kind, sender: str, recipient: str) -> Body:
        parts = [data for _, data in pack(body, kind, RUN, self.agreement, self.identities[sender], recipient)]
        return open_package(parts, Expected(kind, RUN, self.agreement), self.identities[recipient]).body


def _parties(agreement: Agreement, names: list[str], chance: Chance) -> tuple[Agreement, dict[str, Identity]]:
    """The parties of the command line under the agreement's terms, each with a test identity for the hour."""
    if len(names) < 2:
        raise UsageProblemError("a rehearsal needs at least two files", "repeat --input PARTY=FILE")
    if reserved := {MATCHER, RECEIVER} & set(names):
        raise UsageProblemError(f"'{reserved.pop()}' is taken by the rehearsal itself", "give the party another name")
    test = agreement.terms.test
    identities = {name: Identity.new(name, test=test, chance=chance) for name in [*names, MATCHER, RECEIVER]}
    roles = {party.name: party.roles for party in agreement.terms.parties}
    parties = []
    for name, identity in identities.items():
        role = {MATCHER: ("matcher",), RECEIVER: ("childrens-services",)}.get(name) or tuple(
            role for role in roles.get(name, ("agency", "anchor-agency")) if role != "childrens-services"
        )
        line = identity.public.to_text()
        parts = {"name": name, "title": name, "roles": role, "contact_desk": "rehearsal", "identity": line}
        parties.append(msgspec.convert(parts, Party))
    return with_parties(agreement, tuple(parties)), identities


def _secret(agreement: Agreement, agencies: list[Identity], chance: Chance) -> LinkageSecret:
    made = {
        me.name: contribute(me, [other.public for other in agencies if other is not me], agreement.digest, chance)
        for me in agencies
    }
    me = agencies[0]
    received = {other.public: made[other.name][1][me.name] for other in agencies[1:]}
    return assemble(me, made[me.name][0], received, agreement.digest)


def _take_in(
    name: str, table: Table, maps: Mapping[str, Path], agreement: Agreement, truth_column: str | None
) -> Intake:
    mapping = mappings.load(maps[name]) if name in maps else suggest(table.columns, agreement.schema)
    read = {column for _, column in mapping.names()}
    if truth_column in read:
        raise ColumnsError(f"the truth column is mapped to a field of '{name}'", "the truth is never encoded")
    today = dt.datetime.now(dt.UTC).date()
    return take_in(table, mapping, agreement.schema, today=today)


def _check_truth_column(tables: Mapping[str, Table], column: str) -> None:
    missing = [name for name, table in tables.items() if column not in table.columns]
    if missing:
        raise ColumnsError(f"there is no truth column of that name in {', '.join(missing)}", "check --truth-column")


def _persons(
    truth: Truth, tables: Mapping[str, Table], intakes: Mapping[str, Intake]
) -> dict[str, dict[str, str]] | None:
    """True person by local id, for every party; None without a truth."""
    if truth.column:
        return {
            name: dict(zip(intakes[name].records.local_ids, table.column(truth.column), strict=True))
            for name, table in tables.items()
        }
    if truth.path is None:
        return None
    table = read_table(truth.path)
    if missing := {"party", "local_id", "person"} - set(table.columns):
        raise ColumnsError(f"the truth file lacks the columns {', '.join(sorted(missing))}", "party, local_id, person")
    persons: dict[str, dict[str, str]] = {name: {} for name in tables}
    rows = zip(*(table.column(name) for name in ("party", "local_id", "person")), strict=True)
    for party, local_id, person in rows:
        if party in persons:
            persons[party][local_id] = person
    return persons


def _steps(intake: Intake) -> list[dict[str, object]]:
    return [{"step": "intake", "what": "people", "count": len(intake.records)}]


def _write(out: Path, report: Mapping[str, object]) -> None:
    from linkage.report.run_report import run_report_html

    text = msgspec.json.format(msgspec.json.encode(report), indent=2)
    write_all([(out / "report.json", text + b"\n"), (out / "report.html", run_report_html(report).encode())])


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[step] = seconds.get(step, 0.0) + time.perf_counter() - start
