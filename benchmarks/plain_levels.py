"""Comparison levels from plaintext values: what the evidence round would say if nothing had to be kept secret.

A plain twin of linkage.match.compare: the same tokens and ladders, but tokens are compared as text and the share of
common bigrams is exact, where evidence estimates it from keyed filters.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from linkage.encode.spelling import bigrams
from linkage.encode.tokens import _TOKENISERS, MAX_FILTER_TOKENS, _known, rarity_buckets
from linkage.layout import DATE_DIGITS, POSTCODE_CHARACTERS, TAGS, YEAR_WINDOW, group
from linkage.match.kernels_compare import NAME_CUTS, TEXT_CUTS
from linkage.model import Comparisons
from linkage.schema import LEVELS, MISSING, Kind
from linkage.texts import Texts

_NO_LEVEL = np.iinfo(np.int8).max


class PlainSide:
    """Rows of one file, standing where a side of evidence stands."""

    def __init__(self, records, rows):
        self.records, self.rows = records, np.asarray(rows)

    def __len__(self):
        return len(self.rows)

    def take(self, places):
        """Some of the rows, in that order."""
        return PlainSide(self.records, self.rows[places])


def compare_plain(left, right, layout, rows=None):
    """Levels, rarity and crossed name levels of pairs of rows, as compare.compare."""
    if rows:
        left, right = left.take(rows[0]), right.take(rows[1])
    schema = layout.schema
    levels = np.empty((len(left), len(schema)), np.int8)
    rarity = np.full((len(left), len(schema)), -1, np.int8)
    crossed = np.full((len(left), 2), MISSING, np.int8)
    for place, field in enumerate(schema.fields):
        levels[:, place], rarity[:, place] = _best(left, right, field, field)
    forename, surname = schema.index(Kind.FORENAME), schema.index(Kind.SURNAME)
    if forename is not None and surname is not None:
        one, other = schema.fields[forename], schema.fields[surname]
        crossed[:, 0], crossed[:, 1] = _best(left, right, one, other)[0], _best(left, right, other, one)[0]
    return Comparisons(levels, rarity, crossed)


def _best(left, right, one, other):
    """Strongest level over all value pairs of two fields, and the rarity bucket where names agree exactly."""
    best, rarity = np.full(len(left), _NO_LEVEL, np.int8), np.full(len(left), -1, np.int8)
    columns = left.records.columns.get(one.name), right.records.columns.get(other.name)
    if None not in columns:
        names = one.kind in (Kind.FORENAME, Kind.SURNAME)
        buckets = rarity_buckets(columns[0]) if names else None
        for a in range(one.values):
            for b in range(other.values):
                codes = _codes(columns[0], left.rows, a), _codes(columns[1], right.rows, b)
                rows = np.flatnonzero((codes[0] >= 0) & (codes[1] >= 0))
                first, second = codes[0][rows], codes[1][rows]
                level = _levels(one.kind, columns, first, second)
                better = level < best[rows]
                best[rows[better]] = level[better]
                if names:
                    rarity[rows[better]] = np.where(level == 0, buckets[first], -1)[better]
    best[best == _NO_LEVEL] = MISSING
    return best, rarity


def _codes(column, rows, nth):
    """Place in the vocabulary of each row's nth value, -1 for none."""
    start, stop = column.offsets[rows], column.offsets[rows + 1]
    held = start + nth < stop
    codes = np.full(len(rows), -1, np.int64)
    codes[held] = column.codes[(start + nth)[held]]
    return codes


