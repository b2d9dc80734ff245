"""Every level of comparison is reached by values of which a person would say just that."""

import itertools
from collections import Counter

import numpy as np
import pytest

from keys.derive import pair_keys
from linkage.encode.evidence import make_evidence
from linkage.encode.tokens import rarity_buckets, tokenise
from linkage.errors import ShapeError
from linkage.layout import Layout
from linkage.match import compare as comparing
from linkage.match.compare import compare
from linkage.model import Evidence
from linkage.schema import LEVELS, MISSING, RARITY_BUCKETS, Field, Kind, Schema, Sense
from tests import naive_compare, support

LAYOUT = Layout(support.SCHEMA)
KEY = support.key()


def sides(*people, ids=None, schema=support.SCHEMA, key=KEY):
    """One side of evidence for each person, in pairs of the ids given."""
    records = support.records(*people, schema=schema)
    ids = np.arange(16 * len(people), dtype=np.uint8).reshape(-1, 16) if ids is None else ids
    tokens = tokenise(records, schema, key)
    return make_evidence(tokens, np.arange(len(people)), ids, pair_keys(key, ids.tobytes()), Layout(schema))


def level(field, left, right):
    """Name of the usual level of two values of one field; near a cut a pair's key decides."""
    place = [f.name for f in support.SCHEMA.fields].index(field)
    levels = compare(sides(*[{field: left}] * 25), sides(*[{field: right}] * 25), LAYOUT).levels
    assert (np.delete(levels, place, axis=1) == MISSING).all()
    found = Counter(levels[:, place].tolist()).most_common(1)[0][0]
    return "missing" if found == MISSING else support.SCHEMA.levels(place)[found].name


