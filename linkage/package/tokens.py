"""What an agency sends in one-round, and the proof that it is that.

Every array is random to look at; what can be proven before a token meets is shape, and that no token is shared by
more rows than agreed. A package is nine kilobytes a row, nearly all of it beneath tokens that meet nobody: it is read
twice, first what rows are joined by, then what lies beneath the tokens that met.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import DTypeLike, NDArray

from keys.sharing import SECRET_BYTES
from linkage.agreement import Agreement
from linkage.ids import unique
from linkage.layout import Layout
from linkage.model import Bytes16, NullTable
from linkage.notes import SEALED_NOTE_BYTES
from linkage.package.arriving import Places
from linkage.package.container import Body
from linkage.package.contents import ScreeningMeta, null_arrays, null_of, null_promises
from linkage.package.promises import arrays_of, hold, most_shared, text_of
from linkage.package.stream import Made
from linkage.schema import Schema
from linkage.sides import side_bytes

_BENEATH = ("shares", "sides", "notes")
_NOBODY = np.empty(0, np.int64)


@dataclass(frozen=True)
class TokenForm:
    """What the agreement says of token packages: tokens a row, rows a token, lengths of sides and sealed notes."""

    schema: Schema
    per_row: int
    most_sharing: int
    side_bytes: int
    note_bytes: int

    @staticmethod
    def of(agreement: Agreement) -> TokenForm:
        """That of an agreement."""
        tokens, sides = agreement.terms.tokens, side_bytes(Layout(agreement.schema))
        return TokenForm(agreement.schema, tokens.per_row, tokens.most_sharing, sides, SEALED_NOTE_BYTES)

    @property
    def row_bytes(self) -> int:
        """What a row takes in a package."""
        return 16 + self.per_row * (16 + SECRET_BYTES + self.side_bytes) + self.note_bytes

    def promises(self) -> dict[str, tuple[DTypeLike, tuple[int | None, ...]]]:
        """Types and shapes of a package's arrays."""
        return {
            "pseudonyms": (np.uint8, (None, 16)),
            "tokens": (np.uint8, (None, self.per_row, 16)),
            "shares": (np.uint8, (None, self.per_row, SECRET_BYTES)),
            "sides": (np.uint8, (None, self.per_row, self.side_bytes)),
            "notes": (np.uint8, (None, self.note_bytes)),
            "note_key": (np.uint8, (None,)),
            **null_promises(len(self.schema)),
        }


@dataclass(frozen=True, repr=False)
class TokenRows:
    """What the rows of one agency are joined by in one-round, n rows of t tokens.

    pseudonyms: (n, 16), random, one a row. tokens: (n, t, 16). note_key: the notes' key, sealed to children's
    services. null: as in two rounds.
    """

    check: str
    pseudonyms: Bytes16
    tokens: NDArray[np.uint8]
    note_key: bytes
    null: NullTable

    WANTED = {name: Places(_NOBODY) for name in _BENEATH}  # noqa: RUF012  no field: it has no annotation
    """What is wanted of a package for this."""

    def __len__(self) -> int:
        return len(self.pseudonyms)

    @staticmethod
    def from_body(body: Body, form: TokenForm) -> TokenRows:
        """The rows of a token package of which no more than WANTED was read."""
        rows, arrays = _proven(body, form)
        hold(not any(len(arrays[name]) for name in _BENEATH), "every row has tokens, shares, sides and a note")
        return rows


