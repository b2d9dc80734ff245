"""Distinct texts become values: plain ones in compiled loops (plain.py), all others by their field's cleaner.

Texts and a cleaner come in; places of the values in a list of distinct ones go out, with a verdict a text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from linkage.intake.cell import Cleaner
from linkage.intake.coder import Coder, Codes
from linkage.texts import Texts

LETTERS = 12  # of a word that has a key of its own
_BLOCK = 1 << 14  # texts cleaned at a time


class What(IntEnum):
    """Kinds of value that have a compiled loop."""

    NAME = 0
    DATE = 1
    POSTCODE = 2
    ADDRESS = 3
    PHONE = 4
    NHS = 5
    SHAPED = 6
    OTHER = 7


@dataclass(frozen=True, eq=False)
class Plain:
    """A compiled loop and what it knows; see plain.py for what each takes."""

    what: What
    settings: tuple[int, ...] = ()
    words: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))
    shorts: NDArray[np.uint8] = field(default_factory=lambda: np.empty((0, 0), np.uint8))


def keys_of(words: Iterable[str]) -> NDArray[np.uint64]:
    """Words of capitals and digits, each as one number, in their order: no two of up to 12 letters are the same."""
    keys = []
    for word in words:
        key = 0
        for character in word:
            key = (key * 37 + int(character, 36) + 1) % 2**64
        keys.append(key)
    return np.array(keys, np.uint64)


def values_of(
    texts: Texts, clean: Cleaner, plain: Plain | None, coder: Coder
) -> tuple[Codes, NDArray[np.int64], NDArray[np.int8]]:
    """Values of all texts (v,), as places in the coder, text after text; (n,) how many each has, and its verdict."""
    blocks = range(0, max(len(texts), 1), _BLOCK)
    found = [_block(texts[start : start + _BLOCK], clean, plain, coder) for start in blocks]
    codes, counts, verdicts = zip(*found, strict=True)
    return np.concatenate(codes), np.concatenate(counts), np.concatenate(verdicts)


def digits_of(texts: Texts) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """How many digits each text has, 0 for what is no number, (n,); and whether a zero is the first of them."""
    from linkage.intake.kernels import digits  # loads numba

    lengths = np.empty(len(texts), np.int64)
    digits(texts.data, texts.ends, lengths)
    for place in np.flatnonzero(lengths < 0).tolist():  # digits of other alphabets count too
        lengths[place] = len(texts[place]) if texts[place].isdigit() else 0
    zeros = lengths > 0
    zeros[zeros] = texts.data[texts.ends[:-1][zeros]] == ord("0")
    return lengths, zeros


def _block(
    texts: Texts, clean: Cleaner, plain: Plain | None, coder: Coder
) -> tuple[Codes, NDArray[np.int64], NDArray[np.int8]]:
    quick, counts, verdicts = _plainly(texts, plain)
    unsure = verdicts < 0
    cleaned = [clean(text) for text in (texts if unsure.all() else texts.take(np.flatnonzero(unsure)))]
    verdicts[unsure] = np.fromiter((verdict for _, verdict in cleaned), np.int8, len(cleaned))
    counts[unsure] = np.fromiter((len(values) for values, _ in cleaned), np.int64, len(cleaned))
    slow = Texts.of(value for values, _ in cleaned for value in values)
    # Values of both lie in one run of bytes; their starts and lengths stand in the order of the texts.
    by_cleaner = np.repeat(unsure, counts)
    begin, size = np.empty((2, len(by_cleaner)), np.int64)
    begin[~by_cleaner], size[~by_cleaner] = quick.ends[:-1], np.diff(quick.ends)
    begin[by_cleaner], size[by_cleaner] = slow.ends[:-1] + len(quick.data), np.diff(slow.ends)
    return coder.add(np.concatenate([quick.data, slow.data]), begin, size), counts, verdicts


def _plainly(texts: Texts, plain: Plain | None) -> tuple[Texts, NDArray[np.int64], NDArray[np.int8]]:
    """Values of plain texts, text after text; (n,) how many each text has, and its verdict, -1 for unsure."""
    counts, verdicts = np.zeros(len(texts), np.int64), np.full(len(texts), -1, np.int8)
    if plain is None:
        return Texts.of(()), counts, verdicts
    from linkage.intake.plain import clean  # loads numba

    out = np.empty(2 * len(texts.data) + 16 * len(texts) + 16, np.uint8)
    most = max(plain.settings[0], 1) if plain.what is What.NAME else 1
    starts, lengths = np.empty((2, most * len(texts)), np.int64)
    settings, what = np.array(plain.settings, np.int64), int(plain.what)
    values, used = clean(
        what, texts.data, texts.ends, settings, plain.words, plain.shorts, out, starts, lengths, counts, verdicts
    )
    return Texts(out[:used], np.append(starts[:values], used)), counts, verdicts
