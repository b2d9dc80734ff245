"""What each kind of package holds, and the proof that it does.

Every `from_body` accepts arrays only of the stated names, types, shapes and ranges; else UnexpectedPackageError.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import DTypeLike, NDArray

from linkage.ids import unique
from linkage.layout import FILTER_WEIGHT, Layout
from linkage.model import Bytes16, Evidence, NullTable, Request, Screening
from linkage.package.arriving import Rows
from linkage.package.container import Body
from linkage.package.links import FileMeta, Interval, LinkMeta, LinksContents, LinksMeta, SummaryMeta
from linkage.package.promises import Count, Strict, arrays_of, between, check_levels, hold, most_shared, text_of
from linkage.package.stream import Made
from linkage.schema import LEVELS, MISSING, RARITY_BUCKETS, Kind, Schema
from linkage.sides import evidence_bytes, from_bytes, to_bytes


@dataclass(frozen=True, repr=False)
class ShareContents:
    """One agency's share of the linkage secret, sealed to another; what is in it is proven by `keys.secret`."""

    share: bytes

    def to_body(self) -> Body:
        """Arrays and text for the container."""
        return Body(b"{}", {"share": np.frombuffer(self.share, np.uint8)})

    @staticmethod
    def from_body(body: Body) -> ShareContents:
        """Contents of a share package."""
        text_of(body, Strict)
        return ShareContents(arrays_of(body.arrays, {"share": (np.uint8, (None,))})["share"].tobytes())


_NULL_PARTS = ("levels", "rarity", "crossed", "counts", "present", "gaps")


class ScreeningMeta(Strict, frozen=True, kw_only=True):
    """check: keyed check value of the linkage secret, hexadecimal. people, pairs: as in model.NullTable."""

    check: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
    people: Count
    pairs: Count


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
                "tokens": self.screening.tokens,
                **null_arrays(null),
            },
        )

    @staticmethod
    def from_body(body: Body, schema: Schema, words: int, per_row: int) -> ScreeningContents:
        """Contents of a screening package under a schema, a filter length in words and a number of tokens."""
        meta = text_of(body, ScreeningMeta)
        arrays = arrays_of(
            body.arrays,
            {
                "pseudonyms": (np.uint8, (None, 16)),
                "filters": (np.uint64, (None, words)),
                "owner": (np.int32, (None,)),
                "tokens": (np.uint8, (None, per_row, 16)),
                **null_promises(len(schema)),
            },
        )
        people, owner = len(arrays["pseudonyms"]), arrays["owner"]
        hold(len(owner) == len(arrays["filters"]), "every filter has an owner")
        hold(between(owner, 0, people - 1), "owners are rows of the package")
        hold(len(np.unique(owner)) == people, "every row has a filter")
        hold(unique(arrays["pseudonyms"]), "no pseudonym appears twice")
        hold(len(arrays["tokens"]) == people, "every row has tokens")
        hold(most_shared(arrays["tokens"]) <= 1, "no token stands twice in a file")
        screening = _ordered(Screening(arrays["pseudonyms"], arrays["filters"], owner, arrays["tokens"]))
        return ScreeningContents(meta.check, screening, null_of(arrays, meta, schema))


def null_arrays(null: NullTable) -> dict[str, NDArray[Any]]:
    """The arrays of a non-match table as they travel."""
    return {f"null.{part}": getattr(null, part) for part in _NULL_PARTS}


def null_promises(fields: int) -> dict[str, tuple[DTypeLike, tuple[int | None, ...]]]:
    """Types and shapes of these arrays."""
    return {
        "null.levels": (np.int8, (None, fields)),
        "null.rarity": (np.int8, (None, fields)),
        "null.crossed": (np.int8, (None, 2)),
        "null.counts": (np.float64, (None,)),
        "null.present": (np.float64, (fields,)),
        "null.gaps": (np.float64, (None,)),
    }


def null_of(arrays: Mapping[str, NDArray[Any]], meta: ScreeningMeta, schema: Schema) -> NullTable:
    """The non-match table of arrays that have their types and shapes."""
    patterns: list[NDArray[Any]] = [arrays[f"null.{name}"] for name in ("levels", "rarity", "crossed", "counts")]
    hold(len({len(array) for array in patterns}) == 1, "every pattern has a count")
    check_levels(arrays["null.levels"], schema)
    hold(between(arrays["null.rarity"], -1, RARITY_BUCKETS - 1), "rarity is a bucket")
    hold(between(arrays["null.crossed"], MISSING, len(LEVELS[Kind.FORENAME]) - 1), "crossed levels are name levels")
    counts, present = arrays["null.counts"], arrays["null.present"]
    hold(bool(np.isfinite(counts).all() and (counts >= 0).all()), "counts are not negative")
    hold(bool(np.isfinite(present).all()) and between(present, 0, 1), "shares lie between 0 and 1")
    gaps = arrays["null.gaps"]
    hold(len(gaps) in (0, 2 ** len(schema)), "sets of missing fields are all there or none")
    hold(bool(np.isfinite(gaps).all()) and between(gaps, 0, 1), "shares lie between 0 and 1")
    return NullTable(*patterns, people=meta.people, pairs=meta.pairs, present=present, gaps=gaps)  # type: ignore[misc, arg-type]


