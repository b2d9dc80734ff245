"""Tokens of a file that was encoded part by part: how rare each name is in the whole of it, some rows, all in one.

FieldTokens of parts come in, FieldTokens go out that say what those of the whole file would; where two parts have the
same value, it stands twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from linkage.encode.tokens import FieldTokens, rarity_of
from linkage.layout import TAGS
from linkage.model import Offsets
from linkage.schema import Kind, Schema

Tokens = tuple[FieldTokens, ...]


@dataclass(frozen=True, repr=False)
class Names:
    """How often each name of a field stands in a file. name: (v,) half a digest, ascending; count: (v,) of each.

    people: who have any name in the field.
    """

    name: NDArray[np.uint64]
    count: NDArray[np.int64]
    people: int


def count_names(tokens: Tokens, schema: Schema) -> dict[int, Names]:
    """By place of the field in the schema, for fields whose values may be rare."""
    slots = {nth: _slots(field.kind) for nth, field in enumerate(schema.fields)}
    return {nth: _names(tokens[nth], count) for nth, count in slots.items() if count > 1}


def add_names(one: dict[int, Names], two: dict[int, Names]) -> dict[int, Names]:
    """What two parts of a file count together."""
    return {nth: _together(one[nth], two[nth]) for nth in one}


def with_rarity(tokens: Tokens, schema: Schema, names: dict[int, Names]) -> Tokens:
    """The tokens of a part, with names as rare as they are in the whole file."""
    return tuple(
        _placed(field, _slots(schema.fields[nth].kind), names[nth]) if nth in names else field
        for nth, field in enumerate(tokens)
    )


def _slots(kind: Kind) -> int:
    return TAGS[kind]["exact"]


def _own(field: FieldTokens, slots: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Values that have an exact token, and its place among the digests; a value's stands in one of the first slots."""
    exact = field.tags[:, :slots].max(axis=1, initial=-1)
    own = np.flatnonzero(exact >= 0)
    return own, exact[own]


def _halves(field: FieldTokens, place: NDArray[np.int32]) -> NDArray[np.uint64]:
    return np.ascontiguousarray(field.digests[place, :8]).view(np.uint64)[:, 0]


def _names(field: FieldTokens, slots: int) -> Names:
    own, place = _own(field, slots)
    count = np.bincount(field.codes, minlength=len(field.tags))[own]
    halves = _halves(field, place)
    order = np.argsort(halves)
    return Names(halves[order], count[order], int((np.diff(field.offsets) > 0).sum()))


def _together(one: Names, two: Names) -> Names:
    name, place = np.unique(np.concatenate([one.name, two.name]), return_inverse=True)
    count = np.bincount(place, np.concatenate([one.count, two.count])).astype(np.int64)
    return Names(name, count, one.people + two.people)


def _placed(field: FieldTokens, slots: int, names: Names) -> FieldTokens:
    own, place = _own(field, slots)
    count = names.count[np.searchsorted(names.name, _halves(field, place))]
    tags = field.tags.copy()
    tags[:, :slots] = -1
    tags[own, rarity_of(count, names.people)] = place
    return replace(field, tags=tags)


def take(tokens: Tokens, rows: NDArray[np.integer]) -> Tokens:
    """The tokens of some people, (m,), and of no value that none of them has."""
    return tuple(_taken(field, rows) for field in tokens)


def _taken(field: FieldTokens, rows: NDArray[np.integer]) -> FieldTokens:
    offsets, at = _ragged(field.offsets, rows)
    values, codes = np.unique(field.codes[at], return_inverse=True)
    bounds, entries = _ragged(field.filter_offsets, values)
    tags, grams = field.tags[values], field.filter_codes[entries]
    used = np.zeros(len(field.digests) + 1, np.bool_)  # the last is that of a tag which says nothing
    used[tags], used[grams], used[-1] = True, True, False
    place = np.cumsum(used, dtype=np.int32) - np.int32(1)
    place[-1] = -1
    return FieldTokens(
        digests=field.digests[used[:-1]],
        tags=place[tags],
        filter_codes=place[grams],
        filter_offsets=bounds,
        presence=field.presence[values],
        codes=codes.astype(np.int32).ravel(),
        offsets=offsets,
    )


def _ragged(offsets: Offsets, rows: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where the lists of some rows begin when they stand end to end, (m + 1,), and where their entries were."""
    first, counts = offsets[rows].astype(np.int64), np.diff(offsets)[rows]
    bounds = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return bounds, np.arange(bounds[-1]) + np.repeat(first - bounds[:-1], counts)


def join(parts: Sequence[Tokens]) -> Tokens:
    """The tokens of all people of some parts, one part after the other."""
    if len(parts) == 1:
        return parts[0]
    of_fields = [list(fields) for fields in zip(*parts, strict=True)]
    del parts  # whoever has none of its own lets go of one field when the next is joined
    return tuple(_joined(of_fields.pop(0)) for _ in range(len(of_fields)))


def _joined(parts: Sequence[FieldTokens]) -> FieldTokens:
    digests = _behind([one.tags for one in parts], [len(one.digests) for one in parts])
    grams = _behind([one.filter_codes for one in parts], [len(one.digests) for one in parts])
    codes = _behind([one.codes for one in parts], [len(one.presence) for one in parts])
    return FieldTokens(
        digests=np.concatenate([one.digests for one in parts]),
        tags=digests,
        filter_codes=grams,
        filter_offsets=_bounds([one.filter_offsets for one in parts]),
        presence=np.concatenate([one.presence for one in parts]),
        codes=codes,
        offsets=_bounds([one.offsets for one in parts]),
    )


def _behind(places: Sequence[NDArray[np.int32]], counts: Sequence[int]) -> NDArray[np.int32]:
    """Places among things of which each part has so many, as places among those of all; -1 stays."""
    first = np.cumsum([0, *counts])
    return np.concatenate([np.where(one < 0, one, one + np.int32(n)) for one, n in zip(places, first, strict=False)])


def _bounds(offsets: Sequence[Offsets]) -> NDArray[np.int64]:
    """Where lists begin when those of all parts stand end to end."""
    counts = [np.zeros(1, np.int64), *(np.diff(one) for one in offsets)]
    return np.cumsum(np.concatenate(counts), dtype=np.int64)
