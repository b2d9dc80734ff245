"""Forms of a name that two services may each hold: nickname roots and codes of its sound."""

from __future__ import annotations
import jellyfish


def name_roots(value: str) -> tuple[str, ...]:
    return (value,)


def sounds(value: str) -> tuple[str, ...]:
    word = value.replace(" ", "")
    return tuple(
        dict.fromkeys(c for c in ("m" + jellyfish.metaphone(word), "n" + jellyfish.nysiis(word)) if len(c) > 1)
    )
