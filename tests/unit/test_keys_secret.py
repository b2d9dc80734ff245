"""A secret made by all, the same for all, and for one circle under one agreement only."""

import dataclasses

import pytest

from keys.chance import Chance
from keys.errors import OpenError, SecretMismatchError, ShareError, SignatureError, TestKeyError
from keys.framing import frame, unframe
from keys.identity import Identity
from keys.labels import Label
from keys.seal import seal
from keys.secret import LinkageSecret, assemble, contribute

AGREEMENT, OTHER_AGREEMENT = bytes(32), b"\x01" * 32
NAMES = ("Children's Services", "Police", "Probation")


class Circle:
    """Three agencies that have contributed: own[name] and sealed[sender][recipient]."""

    def __init__(self, agreement=AGREEMENT, people=None):
        self.people = people or {name: Identity.new(name, test=True) for name in NAMES}
        self.own, self.sealed = {}, {}
        for name, person in self.people.items():
            others = [other.public for key, other in self.people.items() if key != name]
            self.own[name], self.sealed[name] = contribute(person, others, agreement)

    def received(self, name):
        return {person.public: self.sealed[sender][name] for sender, person in self.people.items() if sender != name}

    def assemble(self, name, received=None, agreement=AGREEMENT):
        return assemble(self.people[name], self.own[name], received or self.received(name), agreement)


@pytest.fixture(scope="module")
def circle():
    return Circle()


def test_r7_all_agencies_assemble_one_secret(circle):
    """Whoever assembles, in whatever order files arrive."""
    secrets = [circle.assemble(name) for name in NAMES]
    assert secrets[0] == secrets[1] == secrets[2]
    backwards = dict(reversed(circle.received("Police").items()))
    assert circle.assemble("Police", backwards) == secrets[0]
    assert len(secrets[0].value) == 32


def test_r7_another_round_gives_another_secret(circle):
    """Fresh shares of the same people."""
    assert Circle(people=circle.people).assemble("Police") != circle.assemble("Police")


def test_every_share_counts(circle):
    """One contributor's new share alone changes the secret."""
    again = Circle(people=circle.people)
    mixed = circle.received("Police") | {
        circle.people["Probation"].public: again.sealed["Probation"]["Police"],
    }
    assert circle.assemble("Police", mixed) != circle.assemble("Police")


def test_a_missing_share_is_named(circle):
    """The message says whose."""
    received = circle.received("Police")
    del received[circle.people["Probation"].public]
    with pytest.raises(ShareError, match="missing") as caught:
        circle.assemble("Police", received)
    assert caught.value.details == ("Probation",)


def test_a_stranger_is_named(circle):
    """One more than the circle, or another's keys under a member's name."""
    stranger = Identity.new("Stranger", test=True)
    _, sealed = contribute(stranger, [circle.people["Police"].public], AGREEMENT)
    with pytest.raises(ShareError, match="outside the circle") as caught:
        circle.assemble("Police", circle.received("Police") | {stranger.public: sealed["Police"]})
    assert caught.value.details == ("Stranger",)
    impostor = Identity.new("Probation", test=True)
    received = circle.received("Police")
    received[impostor.public] = received.pop(circle.people["Probation"].public)
    with pytest.raises(ShareError, match="outside the circle"):
        circle.assemble("Police", received)


def test_a_share_twice_is_refused(circle):
    """Two identities of one name; and a contributor who repeats another's value."""
    impostor = Identity.new("Probation", test=True)
    received = circle.received("Police")
    with pytest.raises(ShareError, match="twice"):
        circle.assemble("Police", received | {impostor.public: b""})
    probation, police = circle.people["Probation"], circle.people["Police"]
    others = [person.public for person in circle.people.values() if person is not probation]
    _, sealed = contribute(probation, others, AGREEMENT, Chance(lambda _count: circle.own["Police"].value, test=True))
    copied = received | {probation.public: sealed[police.name]}
    with pytest.raises(ShareError, match="one and the same share"):
        circle.assemble("Police", copied)


def test_oneself_among_the_received_is_a_stranger(circle):
    """The own share is given once, as one's own."""
    with pytest.raises(ShareError, match="outside the circle"):
        circle.assemble("Police", circle.received("Police") | {circle.people["Police"].public: b""})


def test_a_share_for_another_agreement_is_refused(circle):
    """Received, or one's own."""
    other = Circle(OTHER_AGREEMENT, circle.people)
    mixed = circle.received("Police") | {circle.people["Probation"].public: other.sealed["Probation"]["Police"]}
    with pytest.raises(ShareError, match="'Probation' was made for another agreement"):
        circle.assemble("Police", mixed)
    with pytest.raises(ShareError, match="own share was made for another agreement"):
        circle.assemble("Police", agreement=OTHER_AGREEMENT)


def test_a_share_for_another_circle_is_refused(circle):
    """A share made for two is no share among three."""
    probation, police = circle.people["Probation"], circle.people["Police"]
    _, sealed = contribute(probation, [police.public], AGREEMENT)
    with pytest.raises(ShareError, match="another circle"):
        circle.assemble("Police", circle.received("Police") | {probation.public: sealed["Police"]})


