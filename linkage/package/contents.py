"""What each kind of package holds, and the proof that it does.

Every `from_body` accepts arrays only of the stated names, types, shapes and ranges; else UnexpectedPackageError.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import DTypeLike, NDArray

from linkage.errors import UnexpectedPackageError
from linkage.layout import FILTER_WORDS, Layout
from linkage.model import Evidence, NullTable, Request, Screening
from linkage.package.container import Body
from linkage.schema import LEVELS, MISSING, RARITY_BUCKETS, Kind, Schema
from linkage.toml import Table

_T = TypeVar("_T")
_Arrays = Mapping[str, NDArray[Any]]
_Shape = tuple[int | None, ...]


class _Strict(Table, frozen=True, kw_only=True):
    pass


class ScreeningMeta(_Strict, frozen=True, kw_only=True):
    """check: keyed check value of the linkage secret, hexadecimal. people, pairs: as in model.NullTable."""

    check: str
    people: int
    pairs: int


@dataclass(frozen=True, repr=False)
class ScreeningContents:
    """An agency's screening encodings and its non-match patterns."""

    check: str
    screening: Screening
    null: NullTable

    def to_body(self) -> Body:
        """Arrays and text for the container."""
        null = self.null
        meta = ScreeningMeta(check=self.check, people=null.people, pairs=null.pairs)
        return Body(
            msgspec.json.encode(meta),
            {
                "pseudonyms": self.screening.pseudonyms,
                "filters": self.screening.filters,
                "owner": self.screening.owner,
                "null.levels": null.levels,
                "null.rarity": null.rarity,
                "null.crossed": null.crossed,
                "null.counts": null.counts,
                "null.present": null.present,
            },
        )

    @staticmethod
    def from_body(body: Body, schema: Schema, words: int) -> ScreeningContents:
        """Contents of a screening package under a schema and a filter length in words."""
        meta = _meta(body, ScreeningMeta)
        fields = len(schema)
        arrays = _arrays(
            body.arrays,
            {
                "pseudonyms": (np.uint8, (None, 16)),
                "filters": (np.uint64, (None, words)),
                "owner": (np.int32, (None,)),
                "null.levels": (np.int8, (None, fields)),
                "null.rarity": (np.int8, (None, fields)),
                "null.crossed": (np.int8, (None, 2)),
                "null.counts": (np.float64, (None,)),
                "null.present": (np.float64, (fields,)),
            },
        )
        people, owner = len(arrays["pseudonyms"]), arrays["owner"]
        _hold(len(owner) == len(arrays["filters"]), "every filter has an owner")
        _hold(_between(owner, 0, people - 1), "owners are rows of the package")
        _hold(_unique(arrays["pseudonyms"]), "no pseudonym appears twice")
        patterns: list[NDArray[Any]] = [arrays[f"null.{name}"] for name in ("levels", "rarity", "crossed", "counts")]
        _hold(len({len(array) for array in patterns}) == 1, "every pattern has a count")
        check_levels(arrays["null.levels"], schema)
        _hold(_between(arrays["null.rarity"], -1, RARITY_BUCKETS - 1), "rarity is a bucket")
        _hold(
            _between(arrays["null.crossed"], MISSING, len(LEVELS[Kind.FORENAME]) - 1), "crossed levels are name levels"
        )
        counts, present = arrays["null.counts"], arrays["null.present"]
        _hold(bool(np.isfinite(counts).all() and (counts >= 0).all()), "counts are not negative")
        _hold(bool(np.isfinite(present).all()) and _between(present, 0, 1), "shares lie between 0 and 1")
        _hold(meta.people >= 0 and meta.pairs >= 0, "numbers are not negative")
        null = NullTable(*patterns, people=meta.people, pairs=meta.pairs, present=present)  # type: ignore[misc, arg-type]
        return ScreeningContents(meta.check, Screening(arrays["pseudonyms"], arrays["filters"], owner), null)


@dataclass(frozen=True, repr=False)
class RequestContents:
    """What the matcher asks of one agency."""

    request: Request

    def to_body(self) -> Body:
        """Arrays and text for the container."""
        return Body(b"{}", {"pair_ids": self.request.pair_ids, "pseudonyms": self.request.pseudonyms})

    @staticmethod
    def from_body(body: Body) -> RequestContents:
        """Contents of a request."""
        _meta(body, _Strict)
        arrays = _arrays(body.arrays, {"pair_ids": (np.uint8, (None, 16)), "pseudonyms": (np.uint8, (None, 16))})
        _hold(len(arrays["pair_ids"]) == len(arrays["pseudonyms"]), "every pair names a row")
        _hold(_unique(arrays["pair_ids"]), "no pair appears twice")
        return RequestContents(Request(arrays["pair_ids"], arrays["pseudonyms"]))


