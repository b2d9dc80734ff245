"""What the matcher sends to children's services, and the proof that it is that.

Links, sealed notes and the run's own account come in and go out; a name of a person has no place here.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from linkage.model import Bytes16
from linkage.package.container import Body
from linkage.package.promises import Count, Strict, arrays_of, check_levels, hold, text_of
from linkage.schema import Schema
from linkage.terms import Name, Share

_ARRAYS = ("levels", "bits", "anchor_notes", "notes", "anchor_bound", "bound")
NAMES_SWAPPED = "names_swapped"
"""Reason code: forename and surname agree crosswise; their levels then compare unlike with unlike."""


class LinkMeta(Strict, frozen=True, kw_only=True):
    """One link for children's services: which pair, found where, in which band."""

    pair: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
    anchor_party: Name
    party: Name
    band: Literal["strong", "probable", "review"]
    reasons: tuple[Annotated[str, Meta(pattern=r"^[a-z_]{1,40}\Z")], ...] = ()


class Interval(Strict, frozen=True, kw_only=True):
    """An expected rate and its interval, as shares."""

    expected: Share
    low: Share
    high: Share


class FileMeta(Strict, frozen=True, kw_only=True):
    """One file that was searched: people in it, and the share of them with each field, in the schema's order."""

    people: Count
    present: tuple[Share, ...]


class SummaryMeta(Strict, frozen=True, kw_only=True):
    """What the matcher says of a run as a whole (R17, R29, R30).

    false_links: of the strong links, the share expected to join two men.
    missed: of all true pairs, the share not linked.
    """

    searched_on: dt.date
    files: dict[Name, FileMeta]
    anchors: Count
    nothing_found: Count
    not_enough: Count
    overflow: Count
    false_links: Interval | None
    missed: Interval | None


class LinksMeta(Strict, frozen=True, kw_only=True):
    """Links of a run, the sealed keys of their notes by party, and the run's summary as the matcher counted it."""

    links: tuple[LinkMeta, ...]
    note_keys: dict[Name, bytes]
    summary: SummaryMeta


@dataclass(frozen=True, repr=False)
class LinksContents:
    """What the matcher sends to children's services.

    levels: (l, f) int8 and bits: (l, f + 1) float32, agreement and weight by field (last: prior).
    anchor_notes, notes: (l, length) uint8, sealed; a withheld note is all zero. anchor_bound, bound: (l, 16) uint8,
    what each note was sealed for: the link's pair, or in one-round the pseudonym of the row.
    """

    meta: LinksMeta
    levels: NDArray[np.int8]
    bits: NDArray[np.float32]
    anchor_notes: NDArray[np.uint8]
    notes: NDArray[np.uint8]
    anchor_bound: Bytes16
    bound: Bytes16

    def to_body(self) -> Body:
        """Arrays and text for the container."""
        arrays: dict[str, NDArray[Any]] = {name: getattr(self, name) for name in _ARRAYS}
        return Body(msgspec.json.encode(self.meta), arrays)

    @staticmethod
    def from_body(body: Body, schema: Schema, note_bytes: int) -> LinksContents:
        """Contents of a links package."""
        meta = text_of(body, LinksMeta)
        arrays = arrays_of(
            body.arrays,
            {
                "levels": (np.int8, (len(meta.links), len(schema))),
                "bits": (np.float32, (len(meta.links), len(schema) + 1)),
                "anchor_notes": (np.uint8, (len(meta.links), note_bytes)),
                "notes": (np.uint8, (len(meta.links), note_bytes)),
                "anchor_bound": (np.uint8, (len(meta.links), 16)),
                "bound": (np.uint8, (len(meta.links), 16)),
            },
        )
        check_levels(arrays["levels"], schema)
        hold(len({link.pair for link in meta.links}) == len(meta.links), "no pair appears twice")
        hold(all({link.anchor_party, link.party} <= meta.note_keys.keys() for link in meta.links), "notes have keys")
        shares = [file.present for file in meta.summary.files.values()]
        hold(all(len(present) == len(schema) for present in shares), "files have a share for every field")
        hold(bool(np.isfinite(arrays["bits"]).all()), "weights are numbers")
        return LinksContents(meta, *(arrays[name] for name in _ARRAYS))
