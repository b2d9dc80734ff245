"""Screening encodings: one hardened record-level Bloom filter for each person, good enough to find candidates.

A plain filter sets some bits for every token of every field (Schnell, Bachteler & Reiher 2009). It is then
diffused: each bit sent is the XOR of several secret bits of the plain filter (Armknecht, Heng & Schnell 2023),
which hides how often a bit is set; see encode.diffusion.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from keys.chance import SYSTEM, Chance
from keys.derive import Purpose, RunKey
from linkage.agreement import Profile
from linkage.encode.diffusion import hardener
from linkage.encode.digests import text_digests
from linkage.encode.spelling import Shapes, Spelt, bigrams, known_codes, selves, sliced, spell, texts_of, words
from linkage.encode.tokens import label
from linkage.model import Column, Records
from linkage.schema import Field, Kind, Schema

MAX_VERSIONS = 3
"""Filters of one person: his first values, then his second (aliases), then his third."""

_VALUES = 1 << 15
"""Distinct values whose bits are held at a time: a mask weighs as much as a filter, and addresses are many."""


@dataclass(frozen=True, repr=False)
class PlainFilters:
    """Filters before they are hardened, which stay at the agency. filters: (r, bits / 64); owner: (r,) their people."""

    filters: NDArray[np.uint64]
    owner: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.owner)

    def __repr__(self) -> str:
        return f"PlainFilters({len(self)})"


def make_filters(
    records: Records, schema: Schema, profile: Profile, key: RunKey, chance: Chance = SYSTEM
) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
    """Screening filters (r, w) uint64 and the person each belongs to (r,) int32, in the file's order.

    Raises as plain_filters.
    """
    plain = plain_filters(records, schema, profile, key, chance)
    return hardener(profile, key)(plain.filters), plain.owner


def plain_filters(
    records: Records,
    schema: Schema,
    profile: Profile,
    key: RunKey,
    chance: Chance = SYSTEM,
    *,
    shuffled: bool = False,
) -> PlainFilters:
    """Filters before they are hardened.

    shuffled: in random order, as they travel and are searched; else in the file's.
    A person without any value cannot be found, and the quality report says so. Where filters are diffused his zeros
    would stand out as zeros: he gets random bits instead, before diffusion, whose results are a small part of all
    that could be sent.
    It takes the RunKey, not a subkey, so that filters cannot be keyed by anything else.
    Raises TypeError without a RunKey, TestKeyError when a live key meets a repeatable source of chance (R50).
    """
    if not isinstance(key, RunKey):
        raise TypeError("filters are keyed by a RunKey")
    chance.require(test=key.test)
    held = [(field, records.columns[field.name]) for field in schema.fields if field.name in records.columns]
    owner, version = versions([column for _, column in held], len(records))
    if shuffled:
        order = shuffle(len(owner), chance)
        owner, version = owner[order], version[order]
    subkey = key.subkey(Purpose.SCREENING)
    plain = np.zeros((len(owner), profile.bits // 64), np.uint64)
    for field, column in held:
        if _weighed(field, profile):
            _add(plain, field, profile, subkey, _held(column, owner, version))
    if profile.xor:
        blank = np.flatnonzero(~plain.any(axis=1))
        noise = chance.draw(len(blank) * plain.shape[1] * 8)
        plain[blank] = np.frombuffer(noise, np.uint64).reshape(len(blank), plain.shape[1])
    return PlainFilters(plain, owner)


def _add(
    plain: NDArray[np.uint64],
    field: Field,
    profile: Profile,
    subkey: bytes,
    held: tuple[Sequence[str], NDArray[np.int32]],
) -> None:
    """Set the bits of each filter's value of one field."""
    from linkage.encode.kernels import or_values

    vocabulary, values = held
    for first in range(0, len(vocabulary), _VALUES):
        masks = _masks(vocabulary[first : first + _VALUES], field, profile, subkey)
        or_values(masks, values, first, plain)