def test_files_that_were_mixed_up_are_told_apart(circle):
    """Another's share under this name, and a share addressed to another agency."""
    probation, children = circle.people["Probation"], circle.people["Children's Services"]
    received = circle.received("Police")
    with pytest.raises(ShareError, match="made by somebody else"):
        circle.assemble("Police", received | {probation.public: received[children.public]})
    with pytest.raises(ShareError, match="addressed to somebody else"):
        circle.assemble("Police", received | {probation.public: circle.sealed["Probation"]["Children's Services"]})


@pytest.mark.parametrize("data", [b"", b"share", frame(b"a", b"b"), frame(*[b"x"] * 6)])
def test_bytes_that_are_no_share_are_refused(circle, data):
    """Empty, unframed, of too few or of foreign parts."""
    with pytest.raises(ShareError, match="'Probation'"):
        circle.assemble("Police", circle.received("Police") | {circle.people["Probation"].public: data})


def test_an_altered_share_does_not_open(circle):
    """One bit in the sealed part, or one byte lost at the end."""
    probation = circle.people["Probation"].public
    received = circle.received("Police")
    flipped = bytearray(received[probation])
    flipped[-1] ^= 1
    with pytest.raises(OpenError, match="'Probation'"):
        circle.assemble("Police", received | {probation: bytes(flipped)})
    with pytest.raises(ShareError, match="'Probation'"):
        circle.assemble("Police", received | {probation: received[probation][:-1]})


def test_a_share_forged_in_anothers_name_is_found(circle):
    """Anybody can seal to the police; only Probation can sign as Probation."""
    police, probation = circle.people["Police"], circle.people["Probation"]
    *head, _ = unframe(circle.sealed["Probation"]["Police"], 6)
    signed = frame(AGREEMENT, circle.own["Police"].parties_digest(), bytes(32))
    signature = circle.people["Children's Services"].sign(signed, purpose=Label.SHARE)
    forged = frame(*head) + frame(seal(police.public, frame(bytes(32), signature), frame(*head)))
    with pytest.raises(SignatureError, match="'Probation'"):
        circle.assemble("Police", circle.received("Police") | {probation.public: forged})


@pytest.mark.parametrize("recipients", [[], ["Police"], ["Probation", "Probation"]])
def test_a_circle_is_at_least_two_different_agencies(circle, recipients):
    """Nobody, oneself, or the same one twice."""
    with pytest.raises(ShareError):
        contribute(circle.people["Police"], [circle.people[name].public for name in recipients], AGREEMENT)


def test_one_set_of_keys_under_two_names_is_one_agency(circle):
    """Else one person could stand for two."""
    double = dataclasses.replace(circle.people["Probation"].public, name="Probation North")
    with pytest.raises(ShareError, match="twice"):
        contribute(circle.people["Police"], [circle.people["Probation"].public, double], AGREEMENT)


def test_r50_test_and_live_identities_share_no_secret(circle):
    """Neither when contributing nor when assembling."""
    live = Identity.new("Live", test=False)
    with pytest.raises(TestKeyError):
        contribute(circle.people["Police"], [live.public], AGREEMENT)
    with pytest.raises(TestKeyError):
        circle.assemble("Police", circle.received("Police") | {live.public: b""})
    turned = dataclasses.replace(circle.people["Police"], test=False)
    with pytest.raises(TestKeyError):
        assemble(turned, circle.own["Police"], circle.received("Police"), AGREEMENT)


def test_an_own_share_serves_only_its_maker(circle):
    """Another identity of the circle cannot assemble with it."""
    with pytest.raises(ShareError, match="another identity"):
        assemble(circle.people["Probation"], circle.own["Police"], circle.received("Probation"), AGREEMENT)


def test_r7_check_values_agree_exactly_when_everything_does(circle):
    """Secret, mode, agreement, run and every bound digest."""
    secret = circle.assemble("Police")
    check = secret.check("run 1", b"profile")
    assert len(check) == 16
    circle.assemble("Probation").require(check, "run 1", b"profile")
    for other, run, bound in (
        (secret, "run 2", [b"profile"]),
        (secret, "run 1", [b"profilf"]),
        (secret, "run 1", []),
        (secret, "run 1", [b"pro", b"file"]),
        (dataclasses.replace(secret, value=bytes(32)), "run 1", [b"profile"]),
        (dataclasses.replace(secret, test=False), "run 1", [b"profile"]),
        (dataclasses.replace(secret, agreement_digest=OTHER_AGREEMENT), "run 1", [b"profile"]),
    ):
        with pytest.raises(SecretMismatchError):
            other.require(check, run, *bound)


def test_r7_fingerprints_of_secrets_are_read_aloud(circle):
    """The same for all who hold it, another for another secret, and marked in test mode (R50)."""
    one, two = circle.assemble("Police"), circle.assemble("Probation")
    assert one.fingerprint() == two.fingerprint()
    assert one.fingerprint().startswith("TEST ")
    other = LinkageSecret(True, AGREEMENT, bytes(32))
    assert other.fingerprint() != one.fingerprint()
    assert len(other.fingerprint().split()) == 5
