"""Screening filters: keyed, hardened, good enough to find who might be the same."""

import msgspec
import numpy as np
import pytest

from keys.derive import Purpose
from linkage.encode.diffusion import diffusion_places
from linkage.encode.screening import MAX_VERSIONS, TOKENS, _masks, make_filters, names_alone
from linkage.schema import Kind
from linkage.terms import ROLES
from tests import naive_encode as naive
from tests import support
from tests.support import DIFFUSED, PLAIN, SCHEMA

JOHN = {"forename": "JOHN", "surname": "SMITH", "date_of_birth": "1985-03-04", "postcode": "LS1 4AB"}
ANNA = {"forename": "TOMASZ", "surname": "KOWALSKI", "date_of_birth": "1971-12-29", "postcode": "M13 9PL"}


def filters(*people, profile=DIFFUSED, key=None):
    return make_filters(support.records(*people), SCHEMA, profile, key or support.key())


def differing(one, two):
    return int(np.bitwise_count(one ^ two).sum())


def test_a_record_has_the_same_filter_at_every_agency_of_a_run():
    """However the other rows, their order and the vocabulary differ."""
    alone, _ = filters(JOHN)
    among, _ = filters(ANNA, JOHN)
    assert np.array_equal(alone[0], among[1])
    assert alone.shape == (1, DIFFUSED.sent_bits // 64)


@pytest.mark.parametrize("profile", [DIFFUSED, PLAIN], ids=lambda profile: profile.kind)
@pytest.mark.parametrize(
    "key", [support.key(secret=b"t" * 32), support.key(run="run-2"), support.key(digest=b"e" * 32)], ids="sra"
)
def test_another_secret_run_or_agreement_changes_every_filter(profile, key):
    """Two runs' encodings of one file cannot be linked: as far apart as strangers."""
    people = [{**JOHN, "surname": f"SMITH{'ABCDEFGHIJ'[nth]}"} for nth in range(10)]
    one, _ = filters(*people, profile=profile)
    two, _ = filters(*people, profile=profile, key=key)
    assert not (one[:, None] == two[None]).all(axis=2).any()
    if profile is DIFFUSED:
        shares = [differing(a, b) / DIFFUSED.sent_bits for a in one for b in two]
        assert min(shares) > 0.45
        assert max(shares) < 0.55


def test_similar_records_have_similar_filters():
    one, _ = filters(JOHN, {**JOHN, "forename": "JON"}, ANNA)
    assert differing(one[0], one[1]) < 0.45 * DIFFUSED.sent_bits
    assert 0.45 * DIFFUSED.sent_bits < differing(one[0], one[2]) < 0.55 * DIFFUSED.sent_bits


@pytest.mark.parametrize(
    ("person", "profile", "counts"),
    [
        ({"forename": "JOHN", "surname": "SMITH"}, DIFFUSED, 1),
        ({"forename": "JOHN", "surname": "SMITH", "sex": "M"}, DIFFUSED, 1),
        ({"surname": ["SMITH", "JONES"]}, DIFFUSED, 1),
        *(({"forename": "JOHN", "surname": "SMITH", name: value}, DIFFUSED, 0) for name, value in [
            ("date_of_birth", "1985"), ("postcode", "LS1"), ("address", "1 HIGH ST"), ("phone", "0770"),
            ("nhs_number", "9990"),
        ]),
        ({"date_of_birth": "1985-03-04"}, DIFFUSED, 0),
        ({}, DIFFUSED, 0),
        # A profile that weighs no address makes names of a name and an address.
        ({"forename": "JOHN", "address": "1 HIGH ST"},
         msgspec.structs.replace(DIFFUSED, weights=DIFFUSED.weights | {Kind.TEXT: {"whole": 0}}), 1),
    ],
)  # fmt: skip
def test_people_whose_filters_hold_names_alone_are_counted(person, profile, counts):
    assert names_alone(support.records(JOHN, person, ANNA), SCHEMA, profile) == counts


def test_rows_of_names_alone_cancel_out_and_rows_with_a_date_do_not():
    """Why they are counted: diffusion keeps an XOR, and two forenames and two surnames make four such rows.

    Not to the last bit, where two tokens share one.
    """
    names = [{"forename": one, "surname": two} for one in ("ARNOLD", "JEREMY") for two in ("BOWS", "KIDD")]
    dated = [name | {"date_of_birth": f"198{nth}-0{nth + 1}-1{nth}"} for nth, name in enumerate(names)]
    left = [np.bitwise_count(np.bitwise_xor.reduce(filters(*rows)[0], axis=0)).sum() for rows in (names, dated)]
    assert left[0] < 0.3 * DIFFUSED.sent_bits
    assert 0.45 * DIFFUSED.sent_bits < left[1] < 0.55 * DIFFUSED.sent_bits


def test_swapped_names_leave_the_filter_as_it_is():
    one, _ = filters(JOHN, {**JOHN, "forename": "SMITH", "surname": "JOHN"})
    assert np.array_equal(one[0], one[1])


def test_aliases_give_several_filters_one_for_each():
    """His first values, then his second, then his third; what he has once is in all of them."""
    found, owner = filters(ANNA, {**JOHN, "forename": ["JOHN", "JACK"]}, JOHN)
    assert owner.tolist() == [0, 1, 1, 2]
    jack, _ = filters({**JOHN, "forename": "JACK"})
    assert np.array_equal(found[1], found[3])
    assert np.array_equal(found[2], jack[0])


def test_no_more_filters_than_the_most():
    names = ["ADAM", "BEN", "CARL", "DAN", "ERIC"]
    _, owner = filters({**JOHN, "forename": names})
    assert owner.tolist() == [0] * MAX_VERSIONS


def test_a_field_nobody_has_changes_nothing():
    records = support.records(JOHN)
    without = {name: column for name, column in records.columns.items() if name in JOHN}
    fewer = type(records)(records.local_ids, without, records.lines)
    one, _ = make_filters(records, SCHEMA, DIFFUSED, support.key())
    two, _ = make_filters(fewer, SCHEMA, DIFFUSED, support.key())
    assert np.array_equal(one, two)


def test_a_field_of_no_weight_is_not_in_the_filter():
    weightless = msgspec.structs.replace(DIFFUSED, weights={Kind.SURNAME: {"bigram": 6}})
    one, _ = filters(JOHN, {**JOHN, "forename": "OTHER"}, {**JOHN, "surname": "OTHER"}, profile=weightless)
    assert np.array_equal(one[0], one[1])
    assert not np.array_equal(one[0], one[2])


def test_r4_a_person_without_values_does_not_stand_out_and_is_never_found():
    """Zeros would say that nothing is known of him; he gets random bits, other ones each time."""
    one, owner = filters(JOHN, {}, {})
    assert owner.tolist() == [0, 1, 2]
    weight = np.bitwise_count(one).sum(axis=1, dtype=int) / DIFFUSED.sent_bits
    assert (np.abs(weight - 0.5) < 0.05).all()
    assert not np.array_equal(one[1], one[2])
    assert not np.array_equal(one[1], filters(JOHN, {}, {})[0][1])


def test_nobody_at_all_is_no_fault():
    one, owner = filters()
    assert one.shape == (0, DIFFUSED.sent_bits // 64)
    assert len(owner) == 0


def test_a_plain_token_sets_as_many_bits_as_its_weight():
    """At most: two of its places may meet. sex has one token of weight 2."""
    one, _ = filters({"sex": "M"}, {"phone": "07700900123"}, profile=PLAIN)
    weights = np.bitwise_count(one).sum(axis=1)
    sex, phone = (PLAIN.weights[kind]["whole"] for kind in (Kind.SEX, Kind.PHONE))
    assert 1 <= weights[0] <= sex
    assert phone - 1 <= weights[1] <= phone


@pytest.mark.parametrize(
    ("kind", "value", "tokens"),
    [
        (Kind.FORENAME, "JO", {"bigram": ["_J", "JO", "O_"]}),
        (
            Kind.DATE,
            "1985-03-04",
            {
                "part": ["y1985", "m03", "d04"],
                "pair": ["04.03", "03.1985", "04.1985."],
                "digit": ["28", "35", "40", "53", "60", "74"],
            },
        ),
        (Kind.DATE, "1985", {"part": ["y1985"], "pair": [], "digit": ["28", "35"]}),
        (
            Kind.POSTCODE,
            "M1 1AE",
            {
                "unit": ["M1 1AE"],
                "sector": ["M1 1"],
                "district": ["M1"],
                "area": ["M"],
                "character": ["o0M", "o11", "i01", "i1A", "i2E"],
                "bigram": ["_M", "M1", "11", "1A", "AE", "E_"],
            },
        ),
        (
            Kind.POSTCODE,
            "M1",
            {
                "unit": [],
                "sector": [],
                "district": ["M1"],
                "area": ["M"],
                "character": ["o0M", "o11"],
                "bigram": ["_M", "M1", "1_"],
            },
        ),
        (Kind.TEXT, "A B", {"whole": ["A B"], "word": ["A", "B"], "bigram": ["_A", "A ", " B", "B_"]}),
        (Kind.SEX, "M", {"whole": ["M"]}),
    ],
)
def test_tokens_of_each_kind_by_role(kind, value, tokens):
    assert {role: make(value) for role, make in TOKENS[kind].items()} == tokens


def test_what_a_profile_can_weigh_is_what_the_encoder_makes():
    assert {kind: tuple(roles) for kind, roles in TOKENS.items()} == ROLES
    assert set(TOKENS) == set(Kind)


def test_a_token_of_many_places_takes_them_from_several_digests():
    """24 places of 9 bits need two digests; all are set, but for the few that meet."""
    profile = msgspec.structs.replace(PLAIN, bits=512, sent_bits=512, weights={Kind.PHONE: {"whole": 40}})
    one, _ = filters({"phone": "07700900123"}, {"phone": "07700900124"}, profile=profile)
    assert (np.bitwise_count(one).sum(axis=1) >= 34).all()
    assert np.bitwise_count(one[0] & one[1]).sum() < 12


@pytest.mark.parametrize("profile", [DIFFUSED, PLAIN], ids=lambda profile: profile.kind)
@pytest.mark.parametrize("weight", [None, 40])
def test_a_value_sets_the_bits_its_tokens_say_on_paper(profile, weight):
    """Value by value and token by token; also where a token takes more places than one digest has."""
    if weight:
        heavy = {kind: dict.fromkeys(roles, weight) for kind, roles in profile.weights.items()}
        profile = msgspec.structs.replace(profile, weights=heavy)
    subkey = support.key().subkey(Purpose.SCREENING)
    values = {
        Kind.FORENAME: ("JO", "MARY ANN", "AAAA", "ÉLODIE"), Kind.DATE: ("1985-03-04", "1985"),
        Kind.POSTCODE: ("LS1 4AB", "LS1", "90210"), Kind.TEXT: ("1 HIGH ST", "A" * 40 + " B"),
        Kind.SEX: ("M", "F"), Kind.PHONE: ("+447700900123",), Kind.IDENTIFIER: ("9434765919", "X"),
    }  # fmt: skip
    for field in SCHEMA.fields:
        if field.kind in values:
            masks = _masks(values[field.kind], field, profile, subkey)
            paper = [naive.plain_mask(value, field, profile, subkey) for value in values[field.kind]]
            assert [naive.bits(mask) for mask in masks] == paper


# --- where the bits come from ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sent", "xor", "bits"), [(4096, 8, 1024), (4096, 10, 1024), (1024, 7, 64), (512, 63, 64)])
def test_diffusion_rows_hold_distinct_bits(sent, xor, bits):
    """A bit that stood twice in a row would cancel itself out; also in rows cut across two shuffles."""
    profile = msgspec.structs.replace(DIFFUSED, sent_bits=sent, xor=xor, bits=bits)
    places = diffusion_places(profile, support.key().subkey(Purpose.DIFFUSION))
    assert places.shape == (sent, xor)
    assert all(len(set(row)) == xor for row in places.tolist())
    assert places.min() >= 0
    assert places.max() < bits


def test_every_plain_bit_is_used_equally_often():
    places = diffusion_places(DIFFUSED, bytes(32))
    each = DIFFUSED.sent_bits * DIFFUSED.xor // DIFFUSED.bits
    assert set(np.bincount(places.ravel(), minlength=DIFFUSED.bits)) == {each}


def test_the_places_are_secret():
    one, two = diffusion_places(DIFFUSED, bytes(32)), diffusion_places(DIFFUSED, bytes([1] * 32))
    assert (one == two).mean() < 0.01


def test_how_often_a_bit_is_set_says_little_in_a_diffused_filter():
    """In a plain one the bits of common names stand out from those of none."""
    records = support.county(400)
    diffused, plain = (make_filters(records, SCHEMA, profile, support.key())[0] for profile in (DIFFUSED, PLAIN))
    share, before = (np.unpackbits(found.view(np.uint8), axis=1).mean(axis=0) for found in (diffused, plain))
    assert np.abs(before - 0.5).mean() > 0.35
    assert np.abs(share - 0.5).mean() < 0.12
