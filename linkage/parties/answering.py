"""What an agency answers, made while it leaves: evidence and sealed notes for every pair it was asked about.

Pairs and the local table come in, a package's body goes out. Rule: a file of half a million people is asked about
millions of pairs, two gigabytes of evidence; none of it is ever held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from keys.aead import NoteSealer
from keys.chance import Chance
from keys.derive import RunKey, pair_keys
from linkage.ahead import spread
from linkage.encode.evidence import make_evidence
from linkage.layout import Layout
from linkage.model import Bytes16, Note
from linkage.notes import SEALED_NOTE_BYTES, encode_note
from linkage.package.container import Body
from linkage.package.contents import EvidenceContents, evidence_body
from linkage.package.stream import Made
from linkage.parties.local import LocalTable
from linkage.sides import evidence_bytes, from_bytes, to_bytes

PART = 1 << 13
"""Pairs one hand answers at a time: some 4 MB of evidence."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, repr=False)
class Answer:
    """One side of every pair asked for. pair_ids: (m, 16); rows: (m,) of the local table.

    seed: of noise, of which every part has its own, so that it is the same whenever and by whomever it is made.
    """

    pair_ids: Bytes16
    rows: NDArray[np.int64]
    local: LocalTable
    layout: Layout
    key: RunKey
    sealer: NoteSealer
    seed: bytes
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
            "evidence": self._made_of(self._evidence, evidence_bytes(self.layout), self.threads),
            # Each note is sealed by a call of its own, which one thread at a time can make.
            "notes": self._made_of(self._notes, SEALED_NOTE_BYTES, 1),
        }

    def _made_of(self, make: Callable[[slice], NDArray[np.uint8]], width: int, hands: int) -> Made:
        def parts() -> Iterator[NDArray[np.uint8]]:
            starts = range(0, len(self.rows), PART)
            return spread(make, (slice(start, start + PART) for start in starts), hands)

        return Made(np.dtype(np.uint8), (len(self.rows), width), parts)

    def _evidence(self, part: slice) -> NDArray[np.uint8]:
        self.tell("evidence", part.start, len(self.rows))
        ids = self.pair_ids[part]
        keys = pair_keys(self.key, ids.tobytes())
        noise = Chance.seeded(self.seed, b"pair noise %d" % part.start, test=self.key.test)
        return to_bytes(make_evidence(self.local.tokens, self.rows[part], ids, keys, self.layout, noise))

    def _notes(self, part: slice) -> NDArray[np.uint8]:
        """The note of each pair's row, sealed for the pair."""
        self.tell("notes", part.start, len(self.rows))
        sealed = self.sealer.seal_all(self.pair_ids[part].tobytes(), [self._plain[row] for row in self.rows[part]])
        return np.frombuffer(sealed, np.uint8).reshape(-1, SEALED_NOTE_BYTES)

    @cached_property
    def _plain(self) -> list[bytes]:
        blank = encode_note(Note())
        return [encode_note(note) for note in self.local.notes] if self.local.notes else [blank] * len(self.local)
