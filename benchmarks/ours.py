"""Our own rows: the rehearsal's code path on two files, and the same model once more on plaintext levels."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np

from benchmarks.measured import Row, Truth, measure_links
from benchmarks.plain_levels import PlainSide, compare_plain
from keys.chance import SYSTEM
from linkage.agreement import load
from linkage.intake.records import Intake
from linkage.intake.table import read_table
from linkage.parties import agency, deciding, matcher
from linkage.parties.screened import Screened
from linkage.resources import resource
from linkage.steps import rehearse
from linkage.steps.quality import measure

LEFT, RIGHT = "left", "right"


@dataclass(frozen=True, repr=False)
class Files:
    """Two files taken in under the rehearsal's terms, with the truth of their rows."""

    agreement: Any
    identities: Any
    intakes: dict[str, Intake]
    persons: dict[str, dict[str, str]]
    truth: Truth
    seconds: float


def take_in(left, right, truth_column):
    """Both files standardised, as `linkage rehearse --truth-column` does it."""
    started = time.perf_counter()
    paths = {LEFT: left, RIGHT: right}
    # Private, because nobody but this benchmark stops a rehearsal half-way: what is measured must be its very intake.
    agreement, identities = rehearse._parties(  # noqa: SLF001
        load(resource("examples", "rehearse")), list(paths), SYSTEM
    )
    tables = {name: read_table(path) for name, path in paths.items()}
    intakes = {
        name: rehearse._take_in(name, table, {}, agreement, truth_column)  # noqa: SLF001
        for name, table in tables.items()
    }
    told = {name: table.column(truth_column) for name, table in tables.items()}
    persons = {name: dict(zip(intake.records.local_ids, told[name], strict=True)) for name, intake in intakes.items()}
    truth = Truth.of(told[LEFT], told[RIGHT])
    return Files(agreement, identities, intakes, persons, truth, time.perf_counter() - started)


def run_ours(files):
    """Both rows, and what only we say of a run: strong links, expected error, what the rules change."""
    steps: dict[str, float] = {}
    inside = []
    count = agency.pattern_table

    def counted(*arguments):
        inside.append(arguments)
        return count(*arguments)

    with mock.patch.object(agency, "pattern_table", counted):
        rehearsed = rehearse.run(files.agreement, files.identities, files.intakes, lambda *_: None, steps)
    seconds = files.seconds + sum(steps.values())
    (judged,) = rehearsed.judged
    report = measure(rehearsed.judged, files.agreement, rehearsed.local_ids, files.persons)
    row = _row("ours", judged, rehearsed, files, seconds)
    plain, differing = _plain(judged, rehearsed, files, dict(zip(files.intakes, inside, strict=True)))
    plain_row = _row("ours, plaintext levels", plain, rehearsed, files, None)
    return [row, plain_row], _further(report, differing)


def _plain(judged, rehearsed, files, inside):
    """The same candidates weighed by the same model, with every level from plaintext; share of levels that differ.

    All code but the comparison itself is the product's: evidence is replaced by the rows it was made of.
    """
    join = judged.compared.joined
    rows = {name: _places(files.intakes[name], rehearsed.local_ids[name]) for name in (LEFT, RIGHT)}
    records = {name: intake.records for name, intake in files.intakes.items()}
    nulls = {}
    for name, arguments in inside.items():

        def side(_tokens, numbers, *_, file=records[name]):
            return PlainSide(file, numbers)

        with mock.patch.multiple("linkage.parties.inside", make_inside=side, compare=compare_plain):
            nulls[name] = agency.pattern_table(*arguments)
    pairs = {LEFT: join.pairs.left, RIGHT: join.pairs.right}
    sides = {}
    for name in (LEFT, RIGHT):
        none = np.empty((len(rows[name]), 0), np.uint8)
        side_of = PlainSide(records[name], rows[name])
        sides[name] = SimpleNamespace(evidence=side_of, notes=none, bound=none, note_key=b"")

    def stand_in(_join, _contents, name):
        return pairs[name]

    with mock.patch.multiple(matcher, pair_places=stand_in, compare=compare_plain):
        (compared,) = matcher.score(Screened((join,), nulls), sides, files.agreement)
    differing = float((compared.comparisons.levels != judged.compared.comparisons.levels).mean())
    return deciding.judge(compared, files.agreement), differing


def _row(system, judged, rehearsed, files, seconds) -> Row:
    truth = files.truth
    # The matcher's rows are in random order; the truth follows them.
    order = [_places(files.intakes[name], rehearsed.local_ids[name]) for name in (LEFT, RIGHT)]
    shuffled = Truth(truth.left[order[0]], truth.right[order[1]])
    pairs, probability = judged.compared.joined.pairs, judged.compared.scores.probability
    return measure_links(system, "", pairs, probability, shuffled, judged.assigned, judged.linked, seconds)


def _places(intake, local_ids):
    place = {local_id: nth for nth, local_id in enumerate(intake.records.local_ids)}
    return np.array([place[local_id] for local_id in local_ids], np.int64)


def _further(report, differing):
    """Figures of the rehearsal's own report that no peer has."""
    strong = report["bands"]["strong"]
    return {
        "candidate_recall": report["candidates"]["recall"],
        "strong": strong["count"],
        "strong_false": strong["false"],
        "strong_precision": strong["true"] / strong["count"] if strong["count"] else None,
        "false_links": report["errors"]["false_links"],
        "missed_links": report["errors"]["missed_links"],
        "threshold": report["pairs"]["threshold"][0],
        "after_rules": {name: report["after_rules"][name] for name in ("f1", "precision", "recall", "linked", "false")},
        "rules": {name: counted for name, counted in report["rules"].items() if counted["count"]},
        "levels_differing": differing,
    }
