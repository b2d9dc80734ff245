"""The data tables of the pretend county: names, places, other forms of names, and how each source holds and errs.

TOML of configs/synth comes in, frozen tables go out. Rule: no randomness here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from linkage import toml
from linkage.errors import UsageProblemError
from linkage.resources import resource

Share = Annotated[float, Meta(ge=0, le=1)]
Words = NDArray[np.object_]
"""(n,) Python strings; pointers to shared strings, so that a million people cost no copies."""


class Origin(toml.Table, frozen=True):
    """Names of one origin; see the head of names.toml."""

    share: Share
    male: str
    female: str
    surnames: str
    flatness: float
    surname_flatness: float | None = None
    stems: str = ""
    endings: str = ""
    tail: Share = 0.0
    patronymic: bool = False
    middle: Share = 0.0
    double_barrelled: Share = 0.0
    first_january: Share = 0.0
    feminine: tuple[str, ...] = ()


class Names(toml.Table, frozen=True):
    """All origins, by name."""

    origins: dict[str, Origin]


class Variants(toml.Table, frozen=True):
    """Other forms of names; see variants.toml."""

    forenames: tuple[str, ...]
    surnames: tuple[str, ...]
    nicknames: tuple[str, ...]
    by_ear: tuple[str, ...]
    keyboard: tuple[str, ...]
    unknown_names: tuple[str, ...]


class Town(toml.Table, frozen=True):
    """A town: its share of the county's people and the share of them in each outward code."""

    people: Share
    districts: dict[str, Share]


class Streets(toml.Table, frozen=True):
    """Street names and kinds of street."""

    names: str
    kinds: str


class Places(toml.Table, frozen=True):
    """The county's map."""

    county: str
    sectors_per_district: Annotated[int, Meta(ge=1, le=9)]
    people_per_postcode: Annotated[int, Meta(ge=1)]
    children_per_adult: float
    towns: dict[str, Town]
    streets: Streets


class Life(toml.Table, frozen=True):
    """How the county's people live; shares and means as sources.toml says."""

    under_one: Share
    twin_brothers: Share
    father_and_son: Share
    son_has_fathers_name: Share
    brothers: Share
    partners: Share
    partner_has_his_name: Share
    moved_out: Share
    moves_per_man: float
    moves_in_trouble: float
    second_phone: Share
    several_men: Share
    two_children: Share


class Habits(toml.Table, frozen=True):
    """What one source holds of each person and how often it errs."""

    has_name: Share
    has_date: Share
    has_phone: Share
    has_postcode: Share
    by_ear: Share
    nickname: Share
    transliterated: Share
    middle_as_first: Share
    swapped: Share
    typing: Share
    day_month: Share
    digit: Share
    first_january: Share
    placeholder_date: Share
    stale_postcode: Share
    typed_postcode: Share
    no_fixed_abode: Share
    stale_phone: Share
    folded: Share
    half_name: Share = 0.0
    has_nhs_number: Share = 0.0
    has_pnc: Share = 0.0
    has_cro: Share = 0.0
    has_partner: Share = 0.0
    aliases: Share = 0.0
    other_dates: Share = 0.0
    history: Share = 0.0
    false_details: Share = 0.0
    duplicates: Share = 0.0


class FlagShares(toml.Table, frozen=True):
    """How flags are spread."""

    years: int
    basis: dict[str, Share]
    status: dict[str, Share]
    always_fact: tuple[str, ...]
    shares: dict[str, dict[str, Share]]


class Sources(toml.Table, frozen=True):
    """Sizes, overlap and habits of every source."""

    rows: dict[str, float]
    women: dict[str, Share]
    pull: dict[str, float]
    county: Life
    sources: dict[str, Habits]
    flags: FlagShares


@dataclass(frozen=True, repr=False)
class Tables:
    """Everything configs/synth holds."""

    names: Names
    places: Places
    variants: Variants
    sources: Sources


def load_tables() -> Tables:
    """Read configs/synth. Raises UsageProblemError when a table is damaged."""
    return Tables(
        toml.read(resource("synth", "names"), Names, UsageProblemError),
        toml.read(resource("synth", "places"), Places, UsageProblemError),
        toml.read(resource("synth", "variants"), Variants, UsageProblemError),
        toml.read(resource("synth", "sources"), Sources, UsageProblemError),
    )


def words(text: str) -> Words:
    """Names of a list as an array, "_" read as a space inside one name."""
    return np.array([word.replace("_", " ") for word in text.split()], dtype=object)
