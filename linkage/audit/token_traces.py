"""What shows in packages of one round to somebody who holds nothing else, as `traces` looks at those of two.

Token packages come in, Traces go out. All of a row is meant to look like random bytes until one of its tokens meets
another agency's; which rows meet, and at how many tokens, is what the protocol shows.
Rule: counts and shares only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linkage.audit.traces import Trace
from linkage.package.tokens import TokenContents

BYTES = 4_000_000
"""Bytes looked at of each part of a package; of more, whole rows drawn at random."""
_PARTS = {"tokens": "tokens", "shares": "shares of secrets", "sides": "masked evidence", "notes": "masked notes"}


def of_tokens(contents: TokenContents, where: str, package_bytes: int, seed: int = 0) -> list[Trace]:
    """What shows in one file. package_bytes: length of its sealed package."""
    rng, people = np.random.default_rng(seed), len(contents)
    names = _halves(contents.tokens)
    twice = len(names) - len(np.unique(names))
    size = sum(getattr(contents, part)[:1].nbytes for part in ("pseudonyms", *_PARTS))
    each = f"{contents.tokens.shape[1]} tokens and {size:,} bytes a row"
    found = [
        Trace(where, "size", f"{package_bytes:,} bytes for {people:,} people", "one size for all"),
        Trace(where, "what a row takes", f"all {each}", "all the same", 0.0),
        Trace(where, "tokens that stand twice in the file", f"{twice:,}", "0", None if twice else 0.0),
    ]
    return found + [_bytes(getattr(contents, part), where, what, rng) for part, what in _PARTS.items()] * bool(people)


def of_meetings(left: TokenContents, right: TokenContents, where: str) -> list[Trace]:
    """What shows where two files meet: who meets anybody, whom several, and at how many tokens."""
    ours, theirs = _halves(left.tokens), _halves(right.tokens)
    one, other = _equal(ours, theirs)
    rows = one // left.tokens.shape[1], other // right.tokens.shape[1]
    pairs, times = np.unique(np.stack(rows), axis=1, return_counts=True)
    met = [np.bincount(side, minlength=1) for side in pairs]
    share = " and ".join(
        f"{(often > 0).sum() / max(len(file), 1):.1%}" for often, file in zip(met, (left, right), strict=True)
    )
    several = sum(int((often > 1).sum()) for often in met)
    kinds = f"{len(np.unique(times))} different numbers, {times.mean() if len(times) else 0:.1f} on average"
    return [
        Trace(where, "rows that meet one of the other file", share, "none"),
        Trace(where, "rows that meet several", f"{several:,}", "0", None if several else 0.0),
        Trace(where, "tokens that a pair shares", kinds, "one number"),
    ]


def between_token_runs(one: TokenContents, two: TokenContents, where: str) -> list[Trace]:
    """Whether a file's rows of one run can be found again in the next."""
    common = len(_equal(_halves(one.tokens), _halves(two.tokens))[0])
    same = len(_equal(_halves(one.pseudonyms[:, None]), _halves(two.pseudonyms[:, None]))[0])
    return [
        Trace(where, "pseudonyms of one run in the other", f"{same:,}", "0", None if same else 0.0),
        Trace(where, "tokens of one run in the other", f"{common:,}", "0", None if common else 0.0),
    ]


def _halves(tokens: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Half of each token (n * t,): enough to tell some 10 ** 9 of them apart."""
    return np.asarray(np.ascontiguousarray(tokens).reshape(-1, 16).view("<u8")[:, 0])


def _equal(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places of all pairs of equal tokens, (m,) and (m,)."""
    order = np.argsort(right, kind="stable")
    first, last = (np.searchsorted(right[order], left, side) for side in ("left", "right"))
    often = last - first
    one = np.repeat(np.arange(len(left)), often)
    nth = np.arange(len(one)) - np.repeat(np.cumsum(often) - often, often)
    return one, order[np.repeat(first, often) + nth]


def _bytes(array: NDArray[np.uint8], where: str, what: str, rng: np.random.Generator) -> Trace:
    """Whether all bytes come up equally often."""
    rows = array.reshape(len(array), -1)
    data = rows[rng.permutation(len(rows))[: max(BYTES // rows.shape[1], 1)]].ravel()
    often = np.bincount(data, minlength=256)
    squares = float(((often - len(data) / 256) ** 2).sum() / (len(data) / 256))
    spread = (often.max() - often.min()) / (len(data) / 256)
    # Chi-square of 256 bins has mean 255 and variance 510.
    seen = f"commonest and rarest byte {spread:.1%} apart"
    return Trace(where, f"bytes of {what}", seen, "as often as each other", (squares - 255) / float(np.sqrt(510)))
