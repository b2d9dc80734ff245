"""Evidence: rich under one pair's key, noise under two."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.chance import Chance
from keys.derive import PairKeys, Purpose, pair_keys
from linkage.encode import evidence as making
from linkage.encode.digests import text_digests
from linkage.encode.evidence import make_evidence
from linkage.encode.inside import make_inside
from linkage.encode.spelling import bigrams
from linkage.encode.tokens import MAX_FILTER_TOKENS, label, tokenise
from linkage.layout import FILTER_WEIGHT, FILTERED, TAGS, Layout, tags_of
from linkage.match.compare import compare
from linkage.schema import Field, Kind, Schema
from tests import naive_encode as naive
from tests import support
from tests.naive_compare import similarity

SCHEMA = support.SCHEMA
LAYOUT = Layout(SCHEMA)
KEY = support.key()
SURNAME = Schema((Field("surname", Kind.SURNAME),))
ONE_ID = bytes(16)


def evidence(records, ids, key=KEY, schema=SCHEMA, rows=None):
    ids = np.frombuffer(ids, np.uint8).reshape(-1, 16)
    rows = np.arange(len(records)) if rows is None else rows
    return make_evidence(tokenise(records, schema, key), rows, ids, pair_keys(key, ids.tobytes()), Layout(schema))


def under_one_key(*names):
    """Filters of surnames, all under one pair's key."""
    people = support.records(*({"surname": name} for name in names), schema=SURNAME)
    return evidence(people, ONE_ID * len(names), schema=SURNAME).filters[:, 0]


def random_ids(count, seed=5):
    return np.random.default_rng(seed).bytes(16 * count)


def shared(one, two):
    return np.bitwise_count(one & two).sum(axis=-1, dtype=int)


CHANCE = FILTER_WEIGHT**2 / 512  # bits two unrelated filters share on average
SPREAD = 2.5  # standard deviation of that number (hypergeometric)

# --- filters --------------------------------------------------------------------------------------------------------

LONG = "ABCDEFGHIJKLMNOPQRSTUVWXYZZYXWVUTSRQPONMLKJIHGFEDCBAABCDEFGHI"[:60]


def test_every_filter_has_the_same_weight():
    """One letter, two, the same letter over and over, sixty, or no value at all."""
    names = ["A", "AB", "AA", "AAAAAAAA", "SMITH", "SMITH JONES", LONG]
    people = support.records(*({"surname": name, "forename": [name, "B"], "address": name} for name in names), {})
    made = evidence(people, random_ids(len(names) + 1))
    assert made.filters.shape == (8, LAYOUT.filters, 8)
    assert set(np.bitwise_count(made.filters).sum(axis=2, dtype=int).ravel()) == {FILTER_WEIGHT}


NAMES = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=20)


@given(NAMES, NAMES)
@settings(max_examples=60)
def test_similarity_is_the_share_of_bigrams_of_the_longer_name(one, two):
    """Exactly what counting them on paper gives, but for bits that meet by chance."""
    a, b = naive.padded_bigrams(one), naive.padded_bigrams(two)
    filters = under_one_key(one, two)
    expected = len(a & b) / max(len(a), len(b))
    assert similarity(filters[:1], filters[1:])[0] == pytest.approx(expected, abs=0.26)


def test_similarity_is_right_on_average():
    """The chance overlap is taken off: over many keys, the mean lies on the true share."""
    one, two = "WILLIAMSON", "WILLIAMS"
    people = support.records({"surname": one}, {"surname": two}, schema=SURNAME)
    filters = evidence(people, np.repeat(np.frombuffer(random_ids(300), np.uint8).reshape(-1, 16), 2, 0).tobytes(),
                       schema=SURNAME, rows=np.tile([0, 1], 300)).filters[:, 0]  # fmt: skip
    a, b = naive.padded_bigrams(one), naive.padded_bigrams(two)
    found = similarity(filters[::2], filters[1::2])
    assert found.mean() == pytest.approx(len(a & b) / len(a), abs=0.03)
    unrelated = similarity(filters[:-2:2], filters[3::2])
    assert unrelated.mean() == pytest.approx(0, abs=0.01)


