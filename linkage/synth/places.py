"""The county's map: postcodes of valid shape that lead nowhere, streets, and the addresses people have had.

Rule: an address is a number (its postcode unit) and a house number; text is made where a source writes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from linkage.synth.tables import Places, Words, words

Rng = np.random.Generator
INWARD = "ABDEFGHJLNPQRSTUWXYZ"
"""Letters that the Royal Mail uses in the second half; C, I, K, M, O and V are never used there."""
ADDRESSES = 4
"""Addresses kept per person, the present one first."""


@dataclass(frozen=True, repr=False)
class Map:
    """All postcode units: postcodes (u,), streets (u,), town of each (u,), and bounds to draw units by town."""

    places: Places
    postcodes: Words
    streets: Words
    town: NDArray[np.int16]

    @cached_property
    def town_names(self) -> Words:
        """Names of towns."""
        return np.array([name.replace("_", " ") for name in self.places.towns], dtype=object)

    @cached_property
    def first_units(self) -> NDArray[np.int64]:
        """(towns + 1,) where each town's units begin; units of a town lie side by side."""
        return np.searchsorted(self.town, np.arange(len(self.places.towns) + 1))

    def homes(self, rng: Rng, people: int) -> NDArray[np.int32]:
        """(people, ADDRESSES) units where people live and would have lived before; three moves in four stay in town."""
        shares = np.array([town.people for town in self.places.towns.values()])
        size = (people, ADDRESSES)
        towns = rng.choice(len(shares), size=size, p=shares / shares.sum())
        towns = np.where(rng.random(size) < 0.75, towns[:, :1], towns)
        first, last = self.first_units[towns], self.first_units[towns + 1]
        return (first + (rng.random(size) * (last - first)).astype(np.int64)).astype(np.int32)

    def addresses(self, units: NDArray[np.int32], houses: NDArray[np.int16]) -> list[str]:
        """First lines and towns, as a source writes them."""
        streets, towns = self.streets[units], self.town_names[self.town[units]]
        return [f"{h} {s}, {t}" for h, s, t in zip(houses.tolist(), streets, towns, strict=True)]


def draw_map(rng: Rng, places: Places, adults: int) -> Map:
    """As many postcode units as the county's people need, spread over towns, districts and sectors."""
    wanted = adults * (1 + places.children_per_adult) / places.people_per_postcode
    codes: list[str] = []
    towns: list[int] = []
    pairs = np.array([a + b for a in INWARD for b in INWARD], dtype=object)
    for town_place, town in enumerate(places.towns.values()):
        for outward, share in town.districts.items():
            for sector in range(1, places.sectors_per_district + 1):
                units = round(wanted * town.people * share / places.sectors_per_district)
                letters = np.sort(rng.permutation(len(pairs))[: min(max(units, 3), len(pairs))])
                codes += [f"{outward} {sector}{pair}" for pair in pairs[letters]]
                towns += [town_place] * len(letters)
    names, kinds = words(places.streets.names), words(places.streets.kinds)
    count = len(codes)
    streets = names[rng.integers(len(names), size=count)] + " " + kinds[rng.integers(len(kinds), size=count)]
    return Map(places, np.array(codes, dtype=object), streets, np.array(towns, dtype=np.int16))
