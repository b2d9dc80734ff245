"""Latent classes of pairs that are no match: patterns and their weights in, tables and memberships out.

Within a class fields are independent. One more class, held close to what copies of one person look like, catches
duplicates inside a file. Source: latent-class model, Goodman 1974; EM, Dempster, Laird & Rubin 1977.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from linkage.match.patterns import Alphabet
from linkage.match.priors import copies, strangers
from linkage.schema import RARITY_BUCKETS

ROUNDS = 300
_LATER_ROUNDS = 60
_COPY_STRENGTH = 200.0  # pairs of prior belief that duplicates look like copies, so that twins stay elsewhere
_COPY_FIRMNESS = 5.0  # the same, in shares of the pairs taken for copies: families must not turn the class into theirs
_SEED = 20_210_916

Floats = NDArray[np.float64]


def learn(design: sparse.csr_matrix, weights: Floats, alphabet: Alphabet, classes: int) -> tuple[Floats, Floats]:
    """EM for the classes: tables (w, c + 1), memberships (k, c + 1); the last class holds copies.

    design: (k, w) of distinct patterns; weights: (k,) pairs of each.
    """
    margin = normalise(np.asarray(design.T @ weights) + 0.02, alphabet)
    copy = copies(alphabet, margin)
    member = _first_guess(design, alphabet, classes)
    # A copy agrees far better than chance on nearly everything.
    gain = np.asarray(design @ np.log(copy)) - np.asarray(design @ np.log(strangers(alphabet, margin)))
    member[:, -1] = np.where(gain > np.log(1e8), 5.0, 0.01)
    member /= member.sum(axis=1, keepdims=True)
    return _settle(design, weights, alphabet, member, copy, ROUNDS)


def learn_without_copies(
    design: sparse.csr_matrix, weights: Floats, alphabet: Alphabet, member: Floats
) -> tuple[Floats, Floats]:
    """Go on where `learn` ended, without the class of copies: tables (w, c), memberships (k, c).

    The few pairs it took are namesakes then, and must be explained by what they are, not by what copies look like.
    """
    left = member[:, :-1] + 1e-12
    return _settle(design, weights, alphabet, left / left.sum(axis=1, keepdims=True), None, _LATER_ROUNDS)


def _settle(
    design: sparse.csr_matrix, weights: Floats, alphabet: Alphabet, member: Floats, copy: Floats | None, rounds: int
) -> tuple[Floats, Floats]:
    from linkage.match.kernels_model import expect  # loads numba

    margin = normalise(np.asarray(design.T @ weights) + 0.02, alphabet)
    classes = member.shape[1]
    prior = np.repeat(2.0 * margin[:, None] + 0.02, classes, axis=1)
    # Every pattern has one code a column, and the matrix holds nothing but their places.
    codes = design.indices.reshape(-1, len(alphabet.sizes)).astype(np.int32)
    held = member * weights[:, None]
    counts, mass = np.asarray(design.T @ held), held.sum(axis=0)
    before = -np.inf
    for _ in range(rounds):
        shares = (mass + 0.1) / (weights.sum() + 0.1 * classes)
        if copy is not None:
            prior[:, -1] = copy * max(_COPY_STRENGTH, _COPY_FIRMNESS * float(mass[-1]))
        tables = normalise(counts + prior, alphabet)
        now = expect(codes, weights, tables, shares, counts, mass)
        if now - before < 1e-7 * abs(now):
            break
        before = now
    parts = np.asarray(design @ np.log(tables)) + np.log(shares)
    return tables, np.exp(parts - log_sum(parts)[:, None])


def _first_guess(design: sparse.csr_matrix, alphabet: Alphabet, classes: int) -> Floats:
    """Random memberships, each class leaning towards agreement on one column; the same on every run."""
    random = np.random.default_rng(_SEED)
    member = random.dirichlet(np.full(classes, 0.3), design.shape[0])
    for number in range(min(classes - 1, len(alphabet.schema))):
        block = alphabet.block(number)
        last = block.start + (RARITY_BUCKETS if number in alphabet.names else 1)
        member[:, number] += 1.5 * np.asarray(design[:, block.start : last].sum(axis=1)).ravel()
    return np.concatenate([member, np.zeros((len(member), 1))], axis=1)


def log_sum(values: Floats) -> Floats:
    """Log of the sum of exponentials along the last axis."""
    top = values.max(axis=-1)
    return np.asarray(top + np.log(np.exp(values - top[..., None]).sum(axis=-1)))


def normalise(counts: Floats, alphabet: Alphabet) -> Floats:
    """Probabilities of codes, group by group. counts: (w, ...)."""
    tables: Floats = np.maximum(counts, 1e-9)
    for group in alphabet.groups:
        tables[group] /= tables[group].sum(axis=0)
    return tables


def observed(table: Floats, alphabet: Alphabet) -> Floats:
    """Probabilities given that the field is there; missing itself counts in the joint pattern of gaps instead."""
    table = table.copy()
    for column in range(len(alphabet.schema)):
        start = alphabet.block(column).start
        gap = start + (alphabet.missing(column) or 0)
        table[start:gap] /= np.maximum(1 - table[gap], 1e-9)
        table[gap] = 1.0
    return table
