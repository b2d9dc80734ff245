"""What the matcher does: find who might be the same, ask for evidence, and decide.

It sees keyed bits only. Rule: this module and all it imports can neither encode a name nor hold the linkage secret
(an import wall that is tested).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from keys.chance import SYSTEM, Chance
from linkage.agreement import Agreement
from linkage.errors import OtherSecretError, UnexpectedPackageError
from linkage.layout import Layout
from linkage.match.candidates import Nearest, Sampled, Settings
from linkage.match.compare import compare
from linkage.match.grouping import Spoke
from linkage.match.model import fit_and_score
from linkage.match.search import find_candidates
from linkage.match.thirds import supported
from linkage.model import Bytes16, Comparisons, Evidence, Pairs, Request, Scores
from linkage.package.contents import EvidenceContents, ScreeningContents
from linkage.parties.screened import Joined, Screened

Progress = Callable[[str, int, int], None]


def screen(
    files: Mapping[str, ScreeningContents],
    agreement: Agreement,
    progress: Progress | None = None,
    chance: Chance = SYSTEM,
) -> tuple[Screened, dict[str, Request]]:
    """Candidates between every two files of which one holds anchors, and a request for evidence to every party.

    Raises OtherSecretError when the agencies did not use one linkage secret: that would look like "no links" (R7);
    TestKeyError when a live agreement meets a repeatable source of chance (R50).
    """
    chance.require(test=agreement.terms.test)
    check_secrets(files)
    joined = []
    comparable = [pair for pair in agreement.comparable() if pair[0] in files and pair[1] in files]
    for nth, (left, right) in enumerate(comparable):
        if progress:
            progress(f"candidates {left} x {right}", nth, len(comparable))
        most = [_most_asked(agreement, name, comparable) for name in (left, right)]
        pairs = _candidates(files[left], files[right], _search(agreement, left, right), most)
        joined.append(Joined(left, right, pairs, _random_ids(len(pairs), chance)))
    if progress:
        progress("candidates", len(comparable), len(comparable))
    requests = {name: _request(name, contents, joined, agreement, chance) for name, contents in files.items()}
    return Screened(tuple(joined), {name: contents.null for name, contents in files.items()}), requests


def check_secrets(files: Mapping[str, ScreeningContents]) -> None:
    """All check values are the same. Raises OtherSecretError naming the parties that stand apart."""
    by_check: dict[str, list[str]] = {}
    for name, contents in files.items():
        by_check.setdefault(contents.check, []).append(name)
    if len(by_check) > 1:
        groups = sorted(by_check.values(), key=len)
        raise OtherSecretError(
            f"{', '.join(groups[0])} used another linkage secret or another run than {', '.join(groups[-1])}",
            "the agencies compare `linkage secret assemble` fingerprints aloud and encode again",
        )


@dataclass(frozen=True, repr=False)
class Compared:
    """Candidate pairs of two files with how they agree and what the model says of them. possible: pairs of rows."""

    joined: Joined
    comparisons: Comparisons
    scores: Scores
    possible: float


def score(
    screened: Screened,
    evidence: Mapping[str, EvidenceContents],
    agreement: Agreement,
    progress: Progress | None = None,
) -> tuple[Compared, ...]:
    """Compare both sides of every pair and let the match model weigh them, file pair by file pair.

    Raises UnexpectedPackageError when a party has not answered for all of its pairs.
    """
    layout = Layout(agreement.schema)
    compared = []
    for nth, join in enumerate(screened.joined):
        if progress:
            progress(f"evidence {join.left} x {join.right}", nth, len(screened.joined))
        left, right = (_side(join, evidence[name], name) for name in (join.left, join.right))
        comparisons = compare(left, right, layout)
        nulls = screened.nulls[join.left], screened.nulls[join.right]
        scores = fit_and_score(join.pairs, comparisons, agreement.schema, *nulls)
        compared.append(Compared(join, comparisons, scores, float(nulls[0].people) * nulls[1].people))
    if progress:
        progress("evidence", len(screened.joined), len(screened.joined))
    return _with_thirds(compared)


def _with_thirds(compared: Sequence[Compared]) -> tuple[Compared, ...]:
    """The same pairs, each helped by a third file in which both its rows have the same partner."""
    spokes = [
        Spoke(
            one.joined.left, one.joined.right, one.joined.pairs, one.scores.probability, np.ones(len(one.scores), bool)
        )
        for one in compared
    ]
    return tuple(
        replace(one, scores=replace(one.scores, probability=probability))
        for one, probability in zip(compared, supported(spokes), strict=True)
    )


def _side(join: Joined, contents: EvidenceContents, name: str) -> Evidence:
    """One party's evidence in the order of the pairs."""
    return contents.evidence.take(pair_places(join, contents, name))


