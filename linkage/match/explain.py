"""Why a pair weighs what it weighs: bits by field that add up to its weight, the same on every rerun (R34, R36)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linkage.match.matched import Matched
from linkage.match.mixture import log_sum
from linkage.match.nonmatch import NonMatch
from linkage.match.patterns import Alphabet, Codes

Floats = NDArray[np.float64]


def contributions(codes: Codes, bits: Floats, alphabet: Alphabet, nonmatch: NonMatch, match: Matched) -> Floats:
    """Bits added by each field, then the prior, (k, f + 1); rows sum to bits.

    codes: (k, columns) patterns; bits: (k,) their weights. Fields are not independent among non-matches, so a field
    is weighed given the fields before it, and given those after it, and the two are averaged. The order of names
    counts with the forename; what was learnt of whole patterns is spread over the fields that are there.
    """
    fields = len(alphabet.schema)
    columns = list(range(len(alphabet.sizes)))
    shares = np.zeros((len(codes), fields + 1))
    for order in (columns, columns[::-1]):
        apart = _chain(codes, order, alphabet, np.log(nonmatch.tables), np.log(nonmatch.rates / nonmatch.rates.sum()))
        alike = _chain(codes, order, alphabet, np.log(match.table), np.log([1 - match.moved, match.moved]))
        gain = (alike - apart) / (2 * np.log(2))
        shares[:, :fields] += gain[:, :fields]
        if alphabet.order is not None:
            forename = alphabet.names[0]
            shares[:, forename] += gain[:, alphabet.order]
    shares[:, fields] = np.log2(match.number / nonmatch.rates.sum())
    known = np.stack([codes[:, place] != alphabet.missing(place) for place in range(fields)], axis=1)
    known[~known.any(axis=1)] = True
    rest = bits - shares.sum(axis=1)
    shares[:, :fields] += known * (rest / known.sum(axis=1))[:, None]
    return shares


def _chain(codes: Codes, order: list[int], alphabet: Alphabet, tables: Floats, start: Floats) -> Floats:
    """Log probability of each column given the columns before it in the order, (k, columns)."""
    logs = np.zeros((len(codes), len(order)))
    parts = np.broadcast_to(start, (len(codes), len(start)))
    before = np.full(len(codes), float(log_sum(start)))
    for column in order:
        parts = parts + tables[alphabet.block(column)][codes[:, column]]
        now = log_sum(parts)
        logs[:, column] = now - before
        before = now
    return logs
