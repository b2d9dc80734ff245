"""What errors a run must expect, from its own probabilities: overall, by agency, by band and by completeness (R17)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.agreement import Agreement
from linkage.match import estimate
from linkage.match.estimate import Band, Rate
from linkage.parties.deciding import Judged
from linkage.schema import MISSING, Kind, Schema

ALARM = 2.0
"""A group whose expected rate is this many times the overall one is named (R17)."""
_FEWEST = 3.0  # expected errors below which no group raises an alarm
COMPLETENESS = ("name, date and place", "no date", "no place", "neither date nor place")


@dataclass(frozen=True, repr=False)
class PairGroup:
    """Some pairs of a run. by: what divides the run ("overall", "agency", ...). here: (m,) mask over all pairs."""

    by: str
    name: str
    here: NDArray[np.bool_]


@dataclass(frozen=True)
class Expected:
    """Expected errors of one group of pairs. count: links in it. alarm: much worse than the run as a whole."""

    by: str
    name: str
    count: int
    false_links: Rate
    missed: Rate
    alarm: bool = False


def expected_errors(judged: Sequence[Judged], agreement: Agreement) -> tuple[Expected, ...]:
    """Expected false-link and missed-link rates of a run, overall first. Links are those the rules let stand.

    A missed link has no band, so bands tell false links alone.
    """
    probability, linked = pooled(judged)
    found = []
    for group in pair_groups(judged, agreement):
        chances, links = probability[group.here], linked[group.here]
        rates = estimate.false_links(chances, links), estimate.missed_links(chances, links)
        found.append(Expected(group.by, group.name, int(links.sum()), *rates))
    return tuple(_alarmed(each, found[0]) for each in found)


def pair_groups(judged: Sequence[Judged], agreement: Agreement) -> tuple[PairGroup, ...]:
    """The groups errors are told for: all pairs, each pair of files, completeness of what was compared, bands."""
    _, linked = pooled(judged)
    agency = np.repeat(np.arange(len(judged)), [len(one.band) for one in judged])
    files = [f"{one.compared.joined.left} x {one.compared.joined.right}" for one in judged]
    complete = _join([completeness(one.compared.comparisons.levels, agreement.schema) for one in judged])
    band = _join([one.band for one in judged])
    groups = [PairGroup("overall", "all pairs", np.ones(len(linked), np.bool_))]
    groups += [PairGroup("agency", name, agency == nth) for nth, name in enumerate(files)]
    groups += [PairGroup("completeness", name, complete == nth) for nth, name in enumerate(COMPLETENESS)]
    groups += [PairGroup("band", b.name.lower(), linked & (band == b)) for b in (Band.STRONG, Band.PROBABLE)]
    return tuple(groups)


def pooled(judged: Sequence[Judged]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Probability of every pair of all files laid end to end, and which are links that the rules let stand."""
    probability = _join([one.compared.scores.probability for one in judged])
    return probability, _join([one.allowed for one in judged]).astype(np.bool_)


def completeness(levels: NDArray[np.int8], schema: Schema) -> NDArray[np.int64]:
    """Place of each pair in COMPLETENESS, by what both sides have: a date of birth; a postcode or address. (m,)."""

    def known(kinds: tuple[Kind, ...]) -> NDArray[np.bool_]:
        columns = [place for kind in kinds for place in schema.indices(kind)]
        return np.asarray((levels[:, columns] != MISSING).any(axis=1))

    date, place = known((Kind.DATE,)), known((Kind.POSTCODE, Kind.TEXT))
    return np.asarray(np.where(date, 0, 1) + np.where(place, 0, 2))


def _alarmed(each: Expected, overall: Expected) -> Expected:
    worse = any(
        rate.expected > ALARM * whole.expected and rate.expected * rate.of >= _FEWEST
        for rate, whole in ((each.false_links, overall.false_links), (each.missed, overall.missed))
    )
    return Expected(each.by, each.name, each.count, each.false_links, each.missed, worse and each.by != "band")


def _join(parts: Sequence[NDArray[np.generic]]) -> NDArray[np.float64]:
    return np.concatenate(parts).astype(np.float64) if parts else np.empty(0)
