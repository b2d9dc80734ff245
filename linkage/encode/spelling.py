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

    lengths = np.fromiter(map(len, vocabulary), np.int64, len(vocabulary))
    text = "".join(vocabulary)
    points = np.frombuffer(*((text.encode(), np.uint8) if text.isascii() else (text.encode("utf-32-le"), np.uint32)))
    met = np.bincount(points, minlength=ord("_") + 1) > 0
    met[ord("_")] = True
    number = (np.cumsum(met) - 1).astype(np.int32)
    letters = [chr(point) for point in np.flatnonzero(met).tolist()]
    most = np.minimum(lengths + 1, most_each)
    codes = np.empty(int(most.sum()), np.int32)
    count = np.empty(len(vocabulary), np.int64)
    bigram_lists(number[points], lengths, int(number[ord("_")]), len(letters), most, codes, count)
    codes = codes[: int(count.sum())]
    used = np.bincount(codes, minlength=1) > 0
    np.take((np.cumsum(used) - 1).astype(np.int32), codes, out=codes)
    grams = [letters[gram // len(letters)] + letters[gram % len(letters)] for gram in np.flatnonzero(used).tolist()]
    return grams if len(codes) else [], codes, _offsets(count)


def words(vocabulary: Sequence[str]) -> Spelt:
    """The words of some values, in their order: what `str.split` says."""
    from linkage.encode.kernels import word_lists  # loads numba

    text = "".join(vocabulary)
    if not text.isascii():
        return listed(vocabulary, str.split)
    points = np.frombuffer(text.encode(), np.uint8)
    space = np.array([chr(point).isspace() for point in range(256)])
    lengths = np.fromiter(map(len, vocabulary), np.int64, len(vocabulary))
    most = int(space[points].sum()) + len(vocabulary)
    codes, count = np.empty(most, np.int32), np.empty(len(vocabulary), np.int64)
    firsts, table = np.empty((most, 2), np.int64), np.zeros(1 << (2 * most).bit_length(), np.int32)
    distinct = word_lists(points, lengths, space, table, codes, count, firsts)
    spelt = [text[start:end] for start, end in firsts[:distinct].tolist()]
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
    lengths = np.fromiter(map(len, vocabulary), np.int64, len(vocabulary))
    left = np.ones(len(vocabulary), np.bool_)
    counts = np.zeros(len(vocabulary), np.int64)
    parts: list[tuple[NDArray[np.int64], NDArray[np.int32]]] = []  # rows, and the places of their tokens
    places: dict[str, int] = {}
    for shape, spans in shapes.items():
        rows, characters = _of_shape(vocabulary, np.flatnonzero(lengths == len(shape)), shape)
        codes = np.empty((len(rows), len(spans)), np.int32)
        distinct = {span: _distinct(characters[:, span]) for span in dict.fromkeys(spans)}
        for nth, span in enumerate(spans):
            first, same = distinct[span]
            codes[:, nth] = _placed([make(vocabulary[row])[nth] for row in rows[first].tolist()], places)[same]
        left[rows], counts[rows] = False, len(spans)
        parts.append((rows, codes))
    rest = np.flatnonzero(left)
    tokens, others, bounds = listed([vocabulary[row] for row in rest.tolist()], make)
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


def _of_shape(
    vocabulary: Sequence[str], rows: NDArray[np.int64], shape: str
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Which of some values of a shape's length are of the shape, and their characters (m, length)."""
    text = "".join([vocabulary[row] for row in rows.tolist()])
    if not text.isascii():
        rows, text = rows[:0], ""
    characters = np.frombuffer(text.encode(), np.uint8).reshape(-1, len(shape))
    pattern = np.frombuffer(shape.encode(), np.uint8)
    fits = np.ones(len(rows), np.bool_)
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