def _ordered(screening: Screening) -> Screening:
    """The same encodings in the order of their bits: what is found never hangs on the order they came in (R36)."""
    if len(screening) == 0:
        return screening
    rows = np.lexsort(screening.filters[:, 3::-1].T)
    # Four words tell nearly all apart, at a quarter of the price of all words; those they do not tell apart go on.
    head = screening.filters[rows, :4]
    same = np.append((head[1:] == head[:-1]).all(axis=1), False)
    tied = np.flatnonzero(same | np.roll(same, 1))
    rows[tied] = rows[tied][np.lexsort(screening.filters[rows[tied], ::-1].T)]
    first = np.full(len(screening), len(rows))
    np.minimum.at(first, screening.owner[rows], np.arange(len(rows)))
    people = np.argsort(first)
    place = np.empty(len(people), np.int32)
    place[people] = np.arange(len(people), dtype=np.int32)
    owner = place[screening.owner[rows]]
    return Screening(screening.pseudonyms[people], screening.filters[rows], owner, screening.tokens[people])


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
        text_of(body, Strict)
        arrays = arrays_of(body.arrays, {"pair_ids": (np.uint8, (None, 16)), "pseudonyms": (np.uint8, (None, 16))})
        hold(len(arrays["pair_ids"]) == len(arrays["pseudonyms"]), "every pair names a row")
        hold(unique(arrays["pair_ids"]), "no pair appears twice")
        return RequestContents(Request(arrays["pair_ids"], arrays["pseudonyms"]))


@dataclass(frozen=True, repr=False)
class EvidenceContents:
    """One side of every pair asked for, and beside each a note sealed to children's services.

    notes: (m, length) uint8, all of one length. note_key: the notes' key, sealed to children's services.
    rows: in one-round, where nothing was asked, the pseudonym of each pair's row; else None.
    """

    evidence: Evidence
    notes: NDArray[np.uint8]
    note_key: bytes
    rows: Bytes16 | None = None

    @property
    def bound(self) -> Bytes16:
        """What each note was sealed for, (m, 16): its pair, or in one-round its row."""
        return self.evidence.pair_ids if self.rows is None else self.rows

    def to_body(self) -> Body:
        """Arrays and text for the container."""
        made = {"evidence": to_bytes(self.evidence), "notes": self.notes}
        body = evidence_body(self.evidence.pair_ids, self.note_key, {})
        return Body(body.meta, {**body.arrays, **made})

    @staticmethod
    def wanted(choose: Callable[[Bytes16], NDArray[np.int64]]) -> Rows:
        """Which pairs of an evidence package are wanted; what it says of others is not looked at."""

        def checked(pair_ids: NDArray[Any]) -> NDArray[np.int64]:
            arrays_of({"pair_ids": pair_ids}, {"pair_ids": (np.uint8, (None, 16))})
            hold(unique(pair_ids), "no pair appears twice")
            return choose(pair_ids)

        return Rows("pair_ids", ("evidence", "notes"), checked)

    @staticmethod
    def from_body(body: Body, layout: Layout, note_bytes: int) -> EvidenceContents:
        """Contents of an evidence package under a layout and a length of sealed notes."""
        text_of(body, Strict)
        arrays = arrays_of(
            body.arrays,
            {
                "pair_ids": (np.uint8, (None, 16)),
                "evidence": (np.uint8, (None, evidence_bytes(layout))),
                "notes": (np.uint8, (None, note_bytes)),
                "note_key": (np.uint8, (None,)),
            },
        )
        pair_ids = arrays["pair_ids"]
        hold(
            len({len(arrays[name]) for name in ("pair_ids", "evidence", "notes")}) == 1,
            "every pair has evidence and a note",
        )
        hold(unique(pair_ids), "no pair appears twice")
        evidence = from_bytes(arrays["evidence"], pair_ids, layout)
        check_evidence(evidence)
        return EvidenceContents(evidence, arrays["notes"], arrays["note_key"].tobytes())


def evidence_body(pair_ids: Bytes16, note_key: bytes, made: Mapping[str, Made]) -> Body:
    """A package's body; made: evidence and notes, made as they leave.

    Of arrays of bytes, those of earlier names come first: whoever opens the last part first knows all pairs.
    """
    return Body(b"{}", {"pair_ids": pair_ids, "note_key": np.frombuffer(note_key, np.uint8)}, made)


def check_evidence(evidence: Evidence) -> None:
    """Sides say only what sides can say."""
    hold(between(evidence.presence, 0, 2), "presence is 0, 1 or 2")
    weights = np.bitwise_count(evidence.filters).sum(axis=2, dtype=np.int64)
    hold(bool((weights == FILTER_WEIGHT).all()), "every filter has the agreed weight")


__all__ = [
    "EvidenceContents",
    "FileMeta",
    "Interval",
    "LinkMeta",
    "LinksContents",
    "LinksMeta",
    "RequestContents",
    "ScreeningContents",
    "ScreeningMeta",
    "ShareContents",
    "SummaryMeta",
    "check_evidence",
    "evidence_body",
    "null_arrays",
    "null_of",
    "null_promises",
]
