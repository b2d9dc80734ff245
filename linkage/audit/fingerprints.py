"""Token-graph fingerprints: rows that share hashed values, laid upon people who share the values themselves.

The attacker is given, for each row, codes of some values (hashed block keys, tight tokens), and people with those
values in plain text; no key. Which rows share a code is which people share a value: a bipartite graph. Every row gets
a colour from how many share its codes, then from the colours of those, and so on; rows and people whose colour is the
only one of its kind are the same. Rows known tell what their codes stand for, and names spread from there.
Sources: Weisfeiler & Leman 1968 (colour refinement); Narayanan & Shmatikov 2009, "De-anonymizing social networks".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linkage.audit.finding import Guess
from linkage.audit.world import NOBODY

Codes = NDArray[np.int64]
"""(n, c): the code or value of each row in each of c columns, NONE where it has none."""
NONE = -1
GOLDEN = 0x9E3779B97F4A7C15  # 2 ** 64 over the golden ratio, splitmix64's step


def fingerprint_attack(seen: Codes, plain: Codes, truth: NDArray[np.int64], known: NDArray[np.int64]) -> Guess:
    """Rows named by colour and by spreading from those known. seen: (n, c); plain: (m, c); truth: (n,) in plain."""
    named = np.full(len(seen), NOBODY, np.int64)
    named[known] = truth[known]
    for rounds in (1, 2, 3):
        by_colour = _unique_match(_colours(seen, rounds), _colours(plain, rounds))
        free = (named == NOBODY) & (by_colour != NOBODY) & ~np.isin(by_colour, named[named >= 0])
        named[free] = by_colour[free]
    named = _spread(seen, plain, named)
    attacked = np.setdiff1d(np.arange(len(seen)), known)
    listed = truth[attacked] != NOBODY
    right = (named[attacked] == truth[attacked]) & listed
    return Guess(int(listed.sum()), int(right.sum()), 1 / max(len(plain) - len(known), 1))


def _colours(codes: Codes, rounds: int) -> NDArray[np.uint64]:
    """(n,) colours after so many rounds; equal in both graphs where the surroundings are equal."""
    count, width = codes.shape
    colours = np.ones(count, np.uint64)
    for _ in range(rounds):
        mixed = np.zeros(count, np.uint64)
        for column in range(width):
            values, place = np.unique(codes[:, column], return_inverse=True)
            pile = np.zeros(len(values), np.uint64)
            np.add.at(pile, place, _mix(colours))  # a sum does not depend on the order of its members
            pile[values == NONE] = 0
            mixed += _mix(pile[place] + np.uint64((column + 1) * GOLDEN % 2**64))
        colours = _mix(colours) + mixed
    return colours


def _mix(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
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


def _spread(seen: Codes, plain: Codes, named: NDArray[np.int64], rounds: int = 6) -> NDArray[np.int64]:
    """Names from names: codes of named rows stand for their people's values, which name the others that have them."""
    for _ in range(rounds):
        rows = np.flatnonzero(named >= 0)
        left, right = np.zeros(len(seen), np.uint64), np.zeros(len(plain), np.uint64)
        for column in range(seen.shape[1]):
            codes, first = np.unique(seen[rows, column], return_index=True)
            values = plain[named[rows[first]], column]
            held = (codes != NONE) & (values != NONE)
            codes, values = codes[held], values[held]
            number = _mix(np.arange(1, len(codes) + 1, dtype=np.uint64) + np.uint64(column << 40))
            left += _lookup(seen[:, column], codes, number)
            order = np.argsort(values, kind="stable")
            right += _lookup(plain[:, column], values[order], number[order])
        left[rows], right[named[rows]] = 0, 0
        match = _unique_match(left, right)
        fresh = (match != NOBODY) & (named == NOBODY) & (left != 0)
        if not fresh.any():
            break
        named = np.where(fresh, match, named)
    return named


def _lookup(codes: NDArray[np.int64], table: NDArray[np.int64], number: NDArray[np.uint64]) -> NDArray[np.uint64]:
    if len(table) == 0:
        return np.zeros(len(codes), np.uint64)
    place = np.minimum(np.searchsorted(table, codes), len(table) - 1)
    return np.where(table[place] == codes, number[place], np.uint64(0))