def test_equal_names_have_equal_filters_under_one_key():
    one, two = under_one_key("SMITH", "SMITH")
    assert np.array_equal(one, two)
    assert similarity(one[None], two[None]).tolist() == [1.0]


def test_names_alike_in_all_that_is_kept_are_alike():
    """Only the first tokens of a very long name enter its filter."""
    assert len(bigrams(LONG)) > MAX_FILTER_TOKENS
    one, two = under_one_key(LONG, LONG[:40])
    assert np.array_equal(one, two)


def test_bigrams_are_those_of_the_padded_text():
    for name in ("A", "ANNA", "O NEIL", LONG):
        assert set(bigrams(name)) == naive.padded_bigrams(name)
        assert len(bigrams(name)) == len(set(bigrams(name)))


# --- keyed for one pair alone ---------------------------------------------------------------------------------------

JOHN = {
    "forename": ["JOHN", "JACK", "JON"], "surname": ["SMITH", "SMYTHE"], "date_of_birth": ["1985-03-04", "1986-01-09"],
    "postcode": ["LS1 4AB", "M1 1AE"], "sex": "M", "address": "12 HIGH STREET", "phone": "447700900123",
    "nhs_number": "9434765919",
}  # fmt: skip


def test_one_row_under_two_pairs_has_nothing_in_common_beyond_chance():
    """Tags: none of tens of thousands. Filters: as many bits as two strangers'."""
    made = evidence(support.records(JOHN), random_ids(200), rows=np.zeros(200, int))
    within = evidence(support.records(JOHN), ONE_ID * 2, rows=np.zeros(2, int)).tags
    assert (within[0] == within[1]).sum() > 50  # under one key he is the same man
    within_sides = sum(len(np.unique(side)) for side in made.tags)
    assert within_sides - len(np.unique(made.tags)) <= 4  # 0.1 of 28,000 random tags are expected to meet
    for nth in range(LAYOUT.filters):
        filters = made.filters[:, nth]
        overlap = shared(filters[:100], filters[100:])
        assert overlap.mean() == pytest.approx(CHANCE, abs=4 * SPREAD / 10)
        assert overlap.max() < CHANCE + 6 * SPREAD


@pytest.mark.parametrize("other", [support.key(secret=b"t" * 32), support.key(run="run-2")], ids=["secret", "run"])
def test_another_secret_or_run_has_nothing_in_common_either(other):
    """The same pair id under another key."""
    ids = random_ids(60)
    one, two = (evidence(support.records(JOHN), ids, key, rows=np.zeros(60, int)) for key in (KEY, other))
    assert not (one.tags == two.tags).any()
    assert shared(one.filters, two.filters).mean() == pytest.approx(CHANCE, abs=0.5)


def test_r6_the_key_of_a_pair_is_no_use_without_the_run_key():
    """Tokens are digests under the run key before a pair's key touches them."""
    ids = np.zeros((1, 16), np.uint8)
    keys = pair_keys(KEY, ids.tobytes())
    one, two = (
        make_evidence(tokenise(support.records(JOHN), SCHEMA, key), np.zeros(1, int), ids, keys, LAYOUT)
        for key in (KEY, support.key(secret=b"t" * 32))
    )
    assert not (one.tags == two.tags).any()


