"""Laws of the custody room: round trips, and nothing that means two things."""

from hypothesis import given, settings
from hypothesis import strategies as st

from keys.derive import message_digests, pair_keys, run_key, stream
from keys.errors import CustodyError, KeyFileError
from keys.framing import frame, unframe
from keys.identity import Identity, PublicIdentity
from keys.prf import of_blocks
from keys.seal import open_sealed, seal
from keys.secret import LinkageSecret, Share, assemble, contribute
from keys.storage import StorageKey, decrypt_blob, encrypt_blob
from linkage.encode.digests import text_digests

CIRCLE = [Identity.new(name, test=True) for name in ("A", "B", "C", "D")]
AGREEMENT = bytes(32)
KEY = bytes(range(32))
RUN = run_key(LinkageSecret(True, AGREEMENT, KEY), "run", AGREEMENT)
parts = st.lists(st.binary(max_size=40), max_size=6)


@given(parts)
def test_frames_come_apart_as_they_were(there):
    """The function unframe is frame's inverse."""
    assert unframe(frame(*there), len(there)) == tuple(there)


@given(parts, parts)
def test_no_two_lists_frame_alike(one, two):
    """Injective, also when the joined bytes are the same."""
    assert (frame(*one) == frame(*two)) == (one == two)


@given(st.binary(max_size=64))
def test_bytes_unframe_to_themselves_or_not_at_all(data):
    """Parsing never invents or loses a byte."""
    try:
        there = unframe(data)
    except ValueError:
        return
    assert frame(*there) == data


@settings(max_examples=20)
@given(st.binary(max_size=300), st.binary(max_size=20))
def test_what_is_sealed_opens_to_the_same_bytes(plaintext, info):
    """The functions seal and open_sealed are inverse."""
    assert open_sealed(CIRCLE[0], seal(CIRCLE[0].public, plaintext, info), info) == plaintext


@given(st.binary(max_size=300))
def test_no_bytes_break_the_opener(data):
    """Any input is refused with an error of ours."""
    for opener in (
        lambda: open_sealed(CIRCLE[0], data, b""),
        lambda: open_sealed(CIRCLE[0], b"LKS1T" + data, b""),
        lambda: decrypt_blob(StorageKey(True, KEY), b"LKB1T" + data, b""),
    ):
        try:
            opener()
        except CustodyError:
            continue
        raise AssertionError("opened what nobody sealed")


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader_of_identities(text):
    """Any text is refused with an error of ours."""
    for line in (text, f"linkage-live-1:{text}"):
        try:
            PublicIdentity.from_text(line)
        except KeyFileError:
            continue
        raise AssertionError("read an identity from noise")


@settings(max_examples=30)
@given(st.binary(max_size=2000), st.binary(max_size=20))
def test_blobs_come_back(data, aad):
    """The function decrypt_blob is encrypt_blob's inverse."""
    key = StorageKey(True, KEY)
    assert decrypt_blob(key, encrypt_blob(key, data, aad), aad) == data


@settings(max_examples=10)
@given(st.integers(2, 4), st.randoms(use_true_random=False))
def test_r7_any_number_of_agencies_in_any_order_agree(count, random):
    """The secret depends on who and what, never on the order of anything."""
    people = CIRCLE[:count]
    own, sealed = {}, {}
    for me in people:
        others = [other.public for other in people if other is not me]
        random.shuffle(others)
        own[me.name], sealed[me.name] = contribute(me, others, AGREEMENT)
    made = []
    for me in people:
        others = [other for other in people if other is not me]
        random.shuffle(others)
        received = {other.public: sealed[other.name][me.name] for other in others}
        made.append(assemble(me, own[me.name], received, AGREEMENT))
    assert all(secret == made[0] for secret in made)


@given(st.lists(st.tuples(st.text(max_size=5), st.binary(min_size=32, max_size=32)), max_size=4), st.booleans())
def test_shares_survive_their_payload(parties, test):
    """The method from_payload is to_payload's inverse."""
    share = Share("A", test, AGREEMENT, tuple(parties), KEY)
    assert Share.from_payload(share.to_payload()) == share


@given(st.lists(st.binary(min_size=16, max_size=16), max_size=8))
def test_a_pairs_key_does_not_depend_on_its_neighbours(ids):
    """Many at once are each alone; so batches may be cut anywhere."""
    assert pair_keys(RUN, b"".join(ids)).tweaks == b"".join(pair_keys(RUN, pair).tweaks for pair in ids)


@given(st.lists(st.binary(min_size=16, max_size=16), max_size=9))
def test_a_block_does_not_depend_on_its_neighbours(blocks):
    """Nor on its place: equal blocks are equal, whatever stands between."""
    alone = [of_blocks(KEY, block) for block in blocks]
    assert of_blocks(KEY, b"".join(blocks)) == b"".join(alone)
    assert len({bytes(block) for block in alone}) == len(set(blocks))


@given(st.integers(1, 4), st.lists(st.binary(min_size=64, max_size=64), max_size=6))
def test_a_message_does_not_depend_on_its_neighbours(count, messages):
    """Column by column or message by message: each has the digest that it has alone."""
    columns = [b"".join(message[16 * nth : 16 * nth + 16] for message in messages) for nth in range(count)]
    alone = [
        message_digests(KEY, b"d", [message[16 * nth : 16 * nth + 16] for nth in range(count)]) for message in messages
    ]
    assert message_digests(KEY, b"d", columns) == b"".join(alone)


@given(st.lists(st.tuples(st.binary(max_size=6), st.text(max_size=40)), max_size=8, unique=True))
def test_two_tokens_or_domains_never_share_a_digest(pairs):
    """Distinct (domain, token) pairs give distinct digests, however long the tokens."""
    digests = [text_digests(KEY, domain, [token]).tobytes() for domain, token in pairs]
    assert len(set(digests)) == len(pairs)


@given(st.binary(max_size=10), st.integers(0, 500), st.integers(0, 500))
def test_a_longer_stream_begins_with_the_shorter(label, one, two):
    """So tables may grow without changing what they were."""
    short, long = sorted((one, two))
    assert stream(KEY, label, long)[:short] == stream(KEY, label, short)
