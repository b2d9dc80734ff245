"""What two records of one person look like: learnt by EM from candidate pairs, without labels.

Patterns of candidate pairs and the expected non-matches come in; the match class comes out.
Rule: non-matches are known beforehand, so that only the match class moves here.
Source: Fellegi & Sunter 1969; EM with fixed non-match rates after Jaro 1989; one-to-one posteriors in the E step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from linkage.match import kin as relatives
from linkage.match import onetoone
from linkage.match.kin import Kin
from linkage.match.mixture import log_sum, normalise, observed
from linkage.match.nonmatch import Across, NonMatch
from linkage.match.patterns import Alphabet, Codes
from linkage.match.priors import MOVED, copies
from linkage.match.refit import refit
from linkage.model import Pairs
from linkage.schema import Kind, Sense

ROUNDS = 80
_STRENGTH = 8.0  # true pairs' worth of prior belief in each column
_GAP_STRENGTH = 0.5  # prior belief in how gaps fall, as a share of the true pairs
_LEAST_FREE = 0.08
_SETTLED = 0.02  # messages while learning; the last word is said with the default of onetoone
_CLEAR = -4.0  # log odds below which a pair is no match
_SURE = float(np.log(64.0))  # odds a pair reaches without help from its rivals' weakness
_FEWEST_SURE = 0.02
_NEARLY_NONE = 0.01
_MOST: dict[Kind, float] = {
    Kind.FORENAME: 0.4, Kind.SURNAME: 0.5, Kind.DATE: 0.4, Kind.SEX: 0.03, Kind.IDENTIFIER: 0.2,
}  # fmt: skip

Floats = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class Matched:
    """The match class of two files: people who stayed, and people whose address or telephone changed.

    number: expected true pairs among the candidates. moved: share of the second kind.
    table: (w, 2) probability of every code, missing ones 1; only fields of place differ between the two kinds.
    gaps: (2 ** f,) share of true pairs with each set of missing fields. second: see onetoone.posterior, copies.
    crowding: log of how much rarer free rows are than rows; added to log odds before competition.
    kin: relatives that neither file has seen, beside the other non-matches.
    rounds: EM rounds taken. supported: false where no pair stood out, and expected pairs were cut to nearly none.
    """

    number: float
    moved: float
    table: Floats
    gaps: Floats
    second: tuple[float, float]
    crowding: float
    kin: Kin
    rounds: int
    supported: bool = True

    def parts(self, design: sparse.csr_matrix) -> Floats:
        """Log probability of each pattern's known fields, for each kind of true pair, (k, 2)."""
        return np.asarray(design @ np.log(self.table)) + np.log([1 - self.moved, self.moved])

    def log_chance(self, design: sparse.csr_matrix, gaps: NDArray[np.int64]) -> Floats:
        """Log probability of each pattern for a true pair, (k,)."""
        return log_sum(self.parts(design)) + np.log(self.gaps[gaps])


def fit(
    pairs: Pairs,
    codes: Codes,
    inverse: NDArray[np.int64],
    alphabet: Alphabet,
    nonmatch: NonMatch,
    people: tuple[int, int],
    *,
    tuned: bool = True,
) -> tuple[Matched, Floats]:
    """Learn the match class; returns it and the log odds of every distinct pattern, (k,).

    codes: (k, columns) distinct patterns; inverse: (m,) pattern of every pair. tuned: see model.Settings.
    """
    design, gaps = alphabet.design(codes), alphabet.gaps(codes)
    counted = np.bincount(inverse, minlength=len(codes)).astype(np.float64)
    now, belief, gap_belief = _at_first(design, counted, alphabet, nonmatch, people)
    tied = np.ones(len(belief), bool)
    for column in alphabet.places:
        tied[alphabet.block(column)] = False
    hope = np.log(now.number) + now.log_chance(design, gaps) - log_sum(nonmatch.parts(design))
    untuned = log_sum(nonmatch.parts(design)) + nonmatch.correction(codes)
    others = refit(nonmatch, codes, counted, hope < _CLEAR) if tuned else untuned
    log_gaps = np.log(gap_belief)[gaps]
    kin = now.kin.log_expected(design, log_gaps)
    expected = np.logaddexp(others, kin)
    transposed = design.T.tocsr()
    for number in range(1, ROUNDS + 1):
        odds = np.log(now.number) + now.log_chance(design, gaps) - expected
        probability = onetoone.posterior(pairs, (odds + now.crowding)[inverse], now.second, _SETTLED)
        held = np.bincount(inverse, probability, len(codes))
        total = float(held.sum())
        kinds = now.parts(design)
        by_kind = held[:, None] * np.exp(kinds - log_sum(kinds)[:, None])
        counts = np.asarray(transposed @ by_kind)
        counts[tied] = counts[tied].sum(axis=1, keepdims=True)
        table = _held(observed(normalise(counts + _STRENGTH * belief + 1e-3, alphabet), alphabet), alphabet)
        apart = np.maximum(counted - held, 0.0) * np.exp(kin - expected)
        family = relatives.learn(now.kin, alphabet, transposed @ apart, float(apart.sum()), table[:, 0])
        kin = family.log_expected(design, log_gaps)
        expected = np.logaddexp(others, kin)
        seen = np.bincount(gaps, held, len(gap_belief))
        held_back = _GAP_STRENGTH * total + 10.0
        shares = (seen + held_back * gap_belief) / (total + held_back)
        moved = float((by_kind[:, 1].sum() + 20 * MOVED) / (total + 20)) if alphabet.places else MOVED
        change = abs(np.log(max(total, 1e-3) / now.number))
        second, crowding = _crowd(max(total, 1e-3), nonmatch.copies, people)
        now = Matched(max(total, 1e-3), moved, table, shares, second, crowding, family, number)
        if change < 1e-4 and number > 8:
            break
    odds = np.log(now.number) + now.log_chance(design, gaps) - expected
    sure = float(held[odds > _SURE].sum())
    if sure < _FEWEST_SURE * total:
        # Nothing but resemblance that no pair carries by itself: the best of a bad lot, not a match class.
        lost = np.log(now.number / max(sure, _NEARLY_NONE))
        odds -= lost
        now = replace(now, number=max(sure, _NEARLY_NONE), crowding=0.0, supported=False)
    return now, odds