def test_nothing_but_presence_tells_a_row_with_values_from_one_without():
    """Sizes, weights, spread of tags, frequency of bits."""
    count = 400
    made = evidence(support.records(JOHN, {}), random_ids(2 * count), rows=np.tile([0, 1], count))
    full, empty = (made.take(np.arange(start, 2 * count, 2)) for start in (0, 1))
    assert (full.presence > 0).all()
    assert (empty.presence == 0).all()
    for side in (full, empty):
        bits = np.unpackbits(side.tags.view(np.uint8), axis=1)
        assert bits.mean() == pytest.approx(0.5, abs=0.005)
        assert np.abs(bits.mean(axis=0) - 0.5).max() < 0.5 / np.sqrt(count) * 6
        share = np.unpackbits(side.filters.view(np.uint8).reshape(count, -1), axis=1).mean(axis=0)
        assert np.abs(share - FILTER_WEIGHT / 512).max() < np.sqrt(0.117 * 0.883 / count) * 6
        assert set(np.bitwise_count(side.filters).sum(axis=2, dtype=int).ravel()) == {FILTER_WEIGHT}


def test_one_side_shows_what_a_persons_own_values_share_and_nothing_else():
    """Two aliases with one initial; values that share nothing show nothing."""
    plain = {"forename": "JOHN", "surname": "SMITH", "date_of_birth": "1985-03-04", "postcode": "LS1 4AB"}
    aliases = {"forename": ["JOHN", "JASPER"]}
    one, two = evidence(support.records(plain, aliases), ONE_ID * 2).tags
    assert len(np.unique(one)) == len(one)
    assert len(np.unique(two)) == len(two) - 1


def _most_repeated_step(filters):
    """How often the commonest distance between two bits of a filter occurs: 59 in a mere progression."""
    return max(
        np.bincount(np.subtract.outer(bits, bits).ravel() % 512, minlength=512)[1:].max()
        for bits in (np.array(sorted(naive.bits(row))) for row in filters)
    )


def test_filters_of_values_and_of_none_have_no_pattern():
    made = evidence(support.records(JOHN, {}), random_ids(40), rows=np.tile([0, 1], 20))
    for side in (made.take(np.arange(0, 40, 2)), made.take(np.arange(1, 40, 2))):
        assert _most_repeated_step(side.filters.reshape(-1, 8)) < 30


@pytest.mark.parametrize("name", ["A", "AB", "SMITH", LONG])
def test_a_filter_is_what_its_tokens_make_on_paper(name):
    """Each token's digest, with the round mixed into its last byte and the pair's tweak, under AES; then the filler."""
    ids = random_ids(1)
    tokens = [f"bigram:{gram}" for gram in bigrams(name)[:MAX_FILTER_TOKENS]]
    digests = [bytes(digest) for digest in text_digests(KEY.subkey(Purpose.NAMES), b"name", tokens)]
    rounds = math.ceil(1.25 * FILTER_WEIGHT / len(tokens) / 14)
    mixed = [digest[:15] + bytes([digest[15] ^ turn]) for digest in digests for turn in range(1, rounds + 1)]
    mixed.append(digests[0][:15] + bytes([digests[0][15] ^ 255]))
    pair = pair_keys(KEY, ids)
    blocks = [pair.expand(bytes(a ^ b for a, b in zip(block, pair.tweaks, strict=True))) for block in mixed]
    made = evidence(support.records({"surname": name}, schema=SURNAME), ids, schema=SURNAME)
    assert naive.bits(made.filters[0, 0]) == naive.constant_weight(blocks, len(tokens), rounds, FILTER_WEIGHT)


def test_tags_with_nothing_to_say_are_new_every_time():
    one, two = (evidence(support.records({}), ONE_ID) for _ in range(2))
    assert not (one.tags == two.tags).any()
    assert not np.array_equal(one.filters, two.filters)


def test_a_name_shows_its_rarity_only_to_who_has_it_too():
    """Of the six places for the exact name one is set, and which one cannot be seen from a side alone."""
    places = TAGS[Kind.SURNAME]["exact"]
    one = evidence(support.records({"surname": "SMITH"}, schema=SURNAME), ONE_ID, schema=SURNAME)
    two = evidence(support.records({"surname": "SMITH"}, schema=SURNAME), ONE_ID, schema=SURNAME)
    assert (one.tags[0, :places] == two.tags[0, :places]).sum() == 1


