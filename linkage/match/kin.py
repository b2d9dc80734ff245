"""Relatives across the files: two people under one roof, whom neither file holds both of.

A file of tenants or of men only has seen few couples; across two such files they abound. They share a household as one
person's records do, and else compare like strangers, so a class of their own keeps them out of the match class. How
many there are is learnt; what a relative's forename and identifiers look like is not, nor can it be.
Rule: a class of non-matches; it takes from no pair what only one person would share.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from linkage.match.mixture import observed
from linkage.match.nonmatch import NonMatch
from linkage.match.patterns import PLACES, Alphabet
from linkage.match.priors import relatives
from linkage.schema import Kind

_FIRST_SHARE = 0.02  # of the rows of the smaller file
_STRENGTH = 20.0  # relatives' worth of prior belief
_DATE_FIRMNESS = 4.0  # the same for dates, in shares of the relatives: a relative never comes to share his birthday
_LEARNT = (Kind.SURNAME, Kind.DATE, Kind.SEX)

Floats = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class Kin:
    """number: expected pairs of relatives. table, belief: (w,) chance of every code, now and at first; missing is 1."""

    number: float
    table: Floats
    belief: Floats

    def log_expected(self, design: sparse.csr_matrix, log_gaps: Floats) -> Floats:
        """Log expected relatives at each pattern, (k,). log_gaps: (k,) log chance of its missing fields."""
        return np.asarray(design @ np.log(self.table) + log_gaps + np.log(self.number))

    def beside(self, nonmatch: NonMatch) -> NonMatch:
        """The non-matches with relatives as one more class, for explanations."""
        alphabet, table = nonmatch.alphabet, self.table.copy()
        shares = nonmatch.tables @ (nonmatch.rates / nonmatch.rates.sum())
        for place in range(len(alphabet.schema)):
            start, gap = alphabet.block(place).start, alphabet.block(place).start + (alphabet.missing(place) or 0)
            table[start:gap] *= 1 - shares[gap]
            table[gap] = shares[gap]
        tables = np.column_stack([nonmatch.tables, np.maximum(table, 1e-12)])
        return replace(nonmatch, tables=tables, rates=np.append(nonmatch.rates, self.number))


def start(alphabet: Alphabet, margin: Floats, people: tuple[int, int]) -> Kin:
    """Relatives before anything was learnt. margin: (w,) probabilities of codes among candidates."""
    belief = observed(relatives(alphabet, margin), alphabet)
    return Kin(_FIRST_SHARE * min(people), belief, belief)


def learn(kin: Kin, alphabet: Alphabet, counts: Floats, number: float, stayed: Floats) -> Kin:
    """Relatives by what was counted of them.

    counts: (w,) relatives with each code; number: of them all. stayed: (w,) codes of true pairs who did not move:
    a household's address is written down as differently for two of its people as twice for one.
    """
    table = kin.belief.copy()
    for place, field in enumerate(alphabet.schema.fields):
        first = alphabet.block(place).start
        known = slice(first, first + (alphabet.missing(place) or 0))
        if field.kind in PLACES:
            table[known] = stayed[known]
        elif field.kind in _LEARNT:
            firm = _DATE_FIRMNESS * float(counts[known].sum()) if field.kind is Kind.DATE else 0.0
            held = counts[known] + max(_STRENGTH, firm) * kin.belief[known]
            table[known] = held / held.sum()
    return Kin(number + 0.1, np.maximum(table, 1e-12), kin.belief)
