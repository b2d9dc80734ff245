"""The compiled inner loops of the match model: classes of non-matches, and competition between pairs.

Codes, tables and messages go in, preallocated outputs come back; rule as in kernels.py. Exponentials and logarithms of
whole arrays stay outside, where NumPy takes several at once. The plain twins are in tests/naive_model.py.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from linkage.match.kernels import kernel

Floats = NDArray[np.float64]
Rows = NDArray[np.int32]


@kernel
def expect(codes: Rows, weights: Floats, tables: Floats, shares: Floats, counts: Floats, mass: Floats) -> float:
    """One E step of latent classes, with the sums its M step needs; returns the log likelihood.

    codes: (k, columns) rows of the tables, one a column; weights: (k,) pairs of each pattern. tables: (w, c) chance of
    every code in every class, shares: (c,) of the classes. counts: (w, c) and mass: (c,), written: pairs of each class
    with each code, and of each class. Chances are multiplied, not their logarithms added: of so many columns
    as a schema has, a dozen or two, the product stays far from the smallest number even at 1e-10 each.
    """
    counts[:] = 0.0
    mass[:] = 0.0
    likelihood = 0.0
    classes = len(shares)
    part = np.empty(classes)
    for pattern in range(codes.shape[0]):
        for c in range(classes):
            part[c] = shares[c]
        for column in range(codes.shape[1]):
            chances = tables[codes[pattern, column]]
            for c in range(classes):
                part[c] *= chances[c]
        total = 0.0
        for c in range(classes):
            total += part[c]
        likelihood += weights[pattern] * math.log(total)
        held = weights[pattern] / total
        for c in range(classes):
            part[c] *= held
            mass[c] += part[c]
        for column in range(codes.shape[1]):
            seen = counts[codes[pattern, column]]
            for c in range(classes):
                seen[c] += part[c]
    return likelihood


@kernel
def numbered(rows: Rows, size: int) -> tuple[Rows, int]:
    """The same rows under numbers without gaps, (m,), in the order in which they first appear; and how many there are.

    rows: (m,), all below size.
    """
    number = np.full(size, -1, np.int32)
    found = np.empty(len(rows), np.int32)
    count = 0
    for pair in range(len(rows)):
        if number[rows[pair]] < 0:
            number[rows[pair]] = count
            count += 1
        found[pair] = number[rows[pair]]
    return found, count


@kernel
def rivals(rows: Rows, pull: Floats, total: Floats) -> None:
    """What the other pairs of each pair's row pull together, (m,), written over each pair's own pull.

    rows: (m,) below the length of total, which is room for the rows' sums.
    """
    total[:] = 0.0
    for pair in range(len(rows)):
        total[rows[pair]] += pull[pair]
    for pair in range(len(rows)):
        pull[pair] = max(total[rows[pair]] - pull[pair], 0.0)


@kernel
def move(messages: Floats, towards: Floats, kept: float) -> float:
    """Move messages, (m,), written, towards others, keeping a share of the old; returns the largest difference."""
    most = 0.0
    for pair in range(len(messages)):
        most = max(most, abs(towards[pair] - messages[pair]))
        messages[pair] = kept * messages[pair] + (1 - kept) * towards[pair]
    return most
