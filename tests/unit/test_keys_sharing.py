"""Two parties' shares open what one party's never does."""

import secrets

import pytest

from keys import sharing
from keys.derive import Purpose, pair_keys, run_key, tight_tokens, token_keys, token_shares
from keys.secret import LinkageSecret
from keys.sharing import mask, recover, share

AGREEMENT = bytes(32)
DIGESTS = bytes(range(64))


@pytest.fixture
def run():
    return run_key(LinkageSecret(True, AGREEMENT, b"k" * 32), "run", AGREEMENT)


def test_products_are_those_of_the_standard():
    """FIPS 197, section 4.2: {57} x {83} = {c1}, {57} x {13} = {fe}."""
    assert sharing._product(0x57, 0x83) == 0xC1
    assert sharing._product(0x57, 0x13) == 0xFE


@pytest.mark.parametrize("places", [(1, 2), (2, 1), (3, 255), (254, 255)])
def test_any_two_places_give_the_secret_back(places):
    secret, slope = secrets.token_bytes(96), secrets.token_bytes(96)
    one, two = (share(secret, slope, place) for place in places)
    assert recover(one, places[0], two, places[1]) == secret


@pytest.mark.parametrize("place", [1, 2, 255])
def test_one_share_fits_every_secret_equally(place):
    """For each share and each secret there is exactly one slope: seeing the share changes no odds."""
    for secret in (0, 0x53, 0xFF):
        shown = {share(bytes([secret]), bytes([slope]), place) for slope in range(256)}
        assert len(shown) == 256


def test_shares_of_one_party_do_not_open_each_other():
    """Nor do shares of different length."""
    secret, slope = secrets.token_bytes(32), secrets.token_bytes(32)
    mine = share(secret, slope, 3)
    with pytest.raises(ValueError, match="two parties"):
        recover(mine, 3, mine, 3)
    with pytest.raises(ValueError, match="two parties"):
        recover(mine, 3, mine[:-1], 4)
    for place in (0, 256):
        with pytest.raises(ValueError, match="1 to 255"):
            share(secret, slope, place)


def test_a_mask_is_lifted_by_its_own_secret_and_nonce_alone():
    keys, nonces, data = secrets.token_bytes(64), secrets.token_bytes(32), bytes(200)
    masked = mask(keys, nonces, data)
    assert mask(keys, nonces, masked) == data
    assert masked[:100] != masked[100:]
    assert mask(keys[32:] + keys[:32], nonces, masked) != data
    assert mask(keys, nonces[16:] + nonces[:16], masked) != data
    assert mask(b"", b"", b"") == b""


def test_pieces_that_do_not_fit_are_refused():
    for keys, nonces, data in (
        (bytes(31), bytes(16), b"a"),
        (bytes(32), bytes(15), b"a"),
        (bytes(64), bytes(32), b"a"),
    ):
        with pytest.raises(ValueError, match="for each"):
            mask(keys, nonces, data)


def test_a_token_its_key_and_its_secret_have_nothing_in_common(run):
    """The public form, the key of evidence and the secret are outputs of a PRF under labels of their own."""
    public, keys = tight_tokens(run, DIGESTS), token_keys(run, DIGESTS)
    secret, shown = token_shares(run, DIGESTS, 1)
    made = public, keys.tweaks, keys.cipher, secret, shown, pair_keys(run, DIGESTS).tweaks, pair_keys(run, b"").cipher
    pieces = [data[start : start + 16] for data in made for start in range(0, len(data), 16)]
    assert len(set(pieces)) == len(pieces) == 4 + 4 + 2 + 8 + 8 + 4 + 2
    assert DIGESTS[:16] not in pieces


def test_every_agency_derives_the_same_token_and_secret_and_its_own_share(run):
    again = run_key(LinkageSecret(True, AGREEMENT, b"k" * 32), "run", AGREEMENT)
    assert (tight_tokens(run, DIGESTS), token_keys(run, DIGESTS)) == (
        tight_tokens(again, DIGESTS),
        token_keys(again, DIGESTS),
    )
    one, two = token_shares(run, DIGESTS, 1), token_shares(again, DIGESTS, 2)
    assert one[0] == two[0] == recover(one[1], 1, two[1], 2)
    assert one[1] != two[1]


def test_tokens_take_a_run_key_and_whole_digests(run):
    for make in (tight_tokens, token_keys, lambda key, digests: token_shares(key, digests, 1)):
        with pytest.raises(TypeError):
            make(run.subkey(Purpose.TOKENS), DIGESTS)
        with pytest.raises(ValueError, match="16 bytes"):
            make(run, DIGESTS[:-1])