def names_alone(records: Records, schema: Schema, profile: Profile) -> int:
    """People whose filters hold names, perhaps a sex, and nothing else that the profile weighs.

    Sex is no shelter: it goes with the forename and cancels out with it.
    """
    named, more = np.zeros(len(records), bool), np.zeros(len(records), bool)
    for field in schema.fields:
        if field.kind is Kind.SEX or field.name not in records.columns or not _weighed(field, profile):
            continue
        held = named if field.kind in (Kind.FORENAME, Kind.SURNAME) else more
        held |= records.columns[field.name].counts() > 0
    return int((named & ~more).sum())


def _weighed(field: Field, profile: Profile) -> bool:
    return any(profile.weights.get(field.kind, {}).values())


def shuffle(count: int, chance: Chance) -> NDArray[np.int64]:
    """Numbers from 0 on in random order, (count,)."""
    return np.argsort(np.frombuffer(chance.draw(8 * count), np.uint64), kind="stable")


def versions(columns: list[Column], people: int) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
    """Which filters to make: (r,) person and (r,) which of his values, as many as his longest list has, at most 3."""
    most = np.ones(people, np.int8)
    for column in columns:
        np.maximum(most, np.minimum(column.counts(), MAX_VERSIONS).astype(np.int8), out=most)
    owner = np.repeat(np.arange(people, dtype=np.int32), most)
    version = np.zeros(len(owner), np.int8)
    for nth in range(1, MAX_VERSIONS):  # one further than the row before, where that is of the same person
        version[nth:] += owner[nth:] == owner[:-nth]
    return owner, version


def _held(
    column: Column, owner: NDArray[np.int32], version: NDArray[np.int8]
) -> tuple[Sequence[str], NDArray[np.int32]]:
    """Values of one column that some filters are made of, and the place of each filter's among them; -1 for none (m,).

    It is his nth, or his first where he has fewer.
    """
    from linkage.encode.kernels import nth_values

    used, value = np.zeros(len(column.vocabulary), np.bool_), np.empty(len(owner), np.int32)
    nth_values(column.codes, column.offsets, owner, version, used, value)
    if used.all():
        return column.vocabulary, value
    place = np.append(np.cumsum(used, dtype=np.int32) - np.int32(1), np.int32(-1))  # the last is that of no value
    return texts_of(column.vocabulary).take(np.flatnonzero(used)), place[value]


