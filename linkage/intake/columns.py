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
from linkage.intake.cleaning import Plain, values_of
from linkage.intake.coder import Coded, Coder, Codes
from linkage.model import Column
from linkage.texts import Texts

Ints = NDArray[np.int64]


@dataclass(frozen=True, repr=False)
class Cells:
    """One source of values of a field: n texts, how each is cleaned, and what separates several in one cell.

    plain: the compiled loop that says the same as `clean` of plain values.
    """

    texts: Sequence[str]
    clean: Cleaner
    separator: str = ""
    plain: Plain | None = None


def build(
    sources: Sequence[Cells], values: int, owner: NDArray[np.int32], people: int
) -> tuple[Column, NDArray[np.int8], NDArray[np.bool_]]:
    """The column of a field, the best verdict of every row, and the rows in which some value was invalid.

    values: how many of a person's values are kept. owner: (n,) the person of each row; people: how many there are.
    """
    coder = Coder()
    verdict = np.zeros(len(owner), np.int8)
    invalid = np.zeros(len(owner), np.bool_)
    found: list[tuple[Codes, Codes]] = []
    for source in sources:
        cells = Coded.of(source.texts)
        held, counts, best, wrong = _cleaned(cells.texts, source, coder)
        verdict = np.maximum(verdict, best[cells.codes])
        invalid |= wrong[cells.codes]
        row, place = _spread(cells.codes, counts)
        found.append((owner[row], held[place]))
    person, value = (np.concatenate(parts) for parts in zip(*found, strict=True))
    texts = coder.finish()
    person, value, kept = _keep(person, value, _is_year(texts), values, people)
    used = np.zeros(len(texts), np.bool_)
    used[value] = True
    if not used.all():
        value = (np.cumsum(used, dtype=np.int32) - 1)[value]
        texts = texts.take(np.flatnonzero(used))
    offsets = np.concatenate([[0], np.cumsum(kept)]).astype(np.int32)
    place = offsets[person].astype(np.int64)
    if kept.max(initial=0) > 1:
        place += _rank(person)
    codes = np.empty(len(value), np.int32)
    codes[place] = value
    return Column(texts, codes, offsets), verdict, invalid


def _cleaned(texts: Texts, source: Cells, coder: Coder) -> tuple[Codes, Ints, NDArray[np.int8], NDArray[np.bool_]]:
    """Values of all cells, text after text; how many each has, its best part's verdict, whether a part is invalid."""
    if not source.separator:
        values, counts, verdicts = values_of(texts, source.clean, source.plain, coder)
        return values, counts, verdicts, verdicts == Verdict.INVALID
    parted = [[part.strip() for part in text.split(source.separator)] for text in texts]
    parts = Coded.of(chain.from_iterable(parted))
    values, counts, verdicts = values_of(parts.texts, source.clean, source.plain, coder)
    if not parted:
        return values, counts, verdicts, verdicts == Verdict.INVALID
    _, place = _spread(parts.codes, counts)
    each = np.fromiter(map(len, parted), np.int64, len(parted))  # at least one
    first = np.cumsum(each) - each
    of_part = verdicts[parts.codes]
    return (
        values[place],
        np.add.reduceat(counts[parts.codes], first),
        np.maximum.reduceat(of_part, first),
        np.logical_or.reduceat(of_part == Verdict.INVALID, first),
    )


def _spread(codes: Codes, counts: Ints) -> tuple[Ints, NDArray[np.integer]]:
    """Row of everything that all rows hold, in order, and its place where the lists of all codes lie end to end."""
    starts = np.cumsum(counts) - counts
    if counts.max(initial=0) <= 1:
        places = np.where(counts > 0, starts, -1).astype(np.int32)[codes]
        row = np.flatnonzero(places >= 0)
        return row, places if len(row) == len(places) else places[row]
    per_row = counts[codes]
    row = np.repeat(np.arange(len(codes)), per_row)
    position = np.arange(len(row)) - np.repeat(np.cumsum(per_row) - per_row, per_row)
    return row, starts[codes[row]] + position


def _is_year(texts: Texts) -> NDArray[np.bool_]:
    """Which texts are four digits and no more, (n,)."""
    found: NDArray[np.bool_] = np.diff(texts.ends) == 4
    four = texts.data[texts.ends[:-1][found][:, None] + np.arange(4)]
    found[found] = ((four >= ord("0")) & (four <= ord("9"))).all(axis=1)
    return found


def _keep(person: Codes, value: Codes, partial: NDArray[np.bool_], most: int, people: int) -> tuple[Codes, Codes, Ints]:
    """A person's first `most` different values, partial ones last, and how many each person then has."""
    counts = np.bincount(person, minlength=people)
    if counts.max(initial=0) <= 1:
        return person, value, counts
    several = counts[person] > 1
    alone, only = person[~several], value[~several]
    person, value = person[several], value[several]
    # Sources and rows were gone through in order; a partial value stands behind every whole one.
    order = np.arange(len(value)) + partial[value] * len(value)
    # Of a value that a person has twice, the first in order stays.
    sorting = np.lexsort((order, value, person))
    first = np.ones(len(sorting), np.bool_)
    first[1:] = (np.diff(person[sorting]) != 0) | (np.diff(value[sorting]) != 0)
    kept = sorting[first]
    kept = kept[np.lexsort((order[kept], person[kept]))]
    kept = kept[_rank(person[kept]) < most]
    person, value = np.concatenate([alone, person[kept]]), np.concatenate([only, value[kept]])
    return person, value, np.bincount(person, minlength=people)


def _rank(person: Codes) -> Ints:
    """How many neighbours of the same person stand before each, (n,): a person's values stand together."""
    new = np.ones(len(person), np.bool_)
    new[1:] = person[1:] != person[:-1]
    starts = np.flatnonzero(new)
    return np.arange(len(person)) - np.repeat(starts, np.diff(np.append(starts, len(person))))
