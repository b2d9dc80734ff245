"""Common hardenings of plain filters, each as published; small, for measuring only."""

from __future__ import annotations

import numpy as np

from linkage import toml
from linkage.audit.scheme import Scheme, of_profile, take
from linkage.encode.screening import make_filters
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


def _shuffle(key, count):
    return np.random.default_rng(int.from_bytes(key.value[:8], "big")).permutation(count)


def _bits(filters):
    return np.unpackbits(np.ascontiguousarray(filters).view(np.uint8), axis=1, bitorder="little")


def _pack(bits):
    return np.ascontiguousarray(np.packbits(bits.astype(np.uint8), axis=1, bitorder="little")).view(np.uint64)
