"""Every distinct value of a field becomes keyed digests of its tokens, once; after this no plaintext is needed.

What two people may have in common is a token: a bigram, a year, a postcode sector, a nickname root. A token's
digest is a PRF under the run's key, so the same token means the same digest for every agency of a run and nothing
outside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, pairwise, takewhile

import numpy as np
from numpy.typing import NDArray

from keys.derive import Purpose, RunKey, token_digests
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
from linkage.model import Column, Records
from linkage.roots import name_roots, phonetic
from linkage.schema import RARITY_BUCKETS, Field, Kind, Schema

MAX_FILTER_TOKENS = 24
"""Tokens of one value that enter its filter; longer values are cut (they are told apart long before)."""

_BLOCK = 1 << 16  # values at a time, so that their tokens need not all be held

_Tokens = tuple[bool, list[str], bool]
"""Whether a value has an exact token; those of all its other tags in the order of the layout, "" for none; whether it
is known whole."""


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
    """Digests of a field: every value's exact token first, as no two share one; then those that values may share."""
    vocabulary, slots = column.vocabulary, TAGS[field.kind]["exact"]
    tags = np.full((len(vocabulary), tags_of(field.kind)), -1, np.int32)
    presence = np.empty(len(vocabulary), np.uint8)
    places: dict[str, int] = {"": -1}
    digests = bytearray()
    for start in range(0, len(vocabulary), _BLOCK):
        values = vocabulary[start : start + _BLOCK]
        made = [_TOKENISERS[field.kind](value) for value in values]
        exact = [f"exact:{value}".encode() for value, (known, _, _) in zip(values, made, strict=True) if known]
        digests += token_digests(subkey, label(field), exact)
        shared = list(chain.from_iterable(tokens for _, tokens, _ in made))
        for token in dict.fromkeys(shared):
            places.setdefault(token, len(places) - 1)
        rows = slice(start, start + len(values))
        tags[rows, slots:] = np.fromiter(map(places.__getitem__, shared), np.int32, len(shared)).reshape(len(made), -1)
        tags[rows, 0] = [known - 1 for known, _, _ in made]
        presence[rows] = [1 + whole for _, _, whole in made]
    own = np.flatnonzero(tags[:, 0] >= 0)
    tags[:, slots:][tags[:, slots:] >= 0] += len(own)
    tags[own, 0] = -1
    tags[own, rarity_buckets(column)[own] if slots > 1 else 0] = np.arange(len(own), dtype=np.int32)
    grams, codes, offsets = (
        spell(vocabulary, MAX_FILTER_TOKENS) if field.kind in FILTERED else _unspelt(len(vocabulary))
    )
    del places[""]
    shared = [*places, *(f"bigram:{gram}" for gram in grams)]
    digests += token_digests(subkey, label(field), [token.encode() for token in shared])
    return FieldTokens(
        digests=np.frombuffer(digests, np.uint8).reshape(-1, 16),
        tags=tags,
        filter_codes=codes + np.int32(len(own) + len(places)),
        filter_offsets=offsets,
        presence=presence,
        codes=column.codes,
        offsets=column.offsets,
    )


Spelt = tuple[Sequence[str], NDArray[np.int32], NDArray[np.int64]]
"""Distinct tokens of some values, and as ragged lists (codes, offsets) the places of each value's among them."""


def _unspelt(values: int) -> Spelt:
    return [], np.empty(0, np.int32), np.zeros(values + 1, np.int64)


