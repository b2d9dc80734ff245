"""The nouns that walk the path, as frozen dataclasses of arrays.

Rule: no behaviour beyond shape and size; every repr shows counts only, never a value of a person.
Shapes use n people, m pairs, f fields, v stored values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Bytes16 = NDArray[np.uint8]
"""(n, 16) random or derived 16-byte codes, one a row."""


Offsets = NDArray[np.int32] | NDArray[np.int64]
"""(n + 1,) where each person's list begins among all lists end to end, and the last one ends."""


@dataclass(frozen=True, repr=False)
class Column:
    """One field of many people: a ragged list of values per person, each distinct value stored once.

    vocabulary: distinct standardised values; intake's are Texts, of which many weigh little.
    codes: (v,) int32 places in the vocabulary, person after person.
    offsets: (n + 1,); person r has codes[offsets[r]:offsets[r + 1]], best value first.
    """

    vocabulary: Sequence[str]
    codes: NDArray[np.int32]
    offsets: Offsets

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def counts(self) -> NDArray[np.int32] | NDArray[np.int64]:
        """Number of values per person, (n,)."""
        return np.diff(self.offsets)

    def __repr__(self) -> str:
        return f"Column(people={len(self)}, values={len(self.codes)}, distinct={len(self.vocabulary)})"


@dataclass(frozen=True, repr=False)
class Records:
    """Standardised people of one agency. Plaintext: it never leaves intake and encode.

    local_ids: (n,) the agency's own ids. columns: by agreement field name.
    lines: (n,) int32 line in the file, where 1 is the header.
    notes: per person what only children's services may read: flags of an agency's row, or the reference
    (child id, case id, due date, relation) of an anchor row.
    """

    local_ids: Sequence[str]
    columns: Mapping[str, Column]
    lines: NDArray[np.int32]
    notes: tuple[Note, ...] = ()

    def __len__(self) -> int:
        return len(self.local_ids)

    def __repr__(self) -> str:
        return f"Records(people={len(self)}, fields={sorted(self.columns)})"


@dataclass(frozen=True)
class Flag:
    """One risk category an agency holds about a man (R19): public codes only, no text (R5)."""

    code: str  # of the agreement's vocabulary, e.g. "DA-P"
    role: str  # "PERPETRATOR", "VICTIM", "SUBJECT"
    basis: str  # "FACT", "ALLEGED", "OPINION", "SELF"
    recency: str  # "UNDER_1Y", "1_TO_5Y", "OVER_5Y", "UNKNOWN"
    status: str  # "ACTIVE", "CLOSED", "UNKNOWN"


@dataclass(frozen=True, repr=False)
class Anchor:
    """How a man is attached to a child: the authority's own ids, kept from everyone but children's services."""

    child_id: str
    case_id: str = ""
    due_date: str = ""  # ISO date; birth or expected birth
    relation: str = ""  # "FATHER", "STEPFATHER", "PARTNER", "OTHER"
    paternity: str = ""  # "CONFIRMED", "STATED", "ASSUMED", "UNKNOWN" (R48)


@dataclass(frozen=True, repr=False)
class Note:
    """What travels sealed to children's services beside one pair: flags or anchors, one of them empty."""

    flags: tuple[Flag, ...] = ()
    anchors: tuple[Anchor, ...] = ()

    def __repr__(self) -> str:
        return f"Note(flags={len(self.flags)}, anchors={len(self.anchors)})"


@dataclass(frozen=True, repr=False)
class Pairs:
    """Candidate pairs of two files: left (m,) and right (m,) int32 row numbers; no pair twice."""

    left: NDArray[np.int32]
    right: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.left)

    def __repr__(self) -> str:
        return f"Pairs({len(self)})"


@dataclass(frozen=True, repr=False)
class Comparisons:
    """How candidate pairs agree, field by field; the only thing the match model sees.

    levels: (m, f) int8, places in schema.LEVELS, MISSING where a side has no value.
    rarity: (m, f) int8, rarity bucket of the agreeing name where a name agrees exactly, else -1.
    crossed: (m, 2) int8, name levels of left forename with right surname, and left surname with right forename;
    MISSING where a side has no value or the schema has no two names.
    """

    levels: NDArray[np.int8]
    rarity: NDArray[np.int8]
    crossed: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.levels)

    def __repr__(self) -> str:
        return f"Comparisons(pairs={len(self)}, fields={self.levels.shape[1]})"