# --- tokens ---------------------------------------------------------------------------------------------------------


def test_fields_of_one_name_but_another_kind_share_no_token():
    """Also a text field that somebody called 'name', as the two names' common domain is."""
    schema = Schema((Field("surname", Kind.SURNAME), Field("name", Kind.TEXT), Field("text:name", Kind.PHONE)))
    assert len({label(field) for field in schema.fields}) == 3
    assert label(Field("forename", Kind.FORENAME)) == label(Field("surname", Kind.SURNAME))


def test_tokens_tell_nothing_of_the_values():
    fields = tokenise(support.records(JOHN), SCHEMA, KEY)
    shown = "".join(map(repr, fields)) + "".join(str(field.digests.tobytes()) for field in fields)
    for word in ("JOHN", "SMITH", "1985", "LS1", "447700"):
        assert word not in shown
    other = tokenise(support.records(JOHN), SCHEMA, support.key(secret=b"t" * 32))
    digests = [{row.tobytes() for field in one for row in field.digests} for one in (fields, other)]
    assert not digests[0] & digests[1]


def test_a_field_the_agency_does_not_hold_is_missing_in_every_row():
    records = support.records(JOHN, JOHN)
    fewer = type(records)(records.local_ids, {"surname": records.columns["surname"]}, records.lines)
    made = evidence(fewer, random_ids(2))
    held = [slot.presence for slot in LAYOUT.slots if SCHEMA.fields[slot.field].name == "surname"]
    assert made.presence[:, held].all()
    assert made.presence.sum() == 2 * made.presence[:, held].sum() / 2 == 2 * 2 * len(held)


@pytest.mark.parametrize(("value", "presence"), [("1985-03-04", 2), ("1985", 1)], ids=["whole date", "year only"])
def test_presence_says_missing_partly_known_or_known(value, presence):
    made = evidence(support.records({"date_of_birth": value}), ONE_ID)
    slots = [slot.presence for slot in LAYOUT.slots if slot.kind is Kind.DATE]
    assert made.presence[0, slots].tolist() == [presence, 0]


def test_rows_may_be_asked_for_in_any_order_and_more_than_once(monkeypatch):
    """And in chunks of any size."""
    records = support.county(20)
    ids = random_ids(40)
    rows = np.random.default_rng(1).integers(0, 20, 40)
    whole = evidence(records, ids, rows=rows)
    monkeypatch.setattr(making, "CHUNK", 7)
    parts = evidence(records, ids, rows=rows)
    assert np.array_equal(whole.presence, parts.presence)
    real = whole.tags == parts.tags
    assert real.mean() > 0.1
    single = evidence(records, ids[16 * 11 : 16 * 12], rows=rows[11:12])
    assert np.array_equal(single.presence[0], whole.presence[11])
    assert np.array_equal(single.tags[0][real[11]], whole.tags[11][real[11]])


def test_several_threads_make_the_same_evidence(monkeypatch):
    """In parts of any size, in order, noise included."""
    monkeypatch.setattr(making, "CHUNK", 7)
    ids = np.frombuffer(random_ids(40), np.uint8).reshape(-1, 16)
    rows = np.random.default_rng(1).integers(0, 20, 40)
    made = tokenise(support.county(20), SCHEMA, KEY), rows, ids, pair_keys(KEY, ids.tobytes()), LAYOUT
    alone, together = (make_evidence(*made, Chance.pretend(1, "noise"), threads) for threads in (1, 3))
    for one, other in zip(alone.__dict__.values(), together.__dict__.values(), strict=True):
        assert np.array_equal(one, other)


