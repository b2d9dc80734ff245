"""Draw names as people of each origin carry them.

Counts come in, arrays of names go out. Rule: commonness falls with rank (Zipf-Mandelbrot), and surnames have a long
tail put together from stems and endings, so that two strangers share a full name about as often as they do outside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.synth.tables import Names, Origin, Words, words

Rng = np.random.Generator


@dataclass(frozen=True, repr=False)
class Pool:
    """Names of one origin with the share of people who carry each."""

    origin: Origin
    male: Words
    female: Words
    surnames: Words
    stems: Words
    endings: Words

    def forenames(self, rng: Rng, count: int, *, female: bool = False) -> Words:
        """(count,) forenames."""
        return _ranked(rng, self.female if female else self.male, self.origin.flatness, count)

    def family_names(self, rng: Rng, count: int) -> Words:
        """(count,) surnames of men and of women who never married."""
        if self.origin.patronymic:
            return self.forenames(rng, count)
        flatness = self.origin.flatness if self.origin.surname_flatness is None else self.origin.surname_flatness
        names = _ranked(rng, self.surnames, flatness, count)
        if len(self.stems):
            rare = np.flatnonzero(rng.random(count) < self.origin.tail)
            stems = self.stems[rng.integers(len(self.stems), size=len(rare))]
            endings = self.endings[rng.integers(len(self.endings), size=len(rare))]
            names[rare] = stems + endings
        double = np.flatnonzero(rng.random(count) < self.origin.double_barrelled)
        names[double] = names[double] + "-" + _ranked(rng, self.surnames, flatness, len(double))
        return names

    def middle_names(self, rng: Rng, count: int, *, female: bool = False) -> Words:
        """(count,) middle names, empty where there is none."""
        names = self.forenames(rng, count, female=female)
        names[rng.random(count) >= self.origin.middle] = ""
        return names

    def feminine(self, surname: str) -> str:
        """The form of a surname that a woman bears."""
        for pair in self.origin.feminine:
            ending, other = pair.split(">")
            if surname.endswith(ending):
                return surname.removesuffix(ending) + other
        return surname


def load_pools(names: Names) -> tuple[Pool, ...]:
    """Pools of all origins, in the order of the table."""
    return tuple(
        Pool(
            origin,
            words(origin.male),
            words(origin.female),
            words(origin.surnames),
            words(origin.stems),
            words(origin.endings),
        )
        for origin in names.origins.values()
    )


def draw_origins(rng: Rng, pools: tuple[Pool, ...], count: int) -> NDArray[np.int8]:
    """(count,) places in pools."""
    shares = np.array([pool.origin.share for pool in pools])
    return rng.choice(len(pools), size=count, p=shares / shares.sum()).astype(np.int8)


def _ranked(rng: Rng, names: Words, flatness: float, count: int) -> Words:
    """(count,) names, the name of rank r as often as 1 / (r + flatness)."""
    bounds = np.cumsum(1 / (np.arange(1, len(names) + 1) + flatness))
    # choice() with p would do the same; a search in the sums is several times faster.
    picked: Words = names[np.searchsorted(bounds, rng.random(count) * bounds[-1])]
    return picked
