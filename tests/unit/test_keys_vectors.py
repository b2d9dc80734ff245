"""Golden vectors of the custody room: what one version wrote, every later one must derive and open.

`keys_derived.json` is the same on every machine. `keys_sealed.json` holds bytes made with fresh randomness:
they must open for ever. Both are made by the command they record; run it again only for a new format version.
"""

import base64
import hashlib
import hmac
import json
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC

from keys import vault
from keys.aead import NoteSealer, open_note, unwrap_key
from keys.chance import Chance
from keys.derive import (
    LABELS,
    Purpose,
    message_digests,
    pair_keys,
    run_key,
    stream,
    tight_tokens,
    token_keys,
    token_shares,
)  # fmt: skip
from keys.errors import OpenError
from keys.framing import frame
from keys.identity import Identity, PublicIdentity
from keys.passphrase import from_text
from keys.seal import open_sealed, seal
from keys.secret import LinkageSecret, Share, assemble, contribute
from keys.vault import StorageKey, decrypt_blob, encrypt_blob

VECTORS = Path(__file__).parents[1] / "vectors"
COMMAND = "python -m tests.unit.test_keys_vectors"
NAMES = ("Children's Services", "Northshire Police", "Zoë House")
AGREEMENT = hashlib.sha256(b"an agreement").digest()
PAIR_IDS = bytes(range(48))
COLUMNS = [bytes(range(32)), bytes(range(100, 132))]
PASSPHRASE = from_text("correct horse battery staple")


def seeded(name: str) -> Identity:
    """A test identity whose seeds are hashes of its name."""
    return Identity(name, True, *(bytes(part) for part in _cut(hashlib.shake_256(name.encode()).digest(128), 32, 64)))


def _cut(data: bytes, *lengths: int):
    for length in lengths:
        yield data[:length]
        data = data[length:]
    yield data


def shares() -> dict[str, Share]:
    """Each party's own share, with a value that is a hash of its name."""
    parties = tuple((name, seeded(name).public.digest()) for name in sorted(NAMES, key=str.encode))
    return {name: Share(name, True, AGREEMENT, parties, hashlib.sha256(name.encode()).digest()) for name in NAMES}


def contributed(name: str) -> dict[str, bytes]:
    """What one party seals for the others when its random bytes are the recorded ones."""
    drawn = Chance(lambda _count: shares()[name].value, test=True)
    return contribute(seeded(name), [seeded(other).public for other in NAMES if other != name], AGREEMENT, drawn)[1]


def secret_from(sealed: dict[str, str]) -> LinkageSecret:
    """The secret as the first party assembles it from the recorded sealed shares of the others."""
    received = {seeded(name).public: base64.b64decode(data) for name, data in sealed.items()}
    return assemble(seeded(NAMES[0]), shares()[NAMES[0]], received, AGREEMENT)


def derived(secret: LinkageSecret) -> dict[str, object]:
    key = run_key(secret, "2025-11", AGREEMENT)
    keys_of_pairs = pair_keys(key, PAIR_IDS)
    screening = key.subkey(Purpose.SCREENING)
    return {
        "command": COMMAND,
        "labels": {label.name: label.decode() for label in LABELS},
        "frame": frame(b"", b"a", b"bc").hex(),
        "identities": {
            name: {
                "fingerprint": seeded(name).public.fingerprint(),
                "text_sha256": hashlib.sha256(seeded(name).public.to_text().encode()).hexdigest(),
                "signature": seeded(name).sign(b"message", purpose=b"purpose").hex(),
            }
            for name in NAMES
        },
        "secret": secret.value.hex(),
        "secret_fingerprint": secret.fingerprint(),
        "check": secret.check("2025-11", b"profile").hex(),
        "run_key": key.value.hex(),
        "subkeys": {purpose.value: key.subkey(purpose).hex() for purpose in Purpose},
        "pair_keys": [keys_of_pairs.cipher.hex(), keys_of_pairs.tweaks.hex()],
        "tight_tokens": tight_tokens(key, PAIR_IDS).hex(),
        "token_keys": token_keys(key, PAIR_IDS).to_payload().hex(),
        "token_shares": [part.hex() for place in (1, 2, 255) for part in token_shares(key, PAIR_IDS, place)],
        "message_digests": message_digests(screening, b"surname", COLUMNS).hex(),
        "expand": keys_of_pairs.expand(COLUMNS[0]).hex(),
        "stream": stream(key.subkey(Purpose.DIFFUSION), b"table 0", 80).hex(),
        "chance": Chance.pretend(7, "a label").draw(80).hex(),
    }


def recorded(name: str) -> dict:
    return json.loads((VECTORS / name).read_text("utf-8"))


# --- the recorded bytes -------------------------------------------------------------------------------------------


def test_everything_derived_is_what_it_always_was():
    """Fingerprints, signatures, the secret, run keys, subkeys, pair keys, tokens, blocks and streams never change."""
    sealed = recorded("keys_sealed.json")
    assert derived(secret_from(sealed["shares"])) == recorded("keys_derived.json")


def test_every_party_assembles_the_recorded_secret():
    """Not only the first party."""
    secret = LinkageSecret(True, AGREEMENT, bytes.fromhex(recorded("keys_derived.json")["secret"]))
    sealed = {name: contributed(name) for name in NAMES}
    for name in NAMES:
        received = {seeded(other).public: sealed[other][name] for other in NAMES if other != name}
        assert assemble(seeded(name), shares()[name], received, AGREEMENT) == secret


def test_a_recorded_key_file_still_opens(tmp_path):
    """A vault file written by the first version gives back its identity."""
    path = tmp_path / "identity.key"
    vault.write_new(path, recorded("keys_sealed.json")["vault"].encode("ascii"))
    assert vault.fetch(path, Identity, PASSPHRASE) == seeded(NAMES[0])


