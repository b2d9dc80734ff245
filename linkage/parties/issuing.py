"""What an agency does in one-round: everything at once, readable only where two agencies' tokens meet.

Rule: a row is random bytes to everybody who holds no other agency's share of one of its tokens, its note included.
A row is nine kilobytes and more: rows are made as they leave, and never held.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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
from linkage.encode.screening import shuffle
from linkage.encode.tight import Given, Issued, given_tokens
from linkage.encode.tokens import FieldTokens, tokenise
from linkage.layout import Layout
from linkage.match.candidates import cores
from linkage.model import Bytes16, Note, NullTable, Records
from linkage.notes import SEALED_NOTE_BYTES, encode_note
from linkage.package.container import Body
from linkage.package.stream import Made
from linkage.package.tokens import TokenContents, TokenForm, token_body
from linkage.parties.agency import Progress
from linkage.parties.inside import pattern_table
from linkage.parties.local import LocalTable, proof_of
from linkage.sides import NOTE_KEY_BYTES, to_sides

NULL_PAIRS = 100_000
"""Pairs inside the file that are compared for the non-match patterns; of more, a random sample."""
PART = 1 << 10
"""Rows one hand makes at a time: 10 to 20 MB of sides."""


@dataclass(frozen=True, repr=False)
class Issue:
    """What `issue` makes: what goes to the matcher, the table that stays, and what became of each combination.

    without: people who have no token, whom nobody can find.
    """

    leaving: Rows
    local: LocalTable
    account: tuple[Issued, ...]
    without: int

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
    """Tight tokens with evidence under each, sealed notes and non-match patterns of one agency's records.

    check: the linkage secret's check value for this run, 16 bytes. party: the agency's name, whose place its shares
    lie at. Rows travel in random order under random pseudonyms.
    Raises TestKeyError when a live key meets a repeatable source of chance (R50).
    """
    tell = progress or (lambda *_: None)
    chance.require(test=key.test)
    tell("standardised records to tokens", 0, 2)
    tokens = tokenise(records, agreement.schema, key)
    given, neighbours = given_tokens(records, agreement.combinations, agreement.terms.tokens, key)
    tell("patterns inside the file", 1, 2)
    null = _null_table(neighbours, tokens, agreement, chance)
    people = len(records)
    pseudonyms = np.frombuffer(chance.draw(16 * people), np.uint8).reshape(people, 16)
    order, seed = shuffle(people, chance).astype(np.int32), chance.draw(KEY_BYTES)
    owner = _Owner(agreement, key, agreement.place(party), sealer, tell)
    leaving = Rows(
        check.hex(), tokens, given, order, pseudonyms, records.notes, owner, seed, secrets.token_bytes(KEY_BYTES), null
    )
    local = LocalTable(pseudonyms, records.local_ids, (), (), proof_of(tokens))
    tell("encoded", 2, 2)
    return Issue(leaving, local, given.account(), given.without)


def _null_table(
    neighbours: NDArray[np.int64], tokens: tuple[FieldTokens, ...], agreement: Agreement, chance: Chance
) -> NullTable:
    """Comparison patterns among people of one file who would have met, had they been in two (DESIGN section 5)."""
    count = len(neighbours)
    low, high = neighbours[np.sort(shuffle(count, chance)[:NULL_PAIRS])].T
    weight, each = np.full(len(low), count / max(len(low), 1)), max(-(-count // NULL_PAIRS), 1)
    return pattern_table(tokens, (low, high), weight, each, agreement, chance)


class _Owner(NamedTuple):
    """Whose rows they are: agreement and keys, the place its shares lie at, who seals its notes and is told of it."""

    agreement: Agreement
    key: RunKey
    place: int
    sealer: NoteSealer
    tell: Progress


@dataclass(frozen=True, repr=False)
class Rows:
    """What goes to the matcher, made as it leaves, one array of many rows after the other.

    tokens, notes: of the file. given: which values give tokens. people: (n,) the order in which they leave;
    pseudonyms: (n, 16) in the file's. seed: of what is random, so that every array deals tokens to the same places;
    note_seed: of the keys of notes, one a row, which are the same in the sides and on the notes.
    """

    check: str
    tokens: tuple[FieldTokens, ...]
    given: Given
    people: NDArray[np.int32]
    pseudonyms: Bytes16
    notes: tuple[Note, ...]
    owner: _Owner
    seed: bytes
    note_seed: bytes
    null: NullTable

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
        form, count = self.form, len(self.people)
        return {
            "pseudonyms": self._array((count, 16), lambda part: self.pseudonyms[part.people]),
            "tokens": self._array((count, form.per_row, 16), self._public),
            "shares": self._array((count, form.per_row, SECRET_BYTES), self._shares),
            "sides": self._array((count, form.per_row, form.side_bytes), self._sides),
            "notes": self._array((count, form.note_bytes), self._notes),
        }

    def _array(self, shape: tuple[int, ...], make: Callable[[_Part], NDArray[np.uint8]]) -> Made:
        def part(start: int) -> NDArray[np.uint8]:
            return make(_Part(start, self.people[start : start + PART]))

        def made() -> Iterator[NDArray[np.uint8]]:
            return spread(part, range(0, len(self.people), PART), cores())

        return Made(np.dtype(np.uint8), shape, made)

    def _dealt(self, part: _Part) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Digests of tokens (m, t, 16), and which are real (m, t)."""
        noise = stream(self.seed, b"row tokens %d" % part.start, self.given.random_bytes(len(part.people)))
        digests, of = self.given.deal(part.people, noise)
        return digests, of >= 0

    def _public(self, part: _Part) -> NDArray[np.uint8]:
        digests, _ = self._dealt(part)
        return np.frombuffer(tight_tokens(self.owner.key, digests.tobytes()), np.uint8).reshape(digests.shape)

    def _shares(self, part: _Part) -> NDArray[np.uint8]:
        digests, real = self._dealt(part)
        shares = self._random(part, b"row shares", SECRET_BYTES)
        _, own = token_shares(self.owner.key, digests[real].tobytes(), self.owner.place)
        shares[real] = np.frombuffer(own, np.uint8).reshape(-1, SECRET_BYTES)
        return shares

    def _sides(self, part: _Part) -> NDArray[np.uint8]:
        self.owner.tell("evidence under each token", part.start, len(self.people))
        (digests, real), key = self._dealt(part), self.owner.key
        row, _ = np.nonzero(real)
        people, dealt = part.people[row], digests[real].tobytes()
        public = np.frombuffer(tight_tokens(key, dealt), np.uint8).reshape(-1, 16)
        keys, layout = token_keys(key, dealt), Layout(self.owner.agreement.schema)
        noise = Chance.seeded(self.seed, b"row noise %d" % part.start, test=key.test)
        evidence = make_evidence(self.tokens, people, public, keys, layout, noise)
        plain = to_sides(evidence, self._note_keys(part)[row])
        secret, _ = token_shares(key, dealt, self.owner.place)
        masked = mask(secret, self.pseudonyms[people].tobytes(), plain.tobytes())
        sides = self._random(part, b"row sides", plain.shape[1])
        sides[real] = np.frombuffer(masked, np.uint8).reshape(plain.shape)
        return sides

    def _notes(self, part: _Part) -> NDArray[np.uint8]:
        """Each row's note, sealed to children's services for its pseudonym, and masked under the row's note key."""
        names = self.pseudonyms[part.people].tobytes()
        blank = encode_note(Note())
        plain = [encode_note(self.notes[person]) if self.notes else blank for person in part.people.tolist()]
        masked = mask(self._note_keys(part).tobytes(), names, self.owner.sealer.seal_all(names, plain))
        return np.frombuffer(masked, np.uint8).reshape(-1, SEALED_NOTE_BYTES)

    def _note_keys(self, part: _Part) -> NDArray[np.uint8]:
        keys = stream(self.note_seed, b"row notes %d" % part.start, NOTE_KEY_BYTES * len(part.people))
        return np.frombuffer(keys, np.uint8).reshape(-1, NOTE_KEY_BYTES)

    def _random(self, part: _Part, label: bytes, size: int) -> NDArray[np.uint8]:
        """Random bytes for every token of some rows, (m, t, size)."""
        shape = len(part.people), self.given.per_row, size
        noise = stream(self.seed, b"%s %d" % (label, part.start), shape[0] * shape[1] * size)
        return np.frombuffer(bytearray(noise), np.uint8).reshape(shape)


class _Part(NamedTuple):
    """Some rows that leave together: the place of the first, and whose they are (m,)."""

    start: int
    people: NDArray[np.int32]
