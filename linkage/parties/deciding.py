"""From weighed pairs to links around anchors: thresholds, rules, groups and bands, and what the run says of itself.

Rule: the score proposes, the rules dispose; what is not a link ends here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage import rules
from linkage.agreement import Agreement
from linkage.match import estimate, onetoone
from linkage.match.estimate import Band, Rate
from linkage.match.grouping import Group, Grouping, Spoke, group
from linkage.notes import SEALED_NOTE_BYTES
from linkage.package.links import NAMES_SWAPPED, FileMeta, Interval, LinkMeta, LinksContents, LinksMeta, SummaryMeta
from linkage.parties.matcher import Compared, match_weight
from linkage.parties.screened import Screened
from linkage.release.links import Band as ReleaseBand
from linkage.rules import Outcome, Rule, RuleOutcome, Verdict


@dataclass(frozen=True, repr=False)
class Judged:
    """Weighed pairs of two files with what is made of them, all (m,).

    assigned: the best partners of both rows. linked: assigned and at or above the threshold, rules not yet heard.
    band: int8 of estimate.Band, after the rules. threshold: probability at which `linked` was cut.
    """

    compared: Compared
    assigned: NDArray[np.bool_]
    linked: NDArray[np.bool_]
    ruled: RuleOutcome
    band: NDArray[np.int8]
    threshold: float

    @property
    def allowed(self) -> NDArray[np.bool_]:
        """Links the rules let stand, for review at least."""
        return np.asarray((self.band >= Band.PROBABLE) & (self.ruled.verdict != Verdict.BLOCK))


def judge(compared: Compared, agreement: Agreement) -> Judged:
    """Cut, hear the rules, and band the pairs of two files."""
    scores, bands = compared.scores, agreement.terms.bands
    many = scores.parameters.get("many", (False, False))
    assigned = onetoone.assign(compared.joined.pairs, scores.probability, (bool(many[0]), bool(many[1])))  # type: ignore[index]
    wanted = agreement.terms.link_threshold
    threshold = estimate.own_threshold(scores.probability, assigned) if wanted == "estimated" else float(wanted)
    linked = assigned & (scores.probability >= threshold)
    ruled = rules.apply(compared.comparisons, agreement.schema)
    band = estimate.bands(scores.probability, scores.weight, assigned, bands.most_false_strong, threshold=threshold)
    # The agreed bits bound the bands from below, whatever the probability and however few the rivals (R16).
    bits = match_weight(scores, compared.possible)
    band[(band == Band.STRONG) & (bits < bands.strong)] = Band.PROBABLE
    band[(band == Band.PROBABLE) & (bits < bands.probable)] = Band.POSSIBLE
    band[(band == Band.STRONG) & (ruled.verdict == Verdict.REVIEW)] = Band.PROBABLE
    return Judged(compared, assigned, linked, ruled, band, threshold)


@dataclass(frozen=True, repr=False)
class Decision:
    """Links for children's services, and counts for the matcher's own account."""

    contents: LinksContents
    grouping: Grouping
    counts: Mapping[str, int]


def decide(screened: Screened, judged: Sequence[Judged], agreement: Agreement, today: dt.date) -> Decision:
    """Links around anchors over all agencies, with the notes that may travel beside them.

    Probable links and links for review carry no flags (R16): their sealed notes stop here. Above the volume cap
    links are held back and counted (R30), the least probable first.
    """
    anchors = {party.name for party in agreement.encoders if party.holds_anchors}
    spokes = [
        Spoke(join.left, join.right, join.pairs, one.compared.scores.probability, one.allowed)
        for one in judged
        for join in [one.compared.joined]
    ]
    duplicated = {j.compared.joined.right for j in judged if _many(j)}
    grouping = group(spokes, anchors, duplicated)
    together = {row: nth for nth, each in enumerate(grouping.groups) for row in _rows(each)}
    picked = [
        (nth, pair)
        for nth, one in enumerate(judged)
        if one.compared.joined.right not in anchors
        for pair in np.flatnonzero(one.allowed).tolist()
        if _together(one, pair, together)
    ]
    picked.sort(key=lambda pick: (-judged[pick[0]].compared.scores.weight[pick[1]], pick))
    cap = agreement.terms.release.most_links
    kept = sorted(picked[:cap])
    contents = _contents(kept, screened, judged, agreement, len(picked) - len(kept), today)
    counts = {band.value: sum(link.band == band for link in contents.meta.links) for band in ReleaseBand}
    return Decision(contents, grouping, counts | {"overflow": len(picked) - len(kept)})


def _contents(
    kept: Sequence[tuple[int, int]], screened: Screened, judged: Sequence[Judged], agreement: Agreement, overflow: int,
    today: dt.date,
) -> LinksContents:  # fmt: skip
    fields = len(agreement.schema)
    levels, bits = np.empty((len(kept), fields), np.int8), np.empty((len(kept), fields + 1), np.float32)
    notes = np.zeros((2, len(kept), SEALED_NOTE_BYTES), np.uint8)
    bound = np.empty((2, len(kept), 16), np.uint8)
    links = []
    keys = {
        name: key
        for one in judged
        for name, key in zip(
            (one.compared.joined.left, one.compared.joined.right), one.compared.sealed.keys, strict=True
        )
    }
    turned = [rules.turned(one.compared.comparisons, agreement.schema) for one in judged]
    for row, (nth, pair) in enumerate(kept):
        one, join = judged[nth], judged[nth].compared.joined
        band = _release_band(one, pair)
        levels[row], bits[row] = one.compared.comparisons.levels[pair], one.compared.scores.contributions[pair]
        own = one.compared.sealed
        place = int(np.searchsorted(own.pairs, pair))
        bound[:, row], notes[0, row] = own.bound[:, place], own.notes[0, place]
        if band is ReleaseBand.STRONG:
            notes[1, row] = own.notes[1, place]
        links.append(
            LinkMeta(
                pair=join.pair_ids[pair].tobytes().hex(),
                anchor_party=join.left,
                party=join.right,
                band=band.value,
                reasons=_reasons(one, pair, bool(turned[nth][pair])),
            )
        )
    meta = LinksMeta(
        links=tuple(links),
        note_keys=dict(sorted(keys.items())),
        summary=_summary(screened, judged, agreement, overflow, today),
    )
    return LinksContents(meta, levels, bits, *notes, *bound)


def _summary(
    screened: Screened, judged: Sequence[Judged], agreement: Agreement, overflow: int, today: dt.date
) -> SummaryMeta:
    outcome = anchor_outcomes(screened, judged, agreement)
    return SummaryMeta(
        searched_on=today,
        files={
            name: FileMeta(people=null.people, present=tuple(round(float(share), 2) for share in null.present))
            for name, null in screened.nulls.items()
        },
        anchors=len(outcome),
        nothing_found=int((outcome != Outcome.LINKED).sum()),
        not_enough=int((outcome == Outcome.NOT_ENOUGH).sum()),
        overflow=overflow,
        false_links=_interval(estimate.false_links(*_pooled(judged, Band.STRONG))),
        missed=_interval(estimate.missed_links(*_pooled(judged))),
    )


def anchor_outcomes(screened: Screened, judged: Sequence[Judged], agreement: Agreement) -> NDArray[np.int8]:
    """What the run says of every anchor over all agencies: linked somewhere, not enough information, or no match."""
    found = []
    for party in agreement.encoders:
        if not party.holds_anchors or party.name not in screened.nulls:
            continue
        people = screened.nulls[party.name].people
        mine = [one for one in judged if one.compared.joined.left == party.name]
        rows = np.concatenate([one.compared.joined.pairs.left for one in mine]) if mine else np.empty(0, np.int32)
        linked = np.concatenate([one.allowed for one in mine]) if mine else np.empty(0, np.bool_)
        rule = np.concatenate([one.ruled.rule for one in mine]) if mine else np.empty(0, np.int8)
        found.append(rules.outcomes(rows, linked, rule, people))
    return np.concatenate(found) if found else np.empty(0, np.int8)


def _pooled(judged: Sequence[Judged], least: Band = Band.PROBABLE) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Probability of every pair of all files, and which are links of at least a band that the rules let stand."""
    if not judged:
        return np.empty(0), np.empty(0, np.bool_)
    probability = np.concatenate([one.compared.scores.probability for one in judged])
    return probability, np.concatenate([one.allowed & (one.band >= least) for one in judged])


