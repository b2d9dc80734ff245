"""Lists of byte strings as one byte string and back, so that no two lists look alike.

Rule: whatever is hashed, signed or bound is framed first; nothing is ever merely concatenated.
"""

from __future__ import annotations

_PREFIX = 4  # bytes of each part's big-endian length


def frame(*parts: bytes) -> bytes:
    """Each part behind its length in 4 bytes, big-endian; different lists give different bytes."""
    return b"".join(piece for part in parts for piece in (len(part).to_bytes(_PREFIX, "big"), part))


def unframe(data: bytes, count: int | None = None) -> tuple[bytes, ...]:
    """Parts of framed bytes.

    count: how many there must be; None takes any number.
    Raises ValueError, without quoting the bytes, when a part is cut short or the number is another.
    """
    parts: list[bytes] = []
    place = 0
    while place < len(data):
        start = place + _PREFIX
        end = start + int.from_bytes(data[place:start], "big")
        if end > len(data):
            raise ValueError("framed bytes are cut short")
        parts.append(data[start:end])
        place = end
    if count is not None and len(parts) != count:
        raise ValueError(f"{len(parts)} framed parts, not {count}")
    return tuple(parts)
