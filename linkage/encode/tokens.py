"""Every distinct value of a field becomes keyed digests of its tokens, once; after this no plaintext is needed.

What two people may have in common is a token: a bigram, a year, a postcode sector, a nickname root. A token's
digest is a PRF under the run's key, so the same token means the same digest for every agency of a run and nothing
outside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from keys.derive import Purpose, RunKey
from linkage.encode.digests import text_digests
from linkage.encode.spelling import Shapes, known_codes, sliced, spell, texts_of, unspelt
from linkage.layout import (
    DATE_DIGITS,
    FILTERED,
    INITIALS,
    POSTCODE_CHARACTERS,
    ROOTS,
    SOUNDS,
    TAGS,
    YEAR_WINDOW,
    tags_of,
)
from linkage.model import Column, Offsets, Records
from linkage.roots import name_roots, phonetic
from linkage.schema import RARITY_BUCKETS, Field, Kind, Schema
from linkage.texts import Texts

MAX_FILTER_TOKENS = 24
"""Tokens of one value that enter its filter; longer values are cut (they are told apart long before)."""

ENDING = 6
"""Last digits of a telephone number that make a token of their own."""


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
    offsets: Offsets

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __repr__(self) -> str:
        return f"FieldTokens(people={len(self)}, values={len(self.presence)}, tokens={len(self.digests)})"


def tokenise(records: Records, schema: Schema, key: RunKey) -> tuple[FieldTokens, ...]:
    """Keyed tokens of every field of the schema, for evidence; fields the agency does not hold are all missing.

    Raises TypeError without a RunKey.
    """
    if not isinstance(key, RunKey):
        raise TypeError("tokens are keyed by a RunKey")
    subkey = key.subkey(Purpose.NAMES)
    empty = Column((), np.empty(0, np.int32), np.zeros(len(records) + 1, np.int64))
    return tuple(_field(field, records.columns.get(field.name, empty), subkey) for field in schema.fields)


def label(field: Field) -> bytes:
    """Domain of a field's tokens. Both names share one, so that swapped names still meet."""
    return b"name" if field.kind in (Kind.FORENAME, Kind.SURNAME) else f"{field.kind}:{field.name}".encode()


def rarity_buckets(column: Column) -> NDArray[np.int8]:
    """Rarity bucket of every distinct value by its share of the people who have one; see schema.RARITY_BUCKETS."""
    return rarity_of(np.bincount(column.codes, minlength=len(column.vocabulary)), int((column.counts() > 0).sum()))


def rarity_of(count: NDArray[np.integer], people: int) -> NDArray[np.int8]:
    """Rarity buckets of values that so many of some people have, (v,)."""
    share = np.maximum(count, 1) / max(people, 1)
    buckets: NDArray[np.int8] = np.clip(np.floor(-np.log(share) / np.log(8)), 0, RARITY_BUCKETS - 1).astype(np.int8)
    return buckets


def _field(field: Field, column: Column, subkey: bytes) -> FieldTokens:
    """Digests of a field: every value's exact token first, as no two share one; then those that values may share."""
    vocabulary, slots = texts_of(column.vocabulary), TAGS[field.kind]["exact"]
    known = _known(field.kind, vocabulary)
    own = np.flatnonzero(known)
    tags = np.full((len(vocabulary), tags_of(field.kind)), -1, np.int32)
    tags[own, rarity_buckets(column)[own] if slots > 1 else 0] = np.arange(len(own), dtype=np.int32)
    shared: list[str] = []
    if tags.shape[1] > slots:
        tokens, codes, _ = sliced(vocabulary, _TOKENISERS[field.kind], _SHAPES.get(field.kind, {}))
        shared = [token for token in tokens if token]
        place = np.full(len(tokens), -1, np.int32)
        place[[token != "" for token in tokens]] = np.arange(len(own), len(own) + len(shared))
        tags[:, slots:] = place[codes].reshape(len(vocabulary), tags.shape[1] - slots)
    grams, codes, offsets = spell(vocabulary, MAX_FILTER_TOKENS) if field.kind in FILTERED else unspelt(len(vocabulary))
    codes += np.int32(len(own) + len(shared))
    shared += [f"bigram:{gram}" for gram in grams]
    whole = vocabulary if known.all() else vocabulary.take(own)
    return FieldTokens(
        digests=np.concatenate(
            [text_digests(subkey, label(field) + b"/exact", whole), text_digests(subkey, label(field), shared)]
        ),
        tags=tags,
        filter_codes=codes,
        filter_offsets=offsets,
        presence=1 + known.astype(np.uint8),
        codes=column.codes,
        offsets=column.offsets,
    )


