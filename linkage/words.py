"""Small things said the same way everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known word, or all of them."""
    known = list(known)
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'?" if close else f"known are: {', '.join(known)}"


def count(number: int, noun: str, plural: str = "") -> str:
    """'1 row', '2 rows', '12,345 rows'."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
