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
from keys.derive import PAIR_KEY_BYTES, RunKey, pair_keys
from linkage.agreement import Agreement
from linkage.encode.evidence import make_evidence
from linkage.encode.parallel import WORTHWHILE, make_evidence_on
from linkage.encode.screening import hardened, plain_filters
from linkage.encode.tokens import FieldTokens, tokenise
from linkage.errors import RequestRefusedError
from linkage.layout import Layout
from linkage.match.compare import compare
from linkage.match.inside import COIN_WORDS, nearest_inside
from linkage.model import Bytes16, Note, NullTable, Records, Request, Screening
from linkage.notes import encode_note
from linkage.package.contents import EvidenceContents, ScreeningContents
from linkage.parties.local import LocalTable

Progress = Callable[[str, int, int], None]
"""Told (what, done, total)."""

NULL_ROWS = 8_000
"""Filters whose candidates inside the file are compared for the non-match patterns; a larger file is sampled."""

_PAIRS = 1 << 14  # compared at a time, so that memory does not grow with the file
_STEPS = 16  # of distance, within which pairs are found by both sides alike


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
    plain, owner = plain_filters(records, schema, agreement.profile, key, chance)
    _tell(progress, "patterns inside the file", 2, 3)
    null = null_table(plain, owner, tokens, agreement, chance)
    filters = hardened(plain, agreement.profile, key)
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

    filters: plain ones, which never leave. Candidates are chosen as the matcher chooses them, by distances as sent,
    which need not be counted for that: match.inside. A file of more than NULL_ROWS filters is searched from a random
    sample of its people, and counts are scaled to the whole file.
    """
    people = len(tokens[0])
    asked = np.zeros(people, np.bool_)
    asked[_sample(people, -(-NULL_ROWS * people // max(len(filters), 1)), chance)] = True
    queries = np.flatnonzero(asked[owner])
    coins = np.frombuffer(chance.draw(8 * COIN_WORDS * len(filters)), np.uint64).reshape(-1, COIN_WORDS)
    profile, keep = agreement.profile, agreement.terms.screening.candidates
    found = nearest_inside(filters, queries, keep, profile.sent_bits, profile.xor, coins)
    low, high, weight = _weighed(owner[queries[found.asked]], owner[found.rows], found.distances, asked)
    each = -(-people // max(int(asked.sum()), 1))
    return pattern_table(tokens, (low, high), weight, each, agreement, chance)


def pattern_table(
    tokens: tuple[FieldTokens, ...],
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]],
    weight: NDArray[np.float64],
    each: int,
    agreement: Agreement,
    chance: Chance = SYSTEM,
) -> NullTable:
    """Comparison patterns of pairs of rows of one file.

    weight: (m,) for how many pairs of the whole file each stands; each: for how many at least, in a sample.
    Whatever pairs are compared inside a file must be those that would be compared between files.
    """
    layout, people, (low, high) = Layout(agreement.schema), len(tokens[0]), pairs
    # One key for all rows: these comparisons never leave the agency, only their counts do.
    key = chance.draw(PAIR_KEY_BYTES)
    patterns = np.empty((len(low), 2 * len(agreement.schema) + 2), np.int8)
    for start in range(0, len(low), _PAIRS):
        part = slice(start, start + _PAIRS)
        rows, place = np.unique(np.concatenate([low[part], high[part]]), return_inverse=True)
        sides = make_evidence(tokens, rows, None, key, layout, chance)
        levels = compare(sides, sides, layout, (place[: len(place) // 2], place[len(place) // 2 :]))
        patterns[part] = np.concatenate([levels.levels, levels.rarity, levels.crossed], axis=1)
    distinct, where = np.unique(patterns, axis=0, return_inverse=True)
    fields = len(agreement.schema)
    missing = np.stack([np.diff(field.offsets) == 0 for field in tokens], axis=1)
    counts = np.bincount(where.ravel(), weights=weight, minlength=len(distinct)).astype(np.float64)
    # A pair of a sample stands for several: told as multiples, so that the model sees how few pairs it was.
    counts = rounded_at_random(counts, max(agreement.terms.screening.round_patterns, each), chance)
    kept = counts > 0
    return NullTable(
        np.ascontiguousarray(distinct[kept, :fields]),
        np.ascontiguousarray(distinct[kept, fields : 2 * fields]),
        np.ascontiguousarray(distinct[kept, 2 * fields :]),
        counts[kept],
        people=people,
        pairs=len(low),
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


def _weighed(
    person: NDArray[np.int32], other: NDArray[np.int32], distances: NDArray[np.int32], asked: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Pairs of people found from those asked, each once (low, high), and for how many pairs of the file it stands.

    person, other, distances: (m,) who was asked, whom his filters found, how far off. asked: (people,) whose
    candidates were looked for, a random part of the file. A pair that both its sides find is seen twice as often as
    one that one side finds, and is the more alike: unweighed, it would make strangers look too much alike. Where only
    one side was asked, the other's answer is guessed from pairs as far apart of which both were.
    Source: Horvitz & Thompson 1952, with the chance of being drawn estimated where it is not known.
    """
    people = len(asked)
    near = np.argsort(distances, kind="stable")  # so that the first of equal codes is the nearest
    codes, first = np.unique(person[near].astype(np.int64) * people + other[near], return_index=True)
    distance = distances[near][first]
    one, two = codes // max(people, 1), codes % max(people, 1)
    codes, distance, one, two = (part[one != two] for part in (codes, distance, one, two))
    mutual = np.isin(two * people + one, codes, assume_unique=True)
    known = asked[two]
    steps = np.quantile(distance, np.linspace(0, 1, _STEPS + 1)[1:-1]) if len(distance) else np.empty(0)
    step = np.searchsorted(steps, distance)
    share = (np.bincount(step[known], mutual[known], _STEPS) + 0.5) / (np.bincount(step[known], minlength=_STEPS) + 1)
    both = np.where(known, mutual, share[step])
    pairs, place = np.unique(np.minimum(one, two) * people + np.maximum(one, two), return_inverse=True)
    weight = np.bincount(place, 1 - both / 2, len(pairs)) * people / max(int(asked.sum()), 1)
    return pairs // max(people, 1), pairs % max(people, 1), weight


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
    processes: int = 1,
) -> EvidenceContents:
    """Evidence and sealed notes for the pairs asked about; check_request comes first.

    processes: how many may work on a large request; see encode.parallel. A seed is for one.
    Raises TestKeyError when a live key meets a repeatable source of chance (R50).
    """
    chance.require(test=key.test)
    rows = local.rows(request.pseudonyms)
    keys = pair_keys(key, request.pair_ids.tobytes())
    layout = Layout(agreement.schema)
    if processes > 1 and len(rows) >= WORTHWHILE and not chance.test:
        evidence = make_evidence_on(processes, local.tokens, rows, request.pair_ids, keys, layout)
    else:
        evidence = make_evidence(local.tokens, rows, request.pair_ids, keys, layout, chance)
    blank = encode_note(Note())
    plain = [encode_note(note) for note in local.notes] if local.notes else [blank] * len(local)
    sealed = sealer.seal_all(request.pair_ids.tobytes(), [plain[row] for row in rows.tolist()])
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
