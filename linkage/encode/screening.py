"""Screening encodings: one hardened record-level Bloom filter for each person, good enough to find candidates.

A plain filter sets some bits for every token of every field (Schnell, Bachteler & Reiher 2009). It is then
diffused: each bit sent is the XOR of several secret bits of the plain filter (Armknecht, Heng & Schnell 2023),
which hides how often a bit is set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from keys.chance import SYSTEM, Chance
from keys.derive import Purpose, RunKey, stream, token_digests
from linkage.agreement import Profile
from linkage.encode.tokens import bigrams, label
from linkage.model import Column, Records
from linkage.schema import Field, Kind, Schema

MAX_VERSIONS = 3
"""Filters of one person: his first values, then his second (aliases), then his third."""


def make_filters(
    records: Records, schema: Schema, profile: Profile, key: RunKey, chance: Chance = SYSTEM
) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
    """Screening filters (r, w) uint64 and the person each belongs to (r,) int32, in the file's order.

    A person without any value cannot be found, and the quality report says so. Diffused, his plain filter of zeros
    would stand out as zeros: a random one is sent instead.
    Raises TestKeyError when a live key meets a repeatable source of chance (R50).
    """
    chance.require(test=key.test)
    from linkage.encode.kernels import or_masks

    subkey = key.subkey(Purpose.SCREENING)
    owner, version = versions(
        [records.columns[f.name] for f in schema.fields if f.name in records.columns], len(records)
    )
    plain = np.zeros((len(owner), profile.bits // 64), np.uint64)
    for field in schema.fields:
        column = records.columns.get(field.name)
        if column is None or profile.weights.get(field.kind, 0) == 0:
            continue
        masks = _masks(column.vocabulary, field, profile, subkey)
        or_masks(masks, *_one_value(column, owner, version), plain)
    if not profile.xor:
        return plain, owner
    filters = diffuse(plain, profile, key.subkey(Purpose.DIFFUSION))
    blank = np.flatnonzero(~plain.any(axis=1))
    noise = np.frombuffer(chance.draw(filters[blank].nbytes), np.uint64)
    filters[blank] = noise.reshape(len(blank), filters.shape[1])
    return filters, owner


def versions(columns: list[Column], people: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Which filters to make: (r,) person and (r,) which of his values, as many as his longest list has, at most 3."""
    most = np.ones(people, np.int64)
    for column in columns:
        most = np.maximum(most, column.counts())
    most = np.minimum(most, MAX_VERSIONS)
    owner = np.repeat(np.arange(people, dtype=np.int32), most)
    first = np.cumsum(most) - most
    return owner, (np.arange(len(owner)) - first[owner]).astype(np.int32)


