"""How often two different people look alike: null tables of two files in, expected counts of non-matches out.

A file without duplicates is full of labelled non-matches. Its candidate pairs are explained by a mixture of latent
classes (strangers, families, households, namesakes, twins ...), within which fields are independent; one more class,
held close to what copies of one person look like, catches duplicates inside the file.
Source: latent-class model, Goodman 1974; rates within a file as non-match rates, docs/decisions/0005-match-model.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from linkage.errors import ShapeError
from linkage.match import mixture
from linkage.match.mixture import log_sum, normalise
from linkage.match.patterns import Alphabet, Codes, distinct
from linkage.match.priors import strangers
from linkage.model import NullTable
from linkage.schema import Kind, Sense

CLASSES = 8
_LARGEST_SCALE = 1e4
_FEW_COPIES = 0.003  # duplicate pairs per row below which they are taken for namesakes
_TAKEN_ALONG = (Kind.FORENAME, Kind.SURNAME, Kind.DATE)
_MOSTLY = 0.6
_LIKE_SIZES = 1.5
_DOUBT = 5.0  # pairs
_VAGUE = 200.0  # pairs counted inside the files that weigh as much as prior belief
_WHOLE = 0.98  # share of candidate pairs a null table must account for, else its rare cells were suppressed
_SHAPE = 4.0  # pairs a pattern needs before its own count weighs as much as the classes

Floats = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class NonMatch:
    """Expected non-matching candidate pairs between two files.

    rates: (c,) expected pairs of each class. tables: (w, c) probability of every code in every class.
    fitted: (c,) the same before the smaller file was heard alone; stands beside `counted`.
    gaps: (2 ** f,) share of all pairs of rows with each set of missing fields.
    inside: (2 ** f,) pairs of rows inside the files that stand behind one pair across them.
    keys, counted: (k,) patterns met inside the files (sorted) and the pairs across them they stand for.
    unseen: inside pairs a pattern may have had though it is not among the keys (0 unless rare cells were suppressed).
    grain: smallest count in the null tables, 1 unless they were rounded.
    copies: duplicate pairs found inside the left and the right file.
    """

    alphabet: Alphabet
    rates: Floats
    tables: Floats
    fitted: Floats
    gaps: Floats
    inside: Floats
    keys: NDArray[np.int64]
    counted: Floats
    unseen: float
    grain: float
    copies: tuple[float, float]

    def parts(self, design: sparse.csr_matrix) -> Floats:
        """Log expected count of each class at each pattern, (k, c)."""
        return np.asarray(design @ np.log(self.tables) + np.log(self.rates))

    def correction(self, codes: Codes) -> Floats:
        """Log of what patterns were counted over what the classes say of them, drawn towards 0 where few, (k,).

        Gamma-Poisson shrinkage: the classes know the rare patterns best, the counts the frequent ones.
        """
        if not len(self.keys):
            return np.zeros(len(codes))
        places = np.minimum(np.searchsorted(self.keys, wanted := self.alphabet.keys(codes)), len(self.keys) - 1)
        met = self.keys[places] == wanted
        inside = self.inside[self.alphabet.gaps(codes)]
        fitted = np.exp(log_sum(np.asarray(self.alphabet.design(codes) @ np.log(self.tables) + np.log(self.fitted))))
        hoped = fitted * inside
        shape = _SHAPE * self.grain
        counted = np.where(met, self.counted[places] * inside, np.minimum(hoped, self.unseen))
        return np.asarray(np.log((shape + counted) / (shape + hoped)))


def gaps_within(table: NullTable) -> Floats:
    """Share of rows whose missing fields all lie within each set, (2 ** f,)."""
    if len(table.gaps) == 0:
        within = np.ones(1)
        for share in table.present:
            within = np.concatenate([within * share, within])
        return within
    within = table.gaps / max(float(table.gaps.sum()), 1e-12)
    bit = 1
    while bit < len(within):
        shaped = within.reshape(-1, 2, bit)
        shaped[:, 1] += shaped[:, 0]
        bit *= 2
    return within


def _exactly(within: Floats) -> Floats:
    """Shares of "exactly this set" from shares of "within this set" (Moebius transform)."""
    shares = within.copy()
    bit = 1
    while bit < len(shares):
        shaped = shares.reshape(-1, 2, bit)
        shaped[:, 1] -= shaped[:, 0]
        bit *= 2
    return np.maximum(shares, 0.0)


@dataclass(frozen=True, repr=False)
class _Pool:
    """Patterns of both null tables: codes (k, columns), counts (k, 2), scale (k, 2) from counts to pairs across."""

    codes: Codes
    counts: Floats
    scale: Floats
    gaps: Floats
    inside: Floats


def _pool(left: NullTable, right: NullTable, alphabet: Alphabet) -> _Pool:
    tables = (left, right)
    if any(table.levels.shape[1] != len(alphabet.schema) for table in tables):
        raise ShapeError("a null table was made under other fields than the agreement's")
    codes = np.concatenate([alphabet.encode(t.levels, t.rarity, t.crossed) for t in tables])
    patterns, inverse = distinct(codes, alphabet)
    split = len(left.counts)
    counts: Floats = np.stack(
        [
            np.bincount(inverse[:split], left.counts, len(patterns)),
            np.bincount(inverse[split:], right.counts, len(patterns)),
        ],
        axis=1,
    )
    one, two = (gaps_within(t) for t in tables)
    across = _exactly(one * two)
    # Pairs of rows inside each file, and across the files, that have the same fields missing.
    inside = np.stack(
        [t.people * max(t.people - 1, 1) / 2 * _exactly(w * w) for t, w in zip(tables, (one, two), strict=True)],
        axis=1,
    )
    between = np.maximum(left.people * right.people * across, 1e-9)
    scale = between[:, None] / np.maximum(inside, 1e-9)
    return _Pool(patterns, counts, scale[alphabet.gaps(patterns)], across, (1 / np.maximum(scale, 1e-12)).sum(axis=1))


@dataclass(frozen=True, repr=False)
class Across:
    """Distinct patterns of the candidate pairs between the files, (k, columns), and pairs of each that are no match."""

    codes: Codes
    counts: Floats


def fit(
    left: NullTable, right: NullTable, alphabet: Alphabet, classes: int = CLASSES, across: Across | None = None
) -> NonMatch:
    """Fit the latent classes and say how many candidate pairs across the files each should give.

    across: what was seen between the files and is surely no match. Two files may differ from either alone: men only
    here and women there, dates here and none there; what no file holds two of is learnt from these.
    Raises ShapeError when a table has other fields than the alphabet.
    """
    pool = _pool(left, right, alphabet)
    # Counts rounded at random to fives say as much as a fifth as many pairs counted one by one.
    grain = max(float(min(t.counts.min(initial=np.inf) for t in (left, right))), 1.0)
    grain = grain if np.isfinite(grain) else 1.0
    across = across or Across(pool.codes[:0], np.empty(0))
    size = len(pool.codes)
    design = alphabet.design(np.concatenate([pool.codes, across.codes]))
    weights = np.concatenate([pool.counts.sum(axis=1) / grain, across.counts])
    tables, member = mixture.learn(design, weights, alphabet, classes)
    copy = _copy_classes(tables, alphabet)
    copied = pool.counts.T @ member[:size, copy].sum(axis=1)
    found = tuple(
        float(pairs) if pairs > max(_FEW_COPIES * table.people, 5.0) else 0.0
        for pairs, table in zip(copied, (left, right), strict=True)
    )
    # Pairs across that look like copies may well be matches.
    weights[size:] *= 1 - member[size:, -1]
    if not any(found):
        tables, member = mixture.learn_without_copies(design, weights, alphabet, member)
    keep = ~copy if any(found) else np.ones(member.shape[1], bool)
    scale = np.minimum(pool.scale, _LARGEST_SCALE * np.maximum(pool.scale.min(axis=1, keepdims=True), 1e-12))
    inside, outside = member[:size, keep], member[size:, keep]
    rates = _rates(pool.counts, scale, inside, (left.people, right.people))
    rates = np.maximum(rates, weights[size:] @ outside)
    seen = (pool.counts * scale * _trust(scale, 0.5)).sum(axis=1)
    # Whatever was not counted, because few pairs were, is left to a vague idea of strangers.
    vague = strangers(alphabet, normalise(np.asarray(design.T @ weights) + 0.02, alphabet))
    share = _VAGUE / (_VAGUE + float(pool.counts.sum()) / grain)
    order = np.argsort(keys := alphabet.keys(pool.codes))
    missed = left.counts.sum() + right.counts.sum() < _WHOLE * (left.pairs + right.pairs)
    return NonMatch(
        alphabet=alphabet,
        rates=np.append(rates, share * left.people * right.people),
        tables=np.column_stack([tables[:, keep], vague]),
        fitted=np.maximum(np.append(seen @ inside, 0.0), 1e-3),
        gaps=pool.gaps,
        inside=pool.inside,
        keys=keys[order],
        counted=(seen * inside.sum(axis=1))[order],
        unseen=float(pool.counts.sum(axis=1).min(initial=0.0)) if missed else 0.0,
        grain=grain,
        copies=(found[0], found[1]),
    )


def _copy_classes(tables: Floats, alphabet: Alphabet) -> NDArray[np.bool_]:
    """Which classes hold copies: the last, and any that came to look like it, (c,)."""
    return np.array([_like_copies(tables[:, number], alphabet) for number in range(tables.shape[1] - 1)] + [True])


def _like_copies(table: Floats, alphabet: Alphabet) -> bool:
    """Whether a class looks like copies of one person: all that a person takes along mostly agrees. table: (w,)."""
    shares = []
    for place, field in enumerate(alphabet.schema.fields):
        if field.kind in _TAKEN_ALONG:
            known = alphabet.by_level(table, place)
            near = np.array([level.sense is not Sense.DISAGREE for level in alphabet.schema.levels(place)])
            shares.append(float(known[near].sum() / max(known.sum(), 1e-9)))
    return len(shares) == len(_TAKEN_ALONG) and min(shares) > _MOSTLY


def _trust(scale: Floats, power: float) -> Floats:
    """Share each file has in an estimate, by how many pairs of rows it stands on (1 / scale), (k, 2)."""
    trust = (1 / np.maximum(scale, 1e-12)) ** power
    return np.asarray(trust / trust.sum(axis=1, keepdims=True))


def _rates(counts: Floats, scale: Floats, member: Floats, people: tuple[int, int]) -> Floats:
    """Expected pairs across the files of each class, (c,).

    Both files estimate the same rate: pairs counted over pairs there were. But only the best few candidates of a row
    were counted, and in a larger file the best few are better: what is common but not very alike is missing there.
    Across the files, as in the smaller one, it is not; so where the smaller file shows more, it is believed.
    """
    together = (counts * scale * _trust(scale, 1.0)).sum(axis=1) @ member
    small = int(people[1] < people[0])
    if people[1 - small] > _LIKE_SIZES * people[small]:
        alone = (counts[:, small] * scale[:, small]) @ member
        pairs = counts[:, small] @ member
        hoped = pairs * together / np.maximum(alone, 1e-12)
        together = together * np.maximum((pairs + _DOUBT) / (hoped + _DOUBT), 1.0)
    return np.asarray(np.maximum(together, 1e-3))
