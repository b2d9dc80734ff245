"""What an agency makes of its file, part by part, in either protocol: tokens, and who shares values with whom.

Records of one part after another come in, what is made of each is put on a shelf. Rule: nothing here holds more than a
part; what needs the whole file, how rare a name is or who shares a value with few, is counted as parts pass by.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from keys.chance import Chance
from keys.derive import RunKey
from linkage.agreement import Agreement
from linkage.encode.joining import Names, Tokens, add_names, count_names, join, take, with_rarity
from linkage.encode.screening import shuffle
from linkage.encode.sharing import Meetings
from linkage.encode.tight import Combined, GivenFile, combine, give
from linkage.encode.tokens import tokenise
from linkage.model import Bytes16, Note, Records
from linkage.parties.inside import Pairs, missing_sets
from linkage.parties.local import LocalTable, proof_of
from linkage.shelf import Held, Shelf

Progress = Callable[[str, int, int], None]
"""Told (what, done, total)."""


class Who(NamedTuple):
    """The people of a part: the agency's own ids, notes, pseudonyms (n, 16), and the order in which they leave (n,)."""

    local_ids: Sequence[str]
    notes: tuple[Note, ...]
    pseudonyms: Bytes16
    order: NDArray[np.int32]


@dataclass(frozen=True, repr=False)
class Piece:
    """One part of a file. first: the number of its first person in the file; people: how many.

    tokens: with names as rare as they are in the whole file. combined: their tight tokens, if there are any.
    """

    first: int
    people: int
    who: Held[Who]
    tokens: Held[Tokens]
    combined: Combined | None

    def local(self) -> LocalTable:
        """What stays at the agency."""
        who = self.who()
        return LocalTable(who.pseudonyms, who.local_ids, self.tokens(), who.notes)

    def proven(self) -> LocalTable:
        """What stays in one-round, where nothing is asked."""
        who = self.who()
        return LocalTable(who.pseudonyms, who.local_ids, (), (), proof_of(self.tokens()))


@dataclass(frozen=True, repr=False)
class Parted:
    """A file, taken apart. missing: (2 ** f,) how many people lack each set of fields; see inside.missing_sets."""

    pieces: tuple[Piece, ...]
    missing: NDArray[np.int64]
    shelf: Shelf

    def __len__(self) -> int:
        return sum(piece.people for piece in self.pieces)

    def __repr__(self) -> str:
        return f"Parted(people={len(self)}, parts={len(self.pieces)})"

    def chosen(self, pairs: Pairs) -> tuple[Tokens, Pairs]:
        """Tokens of the people whom some pairs are of, if not of all, and the pairs by their places among these."""
        if len(self.pieces) == 1:
            return self.pieces[0].tokens(), pairs
        people, place = np.unique(np.concatenate(pairs), return_inverse=True)
        ends = np.searchsorted(people, [piece.first + piece.people for piece in self.pieces])
        of_pieces = zip(self.pieces, np.split(people, ends[:-1]), strict=True)
        low, high = np.split(place, 2)
        return join([take(piece.tokens(), own - piece.first) for piece, own in of_pieces]), (low, high)

    def give(self, agreement: Agreement, meetings: Meetings) -> GivenFile | None:
        """Which values give tight tokens, if there are any."""
        combined = [piece.combined for piece in self.pieces if piece.combined]
        if agreement.tokens is None or not combined:
            return None
        return give(combined, agreement.combinations, agreement.tokens, self.shelf, meetings)


def take_apart(
    file: Sequence[Held[Records]],
    agreement: Agreement,
    key: RunKey,
    shelf: Shelf,
    chance: Chance,
    visit: Callable[[Records, int], None],
    tell: Progress,
) -> Parted:
    """Everything that is made of records, each part of which is asked for once.

    visit: what else is made of a part, told the number of its first person.
    """
    pieces: list[Piece] = []
    names: dict[int, Names] = {}
    missing = np.zeros(1 << len(agreement.schema), np.int64)
    first = 0
    for nth, load in enumerate(file):
        tell("standardised records to tokens", nth, len(file))
        records = load()
        visit(records, first)
        combined = _combined(records, agreement, key, shelf, first, len(file))
        tokens = tokenise(records, agreement.schema, key)
        counted = count_names(tokens, agreement.schema)
        names = add_names(names, counted) if names else counted
        missing += missing_sets(tokens)
        pieces.append(Piece(first, len(records), shelf.put(_who(records, chance)), shelf.put(tokens), combined))
        first += len(records)
        del records, tokens
        tell("standardised records to tokens", nth + 1, len(file))
    if len(pieces) > 1:
        pieces = [replace(piece, tokens=partial(_rare, piece.tokens, agreement, names)) for piece in pieces]
    return Parted(tuple(pieces), missing, shelf)


def _rare(tokens: Held[Tokens], agreement: Agreement, names: dict[int, Names]) -> Tokens:
    return with_rarity(tokens(), agreement.schema, names)


def _who(records: Records, chance: Chance) -> Who:
    count = len(records)
    pseudonyms = np.frombuffer(chance.draw(16 * count), np.uint8).reshape(count, 16)
    return Who(records.local_ids, records.notes, pseudonyms, shuffle(count, chance).astype(np.int32))


def _combined(
    records: Records, agreement: Agreement, key: RunKey, shelf: Shelf, first: int, parts: int
) -> Combined | None:
    if agreement.tokens is None:
        return None
    return combine(records, agreement.combinations, key, shelf, first, parts)
