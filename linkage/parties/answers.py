"""The agencies' answers as the matcher reads them: one package at a time, and of each only what was not a decoy.

Opened packages come in, evidence by party goes out. Rule: what has been opened is never written anywhere; nothing is
held but the sides that anchors still need, and those of the file they are compared with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from linkage import ids
from linkage.model import Bytes16
from linkage.package.contents import EvidenceContents
from linkage.parties.screened import Screened

Choose = Callable[[Bytes16], NDArray[np.int64]]
"""Given the pairs of a package, (m, 16), says which of them are wanted, ascending."""


class Answers(Mapping[str, EvidenceContents]):
    """Evidence by party for the pairs of a run, each party's opened when it is asked for.

    read: opens a party's package, from the start every time, and gives what it says of the pairs wanted. A file of
    anchors is compared with several others and is kept; of the others the one asked for last.
    """

    def __init__(self, screened: Screened, read: Callable[[str, Choose], EvidenceContents]) -> None:
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
        """Without the sides of decoys."""
        asked = [join.pair_ids for join in self._joined if name in (join.left, join.right)]

        def choose(given: Bytes16) -> NDArray[np.int64]:
            rows = ids.places(given, np.concatenate([given[:0], *asked]))
            return np.sort(rows[rows >= 0])

        return self._read(name, choose)