def test_recorded_sealed_bytes_still_open():
    """Sealed bytes, a stored blob, a wrapped note key and its note give back their plaintexts."""
    there = {name: base64.b64decode(text) for name, text in recorded("keys_sealed.json")["bytes"].items()}
    me = seeded(NAMES[0])
    assert open_sealed(me, there["seal"], b"info") == b"plaintext"
    assert decrypt_blob(StorageKey(True, bytes(32)), there["blob"], b"aad") == b"data"
    key = unwrap_key(me, there["note_key"], run="2025-11", sender=NAMES[1], context=b"context")
    assert open_note(key, PAIR_IDS[:16], b"context", there["note"]) == b"DA-P"


@pytest.mark.parametrize("place", [0, 4, 5, 700, 1100, 1125, -17, -1])
def test_sealed_bytes_with_one_bit_changed_stay_shut(place):
    """In the magic, the mode, the ML-KEM part, the X25519 part, the text and the tag."""
    sealed = bytearray(base64.b64decode(recorded("keys_sealed.json")["bytes"]["seal"]))
    sealed[place] ^= 1
    with pytest.raises(OpenError):
        open_sealed(seeded(NAMES[0]), bytes(sealed), b"info")


def test_public_identities_survive_their_text():
    """to_text and from_text are inverse, and the text says which mode it is."""
    for name in NAMES:
        public = seeded(name).public
        assert PublicIdentity.from_text(public.to_text()) == public
        assert public.to_text().startswith("linkage-test-1:")


# --- plain twins: the same values from nothing but RFC 5869, hmac and hashlib ---------------------------------------


def naive_frame(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def naive_hmac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()


def naive_expand(key: bytes, *context: bytes) -> bytes:
    return naive_hmac(key, naive_frame(*context) + b"\x01")


def test_the_chain_from_shares_to_pair_keys_is_hkdf_by_the_book():
    """Secret, run key, subkey and pair keys recomputed by hand, with every label spelt out."""
    there = recorded("keys_derived.json")
    names = sorted(NAMES, key=str.encode)
    digests = [
        hashlib.sha256(
            naive_frame(
                b"safeguarding-linkage/1/fingerprint",
                b"test",
                name.encode(),
                seeded(name).public.signing_key,
                seeded(name).public.sealing_key,
            )
        ).digest()
        for name in names
    ]
    parties = hashlib.sha256(naive_frame(b"safeguarding-linkage/1/parties", b"test", *digests)).digest()
    values = [hashlib.sha256(name.encode()).digest() for name in names]
    material = naive_frame(
        *(part for trio in zip((name.encode() for name in names), digests, values, strict=True) for part in trio)
    )
    secret = naive_expand(
        naive_hmac(bytes(32), material), b"safeguarding-linkage/1/secret", b"test", AGREEMENT, parties
    )
    run = naive_expand(secret, b"safeguarding-linkage/1/run", b"test", AGREEMENT, b"2025-11")
    evidence = naive_expand(run, b"safeguarding-linkage/1/subkey", b"evidence")
    tweak = naive_expand(evidence, b"safeguarding-linkage/2/pair")
    cipher = naive_expand(evidence, b"safeguarding-linkage/2/evidence", b"safeguarding-linkage/2/pair")
    tweaks = b"".join(last_block(tweak, PAIR_IDS[start : start + 16]) for start in (0, 16, 32))
    assert (secret.hex(), run.hex(), evidence.hex(), [cipher.hex(), tweaks.hex()]) == (
        there["secret"],
        there["run_key"],
        there["subkeys"]["evidence"],
        there["pair_keys"],
    )


def last_block(key: bytes, message: bytes) -> bytes:
    """Of AES-256-CBC from zero, the last block: of one block the cipher itself, of several their CBC-MAC."""
    return Cipher(AES256(key), CBC(bytes(16))).encryptor().update(message)[-16:]


def test_digests_of_messages_are_cbc_macs_by_the_book():
    """One message at a time, under a key of its domain and length."""
    there = recorded("keys_derived.json")
    subkey = bytes.fromhex(there["subkeys"]["screening"])
    key = naive_expand(subkey, b"safeguarding-linkage/2/token", b"surname", b"\0\0\0\2")
    messages = [b"".join(column[start : start + 16] for column in COLUMNS) for start in (0, 16)]
    assert b"".join(last_block(key, message) for message in messages).hex() == there["message_digests"]


# --- making them ----------------------------------------------------------------------------------------------------


def make() -> None:
    """Write both files; the sealed one differs at every call."""
    me, other = seeded(NAMES[0]), seeded(NAMES[1])
    path = VECTORS / "made.key"
    vault.keep(path, me, PASSPHRASE, vault.FOR_TESTS)
    sealer = NoteSealer.new(me.public, run="2025-11", sender=other.name, context=b"context", length=64)
    made = {
        "seal": seal(me.public, b"plaintext", b"info"),
        "blob": encrypt_blob(StorageKey(True, bytes(32)), b"data", b"aad"),
        "note_key": sealer.wrapped,
        "note": sealer.seal(PAIR_IDS[:16], b"DA-P"),
    }
    sealed = {
        "command": COMMAND,
        "passphrase": PASSPHRASE.value.decode(),
        "shares": {name: base64.b64encode(contributed(name)[NAMES[0]]).decode() for name in NAMES[1:]},
        "vault": path.read_text("ascii"),
        "bytes": {name: base64.b64encode(data).decode() for name, data in made.items()},
    }
    path.unlink()
    for name, content in (
        ("keys_sealed.json", sealed),
        ("keys_derived.json", derived(secret_from(sealed["shares"]))),
    ):
        (VECTORS / name).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    sys.exit(make())
