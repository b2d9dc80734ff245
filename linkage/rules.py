"""Rules that outrank the score: comparisons in, verdicts out (R2, R11, R13, R14, R15).

Rule: data in, data out; a rule looks at how fields agree, never at a value and never at a probability.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from linkage.errors import ShapeError
from linkage.model import Comparisons, NullTable
from linkage.schema import LEVELS, MISSING, Kind, Schema, Sense

Mask = NDArray[np.bool_]


class Verdict(IntEnum):
    """What the rules make of a pair."""

    PASS = 0
    REVIEW = 1  # a person must look; never a strong link
    BLOCK = 2  # never linked automatically


class Rule(IntEnum):
    """The rule that spoke, in the order in which they are heard."""

    NONE = 0
    IDENTIFIER_AGAINST_PERSON = 1  # R13: identifier agrees, name and date contradict
    IDENTIFIER_DIFFERS = 2  # R13: both have it, and it differs
    GENERATION = 3  # R11: same name and address, 12 years or more apart
    TWINS = 4  # R15: same surname, date and address, another forename
    MAYBE_TWINS = 5  # R15: the same, with a forename that only resembles, or no address to compare
    INITIALS_AND_DATE = 6  # R14
    NAME_ONLY = 7  # R14
    NOT_ENOUGH = 8  # R14, R29: nothing but names is there to compare


VERDICTS: Mapping[Rule, Verdict] = {
    Rule.IDENTIFIER_AGAINST_PERSON: Verdict.REVIEW,
    Rule.IDENTIFIER_DIFFERS: Verdict.REVIEW,
    Rule.GENERATION: Verdict.BLOCK,
    Rule.TWINS: Verdict.BLOCK,
    Rule.MAYBE_TWINS: Verdict.REVIEW,
    Rule.INITIALS_AND_DATE: Verdict.BLOCK,
    Rule.NAME_ONLY: Verdict.BLOCK,
    Rule.NOT_ENOUGH: Verdict.BLOCK,
}


class Outcome(IntEnum):
    """What a run says of one row; "nothing found" is never a clearance (R29)."""

    NO_MATCH = 0
    LINKED = 1
    NOT_ENOUGH = 2


@dataclass(frozen=True, repr=False)
class RuleOutcome:
    """verdict: (m,) int8 of Verdict; rule: (m,) int8 of Rule, the one that decided."""

    verdict: NDArray[np.int8]
    rule: NDArray[np.int8]

    def counts(self) -> dict[str, int]:
        """Pairs each rule spoke on, by its name in lower case."""
        return {rule.name.lower(): int((self.rule == rule).sum()) for rule in Rule if rule is not Rule.NONE}

    def __repr__(self) -> str:
        return f"RuleOutcome({self.counts()})"


def apply(comparisons: Comparisons, schema: Schema) -> RuleOutcome:
    """Hear every rule on every pair; a block outranks a review, and among equals the first rule is named.

    Raises ShapeError when comparisons have other fields than the schema.
    """
    if comparisons.levels.shape[1] != len(schema):
        raise ShapeError(f"{comparisons.levels.shape[1]} compared fields, but the agreement has {len(schema)}")
    held = _Facts(comparisons, schema).rules()
    rule = np.zeros(len(comparisons), np.int8)
    verdict = np.zeros(len(comparisons), np.int8)
    for name, holds in held.items():
        stronger = holds & (verdict < VERDICTS[name])
        rule[stronger] = name
        verdict[stronger] = VERDICTS[name]
    return RuleOutcome(verdict, rule)


def turned(comparisons: Comparisons, schema: Schema) -> Mask:
    """Pairs whose forename and surname agree crosswise and not straight: swapped in one of the files. (m,)."""
    return np.asarray(_Facts(comparisons, schema).turned)


class _Facts:
    """What agrees and what contradicts in each pair, (m,) masks; a field nobody has is all false."""

    def __init__(self, comparisons: Comparisons, schema: Schema) -> None:
        self._levels, self._schema = comparisons.levels, schema
        self._none = np.zeros(len(comparisons), bool)
        straight = (Kind.FORENAME, Kind.SURNAME)
        crossed = (comparisons.crossed >= 0) & (comparisons.crossed <= _place(Kind.FORENAME, "sounds"))
        self.turned = crossed.all(axis=1) & ~(self._at(straight[0], *_ALIKE) & self._at(straight[1], *_ALIKE))

    def _at(self, kind: Kind, *names: str) -> Mask:
        """Any field of a kind is at one of these levels."""
        found = self._none.copy()
        places = [_place(kind, name) for name in names]
        for column in self._schema.indices(kind):
            found |= np.isin(self._levels[:, column], places)
        return found

    def _sense(self, kind: Kind, *senses: Sense) -> Mask:
        return self._at(kind, *(level.name for level in LEVELS[kind] if level.sense in senses))

    def _known(self, kind: Kind) -> Mask:
        found = self._none.copy()
        for column in self._schema.indices(kind):
            found |= self._levels[:, column] != MISSING
        return found

    def chance(self) -> tuple[Mask, Mask, Mask]:
        """Exact name and date, near name and date, exact name."""
        exact = self._at(Kind.FORENAME, "same") & self._at(Kind.SURNAME, "same")
        near = (self._at(Kind.FORENAME, *_ALIKE) & self._at(Kind.SURNAME, *_ALIKE)) | self.turned
        close_date = self._sense(Kind.DATE, Sense.AGREE, Sense.NEAR)
        return exact & self._at(Kind.DATE, "same"), near & close_date, exact

    def rules(self) -> dict[Rule, Mask]:
        """Where each rule holds."""
        forename = self._at(Kind.FORENAME, *_ALIKE) | self.turned
        surname = self._at(Kind.SURNAME, *_ALIKE) | self.turned
        other_forename = self._sense(Kind.FORENAME, Sense.DISAGREE) & ~self.turned
        other_surname = self._sense(Kind.SURNAME, Sense.DISAGREE) & ~self.turned
        address = self._at(Kind.POSTCODE, "same", "typo") | self._at(Kind.TEXT, "same", "close")
        date = self._sense(Kind.DATE, Sense.AGREE, Sense.NEAR)
        other_date = self._sense(Kind.DATE, Sense.DISAGREE)
        identifier = self._at(Kind.IDENTIFIER, "same")
        place = self._sense(Kind.POSTCODE, Sense.AGREE, Sense.NEAR) | self._sense(Kind.TEXT, Sense.AGREE, Sense.NEAR)
        more = place | self._sense(Kind.PHONE, Sense.AGREE, Sense.NEAR) | identifier
        same_day = self._at(Kind.DATE, "same")
        household = surname & same_day & address & ~identifier
        nowhere = ~(self._known(Kind.POSTCODE) | self._known(Kind.TEXT) | identifier)
        resembling = household & self._at(Kind.FORENAME, "similar", "initial")
        no_name = ~(self._known(Kind.FORENAME) & ~self._at(Kind.FORENAME, "initial"))
        no_surname = ~(self._known(Kind.SURNAME) & ~self._at(Kind.SURNAME, "initial"))
        beyond = (Kind.DATE, Kind.POSTCODE, Kind.TEXT, Kind.PHONE, Kind.IDENTIFIER)
        nothing = ~np.any([self._known(kind) for kind in beyond], axis=0)
        return {
            Rule.IDENTIFIER_AGAINST_PERSON: identifier & (other_forename | other_surname) & other_date,
            Rule.IDENTIFIER_DIFFERS: self._at(Kind.IDENTIFIER, "different"),
            Rule.GENERATION: forename & surname & address & self._at(Kind.DATE, "generation"),
            Rule.TWINS: household & self._at(Kind.FORENAME, "distant", "different") & ~self.turned,
            Rule.MAYBE_TWINS: (resembling | (surname & same_day & other_forename & nowhere)) & ~self.turned,
            Rule.INITIALS_AND_DATE: no_name & no_surname & date & ~more & ~self.turned,
            Rule.NOT_ENOUGH: nothing,
            Rule.NAME_ONLY: ~date & ~more,
        }


_ALIKE = ("same", "variant", "close", "sounds")


def _place(kind: Kind, name: str) -> int:
    """Number of a level, -2 where the kind has no such level."""
    return next((place for place, level in enumerate(LEVELS[kind]) if level.name == name), -2)


def outcomes(rows: NDArray[np.integer], linked: Mask, rule: NDArray[np.int8], people: int) -> NDArray[np.int8]:
    """Outcome of each row of one side, (people,) int8 of Outcome.

    rows: (m,) the row of that side in every candidate pair; linked, rule: (m,). A row without a link has not enough
    information when all it was compared on, in every pair, was its names.
    """
    outcome = np.full(people, int(Outcome.NO_MATCH), np.int8)
    compared = np.bincount(rows, minlength=people)
    empty = np.bincount(rows, rule == Rule.NOT_ENOUGH, people)
    outcome[(compared > 0) & (empty == compared)] = Outcome.NOT_ENOUGH
    outcome[rows[linked]] = Outcome.LINKED
    return outcome


def chance_pairs(left: NullTable, right: NullTable, schema: Schema) -> dict[str, float]:
    """Pairs of different people that chance alone would give between two files (R14).

    By what agrees: exact name and date, near name and date, exact name alone. Read off the pairs inside each file,
    so candidates that a search would never return are not in it; duplicates inside a file are.
    """
    inside = left.people * (left.people - 1) / 2 + right.people * (right.people - 1) / 2
    scale = left.people * right.people / max(inside, 1.0)
    totals = dict.fromkeys(("exact_name_and_date", "near_name_and_date", "exact_name"), 0.0)
    for table in (left, right):
        facts = _Facts(Comparisons(table.levels, table.rarity, table.crossed), schema)
        masks = facts.chance()
        for name, mask in zip(totals, masks, strict=True):
            totals[name] += float(table.counts[mask].sum()) * scale
    return totals
