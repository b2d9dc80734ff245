"""Finding 16-byte codes among others: pair ids and pseudonyms.

Codes come in, places go out. Codes are random, so half of one nearly always tells it apart, and numbers sort ten times
as fast as bytes; where somebody sent codes that share a half, all of it is compared.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes16 = NDArray[np.uint8]


def places(given: Bytes16, wanted: Bytes16) -> NDArray[np.int64]:
    """Where each wanted code, (m, 16), stands among those given, (n, 16), none of them twice; -1 where it does not."""
    if not len(given) or not len(wanted):
        return np.full(len(wanted), -1, np.int64)
    have, want = _halves(given), _halves(wanted)
    order = np.argsort(have[:, 0])
    ranked = have[order, 0]
    if (ranked[1:] == ranked[:-1]).any():
        whole = _whole(given)
        order = np.argsort(whole)
        at = order[_found(whole[order], _whole(wanted))]
    else:
        at = order[_found(ranked, want[:, 0])]
    same = (have[:, 0][at] == want[:, 0]) & (have[:, 1][at] == want[:, 1])
    return np.where(same, at, -1).astype(np.int64)


def _found(ranked: NDArray[Any], sought: NDArray[Any]) -> NDArray[np.int64]:
    """The place among ascending codes where each sought would stand, or the last, (m,)."""
    at = np.empty(len(sought), np.int64)
    # Looked up in their order, one after the other is near it; else each look is a walk through all of memory.
    order = np.argsort(sought)
    at[order] = np.searchsorted(ranked, sought[order])
    return np.minimum(at, len(ranked) - 1)


def unique(ids: Bytes16) -> bool:
    """No code twice, (n, 16)."""
    halves = np.sort(_halves(ids)[:, 0])
    return not (halves[1:] == halves[:-1]).any() or len(np.unique(_whole(ids))) == len(ids)


def _halves(ids: Bytes16) -> NDArray[np.uint64]:
    return np.ascontiguousarray(ids).view(np.uint64)


def _whole(ids: Bytes16) -> NDArray[np.void]:
    return np.ascontiguousarray(ids).view("V16").ravel()
