"""The file of children's services: men in a relationship table, one row for each man and child.

Rule: the father is written down as a mother or midwife names him; the child has ids and a date, nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.synth.agencies import Columns
from linkage.synth.damage import Dates, Mask
from linkage.synth.desk import Desk, Rows, blanked, date_texts, filled, write_card
from linkage.synth.identifiers import local_ids
from linkage.synth.people import Population
from linkage.synth.tables import Life, Words

Rng = np.random.Generator
UNBORN_DAYS, BORN_DAYS = 210, 364
"""A pregnancy is known from about its tenth week; a child is an anchor up to its first birthday."""
RELATIONS = {"FATHER": 0.90, "PARTNER": 0.06, "STEPFATHER": 0.03, "OTHER": 0.01}
PATERNITY = {"CONFIRMED": 0.55, "STATED": 0.30, "ASSUMED": 0.08, "UNKNOWN": 0.07}


@dataclass(frozen=True, repr=False)
class Families:
    """Rows of men and children, and the entries behind them.

    men: (e,) the man of every entry; an entry is a man in one case, so twins share it. entry: (r,) of every row.
    child, case: (r,) numbers. date: (r,) due date or birth. first: (r,) whether he is the first man beside the child.
    """

    men: Rows
    entry: NDArray[np.int64]
    child: NDArray[np.int64]
    case: NDArray[np.int64]
    date: Dates
    first: Mask

    @property
    def person(self) -> Rows:
        """(r,) the man of every row."""
        return self.men[self.entry]


def father_weights(people: Population, today: np.datetime64) -> NDArray[np.float64]:
    """(men,) log weight of each man to be an expectant or new father: most are about 32."""
    weights: NDArray[np.float64] = -0.5 * ((people.ages(today)[: people.men] - 32) / 7.5) ** 2
    return weights


def make_families(rng: Rng, life: Life, men: Rows, rows: int, today: np.datetime64) -> Families:
    """Children of men: some men have two, some children have two men beside them (R48).

    men: different men, at least `rows` / (1 + two_children) of them, rows in all.
    """
    twice = rows - len(men)
    who = np.concatenate([men, men[:twice]])
    child, case = np.arange(rows), np.arange(rows)
    days = np.where(
        rng.random(rows) < life.under_one, -rng.integers(0, BORN_DAYS + 1, rows), rng.integers(1, UNBORN_DAYS, rows)
    )
    # Half of the men with two children have twins: one mother, one case, one day.
    twins = len(men) + np.flatnonzero(rng.random(twice) < 0.5)
    case[twins], days[twins] = case[twins - len(men)], days[twins - len(men)]
    # A second man beside a child: two rows of men with one child each become rows of one child.
    shared = round(rows * life.several_men / 2)
    ones, others = np.arange(twice, twice + shared), np.arange(twice + shared, twice + 2 * shared)
    child[others], case[others], days[others] = child[ones], case[ones], days[ones]
    first = np.ones(rows, dtype=bool)
    first[others] = False
    entries, entry = np.unique(np.stack([who, case]), axis=1, return_inverse=True)
    order = rng.permutation(rows)
    date: Dates = (today + days.astype("timedelta64[D]"))[order]
    return Families(entries[0], entry[order], child[order], case[order], date, first[order])


def childrens_services(desk: Desk, families: Families) -> Columns:
    """The relationship table: the worst file, and the one that everything turns on."""
    rng, rows = desk.rng, len(families.entry)
    relation = _drawn(rng, RELATIONS, rows)
    later = np.where(rng.random(rows) < 0.7, "PARTNER", "STEPFATHER").astype(object)
    relation = np.where(families.first, relation, later).astype(object)
    paternity = np.where(relation == "FATHER", _drawn(rng, PATERNITY, rows), "UNKNOWN").astype(object)
    table = {
        "Father ID": local_ids(rng, len(families.men), "F", 7)[families.entry],
        "Child ID": local_ids(rng, rows, "", 7)[families.child],
        "Case ID": local_ids(rng, rows, "CIN-", 6)[families.case],
        "Due Date": date_texts(families.date, "dmy"),
        "Relationship to Child": relation,
        "Paternity": paternity,
    }
    return table | {name: cells[families.entry] for name, cells in _fathers(desk, families.men).items()}


def _fathers(desk: Desk, men: Rows) -> Columns:
    """What is known of each man, once for every entry."""
    rng, habits, count = desk.rng, desk.habits, len(men)
    card = write_card(desk, men)
    has = filled(
        rng,
        count,
        {"name": habits.has_name + habits.half_name, "date": habits.has_date, "phone": habits.has_phone}
        | {"postcode": habits.has_postcode, "nhs": habits.has_nhs_number},
    )
    half = has["name"] & (rng.random(count) < habits.half_name / (habits.has_name + habits.half_name))
    unknown = np.array(["", *desk.variants.unknown_names], dtype=object)
    says = unknown[rng.integers(len(unknown), size=count)]
    teams = np.array(["Assessment", "Pre-birth", "Family Support North", "Family Support South"], dtype=object)
    return {
        "Father Forename": np.where(has["name"], card.first, says).astype(object),
        "Father Surname": np.where(has["name"] & ~half, card.last, np.where(half, "", says)).astype(object),
        "Father DOB": blanked(date_texts(card.born, "dmy"), has["date"]),
        "Father Gender": blanked(card.sex, desk.some(count, 0.9)),
        "Father Postcode": blanked(card.postcode, has["postcode"]),
        "Father Phone": blanked(card.phone, has["phone"]),
        "Father NHS No": blanked(desk.numbers.nhs[men], has["nhs"]),
        "Team": teams[rng.integers(len(teams), size=count)],
    }


def _drawn(rng: Rng, shares: dict[str, float], count: int) -> Words:
    names = np.array(list(shares), dtype=object)
    drawn: Words = names[rng.choice(len(names), size=count, p=list(shares.values()))]
    return drawn
