"""Token-graph fingerprints: rows that share hashed values, laid upon people who share the values themselves.

The attacker is given, for each row, codes of some values (hashed block keys, tight tokens), and people with those
values in plain text; no key. Which rows share a code is which people share a value: a bipartite graph. Every row gets
a colour from how many share its codes, then from the colours of those, and so on; rows and people whose colour is the
only one of its kind are the same. Rows known tell what their codes stand for, and names spread from there.
Sources: Weisfeiler & Leman 1968 (colour refinement); Narayanan & Shmatikov 2009, "De-anonymizing social networks".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from linkage.audit.finding import Guess
from linkage.audit.world import NOBODY

Codes = NDArray[np.int64]
"""(n, c): the code or value of each row in each of c columns, NONE where it has none."""
Groups = Sequence[NDArray[np.int64]]
NONE = -1
GOLDEN = 0x9E3779B97F4A7C15  # 2 ** 64 over the golden ratio, splitmix64's step


def fingerprint_attack(seen: Codes, plain: Codes, truth: NDArray[np.int64], known: NDArray[np.int64],
                       kinds: NDArray[np.int64] | None = None) -> Guess:  # fmt: skip
    """Rows named by colour and by spreading from those known.

    seen: (n, c); plain: (m, c); truth: (n,) place in plain, NOBODY where it is not there. kinds: (c,) columns of one
    kind hold values that can equal one another, as several values of one combination; else each is of its own.
    """
    groups = _groups(np.arange(seen.shape[1]) if kinds is None else kinds)
    named = np.full(len(seen), NOBODY, np.int64)
    named[known] = truth[known]
    for rounds in (1, 2, 3):
        by_colour = _unique_match(_colours(seen, groups, rounds), _colours(plain, groups, rounds))
        free = (named == NOBODY) & (by_colour != NOBODY) & ~np.isin(by_colour, named[named >= 0])
        named[free] = by_colour[free]
    named = _spread(seen, plain, named, groups)
    attacked = np.setdiff1d(np.arange(len(seen)), known)
    listed = truth[attacked] != NOBODY
    right = (named[attacked] == truth[attacked]) & listed
    return Guess(int(listed.sum()), int(right.sum()), 1 / max(len(plain) - len(known), 1))


def _groups(kinds: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    return [np.flatnonzero(kinds == kind) for kind in np.unique(kinds)]


def _colours(codes: Codes, groups: Groups, rounds: int) -> NDArray[np.uint64]:
    """(n,) colours after so many rounds; equal in both graphs where the surroundings are equal."""
    colours = np.ones(len(codes), np.uint64)
    found = [np.unique(codes[:, columns], return_inverse=True) for columns in groups]
    for _ in range(rounds):
        mixed = np.zeros(len(codes), np.uint64)
        for kind, (values, inverse) in enumerate(found):
            place = inverse.reshape(len(codes), -1)
            pile = np.zeros(len(values), np.uint64)
            # A sum does not depend on the order of its members.
            np.add.at(pile, place, scramble(colours)[:, None])
            pile[values == NONE] = 0
            mixed += scramble(pile[place] + np.uint64((kind + 1) * GOLDEN % 2**64)).sum(axis=1, dtype=np.uint64)
        colours = scramble(colours) + mixed
    return colours


def scramble(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A scramble of 64 bits (splitmix64, Steele, Lea & Flood 2014)."""
    x = numbers ^ (numbers >> np.uint64(30))
    x = x * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(x ^ (x >> np.uint64(31)), np.uint64)


def _unique_match(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Place in right of each left colour that both sides have exactly once, else NOBODY."""
    once = []
    for side in (left, right):
        values, first, counts = np.unique(side, return_index=True, return_counts=True)
        once.append((values[counts == 1], first[counts == 1]))
    _, mine, theirs = np.intersect1d(once[0][0], once[1][0], return_indices=True)
    named = np.full(len(left), NOBODY, np.int64)
    named[once[0][1][mine]] = once[1][1][theirs]
    return named


def _spread(seen: Codes, plain: Codes, named: NDArray[np.int64], groups: Groups, rounds: int = 6) -> NDArray[np.int64]:
    """Names from names: codes of named rows stand for their people's values, which name the others that have them."""
    for _ in range(rounds):
        rows = np.flatnonzero(named >= 0)
        left, right = np.zeros(len(seen), np.uint64), np.zeros(len(plain), np.uint64)
        for kind, columns in enumerate(groups):
            codes, first = np.unique(seen[np.ix_(rows, columns)], return_index=True)
            values = plain[np.ix_(named[rows], columns)].ravel()[first]
            held = (codes != NONE) & (values != NONE)
            codes, values = codes[held], values[held]
            number = scramble(np.arange(1, len(codes) + 1, dtype=np.uint64) + np.uint64(kind << 40))
            left += _lookup(seen[:, columns], codes, number)
            order = np.argsort(values, kind="stable")
            right += _lookup(plain[:, columns], values[order], number[order])
        left[rows], right[named[rows]] = 0, 0
        match = _unique_match(left, right)
        fresh = (match != NOBODY) & (named == NOBODY) & (left != 0)
        if not fresh.any():
            break
        named = np.where(fresh, match, named)
    return named


def _lookup(codes: Codes, table: NDArray[np.int64], number: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Sum over each row of the numbers of its codes, (n,); nought for codes that are not in the table."""
    if len(table) == 0:
        return np.zeros(len(codes), np.uint64)
    place = np.minimum(np.searchsorted(table, codes), len(table) - 1)
    met = np.where(table[place] == codes, number[place], np.uint64(0))
    return np.asarray(met.sum(axis=1), np.uint64)
