"""Comparisons in, calibrated scores out: the whole match model for one pair of files, on evidence alone.

Rule: no labels, no values, nothing that differs between runs on the same input.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.errors import ShapeError
from linkage.match import explain, matched, nonmatch, onetoone
from linkage.match.patterns import Alphabet, distinct
from linkage.model import Comparisons, NullTable, Pairs, Scores
from linkage.schema import Schema


@dataclass(frozen=True)
class Settings:
    """classes: latent classes of non-matches.

    tuned: whether expected non-matches are brought into line with the candidates that are clearly none. Where rows meet
    by rare values alone such candidates are few and unlike the doubtful ones, and mislead (docs/decisions/0008).
    """

    classes: int = nonmatch.CLASSES
    tuned: bool = True


def fit_and_score(
    pairs: Pairs,
    comparisons: Comparisons,
    schema: Schema,
    left_null: NullTable,
    right_null: NullTable,
    settings: Settings | None = None,
) -> Scores:
    """Learn from two files how true pairs and others compare, and weigh every candidate pair.

    The weight is the pair's own: what its comparisons say, whoever else its rows resemble. The probability also
    knows the rivals. parameters holds numbers only; `many` says whether a left, a right row may have several
    partners (the other file holds duplicates), `supported` whether there was any pair no chance could explain.
    Raises ShapeError when the parts do not belong together.
    """
    settings = settings or Settings()
    if len(pairs) != len(comparisons):
        raise ShapeError(f"{len(pairs)} pairs but {len(comparisons)} comparisons")
    if comparisons.levels.shape[1] != len(schema):
        raise ShapeError(f"{comparisons.levels.shape[1]} compared fields, but the agreement has {len(schema)}")
    people = (left_null.people, right_null.people)
    # A name that two rows of a file share stands at least twice in it, one found across files may stand once: buckets
    # that tell these apart would be met across the files only, so the rarest ones count as one.
    alphabet = Alphabet.of(schema, rarest=int(np.log(max(min(people) / 3, 8)) / np.log(8)))
    codes, inverse = distinct(alphabet.encode(comparisons.levels, comparisons.rarity, comparisons.crossed), alphabet)
    strangers = nonmatch.fit(left_null, right_null, alphabet, settings.classes)
    # What the files hold only one of, such as couples, or men here and women there, shows between them alone.
    between = matched.surely_apart(codes, inverse, alphabet, strangers, people)
    strangers = nonmatch.fit(left_null, right_null, alphabet, settings.classes, between)
    match, odds = matched.fit(pairs, codes, inverse, alphabet, strangers, people, tuned=settings.tuned)
    probability = onetoone.posterior(pairs, (odds + match.crowding)[inverse], match.second)
    bits = odds / np.log(2)
    shares = explain.contributions(codes, bits, alphabet, match.kin.beside(strangers), match).astype(np.float32)
    # What is printed beside a weight must add up to it, to the last digit that is kept.
    weight = shares.astype(np.float64).sum(axis=1)
    return Scores(weight[inverse], probability, shares[inverse], _parameters(schema, alphabet, strangers, match))


def _parameters(
    schema: Schema, alphabet: Alphabet, strangers: nonmatch.NonMatch, match: matched.Matched
) -> dict[str, object]:
    """What was learnt, as plain numbers."""
    agreement: dict[str, list[float]] = {}
    overall = match.table @ np.array([1 - match.moved, match.moved])
    for place, field in enumerate(schema.fields):
        agreement[field.name] = _rounded(alphabet.by_level(overall, place))
    return {
        "expected_pairs": round(match.number, 3),
        "moved": round(match.moved, 6),
        "copies_left": round(strangers.copies[0], 3),
        "copies_right": round(strangers.copies[1], 3),
        "relatives": round(match.kin.number, 3),
        "many": (strangers.copies[1] > 0, strangers.copies[0] > 0),
        "supported": match.supported,
        "rounds": match.rounds,
        "levels": agreement,
        "classes": _rounded(strangers.rates),
    }


def _rounded(values: NDArray[np.float64]) -> list[float]:
    return [round(float(value), 6) for value in values]