EXAMPLES = [
    ("forename", "JOHN", "JOHN", "same"),
    ("forename", "WILLIAM", "BILL", "variant"),
    ("forename", "MOHAMMED", "MUHAMMAD", "variant"),
    ("forename", "KRISTOFFER", "KRISTOFER", "close"),
    ("forename", "CLAIR", "CLAR", "sounds"),
    ("forename", "KENNETH", "KENNEDY", "similar"),
    ("forename", "BERNARDO", "RICARDO", "distant"),
    ("forename", "J", "JOHN", "initial"),
    ("forename", "JOHN", "J", "initial"),
    ("forename", "J", "JO", "initial"),
    ("forename", "J", "J", "initial"),
    ("forename", "PETER", "PATRICK", "initial"),
    ("forename", "JOHN", "PETER", "different"),
    ("forename", "J", "PETER", "different"),
    ("forename", "J", "K", "different"),
    ("forename", "JOHN", [], "missing"),
    ("surname", "SMITH", "SMITH", "same"),
    ("surname", "MACDONALD", "MCDONALD", "variant"),
    ("surname", "SMITH JONES", "JONES", "variant"),
    ("surname", "WILLIAMSON", "WILLIAMSSON", "close"),
    ("surname", "SMITH", "SMYTHE", "sounds"),
    ("surname", "CHAKRABARTI", "CHAKARBATI", "similar"),
    ("surname", "HARRISON", "HARRINGTON", "similar"),
    ("surname", "ROBERTSON", "RICHARDSON", "distant"),
    ("surname", "SMITH", "SWANSON", "initial"),
    ("surname", "SMITH", "JONES", "different"),
    ("date_of_birth", "1985-03-04", "1985-03-04", "same"),
    ("date_of_birth", "1985-03-04", "1985-03-05", "digit"),
    ("date_of_birth", "1985-03-04", "1986-03-04", "digit"),
    ("date_of_birth", "1985-03-04", "1985-04-03", "swapped"),
    ("date_of_birth", "1985-03-04", "1985-03-27", "two_parts"),
    ("date_of_birth", "1985-03-04", "1985-12-04", "two_parts"),
    ("date_of_birth", "1989-03-04", "1990-03-04", "two_parts"),
    ("date_of_birth", "1985", "1985-03-04", "year_only"),
    ("date_of_birth", "1985", "1985", "year_only"),
    ("date_of_birth", "1985-03-04", "1986-03-05", "two_digits"),
    ("date_of_birth", "1985-03-04", "1985-11-27", "year"),
    ("date_of_birth", "1985-03-04", "1988-11-27", "different"),
    ("date_of_birth", "1985-03-04", "1996-11-27", "different"),
    ("date_of_birth", "1985-03-04", "1997-11-27", "generation"),
    ("date_of_birth", "1985-03-04", "1973-11-27", "generation"),
    ("date_of_birth", "1985-03-04", "1974-11-27", "different"),
    ("date_of_birth", "1985", "1997-11-27", "generation"),
    ("date_of_birth", "1985", "1986", "different"),
    ("date_of_birth", [], "1986", "missing"),
    ("postcode", "LS1 4AB", "LS1 4AB", "same"),
    ("postcode", "LS1 4AB", "LS1 4AD", "typo"),
    ("postcode", "LS1 4AB", "LS7 4AB", "typo"),
    ("postcode", "LS1 4AB", "LS1 4XY", "sector"),
    ("postcode", "LS1 4AB", "LS1 7XY", "district"),
    ("postcode", "LS1 4AB", "LS1", "district"),
    ("postcode", "LS1", "LS1", "district"),
    ("postcode", "LS1 4AB", "LS9 7XY", "area"),
    ("postcode", "LS1 4AB", "M1 7XY", "different"),
    ("postcode", "LS1 4AB", "L1 7XY", "different"),
    ("postcode", "90210", "90210", "same"),
    ("postcode", "90210", "90211", "typo"),
    ("postcode", "90210", "90277", "district"),
    ("sex", "M", "M", "same"),
    ("sex", "M", "F", "different"),
    ("address", "12 HIGH STREET", "12 HIGH STREET", "same"),
    ("address", "12 HIGH STREET", "12A HIGH STREET", "close"),
    ("address", "12 HIGH STREET", "12 HIGHER ST", "similar"),
    ("address", "12 HIGH STREET", "7 ROSE STREET", "distant"),
    ("address", "12 HIGH STREET", "99 MILL LANE", "different"),
    ("phone", "447700900123", "447700900123", "same"),
    ("phone", "447700900123", "900123", "ending"),
    ("phone", "447700900123", "447700900124", "different"),
    ("nhs_number", "9434765919", "9434765919", "same"),
    ("nhs_number", "9434765919", "9434765870", "different"),
]


@pytest.mark.parametrize(("field", "left", "right", "expected"), EXAMPLES)
def test_values_agree_as_a_person_would_say(field, left, right, expected):
    assert level(field, left, right) == expected
    assert level(field, right, left) == expected


def test_every_level_there_is_has_an_example():
    kinds = {field.name: field.kind for field in support.SCHEMA.fields}
    shown = {(kinds[field], name) for field, _, _, name in EXAMPLES}
    assert shown >= {(kind, one.name) for kind, levels in LEVELS.items() for one in levels}


def test_r14_initials_never_count_as_agreement():
    for one, two in [("J", "JOHN"), ("J", "J"), ("J", "JO")]:
        place = [found.name for found in LEVELS[Kind.FORENAME]].index(level("forename", one, two))
        assert LEVELS[Kind.FORENAME][place].sense is Sense.DISAGREE


# --- lists, crossings, rarity ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("left", "right"), list(itertools.product([["PETER", "JOHN"], ["JOHN", "PETER"]], repeat=2)))
def test_r12_the_best_pair_of_values_counts(left, right):
    """Whatever their order: aliases, several dates, former postcodes."""
    assert level("forename", left, ["ZED", *right]) == "same"


def test_r12_a_former_address_is_enough():
    assert level("postcode", ["M1 1AE", "LS1 4AB"], "LS1 4AB") == "same"
    assert level("date_of_birth", ["1970-01-02", "1985-03-04"], ["1985-04-03", "1999-09-09"]) == "swapped"


