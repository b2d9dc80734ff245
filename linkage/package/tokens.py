"""What an agency sends in one-round, and the proof that it is that.

Every array is random to look at; what can be proven before a token meets is shape, and that no token is shared by
more rows than agreed.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from keys.sharing import SECRET_BYTES
from linkage.ids import unique
from linkage.model import Bytes16, NullTable
from linkage.package.container import Body
from linkage.package.contents import ScreeningMeta, null_arrays, null_of, null_promises
from linkage.package.promises import arrays_of, hold, most_shared, text_of
from linkage.schema import Schema


@dataclass(frozen=True, repr=False)
class TokenContents:
    """One agency's rows in one-round, n rows of t tokens.

    pseudonyms: (n, 16), random, one a row. tokens: (n, t, 16), what rows are joined by. shares: (n, t, 32), of the
    secret that masks the side beside it. sides: (n, t, b), evidence under each token, masked; see linkage.sides.
    notes: (n, length), sealed to children's services and masked under a key that stands in every side of the row.
    note_key: the notes' key, sealed to children's services. null: as in two rounds.
    """

    check: str
    pseudonyms: Bytes16
    tokens: NDArray[np.uint8]
    shares: NDArray[np.uint8]
    sides: NDArray[np.uint8]
    notes: NDArray[np.uint8]
    note_key: bytes
    null: NullTable

    def __len__(self) -> int:
        return len(self.pseudonyms)

    @property
    def bytes_per_row(self) -> int:
        """What a row takes in a package."""
        rows = (self.pseudonyms, self.tokens, self.shares, self.sides, self.notes)
        return sum(int(np.prod(array.shape[1:])) for array in rows)

    def to_body(self) -> Body:
        """Arrays and text for the container."""
        meta = ScreeningMeta(check=self.check, people=self.null.people, pairs=self.null.pairs)
        return Body(
            msgspec.json.encode(meta),
            {
                "pseudonyms": self.pseudonyms,
                "tokens": self.tokens,
                "shares": self.shares,
                "sides": self.sides,
                "notes": self.notes,
                "note_key": np.frombuffer(self.note_key, np.uint8),
                **null_arrays(self.null),
            },
        )

    @staticmethod
    def from_body(
        body: Body, schema: Schema, per_row: int, most_sharing: int, side_bytes: int, note_bytes: int
    ) -> TokenContents:
        """Contents of a token package under a schema, the agreed numbers, and lengths of sides and sealed notes."""
        meta = text_of(body, ScreeningMeta)
        arrays = arrays_of(
            body.arrays,
            {
                "pseudonyms": (np.uint8, (None, 16)),
                "tokens": (np.uint8, (None, per_row, 16)),
                "shares": (np.uint8, (None, per_row, SECRET_BYTES)),
                "sides": (np.uint8, (None, per_row, side_bytes)),
                "notes": (np.uint8, (None, note_bytes)),
                "note_key": (np.uint8, (None,)),
                **null_promises(len(schema)),
            },
        )
        rows = {name: arrays[name] for name in ("pseudonyms", "tokens", "shares", "sides", "notes")}
        hold(len({len(array) for array in rows.values()}) == 1, "every row has tokens, shares, sides and a note")
        hold(meta.people == len(rows["pseudonyms"]), "the patterns are those of the rows")
        hold(unique(arrays["pseudonyms"]), "no pseudonym appears twice")
        hold(most_shared(arrays["tokens"]) <= most_sharing, "no token is shared by more rows than agreed")
        null, note_key = null_of(arrays, meta, schema), arrays["note_key"].tobytes()
        return TokenContents(check=meta.check, note_key=note_key, null=null, **rows)
