"""A pretend pair of files at the level of comparisons: how people compare is known, so learning can be checked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from linkage.model import Comparisons, NullTable, Pairs
from linkage.schema import LEVELS, MISSING, Field, Kind, Schema

SCHEMA = Schema(
    (
        Field("forename", Kind.FORENAME),
        Field("surname", Kind.SURNAME),
        Field("born", Kind.DATE),
        Field("postcode", Kind.POSTCODE),
        Field("sex", Kind.SEX),
    )
)
SAME_PERSON = (
    {"same": 0.85, "close": 0.10, "different": 0.05},
    {"same": 0.90, "close": 0.08, "different": 0.02},
    {"same": 0.93, "digit": 0.05, "different": 0.02},
    {"same": 0.85, "typo": 0.05, "different": 0.10},
    {"same": 0.99, "different": 0.01},
)
STRANGERS = (
    {"same": 0.10, "close": 0.05, "distant": 0.25, "different": 0.60},
    {"same": 0.10, "close": 0.05, "distant": 0.25, "different": 0.60},
    {"same": 0.004, "digit": 0.016, "year": 0.08, "different": 0.40, "generation": 0.50},
    {"same": 0.01, "area": 0.19, "different": 0.80},
    {"same": 0.60, "different": 0.40},
)
FAMILY = (
    {"same": 0.02, "distant": 0.28, "different": 0.70},
    {"same": 0.95, "close": 0.05},
    {"same": 0.01, "different": 0.29, "generation": 0.70},
    {"same": 0.95, "different": 0.05},
    {"same": 0.50, "different": 0.50},
)
COUPLE = (
    {"distant": 0.10, "initial": 0.10, "different": 0.80},
    {"same": 0.90, "close": 0.05, "different": 0.05},
    {"two_digits": 0.05, "year": 0.15, "different": 0.65, "generation": 0.15},
    {"same": 0.95, "typo": 0.05},
    {"different": 1.0},
)
TWINS = (
    {"distant": 0.3, "different": 0.7},
    {"same": 1.0},
    {"same": 1.0},
    {"same": 1.0},
    {"same": 1.0},
)
FATHER_AND_SON = (
    {"same": 1.0},
    {"same": 1.0},
    {"generation": 1.0},
    {"same": 1.0},
    {"same": 1.0},
)
NAMESAKES = (
    {"same": 1.0},
    {"same": 1.0},
    {"different": 0.5, "generation": 0.5},
    {"area": 0.2, "different": 0.8},
    {"same": 1.0},
)
MEN = (*STRANGERS[:4], {"same": 1.0})
CANDIDATES = 6  # strangers among the candidates of every row


@dataclass(frozen=True)
class World:
    """Everything fit_and_score asks for, and the truth."""

    pairs: Pairs
    comparisons: Comparisons
    left_null: NullTable
    right_null: NullTable
    truth: np.ndarray
    true: int

    @property
    def inputs(self):
        return self.pairs, self.comparisons, SCHEMA, self.left_null, self.right_null


def draw(random, profile, count, gaps=0.0):
    """Comparisons of `count` pairs whose fields agree as in the profile, independently."""
    levels = np.empty((count, len(SCHEMA)), np.int8)
    for place, chances in enumerate(profile):
        names = [level.name for level in LEVELS[SCHEMA.fields[place].kind]]
        levels[:, place] = random.choice([names.index(n) for n in chances], count, p=list(chances.values()))
    for place in (2, 3):
        levels[random.random(count) < gaps, place] = MISSING
    rarity = np.where(levels == 0, random.integers(1, 4, levels.shape), -1).astype(np.int8)
    rarity[:, 2:] = -1
    return Comparisons(levels, rarity, np.full((count, 2), 7, np.int8))


def stack(*parts):
    return Comparisons(*(np.concatenate([getattr(p, n) for p in parts]) for n in ("levels", "rarity", "crossed")))


def null_table(comparisons, people, gaps=0.0):
    """Count patterns as an agency does."""
    rows = np.concatenate([comparisons.levels, comparisons.rarity, comparisons.crossed], axis=1)
    distinct, counts = np.unique(rows, axis=0, return_counts=True)
    f = len(SCHEMA)
    present = np.array([1.0, 1.0, np.sqrt(1 - gaps), np.sqrt(1 - gaps), 1.0])
    split = distinct[:, :f], distinct[:, f : 2 * f], distinct[:, 2 * f :]
    return NullTable(*split, counts.astype(np.float64), people, len(rows), present)


def world(people=600, overlap=300, families=300, copies=0, gaps=0.0, seed=1):
    """Two files of `people` rows; the first `overlap` rows of each are the same persons, in the same order.

    families: pairs of relatives inside each file, and twice as many across. copies: rows of the right file that
    double a row before them (rows people ... people + copies - 1).
    """
    random = np.random.default_rng(seed)
    size = people + copies
    true_left = np.concatenate([np.arange(overlap), np.arange(copies)])
    true_right = np.concatenate([np.arange(overlap), people + np.arange(copies)])
    count = CANDIDATES * people
    left = np.concatenate([true_left, random.integers(0, people, count), random.integers(0, people, 2 * families)])
    right = np.concatenate([true_right, random.integers(0, size, count), random.integers(0, size, 2 * families)])
    compared = stack(
        draw(random, SAME_PERSON, len(true_left), gaps),
        draw(random, STRANGERS, count, gaps),
        draw(random, FAMILY, 2 * families, gaps),
    )
    key = left * size + right
    first = np.unique(key, return_index=True)[1]
    order = random.permutation(first)
    truth = np.zeros(len(key), bool)
    truth[: len(true_left)] = True

    def inside(doubled):
        parts = [draw(random, STRANGERS, count // 2, gaps), draw(random, FAMILY, families, gaps)]
        return stack(*parts, draw(random, SAME_PERSON, doubled, gaps)) if doubled else stack(*parts)

    return World(
        Pairs(left[order].astype(np.int32), right[order].astype(np.int32)),
        Comparisons(compared.levels[order], compared.rarity[order], compared.crossed[order]),
        null_table(inside(0), people, gaps),
        null_table(inside(copies), size, gaps),
        truth[order],
        len(true_left),
    )


def tenancies(couples=250, twins=6, sons=12, namesakes=12, men=900, tenants=3000, overlap=110, seed=2):
    """Men beside a file of tenancies, one tenant a household: a man's wife holds his, and neither file has a couple.

    Men's postcodes are often missing, tenants' never. kind says of every pair what it is.
    """
    random = np.random.default_rng(seed)
    profiles = {"same": SAME_PERSON, "couple": COUPLE, "twins": TWINS, "son": FATHER_AND_SON, "namesake": NAMESAKES}
    counts = {"same": overlap, "couple": couples, "twins": twins, "son": sons, "namesake": namesakes}
    parts, kind = [], []
    for name, profile in profiles.items():
        parts.append(draw(random, profile, counts[name]))
        kind += [name] * counts[name]
    related = len(kind)
    parts.append(draw(random, STRANGERS, 8 * men))
    kind += ["stranger"] * 8 * men
    compared = stack(*parts)
    left = np.concatenate([np.arange(related) % men, random.integers(0, men, 8 * men)])
    right = np.concatenate([np.arange(related), random.integers(related, tenants, 8 * men)])
    compared.levels[random.random(men)[left] < 0.5, 3] = MISSING
    first = np.unique(left * tenants + right, return_index=True)[1]
    order = random.permutation(first)
    kind = np.array(kind)[order]
    men_only = draw(random, MEN, 4 * men)
    men_only.levels[random.random(4 * men) < 0.75, 3] = MISSING
    left_null = null_table(men_only, men)
    left_null.present[3] = 0.5
    given = World(
        Pairs(left[order].astype(np.int32), right[order].astype(np.int32)),
        Comparisons(compared.levels[order], compared.rarity[order], compared.crossed[order]),
        left_null,
        null_table(draw(random, STRANGERS, 4 * tenants), tenants),
        kind == "same",
        overlap,
    )
    return given, kind
