"""How rows of one file that resemble one another compare: the food of the non-match model, made by the agency alone.

Plain filters and tokens come in, counts of comparison patterns go out (DESIGN section 5).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from keys.chance import SYSTEM, Chance
from keys.derive import KEY_BYTES, PairKeys
from linkage.agreement import Agreement
from linkage.encode.evidence import make_evidence
from linkage.encode.screening import shuffle
from linkage.encode.tokens import FieldTokens
from linkage.layout import Layout
from linkage.match.candidates import cores
from linkage.match.compare import compare
from linkage.match.inside import nearest_inside
from linkage.model import NullTable

NULL_ROWS = 8_000
"""Filters whose candidates inside the file are compared for the non-match patterns; a larger file is sampled."""

NULL_SHARING = 100_000
"""Pairs that share a value, compared likewise; of more, a random sample."""
_PAIRS = 1 << 14  # compared at a time, so that memory does not grow with the file
_STEPS = 16  # of distance, within which pairs are found by both sides alike

_Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]


def alike_inside(
    plain: NDArray[np.uint64], owner: NDArray[np.int32], agreement: Agreement, chance: Chance = SYSTEM
) -> tuple[_Pairs, NDArray[np.float64], int]:
    """Candidate pairs of people inside one file, and for how many pairs of the file each stands, and at least stands.

    plain: filters (r, w) that never leave, in random order; owner: (r,). Returns low and high rows (m,), weights (m,).
    Candidates are chosen as the matcher chooses them, by distances as sent, which need not be counted for that: see
    match.inside. A file of more than NULL_ROWS filters is searched from a random sample of its people.
    """
    people = int(owner.max(initial=-1)) + 1
    asked = np.zeros(people, np.bool_)
    asked[shuffle(people, chance)[: -(-NULL_ROWS * people // max(len(plain), 1))]] = True
    queries = np.flatnonzero(asked[owner])
    tickets = np.sort(np.frombuffer(chance.draw(8 * len(plain)), np.uint64))
    profile, keep = agreement.profile, agreement.terms.screening.candidates
    found = nearest_inside(plain, queries, keep, profile.sent_bits, profile.xor, tickets)
    low, high, weight = _weighed(owner[queries[found.asked]], owner[found.rows], found.distances, asked)
    return (low, high), weight, -(-people // max(int(asked.sum()), 1))


def with_sharing(
    pairs: _Pairs, weight: NDArray[np.float64], each: int, sharing: NDArray[np.int64], chance: Chance = SYSTEM
) -> tuple[_Pairs, NDArray[np.float64], int]:
    """Candidates inside one file by filters, as alike_inside returns them, and by tight tokens.

    sharing: (p, 2) people who share a value that nobody else of the file has: in two files they would have met. They
    get no token here, so these are the strangers among those whom a token brings together (docs/decisions/0008).
    """
    if not len(sharing):
        return pairs, weight, each
    kept = sharing[np.sort(shuffle(len(sharing), chance)[:NULL_SHARING])]
    size = int(max(sharing.max(), pairs[1].max(initial=0))) + 1
    known, found = np.sort(sharing[:, 0] * size + sharing[:, 1]), pairs[0] * size + pairs[1]
    near = known[np.minimum(np.searchsorted(known, found), len(known) - 1)] != found  # no pair twice
    low, high = (np.concatenate([side[near], kept[:, nth]]) for nth, side in enumerate(pairs))
    stand = np.full(len(kept), len(sharing) / len(kept))
    return (low, high), np.concatenate([weight[near], stand]), each


def pattern_table(
    tokens: tuple[FieldTokens, ...],
    pairs: _Pairs,
    weight: NDArray[np.float64],
    each: int,
    agreement: Agreement,
    chance: Chance = SYSTEM,
) -> NullTable:
    """Comparison patterns of pairs of rows of one file (DESIGN section 5).

    weight: (m,) for how many pairs of the whole file each stands; each: for how many at least, in a sample.
    Whatever pairs are compared inside a file must be those that would be compared between files.
    """
    layout, people, (low, high) = Layout(agreement.schema), len(tokens[0]), pairs
    # One key for all rows: these comparisons never leave the agency, only their counts do.
    key = PairKeys.alone(chance.draw(KEY_BYTES))
    patterns = np.empty((len(low), 2 * len(agreement.schema) + 2), np.int8)
    for start in range(0, len(low), _PAIRS):
        part = slice(start, start + _PAIRS)
        rows, place = np.unique(np.concatenate([low[part], high[part]]), return_inverse=True)
        sides = make_evidence(tokens, rows, None, key, layout, chance, cores())
        levels = compare(sides, sides, layout, (place[: len(place) // 2], place[len(place) // 2 :]))
        patterns[part] = np.concatenate([levels.levels, levels.rarity, levels.crossed], axis=1)
    distinct, where = _distinct(patterns)
    fields = len(agreement.schema)
    missing = np.zeros(people, np.int32)
    for nth, field in enumerate(tokens):
        missing |= (np.diff(field.offsets) == 0).astype(np.int32) << nth
    gaps = np.bincount(missing, minlength=1 << fields)
    held = ~np.arange(1 << fields)[:, None] >> np.arange(fields) & 1
    counts = np.bincount(where.ravel(), weights=weight, minlength=len(distinct)).astype(np.float64)
    # A pair of a sample stands for several: told as multiples, so that the model sees how few pairs it was.
    counts = rounded_at_random(counts, max(agreement.terms.screening.round_patterns, each), chance)
    kept = counts > 0
    return NullTable(
        np.ascontiguousarray(distinct[kept, :fields]),
        np.ascontiguousarray(distinct[kept, fields : 2 * fields]),
        np.ascontiguousarray(distinct[kept, 2 * fields :]),
        counts[kept],
        people=people,
        pairs=len(low),
        present=gaps @ held / max(people, 1),  # counted, since shares may add up to more than 1
        gaps=gaps / max(people, 1),
    )


def _distinct(patterns: NDArray[np.int8]) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
    """Distinct rows, and the place of every row among them: np.unique by rows in a quarter of the time."""
    words = -(-patterns.shape[1] // 8)
    packed = np.zeros((len(patterns), 8 * words), np.int8)
    packed[:, : patterns.shape[1]] = patterns
    first, where = np.zeros(0, np.int64), np.zeros(len(patterns), np.int64)
    for word in packed.view(np.int64).T:
        met, code = np.unique(word, return_inverse=True)
        _, first, where = np.unique(where * len(met) + code, return_index=True, return_inverse=True)
    return patterns[first], where


def rounded_at_random(counts: NDArray[np.float64], grain: int, chance: Chance = SYSTEM) -> NDArray[np.float64]:
    """Counts rounded up or down to multiples of `grain`, by chances that keep every count right on average.

    A pattern of one pair shows in one file of `grain`, and then as `grain`. Dropping rare patterns instead makes
    strangers look impossible where they are merely rare, and false links follow (docs/decisions/0005).
    Source: unbiased random rounding, Fellegi 1975.
    """
    if grain == 1:
        return counts
    up = np.frombuffer(chance.draw(8 * len(counts)), np.uint64) / 2.0**64
    return np.asarray(np.floor(counts / grain + up) * grain)


def _weighed(
    person: NDArray[np.int32], other: NDArray[np.int32], distances: NDArray[np.int32], asked: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Pairs of people found from those asked, each once (low, high), and for how many pairs of the file it stands.

    person, other, distances: (m,) who was asked, whom his filters found, how far off. asked: (people,) whose
    candidates were looked for, a random part of the file. A pair that both its sides find is seen twice as often as
    one that one side finds, and is the more alike: unweighed, it would make strangers look too much alike. Where only
    one side was asked, the other's answer is guessed from pairs as far apart of which both were.
    Source: Horvitz & Thompson 1952, with the chance of being drawn estimated where it is not known.
    """
    people = len(asked)
    near = np.argsort(distances, kind="stable")  # so that the first of equal codes is the nearest
    codes, first = np.unique(person[near].astype(np.int64) * people + other[near], return_index=True)
    distance = distances[near][first]
    one, two = codes // max(people, 1), codes % max(people, 1)
    codes, distance, one, two = (part[one != two] for part in (codes, distance, one, two))
    mutual = np.isin(two * people + one, codes, assume_unique=True)
    known = asked[two]
    steps = np.quantile(distance, np.linspace(0, 1, _STEPS + 1)[1:-1]) if len(distance) else np.empty(0)
    step = np.searchsorted(steps, distance)
    share = (np.bincount(step[known], mutual[known], _STEPS) + 0.5) / (np.bincount(step[known], minlength=_STEPS) + 1)
    both = np.where(known, mutual, share[step])
    pairs, place = np.unique(np.minimum(one, two) * people + np.maximum(one, two), return_inverse=True)
    weight = np.bincount(place, 1 - both / 2, len(pairs)) * people / max(int(asked.sum()), 1)
    return pairs // max(people, 1), pairs % max(people, 1), weight