def pair_places(join: Joined, contents: EvidenceContents, name: str) -> NDArray[np.int64]:
    """Where each pair stands in a party's evidence, (m,). Raises UnexpectedPackageError when any is not there."""
    given, wanted = (
        np.ascontiguousarray(ids).view("V16").ravel() for ids in (contents.evidence.pair_ids, join.pair_ids)
    )
    order = np.argsort(given)
    place: NDArray[np.int64] = np.searchsorted(given[order], wanted)
    found = place < len(given)
    found[found] = given[order[place[found]]] == wanted[found]
    if not found.all():
        raise UnexpectedPackageError(
            f"{name} has not answered {int((~found).sum()):,} of {len(wanted):,} pairs",
            "ask it to answer this run's request",
        )
    return order[place]


def _search(agreement: Agreement, left: str, right: str) -> Settings:
    """Every anchor's best candidates; both ways where both sides hold anchors."""
    if agreement.profile.search == "lsh":
        return Sampled(dice=agreement.profile.threshold)
    both = agreement.party(left).holds_anchors and agreement.party(right).holds_anchors
    return Nearest(keep=agreement.terms.screening.candidates, both_sides=both)


def _candidates(left: ScreeningContents, right: ScreeningContents, settings: Settings, most: list[int]) -> Pairs:
    """Candidate pairs of people: of all their filters, each pair once, and no row in more pairs than it answers."""
    found = find_candidates(left.screening.filters, right.screening.filters, settings)
    rows, columns = left.screening.owner[found.left], right.screening.owner[found.right]
    people = max(len(right.screening), 1)
    near = np.argsort(found.distances, kind="stable")  # so that the first of equal codes is the nearest
    code, first = np.unique((rows.astype(np.int64) * people + columns)[near], return_index=True)
    distance = found.distances[near][first]
    one, other = code // people, code % people
    kept = (_rank(one, distance) < most[0]) & (_rank(other, distance) < most[1])
    return Pairs(one[kept].astype(np.int32), other[kept].astype(np.int32))


def _rank(rows: NDArray[np.int64], distance: NDArray[np.int32]) -> NDArray[np.int64]:
    """Place of each pair among the pairs of its row, nearest first, (m,)."""
    order = np.lexsort((distance, rows))
    ranked = rows[order]
    start = np.searchsorted(ranked, ranked)
    rank = np.empty(len(rows), np.int64)
    rank[order] = np.arange(len(rows)) - start
    return rank


def _most_asked(agreement: Agreement, name: str, comparable: Sequence[tuple[str, str]]) -> int:
    """Pairs a row may be in, in one of its files' comparisons: its share of what the agency answers, less decoys."""
    terms = agreement.terms
    times = sum(name in pair for pair in comparable)
    return max(int(terms.requests.most_per_row * (1 - terms.screening.decoys) * 0.9 / max(times, 1)), 1)


def _request(
    name: str, contents: ScreeningContents, joined: list[Joined], agreement: Agreement, chance: Chance
) -> Request:
    """Everything asked of one party, in random order, with decoys among it."""
    rows = [join.pairs.left for join in joined if join.left == name]
    rows += [join.pairs.right for join in joined if join.right == name]
    ids = [join.pair_ids for join in joined if join.left == name] + [j.pair_ids for j in joined if j.right == name]
    real = sum(len(part) for part in rows)
    people = len(contents.screening)
    decoys = int(np.ceil(real * agreement.terms.screening.decoys)) if people else 0
    rows.append(_random_rows(decoys, people, chance))
    ids.append(_random_ids(decoys, chance))
    order = np.argsort(np.frombuffer(chance.draw(8 * (real + decoys)), np.uint64), kind="stable")
    return Request(np.concatenate(ids)[order], contents.screening.pseudonyms[np.concatenate(rows)[order]])


def _random_rows(count: int, people: int, chance: Chance) -> NDArray[np.int32]:
    draws = np.frombuffer(chance.draw(8 * count), np.uint64)
    return (draws % np.uint64(max(people, 1))).astype(np.int32)


def _random_ids(count: int, chance: Chance) -> Bytes16:
    return np.frombuffer(chance.draw(16 * count), np.uint8).reshape(count, 16)
