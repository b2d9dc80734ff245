"""What the matcher keeps between `screen` and `decide`, encrypted at rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from linkage.match.candidates import SearchStats
from linkage.model import Bytes16, Evidence, NullTable, Pairs
from linkage.package.contents import EvidenceContents
from linkage.package.stream import Stream, container
from linkage.toml import Table


@dataclass(frozen=True, repr=False)
class Joined:
    """Candidate pairs of two parties' files, left holding anchors, with the pair id of each.

    search: the account of the search for them, told once and not kept.
    """

    left: str
    right: str
    pairs: Pairs
    pair_ids: Bytes16
    search: SearchStats | None = None


@dataclass(frozen=True, repr=False)
class Screened:
    """What the matcher keeps between screen and decide: pairs with their ids, and each file's non-match patterns.

    evidence: by party, in one-round, where it came with the tokens; else it is still to be answered.
    """

    joined: tuple[Joined, ...]
    nulls: Mapping[str, NullTable]
    evidence: Mapping[str, EvidenceContents] = field(default_factory=dict)

    def to_stream(self) -> Stream:
        """One container of arrays and text, to be encrypted."""
        arrays: dict[str, NDArray[Any]] = {}
        for nth, join in enumerate(self.joined):
            arrays |= {f"j{nth}.left": join.pairs.left, f"j{nth}.right": join.pairs.right, f"j{nth}.ids": join.pair_ids}
        for nth, null in enumerate(self.nulls.values()):
            arrays |= {f"n{nth}.{part}": getattr(null, part) for part in _NULL_PARTS}
        for nth, contents in enumerate(self.evidence.values()):
            arrays |= {f"e{nth}.{part}": np.ascontiguousarray(getattr(contents.evidence, part)) for part in _SIDE_PARTS}
            arrays |= {f"e{nth}.notes": contents.notes, f"e{nth}.rows": np.ascontiguousarray(contents.bound)}
        meta = _Meta(
            note_keys={name: contents.note_key for name, contents in self.evidence.items()},
            joined=tuple((join.left, join.right) for join in self.joined),
            nulls={name: (null.people, null.pairs) for name, null in self.nulls.items()},
        )
        return container(arrays | {"meta": np.frombuffer(msgspec.json.encode(meta), np.uint8)})

    @staticmethod
    def from_bytes(data: bytes) -> Screened:
        """Inverse of to_stream, joined; the blob it came from was authenticated."""
        from safetensors.numpy import load

        arrays = load(data)
        meta = msgspec.json.decode(arrays["meta"].tobytes(), type=_Meta)
        joined = tuple(
            Joined(left, right, Pairs(arrays[f"j{nth}.left"], arrays[f"j{nth}.right"]), arrays[f"j{nth}.ids"])
            for nth, (left, right) in enumerate(meta.joined)
        )
        nulls = {}
        for nth, (name, (people, pairs)) in enumerate(meta.nulls.items()):
            parts = {part: arrays[f"n{nth}.{part}"] for part in _NULL_PARTS}
            nulls[name] = NullTable(**parts, people=people, pairs=pairs)
        evidence = {}
        for nth, (name, note_key) in enumerate(meta.note_keys.items()):
            sides = Evidence(*(arrays[f"e{nth}.{part}"] for part in _SIDE_PARTS))
            evidence[name] = EvidenceContents(sides, arrays[f"e{nth}.notes"], note_key, arrays[f"e{nth}.rows"])
        return Screened(joined, nulls, evidence)


_NULL_PARTS = ("levels", "rarity", "crossed", "counts", "present", "gaps")
_SIDE_PARTS = ("pair_ids", "presence", "tags", "filters")


class _Meta(Table, frozen=True, kw_only=True):
    joined: tuple[tuple[str, str], ...]
    nulls: dict[str, tuple[int, int]]
    note_keys: dict[str, bytes]
