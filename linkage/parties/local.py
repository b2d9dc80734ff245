"""The local table: all an agency needs between `encode` and `answer`, and nobody else may see.

It holds no name and no date: keyed digests of tokens, pseudonyms, the agency's own ids, and notes for children's
services. It is stored encrypted and destroyed by `close`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from linkage.encode.tokens import FieldTokens
from linkage.errors import UnreadableFileError
from linkage.ids import places
from linkage.model import Bytes16, Note, Offsets
from linkage.package.stream import Made, Stream, container
from linkage.texts import Texts

_PARTS = ("digests", "tags", "filter_codes", "filter_offsets", "presence", "codes", "offsets")
_PROVEN = ("digests", "codes", "offsets")
"""What of a field's tokens says which values every person has; the rest follows from them."""
_BLOCK = 1 << 16  # offsets widened at a time


def proof_of(tokens: Sequence[FieldTokens]) -> bytes:
    """32 bytes that another file, or the same in another order, does not give.

    Keyed, since tokens are: nobody without the run key can test guesses of a file against it.
    """
    state = hashlib.sha256()
    for field in tokens:
        for part in _PROVEN:
            array = np.ascontiguousarray(getattr(field, part), np.int64 if part == "offsets" else None)
            state.update(f"{array.dtype.str}{array.shape}".encode())
            state.update(array.tobytes())
    return state.digest()


def _wide(offsets: Offsets) -> Made:
    """Offsets as they are stored, in 64 bits; in memory those of an intake have half."""
    starts = range(0, len(offsets), _BLOCK)
    return Made(np.dtype(np.int64), offsets.shape, lambda: (offsets[n : n + _BLOCK].astype(np.int64) for n in starts))


class _Meta(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    notes: tuple[Note, ...]
    proof: str = ""


@dataclass(frozen=True, repr=False)
class LocalTable:
    """One agency's file within one run. pseudonyms: (n, 16) uint8; tokens: by field; notes: one a row, or none.

    proof: in one-round, where no tokens are kept since nothing is asked, their digest; see `proof_of`.
    """

    pseudonyms: Bytes16
    local_ids: Sequence[str]
    tokens: tuple[FieldTokens, ...]
    notes: tuple[Note, ...]
    proof: bytes = b""

    def __len__(self) -> int:
        return len(self.local_ids)

    def __repr__(self) -> str:
        return f"LocalTable(people={len(self)})"

    def rows(self, pseudonyms: Bytes16) -> NDArray[np.int64]:
        """Rows with these pseudonyms, (m,); -1 where the run has no such pseudonym."""
        return places(self.pseudonyms, pseudonyms)

    def to_stream(self) -> Stream:
        """One container of arrays and text, to be encrypted."""
        meta = msgspec.json.encode(_Meta(notes=self.notes, proof=self.proof.hex()))
        ids = self.local_ids if isinstance(self.local_ids, Texts) else Texts.of(self.local_ids)
        arrays: dict[str, NDArray[np.generic] | Made] = {
            "meta": np.frombuffer(meta, np.uint8),
            "pseudonyms": self.pseudonyms,
            "ids.data": ids.data,
            "ids.ends": ids.ends,
        }
        for nth, field in enumerate(self.tokens):
            arrays |= {f"{nth}.{part}": getattr(field, part) for part in _PARTS}
            arrays[f"{nth}.offsets"] = _wide(field.offsets)
        return container(arrays)

    @staticmethod
    def from_bytes(data: bytes) -> LocalTable:
        """Inverse of to_stream, joined. Raises UnreadableFileError when the table is damaged."""
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            arrays: Mapping[str, NDArray[np.generic]] = load(data)
            meta = msgspec.json.decode(arrays["meta"].tobytes(), type=_Meta)
            count = sum(name.endswith(".offsets") for name in arrays)
            ids = Texts(arrays["ids.data"], arrays["ids.ends"])  # type: ignore[arg-type]
            proof = bytes.fromhex(meta.proof)
            tokens = tuple(FieldTokens(*(arrays[f"{nth}.{part}"] for part in _PARTS)) for nth in range(count))  # type: ignore[arg-type]
        except (SafetensorError, KeyError, ValueError, msgspec.MsgspecError):
            raise UnreadableFileError(
                "the local table of this run is damaged", "encode again under a new run"
            ) from None
        return LocalTable(arrays["pseudonyms"], ids, tokens, meta.notes, proof)  # type: ignore[arg-type]