def spell(vocabulary: Sequence[str], most_each: int = 1 << 30) -> Spelt:
    """The bigrams of some values, of each the first ones: what `bigrams` says."""
    from linkage.encode.kernels import bigram_lists  # loads numba

    lengths = np.fromiter(map(len, vocabulary), np.int64, len(vocabulary))
    text = "".join(vocabulary)
    letters = sorted({*text, "_"})
    number = np.zeros(ord(letters[-1]) + 1, np.int64)
    number[[ord(letter) for letter in letters]] = np.arange(len(letters))
    spelling = number[np.frombuffer(text.encode("utf-32-le"), np.uint32)]
    most = np.minimum(lengths + 1, most_each)
    codes = np.empty(int(most.sum()), np.int64)
    count = np.empty(len(vocabulary), np.int64)
    bigram_lists(spelling, lengths, int(number[ord("_")]), len(letters), most, codes, count)
    codes = codes[: int(count.sum())]
    met = np.flatnonzero(np.bincount(codes, minlength=1))[: len(codes)]
    grams = [letters[code // len(letters)] + letters[code % len(letters)] for code in met.tolist()]
    return grams, np.searchsorted(met, codes).astype(np.int32), np.concatenate([[0], np.cumsum(count)]).astype(np.int64)


def _name(value: str) -> _Tokens:
    if len(value) == 1:  # an initial: it may agree with a whole name, and is never the same name
        return False, [*[""] * (ROOTS + SOUNDS + INITIALS - 1), f"initial:{value}"], False
    roots = [f"root:{root}" for root in _some(name_roots(value), ROOTS)]
    sounds = [f"sound:{sound}" for sound in _some(phonetic(value), SOUNDS)]
    initial = [f"initial:{value[0]}", *[""] * (INITIALS - 1)]
    return True, [*_filled(roots, ROOTS), *_filled(sounds, SOUNDS), *initial], True


def _date(value: str) -> _Tokens:
    year, _, rest = value.partition("-")
    whole = len(rest) == len("mm-dd")
    its_year, first, window = _year_tokens(year)
    day_month_swap, last = _day_tokens(rest) if whole else ([""] * 4, [])
    digits = [*first, *last] if whole else [""] * DATE_DIGITS
    return whole, [*day_month_swap[:2], its_year, *day_month_swap[2:], *digits, *window], whole


@lru_cache(maxsize=1 << 10)
def _year_tokens(year: str) -> tuple[str, list[str], list[str]]:
    """The year, its digits at their places, and the years around it."""
    window = range(int(year) - YEAR_WINDOW // 2 + 1, int(year) + YEAR_WINDOW // 2 + 1)
    digits = [f"digit:{place}{digit}" for place, digit in enumerate(year)]
    return f"year:{year}", digits, [f"window:{other}" for other in window]


@lru_cache(maxsize=1 << 10)
def _day_tokens(rest: str) -> tuple[list[str], list[str]]:
    """Day, month, which of each they would be if they were swapped, and their digits."""
    month, _, day = rest.partition("-")
    # A swapped date says which day and month it would be: its tokens are those of the other groups. Where day and
    # month are equal nothing could be swapped, and the tags would say that they are equal.
    swap = [f"day:{month}", f"month:{day}"] if day != month else ["", ""]
    return [f"day:{day}", f"month:{month}", *swap], [f"digit:{4 + n}{digit}" for n, digit in enumerate(month + day)]


def _postcode(value: str) -> _Tokens:
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
        return False, ["", f"district:{value}", f"area:{area}", *[""] * POSTCODE_CHARACTERS], False
    placed = [f"character:{place}{character}" for place, character in enumerate(characters[:POSTCODE_CHARACTERS])]
    return True, [*narrower, *placed], True


def _phone(value: str) -> _Tokens:
    return True, [f"ending:{value[-6:]}"], True


_NOTHING_ELSE: _Tokens = (True, [], True)


def _whole(_: str) -> _Tokens:
    return _NOTHING_ELSE


def _filled(tokens: list[str], size: int) -> list[str]:
    return [*tokens, *[""] * (size - len(tokens))]


def _some(values: Iterable[str], most: int) -> list[str]:
    """The likeliest, in alphabetical order: their places say nothing of which form of the name is held."""
    return sorted(dict.fromkeys(list(values)[:most]))


_TOKENISERS: Mapping[Kind, Callable[[str], _Tokens]] = {
    Kind.FORENAME: _name,
    Kind.SURNAME: _name,
    Kind.DATE: _date,
    Kind.POSTCODE: _postcode,
    Kind.SEX: _whole,
    Kind.TEXT: _whole,
    Kind.PHONE: _phone,
    Kind.IDENTIFIER: _whole,
}
