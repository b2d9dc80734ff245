"""How rows of one file that resemble one another compare: the food of the non-match model, made by the agency alone.

Plain filters and tokens come in, counts of comparison patterns go out (DESIGN section 5).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from keys.chance import SYSTEM, Chance
from keys.derive import KEY_BYTES, PairKeys, stream
from linkage.agreement import Agreement
from linkage.encode.inside import make_inside
from linkage.encode.joining import Tokens
from linkage.encode.screening import shuffle
from linkage.encode.sharing import Neighbours
from linkage.layout import Layout
from linkage.match.candidates import cores
from linkage.match.compare import compare
from linkage.match.inside import Part, nearest_inside
from linkage.model import NullTable
from linkage.shelf import Held

NULL_ROWS = 8_000
"""Filters whose candidates inside the file are compared for the non-match patterns; a larger file is sampled."""

NULL_SHARING = 100_000
"""Pairs that share a value, compared likewise; of more, a random sample."""
_PAIRS = 1 << 14  # compared at a time, so that memory does not grow with the file
_CHOSEN = 1 << 16  # pairs of whose people tokens are held at a time, likewise
_STEPS = 16  # of distance, within which pairs are found by both sides alike

Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Low and high numbers of people, (m,) each."""


@dataclass(frozen=True, repr=False)
class Filtered:
    """Plain filters of one part of a file, in random order; they never leave.

    people: in the part; first: the number of the first of them in the file. count: of filters. filters: (r, w); owner:
    (r,) people, numbered in the part.
    """

    first: int
    people: int
    count: int
    filters: Held[NDArray[np.uint64]]
    owner: Held[NDArray[np.int32]]


class Alike(NamedTuple):
    """Candidate pairs of people inside one file: low and high numbers (m,).

    weight: (m,) for how many pairs of the file each stands; each: for how many at least.
    """

    pairs: Pairs
    weight: NDArray[np.float64]
    each: int


