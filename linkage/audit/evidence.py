"""Evidence across pairs: sides made under different pair keys must have nothing in common but what is present.

The attacker is given sides of evidence of many people, each under a pair key of its own, the people in plain text, and
for some sides whose they are; he holds no key. He looks for equal tags, for filters that share more bits than chance,
and for what presence alone says; and he tries to name people.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keys.derive import PAIR_ID_BYTES, pair_keys
from linkage.audit.finding import Guess
from linkage.audit.scheme import any_key
from linkage.audit.world import NOBODY, World
from linkage.encode.evidence import make_evidence
from linkage.encode.tokens import tokenise
from linkage.layout import FILTER_BITS, FILTER_WEIGHT, Layout
from linkage.model import Evidence, Records
from linkage.schema import Schema

Pairs = NDArray[np.int64]


def sides(records: Records, schema: Schema) -> Evidence:
    """One side for each person, each under a pair of its own and a key nobody keeps."""
    key = any_key()
    ids = np.frombuffer(secrets.token_bytes(PAIR_ID_BYTES * len(records)), np.uint8).reshape(-1, PAIR_ID_BYTES)
    tokens = tokenise(records, schema, key)
    return make_evidence(tokens, np.arange(len(records)), ids, pair_keys(key, ids.tobytes()), Layout(schema))


@dataclass(frozen=True)
class Distinguished:
    """How well equal and different values of two pairs can be told apart; deviations from chance in standard errors.

    tags: share of equal tags where a pair's values are equal, and `tags_z` against 2 ** -32; filters: mean common
    bits, and `filters_z` against what two random filters of the weight have in common.
    """

    pairs: int
    tags: float
    tags_z: float
    filters: float
    filters_z: float

    @property
    def at_chance(self) -> bool:
        """Nothing shows."""
        return abs(self.tags_z) < 5 and abs(self.filters_z) < 5


def distinguish(records: Records, schema: Schema, most: int = 2000) -> Distinguished:
    """Whether anything equal shows when the same people are answered for twice, under different pairs."""
    from linkage.audit.scheme import take

    people = take(records, np.arange(min(most, len(records))))
    key = any_key()
    tokens, layout = tokenise(people, schema, key), Layout(schema)
    rows = np.arange(len(people))
    made = []
    for _ in range(2):
        ids = np.frombuffer(secrets.token_bytes(PAIR_ID_BYTES * len(people)), np.uint8).reshape(-1, PAIR_ID_BYTES)
        made.append(make_evidence(tokens, rows, ids, pair_keys(key, ids.tobytes()), layout))
    equal = made[0].tags == made[1].tags
    expected = equal.size * 2.0**-32
    common = np.bitwise_count(made[0].filters & made[1].filters).sum(axis=2, dtype=np.int64)
    mean = FILTER_WEIGHT**2 / FILTER_BITS
    spread = np.sqrt(mean * (1 - FILTER_WEIGHT / FILTER_BITS) ** 2 * FILTER_BITS / (FILTER_BITS - 1) / common.size)
    return Distinguished(
        len(people),
        float(equal.mean()),
        float((equal.sum() - expected) / max(np.sqrt(expected), 0.2)),
        float(common.mean()),
        float((common.mean() - mean) / spread),
    )


def presence_attack(world: World, evidence: Evidence, own: Evidence) -> Guess:
    """Rows named by which of their fields are present: somebody of the list, at random, with the same.

    evidence: sides of the rows; own: sides the attacker made of the people on his list, for their presence.
    """
    rng = np.random.default_rng(0)
    named = np.full(len(world.unknown), NOBODY, np.int64)
    groups: dict[bytes, list[int]] = {}
    for person in world.free.tolist():
        groups.setdefault(own.presence[person].tobytes(), []).append(person)
    for place, row in enumerate(world.unknown.tolist()):
        like = groups.get(evidence.presence[row].tobytes())
        if like:
            named[place] = like[int(rng.integers(len(like)))]
    return world.count(world.unknown, named)


def content_attack(world: World, evidence: Evidence, own: Evidence) -> Guess:
    """Rows named by tags and filters: whoever's own side is most alike, and what known rows teach by likeness.

    Bits of filters and tags as features; the known rows' features are regressed on those of their people's own sides.
    """
    seen, mine = _features(evidence), _features(own)
    rows, people = world.unknown, world.free
    likeness = seen[rows] @ mine[people].T
    if len(world.known) > 1:
        left, right = seen[world.known], mine[world.truth[world.known]]
        kernel = right @ right.T + np.eye(len(right), dtype=np.float32) * right.shape[1]
        learnt = np.linalg.solve(kernel, left)
        likeness = likeness + (seen[rows] @ learnt.T) @ (mine[people] @ right.T).T
    return world.count(rows, people[likeness.argmax(axis=1)])


def _features(evidence: Evidence) -> NDArray[np.float32]:
    parts = [
        np.unpackbits(np.ascontiguousarray(array.reshape(len(evidence), -1)).view(np.uint8), axis=1)
        for array in (evidence.filters, evidence.tags)
    ]
    features = np.concatenate(parts, axis=1).astype(np.float32)
    return np.asarray(features - features.mean(axis=0), np.float32)
