"""Distinct values in; their distinct tokens, and as ragged lists which of them each value has, out.

What a value's tokens are, a function says value by value. Here it is asked as seldom as possible: bigrams are counted
off by compiled code, and where a token depends on few characters of a value of a known shape, such as the year of a
date, it is made once for all values that agree in these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

from linkage.texts import Texts

ASCII = 128
"""Characters below it are one byte each, and so are places in a text."""

_CODES = 1 << 16  # characters looked at, and tokens numbered anew, at a time: as places, each takes eight bytes

Spelt = tuple[Sequence[str], NDArray[np.int32], NDArray[np.int64]]
"""Distinct tokens of some values, and as ragged lists (codes, offsets) the places of each value's among them."""

Shapes = Mapping[str, tuple[tuple[int, ...], ...]]
"""Of values of a shape, the characters on which each token depends, at most 8. A shape ("####-##-##") has the value's
length; its signs other than # stand in the value where they stand in the shape, and nowhere else."""


def bigrams(text: str) -> list[str]:
    """Distinct padded bigrams of a text, in order of first appearance."""
    padded = f"_{text}_"
    return list(dict.fromkeys(a + b for a, b in pairwise(padded)))


def unspelt(values: int) -> Spelt:
    """No token for any of so many values."""
    return [], np.empty(0, np.int32), np.zeros(values + 1, np.int64)


