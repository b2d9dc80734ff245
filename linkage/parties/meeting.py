"""What the matcher does in one-round: join rows by equal tokens, and open the evidence of those that meet.

It cannot open a row that meets no other agency's. Rule: like all of the matcher's, this module can neither encode a
name nor hold the linkage secret (an import wall that is tested). Nor does it hold what lies beneath tokens that meet
nobody, which is nearly all there is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keys.chance import SYSTEM, Chance
from keys.sharing import mask, recover
from linkage.agreement import Agreement
from linkage.layout import Layout
from linkage.match.equality import Meetings, meet
from linkage.model import Bytes16, Evidence, NullTable, Pairs
from linkage.package.contents import EvidenceContents, check_evidence
from linkage.package.tokens import Beneath, TokenContents, TokenRows
from linkage.parties.matcher import Progress, check_secrets
from linkage.parties.screened import Joined, Screened
from linkage.sides import from_sides

Read = Callable[[str, NDArray[np.int32], NDArray[np.int32]], Beneath]
"""Given a party, rows of its file and places of tokens in them, (m,) each, says what lies beneath these tokens."""


@dataclass(frozen=True, repr=False)
class Met:
    """Candidate pairs with both sides of each. pseudonyms: by party, in the order of its rows."""

    screened: Screened
    pseudonyms: Mapping[str, Bytes16]


@dataclass(frozen=True, repr=False)
class MetFiles:
    """Two files, left holding anchors, and where their rows meet."""

    left: str
    right: str
    met: Meetings

    @property
    def sides(self) -> tuple[tuple[str, NDArray[np.int32], NDArray[np.int32]], ...]:
        """Of each side its party, and the rows (m,) and places of the tokens (m,) that meet."""
        met = self.met
        return (self.left, met.left, met.left_slot), (self.right, met.right, met.right_slot)


@dataclass(frozen=True, repr=False)
class Joining:
    """Which rows meet, and what else of each file is needed to open them; the tokens are needed no more."""

    pairs: tuple[MetFiles, ...]
    pseudonyms: Mapping[str, Bytes16]
    note_keys: Mapping[str, bytes]
    nulls: Mapping[str, NullTable]


def find(files: Mapping[str, TokenRows], agreement: Agreement, progress: Progress | None = None) -> Joining:
    """Pairs of rows that share a token, between every two files of which one holds anchors.

    Raises OtherSecretError when the agencies did not use one linkage secret.
    """
    check_secrets(files)
    tell = progress or (lambda *_: None)
    comparable = [pair for pair in agreement.comparable() if pair[0] in files and pair[1] in files]
    pairs = []
    for nth, (left, right) in enumerate(comparable):
        tell(f"candidates {left} x {right}", nth, len(comparable))
        pairs.append(MetFiles(left, right, meet(files[left].tokens, files[right].tokens)))
    tell("candidates", len(comparable), len(comparable))
    return Joining(
        tuple(pairs),
        {name: rows.pseudonyms for name, rows in files.items()},
        {name: rows.note_key for name, rows in files.items()},
        {name: rows.null for name, rows in files.items()},
    )


def open_met(
    joining: Joining, read: Read, agreement: Agreement, chance: Chance = SYSTEM, progress: Progress | None = None
) -> Met:
    """Both sides of every pair that met.

    read: asked once of each party, for all its tokens that met.
    Raises UnexpectedPackageError when what opens is no evidence.
    """
    chance.require(test=agreement.terms.test)
    order = {name: _order(name, joining.pairs, len(rows)) for name, rows in joining.pseudonyms.items()}
    beneath: dict[str, _Beneath] = {}
    for name in joining.pseudonyms:
        if progress:
            progress("evidence", len(beneath), len(joining.pseudonyms))
        beneath[name] = _Beneath(name, joining.pairs, read)
    joined: list[Joined] = []
    sides: dict[str, list[_Side]] = defaultdict(list)
    for pair in joining.pairs:
        ids = np.frombuffer(chance.draw(16 * len(pair.met)), np.uint8).reshape(-1, 16)
        places = (order[name].place[rows].astype(np.int32) for name, rows, _ in pair.sides)
        joined.append(Joined(pair.left, pair.right, Pairs(*places), ids))
        for name, side in _opened(pair, ids, beneath, joining.pseudonyms, agreement):
            sides[name].append(side)
    evidence = {name: _together(sides[name], key) for name, key in joining.note_keys.items()}
    pseudonyms = {name: rows[order[name].rows] for name, rows in joining.pseudonyms.items()}
    return Met(Screened(tuple(joined), joining.nulls, evidence), pseudonyms)


def join(
    files: Mapping[str, TokenContents],
    agreement: Agreement,
    progress: Progress | None = None,
    chance: Chance = SYSTEM,
) -> Met:
    """Both of these for packages that were read whole."""

    def read(name: str, rows: NDArray[np.int32], slots: NDArray[np.int32]) -> Beneath:
        return files[name].beneath(rows, slots)

    return open_met(find(files, agreement, progress), read, agreement, chance)


@dataclass(frozen=True, repr=False)
class _Order:
    """Rows of a file in an order of their own, (n,), and the place of each in it, (n,)."""

    rows: NDArray[np.int64]
    place: NDArray[np.int64]


def _order(name: str, pairs: tuple[MetFiles, ...], people: int) -> _Order:
    """Rows as they first meet, then all others: what is found never hangs on the order they came in (R36)."""
    seen = [pair.met.left for pair in pairs if pair.left == name]
    seen += [pair.met.right for pair in pairs if pair.right == name]
    distinct, first = np.unique(np.concatenate([*seen, np.arange(people, dtype=np.int32)]), return_index=True)
    rows = distinct[np.argsort(first)].astype(np.int64)
    place = np.empty(people, np.int64)
    place[rows] = np.arange(people)
    return _Order(rows, place)


class _Beneath:
    """What lies beneath all tokens of one file that met, given out pair of files by pair of files."""

    def __init__(self, name: str, pairs: tuple[MetFiles, ...], read: Read) -> None:
        mine = [side[1:] for pair in pairs for side in pair.sides if side[0] == name]
        self._next = 0
        if mine:
            self._held = read(name, *(np.concatenate(part) for part in zip(*mine, strict=True)))

    def take(self, count: int) -> Beneath:
        """That of the next so many."""
        some = slice(self._next, self._next + count)
        self._next += count
        return Beneath(self._held.shares[some], self._held.sides[some], self._held.notes[some])


@dataclass(frozen=True, repr=False)
class _Side:
    """One party's sides of the pairs of two files, in the order of the pairs."""

    evidence: Evidence
    notes: NDArray[np.uint8]
    rows: Bytes16


