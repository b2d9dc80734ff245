"""What an agency does in one-round: everything at once, readable only where two agencies' tokens meet.

Rule: a row is random bytes to everybody who holds no other agency's share of one of its tokens, its note included.
A row is nine kilobytes and more: rows are made as they leave, and never held.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from keys.aead import NoteSealer
from keys.chance import SYSTEM, Chance
from keys.derive import KEY_BYTES, RunKey, stream, tight_tokens, token_keys, token_shares
from keys.sharing import SECRET_BYTES, mask
from linkage.agreement import Agreement
from linkage.ahead import spread
from linkage.encode.evidence import make_evidence
from linkage.encode.joining import Tokens
from linkage.encode.sharing import Meetings
from linkage.encode.tight import Given, Issued
from linkage.layout import Layout
from linkage.match.candidates import cores
from linkage.model import Bytes16, Note, NullTable, Records
from linkage.notes import SEALED_NOTE_BYTES, encode_note
from linkage.package.container import Body
from linkage.package.stream import Made
from linkage.package.tokens import TokenContents, TokenForm, token_body
from linkage.parties.inside import Alike, pattern_table
from linkage.parties.local import LocalTable
from linkage.parties.parted import Piece, Progress, Who, take_apart
from linkage.shelf import Held, Shelf
from linkage.sides import NOTE_KEY_BYTES, to_sides

NULL_PAIRS = 100_000
"""Pairs inside the file that are compared for the non-match patterns; of more, a random sample."""
PART = 1 << 10
"""Rows one hand makes at a time: 10 to 20 MB of sides."""


@dataclass(frozen=True, repr=False)
class Issue:
    """What `issue` makes: what goes to the matcher, by part the table that stays, and what became of combinations.

    without: people who have no token, whom nobody can find.
    """

    leaving: Rows
    tables: tuple[Held[LocalTable], ...]
    account: tuple[Issued, ...]
    without: int

    @property
    def local(self) -> LocalTable:
        """The table of a file in one part."""
        (table,) = self.tables
        return table()

    @property
    def contents(self) -> TokenContents:
        """All that goes to the matcher, at once."""
        return self.leaving.contents


def issue(
    records: Records,
    agreement: Agreement,
    key: RunKey,
    check: bytes,
    sealer: NoteSealer,
    party: str,
    progress: Progress | None = None,
    chance: Chance = SYSTEM,
) -> Issue:
    """Tight tokens with evidence under each, sealed notes and non-match patterns of records in memory."""
    return issue_file((lambda: records,), agreement, key, check, sealer, party, Shelf(), progress, chance)


def issue_file(
    file: Sequence[Held[Records]],
    agreement: Agreement,
    key: RunKey,
    check: bytes,
    sealer: NoteSealer,
    party: str,
    shelf: Shelf,
    progress: Progress | None = None,
    chance: Chance = SYSTEM,
) -> Issue:
    """The same of a file of which one part is held at a time.

    file: its parts, each of random people, or of all. check: the linkage secret's check value for this run, 16 bytes.
    party: the agency's name, whose place its shares lie at. Rows travel in random order under random pseudonyms.
    Raises TestKeyError when a live key meets a repeatable source of chance (R50).
    """
    tell = progress or (lambda *_: None)
    chance.require(test=key.test)
    parted = take_apart(file, agreement, key, shelf, chance, lambda *_: None, tell)
    given = parted.give(agreement, Meetings(len(parted), NULL_PAIRS, seed=int.from_bytes(chance.draw(8), "little")))
    if given is None:
        raise ValueError("one round needs tight tokens")
    tell("patterns inside the file", 0, 1)
    low, high = given.neighbours.pairs.T
    count = given.neighbours.count
    alike = Alike((low, high), np.full(len(low), count / max(len(low), 1)), max(-(-count // NULL_PAIRS), 1))
    null = pattern_table(parted.chosen, alike, parted.missing, agreement, chance)
    tell("patterns inside the file", 1, 1)
    owner = _Owner(agreement, key, agreement.place(party), sealer, tell)
    parts = tuple(map(Issuing, parted.pieces, given.parts))
    leaving = Rows(check.hex(), parts, owner, chance.draw(KEY_BYTES), secrets.token_bytes(KEY_BYTES), null)
    return Issue(leaving, tuple(piece.proven for piece in parted.pieces), given.account(), given.without)


class _Owner(NamedTuple):
    """Whose rows they are: agreement and keys, the place its shares lie at, who seals its notes and is told of it."""

    agreement: Agreement
    key: RunKey
    place: int
    sealer: NoteSealer
    tell: Progress


class Issuing(NamedTuple):
    """One part of a file, and which of its values give tokens."""

    piece: Piece
    given: Held[Given]


@dataclass(frozen=True, repr=False)
class Rows:
    """What goes to the matcher, made as it leaves, one array of many rows after the other.

    seed: of what is random, so that every array deals tokens to the same places; note_seed: of the keys of notes, one a
    row, which are the same in the sides and on the notes.
    """

    check: str
    parts: tuple[Issuing, ...]
    owner: _Owner
    seed: bytes
    note_seed: bytes
    null: NullTable

    def __len__(self) -> int:
        return sum(part.piece.people for part in self.parts)

    @property
    def form(self) -> TokenForm:
        """What its package looks like."""
        return TokenForm.of(self.owner.agreement)

    @property
    def contents(self) -> TokenContents:
        """All of it at once."""
        made = {name: one.whole() for name, one in self._made().items()}
        return TokenContents(check=self.check, note_key=self.owner.sealer.wrapped, null=self.null, **made)

    def to_body(self) -> Body:
        """The same for a package."""
        return token_body(self.check, self.owner.sealer.wrapped, self.null, self._made())

    def _made(self) -> dict[str, Made]:
        form, count = self.form, len(self)
        return {
            "pseudonyms": self._array((count, 16), lambda rows: rows.pseudonyms),
            "tokens": self._array((count, form.per_row, 16), self._public),
            "shares": self._array((count, form.per_row, SECRET_BYTES), self._shares),
            "sides": self._array((count, form.per_row, form.side_bytes), self._sides),
            "notes": self._array((count, form.note_bytes), self._notes),
        }

    def _array(self, shape: tuple[int, ...], make: Callable[[_Some], NDArray[np.uint8]]) -> Made:
        def of_part(part: Issuing) -> Iterator[NDArray[np.uint8]]:
            piece, whole = part.piece, _Whole(part.piece.who(), part.given(), part.piece.tokens())

            def made(start: int) -> NDArray[np.uint8]:
                return make(_Some(piece.first + start, slice(start, start + PART), whole))

            return spread(made, range(0, piece.people, PART), cores())

        # As a loop would not, this lets go of one part before the next is made.
        return Made(np.dtype(np.uint8), shape, lambda: chain.from_iterable(map(of_part, self.parts)))

    def _dealt(self, rows: _Some) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Digests of tokens (m, t, 16), and which are real (m, t)."""
        given = rows.whole.given
        noise = stream(self.seed, b"row tokens %d" % rows.start, given.random_bytes(len(rows.people)))
        digests, of = given.deal(rows.people, noise)
        return digests, of >= 0

    def _public(self, rows: _Some) -> NDArray[np.uint8]:
        digests, _ = self._dealt(rows)
        return np.frombuffer(tight_tokens(self.owner.key, digests.tobytes()), np.uint8).reshape(digests.shape)

    def _shares(self, rows: _Some) -> NDArray[np.uint8]:
        digests, real = self._dealt(rows)
        shares = self._random(rows, b"row shares", SECRET_BYTES)
        _, own = token_shares(self.owner.key, digests[real].tobytes(), self.owner.place)
        shares[real] = np.frombuffer(own, np.uint8).reshape(-1, SECRET_BYTES)
        return shares

    def _sides(self, rows: _Some) -> NDArray[np.uint8]:
        self.owner.tell("evidence under each token", rows.start, len(self))
        (digests, real), key = self._dealt(rows), self.owner.key
        row, _ = np.nonzero(real)
        dealt = digests[real].tobytes()
        public = np.frombuffer(tight_tokens(key, dealt), np.uint8).reshape(-1, 16)
        keys, layout = token_keys(key, dealt), Layout(self.owner.agreement.schema)
        noise = Chance.seeded(self.seed, b"row noise %d" % rows.start, test=key.test)
        evidence = make_evidence(rows.whole.tokens, rows.people[row], public, keys, layout, noise)
        plain = to_sides(evidence, self._note_keys(rows)[row])
        secret, _ = token_shares(key, dealt, self.owner.place)
        masked = mask(secret, rows.pseudonyms[row].tobytes(), plain.tobytes())
        sides = self._random(rows, b"row sides", plain.shape[1])
        sides[real] = np.frombuffer(masked, np.uint8).reshape(plain.shape)
        return sides

    def _notes(self, rows: _Some) -> NDArray[np.uint8]:
        """Each row's note, sealed to children's services for its pseudonym, and masked under the row's note key."""
        names, notes = rows.pseudonyms.tobytes(), rows.whole.who.notes
        blank = encode_note(Note())
        plain = [encode_note(notes[person]) if notes else blank for person in rows.people.tolist()]
        masked = mask(self._note_keys(rows).tobytes(), names, self.owner.sealer.seal_all(names, plain))
        return np.frombuffer(masked, np.uint8).reshape(-1, SEALED_NOTE_BYTES)

    def _note_keys(self, rows: _Some) -> NDArray[np.uint8]:
        keys = stream(self.note_seed, b"row notes %d" % rows.start, NOTE_KEY_BYTES * len(rows.people))
        return np.frombuffer(keys, np.uint8).reshape(-1, NOTE_KEY_BYTES)

    def _random(self, rows: _Some, label: bytes, size: int) -> NDArray[np.uint8]:
        """Random bytes for every token of some rows, (m, t, size)."""
        shape = len(rows.people), rows.whole.given.per_row, size
        noise = stream(self.seed, b"%s %d" % (label, rows.start), shape[0] * shape[1] * size)
        return np.frombuffer(bytearray(noise), np.uint8).reshape(shape)


class _Whole(NamedTuple):
    """A part of a file in memory."""

    who: Who
    given: Given
    tokens: Tokens


class _Some(NamedTuple):
    """Some rows that leave together. start: the place of the first among all that leave; some: among their part's."""

    start: int
    some: slice
    whole: _Whole

    @property
    def people(self) -> NDArray[np.int32]:
        """Whose they are, numbered in the part, (m,)."""
        return self.whole.who.order[self.some]

    @property
    def pseudonyms(self) -> Bytes16:
        """Under which they leave, (m, 16)."""
        return self.whole.who.pseudonyms[self.people]
