"""Expected non-matches brought into line with the candidate pairs that are clearly no matches.

How many dissimilar pairs become candidates depends on the files (their sizes, their gaps), and how rare a name counts
depends on whose file it stands in; counts from inside the files cannot say. What is learnt where a match is out of the
question then holds for the doubtful patterns as well.
Rule: doubtful patterns are never counted here, or the best of a bad lot would explain itself away.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linkage.match.mixture import log_sum
from linkage.match.nonmatch import NonMatch
from linkage.match.patterns import Codes
from linkage.schema import RARITY_BUCKETS

_BELIEF = 30.0  # pairs' worth of belief in the rates from inside the files
_FARTHEST = 8.0
_BUCKET_BELIEF = 5.0
_BUCKET_FARTHEST = 50.0
_ROUNDS = 10

Floats = NDArray[np.float64]


def refit(nonmatch: NonMatch, codes: Codes, counted: Floats, clear: NDArray[np.bool_]) -> Floats:
    """Log expected non-matches at each pattern, (k,).

    codes: (k, columns) distinct patterns of the candidate pairs; counted: (k,) pairs of each; clear: (k,) patterns that
    are no matches. Each class is scaled under each set of missing fields, and each rarity bucket of agreeing names, by
    what is counted over what was expected (raking, Deming & Stephan 1940).
    """
    alphabet = nonmatch.alphabet
    design = alphabet.design(codes)
    parts = nonmatch.parts(design) + nonmatch.correction(codes)[:, None]
    present, gap = np.unique(alphabet.gaps(codes), return_inverse=True)
    whole = _whole(nonmatch, present)
    ratio = np.zeros_like(whole)
    bucket = np.zeros(design.shape[1])
    rows = np.concatenate([alphabet.block(c).start + np.arange(RARITY_BUCKETS) for c in alphabet.names] or [[]])
    rows = rows.astype(np.int64)
    chosen = design[:, rows]
    counts_by_bucket = chosen[clear].T @ counted[clear]
    for _ in range(_ROUNDS):
        logged = parts + ratio[gap] + np.asarray(design @ bucket)[:, None]
        total = log_sum(logged)
        member = np.exp(logged - total[:, None])
        seen = np.zeros_like(whole)
        np.add.at(seen, gap[clear], member[clear] * counted[clear, None])
        doubtful = np.zeros_like(whole)
        np.add.at(doubtful, gap[~clear], np.exp(logged - ratio[gap])[~clear])
        hoped = np.maximum(whole - doubtful, 0.0)
        ratio = np.log(np.clip((seen + _BELIEF) / (hoped + _BELIEF), 1 / _FARTHEST, _FARTHEST))
        plain = np.exp(total - np.asarray(design @ bucket))
        hoped_by_bucket = _by_code(nonmatch, present, whole * np.exp(ratio))[rows] - chosen[~clear].T @ plain[~clear]
        change = (counts_by_bucket + _BUCKET_BELIEF) / (np.maximum(hoped_by_bucket, 0.0) + _BUCKET_BELIEF)
        bucket[rows] = np.log(np.clip(change, 1 / _FARTHEST, _BUCKET_FARTHEST))
    return log_sum(parts + ratio[gap] + np.asarray(design @ bucket)[:, None])


def _whole(nonmatch: NonMatch, present: NDArray[np.int64]) -> Floats:
    """Expected pairs of each class under each set of missing fields, whether or not their patterns were met, (g, c)."""
    logs = np.log(nonmatch.rates) + np.zeros((len(present), 1))
    for place, missing in enumerate(_missing_rows(nonmatch)):
        share = nonmatch.tables[missing]
        gone = (present >> place & 1).astype(bool)
        logs += np.where(gone[:, None], np.log(share), np.log1p(-share))
    return np.asarray(np.exp(logs))


def _by_code(nonmatch: NonMatch, present: NDArray[np.int64], whole: Floats) -> Floats:
    """Expected pairs with each code, (w,), from those of each class under each set of missing fields, (g, c)."""
    expected = np.zeros(len(nonmatch.tables))
    for place, missing in enumerate(_missing_rows(nonmatch)):
        known = whole[(present >> place & 1) == 0].sum(axis=0)
        block = nonmatch.alphabet.block(place)
        share = nonmatch.tables[block] / np.maximum(1 - nonmatch.tables[missing], 1e-12)
        expected[block] = share @ known
    return expected


def _missing_rows(nonmatch: NonMatch) -> list[int]:
    """Row of the tables that says "missing", field by field."""
    alphabet = nonmatch.alphabet
    return [alphabet.block(p).start + (alphabet.missing(p) or 0) for p in range(len(alphabet.schema))]
