"""Every distinct value of a field becomes keyed digests of its tokens, once; after this no plaintext is needed.

What two people may have in common is a token: a bigram, a year, a postcode sector, a nickname root. A token's
digest is a PRF under the run's key, so the same token means the same digest for every agency of a run and nothing
outside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise, takewhile

import numpy as np
from numpy.typing import NDArray

from keys.derive import Purpose, RunKey, token_digests
from linkage.layout import FILTERED, INITIALS, POSTCODE_CHARACTERS, ROOTS, SOUNDS, YEAR_WINDOW, group, tags_of
from linkage.model import Column, Records
from linkage.roots import name_roots, phonetic
from linkage.schema import RARITY_BUCKETS, Field, Kind, Schema

MAX_FILTER_TOKENS = 24
"""Tokens of one value that enter its filter; longer values are cut (they are told apart long before)."""

_Tokens = dict[str, list[str]]


@dataclass(frozen=True, repr=False)
class FieldTokens:
    """One field of one agency's file as keyed digests; no value can be read from it without the run key.

    digests: (d, 16) uint8, every distinct token once. tags: (v, t) int32 places in digests, -1 says nothing (random).
    filter_codes, filter_offsets: ragged (v,) lists of places in digests, the tokens of each value's filter.
    presence: (v,) uint8, 1 partly known, 2 known. codes, offsets: each person's values, as in model.Column.
    """

    digests: NDArray[np.uint8]
    tags: NDArray[np.int32]
    filter_codes: NDArray[np.int32]
    filter_offsets: NDArray[np.int64]
    presence: NDArray[np.uint8]
    codes: NDArray[np.int32]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __repr__(self) -> str:
        return f"FieldTokens(people={len(self)}, values={len(self.presence)}, tokens={len(self.digests)})"


def tokenise(records: Records, schema: Schema, key: RunKey) -> tuple[FieldTokens, ...]:
    """Keyed tokens of every field of the schema, for evidence; fields the agency does not hold are all missing."""
    subkey = key.subkey(Purpose.NAMES)
    empty = Column((), np.empty(0, np.int32), np.zeros(len(records) + 1, np.int64))
    return tuple(_field(field, records.columns.get(field.name, empty), subkey) for field in schema.fields)


def label(field: Field) -> bytes:
    """Domain of a field's tokens. Both names share one, so that swapped names still meet."""
    return b"name" if field.kind in (Kind.FORENAME, Kind.SURNAME) else f"{field.kind}:{field.name}".encode()


def bigrams(text: str) -> list[str]:
    """Distinct padded bigrams of a text, in order of first appearance."""
    padded = f"_{text}_"
    return list(dict.fromkeys(a + b for a, b in pairwise(padded)))


def rarity_buckets(column: Column) -> NDArray[np.int8]:
    """Rarity bucket of every distinct value by its share of the people who have one; see schema.RARITY_BUCKETS."""
    count = np.bincount(column.codes, minlength=len(column.vocabulary))
    share = np.maximum(count, 1) / max(int((column.counts() > 0).sum()), 1)
    buckets: NDArray[np.int8] = np.clip(np.floor(-np.log(share) / np.log(8)), 0, RARITY_BUCKETS - 1).astype(np.int8)
    return buckets


