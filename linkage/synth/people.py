"""The people of the pretend county, as arrays.

Tables and a generator come in, a Population goes out: men aged 16 to 60 and the women around them, in households with
twins, brothers, fathers and sons, partners, each with a history of addresses and telephone numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.synth.identifiers import phones
from linkage.synth.names import Pool, draw_origins, load_pools
from linkage.synth.places import ADDRESSES, Map, draw_map
from linkage.synth.tables import Life, Tables, Words

Rng = np.random.Generator
Dates = NDArray[np.datetime64]
YOUNGEST, OLDEST = 16, 60  # years
YEAR = 365.2425  # days
NOBODY = -1
SAME_ORIGIN = 0.8
"""Couples whose names have one origin."""
WOMEN_ALONE = 0.15
"""Women who live with none of the men, per man: mothers, sisters, neighbours."""


@dataclass(frozen=True, repr=False)
class Population:
    """n people: first all men, then all women. Plaintext of people who do not exist.

    origin (n,) place in pools; born (n,) datetime64[D]; kin (n,): twin, brother, father or son of a man;
    partner (n,): whom one lives with; both NOBODY where there is none.
    trouble (n,): standard normal, what draws people into files.
    other_forename, other_surname: another name one goes by (alias; a woman's own surname where she bears his).
    units, houses (n, ADDRESSES): present address first; addresses (n,): how many of them are real.
    numbers (n, 2): present and older telephone number; has_older_number (n,).
    """

    men: int
    origin: NDArray[np.int8]
    forename: Words
    middle: Words
    surname: Words
    other_forename: Words
    other_surname: Words
    born: Dates
    kin: NDArray[np.int32]
    partner: NDArray[np.int32]
    trouble: NDArray[np.float64]
    map: Map
    units: NDArray[np.int32]
    houses: NDArray[np.int16]
    addresses: NDArray[np.int64]
    numbers: Words
    has_older_number: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.born)

    def __repr__(self) -> str:
        return f"Population(men={self.men}, people={len(self)})"

    def ages(self, today: np.datetime64) -> NDArray[np.float64]:
        """(n,) years."""
        return (today - self.born).astype(np.int64) / YEAR


Places = NDArray[np.int64]


@dataclass(frozen=True, repr=False)
class Ties:
    """Who belongs to whom, by person, and the second of each pair: twin, son, brother, woman of a couple.

    Who stands where means nothing: everything else about a person is drawn, and files are shuffled.
    """

    men: int
    kin: NDArray[np.int32]
    partner: NDArray[np.int32]
    twins: Places
    sons: Places
    brothers: Places
    wives: Places

    def __len__(self) -> int:
        return len(self.partner)

    @property
    def younger(self) -> Places:
        """The seconds of all pairs of men."""
        return np.concatenate([self.twins, self.sons, self.brothers])


def make_people(rng: Rng, tables: Tables, men: int, today: np.datetime64) -> Population:
    """A population of `men` men and about seven women to ten men."""
    life, pools = tables.sources.county, load_pools(tables.names)
    ties = _ties(rng, men, life)
    origin = draw_origins(rng, pools, len(ties))
    origin[ties.younger] = origin[ties.kin[ties.younger]]
    alike = ties.wives[rng.random(len(ties.wives)) < SAME_ORIGIN]
    origin[alike] = origin[ties.partner[alike]]
    forename, middle, surname, other_forename, other_surname = _names(rng, pools, origin, ties)
    takes = ties.wives[rng.random(len(ties.wives)) < life.partner_has_his_name]
    patronymic = np.array([pool.origin.patronymic for pool in pools])[origin]
    _pass_on(rng, life, ties, patronymic, (forename, middle, surname))
    other_surname[takes], surname[takes] = surname[takes], surname[ties.partner[takes]]
    _feminine(pools, origin, surname, men)

    born = _birthdays(rng, ties, today)
    unknown = rng.random(len(ties)) < np.array([pool.origin.first_january for pool in pools])[origin]
    born[unknown] = born[unknown].astype("datetime64[Y]").astype("datetime64[D]")

    trouble = rng.standard_normal(len(ties))
    map_ = draw_map(rng, tables.places, len(ties))
    units, houses, addresses = _homes(rng, life, map_, trouble, ties)
    older = rng.random(len(ties)) < life.second_phone
    numbers = phones(rng, 2 * len(ties)).reshape(-1, 2)
    return Population(
        men, origin, forename, middle, surname, other_forename, other_surname, born, ties.kin, ties.partner, trouble,
        map_, units, houses, addresses, numbers, older,
    )  # fmt: skip


def _ties(rng: Rng, men: int, life: Life) -> Ties:
    """Pairs of men side by side, then couples; the women follow the men."""
    kin = np.full(men, NOBODY, dtype=np.int32)
    seconds: list[Places] = []
    start = 0
    for share in (life.twin_brothers, life.father_and_son, life.brothers):
        pairs = max(1, round(men * share / 2))
        first = start + 2 * np.arange(pairs, dtype=np.int64)
        kin[first], kin[first + 1] = first + 1, first
        seconds.append(first + 1)
        start += 2 * pairs
    husbands = np.flatnonzero(rng.random(men) < life.partners)
    wives = men + np.arange(len(husbands), dtype=np.int64)
    partner = np.full(men + len(husbands) + round(men * WOMEN_ALONE), NOBODY, dtype=np.int32)
    partner[husbands], partner[wives] = wives, husbands
    return Ties(men, kin, partner, seconds[0], seconds[1], seconds[2], wives)


def _names(rng: Rng, pools: tuple[Pool, ...], origin: NDArray[np.int8], ties: Ties) -> list[Words]:
    """Forename, middle name, surname, other forename and other surname of everybody."""
    names: list[Words] = [np.full(len(origin), "", dtype=object) for _ in range(5)]
    is_woman = np.arange(len(origin)) >= ties.men
    for place, pool in enumerate(pools):
        for female in (False, True):
            who = np.flatnonzero((origin == place) & (is_woman == female))
            drawn = (
                pool.forenames(rng, len(who), female=female),
                pool.middle_names(rng, len(who), female=female and not pool.origin.patronymic),
                pool.family_names(rng, len(who)),
                pool.forenames(rng, len(who), female=female),
                pool.family_names(rng, len(who)),
            )
            for kind, values in zip(names, drawn, strict=True):
                kind[who] = values
    return names


def _pass_on(
    rng: Rng, life: Life, ties: Ties, patronymic: NDArray[np.bool_], names: tuple[Words, Words, Words]
) -> None:
    """Give sons and brothers the family's names, in place; where the surname is a father's forename, that one.

    patronymic: (n,) whose surname is a father's or grandfather's forename. names: forenames, middle names, surnames.
    """
    forename, middle, surname = names
    kin, younger, sons = ties.kin, ties.younger, ties.sons
    surname[younger] = surname[kin[younger]]
    same = younger[patronymic[younger]]
    middle[same] = middle[kin[same]]
    own = sons[patronymic[sons]]
    grandfathers = np.where(middle[kin[own]] == "", surname[kin[own]], middle[kin[own]])
    surname[own], middle[own] = grandfathers, forename[kin[own]]
    namesakes = sons[rng.random(len(sons)) < life.son_has_fathers_name]
    forename[namesakes], surname[namesakes] = forename[kin[namesakes]], surname[kin[namesakes]]


def _feminine(pools: tuple[Pool, ...], origin: NDArray[np.int8], surname: Words, men: int) -> None:
    for place, pool in enumerate(pools):
        if pool.origin.feminine:
            who = men + np.flatnonzero(origin[men:] == place)
            surname[who] = [pool.feminine(name) for name in surname[who]]


def _birthdays(rng: Rng, ties: Ties, today: np.datetime64) -> Dates:
    """Birthdays of people from YOUNGEST up to OLDEST, relatives as far apart as relatives are."""
    sons, brothers, wives = ties.sons, ties.brothers, ties.wives
    age = YOUNGEST + rng.random(len(ties)) * (OLDEST - YOUNGEST)
    husbands = ties.partner[wives]
    age[husbands] = np.maximum(age[husbands], YOUNGEST + 2 + 4 * rng.random(len(wives)))
    fathers = ties.kin[sons]
    age[fathers] = 36 + rng.random(len(sons)) * (OLDEST - 36)
    age[sons] = YOUNGEST + rng.random(len(sons)) * (age[fathers] - 19 - YOUNGEST)
    age[ties.twins] = age[ties.kin[ties.twins]]
    apart = rng.choice([-1, 1], size=len(brothers)) * (1 + rng.random(len(brothers)) * 9)
    age[brothers] = _within(age[ties.kin[brothers]] + apart)
    age[wives] = _within(age[husbands] - 2 + 4 * rng.standard_normal(len(wives)))
    born: Dates = today - np.ceil(age * YEAR).astype("timedelta64[D]")
    return born


def _within(age: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ages outside the range folded back into it."""
    age = np.where(age < YOUNGEST, 2 * YOUNGEST - age, age)
    folded: NDArray[np.float64] = np.where(age > OLDEST, 2 * OLDEST - age, age)
    return folded


def _homes(
    rng: Rng, life: Life, map_: Map, trouble: NDArray[np.float64], ties: Ties
) -> tuple[NDArray[np.int32], NDArray[np.int16], NDArray[np.int64]]:
    """Units, house numbers and count of addresses; families under one roof, some of the grown ones gone."""
    total, kin, younger, wives = len(ties), ties.kin, ties.younger, ties.wives
    units, houses = map_.homes(rng, total), rng.integers(1, 120, size=(total, ADDRESSES)).astype(np.int16)
    moves = rng.poisson(life.moves_per_man + life.moves_in_trouble * np.maximum(trouble, 0))
    grown = np.concatenate([ties.sons, ties.brothers])
    left = np.zeros(total, dtype=bool)
    left[grown[rng.random(len(grown)) < life.moved_out]] = True
    place = left[younger].astype(np.int64)  # who moved out keeps the family's address as his last one
    units[younger, place], houses[younger, place] = units[kin[younger], 0], houses[kin[younger], 0]
    units[wives, 0], houses[wives, 0] = units[ties.partner[wives], 0], houses[ties.partner[wives], 0]
    return units, houses, np.clip(1 + np.maximum(moves, left), 1, ADDRESSES)
