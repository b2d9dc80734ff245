"""What the matcher makes of screening encodings: who might be the same, and whom to ask."""

import numpy as np
import pytest

from keys.secret import LinkageSecret
from linkage.errors import OtherSecretError
from linkage.parties import agency, matcher
from tests import support

TERMS = support.agreement()
PLANTED = 8


def stranger(rng):
    letters = rng.choice(list("ABCDEFGHIKLMNOPRSTUVW"), 8)
    return {"surname": "".join(letters), "date_of_birth": f"19{rng.integers(50, 99)}-11-{rng.integers(10, 29)}"}


@pytest.fixture(scope="module")
def files():
    """Three parties of 40 people; the first eight of each are the same men."""
    common = {f"SURNAME{'ABCDEFGHIJKL'[nth]}": nth for nth in range(PLANTED)}
    made = {}
    for seed, name in enumerate(("childrens_services", "police", "housing")):
        planted = [
            {"surname": surname, "forename": "JOHN", "date_of_birth": f"198{nth}-03-04", "postcode": f"LS{nth} 4AB"}
            for surname, nth in common.items()
        ]
        others = list(map(stranger, np.random.default_rng(seed).spawn(32)))
        made[name] = agency.encode(support.records(*planted, *others), TERMS, support.key(), b"c" * 16)
    return made


@pytest.fixture(scope="module")
def screened(files):
    return matcher.screen({name: encoded.contents for name, encoded in files.items()}, TERMS)


def local_rows(files, name, rows):
    """The agency's own row numbers of rows of its package."""
    return files[name].local.rows(files[name].contents.screening.pseudonyms[rows])


def test_planted_duplicates_are_found(files, screened):
    for join in screened[0].joined:
        left = local_rows(files, join.left, join.pairs.left)
        right = local_rows(files, join.right, join.pairs.right)
        found = set(zip(left.tolist(), right.tolist(), strict=True))
        assert {(nth, nth) for nth in range(PLANTED)} <= found


def test_r2_adults_without_anchor_are_never_compared(files, screened):
    """Police and housing share eight men, and nobody looks."""
    joined = {(join.left, join.right) for join in screened[0].joined}
    assert joined == {("childrens_services", "police"), ("childrens_services", "housing")}
    alone = matcher.screen({name: files[name].contents for name in ("police", "housing")}, TERMS)
    assert alone[0].joined == ()
    # What they are asked says nothing of who else takes part.
    assert {name: len(request) for name, request in alone[1].items()} == {"police": 80, "housing": 80}


def test_every_pair_is_asked_of_both_sides_under_one_id(files, screened):
    joins, requests = screened[0].joined, screened[1]
    assert set(requests) == set(files)
    for join in joins:
        for name, rows in ((join.left, join.pairs.left), (join.right, join.pairs.right)):
            asked = dict(zip(map(bytes, requests[name].pair_ids), map(bytes, requests[name].pseudonyms), strict=True))
            wanted = files[name].contents.screening.pseudonyms[rows]
            assert [asked[bytes(pair)] for pair in join.pair_ids] == [bytes(row) for row in wanted]


def test_every_row_is_asked_about_equally_often(files, screened):
    """Candidate or not, decoys make up the rest under ids of their own, and the agency finds nothing to refuse."""
    joins, requests = screened[0].joined, screened[1]
    real = {bytes(pair) for join in joins for pair in join.pair_ids}
    for name, request in requests.items():
        local = files[name].local
        times = TERMS.times_asked(name)
        assert np.bincount(local.rows(request.pseudonyms)).tolist() == [times] * len(local)
        agency.check_request(request, local, agency.Answered.nothing(local), TERMS, name)
        assert len({bytes(pair) for pair in request.pair_ids}) == len(request)
        mine = sum(len(join.pairs) for join in joins if name in (join.left, join.right))
        assert sum(bytes(pair) in real for pair in request.pair_ids) == mine
    assert len(requests["childrens_services"]) > sum(len(join.pairs) for join in joins)


def test_at_one_desk_all_candidates_are_asked_about_and_nothing_else(files):
    terms = support.agreement(requests=None)
    kept, requests = matcher.screen({name: encoded.contents for name, encoded in files.items()}, terms)
    real = {bytes(pair) for join in kept.joined for pair in join.pair_ids}
    for request in requests.values():
        assert {bytes(pair) for pair in request.pair_ids} <= real
    assert sum(map(len, requests.values())) == 2 * len(real)


def test_pair_ids_are_new_in_every_run(files, screened):
    again = matcher.screen({name: encoded.contents for name, encoded in files.items()}, TERMS)
    one, two = ({bytes(i) for join in made[0].joined for i in join.pair_ids} for made in (screened, again))
    assert not one & two


def test_r7_another_secret_is_found_before_matching(files):
    """Not as "no links": the party that stands apart is named."""
    contents = {name: encoded.contents for name, encoded in files.items()}
    digest = b"d" * 32
    checks = [LinkageSecret(True, digest, secret).check("run-1") for secret in (b"s" * 32, b"t" * 32)]
    assert checks[0] != checks[1]
    other = agency.encode(support.county(5), TERMS, support.key(secret=b"t" * 32), checks[1]).contents
    with pytest.raises(OtherSecretError, match="police used another linkage secret") as refusal:
        matcher.screen(contents | {"police": other}, TERMS)
    assert refusal.value.exit_code == 35
