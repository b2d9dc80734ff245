"""All parties at one desk with files of one's own: the same recipes, keys and packages, and quality against a truth.

Nothing is written but the report; every party has a test identity that is forgotten afterwards.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

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
from linkage.model import Records
from linkage.parties import deciding, matcher
from linkage.resources import resource
from linkage.schema import Kind
from linkage.steps.account import Progress
from linkage.steps.quality import measure
from linkage.steps.rounds import MATCHER, RECEIVER, RUN, Post, one_round, timed, two_rounds


@dataclass(frozen=True)
class Truth:
    """Where the true persons are told: a file with columns party, local_id, person, or a column of every file."""

    path: Path | None = None
    column: str | None = None


@dataclass(frozen=True, repr=False)
class Rehearsed:
    """What a rehearsal leaves for measuring: judged pairs, and each party's rows as local ids in the matcher's order.

    facts: what else the protocol has to say, counts only.
    """

    agreement: Agreement
    judged: tuple[deciding.Judged, ...]
    local_ids: Mapping[str, tuple[str, ...]]
    facts: Mapping[str, object]


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
    with timed(seconds, "intake"):
        tables = {name: read_table(path) for name, path in inputs.items()}
        if truth.column:
            _check_truth_column(tables, truth.column)
        intakes = {name: _take_in(name, table, maps, agreement, truth.column) for name, table in tables.items()}
    rehearsed = run(agreement, identities, intakes, progress, seconds, chance)
    persons = _persons(truth, tables, intakes)
    known = {name: _known(intakes[name].records, agreement, ids) for name, ids in rehearsed.local_ids.items()}
    report = measure(rehearsed.judged, agreement, rehearsed.local_ids, persons, known)
    report |= rehearsed.facts
    report |= {
        "protocol": agreement.terms.protocol,
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
    """All rounds in memory, every package sealed, sent and opened as between real parties."""
    post = Post(agreement, identities, chance)
    secret = _secret(agreement, [identities[name] for name in intakes], chance)
    key = run_key(secret, RUN, agreement.digest)
    rounds = one_round if agreement.one_round else two_rounds
    taken = rounds(post, key, secret.check(RUN, roots.digest().encode()), intakes, progress, seconds)
    with timed(seconds, "decide"):
        compared = matcher.score(taken.screened, taken.evidence, agreement, progress)
        judged = tuple(deciding.judge(one, agreement) for one in compared)
    local_ids = {
        name: tuple(taken.local[name].local_ids[row] for row in taken.local[name].rows(pseudonyms).tolist())
        for name, pseudonyms in taken.pseudonyms.items()
    }
    return Rehearsed(agreement, judged, local_ids, taken.facts)


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


def _known(records: Records, agreement: Agreement, local_ids: Sequence[str]) -> NDArray[np.bool_]:
    """Whether each row has a date of birth, and a postcode, (n, 2), in the order of the ids."""
    held = np.zeros((len(records), 2), np.bool_)
    for column, kind in enumerate((Kind.DATE, Kind.POSTCODE)):
        for place in agreement.schema.indices(kind):
            if stored := records.columns.get(agreement.schema.fields[place].name):
                held[:, column] |= stored.counts() > 0
    row = {local_id: nth for nth, local_id in enumerate(records.local_ids)}
    return held[[row[local_id] for local_id in local_ids]]


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