def _known(kind: Kind, vocabulary: Texts) -> NDArray[np.bool_]:
    """Whether each value is known whole, and so has an exact token."""
    if kind in (Kind.FORENAME, Kind.SURNAME):
        return np.greater(vocabulary.characters(), 1)
    if kind is Kind.DATE:
        return np.equal(vocabulary.characters(), len("yyyy-mm-dd"))
    return known_codes(vocabulary) if kind is Kind.POSTCODE else np.ones(len(vocabulary), np.bool_)


def _name(value: str) -> list[str]:
    if len(value) == 1:  # an initial: it may agree with a whole name, and is never the same name
        return [*[""] * (ROOTS + SOUNDS + INITIALS - 1), f"initial:{value}"]
    roots = [f"root:{root}" for root in _some(name_roots(value), ROOTS)]
    sounds = [f"sound:{sound}" for sound in _some(phonetic(value), SOUNDS)]
    initial = [f"initial:{value[0]}", *[""] * (INITIALS - 1)]
    return [*_filled(roots, ROOTS), *_filled(sounds, SOUNDS), *initial]


def _date(value: str) -> list[str]:
    year, _, rest = value.partition("-")
    month, _, day = rest.partition("-")
    # A swapped date says which day and month it would be: its tokens are those of the other groups. Where day and
    # month are equal nothing could be swapped, and the tags would say that they are equal.
    swap = [f"day:{month}", f"month:{day}"] if day != month else ["", ""]
    digits = [f"digit:{place}{digit}" for place, digit in enumerate(year + month + day)]
    window = range(int(year) - YEAR_WINDOW // 2 + 1, int(year) + YEAR_WINDOW // 2 + 1)
    around = [f"window:{other}" for other in window]
    if not day:
        return ["", "", f"year:{year}", "", "", *[""] * DATE_DIGITS, *around]
    return [f"day:{day}", f"month:{month}", f"year:{year}", *swap, *digits, *around]


def _postcode(value: str) -> list[str]:
    outward, _, inward = value.partition(" ")
    if inward:
        characters = [*outward.ljust(POSTCODE_CHARACTERS - 3, "_"), *inward]
        area = "".join(takewhile(str.isalpha, outward))
        narrower = [f"sector:{outward} {inward[0]}", f"district:{outward}", f"area:{area}"]
    elif value.isdigit():  # codes of other countries narrow from the left, a digit at a time
        characters = [*value.rjust(POSTCODE_CHARACTERS, "_")]
        narrower = [f"sector:{value[:-1]}", f"district:{value[:-2]}", f"area:{value[:1]}"]
    else:
        area = "".join(takewhile(str.isalpha, value))
        return ["", f"district:{value}", f"area:{area}", *[""] * POSTCODE_CHARACTERS]
    placed = [f"character:{place}{character}" for place, character in enumerate(characters[:POSTCODE_CHARACTERS])]
    return [*narrower, *placed]


def _phone(value: str) -> list[str]:
    return [f"ending:{value[-ENDING:]}"]


def _nothing(_: str) -> list[str]:
    return []


def _filled(tokens: list[str], size: int) -> list[str]:
    return [*tokens, *[""] * (size - len(tokens))]


def _some(values: Iterable[str], most: int) -> list[str]:
    """The likeliest, in alphabetical order: their places say nothing of which form of the name is held."""
    return sorted(dict.fromkeys(list(values)[:most]))


_TOKENISERS: Mapping[Kind, Callable[[str], list[str]]] = {
    Kind.FORENAME: _name,
    Kind.SURNAME: _name,
    Kind.DATE: _date,
    Kind.POSTCODE: _postcode,
    Kind.SEX: _nothing,
    Kind.TEXT: _nothing,
    Kind.PHONE: _phone,
    Kind.IDENTIFIER: _nothing,
}
"""Tokens of all tags of a value but the exact one, in the order of the layout, "" for none."""

_YEAR, _MONTH, _DAY = (0, 1, 2, 3), (5, 6), (8, 9)

_SHAPES: Mapping[Kind, Shapes] = {
    Kind.DATE: {
        "####-##-##": (
            _DAY, _MONTH, _YEAR, *(_MONTH + _DAY,) * 2, *((place,) for place in _YEAR + _MONTH + _DAY),
            *(_YEAR,) * YEAR_WINDOW,
        ),
    },
    Kind.POSTCODE: {
        "#" * n + " ###": (
            (*range(n), n + 1), tuple(range(n)), tuple(range(n)),
            *((place,) for place in range(n)), *((),) * (POSTCODE_CHARACTERS - 3 - n),
            *((place,) for place in range(n + 1, n + 4)),
        )
        for n in (2, 3, 4)
    },
    Kind.PHONE: {"#" * n: (tuple(range(n - ENDING, n)),) for n in range(ENDING, 16)},
}  # fmt: skip
"""On what each of these tokens depends in usual values."""
