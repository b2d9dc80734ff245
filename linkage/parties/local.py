"""The local table: all an agency needs between `encode` and `answer`, and nobody else may see.

It holds no name and no date: keyed digests of tokens, pseudonyms, the agency's own ids, and notes for children's
services. It is stored encrypted and destroyed by `close`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from linkage.encode.joining import join
from linkage.encode.tokens import FieldTokens
from linkage.errors import UnreadableFileError
from linkage.ids import places
from linkage.model import Bytes16, Note, Offsets
from linkage.package.stream import Made, Stream, container, read_head
from linkage.shelf import Held
from linkage.texts import Texts

_PARTS = ("digests", "tags", "filter_codes", "filter_offsets", "presence", "codes", "offsets")
_PROVEN = ("digests", "codes", "offsets")
"""What of a field's tokens says which values every person has; the rest follows from them."""
_PIECE = 1 << 20  # bytes of a table written at a time
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
        """What is to be encrypted; see tables_to_stream."""
        return tables_to_stream([lambda: self])

    @staticmethod
    def from_bytes(data: bytes) -> LocalTable:
        """The table of a whole file. Raises as tables_from_bytes."""
        tables = tables_from_bytes(data)
        if len(tables) == 1:
            return tables[0]
        return LocalTable(
            np.concatenate([one.pseudonyms for one in tables]),
            Texts.join([_texts(one.local_ids) for one in tables]),
            join([one.tokens for one in tables]),
            tuple(chain.from_iterable(one.notes for one in tables)),
            b"".join(one.proof for one in tables),
        )

    def container(self) -> Stream:
        """One container of arrays and text."""
        meta = msgspec.json.encode(_Meta(notes=self.notes, proof=self.proof.hex()))
        ids = _texts(self.local_ids)
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


def tables_to_stream(tables: Sequence[Held[LocalTable]]) -> Stream:
    """The tables of all parts of a file, one held at a time: of each its length, 8 bytes, and its container."""
    lengths = [load().container().length for load in tables]

    def parts(load: Held[LocalTable], length: int) -> Iterator[NDArray[np.uint8]]:
        yield np.frombuffer(length.to_bytes(8, "little"), np.uint8)
        yield from (np.frombuffer(piece, np.uint8) for piece in load().container().parts(_PIECE))

    made = zip(tables, lengths, strict=True)
    pieces = [Made(np.dtype(np.uint8), (8 + length,), partial(parts, load, length)) for load, length in made]
    return Stream(sum(piece.nbytes for piece in pieces), tuple(pieces))


def tables_from_bytes(data: bytes) -> list[LocalTable]:
    """Inverse of tables_to_stream, joined. Raises UnreadableFileError when a table is damaged."""
    view, tables = memoryview(bytearray(data)), []  # arrays that may be written, as those that were just made
    while view:
        length = int.from_bytes(view[:8], "little")
        tables.append(_table(view[8 : 8 + length], length))
        view = view[8 + length :]
    if not tables:
        raise _damaged()
    return tables


def _table(data: memoryview, length: int) -> LocalTable:
    try:
        entries = read_head(bytes(data[: 8 + int.from_bytes(data[:8], "little")]))
        end = max(entry.stop for entry in entries.values())
        if len(data) != length or end != length:
            raise _damaged()
        arrays: dict[str, NDArray[Any]] = {
            name: np.frombuffer(data[entry.start : entry.stop], entry.dtype).reshape(entry.shape)
            for name, entry in entries.items()
        }
        meta = msgspec.json.decode(arrays["meta"].tobytes(), type=_Meta)
        count = sum(name.endswith(".offsets") for name in arrays)
        ids = Texts(arrays["ids.data"], arrays["ids.ends"])
        proof = bytes.fromhex(meta.proof)
        tokens = tuple(FieldTokens(*(arrays[f"{nth}.{part}"] for part in _PARTS)) for nth in range(count))
    except (KeyError, ValueError, msgspec.MsgspecError):
        raise _damaged() from None
    return LocalTable(arrays["pseudonyms"], ids, tokens, meta.notes, proof)


def _texts(texts: Sequence[str]) -> Texts:
    return texts if isinstance(texts, Texts) else Texts.of(texts)


def _damaged() -> UnreadableFileError:
    return UnreadableFileError("the local table of this run is damaged", "encode again under a new run")
