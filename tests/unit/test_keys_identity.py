"""Who signed, who is named, and what a fingerprint covers."""

import base64
import dataclasses
import re

import pytest

from keys.errors import KeyFileError, SignatureError
from keys.identity import ALPHABET, Identity, PublicIdentity, in_groups


@pytest.fixture(scope="module")
def police():
    return Identity.new("Northshire Police", test=False)


def test_a_signature_is_the_signers_over_the_message(police):
    """64 bytes that verify, and for nobody else."""
    signature = police.sign(b"message", purpose=b"agreement")
    assert len(signature) == 64
    police.public.verify(b"message", signature, purpose=b"agreement")
    with pytest.raises(SignatureError):
        Identity.new("Northshire Police", test=False).public.verify(b"message", signature, purpose=b"agreement")


@pytest.mark.parametrize(
    ("message", "purpose"),
    [(b"messagf", b"agreement"), (b"message", b"package"), (b"", b""), (b"messageagreement", b"")],
)
def test_a_signature_is_for_one_message_and_one_purpose(police, message, purpose):
    """A signed agreement is never a signed package."""
    signature = police.sign(b"message", purpose=b"agreement")
    with pytest.raises(SignatureError):
        police.public.verify(message, signature, purpose=purpose)


@pytest.mark.parametrize("change", [{"test": True}, {"name": "Northshire  Police"}])
def test_r50_a_signature_names_its_signer_and_mode(police, change):
    """The same keys under another name or mode are another signer."""
    signature = police.sign(b"message")
    with pytest.raises(SignatureError):
        dataclasses.replace(police.public, **change).verify(b"message", signature)


@pytest.mark.parametrize("signature", [b"", bytes(63), bytes(64), bytes(65)])
def test_a_signature_of_any_length_is_refused_in_words(police, signature):
    """Never an exception of the library's."""
    with pytest.raises(SignatureError):
        police.public.verify(b"message", signature)


def test_r7_a_fingerprint_reads_as_eight_groups_of_four(police):
    """160 bits, in letters that nobody takes for one another."""
    assert re.fullmatch(rf"([{ALPHABET}]{{4}} ){{7}}[{ALPHABET}]{{4}}", police.public.fingerprint())
    assert not set(ALPHABET) & set("ILOU")


def test_r7_groups_are_the_leading_bits():
    """First bit first; bits beyond the last group do not count."""
    assert in_groups(bytes(32)) == " ".join(["0000"] * 8)
    assert in_groups(b"\x84\x21\x00" + bytes(29), groups=2) == "GGGG 0000"
    assert in_groups(bytes(20) + b"\xff" * 12) == " ".join(["0000"] * 8)


def test_r7_a_fingerprint_covers_name_and_both_keys(police):
    """Whoever changes anything changes the fingerprint."""
    public, other = police.public, Identity.new("Other", test=False).public
    others = [
        dataclasses.replace(public, name="Other"),
        dataclasses.replace(public, signing_key=other.signing_key),
        dataclasses.replace(public, sealing_key=other.sealing_key),
    ]
    assert len({public.fingerprint(), *(changed.fingerprint() for changed in others)}) == 4


def test_r50_test_identities_look_different(police):
    """In the fingerprint and in the text."""
    test = dataclasses.replace(police.public, test=True)
    assert test.fingerprint().startswith("TEST ")
    assert test.to_text().startswith("linkage-test-1:")
    assert police.public.to_text().startswith("linkage-live-1:")
    assert test.fingerprint().removeprefix("TEST ") != police.public.fingerprint()


def test_text_is_one_line_that_comes_back(police):
    """Also with spaces around it, as pasting brings."""
    text = police.public.to_text()
    assert "\n" not in text
    assert PublicIdentity.from_text(f"  {text}\r\n") == police.public


def test_a_slip_in_the_text_is_found(police):
    """One character changed, lost or added anywhere, or the mode rewritten."""
    text = police.public.to_text()
    wrong = [
        "",
        "linkage-live-1:",
        text[:-1],
        text + "A",
        text.replace("live", "test"),
        text.replace(":", ": "),
        text * 2,
    ]
    places = range(15, len(text), 97)
    wrong += [text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :] for place in places]
    for line in wrong:
        with pytest.raises(KeyFileError, match="no public identity"):
            PublicIdentity.from_text(line)


def test_base64_has_one_form_only(police):
    """Stray bits behind the last byte are refused, so that one identity has one text."""
    public = dataclasses.replace(police.public, name="Police")  # of a length that leaves bits over
    head, body = public.to_text().split(":")
    assert body.endswith("=")
    stripped = body.rstrip("=")
    sibling = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    twin = stripped[:-1] + sibling[sibling.index(stripped[-1]) + 1] + body[len(stripped) :]
    assert base64.b64decode(twin) == base64.b64decode(body)
    with pytest.raises(KeyFileError):
        PublicIdentity.from_text(f"{head}:{twin}")


@pytest.mark.parametrize("name", ["", " Police", "Police ", "Pol\nice", "Pol\x00ice", "x" * 81, "Zoe\u0308 House"])
def test_names_that_could_be_read_two_ways_are_refused(name):
    """Empty, spaced, of several lines, endless, or decomposed."""
    with pytest.raises(KeyFileError):
        Identity.new(name, test=True)


@pytest.mark.parametrize(
    "change", [{"signing_key": bytes(31)}, {"sealing_key": bytes(1215)}, {"sealing_key": b"\xff" * 1216}]
)
def test_keys_that_are_none_are_refused(police, change):
    """Of another length, or no ML-KEM key."""
    with pytest.raises(KeyFileError):
        dataclasses.replace(police.public, **change)


def test_two_new_identities_have_nothing_in_common():
    """Fresh randomness for each key."""
    one, two = (Identity.new("Same", test=True) for _ in range(2))
    assert one.signing_seed != two.signing_seed
    assert one.mlkem_seed != two.mlkem_seed
    assert one.x25519_seed != two.x25519_seed