def surely_apart(
    codes: Codes, inverse: NDArray[np.int64], alphabet: Alphabet, nonmatch: NonMatch, people: tuple[int, int]
) -> Across:
    """Candidate pairs that are no match as far as prior belief can tell, each by how surely it is none."""
    design, counted = alphabet.design(codes), np.bincount(inverse, minlength=len(codes)).astype(np.float64)
    first, _, _ = _at_first(design, counted, alphabet, nonmatch, people)
    hope = np.log(first.number) + first.log_chance(design, alphabet.gaps(codes)) - log_sum(nonmatch.parts(design))
    apart = hope < 0
    return Across(codes[apart], counted[apart] / (1 + np.exp(hope[apart])))


def _at_first(
    design: sparse.csr_matrix, counted: Floats, alphabet: Alphabet, nonmatch: NonMatch, people: tuple[int, int]
) -> tuple[Matched, Floats, Floats]:
    """The match class before anything was learnt, and prior belief in its codes, (w, 2), and in gaps, (2 ** f,)."""
    margin = normalise(np.asarray(design.T @ counted), alphabet)
    belief = np.stack([observed(copies(alphabet, margin, moved), alphabet) for moved in (False, True)], axis=1)
    gaps = np.maximum(nonmatch.gaps, 1e-9)
    family = relatives.start(alphabet, margin, people)
    return Matched(0.3 * min(people), MOVED, belief, gaps, (0.0, 0.0), 0.0, family, 0), belief, gaps


def _crowd(total: float, copied: tuple[float, float], people: tuple[int, int]) -> tuple[tuple[float, float], float]:
    """How readily rows take a second partner, and the log of how much rarer free pairs of rows are than pairs.

    Where most rows have a partner, a pair of free rows is far likelier to be one person than a pair of any rows.
    Mean-field solution of the model in onetoone, so that it expects `total` pairs before it sees a comparison.
    """
    degree = (total / people[0], total / people[1])
    # A left row has several partners where the right file holds copies: 2 * copies / people further ones a row.
    further = (2 * copied[1] / people[1], 2 * copied[0] / people[0])
    free = [1.0, 1.0]
    second = [0.0, 0.0]
    for _ in range(20):
        second = [min(further[side] * free[side] / max(degree[side], 1e-9), 1.0) for side in (0, 1)]
        free = [_freedom(degree[side], second[side]) for side in (0, 1)]
    return (second[0], second[1]), -float(np.log(free).sum())


def _freedom(degree: float, second: float) -> float:
    """How free a row is that has `degree` partners on average; at least _LEAST_FREE."""
    if second < 1e-6:
        return max(1 - degree, _LEAST_FREE)
    low, high = 0.0, 1e4
    for _ in range(60):
        pull = (low + high) / 2
        free = 1 / (np.exp(-second * pull) - np.expm1(-second * pull) / second)
        low, high = (pull, high) if pull * free < degree else (low, pull)
    return float(max(free, _LEAST_FREE))


def _held(table: Floats, alphabet: Alphabet) -> Floats:
    """Keep the match class a match class: no more than _MOST of it may disagree on what a person takes along.

    Without this it drifts, where there are no true pairs, to whatever the non-match classes explain worst.
    """
    table = table.copy()
    for column, field in enumerate(alphabet.schema.fields):
        most = _MOST.get(field.kind, 1.0)
        start, levels = alphabet.block(column).start, alphabet.schema.levels(column)
        gap = start + (alphabet.missing(column) or 0)
        apart = np.zeros(len(table), bool)
        apart[gap - len(levels) : gap] = [level.sense is Sense.DISAGREE for level in levels]
        near = ~apart
        near[:start] = near[gap:] = False
        share = table[apart].sum(axis=0)
        table[apart] *= np.minimum(1.0, most / np.maximum(share, 1e-12))
        table[near] *= (1 - table[apart].sum(axis=0)) / np.maximum(table[near].sum(axis=0), 1e-12)
    return table