@dataclass(frozen=True, repr=False)
class Beneath:
    """What lies beneath some tokens, masked: m shares (m, 32), sides (m, b), and notes of their rows (m, length).

    shares: of the secret that masks the side; sides: evidence, see linkage.sides. notes: sealed to children's services
    and masked under a key that stands in every side of the row.
    """

    shares: NDArray[np.uint8]
    sides: NDArray[np.uint8]
    notes: NDArray[np.uint8]

    @staticmethod
    def wanted(rows: NDArray[np.integer[Any]], slots: NDArray[np.integer[Any]], form: TokenForm) -> dict[str, Places]:
        """What is wanted of a package for the tokens in some places of some rows, (m,) each."""
        under = Places(np.unique(_flat(rows, slots, form)), axes=2)
        nothing = Places(_NOBODY)
        beside = {"shares": under, "sides": under, "notes": Places(np.unique(rows).astype(np.int64))}
        return beside | dict.fromkeys(("pseudonyms", "tokens"), nothing)

    @staticmethod
    def from_body(
        body: Body, rows: NDArray[np.integer[Any]], slots: NDArray[np.integer[Any]], form: TokenForm
    ) -> Beneath:
        """What lies beneath these tokens in a token package of which no more than `wanted` was read."""
        under, at = np.unique(_flat(rows, slots, form), return_inverse=True)
        distinct, row = np.unique(rows, return_inverse=True)
        shares, sides, notes = (body.arrays.get(name, np.empty(0)) for name in _BENEATH)
        fit = len(shares) == len(sides) == len(under) and len(notes) == len(distinct)
        hold(fit, "it is the package whose tokens were read")
        return Beneath(shares[at], sides[at], notes[row])


@dataclass(frozen=True, repr=False)
class TokenContents(TokenRows):
    """One agency's rows in one-round, whole: shares (n, t, 32), sides (n, t, b) and notes (n, length); see Beneath."""

    shares: NDArray[np.uint8]
    sides: NDArray[np.uint8]
    notes: NDArray[np.uint8]

    def beneath(self, rows: NDArray[np.integer[Any]], slots: NDArray[np.integer[Any]]) -> Beneath:
        """What lies beneath the tokens in some places of some rows, (m,) each."""
        return Beneath(self.shares[rows, slots], self.sides[rows, slots], self.notes[rows])

    def to_body(self) -> Body:
        """Arrays and text for the container."""
        arrays = {name: getattr(self, name) for name in ("pseudonyms", "tokens", *_BENEATH)}
        body = token_body(self.check, self.note_key, self.null, {})
        return Body(body.meta, {**body.arrays, **arrays})

    @staticmethod
    def from_body(body: Body, form: TokenForm) -> TokenContents:
        """Contents of a token package that was read whole."""
        rows, arrays = _proven(body, form)
        hold(all(len(arrays[name]) == len(rows) for name in _BENEATH), "every row has tokens, shares, sides and a note")
        beneath = {name: arrays[name] for name in _BENEATH}
        return TokenContents(rows.check, rows.pseudonyms, rows.tokens, rows.note_key, rows.null, **beneath)


def token_body(check: str, note_key: bytes, null: NullTable, made: Mapping[str, Made]) -> Body:
    """A package's body; made: what is of many bytes a row, made as it leaves."""
    meta = ScreeningMeta(check=check, people=null.people, pairs=null.pairs)
    arrays = {"note_key": np.frombuffer(note_key, np.uint8), **null_arrays(null)}
    return Body(msgspec.json.encode(meta), arrays, made)


def _flat(rows: NDArray[np.integer[Any]], slots: NDArray[np.integer[Any]], form: TokenForm) -> NDArray[np.int64]:
    return rows.astype(np.int64) * form.per_row + slots


def _proven(body: Body, form: TokenForm) -> tuple[TokenRows, dict[str, NDArray[Any]]]:
    meta = text_of(body, ScreeningMeta)
    arrays = arrays_of(body.arrays, form.promises())
    pseudonyms, tokens = arrays["pseudonyms"], arrays["tokens"]
    hold(len(pseudonyms) == len(tokens), "every row has tokens, shares, sides and a note")
    hold(meta.people == len(pseudonyms), "the patterns are those of the rows")
    hold(unique(pseudonyms), "no pseudonym appears twice")
    hold(most_shared(tokens) <= form.most_sharing, "no token is shared by more rows than agreed")
    null, note_key = null_of(arrays, meta, form.schema), arrays["note_key"].tobytes()
    return TokenRows(meta.check, pseudonyms, tokens, note_key, null), arrays
