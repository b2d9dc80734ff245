"""The sealed note beside a pair, in plain: flags of an agency's man, or the children an anchor is attached to.

Compact JSON of lists; every note is padded to NOTE_BYTES before it is sealed, so its length says nothing.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from keys.aead import NOTE_OVERHEAD
from linkage.errors import FlagsError, SealedNoteError
from linkage.model import Anchor, Flag, Note

NOTE_BYTES = 384
SEALED_NOTE_BYTES = NOTE_BYTES + NOTE_OVERHEAD

_BASES = ("FACT", "ALLEGED", "OPINION", "SELF")
_RECENCY = ("UNDER_1Y", "1_TO_5Y", "OVER_5Y", "UNKNOWN")
_STATUS = ("ACTIVE", "CLOSED", "UNKNOWN")
_ROLES = ("PERPETRATOR", "VICTIM", "SUBJECT")


_Place = Annotated[int, Meta(ge=0, le=9)]  # in the lists above; Python would read -1 as the last


class _Plain(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    flags: tuple[tuple[str, _Place, _Place, _Place, _Place], ...]
    anchors: tuple[tuple[str, str, str, str, str], ...]


def encode_note(note: Note) -> bytes:
    """A note as bytes of at most NOTE_BYTES. Raises FlagsError when it holds more than fits."""
    plain = _Plain(
        tuple(
            (f.code, _ROLES.index(f.role), _BASES.index(f.basis), _RECENCY.index(f.recency), _STATUS.index(f.status))
            for f in note.flags
        ),
        tuple((a.child_id, a.case_id, a.due_date, a.relation, a.paternity) for a in note.anchors),
    )
    data = msgspec.json.encode(plain)
    if len(data) > NOTE_BYTES:
        raise FlagsError(
            f"one person has {len(note.flags)} flags and {len(note.anchors)} children, more than a note holds",
            "shorten child and case ids, or split the person's rows",
        )
    return data


def decode_note(data: bytes) -> Note:
    """Inverse of encode_note. Raises SealedNoteError for anything else."""
    try:
        plain = msgspec.json.decode(data, type=_Plain)
        flags = tuple(
            Flag(code, _ROLES[role], _BASES[basis], _RECENCY[recency], _STATUS[status])
            for code, role, basis, recency, status in plain.flags
        )
    except (msgspec.MsgspecError, ValueError, IndexError, RecursionError):
        raise SealedNoteError(
            "a note is not in the agreed form", "the agency's program is at fault: tell its desk"
        ) from None
    return Note(flags, tuple(Anchor(*anchor) for anchor in plain.anchors))