def test_rows_of_one_file_compare_as_sides_of_pairs_do():
    """Filters are those of the key, tags agree where tokens do, and what says nothing is random."""
    records, rows, key = support.county(60, seed=3), np.arange(60), b"k" * 32
    tokens = tokenise(records, SCHEMA, KEY)
    inside, again = (make_inside(tokens, rows, PairKeys.alone(key), LAYOUT) for _ in range(2))
    each = make_evidence(tokens, rows, np.zeros((60, 16), np.uint8), PairKeys(key, bytes(16 * 60)), LAYOUT)
    real = inside.tags == again.tags
    assert real.mean() > 0.1
    same = (inside.filters == again.filters).all(axis=2)
    assert same.any(axis=0).sum() >= 3
    assert not same.all()
    assert np.array_equal(inside.filters[same], each.filters[same])
    assert (np.bitwise_count(inside.filters).sum(axis=2) == FILTER_WEIGHT).all()
    assert np.array_equal(inside.presence, each.presence)
    assert inside.pair_ids.shape == (0, 16)
    pairs = np.nonzero(~np.eye(60, dtype=bool))
    one, two = (compare(sides, sides, LAYOUT, pairs) for sides in (inside, each))
    for name in ("levels", "rarity", "crossed"):
        assert np.array_equal(getattr(one, name), getattr(two, name))
    assert len(np.unique(one.levels)) > 5


def test_rows_of_one_file_are_the_same_by_however_many_hands():
    made = tokenise(support.county(20), SCHEMA, KEY), np.arange(20), PairKeys.alone(bytes(32)), LAYOUT
    alone, together = (make_inside(*made, Chance.pretend(1, "noise"), threads) for threads in (1, 3))
    for one, other in zip(alone.__dict__.values(), together.__dict__.values(), strict=True):
        assert np.array_equal(one, other)
    with pytest.raises(ValueError, match="one key"):
        make_inside(made[0], made[1], PairKeys(bytes(32), bytes(32)), LAYOUT)


@pytest.mark.parametrize(("ids", "keys"), [(20, 1), (20, 19), (19, 20)])
def test_rows_without_a_key_of_their_own_are_refused(ids, keys):
    """One key for all pairs by mistake would let the matcher compare all with all."""
    made = tokenise(support.county(20), SCHEMA, KEY), np.arange(20)
    some = np.zeros((ids, 16), np.uint8)
    with pytest.raises(ValueError, match="for each"):
        make_evidence(*made, some, PairKeys(bytes(32), bytes(16 * keys)), LAYOUT)


def test_no_rows_are_no_fault():
    made = evidence(support.records(JOHN), b"", rows=np.empty(0, int))
    assert made.tags.shape == (0, LAYOUT.tags)
    assert made.filters.shape == (0, LAYOUT.filters, 8)


# --- layout ---------------------------------------------------------------------------------------------------------


def test_the_columns_of_a_side_neither_overlap_nor_leave_gaps():
    tags = [place for slot in LAYOUT.slots for place in range(slot.tags.start, slot.tags.stop)]
    assert tags == list(range(LAYOUT.tags))
    assert [slot.presence for slot in LAYOUT.slots] == list(range(len(LAYOUT.slots)))
    assert [slot.filter for slot in LAYOUT.slots if slot.filter >= 0] == list(range(LAYOUT.filters))
    assert {slot.kind for slot in LAYOUT.slots if slot.filter >= 0} == FILTERED
    for slot in LAYOUT.slots:
        groups = [slot.group(name) for name in TAGS[slot.kind]]
        assert [groups[0].start, *(group.stop for group in groups)] == [
            slot.tags.start, *(group.start for group in groups[1:]), slot.tags.stop,
        ]  # fmt: skip
    assert sum(tags_of(field.kind) * field.values for field in SCHEMA.fields) == LAYOUT.tags


def test_a_fields_slots_are_as_many_as_its_values():
    assert [len(LAYOUT.of(field)) for field in SCHEMA.fields] == [field.values for field in SCHEMA.fields]
