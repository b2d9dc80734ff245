"""What the matcher does in one-round: join rows by equal tokens, and open the evidence of those that meet.

It cannot open a row that meets no other agency's. Rule: like all of the matcher's, this module can neither encode a
name nor hold the linkage secret (an import wall that is tested).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keys.chance import SYSTEM, Chance
from keys.sharing import mask, recover
from linkage.agreement import Agreement
from linkage.layout import Layout
from linkage.match.equality import Meetings, meet
from linkage.model import Bytes16, Evidence, Pairs
from linkage.package.contents import EvidenceContents, check_evidence
from linkage.package.tokens import TokenContents
from linkage.parties.matcher import Progress, check_secrets
from linkage.parties.screened import Joined, Screened
from linkage.sides import from_sides


@dataclass(frozen=True, repr=False)
class Met:
    """Candidate pairs with both sides of each. pseudonyms: by party, in the order of its rows."""

    screened: Screened
    pseudonyms: Mapping[str, Bytes16]


def join(
    files: Mapping[str, TokenContents],
    agreement: Agreement,
    progress: Progress | None = None,
    chance: Chance = SYSTEM,
) -> Met:
    """Pairs of rows that share a token, between every two files of which one holds anchors, opened.

    Raises OtherSecretError when the agencies did not use one linkage secret, UnexpectedPackageError when what opens
    is no evidence.
    """
    chance.require(test=agreement.terms.test)
    check_secrets(files)
    tell = progress or (lambda *_: None)
    comparable = [pair for pair in agreement.comparable() if pair[0] in files and pair[1] in files]
    met = []
    for nth, (left, right) in enumerate(comparable):
        tell(f"candidates {left} x {right}", nth, len(comparable))
        met.append((left, right, meet(files[left].tokens, files[right].tokens)))
    tell("candidates", len(comparable), len(comparable))
    order = {name: _order(name, met, len(contents)) for name, contents in files.items()}
    joined: list[Joined] = []
    sides: dict[str, list[_Side]] = defaultdict(list)
    for left, right, pairs in met:
        rows = order[left].place[pairs.left], order[right].place[pairs.right]
        ids = np.frombuffer(chance.draw(16 * len(pairs)), np.uint8).reshape(len(pairs), 16)
        joined.append(Joined(left, right, Pairs(*(row.astype(np.int32) for row in rows)), ids))
        for name, side in zip((left, right), _opened(files, left, right, pairs, ids, agreement), strict=True):
            sides[name].append(side)
    nulls = {name: contents.null for name, contents in files.items()}
    evidence = {name: _together(sides[name], contents) for name, contents in files.items()}
    return Met(
        Screened(tuple(joined), nulls, evidence), {name: files[name].pseudonyms[order[name].rows] for name in files}
    )


@dataclass(frozen=True, repr=False)
class _Order:
    """Rows of a file in an order of their own, (n,), and the place of each in it, (n,)."""

    rows: NDArray[np.int64]
    place: NDArray[np.int64]


def _order(name: str, met: list[tuple[str, str, Meetings]], people: int) -> _Order:
    """Rows as they first meet, then all others: what is found never hangs on the order they came in (R36)."""
    seen = [pairs.left for left, _, pairs in met if left == name] + [p.right for _, right, p in met if right == name]
    seen.append(np.arange(people, dtype=np.int32))
    distinct, first = np.unique(np.concatenate(seen), return_index=True)
    rows = distinct[np.argsort(first)].astype(np.int64)
    place = np.empty(people, np.int64)
    place[rows] = np.arange(people)
    return _Order(rows, place)


@dataclass(frozen=True, repr=False)
class _Side:
    """One party's sides of the pairs of two files, in the order of the pairs."""

    evidence: Evidence
    notes: NDArray[np.uint8]
    rows: Bytes16


def _opened(
    files: Mapping[str, TokenContents], left: str, right: str, pairs: Meetings, ids: Bytes16, agreement: Agreement
) -> tuple[_Side, _Side]:
    """Both sides of every pair, by the secret that the two shares of its token give."""
    at = (left, pairs.left, pairs.left_slot), (right, pairs.right, pairs.right_slot)
    shares = [files[name].shares[rows, slots].tobytes() for name, rows, slots in at]
    secret = recover(shares[0], agreement.place(left), shares[1], agreement.place(right))
    layout = Layout(agreement.schema)
    found = []
    for name, rows, slots in at:
        contents = files[name]
        names, masked = contents.pseudonyms[rows], contents.sides[rows, slots]
        plain = np.frombuffer(mask(secret, names.tobytes(), masked.tobytes()), np.uint8).reshape(masked.shape)
        evidence, note_keys = from_sides(plain, ids, layout)
        check_evidence(evidence)
        sealed = mask(note_keys, names.tobytes(), contents.notes[rows].tobytes())
        found.append(_Side(evidence, np.frombuffer(sealed, np.uint8).reshape(contents.notes[rows].shape), names))
    return found[0], found[1]


def _together(sides: list[_Side], contents: TokenContents) -> EvidenceContents:
    """All sides of one party, from all files it was compared with; it was compared with one at least."""
    each = [side.evidence for side in sides]
    evidence = Evidence(
        np.concatenate([one.pair_ids for one in each]),
        np.concatenate([one.presence for one in each]),
        np.concatenate([one.tags for one in each]),
        np.concatenate([one.filters for one in each]),
    )
    notes, rows = np.concatenate([side.notes for side in sides]), np.concatenate([side.rows for side in sides])
    return EvidenceContents(evidence, notes, contents.note_key, rows)