@dataclass(frozen=True, repr=False)
class NullTable:
    """Comparison patterns counted among candidate pairs inside one agency's file (the non-match model's food).

    levels: (k, f) int8, rarity: (k, f) int8, crossed: (k, 2) int8: distinct patterns.
    counts: (k,) float64 candidate pairs with each pattern.
    people: rows in the file (rounded as the agreement says). pairs: candidate pairs counted.
    present: (f,) float64 share of rows with a value.
    gaps: (2 ** f,) float64 share of rows with exactly each set of missing fields (bit i: field i is missing), or
    empty where it is not known and fields count as missing independently.
    """

    levels: NDArray[np.int8]
    rarity: NDArray[np.int8]
    crossed: NDArray[np.int8]
    counts: NDArray[np.float64]
    people: int
    pairs: int
    present: NDArray[np.float64]
    gaps: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    def __repr__(self) -> str:
        return f"NullTable(patterns={len(self.counts)}, pairs={self.pairs}, people={self.people})"


@dataclass(frozen=True, repr=False)
class Scores:
    """What the match model says of candidate pairs.

    weight: (m,) float64 match weight in bits, log2 of the posterior odds before competition between pairs.
    probability: (m,) float64 posterior that the pair is one person, after competition (one-to-one-aware).
    contributions: (m, f + 1) float32 bits added by each field; the last column is the prior.
    parameters: what was learnt, for the run report; numbers only.
    """

    weight: NDArray[np.float64]
    probability: NDArray[np.float64]
    contributions: NDArray[np.float32]
    parameters: Mapping[str, object] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.weight)

    def __repr__(self) -> str:
        return f"Scores(pairs={len(self)})"


@dataclass(frozen=True, repr=False)
class Screening:
    """Screening encodings of one agency: who might be the same, and nothing else.

    pseudonyms: (n, 16) uint8, random per run, one a person. filters: (r, w) uint64, w words of 64 bits.
    owner: (r,) int32, the person of each filter; a person with aliases has several filters.
    tokens: (n, t, 16) uint8, what rows of two files may share; no token stands twice in a file, and t may be 0.
    """

    pseudonyms: Bytes16
    filters: NDArray[np.uint64]
    owner: NDArray[np.int32]
    tokens: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.pseudonyms)

    def __repr__(self) -> str:
        return f"Screening(people={len(self)}, bits={self.filters.shape[1] * 64})"


@dataclass(frozen=True, repr=False)
class Request:
    """What the matcher asks of one agency: evidence on a row, under the key of a pair.

    pair_ids: (m, 16) uint8, random, none twice. pseudonyms: (m, 16) uint8, rows of the agency asked.
    """

    pair_ids: Bytes16
    pseudonyms: Bytes16

    def __len__(self) -> int:
        return len(self.pair_ids)

    def __repr__(self) -> str:
        return f"Request(pairs={len(self)})"


@dataclass(frozen=True, repr=False)
class Evidence:
    """One side of candidate pairs, each under the key of its pair alone; the columns are those of layout.Layout.

    pair_ids: (m, 16) uint8, or empty (0, 16) where rows are compared inside one agency.
    presence: (m, s) uint8, 0 missing, 1 partly known, 2 known. tags: (m, t) uint32. filters: (m, q, 8) uint64.
    """

    pair_ids: Bytes16
    presence: NDArray[np.uint8]
    tags: NDArray[np.uint32]
    filters: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.tags)

    def take(self, rows: NDArray[np.integer]) -> Evidence:
        """The evidence of some rows, in that order."""
        ids = self.pair_ids[rows] if len(self.pair_ids) else self.pair_ids
        return Evidence(ids, self.presence[rows], self.tags[rows], self.filters[rows])

    def __repr__(self) -> str:
        return f"Evidence(sides={len(self)})"