def spell(vocabulary: Sequence[str], most_each: int = 1 << 30) -> Spelt:
    """The bigrams of some values, of each the first ones: what `bigrams` says."""
    from linkage.encode.kernels import bigram_lists  # loads numba

    points, lengths = _points(vocabulary)
    met = np.zeros(max(int(points.max(initial=0)), ord("_")) + 1, np.bool_)
    met[ord("_")] = True
    for start in range(0, len(points), _CODES):
        met[points[start : start + _CODES]] = True
    number = (np.cumsum(met) - 1).astype(np.int32)
    letters = [chr(point) for point in np.flatnonzero(met).tolist()]
    most = np.minimum(lengths + 1, most_each)
    codes = np.empty(int(most.sum()), np.int32)
    count = np.empty(len(vocabulary), np.int64)
    last = np.full(len(letters) ** 2, -1, np.int32)
    bigram_lists(points, number, lengths, int(number[ord("_")]), len(letters), most, last, codes, count)
    codes = codes[: int(count.sum())]
    used = last >= 0
    place = (np.cumsum(used) - 1).astype(np.int32)
    for start in range(0, len(codes), _CODES):
        codes[start : start + _CODES] = place[codes[start : start + _CODES]]
    grams = [letters[gram // len(letters)] + letters[gram % len(letters)] for gram in np.flatnonzero(used).tolist()]
    return grams if len(codes) else [], codes, _offsets(count)


def known_codes(vocabulary: Texts) -> NDArray[np.bool_]:
    """Which postcodes are known whole: in two parts, or another country's digits, (v,)."""
    known = vocabulary.holding(" ")
    rest = np.flatnonzero(~known)
    known[rest] = [text.isdigit() for text in vocabulary.take(rest)]
    return known


def selves(vocabulary: Texts, which: NDArray[np.bool_]) -> Spelt:
    """Some values as the one token of each, and none of the others."""
    chosen = np.flatnonzero(which)
    return vocabulary.take(chosen), np.arange(len(chosen), dtype=np.int32), _offsets(which.astype(np.int64))


def words(vocabulary: Sequence[str]) -> Spelt:
    """The words of some values, in their order: what `str.split` says."""
    from linkage.encode.kernels import word_lists  # loads numba

    texts = texts_of(vocabulary)
    if texts.data.max(initial=0) >= ASCII:
        return listed(vocabulary, str.split)
    points, lengths = texts.data, np.diff(texts.ends)
    space = np.array([chr(point).isspace() for point in range(256)])
    most = int(space[points].sum()) + len(vocabulary)
    codes, count = np.empty(most, np.int32), np.empty(len(vocabulary), np.int64)
    firsts, table = np.empty((most, 2), np.int64), np.zeros(1 << (2 * most).bit_length(), np.int32)
    distinct = word_lists(points, lengths, space, table, codes, count, firsts)
    spelt = [points[start:end].tobytes().decode() for start, end in firsts[:distinct].tolist()]
    return spelt, codes[: int(count.sum())], _offsets(count)


def listed(vocabulary: Sequence[str], make: Callable[[str], list[str]]) -> Spelt:
    """What `make` says, asked of every value."""
    lists = list(map(make, vocabulary))
    flat = list(chain.from_iterable(lists))
    places = {token: place for place, token in enumerate(dict.fromkeys(flat))}
    codes = np.fromiter(map(places.__getitem__, flat), np.int32, len(flat))
    return list(places), codes, _offsets(np.fromiter(map(len, lists), np.int64, len(lists)))


def sliced(vocabulary: Sequence[str], make: Callable[[str], list[str]], shapes: Shapes) -> Spelt:
    """What `make` says, asked once for all values of a shape that agree where a token depends on them."""
    texts = texts_of(vocabulary)
    left = np.ones(len(vocabulary), np.bool_)
    counts = np.zeros(len(vocabulary), np.int64)
    parts: list[tuple[NDArray[np.int64], NDArray[np.int32]]] = []  # rows, and the places of their tokens
    places: dict[str, int] = {}
    for shape, spans in shapes.items():
        rows, characters = _of_shape(texts, shape)
        codes = np.empty((len(rows), len(spans)), np.int32)
        distinct = {span: _distinct(characters[:, span]) for span in dict.fromkeys(spans)}
        for nth, span in enumerate(spans):
            first, same = distinct[span]
            codes[:, nth] = _placed([make(texts[row])[nth] for row in rows[first].tolist()], places)[same]
        left[rows], counts[rows] = False, len(spans)
        parts.append((rows, codes))
    rest = np.flatnonzero(left)
    tokens, others, bounds = listed(texts.take(rest), make)
    counts[rest] = np.diff(bounds)
    offsets = _offsets(counts)
    flat = np.empty(int(offsets[-1]), np.int32)
    for rows, made in parts:
        flat[offsets[rows][:, None] + np.arange(made.shape[1])] = made
    flat[np.repeat(offsets[rest] - bounds[:-1], counts[rest]) + np.arange(len(others))] = _placed(tokens, places)[
        others
    ]
    return list(places), flat, offsets


def _placed(tokens: Sequence[str], places: dict[str, int]) -> NDArray[np.int32]:
    """Places of tokens; those that are new get the next."""
    return np.array([places.setdefault(token, len(places)) for token in tokens], np.int32)


def texts_of(vocabulary: Sequence[str]) -> Texts:
    """The same values as Texts."""
    return vocabulary if isinstance(vocabulary, Texts) else Texts.of(vocabulary)


def _points(vocabulary: Sequence[str]) -> tuple[NDArray[np.uint8 | np.uint32], NDArray[np.int64]]:
    """Characters of all values, one value after another, and how many each has; uint8 where all are ASCII."""
    texts = texts_of(vocabulary)
    if texts.data.max(initial=0) < ASCII:
        return texts.data, np.diff(texts.ends)
    points = np.frombuffer("".join(texts).encode("utf-32-le"), np.uint32)
    return points, np.fromiter(map(len, texts), np.int64, len(texts))


def _of_shape(texts: Texts, shape: str) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Which values are of a shape, (m,), and their characters (m, length)."""
    rows = np.flatnonzero(np.diff(texts.ends) == len(shape))
    characters = texts.data[texts.ends[rows][:, None] + np.arange(len(shape))]
    pattern = np.frombuffer(shape.encode(), np.uint8)
    fits = (characters < ASCII).all(axis=1)
    for sign in {*shape} - {"#"}:
        fits &= ((characters == ord(sign)) == (pattern == ord(sign))).all(axis=1)
    return rows[fits], characters[fits]


def _distinct(characters: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each distinct row of up to 8 characters first stands, and the place of every row's like among them."""
    packed = np.zeros((len(characters), 8), np.uint8)
    packed[:, : characters.shape[1]] = characters
    _, first, same = np.unique(packed.view(np.uint64).ravel(), return_index=True, return_inverse=True)
    return first, same


def _offsets(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
