"""Weighed candidate pairs by hand: everything agrees but what is named."""

import numpy as np

from linkage.model import Comparisons, Pairs, Scores
from linkage.notes import SEALED_NOTE_BYTES
from linkage.parties.matcher import Compared, Sealed
from linkage.parties.screened import Joined
from linkage.schema import LEVELS, MISSING
from tests.support import SCHEMA

SAME = [0] * len(SCHEMA)


def place(kind, name):
    return next(n for n, level in enumerate(LEVELS[kind]) if level.name == name)


def changed(**levels):
    """A pair that agrees in everything but the named fields."""
    row = list(SAME)
    for name, level in levels.items():
        column = next(n for n, field in enumerate(SCHEMA.fields) if field.name == name)
        row[column] = MISSING if level is None else place(SCHEMA.fields[column].kind, level)
    return row


def compared(rows, weight, probability, left=None, right=None, people=1000):
    count = len(rows)
    pairs = Pairs(
        np.arange(count, dtype=np.int32) if left is None else np.array(left, np.int32),
        np.arange(count, dtype=np.int32) if right is None else np.array(right, np.int32),
    )
    ids = np.zeros((count, 16), np.uint8)
    ids[:, 0] = np.arange(count)
    levels = np.array(rows, np.int8)
    comparisons = Comparisons(levels, np.full(levels.shape, -1, np.int8), np.full((count, 2), MISSING, np.int8))
    scores = Scores(
        np.array(weight, float),
        np.array(probability, float),
        np.zeros((count, len(SCHEMA) + 1), np.float32),
        {"expected_pairs": 1.0, "many": (False, False)},
    )
    # Notes that say which pair and which side they are.
    notes = np.arange(count, dtype=np.uint8)[:, None] + np.zeros((2, 1, SEALED_NOTE_BYTES), np.uint8)
    notes += np.array([10, 20], np.uint8)[:, None, None]
    keys = b"key of childrens_services", b"key of police"
    sealed = Sealed(np.arange(count), notes, np.stack([ids, ids]), keys)
    return Compared(Joined("childrens_services", "police", pairs, ids), comparisons, scores, float(people) ** 2, sealed)