def test_more_values_than_slots_are_not_compared():
    assert level("sex", ["M", "F"], "F") == "different"


def crossed(left, right):
    names = [one.name for one in LEVELS[Kind.FORENAME]]
    found = compare(sides(left), sides(right), LAYOUT).crossed[0].tolist()
    return tuple("missing" if one == MISSING else names[one] for one in found)


def test_r10_crossed_names_are_seen():
    """Left forename with right surname, then left surname with right forename."""
    john, swapped = {"forename": "JOHN", "surname": "SMITH"}, {"forename": "SMITH", "surname": "JOHN"}
    assert crossed(john, swapped) == ("same", "same")
    assert crossed(john, john) == ("different", "different")
    assert crossed(john, {"surname": "JOHN"}) == ("same", "missing")
    assert crossed({"surname": "SMITH"}, {"forename": "SMYTHE"}) == ("missing", "sounds")


def test_a_schema_without_two_names_has_no_crossing():
    schema = Schema((Field("surname", Kind.SURNAME), Field("sex", Kind.SEX)))
    one = sides({"surname": "SMITH"}, schema=schema)
    assert compare(one, one, Layout(schema)).crossed.tolist() == [[MISSING, MISSING]]


def names_with_share(count, of, name="JOHN"):
    others = ["A" * nth + "X" for nth in range(1, of - count + 1)]
    return support.column([[name]] * count + [[other] for other in others])


@pytest.mark.parametrize(("count", "of", "bucket"), [(40, 40, 0), (10, 40, 0), (4, 40, 1), (1, 40, 1), (1, 600, 3)])
def test_rarity_is_the_share_of_people_with_the_name(count, of, bucket):
    column = names_with_share(count, of)
    assert rarity_buckets(column)[column.vocabulary.index("JOHN")] == bucket


def test_the_last_bucket_is_open():
    column = support.column([["JOHN"]] + [["SMITH"]] * 300_000)
    assert rarity_buckets(column).tolist() == [RARITY_BUCKETS - 1, 0]


def test_rarity_shows_where_names_agree_and_nowhere_else():
    """A common and a rare surname agree in their own buckets; where names differ there is nothing to see."""
    people = [{"surname": "SMITH", "forename": "JOHN"}] * 9 + [{"surname": "QUILL"}] + [{"surname": "SMYTH"}]
    ids = np.zeros((11, 16), np.uint8)
    both, again = sides(*people, ids=ids), sides(*people, ids=ids)
    found = compare(both, again, LAYOUT).rarity
    assert found[:, 1].tolist() == [0] * 9 + [1, 1]
    assert found[:, 0].tolist() == [0] * 9 + [-1, -1]
    assert (found[:, 2:] == -1).all()
    turned = again.take(np.arange(11)[::-1])
    unequal = compare(both, turned, LAYOUT)
    assert unequal.rarity[0, 1] == -1
    assert (unequal.levels[:, 1] == 0).tolist() == (unequal.rarity[:, 1] >= 0).tolist()


def test_names_agree_although_their_rarity_differs_between_files():
    """A name common in one file and rare in the other still is the same; the left file's bucket is told."""
    here = sides(*[{"surname": "SMITH"}] * 30, ids=np.zeros((30, 16), np.uint8)).take(np.array([0]))
    there = sides(*[{"surname": "SMITH"}], *[{"surname": "JONES"}] * 29, ids=np.zeros((30, 16), np.uint8))
    there = there.take(np.array([0]))
    found, back = compare(here, there, LAYOUT), compare(there, here, LAYOUT)
    assert found.levels[0, 1] == back.levels[0, 1] == 0
    assert (found.rarity[0, 1], back.rarity[0, 1]) == (0, 1)


