"""Two channels of screening: who shares a tight token is found, however little two filters have in common."""

import dataclasses

import msgspec
import numpy as np
import pytest

from linkage.agreement import Agreement
from linkage.audit.scheme import of_profile
from linkage.audit.standins import census
from linkage.audit.suite import BITES
from linkage.audit.union import audit_union, joined, with_slips
from linkage.audit.world import World
from linkage.encode.sharing import Meetings
from linkage.errors import NotAgreedError, UnexpectedPackageError
from linkage.package import promises
from linkage.package.contents import ScreeningContents
from linkage.package.promises import most_shared
from linkage.parties import agency, matcher
from linkage.parties.inside import Alike, with_sharing
from linkage.roots import name_roots, phonetic
from linkage.terms import Tokens
from tests import support

TERMS = support.agreement()
PROFILE = TERMS.profile
PER_ROW = TERMS.tokens_per_row
MAN = {"surname": "OKAFOR", "forename": "JOHN", "date_of_birth": "1980-03-04", "postcode": "LS1 4AB"}
OTHER_NAMES = MAN | {"surname": "KOWALSKI", "forename": "TOMASZ"}


def stranger(rng):
    letters = rng.choice(list("ABCDEFGHIKLMNOPRSTUVW"), (2, 8))
    born, place = rng.integers(10, 29, 2)
    names = {"surname": "".join(letters[0]), "forename": "".join(letters[1])}
    return names | {"date_of_birth": f"19{50 + born}-11-{born}", "postcode": f"BD{place} {rng.integers(1, 9)}XY"}


def strangers(seed, count=60):
    return [stranger(rng) for rng in np.random.default_rng(seed).spawn(count)]


def encoded(*people, agreement=TERMS):
    return agency.encode(support.records(*people), agreement, support.key(), b"c" * 16)


def tokens_of(made, row):
    """The tokens under which a row of the file travels."""
    screening = made.contents.screening
    place = made.local.rows(screening.pseudonyms).tolist().index(row)
    return set(map(bytes, screening.tokens[place]))


def met(left, right, agreement):
    """Rows of both files that are candidates, by the files' own numbers."""
    files = {"childrens_services": left, "police": right}
    screened, _ = matcher.screen({name: made.contents for name, made in files.items()}, agreement)
    pairs = screened.joined[0].pairs
    rows = [
        made.local.rows(made.contents.screening.pseudonyms[side])
        for made, side in zip(files.values(), (pairs.left, pairs.right), strict=True)
    ]
    return set(zip(*(side.tolist() for side in rows), strict=True))


# --- what travels ---------------------------------------------------------------------------------------------------


def test_no_token_stands_twice_in_a_file_and_every_row_has_as_many():
    """Though two men share all their values: neither has a token of any of them."""
    made = encoded(MAN, MAN, *strangers(1))
    tokens = made.contents.screening.tokens
    assert tokens.shape == (62, PER_ROW, 16)
    assert most_shared(tokens) == 1
    assert not tokens_of(made, 0) & tokens_of(encoded(MAN), 0)


@pytest.mark.parametrize("sorted_at_once", [1 << 24, 10])
def test_the_commonest_token_is_counted_also_where_they_are_many(monkeypatch, sorted_at_once):
    monkeypatch.setattr(promises, "_SORTED", sorted_at_once)
    tokens = np.random.default_rng(1).integers(0, 256, (300, 4, 16), np.uint8)
    assert most_shared(tokens) == 1
    tokens[[3, 50, 299], [0, 1, 3]] = tokens[7, 2]
    assert most_shared(tokens) == 4
    assert most_shared(tokens[:0]) == 0


def test_a_mans_tokens_are_the_same_at_two_agencies_under_one_key_alone():
    mine, theirs = encoded(MAN, *strangers(1)), encoded(*strangers(2), MAN)
    assert len(tokens_of(mine, 0) & tokens_of(theirs, 60)) >= 3
    elsewhere = agency.encode(support.records(MAN), TERMS, support.key("run-2"), b"c" * 16)
    assert not tokens_of(mine, 0) & tokens_of(elsewhere, 0)


def test_a_profile_without_tokens_sends_none():
    bare = support.agreement(msgspec.structs.replace(PROFILE, tokens=None))
    assert bare.tokens is None
    assert encoded(MAN, agreement=bare).contents.screening.tokens.shape == (1, 0, 16)


