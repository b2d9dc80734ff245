"""Where random bytes come from: repeatable for tests, and never for live keys."""

import pytest

from keys.chance import SYSTEM, Chance
from keys.derive import run_key
from keys.errors import TestKeyError
from keys.identity import Identity
from keys.secret import LinkageSecret, contribute
from linkage.encode.screening import make_filters
from linkage.exchange.desk import Desk
from linkage.parties import agency, matcher
from tests import support

PRETEND = Chance.pretend(1)
LIVE = Identity.new("police", test=False)


def live_key():
    return run_key(LinkageSecret(False, b"d" * 32, b"s" * 32), "run-1", b"d" * 32)


def live_agreement():
    live = {name: Identity.new(name, test=False).public.to_text() for name in support.ROLES}
    return support.agreement(test=False, parties=tuple(support.party(name, identity=live[name]) for name in live))


def test_one_seed_and_label_give_one_stream():
    """However the bytes are asked for; another seed, label or cut between labels gives another."""
    one, two = Chance.pretend(5, "a", "b"), Chance.pretend(5, "a", "b")
    assert one.draw(100) == b"".join(two.draw(n) for n in (0, 1, 63, 36))
    assert len({Chance.pretend(*s).draw(16) for s in [(5,), (6,), (-5,), (5, "a", "b"), (5, "ab"), (5, "b", "a")]}) == 6


def test_a_stream_goes_on():
    """Nothing is drawn twice."""
    draws = [PRETEND.draw(16) for _ in range(100)]
    assert len(set(draws)) == 100


def test_parts_have_sources_of_their_own_that_are_as_repeatable_as_what_they_come_from():
    seed = bytes(range(32))
    one, two, other = (Chance.seeded(seed, label, test=False) for label in (b"part 1", b"part 1", b"part 2"))
    assert one.draw(64) == two.draw(64) != other.draw(64)
    assert one.draw(64) == two.draw(64) != Chance.seeded(bytes(32), b"part 1", test=False).draw(64)
    one.require(test=False)
    with pytest.raises(TestKeyError):
        Chance.seeded(seed, b"part 1", test=True).require(test=False)


def test_the_system_repeats_nothing():
    assert not SYSTEM.test
    assert SYSTEM.draw(32) != SYSTEM.draw(32)


LIVE_WORK = {
    "identity": lambda: Identity.new("police", test=False, chance=PRETEND),
    "share": lambda: contribute(LIVE, [Identity.new("housing", test=False).public], b"d" * 32, PRETEND),
    "filters": lambda: make_filters(support.county(5), support.SCHEMA, support.DIFFUSED, live_key(), PRETEND),
    "encode": lambda: agency.encode(support.county(5), support.agreement(), live_key(), b"c" * 16, chance=PRETEND),
    "answer": lambda: agency.answer(None, None, support.agreement(), live_key(), None, PRETEND),
    "screen": lambda: matcher.screen({}, live_agreement(), chance=PRETEND),
    "desk": lambda: Desk(None, support.agreement(), LIVE, support.party("police"), support.PASS, PRETEND),
}


@pytest.mark.parametrize("work", LIVE_WORK)
def test_r50_live_keys_refuse_a_repeatable_source(work):
    """Before anything else happens; whoever knows the seed would know what was drawn."""
    with pytest.raises(TestKeyError, match="seed"):
        LIVE_WORK[work]()


def test_encoding_draws_everything_from_its_source():
    """With one seed an agency's two encodings are equal in every byte; with the system's chance they are not."""

    def encoded(chance):
        contents = agency.encode(
            support.county(60), support.agreement(), support.key(), b"c" * 16, chance=chance
        ).contents
        return {name: array.tobytes() for name, array in contents.to_body().arrays.items()}

    assert encoded(Chance.pretend(3)) == encoded(Chance.pretend(3))
    assert encoded(Chance.pretend(3))["pseudonyms"] != encoded(Chance.pretend(4))["pseudonyms"]
    assert encoded(SYSTEM)["pseudonyms"] != encoded(SYSTEM)["pseudonyms"]
