"""What an agency does: encode its records once, then answer for the rows it is asked about.

Rule: straight recipes over nouns; plaintext ends in `encode`, and `answer` needs none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keys.aead import NoteSealer
from keys.chance import SYSTEM, Chance
from keys.derive import RunKey, pair_keys
from linkage.agreement import Agreement
from linkage.encode.evidence import make_evidence
from linkage.encode.screening import make_filters
from linkage.encode.tokens import FieldTokens, tokenise
from linkage.errors import RequestRefusedError
from linkage.layout import Layout
from linkage.match.candidates import Nearest
from linkage.match.compare import compare
from linkage.match.search import find_candidates
from linkage.model import Bytes16, Note, NullTable, Records, Request, Screening
from linkage.notes import encode_note
from linkage.package.contents import EvidenceContents, ScreeningContents
from linkage.parties.local import LocalTable

Progress = Callable[[str, int, int], None]
"""Told (what, done, total)."""

NULL_QUERIES = 20_000
"""Rows whose candidates inside the file are compared for the non-match patterns; a larger file is sampled."""


@dataclass(frozen=True, repr=False)
class Encoded:
    """What `encode` makes: contents for the matcher, and the table that stays."""

    contents: ScreeningContents
    local: LocalTable


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
    _tell(progress, "standardised records to tokens", 0, 3)
    tokens = tokenise(records, schema, key)
    _tell(progress, "screening encodings", 1, 3)
    filters, owner = make_filters(records, schema, agreement.profile, key, chance)
    _tell(progress, "patterns inside the file", 2, 3)
    null = null_table(filters, owner, tokens, agreement, chance)
    pseudonyms = _random_ids(len(records), chance)
    local = LocalTable(pseudonyms, records.local_ids, tokens, records.notes)
    _tell(progress, "encoded", 3, 3)
    return Encoded(ScreeningContents(check.hex(), _shuffled(pseudonyms, filters, owner, chance), null), local)


def null_table(
    filters: NDArray[np.uint64],
    owner: NDArray[np.int32],
    tokens: tuple[FieldTokens, ...],
    agreement: Agreement,
    chance: Chance = SYSTEM,
) -> NullTable:
    """Comparison patterns among candidate pairs inside one file (DESIGN section 5).

    Candidates are chosen as the matcher chooses them. A file of more than NULL_QUERIES filters is searched from a
    random sample of rows, and counts are scaled to the whole file.
    """
    layout, people = Layout(agreement.schema), len(tokens[0])
    queries = _sample(len(filters), NULL_QUERIES, chance)
    settings = Nearest(keep=agreement.terms.screening.candidates + 1, both_sides=False)
    found = find_candidates(filters[queries], filters, settings)
    left, right = owner[queries[found.left]], owner[found.right]
    low, high = np.minimum(left, right).astype(np.int64), np.maximum(left, right).astype(np.int64)
    pairs, seen = np.unique((low * people + high)[low < high], return_counts=True)
    low, high = pairs // max(people, 1), pairs % max(people, 1)
    weight = _sampled_weight(low, high, seen, np.unique(owner[queries]), people)
    one = _random_ids(1, chance)
    rows, place = np.unique(np.concatenate([low, high]), return_inverse=True)
    ids = np.repeat(one, len(rows), axis=0)
    # One key for all rows: these comparisons never leave the agency, only their counts do.
    sides = make_evidence(tokens, rows, ids, chance.draw(16) * len(rows), layout, chance)
    levels = compare(sides.take(place[: len(pairs)]), sides.take(place[len(pairs) :]), layout)
    patterns = np.concatenate([levels.levels, levels.rarity, levels.crossed], axis=1)
    distinct, where = np.unique(patterns, axis=0, return_inverse=True)
    fields = len(agreement.schema)
    missing = np.stack([np.diff(field.offsets) == 0 for field in tokens], axis=1)
    counts = np.bincount(where.ravel(), weights=weight, minlength=len(distinct)).astype(np.float64)
    counts = rounded_at_random(counts, agreement.terms.screening.round_patterns, chance)
    kept = counts > 0
    return NullTable(
        np.ascontiguousarray(distinct[kept, :fields]),
        np.ascontiguousarray(distinct[kept, fields : 2 * fields]),
        np.ascontiguousarray(distinct[kept, 2 * fields :]),
        counts[kept],
        people=people,
        pairs=len(pairs),
        present=1 - missing.mean(axis=0) if people else np.zeros(fields),
        gaps=np.bincount(missing @ (1 << np.arange(fields)), minlength=1 << fields) / max(people, 1),
    )


def rounded_at_random(counts: NDArray[np.float64], grain: int, chance: Chance = SYSTEM) -> NDArray[np.float64]:
    """Counts rounded up or down to multiples of `grain`, by chances that keep every count right on average.

    A pattern of one pair shows in one file of `grain`, and then as `grain`. Dropping rare patterns instead makes
    strangers look impossible where they are merely rare, and false links follow (docs/decisions/0005).
    Source: unbiased random rounding, Fellegi 1975.
    """
    if grain == 1:
        return counts
    up = np.frombuffer(chance.draw(8 * len(counts)), np.uint64) / 2.0**64
    return np.asarray(np.floor(counts / grain + up) * grain)


def _sampled_weight(
    low: NDArray[np.int64], high: NDArray[np.int64], seen: NDArray[np.int64], drawn: NDArray[np.int32], people: int
) -> NDArray[np.float64]:
    """For how many pairs of the whole file each pair seen from the people drawn stands, (m,).

    seen: (m,) times a pair was found, from one of its sides or both. A side that finds it is drawn with the share of
    people drawn; how often both sides find a pair is read off the pairs of which both were drawn.
    """
    if len(drawn) >= people:
        return np.ones(len(seen))
    share = len(drawn) / people
    inside = np.isin(low, drawn) & np.isin(high, drawn)
    mutual = float((seen[inside] > 1).mean()) if inside.any() else 1.0
    return np.asarray(seen / (share * (1 + mutual)))


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
    again = len(ids) - len(np.unique(ids.view("V16")))
    if again:
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
) -> EvidenceContents:
    """Evidence and sealed notes for the pairs asked about; check_request comes first.

    Raises TestKeyError when a live key meets a repeatable source of chance (R50).
    """
    chance.require(test=key.test)
    rows = local.rows(request.pseudonyms)
    keys = pair_keys(key, request.pair_ids.tobytes())
    evidence = make_evidence(local.tokens, rows, request.pair_ids, keys, Layout(agreement.schema), chance)
    blank = encode_note(Note())
    plain = [encode_note(note) for note in local.notes] if local.notes else [blank] * len(local)
    ids = request.pair_ids.tobytes()
    sealed = b"".join(
        sealer.seal(ids[16 * pair : 16 * pair + 16], plain[row]) for pair, row in enumerate(rows.tolist())
    )
    notes = np.frombuffer(sealed, np.uint8).reshape(len(rows), -1)
    return EvidenceContents(evidence, notes, sealer.wrapped)


def _shuffled(pseudonyms: Bytes16, filters: NDArray[np.uint64], owner: NDArray[np.int32], chance: Chance) -> Screening:
    """People in one random order and filters in another, so that the order says nothing."""
    people, rows = _shuffle(len(pseudonyms), chance), _shuffle(len(filters), chance)
    place = np.empty(len(people), np.int32)
    place[people] = np.arange(len(people), dtype=np.int32)
    return Screening(pseudonyms[people], filters[rows], place[owner[rows]])


def _shuffle(count: int, chance: Chance) -> NDArray[np.int64]:
    return np.argsort(np.frombuffer(chance.draw(8 * count), np.uint64), kind="stable")


def _sample(count: int, most: int, chance: Chance) -> NDArray[np.int64]:
    return np.sort(_shuffle(count, chance)[:most])


def _random_ids(count: int, chance: Chance) -> Bytes16:
    return np.frombuffer(chance.draw(16 * count), np.uint8).reshape(count, 16)


def _tell(progress: Progress | None, what: str, done: int, total: int) -> None:
    if progress:
        progress(what, done, total)
