"""Links as children's services hold them after opening, and what one run says about itself.

Opened notes and decisions come in, `LinkView` and `RunSummary` go out to the worklist and the sheets.
Rule: there is no place here for a name, an address, a number or a note about anybody (R27). Words about
agreement are checked against the closed list of comparison levels, so a value cannot pass as a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeVar

from linkage.errors import ReleaseError
from linkage.model import Anchor, Flag
from linkage.schema import LEVELS, MISSING, Field, Sense

NOT_KNOWN = "not known"
CROSSED = "the two names agree when swapped round"
NOT_SENSED = "missing"
"""Sense of a field that one side or both do not have; the other senses are those of `schema.Sense`."""

SENSES = frozenset({*map(str, Sense), NOT_SENSED})
AGREEMENT_WORDS = frozenset(
    {NOT_KNOWN, CROSSED, *(level.words for levels in LEVELS.values() for level in levels)},
)

_E = TypeVar("_E", bound=StrEnum)
_LINK_ID = re.compile(r"[0-9a-f]{32}")


class Band(StrEnum):
    """How firmly the evidence says that two records are one man (R16); links below these never leave."""

    STRONG = "strong"
    PROBABLE = "probable"
    REVIEW = "review"


class Withheld(StrEnum):
    """Why a link carries no flags; a closed list, because a reason in free words could say too much (R22 to R24)."""

    NOTHING = ""
    PROBABLE = "probable"  # R16: the originator must first confirm a further identifier
    REVIEW = "review"  # R13: an identifier and the other details contradict each other
    ASK_US = "ask_us"  # R24: a sensitive service says only "known, ask us"
    NOT_RELEASED = "not_released"  # R22, R23: the originator decided against
    NOT_ANSWERED = "not_answered"  # R22: silence is not consent


@dataclass(frozen=True)
class FieldAgreement:
    """How one field agrees, without its values (R34). weight: bits for (+) or against (-) one man."""

    title: str
    words: str
    sense: str
    weight: float

    def __post_init__(self) -> None:
        if self.words not in AGREEMENT_WORDS or self.sense not in SENSES:
            raise ReleaseError(
                "an explanation says more than how a field agrees",
                "build it with `field_agreement`, which knows the agreed words",
            )


def field_agreement(field: Field, level: int, weight: float, title: str = "") -> FieldAgreement:
    """The words for a level of a field; level as in `schema.LEVELS`, or MISSING."""
    title = title or field.name.replace("_", " ")
    if level == MISSING:
        return FieldAgreement(title, NOT_KNOWN, NOT_SENSED, weight)
    found = LEVELS[field.kind][level]
    return FieldAgreement(title, found.words, found.sense.value, weight)


@dataclass(frozen=True, repr=False)
class LinkView:
    """One link around an anchor, ready to be shown.

    link_id: hex of the 16-byte pair id. agency: party name; agency_title, contact_desk: as the agreement has them.
    flags: released categories, none while `withheld` gives a reason.
    """

    link_id: str
    agency: str
    agency_title: str
    contact_desk: str
    band: Band
    agreement: tuple[FieldAgreement, ...]
    flags: tuple[Flag, ...]
    anchor: Anchor
    withheld: Withheld
    found_on: date
    expires: date

    def __post_init__(self) -> None:
        if not _LINK_ID.fullmatch(self.link_id):
            raise ReleaseError("a link id is not 32 hexadecimal digits")
        # Closed lists, whoever calls: a plain string with the same letters is taken, any other refused.
        object.__setattr__(self, "band", _member(Band, self.band))
        object.__setattr__(self, "withheld", _member(Withheld, self.withheld))
        if self.flags and self.withheld:
            raise ReleaseError(
                "a link carries flags although they are withheld",
                "flags of a withheld link must never be opened; this is a fault of the programme",
            )

    def __repr__(self) -> str:
        return f"LinkView(agency={self.agency!r}, band={self.band.value!r})"


@dataclass(frozen=True)
class Rate:
    """An expected error rate with its interval, as shares in [0, 1]."""

    expected: float
    low: float
    high: float


@dataclass(frozen=True)
class AgencySearched:
    """One agency's file in this run. rows: as received; shown rounded (R42). usable: field title, share present."""

    name: str
    title: str
    rows: int
    usable: tuple[tuple[str, float], ...]
    contact_desk: str = ""


@dataclass(frozen=True)
class RunSummary:
    """What makes "nothing found" honest (R29): who was searched, when, with which fields, and how often we miss.

    digest: short form of the agreement's digest. searched_on: day the files were compared; expires: last day of use.
    missed, false_links: None where this run could not estimate them. bands: links by band name.
    overflow: links above the volume cap, held back for a later run (R30).
    anchors: men searched for; nothing_found: of these, without any link;
    not_enough: of these without a link, with too little recorded to find them anywhere.
    """

    run: str
    agreement_title: str
    digest: str
    searched_on: date
    expires: date
    agencies: tuple[AgencySearched, ...]
    missed: Rate | None
    false_links: Rate | None
    bands: tuple[tuple[str, int], ...]
    anchors: int
    nothing_found: int
    not_enough: int
    overflow: int = 0
    cap: int | None = None


def in_order(links: Iterable[LinkView]) -> list[LinkView]:
    """By due date (unknown dates last), then child, then agency: what a flag says never moves a link (R18)."""
    return sorted(
        links,
        key=lambda link: (
            not is_date(link.anchor.due_date),
            link.anchor.due_date,
            link.anchor.child_id,
            link.agency_title,
            link.link_id,
        ),
    )


def is_date(text: str) -> bool:
    """Whether a text is a whole ISO date."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _member(kind: type[_E], value: str) -> _E:
    try:
        return kind(value)
    except ValueError:
        raise ReleaseError(f"a link has an unknown {kind.__name__.lower()}") from None