def _interval(rate: Rate) -> Interval | None:
    return Interval(expected=rate.expected, low=rate.low, high=rate.high) if rate.of else None


def _release_band(one: Judged, pair: int) -> ReleaseBand:
    if one.ruled.verdict[pair] == Verdict.REVIEW:
        return ReleaseBand.REVIEW
    return ReleaseBand.STRONG if one.band[pair] == Band.STRONG else ReleaseBand.PROBABLE


def _reasons(one: Judged, pair: int, turned: bool) -> tuple[str, ...]:
    """The rule that spoke on a link, and whether its names agree only when swapped round."""
    rule = Rule(int(one.ruled.rule[pair]))
    return (*(() if rule is Rule.NONE else (rule.name.lower(),)), *((NAMES_SWAPPED,) if turned else ()))


def _many(one: Judged) -> bool:
    many = one.compared.scores.parameters.get("many", (False, False))
    return bool(many[0])  # type: ignore[index]


def _rows(each: Group) -> list[tuple[str, int]]:
    return [*each.anchors, *(member.row for member in each.members)]


def _together(one: Judged, pair: int, together: Mapping[tuple[str, int], int]) -> bool:
    join = one.compared.joined
    left, right = (join.left, int(join.pairs.left[pair])), (join.right, int(join.pairs.right[pair]))
    return left in together and together[left] == together.get(right)