@dataclass(frozen=True, repr=False)
class EvidenceContents:
    """One side of every pair asked for, and beside each a note sealed to children's services.

    notes: (m, length) uint8, all of one length. note_key: the notes' key, sealed to children's services.
    """

    evidence: Evidence
    notes: NDArray[np.uint8]
    note_key: bytes

    def to_body(self) -> Body:
        """Arrays and text for the container."""
        return Body(
            b"{}",
            {
                "pair_ids": self.evidence.pair_ids,
                "presence": self.evidence.presence,
                "tags": self.evidence.tags,
                "filters": self.evidence.filters,
                "notes": self.notes,
                "note_key": np.frombuffer(self.note_key, np.uint8),
            },
        )

    @staticmethod
    def from_body(body: Body, layout: Layout, note_bytes: int) -> EvidenceContents:
        """Contents of an evidence package under a layout and a length of sealed notes."""
        _meta(body, _Strict)
        arrays = _arrays(
            body.arrays,
            {
                "pair_ids": (np.uint8, (None, 16)),
                "presence": (np.uint8, (None, len(layout.slots))),
                "tags": (np.uint32, (None, layout.tags)),
                "filters": (np.uint64, (None, layout.filters, FILTER_WORDS)),
                "notes": (np.uint8, (None, note_bytes)),
                "note_key": (np.uint8, (None,)),
            },
        )
        sides = [arrays[name] for name in ("pair_ids", "presence", "tags", "filters", "notes")]
        _hold(len({len(array) for array in sides}) == 1, "every pair has evidence and a note")
        _hold(_unique(arrays["pair_ids"]), "no pair appears twice")
        _hold(_between(arrays["presence"], 0, 2), "presence is 0, 1 or 2")
        return EvidenceContents(Evidence(*sides[:4]), arrays["notes"], arrays["note_key"].tobytes())


class LinkMeta(_Strict, frozen=True, kw_only=True):
    """One link for children's services: which pair, found where, in which band."""

    pair: str
    anchor_party: str
    party: str
    band: str
    reasons: tuple[str, ...] = ()


class Interval(_Strict, frozen=True, kw_only=True):
    """An expected rate and its interval, as shares."""

    expected: float
    low: float
    high: float


class FileMeta(_Strict, frozen=True, kw_only=True):
    """One file that was searched: people in it, and the share of them with each field, in the schema's order."""

    people: int
    present: tuple[float, ...]


class SummaryMeta(_Strict, frozen=True, kw_only=True):
    """What the matcher says of a run as a whole (R17, R29, R30)."""

    searched_on: dt.date
    files: dict[str, FileMeta]
    anchors: int
    nothing_found: int
    not_enough: int
    overflow: int
    false_links: Interval | None
    missed: Interval | None


class LinksMeta(_Strict, frozen=True, kw_only=True):
    """Links of a run, the sealed keys of their notes by party, and the run's summary as the matcher counted it."""

    links: tuple[LinkMeta, ...]
    note_keys: dict[str, bytes]
    summary: SummaryMeta


@dataclass(frozen=True, repr=False)
class LinksContents:
    """What the matcher sends to children's services.

    levels: (l, f) int8 and bits: (l, f + 1) float32, agreement and weight by field (last: prior).
    anchor_notes, notes: (l, length) uint8, sealed; a withheld note is all zero.
    """

    meta: LinksMeta
    levels: NDArray[np.int8]
    bits: NDArray[np.float32]
    anchor_notes: NDArray[np.uint8]
    notes: NDArray[np.uint8]

    def to_body(self) -> Body:
        """Arrays and text for the container."""
        arrays: dict[str, NDArray[Any]] = {"levels": self.levels, "bits": self.bits}
        return Body(msgspec.json.encode(self.meta), arrays | {"anchor_notes": self.anchor_notes, "notes": self.notes})

    @staticmethod
    def from_body(body: Body, schema: Schema, note_bytes: int) -> LinksContents:
        """Contents of a links package."""
        meta = _meta(body, LinksMeta)
        arrays = _arrays(
            body.arrays,
            {
                "levels": (np.int8, (len(meta.links), len(schema))),
                "bits": (np.float32, (len(meta.links), len(schema) + 1)),
                "anchor_notes": (np.uint8, (len(meta.links), note_bytes)),
                "notes": (np.uint8, (len(meta.links), note_bytes)),
            },
        )
        check_levels(arrays["levels"], schema)
        _hold(bool(np.isfinite(arrays["bits"]).all()), "weights are numbers")
        return LinksContents(meta, arrays["levels"], arrays["bits"], arrays["anchor_notes"], arrays["notes"])


def check_levels(levels: NDArray[np.int8], schema: Schema) -> None:
    """Every level exists for its field."""
    for place in range(len(schema)):
        _hold(_between(levels[:, place], MISSING, len(schema.levels(place)) - 1), "levels exist for their field")


def _meta(body: Body, type_: type[_T]) -> _T:
    try:
        return msgspec.json.decode(body.meta, type=type_)
    except msgspec.MsgspecError:
        raise UnexpectedPackageError("the package's text is not what its kind promises", _THEIR_FAULT) from None


def _arrays(arrays: _Arrays, promised: Mapping[str, tuple[DTypeLike, _Shape]]) -> dict[str, NDArray[Any]]:
    _hold(arrays.keys() == promised.keys(), "it holds the arrays of its kind and no other")
    for name, (dtype, shape) in promised.items():
        array = arrays[name]
        _hold(array.dtype == dtype, f"'{name}' has its type")
        fits = len(array.shape) == len(shape) and all(
            want is None or have == want for have, want in zip(array.shape, shape, strict=True)
        )
        _hold(fits, f"'{name}' has its shape")
    return dict(arrays)


def _hold(holds: bool, promise: str) -> None:
    if not holds:
        raise UnexpectedPackageError(f"the package breaks a promise of its format: {promise}", _THEIR_FAULT)


def _between(array: NDArray[Any], least: float, most: float) -> bool:
    return array.size == 0 or bool(array.min() >= least and array.max() <= most)


def _unique(ids: NDArray[Any]) -> bool:
    return len(np.unique(np.ascontiguousarray(ids).view("V16"))) == len(ids)


_THEIR_FAULT = "both parties install the same release; then the sender makes the package again"
