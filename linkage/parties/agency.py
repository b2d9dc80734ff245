"""What an agency does: encode its records once, then answer for the rows it is asked about.

Rule: straight recipes over nouns; plaintext ends in `encode`, and `answer` needs none.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keys.aead import NoteSealer
from keys.chance import SYSTEM, Chance
from keys.derive import KEY_BYTES, RunKey, tight_tokens
from linkage.agreement import Agreement
from linkage.encode.diffusion import hardener
from linkage.encode.screening import plain_filters, shuffle
from linkage.encode.tight import Given, given_tokens
from linkage.encode.tokens import tokenise
from linkage.errors import RequestRefusedError
from linkage.ids import unique
from linkage.layout import Layout
from linkage.model import Bytes16, Records, Request
from linkage.package.contents import ScreeningContents
from linkage.parties.answering import Answer
from linkage.parties.inside import alike_inside, pattern_table, with_sharing
from linkage.parties.leaving import Leaving
from linkage.parties.local import LocalTable
from linkage.roots import forget

Progress = Callable[[str, int, int], None]
"""Told (what, done, total)."""


@dataclass(frozen=True, repr=False)
class Encoded:
    """What `encode` makes: what goes to the matcher, and the table that stays."""

    leaving: Leaving
    local: LocalTable

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
    """Screening encodings, non-match patterns and local table of one agency's records.

    check: the linkage secret's check value for this run, 16 bytes. Rows travel in random order under random
    pseudonyms, so nothing links them to the file or to another run.
    Raises TestKeyError when a live key meets a repeatable source of chance (R50).
    """
    chance.require(test=key.test)
    schema = agreement.schema
    profile = agreement.profile
    _tell(progress, "screening encodings, and who resembles whom", 0, 3)
    # People in one random order and filters in another, so that the order says nothing.
    plain = plain_filters(records, schema, profile, key, chance, shuffled=True)
    # All filters weigh more than all that follows: nothing else is made while they are searched, on all cores.
    alike = alike_inside(plain.all(), plain.owner, agreement, chance)
    _tell(progress, "standardised records to tokens", 1, 3)
    with ThreadPoolExecutor(1) as beside:
        tight = beside.submit(_tight, records, agreement, key)
        tokens = tokenise(records, schema, key)
        given, sharing = tight.result()
    pairs = with_sharing(*alike, sharing, chance)
    del alike, tight, sharing
    _tell(progress, "patterns inside the file", 2, 3)
    forget()
    null = pattern_table(tokens, *pairs, agreement, chance)
    local = LocalTable(_random_ids(len(records), chance), records.local_ids, tokens, records.notes)
    people = shuffle(len(records), chance).astype(np.int32)
    place = np.empty(len(people), np.int32)
    place[people] = np.arange(len(people), dtype=np.int32)
    _tell(progress, "encoded", 3, 3)

    def publish(some: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.frombuffer(tight_tokens(key, some.tobytes()), np.uint8).reshape(some.shape)

    harden, seed = hardener(profile, key), chance.draw(KEY_BYTES)
    leaving = Leaving(
        check.hex(), plain, place[plain.owner], people, local.pseudonyms, given, seed, harden, publish, null
    )
    return Encoded(leaving, local)


def _tight(records: Records, agreement: Agreement, key: RunKey) -> tuple[Given | None, NDArray[np.int64]]:
    """Which values give tight tokens, if the profile has any, and who shares a value with few others of the file."""
    terms = agreement.tokens
    if terms is None:
        return None, np.empty((0, 2), np.int64)
    return given_tokens(records, agreement.combinations, terms, key)


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


def _random_ids(count: int, chance: Chance) -> Bytes16:
    return np.frombuffer(chance.draw(16 * count), np.uint8).reshape(count, 16)


def _tell(progress: Progress | None, what: str, done: int, total: int) -> None:
    if progress:
        progress(what, done, total)
