"""Raw cells become a Column: every distinct text is cleaned once, and the rest is arithmetic on codes.

Rule: a person's values keep the order of the mapping's columns, whole ones before partial ones, none twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from linkage.intake.cell import Cleaner, Verdict
from linkage.model import Column

Ints = NDArray[np.int64]


@dataclass(frozen=True, repr=False)
class Cells:
    """One source of values of a field: n texts, how each is cleaned, and what separates several in one cell."""

    texts: Sequence[str]
    clean: Cleaner
    separator: str = ""


def build(
    sources: Sequence[Cells], values: int, owner: NDArray[np.int32], people: int
) -> tuple[Column, NDArray[np.int8], NDArray[np.bool_]]:
    """The column of a field, the best verdict of every row, and the rows in which some value was invalid.

    values: how many of a person's values are kept. owner: (n,) the person of each row; people: how many there are.
    """
    rows = len(owner)
    places: dict[str, int] = {}
    verdict = np.zeros(rows, np.int8)
    invalid = np.zeros(rows, np.bool_)
    found: list[tuple[Ints, Ints]] = []
    for source in sources:
        codes, texts = distinct(source.texts)
        values_of, best, wrong = _cleaned(texts, source)
        verdict = np.maximum(verdict, best[codes])
        invalid |= wrong[codes]
        flat = list(chain.from_iterable(values_of))
        for text in dict.fromkeys(flat):
            places.setdefault(text, len(places))
        lengths = np.fromiter(map(len, values_of), np.int64, len(values_of))
        row, place = _spread(codes, lengths)
        value = np.fromiter(map(places.__getitem__, flat), np.int64, len(flat))[place]
        found.append((owner[row].astype(np.int64), value))
    partial = np.fromiter((len(text) == 4 and text.isdigit() for text in places), np.int64, len(places))
    person, value = (np.concatenate(parts) for parts in zip(*found, strict=True))
    # Sources and rows were gone through in order; a partial value stands behind every whole one.
    order = np.arange(len(value)) + (partial[value] * len(value) if places else 0)
    person, value = _keep(person, order, value, values)
    used, within = np.unique(value, return_inverse=True)
    vocabulary = np.array([*places, ""], dtype=object)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(person, minlength=people))]).astype(np.int64)
    return Column(tuple(vocabulary[used]), within.astype(np.int32), offsets), verdict, invalid


def distinct(texts: Sequence[str]) -> tuple[NDArray[np.int32], list[str]]:
    """Place of every text among the distinct ones, (n,); and these, in order of first appearance."""
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    return np.fromiter(map(places.__getitem__, texts), np.int32, len(texts)), list(places)


def _cleaned(texts: Sequence[str], source: Cells) -> tuple[list[Sequence[str]], NDArray[np.int8], NDArray[np.bool_]]:
    """Values of every cell, the best verdict of its parts, and whether any of them is invalid."""
    if not source.separator:
        cells = list(map(source.clean, texts))
        best = np.fromiter((verdict for _, verdict in cells), np.int8, len(cells))
        return [values for values, _ in cells], best, best == Verdict.INVALID
    parted = [[source.clean(part.strip()) for part in text.split(source.separator)] for text in texts]
    return (
        [[value for values, _ in parts for value in values] for parts in parted],
        np.fromiter((max(verdict for _, verdict in parts) for parts in parted), np.int8, len(parted)),
        np.fromiter((any(v is Verdict.INVALID for _, v in parts) for parts in parted), np.bool_, len(parted)),
    )


def _spread(codes: NDArray[np.int32], lengths: Ints) -> tuple[Ints, Ints]:
    """Row of everything that all rows hold, in order, and its place where the lists of all codes lie end to end."""
    starts = np.cumsum(lengths) - lengths
    per_row = lengths[codes]
    row = np.repeat(np.arange(len(codes)), per_row)
    position = np.arange(len(row)) - np.repeat(np.cumsum(per_row) - per_row, per_row)
    return row, starts[codes[row]] + position


def _keep(person: Ints, order: Ints, value: Ints, most: int) -> tuple[Ints, Ints]:
    """A person's first `most` different values, person after person."""
    if most > 1 and len(value):
        # Of a value that a person has twice, the first in order stays.
        sorting = np.lexsort((order, value, person))
        first = np.ones(len(sorting), np.bool_)
        first[1:] = (np.diff(person[sorting]) != 0) | (np.diff(value[sorting]) != 0)
        kept = sorting[first]
        person, order, value = person[kept], order[kept], value[kept]
    sorting = np.lexsort((order, person))
    person, value = person[sorting], value[sorting]
    before = np.searchsorted(person, person, side="left")
    early = np.arange(len(person)) - before < most
    return person[early], value[early]
