"""Tokens made for many values at once are those made value by value."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.encode import screening, tokens
from linkage.encode.spelling import bigrams, listed, sliced, spell, unspelt, words
from linkage.parties.inside import _distinct
from linkage.schema import Kind
from linkage.texts import Texts

VALUES = st.lists(st.text("AB 1'É\x1c", max_size=9), max_size=12)
DATES = st.dates().map(str) | st.integers(1900, 2026).map(str)
OUTWARD = st.sampled_from(("M1", "LS1", "SW1A", "B33"))
POSTCODES = (
    st.tuples(OUTWARD, st.integers(0, 9), st.sampled_from(("AA", "ZX"))).map(lambda part: "{} {}{}".format(*part))
    | OUTWARD
    | st.sampled_from(("75001", "123456", "1234567", "É1 1AA", "A  1AB"))
)
PHONES = st.integers(1, 10**12).map(str)
ROLES = {
    Kind.DATE: [*screening.TOKENS[Kind.DATE].values(), tokens._TOKENISERS[Kind.DATE]],
    Kind.POSTCODE: [*screening.TOKENS[Kind.POSTCODE].values(), tokens._TOKENISERS[Kind.POSTCODE]],
    Kind.PHONE: [tokens._TOKENISERS[Kind.PHONE]],
}


def each(spelt):
    """Lists of tokens, value by value, of what is spelt; no token stands twice among the distinct."""
    distinct, codes, offsets = spelt
    assert len(set(distinct)) == len(distinct)
    return [[distinct[code] for code in codes[start:end]] for start, end in pairwise(offsets)]


@given(VALUES)
@settings(max_examples=60)
def test_words_and_bigrams_are_those_of_each_value(values):
    for vocabulary in (tuple(values), Texts.of(values)):
        assert each(words(vocabulary)) == [value.split() for value in values]
        assert each(spell(vocabulary)) == [bigrams(value) for value in values]
        assert each(spell(vocabulary, 3)) == [bigrams(value)[:3] for value in values]
        assert each(listed(vocabulary, str.split)) == [value.split() for value in values]


@pytest.mark.parametrize(("kind", "values"), [(Kind.DATE, DATES), (Kind.POSTCODE, POSTCODES), (Kind.PHONE, PHONES)])
@given(st.data())
@settings(max_examples=60)
def test_tokens_that_hang_on_a_part_of_a_value_are_those_of_the_whole(kind, values, data):
    """Every shape says truly on which characters each token depends."""
    vocabulary = data.draw(st.lists(values, unique=True, max_size=12))
    for make in ROLES[kind]:
        shapes = screening._SHAPES.get(make, tokens._SHAPES.get(kind, {}))
        if make is tokens._TOKENISERS[kind] or make in screening._SHAPES:
            assert each(sliced(vocabulary, make, shapes)) == [make(value) for value in vocabulary]
        assert each(screening._tokens(vocabulary, make)) == [make(value) for value in vocabulary]


def test_many_words_are_told_apart_where_their_places_in_the_table_meet():
    values = [f"{first} {second}" for first in range(90) for second in range(90, 0, -1)]
    assert each(words(values)) == [value.split() for value in values]


def test_no_value_has_no_token():
    assert each(unspelt(2)) == [[], []]
    for spelt in (words([]), spell([]), sliced([], str.split, {"##": ((0,),)})):
        assert each(spelt) == []


@pytest.mark.parametrize("columns", [1, 8, 9, 20])
def test_distinct_patterns_are_those_of_all_rows(columns):
    rng = np.random.default_rng(columns)
    patterns = rng.integers(-1, 2, (300, columns)).astype(np.int8) // rng.integers(1, 3, columns).astype(np.int8)
    distinct, where = _distinct(patterns)
    assert np.array_equal(distinct[where], patterns)
    assert len(distinct) == len({row.tobytes() for row in patterns})