@pytest.mark.parametrize("change", [lambda tokens: tokens[:, 1:], lambda tokens: tokens[[0] * len(tokens)]])
def test_tokens_that_are_too_few_or_stand_twice_are_refused(change):
    contents = encoded(*strangers(1, 3)).contents
    screening = dataclasses.replace(contents.screening, tokens=change(contents.screening.tokens))
    body = dataclasses.replace(contents, screening=screening).to_body()
    with pytest.raises(UnexpectedPackageError):
        ScreeningContents.from_body(body, TERMS.schema, PROFILE.sent_bits // 64, PER_ROW)


# --- what is found --------------------------------------------------------------------------------------------------


def test_a_man_under_other_names_is_found_by_his_date_and_postcode():
    """Where filters can tell nobody from anybody, tokens alone bring him together."""
    deaf = msgspec.structs.replace(PROFILE, sent_bits=64, xor=16)
    rows = encoded, strangers(1, 300), strangers(2, 300)
    found = []
    for tokens in (deaf.tokens, None):
        agreement = support.agreement(msgspec.structs.replace(deaf, tokens=tokens))
        left, right = rows[0](MAN, *rows[1], agreement=agreement), rows[0](*rows[2], OTHER_NAMES, agreement=agreement)
        found.append((0, 300) in met(left, right, agreement))
    assert found == [True, False]


def test_strangers_inside_a_file_are_found_as_the_matcher_finds_them():
    """Who shares a value stands for himself and once, beside those alike; of very many a sample stands for all."""
    alike = Alike((np.array([0, 1]), np.array([1, 2])), np.array([3.0, 3.0]), 3)

    def gathered(pairs, most):
        met = Meetings(150_001, most, np.stack(alike.pairs, axis=1), seed=7)
        for some in np.array_split(pairs, 3):
            met.add(some)
            met.add(some[:5])  # what is found again, by another value, is the same
        return with_sharing(alike, met.finish())

    (low, high), stand, each = gathered(np.array([[1, 2], [4, 7]]), 10)
    assert list(zip(low.tolist(), high.tolist(), stand.tolist(), strict=True)) == [
        (0, 1, 3.0),
        (1, 2, 1.0),
        (4, 7, 1.0),
    ]
    assert each == 3
    many = np.stack([np.arange(150_000), np.arange(150_000) + 1], axis=1)
    (low, _), stand, _ = gathered(many, 100_000)
    assert len(low) == 100_000  # both alike are among the many
    assert stand.sum() == pytest.approx(150_000)
    (low, high), stand, _ = gathered(many, 10_000)
    assert len(np.unique(low)) == 10_000
    assert (high == low + 1).all()
    assert stand.sum() == pytest.approx(150_000, rel=0.05)  # no longer counted, but told by the sample
    assert np.mean(low) == pytest.approx(75_000, rel=0.05)


# --- what may be agreed ---------------------------------------------------------------------------------------------


def test_tokens_that_a_file_may_share_are_no_profile():
    loose = msgspec.structs.replace(PROFILE, tokens=Tokens(profile="tight-2026-11", most_sharing=2, accepted="all"))
    with pytest.raises(NotAgreedError, match="most_sharing is 1"):
        support.agreement(loose)
    with pytest.raises(NotAgreedError, match="no token profile"):
        Agreement(support.terms(), PROFILE)


def test_what_tokens_are_made_of_is_part_of_what_is_signed():
    fewer = msgspec.structs.replace(PROFILE, tokens=msgspec.structs.replace(PROFILE.tokens, per_row=PER_ROW - 1))
    assert support.agreement(fewer).digest != TERMS.digest


# --- the audit ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def result():
    return audit_union(census(TERMS.schema, 600), TERMS, sample=60, seed=1)


def test_the_audit_attacks_filters_tokens_and_joined_files_under_two_controls(result):
    """Both have to fall; a plain filter of so few rows as are attacked here need not."""
    controls = {each.name: each.share for each in result.bites if each.family == "bite"}
    assert len(controls) == 2
    assert controls["bites: tokens without a budget"] >= BITES
    given = {(each.name, each.given.partition(";")[0]) for each in result.findings}
    assert {
        ("similarity graph", "people, scheme"),
        ("similarity graph", "two files of these people, rows joined"),
        ("shared tokens", "people, combination of each token"),
        ("shared tokens, two files joined", "people of both"),
    } <= given


def test_one_file_of_tokens_names_nobody(result):
    alone = [each for each in result.findings if each.name == "shared tokens"]
    assert alone
    assert max(each.found for each in alone) <= 2


def test_two_filters_of_a_man_say_more_than_one():
    """So the attack on joined files is no weaker than that on one: the mean of both is nearer to what is expected."""
    people, rng = census(TERMS.schema, 300), np.random.default_rng(1)
    world = joined(people, of_profile(PROFILE, TERMS.schema), rng)
    assert world.second is not None
    kernel = of_profile(PROFILE, TERMS.schema).kernel(world.people)[np.triu_indices(300, 1)]
    errors = []
    for codes in (World(world.filters, world.people, world.truth, world.known).codes, world.codes):
        seen = (codes @ codes.T / codes.shape[1])[np.triu_indices(300, 1)]
        errors.append(float(((seen - kernel) ** 2).mean()))
    assert errors[1] < errors[0]


def test_slips_change_as_many_values_as_were_said():
    people = census(TERMS.schema, 2000)
    spoilt = with_slips(people, np.random.default_rng(1), 0.1)
    one, other = (each.columns["date_of_birth"].codes for each in (people, spoilt))
    assert 0.07 < (one != other).mean() < 0.13


def test_no_name_is_remembered_once_a_file_is_encoded():
    encoded(MAN)
    assert name_roots.cache_info().currsize == phonetic.cache_info().currsize == 0