def _levels(kind, columns, first, second):
    """Each distinct pair of values once."""
    width = max(len(columns[1].vocabulary), 1)
    distinct, where = np.unique(first * width + second, return_inverse=True)
    ladder = _LADDERS[kind]
    made = [
        ladder(_value(kind, columns[0].vocabulary[code // width]), _value(kind, columns[1].vocabulary[code % width]))
        for code in distinct.tolist()
    ]
    return np.array(made, np.int8)[where.ravel()] if made else np.empty(0, np.int8)


class _Value:
    """One value's tokens as text; "" says nothing."""

    def __init__(self, kind, value):
        self.whole = bool(_known(kind, Texts.of([value]))[0])
        others = _TOKENISERS[kind](value)
        exact = [value if self.whole else "", *[""] * (TAGS[kind]["exact"] - 1)]
        row = [*exact, *(token.partition(":")[2] for token in others)]
        self.tokens = {name: row[group(kind, name)] for name in TAGS[kind]}
        self.bigrams = frozenset(bigrams(value)[:MAX_FILTER_TOKENS])

    def group(self, name):
        return [token for token in self.tokens.get(name, []) if token]

    def meets(self, other, name, others=None):
        """Any token of one group among those of the other's."""
        return not set(self.group(name)).isdisjoint(other.group(others or name))

    def aligned(self, other, name):
        """Tokens equal place by place."""
        pairs = zip(self.tokens.get(name, []), other.tokens.get(name, []), strict=False)
        return sum(a == b and a != "" for a, b in pairs)

    def alike(self, other):
        """Common bigrams over those of the longer value."""
        return len(self.bigrams & other.bigrams) / max(len(self.bigrams), len(other.bigrams), 1)


@lru_cache(maxsize=1 << 18)
def _value(kind, value):
    return _Value(kind, value)


def _first(kind, ladder, otherwise):
    names = [level.name for level in LEVELS[kind]]
    return names.index(next((name for name, holds in ladder if holds), otherwise))


def _names(one, two):
    close, similar, distant = (one.whole and two.whole and one.alike(two) >= cut for cut in NAME_CUTS)
    ladder = [
        ("same", one.meets(two, "exact")),
        ("variant", one.meets(two, "root")),
        ("close", close),
        ("sounds", one.meets(two, "sound")),
        ("similar", similar),
        ("distant", distant),
        ("initial", one.meets(two, "initial")),
    ]
    return _first(Kind.FORENAME, ladder, "different")


def _dates(one, two):
    whole = one.whole and two.whole
    day, month, year = (one.aligned(two, part) > 0 for part in ("day", "month", "year"))
    digits = one.aligned(two, "digit")
    swapped = one.meets(two, "day", "month") and one.meets(two, "month", "day")
    near = len(set(one.group("window")) & set(two.group("window")))
    ladder = [
        ("same", whole and one.meets(two, "exact")),
        ("generation", YEAR_WINDOW - near >= YEAR_WINDOW),
        ("digit", whole and digits >= DATE_DIGITS - 1),
        ("swapped", whole and swapped and year),
        ("two_parts", whole and day + month + year >= 2),
        ("year_only", not whole and year),
        ("two_digits", whole and digits >= DATE_DIGITS - 2),
        ("year", whole and year),
    ]
    return _first(Kind.DATE, ladder, "different")


def _postcodes(one, two):
    typo = one.whole and two.whole and one.aligned(two, "character") >= POSTCODE_CHARACTERS - 1
    ladder = [("same", one.meets(two, "exact")), ("typo", typo)]
    ladder += [(part, one.meets(two, part)) for part in ("sector", "district", "area")]
    return _first(Kind.POSTCODE, ladder, "different")


def _texts(one, two):
    ladder = [("same", one.meets(two, "exact"))]
    ladder += [
        (name, one.alike(two) >= cut) for name, cut in zip(("close", "similar", "distant"), TEXT_CUTS, strict=True)
    ]
    return _first(Kind.TEXT, ladder, "different")


def _phones(one, two):
    ladder = [("same", one.meets(two, "exact")), ("ending", one.meets(two, "ending"))]
    return _first(Kind.PHONE, ladder, "different")


def _exact(one, two):
    return 0 if one.meets(two, "exact") else 1


_LADDERS = {
    Kind.FORENAME: _names,
    Kind.SURNAME: _names,
    Kind.DATE: _dates,
    Kind.POSTCODE: _postcodes,
    Kind.TEXT: _texts,
    Kind.PHONE: _phones,
    Kind.SEX: _exact,
    Kind.IDENTIFIER: _exact,
}
