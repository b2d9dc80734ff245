"""What two records of one person look like before anything was counted; data only, deliberately vague."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linkage.match.patterns import NAMES, TURNED, Alphabet
from linkage.schema import LEVELS, RARITY_BUCKETS, Kind

TURNED_SHARE = 0.01
"""Share of true pairs whose forename and surname are swapped, at first."""

_NAME = {
    "same": 0.80, "variant": 0.03, "close": 0.07, "sounds": 0.02,
    "similar": 0.025, "distant": 0.015, "initial": 0.015, "different": 0.025,
}  # fmt: skip
BELIEFS: dict[Kind, dict[str, float]] = {
    Kind.FORENAME: _NAME,
    Kind.SURNAME: _NAME,
    Kind.DATE: {
        "same": 0.86, "digit": 0.05, "swapped": 0.01, "two_parts": 0.03, "year_only": 0.01,
        "two_digits": 0.01, "year": 0.01, "different": 0.015, "generation": 0.005,
    },
    Kind.POSTCODE: {"same": 0.75, "typo": 0.05, "sector": 0.02, "district": 0.03, "area": 0.05, "different": 0.10},
    Kind.SEX: {"same": 0.98, "different": 0.02},
    Kind.TEXT: {"same": 0.60, "close": 0.15, "similar": 0.08, "distant": 0.07, "different": 0.10},
    Kind.PHONE: {"same": 0.70, "ending": 0.02, "different": 0.28},
    Kind.IDENTIFIER: {"same": 0.96, "digit": 0.02, "different": 0.02},
}  # fmt: skip
"""Probability of each level for a true pair, by kind of field. A level not named here gets what is left over."""


MOVED = 0.08
"""Share of true pairs whose address or telephone changed between the files, at first."""
MOVED_BELIEFS: dict[Kind, dict[str, float]] = {
    Kind.POSTCODE: {"same": 0.02, "typo": 0.01, "sector": 0.05, "district": 0.10, "area": 0.25, "different": 0.57},
    Kind.TEXT: {"same": 0.02, "close": 0.03, "similar": 0.08, "distant": 0.30, "different": 0.57},
    Kind.PHONE: {"same": 0.40, "ending": 0.02, "different": 0.58},
}
"""The same for people who moved."""


STRANGER_BELIEFS: dict[Kind, dict[str, float]] = {
    Kind.FORENAME: {"same": 0.01, "distant": 0.10, "initial": 0.05, "different": 0.80},
    Kind.SURNAME: {"same": 0.005, "distant": 0.10, "initial": 0.05, "different": 0.80},
    Kind.DATE: {"same": 0.0002, "digit": 0.001, "swapped": 0.0001, "year": 0.02, "different": 0.40, "generation": 0.55},
    Kind.POSTCODE: {"same": 0.002, "typo": 0.002, "area": 0.05, "different": 0.90},
    Kind.SEX: {"same": 0.50, "different": 0.50},
    Kind.TEXT: {"same": 0.002, "close": 0.005, "distant": 0.30, "different": 0.65},
    Kind.PHONE: {"same": 0.0005, "ending": 0.0005, "different": 0.999},
    Kind.IDENTIFIER: {"same": 0.0001, "digit": 0.0001, "different": 0.9998},
}
"""The same for two people who have nothing to do with each other."""


RELATIVE_BELIEFS: dict[Kind, dict[str, float]] = {
    **{kind: BELIEFS[kind] for kind in (Kind.POSTCODE, Kind.TEXT, Kind.PHONE)},
    Kind.FORENAME: STRANGER_BELIEFS[Kind.FORENAME],
    Kind.SURNAME: {**_NAME, "same": 0.55, "different": 0.35},
    Kind.DATE: {
        "same": 0.0005, "digit": 0.002, "swapped": 0.0001, "two_parts": 0.003, "year_only": 0.003,
        "two_digits": 0.02, "year": 0.06, "different": 0.50, "generation": 0.40,
    },
    Kind.SEX: {"same": 0.50, "different": 0.50},
    Kind.IDENTIFIER: STRANGER_BELIEFS[Kind.IDENTIFIER],
}  # fmt: skip
"""The same for two people of one household: couples, parents and children, brothers."""


def copies(alphabet: Alphabet, margin: NDArray[np.float64], moved: bool = False) -> NDArray[np.float64]:
    """Probability of every code among true pairs, (w,); group by group it sums to one.

    margin: (w,) probabilities among candidates; it lends the share missing and the spread over rarity buckets.
    """
    return _table(alphabet, margin, {**BELIEFS, **MOVED_BELIEFS} if moved else BELIEFS, TURNED_SHARE)


def strangers(alphabet: Alphabet, margin: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability of every code among pairs of strangers, (w,); see copies."""
    return _table(alphabet, margin, STRANGER_BELIEFS, TURNED_SHARE / 100)


def relatives(alphabet: Alphabet, margin: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability of every code among two people of one household, (w,); see copies."""
    return _table(alphabet, margin, RELATIVE_BELIEFS, TURNED_SHARE / 100)


def _table(
    alphabet: Alphabet, margin: NDArray[np.float64], beliefs: dict[Kind, dict[str, float]], turned: float
) -> NDArray[np.float64]:
    table = np.zeros(len(margin))
    for place, field in enumerate(alphabet.schema.fields):
        start = alphabet.block(place).start
        gap = start + (alphabet.missing(place) or 0)
        levels = np.array([beliefs[field.kind].get(level.name, 0.01) for level in LEVELS[field.kind]])
        levels /= levels.sum()
        missing = float(np.clip(margin[gap], 1e-6, 0.95))
        if field.kind in NAMES:
            spread = margin[start : start + RARITY_BUCKETS] + 0.002
            table[start : start + RARITY_BUCKETS] = levels[0] * spread / spread.sum()
            table[start + RARITY_BUCKETS : gap] = levels[1:]
            table[gap + 1 : gap + 1 + TURNED] = levels[:TURNED] / levels[:TURNED].sum()
        else:
            table[start:gap] = levels
        table[start:gap] *= 1 - missing
        table[gap] = missing
    if alphabet.order is not None:
        table[alphabet.block(alphabet.order)] = (1 - turned, turned)
    return table
