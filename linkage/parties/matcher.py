"""What the matcher does: find who might be the same, ask for evidence, and decide.

It sees keyed bits only. Rule: this module and all it imports can neither encode a name nor hold the linkage secret
(an import wall that is tested).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from keys.chance import SYSTEM, Chance
from linkage import ids
from linkage.agreement import Agreement
from linkage.errors import OtherSecretError, UnexpectedPackageError
from linkage.layout import Layout
from linkage.match.candidates import Engine, Nearest, Sampled, Settings, cores
from linkage.match.compare import Rows, compare
from linkage.match.grouping import Spoke
from linkage.match.model import Settings as ModelSettings
from linkage.match.model import fit_and_score
from linkage.match.thirds import supported
from linkage.model import Bytes16, Comparisons, Request, Scores
from linkage.package.contents import EvidenceContents, ScreeningContents
from linkage.package.tokens import TokenRows
from linkage.parties import asking
from linkage.parties.screened import Joined, Screened

Progress = Callable[[str, int, int], None]

RECALL = 0.995
"""Share of the nearest rows that a search of hardened filters of many rows states to find (docs/decisions/0004)."""


def screen(
    files: Mapping[str, ScreeningContents],
    agreement: Agreement,
    progress: Progress | None = None,
    chance: Chance = SYSTEM,
    engine: Engine | None = None,
) -> tuple[Screened, dict[str, Request]]:
    """Candidates between every two files of which one holds anchors, and a request for evidence to every party.

    What a party is asked depends on the agreement and the size of its own file alone (docs/decisions/0009).
    engine: where candidates are searched; None: on this machine.

    Raises OtherSecretError when the agencies did not use one linkage secret: that would look like "no links" (R7);
    TestKeyError when a live agreement meets a repeatable source of chance (R50).
    """
    chance.require(test=agreement.terms.test)
    check_secrets(files)
    joined = []
    comparable = comparable_files(files, agreement)
    for nth, (left, right) in enumerate(comparable):
        if progress:
            progress(f"candidates {left} x {right}", nth, len(comparable))
        limits = agreement.pairs_each(left), agreement.pairs_each(right)
        sides = files[left].screening, files[right].screening
        pairs = asking.candidates(*sides, search_settings(agreement), limits, engine)
        joined.append(Joined(left, right, pairs, asking.random_ids(len(pairs), chance), pairs.stats))
    if progress:
        progress("candidates", len(comparable), len(comparable))
    requests = {
        name: asking.request(name, contents.screening, joined, agreement.times_asked(name), chance)
        for name, contents in files.items()
    }
    return Screened(tuple(joined), {name: contents.null for name, contents in files.items()}), requests


def check_secrets(files: Mapping[str, ScreeningContents] | Mapping[str, TokenRows]) -> None:
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
class Sealed:
    """Notes of some pairs of two files, for children's services.

    pairs: (p,) places among the pairs, ascending. notes: (2, p, length) and bound: (2, p, 16), of the left and of the
    right side; see EvidenceContents. keys: each side's sealed note key.
    """

    pairs: NDArray[np.int64]
    notes: NDArray[np.uint8]
    bound: Bytes16
    keys: tuple[bytes, bytes]


@dataclass(frozen=True, repr=False)
class Compared:
    """Candidate pairs of two files with how they agree and what the model says of them.

    possible: pairs of rows. sealed: what was sealed for those that may become links.
    """

    joined: Joined
    comparisons: Comparisons
    scores: Scores
    possible: float
    sealed: Sealed


def match_weight(scores: Scores, possible: float) -> NDArray[np.float64]:
    """Match weight of each pair in bits, log2 of its m probability over its u probability among all pairs of rows.

    (m,). It is what the evidence says whatever the files' sizes, and what R16's 20 and 10 bits are about; the scores'
    weight is the posterior, with the prior odds of any two rows (pairs expected over all pairs) already in it.
    """
    expected = max(float(scores.parameters["expected_pairs"]), 1.0)  # type: ignore[arg-type]
    return np.asarray(scores.weight + np.log2(max(possible, 1.0) / expected))


def score(
    screened: Screened,
    evidence: Mapping[str, EvidenceContents],
    agreement: Agreement,
    progress: Progress | None = None,
) -> tuple[Compared, ...]:
    """Compare both sides of every pair and let the match model weigh them, file pair by file pair.

    Raises UnexpectedPackageError when a party has not answered for all of its pairs.
    """
    with ThreadPoolExecutor(cores()) as pool:
        # The next two files are read and compared while the model learns from these.
        weighed = []
        for nth, comparisons in enumerate(_comparisons(screened, evidence, agreement)):
            if progress:
                progress(
                    f"evidence {screened.joined[nth].left} x {screened.joined[nth].right}", nth, len(screened.joined)
                )
            weighed.append(pool.submit(_weighed, screened, agreement, *comparisons))
            del comparisons
        compared = [one.result() for one in weighed]
    if progress:
        progress("evidence", len(screened.joined), len(screened.joined))
    return _with_thirds(compared)


_Notes = tuple[NDArray[np.uint8], Bytes16, bytes]
"""Of one side: its notes, what each is bound to, and their sealed key; see EvidenceContents."""


def _comparisons(
    screened: Screened, evidence: Mapping[str, EvidenceContents], agreement: Agreement
) -> Iterator[tuple[Joined, Comparisons, tuple[_Notes, _Notes], Rows]]:
    """How the pairs of every two files compare; of the evidence only the notes are left, and each pair's places."""
    layout = Layout(agreement.schema)
    for join in screened.joined:
        left, right = evidence[join.left], evidence[join.right]
        places = pair_places(join, left, join.left), pair_places(join, right, join.right)
        comparisons = compare(left.evidence, right.evidence, layout, places)
        notes = (left.notes, left.bound, left.note_key), (right.notes, right.bound, right.note_key)
        del left, right
        yield join, comparisons, notes, places


