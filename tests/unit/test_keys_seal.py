"""What is sealed opens for one party, in one mode, with one info."""

import dataclasses

import pytest

from keys.errors import CustodyError, OpenError, TestKeyError
from keys.identity import Identity
from keys.seal import SEAL_OVERHEAD, open_sealed, seal


@pytest.fixture(scope="module")
def matcher():
    return Identity.new("Matcher", test=False)


def test_what_is_sealed_opens_and_is_longer_by_the_overhead(matcher):
    """Empty plaintext included."""
    for plaintext in (b"", b"x", bytes(100_000)):
        sealed = seal(matcher.public, plaintext, b"info")
        assert open_sealed(matcher, sealed, b"info") == plaintext
        assert len(sealed) == len(plaintext) + SEAL_OVERHEAD


def test_sealing_twice_gives_different_bytes(matcher):
    """No two sealed messages can be compared."""
    one, two = (seal(matcher.public, b"same", b"info") for _ in range(2))
    assert one[5:1125] != two[5:1125]
    assert one[1125:] != two[1125:]


@pytest.mark.parametrize("info", [b"", b"infp", b"info\0", b"inf"])
def test_info_is_bound(matcher, info):
    """Bytes for one step do not open at another."""
    with pytest.raises(OpenError):
        open_sealed(matcher, seal(matcher.public, b"text", b"info"), info)


def test_only_the_recipient_opens(matcher):
    """Not a stranger, and not the same keys under another name."""
    sealed = seal(matcher.public, b"text", b"info")
    for other in (Identity.new("Matcher", test=False), dataclasses.replace(matcher, name="Other")):
        with pytest.raises(OpenError):
            open_sealed(other, sealed, b"info")


@pytest.mark.parametrize("broken", ["x25519_seed", "mlkem_seed"])
def test_one_half_of_the_hybrid_key_is_not_enough(matcher, monkeypatch, broken):
    """Whoever breaks only X25519, or only ML-KEM, opens nothing, even if nothing else were bound."""
    monkeypatch.setattr("keys.seal._bound", lambda _recipient, info: info)
    sealed = seal(matcher.public, b"text", b"info")
    stranger = Identity.new("Stranger", test=False)
    thief = dataclasses.replace(stranger, **{broken: getattr(matcher, broken)})
    with pytest.raises(OpenError):
        open_sealed(thief, sealed, b"info")
    both = dataclasses.replace(stranger, x25519_seed=matcher.x25519_seed, mlkem_seed=matcher.mlkem_seed)
    assert open_sealed(both, sealed, b"info") == b"text"


@pytest.mark.parametrize("test", [True, False])
def test_r50_test_keys_do_not_open_live_bytes_nor_live_keys_test_bytes(matcher, test):
    """The very same keys, and a class of error of its own."""
    sealer = dataclasses.replace(matcher, test=test)
    opener = dataclasses.replace(matcher, test=not test)
    with pytest.raises(TestKeyError) as caught:
        open_sealed(opener, seal(sealer.public, b"text", b"info"), b"info")
    assert caught.value.exit_code == 17


def test_r50_rewriting_the_mode_on_sealed_bytes_opens_nothing(matcher):
    """The mode is bound, not only written."""
    sealed = bytearray(seal(dataclasses.replace(matcher, test=True).public, b"text", b"info"))
    sealed[4:5] = b"L"
    with pytest.raises(OpenError):
        open_sealed(matcher, bytes(sealed), b"info")


@pytest.mark.parametrize("cut", [0, 4, 5, 6, 1124, 1125, 1140])
def test_bytes_cut_short_do_not_open(matcher, cut):
    """At every border of the format."""
    with pytest.raises(OpenError):
        open_sealed(matcher, seal(matcher.public, b"text", b"info")[:cut], b"info")


def test_bytes_added_do_not_open(matcher):
    """No trailing bytes."""
    with pytest.raises(OpenError):
        open_sealed(matcher, seal(matcher.public, b"text", b"info") + b"\0", b"info")


def test_a_point_of_small_order_is_refused_in_words(matcher):
    """Sealing to it would leave only half of the hybrid."""
    weak = dataclasses.replace(matcher.public, sealing_key=matcher.public.sealing_key[:1184] + bytes(32))
    with pytest.raises(CustodyError, match="nothing can be sealed"):
        seal(weak, b"text", b"info")