def alike_inside(file: Sequence[Filtered], agreement: Agreement, chance: Chance = SYSTEM) -> Alike:
    """Candidates inside one file, by its filters.

    They are chosen as the matcher chooses them, by distances as sent, which need not be counted for that: see
    match.inside. A file of more than NULL_ROWS filters is searched from a random sample of its people, so many of each
    part as it is large.
    """
    people, filters = sum(part.people for part in file), sum(part.count for part in file)
    sample = -(-NULL_ROWS * people // max(filters, 1))
    asked, asking, parts, seed = [], [], [], chance.draw(KEY_BYTES)
    for part in file:
        before, after = (min(sample * end // max(people, 1), end) for end in (part.first, part.first + part.people))
        own, owner = shuffle(part.people, chance)[: after - before], part.owner()
        rows = np.flatnonzero(np.isin(owner, own))
        parts.append(partial(_searched, part, rows, seed))
        asked.append(own + part.first)
        asking.append(owner[rows] + np.int32(part.first))
    profile, keep = agreement.profile, agreement.terms.screening.candidates
    found = nearest_inside(parts, keep, profile.sent_bits, profile.xor)
    person, sampled = np.concatenate(asking)[found.asked], np.sort(np.concatenate(asked))
    pairs, weight = _weighed(person, _owners(file, found.rows), found.distances, sampled, people)
    return Alike(pairs, weight, -(-people // max(len(sampled), 1)))


def _searched(part: Filtered, asked: NDArray[np.int64], seed: bytes) -> Part:
    """A part as it is searched, the same whenever it is."""
    tickets = stream(seed, b"tickets %d" % part.first, 8 * part.count)
    return Part(part.filters(), asked, np.sort(np.frombuffer(tickets, np.uint64)))


def _owners(file: Sequence[Filtered], rows: NDArray[np.int64]) -> NDArray[np.int32]:
    """People of some filters, (m,), numbered in the file."""
    people, start = np.empty(len(rows), np.int32), 0
    for part in file:
        here = (rows >= start) & (rows < start + part.count)
        people[here] = part.owner()[rows[here] - start] + np.int32(part.first)
        start += part.count
    return people


def with_sharing(alike: Alike, sharing: Neighbours) -> Alike:
    """Candidates inside one file by filters, and by tight tokens.

    sharing: people who share a value that nobody else of the file has: in two files they would have met. They get no
    token here, so these are the strangers among those whom a token brings together (docs/decisions/0008). Which of the
    pairs by filters are among them, it knows.
    """
    if not len(sharing.pairs):
        return alike
    near = ~sharing.known  # no pair twice
    low, high = (np.concatenate([side[near], sharing.pairs[:, nth]]) for nth, side in enumerate(alike.pairs))
    stand = np.full(len(sharing.pairs), sharing.count / len(sharing.pairs))
    return Alike((low, high), np.concatenate([alike.weight[near], stand]), alike.each)


def missing_sets(tokens: Tokens) -> NDArray[np.int64]:
    """How many people lack exactly each set of fields, (2 ** f,); bit i: field i is missing."""
    missing = np.zeros(len(tokens[0]), np.int32)
    for nth, field in enumerate(tokens):
        missing |= (np.diff(field.offsets) == 0).astype(np.int32) << nth
    return np.bincount(missing, minlength=1 << len(tokens))


def pattern_table(
    chosen: Callable[[Pairs], tuple[Tokens, Pairs]],
    alike: Alike,
    missing: NDArray[np.int64],
    agreement: Agreement,
    chance: Chance = SYSTEM,
) -> NullTable:
    """Comparison patterns of pairs of people of one file (DESIGN section 5).

    chosen: tokens of people among whom are those of some pairs, and the pairs by their places among these.
    missing: of all people of the file, see missing_sets.
    Whatever pairs are compared inside a file must be those that would be compared between files.
    """
    layout, people, (low, high) = Layout(agreement.schema), int(missing.sum()), alike.pairs
    # One key for all rows: these comparisons never leave the agency, only their counts do.
    key = PairKeys.alone(chance.draw(KEY_BYTES))
    patterns = np.empty((len(low), 2 * len(agreement.schema) + 2), np.int8)
    for start in range(0, len(low), _CHOSEN):
        group = slice(start, start + _CHOSEN)
        tokens, pairs = chosen((low[group], high[group]))
        patterns[group] = _patterns(tokens, pairs, key, layout, chance)
        del tokens  # before the next are chosen
    distinct, where = _distinct(patterns)
    fields = len(agreement.schema)
    held = ~np.arange(1 << fields)[:, None] >> np.arange(fields) & 1
    counts = np.bincount(where.ravel(), weights=alike.weight, minlength=len(distinct)).astype(np.float64)
    # A pair of a sample stands for several: told as multiples, so that the model sees how few pairs it was.
    counts = rounded_at_random(counts, max(agreement.terms.screening.round_patterns, alike.each), chance)
    kept = counts > 0
    return NullTable(
        np.ascontiguousarray(distinct[kept, :fields]),
        np.ascontiguousarray(distinct[kept, fields : 2 * fields]),
        np.ascontiguousarray(distinct[kept, 2 * fields :]),
        counts[kept],
        people=people,
        pairs=len(low),
        present=missing @ held / max(people, 1),  # counted, since shares may add up to more than 1
        gaps=missing / max(people, 1),
    )


def _patterns(tokens: Tokens, pairs: Pairs, key: PairKeys, layout: Layout, chance: Chance) -> NDArray[np.int8]:
    """How each of some pairs compares, (m, 2 f + 2): levels, rarity and crossed of model.Comparisons."""
    (low, high), made = pairs, []
    for start in range(0, len(low), _PAIRS):
        part = slice(start, start + _PAIRS)
        rows, place = np.unique(np.concatenate([low[part], high[part]]), return_inverse=True)
        sides = make_inside(tokens, rows, key, layout, chance, cores())
        found = compare(sides, sides, layout, (place[: len(place) // 2], place[len(place) // 2 :]))
        made.append(np.concatenate([found.levels, found.rarity, found.crossed], axis=1))
    return np.concatenate(made)


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
    person: NDArray[np.int32],
    other: NDArray[np.int32],
    distances: NDArray[np.int32],
    asked: NDArray[np.integer],
    people: int,
) -> tuple[Pairs, NDArray[np.float64]]:
    """Pairs of people found from those asked, each once (low, high), and for how many pairs of the file it stands.

    person, other, distances: (m,) who was asked, whom his filters found, how far off. asked: (q,) whose candidates were
    looked for, a random part of so many people. A pair that both its sides find is seen twice as often as
    one that one side finds, and is the more alike: unweighed, it would make strangers look too much alike. Where only
    one side was asked, the other's answer is guessed from pairs as far apart of which both were.
    Source: Horvitz & Thompson 1952, with the chance of being drawn estimated where it is not known.
    """
    near = np.argsort(distances, kind="stable")  # so that the first of equal codes is the nearest
    codes, first = np.unique(person[near].astype(np.int64) * people + other[near], return_index=True)
    distance = distances[near][first]
    one, two = codes // max(people, 1), codes % max(people, 1)
    codes, distance, one, two = (part[one != two] for part in (codes, distance, one, two))
    mutual = np.isin(two * people + one, codes, assume_unique=True)
    known = np.isin(two, asked)
    steps = np.quantile(distance, np.linspace(0, 1, _STEPS + 1)[1:-1]) if len(distance) else np.empty(0)
    step = np.searchsorted(steps, distance)
    share = (np.bincount(step[known], mutual[known], _STEPS) + 0.5) / (np.bincount(step[known], minlength=_STEPS) + 1)
    both = np.where(known, mutual, share[step])
    pairs, place = np.unique(np.minimum(one, two) * people + np.maximum(one, two), return_inverse=True)
    weight = np.bincount(place, 1 - both / 2, len(pairs)) * people / max(len(asked), 1)
    return (pairs // max(people, 1), pairs % max(people, 1)), weight