def _weighed(
    screened: Screened,
    agreement: Agreement,
    join: Joined,
    comparisons: Comparisons,
    notes: tuple[_Notes, _Notes],
    places: Rows,
) -> Compared:
    """The pairs of two files, weighed by what the model learns from them."""
    nulls = screened.nulls[join.left], screened.nulls[join.right]
    settings = ModelSettings(tuned=not agreement.one_round)
    scores = fit_and_score(join.pairs, comparisons, agreement.schema, *nulls, settings)
    possible = float(nulls[0].people) * nulls[1].people
    # Below the agreed bits no pair becomes a link, whatever follows: its notes can be let go.
    able = np.flatnonzero(match_weight(scores, possible) >= agreement.terms.bands.probable)
    return Compared(join, comparisons, scores, possible, _sealed(notes, places, able))


def _sealed(sides: tuple[_Notes, _Notes], places: Rows, pairs: NDArray[np.int64]) -> Sealed:
    notes, bound = (
        np.stack([side[part][rows[pairs]] for side, rows in zip(sides, places, strict=True)]) for part in range(2)
    )
    return Sealed(pairs, notes, bound, (sides[0][2], sides[1][2]))


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


def pair_places(join: Joined, contents: EvidenceContents, name: str) -> NDArray[np.int64]:
    """Where each pair stands in a party's evidence, (m,). Raises UnexpectedPackageError when any is not there."""
    place = ids.places(contents.evidence.pair_ids, join.pair_ids)
    if missing := int((place < 0).sum()):
        raise UnexpectedPackageError(
            f"{name} has not answered {missing:,} of {len(place):,} pairs", "ask it to answer this run's request"
        )
    return place


def comparable_files(files: Mapping[str, ScreeningContents], agreement: Agreement) -> list[tuple[str, str]]:
    """Every two files that are here and of which one holds anchors, the anchors' first."""
    return [pair for pair in agreement.comparable() if pair[0] in files and pair[1] in files]


def search_settings(agreement: Agreement) -> Settings:
    """Every row's nearest, from both sides: a row that is asked about anyway had better be asked for a real pair."""
    if agreement.profile.search == "lsh":
        return Sampled(dice=agreement.profile.threshold, keep=agreement.terms.screening.candidates)
    return Nearest(keep=agreement.terms.screening.candidates, recall=RECALL)
