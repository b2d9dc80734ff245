"""What an agency does: encode its records once, then answer for the rows it is asked about.

Rule: straight recipes over nouns; plaintext ends in `encode`, and `answer` needs none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from keys.aead import NoteSealer
from keys.chance import SYSTEM, Chance
from keys.derive import KEY_BYTES, RunKey, tight_tokens
from linkage.agreement import Agreement
from linkage.encode.diffusion import hardener
from linkage.encode.screening import names_alone, plain_filters
from linkage.encode.sharing import Meetings
from linkage.errors import RequestRefusedError
from linkage.ids import unique
from linkage.layout import Layout
from linkage.model import Bytes16, Records, Request
from linkage.package.contents import ScreeningContents
from linkage.parties.answering import Answer
from linkage.parties.inside import NULL_SHARING, Alike, Filtered, alike_inside, pattern_table, with_sharing
from linkage.parties.leaving import Going, Leaving
from linkage.parties.local import LocalTable
from linkage.parties.parted import Progress, take_apart
from linkage.roots import forget
from linkage.shelf import Held, Shelf


@dataclass(frozen=True, repr=False)
class Encoded:
    """What `encode` makes: what goes to the matcher, and by part the table that stays.

    alone: people who are encoded by their names alone; see screening.names_alone.
    """

    leaving: Leaving
    tables: tuple[Held[LocalTable], ...]
    alone: int

    @property
    def local(self) -> LocalTable:
        """The table of a file in one part."""
        (table,) = self.tables
        return table()

    @property
    def contents(self) -> ScreeningContents:
        """All that goes to the matcher, at once."""
        return self.leaving.contents


def encode(
    records: Records,
    agreement: Agreement,
    key: RunKey,
    check: bytes,
    progress: Progress | None = None,
    chance: Chance = SYSTEM,
) -> Encoded:
    """Screening encodings, non-match patterns and local table of records in memory; see encode_file."""
    return encode_file((lambda: records,), agreement, key, check, Shelf(), progress, chance)


def encode_file(
    file: Sequence[Held[Records]],
    agreement: Agreement,
    key: RunKey,
    check: bytes,
    shelf: Shelf,
    progress: Progress | None = None,
    chance: Chance = SYSTEM,
) -> Encoded:
    """Screening encodings, non-match patterns and local tables of one agency's file, a part of it at a time.

    file: its parts, each of random people, or of all. check: the linkage secret's check value for this run, 16 bytes.
    Rows travel in random order under random pseudonyms, so nothing links them to the file or to another run.
    Raises TestKeyError when a live key meets a repeatable source of chance (R50).
    """
    chance.require(test=key.test)
    schema, profile, tell = agreement.schema, agreement.profile, progress or (lambda *_: None)
    filtered: list[Filtered] = []
    alone = 0

    def visit(records: Records, first: int) -> None:
        nonlocal alone
        # People in one random order and filters in another, so that the order says nothing.
        plain = plain_filters(records, schema, profile, key, chance, shuffled=True)
        held = shelf.put(plain.filters), shelf.put(plain.owner)
        filtered.append(Filtered(first, len(records), len(plain), *held))
        alone += names_alone(records, schema, profile)

    parted = take_apart(file, agreement, key, shelf, chance, visit, tell)
    tell("who resembles whom inside the file", 0, 1)
    alike = alike_inside(filtered, agreement, chance)
    tell("who resembles whom inside the file", 1, 1)
    given = parted.give(agreement, _meetings(len(parted), alike, chance))
    if given:
        alike = with_sharing(alike, given.neighbours)
    tell("patterns inside the file", 0, 1)
    forget()
    null = pattern_table(parted.chosen, alike, parted.missing, agreement, chance)
    tell("patterns inside the file", 1, 1)
    harden, seed = hardener(profile, key), chance.draw(KEY_BYTES)
    of_parts = given.parts if given else [None] * len(filtered)
    parts = tuple(Going(*one) for one in zip((piece.who for piece in parted.pieces), filtered, of_parts, strict=True))
    leaving = Leaving(
        check.hex(), parts, profile.sent_bits, agreement.tokens_per_row, seed, harden, partial(_publish, key), null
    )
    return Encoded(leaving, tuple(piece.local for piece in parted.pieces), alone)


def _meetings(people: int, alike: Alike, chance: Chance) -> Meetings:
    """Where pairs who share a value are gathered, and those that are alike by filters are looked up."""
    return Meetings(people, NULL_SHARING, np.stack(alike.pairs, axis=1), int.from_bytes(chance.draw(8), "little"))


def _publish(key: RunKey, digests: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.frombuffer(tight_tokens(key, digests.tobytes()), np.uint8).reshape(digests.shape)


@dataclass(frozen=True, repr=False)
class Answered:
    """What an agency has answered so far in a run: pair ids (m, 16), and how often each row was asked for (n,)."""

    pair_ids: Bytes16
    asked: NDArray[np.int64]

    @classmethod
    def nothing(cls, local: LocalTable) -> Answered:
        """Before the first request."""
        return cls(np.empty((0, 16), np.uint8), np.zeros(len(local), np.int64))


def check_request(
    request: Request, local: LocalTable, answered: Answered, agreement: Agreement, party: str
) -> Answered:
    """Refuse a request that is not as agreed, whole; else what will have been answered after it.

    The agency sees for itself that what it is asked depends on nobody's records: every row of the run, equally often.
    Raises RequestRefusedError for a pair id used before, a row of no or another run, and rows asked for more or less
    often than agreed.
    """
    rows = local.rows(request.pseudonyms)
    problems = []
    if unknown := int((rows < 0).sum()):
        problems.append(f"{unknown} of {len(request)} rows asked for are not in this run")
    ids = np.concatenate([answered.pair_ids, request.pair_ids])
    if not unique(ids):
        again = len(ids) - len(np.unique(ids.view("V16")))
        problems.append(f"{again} pair ids were answered before")
    asked = answered.asked + np.bincount(rows[rows >= 0], minlength=len(local))
    times = agreement.times_asked(party)
    if times is not None:
        if often := int((asked > times).sum()):
            problems.append(f"{often} rows are asked for more than {times} times")
        if seldom := int((asked < times).sum()):
            problems.append(
                f"{seldom} rows are asked for fewer than {times} times; all are to be asked for equally often"
            )
    if problems:
        raise RequestRefusedError(
            f"the request was refused: {problems[0]}",
            "nothing was answered; ask the matcher what it wants, and keep the request as a record",
            problems,
        )
    return Answered(ids, asked)


def answer(
    request: Request,
    local: LocalTable,
    agreement: Agreement,
    key: RunKey,
    sealer: NoteSealer,
    chance: Chance = SYSTEM,
    threads: int = 1,
    progress: Progress | None = None,
) -> Answer:
    """Evidence and sealed notes for the pairs asked about; check_request comes first.

    Raises TestKeyError when a live key meets a repeatable source of chance (R50).
    """
    chance.require(test=key.test)
    rows, layout = local.rows(request.pseudonyms), Layout(agreement.schema)
    seed, tell = chance.draw(KEY_BYTES), progress or (lambda *_: None)
    return Answer(request.pair_ids, rows, local, layout, key, sealer, seed, threads, tell)
