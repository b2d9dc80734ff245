"""What an agency does in one-round: everything at once, readable only where two agencies' tokens meet.

Rule: a row is random bytes to everybody who holds no other agency's share of one of its tokens, its note included.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keys.aead import NoteSealer
from keys.chance import SYSTEM, Chance
from keys.derive import RunKey, tight_tokens, token_keys, token_shares
from keys.sharing import SECRET_BYTES, mask
from linkage.agreement import Agreement
from linkage.encode.evidence import make_evidence
from linkage.encode.tight import Issued, Tight, make_tight
from linkage.encode.tokens import FieldTokens, tokenise
from linkage.layout import Layout
from linkage.model import Bytes16, Note, NullTable, Records
from linkage.notes import SEALED_NOTE_BYTES, encode_note
from linkage.package.tokens import TokenContents
from linkage.parties.agency import Progress
from linkage.parties.inside import pattern_table
from linkage.parties.local import LocalTable, proof_of
from linkage.sides import NOTE_KEY_BYTES, side_bytes, to_sides

NULL_PAIRS = 100_000
"""Pairs inside the file that are compared for the non-match patterns; of more, a random sample."""
CHUNK = 1 << 13
"""Rows whose sides are made at a time."""


@dataclass(frozen=True, repr=False)
class Issue:
    """What `issue` makes: contents for the matcher, the table that stays, and what became of each combination.

    without: people who have no token, whom nobody can find.
    """

    contents: TokenContents
    local: LocalTable
    account: tuple[Issued, ...]
    without: int


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
    schema = agreement.schema
    tell("standardised records to tokens", 0, 3)
    tokens = tokenise(records, schema, key)
    tight = make_tight(records, agreement.combinations, agreement.terms.tokens, key, chance)
    tell("patterns inside the file", 1, 3)
    null = _null_table(tight, tokens, agreement, chance)
    tell("evidence under each token", 2, 3)
    people = len(records)
    order = np.argsort(np.frombuffer(chance.draw(8 * people), np.uint64), kind="stable")
    pseudonyms = np.frombuffer(chance.draw(16 * people), np.uint8).reshape(people, 16)
    note_keys = np.frombuffer(secrets.token_bytes(NOTE_KEY_BYTES * people), np.uint8).reshape(people, NOTE_KEY_BYTES)
    public, shares, sides = _sides(tight, tokens, pseudonyms, note_keys, agreement, key, agreement.place(party), chance)
    notes = _notes(records, pseudonyms, note_keys, sealer)
    contents = TokenContents(
        check.hex(), pseudonyms[order], public[order], shares[order], sides[order], notes[order], sealer.wrapped, null
    )
    local = LocalTable(pseudonyms, records.local_ids, (), (), proof_of(tokens))
    tell("encoded", 3, 3)
    return Issue(contents, local, tight.account, int((~tight.real.any(axis=1)).sum()))


def _null_table(tight: Tight, tokens: tuple[FieldTokens, ...], agreement: Agreement, chance: Chance) -> NullTable:
    """Comparison patterns among people of one file who would have met, had they been in two (DESIGN section 5)."""
    count = len(tight.neighbours)
    drawn = np.frombuffer(chance.draw(8 * count), np.uint64)
    low, high = tight.neighbours[np.sort(np.argsort(drawn, kind="stable")[:NULL_PAIRS])].T
    weight, each = np.full(len(low), count / max(len(low), 1)), max(-(-count // NULL_PAIRS), 1)
    return pattern_table(tokens, (low, high), weight, each, agreement, chance)


def _sides(
    tight: Tight,
    tokens: tuple[FieldTokens, ...],
    pseudonyms: Bytes16,
    note_keys: NDArray[np.uint8],
    agreement: Agreement,
    key: RunKey,
    place: int,
    chance: Chance,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Public tokens (n, t, 16), shares (n, t, 32) and masked sides (n, t, b); random where there is no token."""
    people, per_row = tight.real.shape
    layout = Layout(agreement.schema)
    public = np.frombuffer(tight_tokens(key, tight.digests.tobytes()), np.uint8).reshape(people, per_row, 16)
    shares, sides = (
        np.frombuffer(chance.draw(people * per_row * size), np.uint8).reshape(people, per_row, size).copy()
        for size in (SECRET_BYTES, side_bytes(layout))
    )
    for start in range(0, people, CHUNK):
        rows, slots = np.nonzero(tight.real[start : start + CHUNK])
        rows += start
        digests = tight.digests[rows, slots].tobytes()
        evidence = make_evidence(tokens, rows, public[rows, slots], token_keys(key, digests), layout, chance)
        secret, share = token_shares(key, digests, place)
        plain = to_sides(evidence, note_keys[rows])
        masked = mask(secret, pseudonyms[rows].tobytes(), plain.tobytes())
        shares[rows, slots] = np.frombuffer(share, np.uint8).reshape(-1, SECRET_BYTES)
        sides[rows, slots] = np.frombuffer(masked, np.uint8).reshape(plain.shape)
    return public, shares, sides


def _notes(
    records: Records, pseudonyms: Bytes16, note_keys: NDArray[np.uint8], sealer: NoteSealer
) -> NDArray[np.uint8]:
    """Each row's note, sealed to children's services for its pseudonym, and masked under the row's note key."""
    blank = encode_note(Note())
    plain = [encode_note(note) for note in records.notes] if records.notes else [blank] * len(records)
    masked = mask(note_keys.tobytes(), pseudonyms.tobytes(), sealer.seal_all(pseudonyms.tobytes(), plain))
    return np.frombuffer(masked, np.uint8).reshape(len(records), SEALED_NOTE_BYTES)
