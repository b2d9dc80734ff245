"""Numbers by which services know people: valid in form, and certain to belong to nobody.

Rule: NHS numbers from the range 999 kept for tests, PNC and CRO serials beyond any ever issued in a year,
telephone numbers from Ofcom's ranges for drama. Every number is given out once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linkage.errors import UsageProblemError
from linkage.synth.tables import Words

Rng = np.random.Generator
CHECK_LETTERS = np.array(list("ZABCDEFGHJKLMNPQRTUVWXY"), dtype=object)
"""Check letter of PNC and CRO: year and serial as one number, modulo 23."""
MOBILES = "07700900"
LANDLINES = (
    *("01134960", "01144960", "01164960", "01174960", "01184960", "01214960", "01314960", "01414960"),
    *("01514960", "01614960", "02079460", "01914980", "02896496", "02920180", "03069990"),
)
"""Ofcom, "Telephone numbers for use in TV and radio drama programmes": 1,000 numbers each; three digits follow."""
MOBILE_SHARE = 0.25
"""Only 1,000 mobile numbers are free, too few for a county; the rest have the other ranges, so that few share one."""


def nhs_numbers(rng: Rng, count: int) -> NDArray[np.int64]:
    """(count,) different valid ten-digit numbers beginning 999. Raises UsageProblemError when the range runs out."""
    stems = 999_000_000 + np.arange(1_000_000, dtype=np.int64)
    digits = stems[:, None] // 10 ** np.arange(8, -1, -1) % 10
    check = 11 - (digits * np.arange(10, 1, -1)).sum(axis=1) % 11
    check[check == 11] = 0
    valid = (stems * 10 + check)[check != 10]
    if count > len(valid):
        raise UsageProblemError("there are not enough test NHS numbers for so many people", "ask for fewer people")
    return rng.permutation(valid)[:count]


def pnc_numbers(rng: Rng, years: NDArray[np.int64]) -> Words:
    """One PNC identifier per year of first arrest, e.g. 2009/9123456X; no serial twice."""
    serials = 9_000_000 + _different(rng, 1_000_000, len(years))
    letters = CHECK_LETTERS[(years % 100 * 10_000_000 + serials) % 23]
    made = [f"{y}/{s:07d}{c}" for y, s, c in zip(years.tolist(), serials.tolist(), letters, strict=True)]
    return np.array(made, dtype=object)


def cro_numbers(rng: Rng, count: int) -> Words:
    """(count,) CRO numbers, e.g. 912345/09X; none twice."""
    drawn = _different(rng, 2_600_000, count)
    serials, years = 900_000 + drawn % 100_000, drawn // 100_000
    letters = CHECK_LETTERS[(years * 1_000_000 + serials) % 23]
    made = [f"{s}/{y:02d}{c}" for s, y, c in zip(serials.tolist(), years.tolist(), letters, strict=True)]
    return np.array(made, dtype=object)


def phones(rng: Rng, count: int) -> Words:
    """(count,) eleven-digit drama numbers; people may share one."""
    prefixes = np.array([MOBILES, *LANDLINES], dtype=object)
    which = np.where(rng.random(count) < MOBILE_SHARE, 0, rng.integers(1, len(prefixes), size=count))
    endings = np.array([f"{number:03d}" for number in range(1000)], dtype=object)
    numbers: Words = prefixes[which] + endings[rng.integers(1000, size=count)]
    return numbers


def local_ids(rng: Rng, count: int, prefix: str, width: int) -> Words:
    """(count,) different ids of an agency: a prefix and `width` digits, in no order."""
    numbers = 10 ** (width - 1) + _different(rng, 9 * 10 ** (width - 1), count)
    return np.array([f"{prefix}{number}" for number in numbers.tolist()], dtype=object)


def _different(rng: Rng, below: int, count: int) -> NDArray[np.int64]:
    """(count,) different whole numbers from 0 up to below, in no order."""
    if count > below:
        raise UsageProblemError("there are not enough identifiers for so many people", "ask for fewer people")
    return rng.choice(below, size=count, replace=False).astype(np.int64)