# --- laws -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def files():
    """Two sides of 300 pairs, near and far."""
    left, right = support.county(300, seed=1), support.county(300, seed=2)
    ids = np.frombuffer(np.random.default_rng(3).bytes(16 * 300), np.uint8).reshape(-1, 16)
    keys = pair_keys(KEY, ids.tobytes())
    return tuple(
        make_evidence(tokenise(records, support.SCHEMA, KEY), np.arange(300), ids, keys, LAYOUT)
        for records in (left, right)
    )


def test_the_kernel_climbs_every_ladder_as_its_plain_twin_does():
    """All with all, named by their places: every example, and people who hold up to three of its values."""
    draw = np.random.default_rng(4)
    values = {name: [v for field, *both, _ in EXAMPLES if field == name for v in both] for name, *_ in EXAMPLES}
    people = [{name: v} for name, held in values.items() for v in held]
    people += [{name: list(draw.choice([v for v in held if v], 3)) for name, held in values.items()} for _ in range(60)]
    one = sides(*people, ids=np.zeros((len(people), 16), np.uint8))
    rows = tuple(places.ravel() for places in np.indices((len(people), len(people))))
    found, plain = compare(one, one, LAYOUT, rows), naive_compare.compare(*map(one.take, rows), LAYOUT)
    assert np.array_equal(found.levels, plain.levels)
    assert np.array_equal(found.rarity, plain.rarity)
    assert np.array_equal(found.crossed, plain.crossed)
    for levels in LEVELS.values():
        alike = [place for place, field in enumerate(support.SCHEMA.fields) if LEVELS[field.kind] == levels]
        assert set(found.levels[:, alike].ravel().tolist()) == {MISSING, *range(len(levels))}


def test_comparing_is_symmetric(files):
    one, two = files
    here, there = compare(one, two, LAYOUT), compare(two, one, LAYOUT)
    assert np.array_equal(here.levels, there.levels)
    assert np.array_equal(here.crossed, there.crossed[:, ::-1])
    assert np.array_equal(here.rarity >= 0, there.rarity >= 0)
    assert len(np.unique(here.levels[:, 0])) > 3


def test_a_row_agrees_with_its_copy_at_another_agency():
    """In all it holds; what is random in one side is random in the other."""
    people = support.county(50)
    ids = np.arange(800, dtype=np.uint8).reshape(50, 16)
    one, two = (
        make_evidence(tokenise(people, support.SCHEMA, KEY), np.arange(50), ids, pair_keys(KEY, ids.tobytes()), LAYOUT)
        for _ in range(2)
    )
    assert not np.array_equal(one.tags, two.tags)
    assert set(np.unique(compare(one, two, LAYOUT).levels)) == {MISSING, 0}


def test_chunks_make_no_difference(files, monkeypatch):
    whole = compare(*files, LAYOUT)
    for size in (1, 7, 299, 300):
        monkeypatch.setattr(comparing, "CHUNK", size)
        parts = compare(*files, LAYOUT)
        assert np.array_equal(whole.levels, parts.levels)
        assert np.array_equal(whole.rarity, parts.rarity)
        assert np.array_equal(whole.crossed, parts.crossed)


def test_order_of_pairs_makes_no_difference(files):
    turn = np.arange(300)[::-1]
    turned = compare(files[0].take(turn), files[1].take(turn), LAYOUT)
    assert np.array_equal(turned.levels[turn], compare(*files, LAYOUT).levels)


def test_no_pairs_are_no_fault(files):
    none = files[0].take(np.empty(0, np.int64))
    assert len(compare(none, none, LAYOUT)) == 0


def test_sides_that_do_not_belong_together_are_refused(files):
    one, two = files
    with pytest.raises(ShapeError, match="300 left sides and 299 right"):
        compare(one, two.take(np.arange(299)), LAYOUT)
    for part in ("presence", "tags", "filters"):
        kept = {name: getattr(one, name) for name in ("pair_ids", "presence", "tags", "filters")}
        with pytest.raises(ShapeError, match="other fields"):
            compare(Evidence(**kept | {part: kept[part][:, 1:]}), two, LAYOUT)
