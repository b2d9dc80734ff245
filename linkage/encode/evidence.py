"""Evidence: everything two rows have in common, readable only by comparing them under one pair's key.

Field tokens and pair keys come in, one side of evidence per pair goes out. A tag or filter is AES of a token's digest
and the pair's tweak: two sides of one pair meet where they share a token, sides of different pairs are unrelated. What
keys the evidence (a pair id here) is the caller's choice; the code does not know.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from keys.chance import SYSTEM, Chance
from keys.derive import BLOCK_BYTES, PairKeys, stream
from linkage.encode.tokens import MAX_FILTER_TOKENS, FieldTokens
from linkage.layout import FILTER_WEIGHT, FILTER_WORDS, Layout
from linkage.model import Bytes16, Evidence

CHUNK = 1 << 12
"""Sides made at a time: their blocks stay in the cache, and memory does not grow with the run."""

_NOISE_BLOCKS = 7  # of a random filter: six of one token that nobody has, and its filler


_ROUNDS = np.ceil(1.25 * FILTER_WEIGHT / np.maximum(np.arange(MAX_FILTER_TOKENS + 1), 1) / 14).astype(np.int8)
"""Blocks of each token of a filter of so many: weight / count positions, a quarter more for collisions, 14 a block."""


class Needs:
    """How many AES blocks every distinct value of a field needs: its tags, then its filter's blocks, then a filler.

    The last entry of each array, at place -1, is that of no value. Few bits each, for values can be a million.
    """

    def __init__(self, tokens: FieldTokens) -> None:
        self.tokens = tokens
        self.real = np.append((tokens.tags >= 0).sum(axis=1, dtype=np.int8), np.int8(0))
        self.count = np.append(np.diff(tokens.filter_offsets).astype(np.int8), np.int8(0))
        self.rounds = _ROUNDS[self.count]
        self.length = self.real + self.count.astype(np.int16) * self.rounds + (self.count > 0)


def make_evidence(
    tokens: Sequence[FieldTokens],
    rows: NDArray[np.integer],
    pair_ids: Bytes16,
    keys: PairKeys,
    layout: Layout,
    chance: Chance = SYSTEM,
    threads: int = 1,
) -> Evidence:
    """One side of evidence for each row under its pair's key.

    rows: (m,) places in the file. pair_ids: (m, 16); keys: of as many pairs, in the same order.
    Missing values and unused slots hold random tags and random filters of the usual weight.
    Raises ValueError unless every row has a pair id and a key.
    """
    if len(rows) != len(pair_ids):
        raise ValueError("one pair id for each row")
    if len(keys) != len(rows):
        raise ValueError("one key for each pair")
    fields = [Needs(field) for field in tokens]
    tweaks = np.frombuffer(keys.tweaks, np.uint64).reshape(-1, 2)
    made = Evidence(
        pair_ids,
        np.zeros((len(rows), len(layout.slots)), np.uint8),
        np.empty((len(rows), layout.tags), np.uint32),
        np.zeros((len(rows), layout.filters, FILTER_WORDS), np.uint64),
    )

    def make(start: int, seed: bytes) -> None:
        part = slice(start, start + CHUNK)
        out = made.presence[part], made.tags[part], made.filters[part]
        _make(fields, rows[part], keys, tweaks[part], layout, out, seed)

    starts = range(0, len(rows), CHUNK)
    # Each part's noise has a seed of its own, drawn here, so that as many threads as there are make the same.
    seeds = [chance.draw(32) for _ in starts]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(make, starts, seeds))
    return made


def _make(
    fields: Sequence[Needs],
    rows: NDArray[np.integer],
    keys: PairKeys,
    tweaks: NDArray[np.uint64],
    layout: Layout,
    out: tuple[NDArray[np.uint8], NDArray[np.uint32], NDArray[np.uint64]],
    seed: bytes,
) -> None:
    """Fill presence, tags and filters of some sides: AES inputs gathered, expanded, and put where they belong."""
    from linkage.encode.kernels import constant_weight, gather_blocks, place_tags  # loads numba

    presence, tags, filters = out
    value = values_of([field.tokens for field in fields], rows, layout)
    length = np.stack([fields[slot.field].length[value[s]] for s, slot in enumerate(layout.slots)], axis=1)
    ends = np.cumsum(length)
    starts = np.ascontiguousarray((ends - length.ravel()).reshape(length.shape).T)  # (slots, m)
    inputs = np.empty((int(ends[-1]), BLOCK_BYTES // 8), np.uint64)
    for s, slot in enumerate(layout.slots):
        field, one = fields[slot.field], fields[slot.field].tokens
        gather_blocks(
            value[s], starts[s], one.digests.view(np.uint64), one.tags, one.filter_codes, one.filter_offsets,
            field.rounds, tweaks, inputs,
        )  # fmt: skip
    blocks = np.frombuffer(keys.expand(inputs.data), np.uint8).reshape(-1, BLOCK_BYTES)
    for s, slot in enumerate(layout.slots):
        field, one = fields[slot.field], fields[slot.field].tokens
        held = value[s] >= 0
        presence[held, s] = one.presence[value[s][held]]
        real = field.real[value[s]]
        words = noise(real.size * one.tags.shape[1] - int(real.sum()), 4, seed, b"tags %d" % s).view(np.uint32).ravel()
        place_tags(value[s], starts[s], one.tags, blocks.view(np.uint32), words, tags[:, slot.tags])
        if slot.filter >= 0:
            count, rounds = (each[value[s]].astype(np.int64) for each in (field.count, field.rounds))
            own = filters[:, slot.filter]
            constant_weight(blocks, starts[s] + real, count, rounds, FILTER_WEIGHT, own)
            random_filters(count == 0, seed, b"filters %d" % s, own)


def random_filters(silent: NDArray[np.bool_], seed: bytes, label: bytes, filters: NDArray[np.uint64]) -> None:
    """Give those (m,) who have nothing to say a random filter of the usual weight. filters: (m, words)."""
    from linkage.encode.kernels import constant_weight  # loads numba

    tokens = silent.astype(np.int64)
    made = noise(int(tokens.sum()) * _NOISE_BLOCKS, BLOCK_BYTES, seed, label)
    first = (np.cumsum(tokens) - tokens) * _NOISE_BLOCKS
    constant_weight(made, first, tokens, np.full_like(tokens, _NOISE_BLOCKS - 1), FILTER_WEIGHT, filters)


def values_of(tokens: Sequence[FieldTokens], rows: NDArray[np.integer], layout: Layout) -> NDArray[np.int64]:
    """The distinct value in each slot, (slots, m), -1 for none."""
    value = np.full((len(layout.slots), len(rows)), -1, np.int64)
    nth: dict[int, int] = {}
    for s, slot in enumerate(layout.slots):
        rank = nth.get(slot.field, 0)
        nth[slot.field] = rank + 1
        one = tokens[slot.field]
        first, last = one.offsets[rows], one.offsets[np.asarray(rows) + 1]
        held = first + rank < last
        value[s, held] = one.codes[(first + rank)[held]]
    return value


def noise(count: int, size: int, seed: bytes, label: bytes) -> NDArray[np.uint8]:
    """Random bytes (count, size): a keystream under a fresh seed, three times as fast as asking the system for all."""
    return np.frombuffer(stream(seed, label, count * size), np.uint8).reshape(count, size)