def _masks(vocabulary: Sequence[str], field: Field, profile: Profile, subkey: bytes) -> NDArray[np.uint64]:
    """The plain bits of some distinct values, (v, bits / 64)."""
    from linkage.encode.kernels import or_masks

    masks = np.zeros((len(vocabulary), profile.bits // 64), np.uint64)
    for role, weight in profile.weights[field.kind].items():
        if weight:
            tokens, codes, offsets = _tokens(vocabulary, TOKENS[field.kind][role])
            domain = label(field) + f"/{role}".encode()
            or_masks(_token_masks(tokens, weight, domain, profile.bits, subkey), codes, offsets, masks)
    return masks


def _tokens(vocabulary: Sequence[str], make: Callable[[str], list[str]]) -> Spelt:
    """What `make` says of some values, by the fastest way to hear it."""
    if make is _whole:
        return vocabulary, np.arange(len(vocabulary), dtype=np.int32), np.arange(len(vocabulary) + 1)
    if make is _unit:
        texts = texts_of(vocabulary)
        return selves(texts, known_codes(texts))
    if make is bigrams:
        return spell(vocabulary)
    if make is _joined_bigrams:
        return spell([value.replace(" ", "") for value in vocabulary])
    if make is str.split:
        return words(vocabulary)
    return sliced(vocabulary, make, _SHAPES.get(make, {}))


def _token_masks(tokens: Sequence[str], weight: int, domain: bytes, bits: int, subkey: bytes) -> NDArray[np.uint64]:
    """Masks of tokens, (t, bits / 64), each of as many places as it weighs (two of them may be one).

    Places are cut from the token's digests, as many whole ones as fit each half of a digest, block after block.
    """
    from linkage.encode.kernels import set_places

    size = bits.bit_length() - 1
    half = 64 // size
    masks = np.zeros((len(tokens), bits // 64), np.uint64)
    for start in range(0, weight, 2 * half):
        block = domain + b"/%d" % (start // (2 * half))
        digests = text_digests(subkey, block, tokens)
        set_places(digests.view("<u8"), half, min(2 * half, weight - start), size, masks)
    return masks


def _date_parts(value: str) -> list[str]:
    """Day, month and year, or the year alone."""
    year, _, rest = value.partition("-")
    month, _, day = rest.partition("-")
    return [f"y{year}", f"m{month}", f"d{day}"] if day else [f"y{year}"]


def _date_pairs(value: str) -> list[str]:
    """Two of day, month and year at a time: what is left when one of them is wrong."""
    year, _, rest = value.partition("-")
    month, _, day = rest.partition("-")
    return [f"{day}.{month}", f"{month}.{year}", f"{day}.{year}."] if day else []


def _date_digits(value: str) -> list[str]:
    """Digits at their places, from the decade on."""
    return [f"{place}{digit}" for place, digit in enumerate(value.replace("-", "")) if place > 1]


def _unit(value: str) -> list[str]:
    """The whole postcode; a British outward part alone is a district. For many, known_codes says the same."""
    return [value] if " " in value or value.isdigit() else []


def _sector(value: str) -> list[str]:
    """Outward part and the digit after it; codes of other countries narrow from the left."""
    outward, _, inward = value.partition(" ")
    if inward:
        return [f"{outward} {inward[0]}"]
    return [value[:-1]] if value.isdigit() else []


def _district(value: str) -> list[str]:
    return [value.partition(" ")[0]]


def _area(value: str) -> list[str]:
    return ["".join(takewhile(str.isalpha, value))]


def _characters(value: str) -> list[str]:
    """Characters at their places, outward and inward part apart."""
    outward, _, inward = value.partition(" ")
    return [*(f"o{n}{c}" for n, c in enumerate(outward)), *(f"i{n}{c}" for n, c in enumerate(inward))]


def _joined_bigrams(value: str) -> list[str]:
    return bigrams(value.replace(" ", ""))


def _whole(value: str) -> list[str]:
    return [value]


TOKENS: Mapping[Kind, Mapping[str, Callable[[str], list[str]]]] = {
    Kind.FORENAME: {"bigram": bigrams},
    Kind.SURNAME: {"bigram": bigrams},
    Kind.DATE: {"part": _date_parts, "pair": _date_pairs, "digit": _date_digits},
    Kind.POSTCODE: {
        "unit": _unit, "sector": _sector, "district": _district, "area": _area,
        "character": _characters, "bigram": _joined_bigrams,
    },
    Kind.TEXT: {"whole": _whole, "word": str.split, "bigram": bigrams},
    Kind.SEX: {"whole": _whole},
    Kind.PHONE: {"whole": _whole},
    Kind.IDENTIFIER: {"whole": _whole},
}  # fmt: skip
"""Tokens of a value by their role; a profile says how many bits each role sets (terms.ROLES names the same)."""

_YEAR, _MONTH, _DAY = (0, 1, 2, 3), (5, 6), (8, 9)
_DATE = "####-##-##"
_OUTWARDS = (2, 3, 4)  # characters before the space

_SHAPES: Mapping[Callable[[str], list[str]], Shapes] = {
    _date_parts: {_DATE: (_YEAR, _MONTH, _DAY)},
    _date_pairs: {_DATE: (_DAY + _MONTH, _MONTH + _YEAR, _DAY + _YEAR)},
    _date_digits: {_DATE: tuple((place,) for place in (2, 3, *_MONTH, *_DAY))},
    _sector: {"#" * n + " ###": ((*range(n), n + 1),) for n in _OUTWARDS},
    _district: {"#" * n + " ###": (tuple(range(n)),) for n in _OUTWARDS},
    _area: {"#" * n + " ###": (tuple(range(n)),) for n in _OUTWARDS},
    _characters: {"#" * n + " ###": tuple((place,) for place in (*range(n), *range(n + 1, n + 4))) for n in _OUTWARDS},
}
"""On what the tokens of usual values depend; of all other values, each is asked for its own."""
