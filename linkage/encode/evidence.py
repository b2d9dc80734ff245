"""Evidence: everything two rows have in common, readable only by comparing them under one pair's key.

Field tokens and pair keys come in, one side of evidence per pair goes out. A tag or filter is AES under the
pair's key of a token's digest: two sides of one pair meet where they share a token, sides of different pairs are
unrelated. What keys the evidence (a pair id here) is the caller's choice; the code does not know.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from keys.chance import SYSTEM, Chance
from keys.derive import PAIR_KEY_BYTES, expand_blocks
from linkage.encode.tokens import FieldTokens
from linkage.layout import FILTER_WEIGHT, FILTER_WORDS, Layout, Slot
from linkage.model import Bytes16, Evidence

CHUNK = 1 << 14
"""Sides made at a time, so that memory does not grow with the run."""


class _FieldBlocks:
    """AES inputs of every distinct value of a field: first its tags, then its filter's blocks, then one filler."""

    def __init__(self, tokens: FieldTokens) -> None:
        count = np.diff(tokens.filter_offsets)
        self.tokens = tokens
        self.filter_tokens = count
        # Each token needs weight / count positions, a quarter more for collisions, 14 to a block.
        self.rounds = np.ceil(1.25 * FILTER_WEIGHT / np.maximum(count, 1) / 14).astype(np.int64)
        self.inputs = [self._input(row) for row in range(len(tokens.presence))]
        self.real = tokens.tags >= 0
        self.length = np.array([len(data) // 16 for data in self.inputs], np.int64)

    def _input(self, row: int) -> bytes:
        tokens = self.tokens
        tags = tokens.tags[row]
        parts = [tokens.digests[tags[tags >= 0]]]
        codes = tokens.filter_codes[tokens.filter_offsets[row] : tokens.filter_offsets[row + 1]]
        if len(codes):
            # Block r of a token is its digest with r + 1 mixed into the last byte: distinct inputs for AES.
            blocks = np.repeat(tokens.digests[codes], self.rounds[row], axis=0)
            blocks[:, 15] ^= np.tile(np.arange(1, self.rounds[row] + 1, dtype=np.uint8), len(codes))
            filler = tokens.digests[codes[:1]].copy()
            filler[:, 15] ^= 255
            parts += [blocks, filler]
        return np.concatenate(parts).tobytes()


def make_evidence(
    tokens: Sequence[FieldTokens],
    rows: NDArray[np.integer],
    pair_ids: Bytes16,
    keys: bytes,
    layout: Layout,
    chance: Chance = SYSTEM,
) -> Evidence:
    """One side of evidence for each row under its pair's key.

    rows: (m,) places in the file. pair_ids: (m, 16); keys: m keys of 16 bytes from `keys.derive.pair_keys`, in
    the same order. Missing values and unused slots hold random tags and random filters of the usual weight.
    """
    fields = [_FieldBlocks(field) for field in tokens]
    sides = [
        _side(
            fields,
            rows[start : start + CHUNK],
            keys[start * PAIR_KEY_BYTES : (start + CHUNK) * PAIR_KEY_BYTES],
            layout,
            chance,
        )
        for start in range(0, max(len(rows), 1), CHUNK)
    ]
    presence, tags, filters = (np.concatenate(part) for part in zip(*sides, strict=True))
    return Evidence(pair_ids, presence, tags, filters)


def _side(
    fields: list[_FieldBlocks], rows: NDArray[np.integer], keys: bytes, layout: Layout, chance: Chance
) -> tuple[NDArray[np.uint8], NDArray[np.uint32], NDArray[np.uint64]]:
    count = len(rows)
    value = _values(fields, rows, layout)  # (m, slots) distinct value in each slot, -1 for none
    inputs = [
        b"".join(fields[slot.field].inputs[code] for slot, code in zip(layout.slots, codes, strict=True) if code >= 0)
        for codes in value.tolist()
    ]
    blocks = np.frombuffer(expand_blocks(keys, inputs), np.uint8).reshape(-1, 16)
    length = np.stack(
        [
            np.where(value[:, s] >= 0, _at(fields[slot.field].length, value[:, s]), 0)
            for s, slot in enumerate(layout.slots)
        ],
        axis=1,
    )
    starts = (np.cumsum(length) - length.ravel()).reshape(length.shape)
    presence = np.zeros((count, len(layout.slots)), np.uint8)
    tags = np.frombuffer(chance.draw(4 * count * layout.tags), np.uint32).reshape(count, layout.tags).copy()
    filters = np.zeros((count, layout.filters, FILTER_WORDS), np.uint64)
    for s, slot in enumerate(layout.slots):
        held = np.flatnonzero(value[:, s] >= 0)
        presence[held, s] = fields[slot.field].tokens.presence[value[held, s]]
        _place_tags(fields[slot.field], value[held, s], blocks, starts[held, s], tags, held, slot)
        if slot.filter >= 0:
            filters[:, slot.filter] = _filters(fields[slot.field], value[:, s], blocks, starts[:, s], chance)
    return presence, tags, filters


def _values(fields: list[_FieldBlocks], rows: NDArray[np.integer], layout: Layout) -> NDArray[np.int64]:
    value = np.full((len(rows), len(layout.slots)), -1, np.int64)
    nth: dict[int, int] = {}
    for s, slot in enumerate(layout.slots):
        rank = nth.get(slot.field, 0)
        nth[slot.field] = rank + 1
        tokens = fields[slot.field].tokens
        first, last = tokens.offsets[rows], tokens.offsets[np.asarray(rows) + 1]
        held = first + rank < last
        value[held, s] = tokens.codes[(first + rank)[held]]
    return value


def _place_tags(
    field: _FieldBlocks,
    value: NDArray[np.int64],
    blocks: NDArray[np.uint8],
    starts: NDArray[np.int64],
    tags: NDArray[np.uint32],
    held: NDArray[np.int64],
    slot: Slot,
) -> None:
    """Overwrite random tags with real ones: the first four bytes of each tag's block."""
    real = field.real[value]
    nth = np.cumsum(real, axis=1) - 1
    side, column = np.nonzero(real)
    block = blocks[starts[side] + nth[side, column], :4]
    tags[held[side], slot.tags.start + column] = np.ascontiguousarray(block).view("<u4")[:, 0]


def _filters(
    field: _FieldBlocks,
    value: NDArray[np.int64],
    blocks: NDArray[np.uint8],
    starts: NDArray[np.int64],
    chance: Chance,
) -> NDArray[np.uint64]:
    from linkage.encode.kernels import constant_weight  # numba is only loaded when there is work for it

    out = np.zeros((len(value), FILTER_WORDS), np.uint64)
    tokens = np.where(value >= 0, _at(field.filter_tokens, value), 0)
    spelt = np.flatnonzero(tokens)
    first = starts[spelt] + field.real[value[spelt]].sum(axis=1)
    made = np.zeros((len(spelt), FILTER_WORDS), np.uint64)
    constant_weight(blocks, first, tokens[spelt], field.rounds[value[spelt]], FILTER_WEIGHT, made)
    out[spelt] = made
    rest = np.flatnonzero(tokens == 0)
    noise = np.frombuffer(chance.draw(16 * 7 * len(rest)), np.uint8).reshape(-1, 16)
    made = np.zeros((len(rest), FILTER_WORDS), np.uint64)
    one, six = np.ones(len(rest), np.int64), np.full(len(rest), 6, np.int64)
    constant_weight(noise, np.arange(len(rest)) * 7, one, six, FILTER_WEIGHT, made)
    out[rest] = made
    return out


def _at(table: NDArray[np.int64], places: NDArray[np.int64]) -> NDArray[np.int64]:
    """table[places], with 0 for places of -1 and for an empty table."""
    if len(table) == 0:
        return np.zeros(len(places), np.int64)
    return np.asarray(table[np.maximum(places, 0)])
