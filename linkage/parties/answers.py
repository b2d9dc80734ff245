"""The agencies' answers as the matcher reads them: one package at a time, and of each only what was not a decoy.

Opened packages come in, evidence by party goes out. Rule: what has been opened is never written anywhere; nothing is
held but the sides that anchors still need, and those of the file they are compared with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linkage import ids
from linkage.model import Evidence
from linkage.package.contents import EvidenceContents
from linkage.parties.screened import Screened

_PARTS = ("filters", "tags", "presence")  # the last is taken first


class Answers(Mapping[str, EvidenceContents]):
    """Evidence by party for the pairs of a run, each party's opened when it is asked for.

    read: opens a party's package, from the start every time. A file of anchors is compared with several others and is
    kept; of the others the one asked for last.
    """

    def __init__(self, screened: Screened, read: Callable[[str], EvidenceContents]) -> None:
        self._joined, self._read = screened.joined, read
        self._anchors = {join.left for join in screened.joined}
        self._held: dict[str, EvidenceContents] = {}

    def __getitem__(self, name: str) -> EvidenceContents:
        """What a party answered for pairs of this run. Raises what opening its package raises."""
        if name not in self._held:
            for other in set(self._held) - self._anchors:
                del self._held[other]  # first, so that two are never held at once
            self._held[name] = self._asked(name)
        return self._held[name]

    def __iter__(self) -> Iterator[str]:
        """Names of the parties that are compared."""
        return iter(dict.fromkeys(name for join in self._joined for name in (join.left, join.right)))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def _asked(self, name: str) -> EvidenceContents:
        """Without the sides of decoys, array by array, so that each is let go before the next is made."""
        asked = [join.pair_ids for join in self._joined if name in (join.left, join.right)]
        contents = self._read(name)
        given, key = contents.evidence.pair_ids, contents.note_key
        rows = ids.places(given, np.concatenate([given[:0], *asked]))
        rows = np.sort(rows[rows >= 0])
        parts: list[NDArray[Any]] = [contents.notes, *(getattr(contents.evidence, part) for part in _PARTS)]
        del contents
        kept = []
        while parts:
            kept.append(parts.pop()[rows])
        *sides, notes = kept
        return EvidenceContents(Evidence(given[rows], *sides), notes, key)
