"""Where everything stands in one side of evidence: the columns both agencies fill and the matcher compares.

A side holds, per field and value slot: presence (one byte), tags (32 bits each, equal on both sides when the
token is equal) and for names and text a constant-weight filter of 512 bits. Every side of a run has the same
size. A tag with nothing to say is random, so between sides nothing but presence and agreement shows. Within one side
what a person's own values have in common shows as well (two aliases with one initial, a day that equals the month).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from linkage.schema import RARITY_BUCKETS, Field, Kind, Schema

FILTER_BITS = 512
FILTER_WORDS = FILTER_BITS // 64
FILTER_WEIGHT = 60
"""Bits set in every filter, whatever the length of the value: the share of common bits is shared / longer."""

ROOTS = 3
SOUNDS = 2
INITIALS = 2  # slot 0: of a whole name; slot 1: where only the initial is known
YEAR_WINDOW = 12  # tags of the 12 years from year - 5 to year + 6; 12 - common = difference in years
DATE_DIGITS = 8
POSTCODE_CHARACTERS = 7

TAGS: dict[Kind, dict[str, int]] = {
    Kind.FORENAME: {"exact": RARITY_BUCKETS, "root": ROOTS, "sound": SOUNDS, "initial": INITIALS},
    Kind.SURNAME: {"exact": RARITY_BUCKETS, "root": ROOTS, "sound": SOUNDS, "initial": INITIALS},
    Kind.DATE: {"exact": 1, "day": 1, "month": 1, "year": 1, "swap": 2, "digit": DATE_DIGITS, "window": YEAR_WINDOW},
    Kind.POSTCODE: {"exact": 1, "sector": 1, "district": 1, "area": 1, "character": POSTCODE_CHARACTERS},
    Kind.SEX: {"exact": 1},
    Kind.TEXT: {"exact": 1},
    Kind.PHONE: {"exact": 1, "ending": 1},
    Kind.IDENTIFIER: {"exact": 1},
}
"""Tags of one value by kind: group name to number of tags."""

FILTERED = frozenset({Kind.FORENAME, Kind.SURNAME, Kind.TEXT})


def tags_of(kind: Kind) -> int:
    """Number of tags of one value of a kind."""
    return sum(TAGS[kind].values())


def group(kind: Kind, name: str) -> slice:
    """Columns of a group of tags within the tags of one value."""
    start = 0
    for group_name, size in TAGS[kind].items():
        if group_name == name:
            return slice(start, start + size)
        start += size
    raise KeyError(name)


@dataclass(frozen=True)
class Slot:
    """One value of one field: its place among fields, presence columns, tags and filters (-1: no filter)."""

    field: int
    kind: Kind
    presence: int
    tags: slice
    filter: int

    def group(self, name: str) -> slice:
        """Columns of a group of this slot's tags within a whole side."""
        inner = group(self.kind, name)
        return slice(self.tags.start + inner.start, self.tags.start + inner.stop)


@dataclass(frozen=True)
class Layout:
    """The columns of a side of evidence under one schema."""

    schema: Schema

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """All slots, field by field."""
        slots: list[Slot] = []
        tag, filter_ = 0, 0
        for place, field in enumerate(self.schema.fields):
            for _ in range(field.values):
                width, filtered = tags_of(field.kind), field.kind in FILTERED
                slots.append(Slot(place, field.kind, len(slots), slice(tag, tag + width), filter_ if filtered else -1))
                tag, filter_ = tag + width, filter_ + filtered
        return tuple(slots)

    @cached_property
    def tags(self) -> int:
        """Tags in a whole side."""
        return sum(tags_of(field.kind) * field.values for field in self.schema.fields)

    @cached_property
    def filters(self) -> int:
        """Filters in a whole side."""
        return sum(field.values for field in self.schema.fields if field.kind in FILTERED)

    def of(self, field: Field) -> tuple[Slot, ...]:
        """Slots of one field."""
        place = self.schema.fields.index(field)
        return tuple(slot for slot in self.slots if slot.field == place)
