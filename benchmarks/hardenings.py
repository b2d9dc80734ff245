"""Common hardenings of plain filters, each as published; small, for measuring only."""

from __future__ import annotations

import hashlib
from functools import partial

import numpy as np
from scipy.sparse import csr_matrix, vstack

from linkage import toml
from linkage.audit.scheme import Scheme, of_profile, take
from linkage.encode.screening import TOKENS, make_filters
from linkage.resources import resource
from linkage.schema import Kind
from linkage.terms import Profile

FLIP = 0.05


def schemes(schema):
    """Name to scheme: balanced, BLIP, Rule 90, XOR-folded, salted by year of birth."""
    plain = of_profile(toml.read(resource("profiles", "plain-2026-11"), Profile), schema)

    def over(name, change):
        def encode(people, key):
            return _pack(change(_bits(plain.encode(people, key)), key))

        return Scheme(name, encode, encode)

    named = {
        # Schnell & Borgs 2016, "Randomized response and balanced Bloom filters": a filter and its complement, shuffled.
        "balanced": lambda bits, key: np.concatenate([bits, 1 - bits], axis=1)[:, _shuffle(key, 2 * bits.shape[1])],
        # Alaggan, Gambs & Kermarrec 2012, "BLIP": each bit flipped with a probability.
        "BLIP, 5 % flipped": lambda bits, _: bits ^ (np.random.default_rng().random(bits.shape) < FLIP),
        # Schnell & Borgs 2018, "Hardening encrypted patient names": each bit the XOR of its two neighbours.
        "Rule 90": lambda bits, _: np.roll(bits, 1, axis=1) ^ np.roll(bits, -1, axis=1),
        # Schnell & Borgs 2016, "XOR-folding for Bloom filter-based encryptions".
        "XOR-folded": lambda bits, _: bits[:, : bits.shape[1] // 2] ^ bits[:, bits.shape[1] // 2 :],
    }
    made = {name: over(name, change) for name, change in named.items()}
    made["salted by year of birth"] = _salted(schema)
    return made


def _salted(schema):
    """Niedermeyer et al. 2014: the key of a record depends on its year of birth."""
    profile = toml.read(resource("profiles", "plain-2026-11"), Profile)
    field = next(each.name for each in schema.fields if each.kind is Kind.DATE)

    def encode(people, key):
        column = people.columns[field]
        years = np.array([value[:4] for value in column.vocabulary] + [""])
        year = years[np.where(column.counts() > 0, np.append(column.codes, -1)[column.offsets[:-1]], -1)]
        out = np.zeros((len(people), profile.bits // 64), np.uint64)
        for each in np.unique(year):
            rows = np.flatnonzero(year == each)
            own = type(key)(
                key.run, key.test, bytes(a ^ b for a, b in zip(key.value, each.encode().ljust(32), strict=True))
            )
            filters, owner = make_filters(take(people, rows), schema, profile, own)
            out[rows] = filters[np.unique(owner, return_index=True)[1]]
        return out

    return Scheme("salted by year of birth", encode, encode)


def saul(profile, schema, bits, xor):
    """Keyed majorities of a profile's tokens, each bit sent the XOR of so many; equal votes fall by the key.

    Every token votes on every bit, by its keyed hash, and as often as it has bits in the profile. Source: "Breaking
    BAD? Better call SAUL!", PoPETs 2026; the tie-break under the key is what it leaves open.
    """
    votes = partial(_votes, profile, schema)

    def encode(people, key, xor=xor):
        out = np.zeros((len(people), bits), np.uint8)
        for nth in range(xor):
            for start in range(0, bits, _AT_ONCE):
                out[:, start : start + _AT_ONCE] ^= votes(people, key, b"%d/%d" % (nth, start))
        return _pack(out)

    return Scheme(f"SAUL, XOR of {xor}, {bits} bits", encode, partial(encode, xor=1), xor)


_AT_ONCE = 1024


def _votes(profile, schema, people, key, salt):
    """Bits (n, 1024) by majority."""
    tally = np.zeros((len(people), _AT_ONCE), np.float32)
    for field in schema.fields:
        column = people.columns.get(field.name)
        for role, weight in profile.weights.get(field.kind, {}).items():
            if column is None or not weight or not len(column.codes):
                continue
            lists = [TOKENS[field.kind][role](value) for value in column.vocabulary]
            tokens = list(dict.fromkeys(token for each in lists for token in each))
            place = {token: nth for nth, token in enumerate(tokens)}
            domain = key.value + salt + f"{field.name}/{role}/".encode()
            noise = b"".join(hashlib.shake_128(domain + token.encode()).digest(_AT_ONCE // 8) for token in tokens)
            sides = _bits(np.frombuffer(noise, np.uint8).reshape(-1, _AT_ONCE // 8)).astype(np.float32) * 2 - 1
            held = [sorted({place[token] for token in each}) for each in lists]
            rows = [
                csr_matrix((np.ones(len(each)), (np.zeros(len(each), int), each)), (1, len(tokens))) for each in held
            ]
            first = column.codes[np.minimum(column.offsets[:-1], len(column.codes) - 1)]
            tally += np.float32(weight) * np.where(
                (column.counts() > 0)[:, None], (vstack(rows, "csr").astype(np.float32) @ sides)[first], 0
            )
    tie = _bits(np.frombuffer(hashlib.shake_128(key.value + salt).digest(_AT_ONCE // 8), np.uint8)[None])
    return np.where(tally == 0, tie, tally > 0).astype(np.uint8)


def _shuffle(key, count):
    return np.random.default_rng(int.from_bytes(key.value[:8], "big")).permutation(count)


def _bits(filters):
    return np.unpackbits(np.ascontiguousarray(filters).view(np.uint8), axis=1, bitorder="little")


def _pack(bits):
    return np.ascontiguousarray(np.packbits(bits.astype(np.uint8), axis=1, bitorder="little")).view(np.uint64)