def diffuse(plain: NDArray[np.uint64], profile: Profile, subkey: bytes) -> NDArray[np.uint64]:
    """Each sent bit is the XOR of `xor` plain bits at secret places: (n, bits / 64) to (n, sent_bits / 64)."""
    from linkage.encode.kernels import linear_map

    places = diffusion_places(profile, subkey)
    words = profile.sent_bits // 64
    column = np.zeros((profile.bits, words), np.uint64)  # what each plain bit flips
    sent = np.arange(profile.sent_bits)
    for nth in range(profile.xor):
        np.bitwise_xor.at(column, (places[:, nth], sent >> 6), np.uint64(1) << (sent & 63).astype(np.uint64))
    tables = np.zeros((profile.bits // 8, 256, words), np.uint64)
    for bit in range(8):
        with_bit = np.flatnonzero(np.arange(256) >> bit & 1)
        tables[:, with_bit] ^= column[bit::8][:, None, :]
    out = np.zeros((len(plain), words), np.uint64)
    linear_map(plain.view(np.uint8), tables, out)
    return out


def diffusion_places(profile: Profile, subkey: bytes) -> NDArray[np.int64]:
    """Secret plain bits behind each sent bit, (sent_bits, xor), distinct within a row; drawn from ChaCha20.

    Each plain bit is used equally often (up to one), so that none weighs more: rows are cut from shuffles of all.
    """
    need = profile.sent_bits * profile.xor
    rounds = -(-need // profile.bits) + 1
    noise = np.frombuffer(stream(subkey, b"diffusion", 8 * rounds * profile.bits), "<u8").reshape(rounds, profile.bits)
    deck = np.argsort(noise, axis=1, kind="stable").ravel()
    rows = deck[:need].reshape(profile.sent_bits, profile.xor)
    for row in range(len(rows)):  # a row cut across two shuffles may hold a bit twice: take spare ones instead
        if len(set(rows[row])) < profile.xor:
            rows[row] = list(dict.fromkeys([*rows[row], *deck[need:]]))[: profile.xor]
    return np.asarray(rows, np.int64)


def _one_value(
    column: Column, owner: NDArray[np.int32], version: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Ragged lists with each filter's value of one column: his nth, or his first where he has fewer."""
    count = column.counts()[owner]
    place = column.offsets[owner] + np.where(version < count, version, 0)
    held = count > 0
    return column.codes[place[held]], np.concatenate([[0], np.cumsum(held)]).astype(np.int64)


def _masks(vocabulary: tuple[str, ...], field: Field, profile: Profile, subkey: bytes) -> NDArray[np.uint64]:
    """The plain bits of every distinct value, (v, bits / 64)."""
    places: dict[str, int] = {}
    spelt = [[places.setdefault(token, len(places)) for token in TOKENS[field.kind](value)] for value in vocabulary]
    digests = np.frombuffer(token_digests(subkey, label(field), [token.encode() for token in places]), np.uint8)
    numbers = digests.reshape(-1, 16).astype(np.uint64)
    words = [sum(numbers[:, start + byte] << np.uint64(8 * byte) for byte in range(8)) for start in (0, 8)]
    size = np.uint64(profile.bits.bit_length() - 1)
    picks = [words[nth // 6] >> (size * np.uint64(nth % 6)) & np.uint64(profile.bits - 1) for nth in range(12)]
    token_masks = np.zeros((len(places), profile.bits // 64), np.uint64)
    for nth in range(profile.weights[field.kind]):
        bit = picks[nth].astype(np.int64)
        token_masks[np.arange(len(places)), bit >> 6] |= np.uint64(1) << (bit & 63).astype(np.uint64)
    codes = np.array([code for value in spelt for code in value], np.int64)
    offsets = np.concatenate([[0], np.cumsum([len(value) for value in spelt])]).astype(np.int64)
    masks = np.zeros((len(vocabulary), profile.bits // 64), np.uint64)
    if len(codes):
        np.bitwise_or.at(masks, np.repeat(np.arange(len(vocabulary)), np.diff(offsets)), token_masks[codes])
    return masks


def _name(value: str) -> list[str]:
    return bigrams(value)


def _date(value: str) -> list[str]:
    """Digits at their places, and day, month and year whole."""
    year, _, rest = value.partition("-")
    month, _, day = rest.partition("-")
    tokens = [f"{place}{digit}" for place, digit in enumerate(year + month + day) if place > 1]
    return [*tokens, f"y{year}", *([f"d{day}", f"m{month}"] if day else [])]


def _postcode(value: str) -> list[str]:
    """Characters at their places, bigrams, district and area."""
    outward, _, inward = value.partition(" ")
    tokens = [f"{place}{character}" for place, character in enumerate(outward)]
    tokens += [f"i{place}{character}" for place, character in enumerate(inward)]
    tokens += bigrams(outward + inward)
    return [*dict.fromkeys([*tokens, f"o{outward}", f"a{''.join(takewhile(str.isalpha, outward))}"])]


def _text(value: str) -> list[str]:
    """Bigrams and whole words."""
    return [*bigrams(value), *(f"w{word}" for word in value.split())]


def _whole(value: str) -> list[str]:
    return [value]


TOKENS: Mapping[Kind, Callable[[str], list[str]]] = {
    Kind.FORENAME: _name,
    Kind.SURNAME: _name,
    Kind.DATE: _date,
    Kind.POSTCODE: _postcode,
    Kind.TEXT: _text,
    Kind.SEX: _whole,
    Kind.PHONE: _whole,
    Kind.IDENTIFIER: _whole,
}
