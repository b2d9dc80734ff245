"""What an agency answers, made while it leaves: evidence and sealed notes for every pair it was asked about.

Pairs and the local table come in, a package's body goes out. Rule: a file of half a million people is asked about
millions of pairs, two gigabytes of evidence; none of it is ever held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keys.aead import NoteSealer
from keys.chance import Chance
from keys.derive import RunKey, pair_keys
from linkage.encode.evidence import make_evidence
from linkage.layout import Layout
from linkage.model import Bytes16, Note
from linkage.notes import SEALED_NOTE_BYTES, encode_note
from linkage.package.container import Body
from linkage.package.contents import EvidenceContents, evidence_body
from linkage.package.stream import Made
from linkage.parties.local import LocalTable
from linkage.sides import evidence_bytes, from_bytes, to_bytes

PART = 1 << 15
"""Pairs answered at a time: some 15 MB of evidence."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, repr=False)
class Answer:
    """One side of every pair asked for. pair_ids: (m, 16); rows: (m,) of the local table."""

    pair_ids: Bytes16
    rows: NDArray[np.int64]
    local: LocalTable
    layout: Layout
    key: RunKey
    sealer: NoteSealer
    chance: Chance
    threads: int
    tell: Progress

    @property
    def contents(self) -> EvidenceContents:
        """All of it at once."""
        made = {name: one.whole() for name, one in self._made().items()}
        evidence = from_bytes(made["evidence"], self.pair_ids, self.layout)
        return EvidenceContents(evidence, made["notes"], self.sealer.wrapped)

    def to_body(self) -> Body:
        """The same for a package."""
        return evidence_body(self.pair_ids, self.sealer.wrapped, self._made())

    def _made(self) -> dict[str, Made]:
        return {
            "evidence": self._array(evidence_bytes(self.layout), self._evidence),
            "notes": self._array(SEALED_NOTE_BYTES, self._notes),
        }

    def _array(self, width: int, make: Callable[[], Iterator[NDArray[Any]]]) -> Made:
        return Made(np.dtype(np.uint8), (len(self.rows), width), make)

    def _parts(self) -> Iterator[slice]:
        return (slice(start, start + PART) for start in range(0, len(self.rows), PART))

    def _evidence(self) -> Iterator[NDArray[np.uint8]]:
        for part in self._parts():
            self.tell("evidence", part.start, len(self.rows))
            ids = self.pair_ids[part]
            keys = pair_keys(self.key, ids.tobytes())
            yield to_bytes(
                make_evidence(self.local.tokens, self.rows[part], ids, keys, self.layout, self.chance, self.threads)
            )

    def _notes(self) -> Iterator[NDArray[np.uint8]]:
        """The note of each pair's row, sealed for the pair."""
        blank = encode_note(Note())
        plain = [encode_note(note) for note in self.local.notes] if self.local.notes else [blank] * len(self.local)
        for part in self._parts():
            self.tell("notes", part.start, len(self.rows))
            rows = self.rows[part].tolist()
            sealed = self.sealer.seal_all(self.pair_ids[part].tobytes(), [plain[row] for row in rows])
            yield np.frombuffer(sealed, np.uint8).reshape(-1, SEALED_NOTE_BYTES)
