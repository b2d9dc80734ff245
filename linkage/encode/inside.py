"""Evidence of rows that one agency compares with one another; it never leaves, only counts of levels do.

Tokens and rows come in, sides go out that compare as sides of pairs do (encode.evidence), made with less: a tag is a
word of its token's digest, and a value's filter is made once for all rows that have the value.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from keys.chance import SYSTEM, Chance
from keys.derive import BLOCK_BYTES, KEY_BYTES, PAIR_ID_BYTES, PairKeys
from linkage.encode.evidence import CHUNK, Needs, noise, random_filters, values_of
from linkage.encode.tokens import FieldTokens
from linkage.layout import FILTER_WEIGHT, FILTER_WORDS, Layout, Slot
from linkage.model import Evidence


def make_inside(
    tokens: Sequence[FieldTokens],
    rows: NDArray[np.integer],
    keys: PairKeys,
    layout: Layout,
    chance: Chance = SYSTEM,
    threads: int = 1,
) -> Evidence:
    """One side of evidence for each row, (m,) places in the file, any two of which can be compared.

    keys: PairKeys.alone, of a key that is used for nothing else. What is random in evidence is random here.
    Raises ValueError for keys of pairs.
    """
    if len(keys) != 1:
        raise ValueError("one key for all rows")
    count, value = len(rows), values_of(tokens, rows, layout)
    made = Evidence(
        np.empty((0, PAIR_ID_BYTES), np.uint8),
        np.zeros((count, len(layout.slots)), np.uint8),
        np.empty((count, layout.tags), np.uint32),
        np.zeros((count, layout.filters, FILTER_WORDS), np.uint64),
    )
    seeds = [chance.draw(KEY_BYTES) for _ in tokens]

    def field(nth: int) -> None:
        slots = [(slot, value[s]) for s, slot in enumerate(layout.slots) if slot.field == nth]
        _fill(tokens[nth], slots, keys, seeds[nth], made)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(field, range(len(tokens))))
    return made


def _fill(
    one: FieldTokens, slots: Sequence[tuple[Slot, NDArray[np.int64]]], keys: PairKeys, seed: bytes, made: Evidence
) -> None:
    """Everything of one field."""
    from linkage.encode.kernels import copy_tags  # loads numba

    words = np.ascontiguousarray(one.digests.view(np.uint32)[:, 0])
    presence = np.append(one.presence, np.uint8(0))  # the last is that of no value
    needs, met = Needs(one), np.zeros(len(presence), np.bool_)
    for _, value in slots:
        met[value] = True
    used = np.flatnonzero(met[:-1])
    place = np.cumsum(met[:-1], dtype=np.int32) - np.int32(1)
    filters = _filters(needs, used, keys) if slots[0][0].filter >= 0 else np.empty((0, 0), np.uint64)
    for slot, value in slots:
        made.presence[:, slot.presence] = presence[value]
        tags = made.tags[:, slot.tags]
        tags[:] = (
            noise(len(value) * tags.shape[1], 4, seed, b"tags %d" % slot.presence).view(np.uint32).reshape(tags.shape)
        )
        copy_tags(value, one.tags, words, tags)
        if slot.filter >= 0:
            own, held = made.filters[:, slot.filter], value >= 0
            own[held] = filters[place[value[held]]]
            random_filters(needs.count[value] == 0, seed, b"filters %d" % slot.presence, own)


def _filters(needs: Needs, used: NDArray[np.int64], keys: PairKeys) -> NDArray[np.uint64]:
    """The filters of some distinct values, (v, words); none set where a value has no token for it."""
    from linkage.encode.kernels import constant_weight, gather_blocks  # loads numba

    one, none = needs.tokens, np.empty((len(needs.tokens.tags), 0), np.int32)
    filters, tweaks = np.zeros((len(used), FILTER_WORDS), np.uint64), np.zeros((1, 2), np.uint64)
    for start in range(0, len(used), CHUNK):
        some = used[start : start + CHUNK]
        count, rounds = needs.count[some].astype(np.int64), needs.rounds[some].astype(np.int64)
        ends = np.cumsum(count * rounds + (count > 0))
        starts = np.concatenate([[0], ends[:-1]])
        inputs = np.empty((int(ends[-1]), BLOCK_BYTES // 8), np.uint64)
        gather_blocks(
            some, starts, one.digests.view(np.uint64), none, one.filter_codes, one.filter_offsets, needs.rounds, tweaks,
            inputs,
        )  # fmt: skip
        blocks = np.frombuffer(keys.expand(inputs.data), np.uint8).reshape(-1, BLOCK_BYTES)
        constant_weight(blocks, starts, count, rounds, FILTER_WEIGHT, filters[start : start + CHUNK])
    return filters