def _field(field: Field, column: Column, subkey: bytes) -> FieldTokens:
    places: dict[str, int] = {}

    def place(token: str) -> int:
        return places.setdefault(token, len(places))

    buckets = rarity_buckets(column)
    tags = np.full((len(column.vocabulary), tags_of(field.kind)), -1, np.int32)
    presence = np.full(len(column.vocabulary), 2, np.uint8)
    filters: list[list[int]] = []
    for row, value in enumerate(column.vocabulary):
        tokens, whole = _TOKENISERS[field.kind](value)
        if "exact" in tokens and field.kind in (Kind.FORENAME, Kind.SURNAME):
            tokens["exact"] = [""] * int(buckets[row]) + tokens["exact"]
        presence[row] = 2 if whole else 1
        for name, members in tokens.items():
            columns = group(field.kind, name)
            for column_, token in zip(range(columns.start, columns.stop), members, strict=False):
                # A swapped date says which day and month it would be: its tokens are those of the other groups.
                spelt_out = token if name == "swap" else f"{name}:{token}"
                tags[row, column_] = place(spelt_out) if token else -1
        spelt = bigrams(value)[:MAX_FILTER_TOKENS] if field.kind in FILTERED else []
        filters.append([place(f"bigram:{token}") for token in spelt])
    digests = token_digests(subkey, label(field), [token.encode() for token in places])
    return FieldTokens(
        digests=np.frombuffer(digests, np.uint8).reshape(-1, 16),
        tags=tags,
        filter_codes=np.array([code for codes in filters for code in codes], np.int32),
        filter_offsets=np.concatenate([[0], np.cumsum([len(codes) for codes in filters], dtype=np.int64)]).astype(
            np.int64
        ),
        presence=presence,
        codes=column.codes,
        offsets=column.offsets,
    )


def _name(value: str) -> tuple[_Tokens, bool]:
    if len(value) == 1:  # an initial: it may agree with a whole name, and is never the same name
        return {"initial": [""] * (INITIALS - 1) + [value]}, False
    return {
        "exact": [value],
        "root": _some(name_roots(value), ROOTS),
        "sound": _some(phonetic(value), SOUNDS),
        "initial": [value[0]],
    }, True


def _date(value: str) -> tuple[_Tokens, bool]:
    year, _, rest = value.partition("-")
    whole = len(rest) == len("mm-dd")
    window = [str(int(year) + step) for step in range(-(YEAR_WINDOW // 2) + 1, YEAR_WINDOW // 2 + 1)]
    tokens = {"year": [year], "window": window}
    if whole:
        month, _, day = rest.partition("-")
        digits = [f"{place}{digit}" for place, digit in enumerate(year + month + day)]
        tokens |= {"exact": [value], "day": [day], "month": [month], "digit": digits}
        if day != month:  # else nothing could be swapped, and the tags would say that they are equal
            tokens["swap"] = [f"day:{month}", f"month:{day}"]
    return tokens, whole


def _postcode(value: str) -> tuple[_Tokens, bool]:
    outward, _, inward = value.partition(" ")
    if inward:
        characters = [*outward.ljust(POSTCODE_CHARACTERS - 3, "_"), *inward]
        placed = [f"{place}{character}" for place, character in enumerate(characters)]
        return {
            "exact": [value],
            "sector": [f"{outward} {inward[0]}"],
            "district": [outward],
            "area": ["".join(takewhile(str.isalpha, outward))],
            "character": placed,
        }, True
    if value.isdigit():  # codes of other countries narrow from the left, a digit at a time
        placed = [f"{place}{character}" for place, character in enumerate(value.rjust(POSTCODE_CHARACTERS, "_"))]
        parts = {"sector": [value[:-1]], "district": [value[:-2]], "area": [value[:1]]}
        return {"exact": [value], **parts, "character": placed[:POSTCODE_CHARACTERS]}, True
    return {"district": [value], "area": ["".join(takewhile(str.isalpha, value))]}, False


def _phone(value: str) -> tuple[_Tokens, bool]:
    return {"exact": [value], "ending": [value[-6:]]}, True


def _whole(value: str) -> tuple[_Tokens, bool]:
    return {"exact": [value]}, True


def _some(values: Iterable[str], most: int) -> list[str]:
    """The likeliest, in alphabetical order: their places say nothing of which form of the name is held."""
    return sorted(dict.fromkeys(list(values)[:most]))


_TOKENISERS: Mapping[Kind, Callable[[str], tuple[_Tokens, bool]]] = {
    Kind.FORENAME: _name,
    Kind.SURNAME: _name,
    Kind.DATE: _date,
    Kind.POSTCODE: _postcode,
    Kind.SEX: _whole,
    Kind.TEXT: _whole,
    Kind.PHONE: _phone,
    Kind.IDENTIFIER: _whole,
}
