"""Frequency and pattern mining: bits that go together belong to one token, and common ones to common tokens.

The attacker is given filters and people in plain text; he knows which tokens the scheme makes, and no key. Bits that
co-occur are gathered into patterns; patterns and tokens are laid upon one another by how often they appear and with
which others; rows are named by the tokens so learnt.
Sources: Christen, Ranbaduge, Vatsalan & Schnell 2018, "Precise and fast cryptanalysis for Bloom filter based PPRL";
Vidanage, Ranbaduge, Christen & Schnell 2019, "Efficient pattern mining based cryptanalysis".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linkage.audit.finding import Guess
from linkage.audit.world import World
from linkage.encode.screening import TOKENS
from linkage.encode.tokens import label
from linkage.model import Records
from linkage.schema import Schema

Matrix = NDArray[np.float32]
PATTERNS = 300
ROUNDS = 20


def pattern_attack(world: World, schema: Schema, bits: int = 4) -> Guess:
    """Rows named through patterns of about so many bits."""
    patterns = mine(_bits(world.filters), bits)
    tokens = incidence(world.people, schema)
    if patterns.shape[1] == 0 or tokens.shape[1] == 0:
        return world.count(world.unknown, world.free[np.zeros(len(world.unknown), int)])
    share = tokens.mean(axis=0)
    common = np.argsort(-share * (share < 0.9), kind="stable")[: patterns.shape[1]]
    tokens = tokens[:, common]
    pairs = _lay(patterns, tokens)
    left, right = _standard(patterns), _standard(tokens)[:, pairs]
    likeness = left[world.unknown] @ right[world.free].T
    return world.count(world.unknown, world.free[likeness.argmax(axis=1)])


def mine(columns: Matrix, bits: int) -> Matrix:
    """Rows that hold each pattern (n, p): a bit together with those that co-occur with it most, the commonest first."""
    varied = columns[:, (columns.mean(axis=0) > 0.005) & (columns.mean(axis=0) < 0.98)]
    if varied.shape[1] <= bits:
        return np.zeros((len(columns), 0), np.float32)
    standard = _standard(varied)
    alike = standard.T @ standard / len(standard)
    np.fill_diagonal(alike, 1)
    near = np.argpartition(-alike, bits - 1, axis=1)[:, :bits]
    close = np.take_along_axis(alike, near, axis=1).mean(axis=1)
    found: dict[bytes, NDArray[np.float32]] = {}
    for place in np.argsort(-close, kind="stable"):
        both = varied[:, near[place]].min(axis=1)
        key = np.sort(near[place]).tobytes()
        if key not in found and both.mean() > 0.01:
            found[key] = both
        if len(found) == PATTERNS:
            break
    kept = sorted(found.values(), key=lambda column: -column.mean())
    return np.stack(kept, axis=1) if kept else np.zeros((len(columns), 0), np.float32)


def incidence(people: Records, schema: Schema) -> Matrix:
    """Which person has which token of the scheme, (m, t) 0 and 1, by his first values; names share their tokens."""
    places: dict[tuple[bytes, str], int] = {}
    rows: list[NDArray[np.int64]] = []
    codes: list[NDArray[np.int64]] = []
    for field in schema.fields:
        column = people.columns.get(field.name)
        if column is None:
            continue
        spelt = [
            [
                places.setdefault((label(field), f"{role}:{token}"), len(places))
                for role, make in TOKENS[field.kind].items()
                for token in make(value)
            ]
            for value in column.vocabulary
        ]
        held = np.flatnonzero(column.counts() > 0)
        lists = [spelt[code] for code in column.codes[column.offsets[held]]]
        rows.append(np.repeat(held, [len(each) for each in lists]))
        codes.append(np.array([code for each in lists for code in each], np.int64))
    out = np.zeros((len(people), len(places)), np.float32)
    if places:
        out[np.concatenate(rows), np.concatenate(codes)] = 1
    return out


def _lay(patterns: Matrix, tokens: Matrix) -> NDArray[np.int64]:
    """The token of each pattern: by frequency first, then by who goes with whom, each token once."""
    from scipy.optimize import linear_sum_assignment

    often = patterns.mean(axis=0)[:, None] - tokens.mean(axis=0)[None, :]
    first = -np.abs(np.log((patterns.mean(axis=0) + 1e-4)[:, None] / (tokens.mean(axis=0) + 1e-4)[None, :]))
    together = [_standard(side).T @ _standard(side) / len(side) for side in (patterns, tokens)]
    pairs = linear_sum_assignment(first, maximize=True)[1]
    for _ in range(ROUNDS):
        score = together[0] @ together[1][pairs] - 20 * often**2
        after = linear_sum_assignment(score, maximize=True)[1]
        if (after == pairs).all():
            break
        pairs = after
    return np.asarray(pairs, np.int64)


def _standard(columns: Matrix) -> Matrix:
    return np.asarray((columns - columns.mean(axis=0)) / (columns.std(axis=0) + 1e-6), np.float32)


def _bits(filters: NDArray[np.uint64]) -> Matrix:
    packed = np.ascontiguousarray(filters).view(np.uint8)
    return np.unpackbits(packed, axis=1, bitorder="little").astype(np.float32)