def _opened(
    pair: MetFiles,
    ids: Bytes16,
    beneath: Mapping[str, _Beneath],
    pseudonyms: Mapping[str, Bytes16],
    agreement: Agreement,
) -> Iterator[tuple[str, _Side]]:
    """Both sides of every pair, by the secret that the two shares of its token give."""
    masked = [beneath[name].take(len(pair.met)) for name, _, _ in pair.sides]
    ours, theirs = (side.shares.tobytes() for side in masked)
    secret = recover(ours, agreement.place(pair.left), theirs, agreement.place(pair.right))
    layout = Layout(agreement.schema)
    for (name, rows, _), side in zip(pair.sides, masked, strict=True):
        names = pseudonyms[name][rows]
        plain = np.frombuffer(mask(secret, names.tobytes(), side.sides.tobytes()), np.uint8).reshape(side.sides.shape)
        evidence, note_keys = from_sides(plain, ids, layout)
        check_evidence(evidence)
        sealed = mask(note_keys, names.tobytes(), side.notes.tobytes())
        yield name, _Side(evidence, np.frombuffer(sealed, np.uint8).reshape(side.notes.shape), names)


def _together(sides: list[_Side], note_key: bytes) -> EvidenceContents:
    """All sides of one party, from all files it was compared with; it was compared with one at least."""
    each = [side.evidence for side in sides]
    evidence = Evidence(
        np.concatenate([one.pair_ids for one in each]),
        np.concatenate([one.presence for one in each]),
        np.concatenate([one.tags for one in each]),
        np.concatenate([one.filters for one in each]),
    )
    notes, rows = np.concatenate([side.notes for side in sides]), np.concatenate([side.rows for side in sides])
    return EvidenceContents(evidence, notes, note_key, rows)
