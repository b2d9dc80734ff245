"""A package opens when everything it must prove is proven; each fault alone is refused for what it is."""

import dataclasses
import hashlib
import json
import struct

import msgspec
import numpy as np
import pytest
from safetensors.numpy import save

from keys.identity import Identity
from keys.seal import seal
from linkage.errors import (
    AlteredPackageError,
    MissingPartError,
    NotAgreedError,
    OtherAgreementError,
    OtherRunError,
    TruncatedPackageError,
    UnexpectedPackageError,
    UsageProblemError,
    WrongRecipientError,
)
from linkage.package import container
from linkage.package.container import MAGIC, Body, Expected, Header, open_package, pack, read_header
from linkage.package.stream import padded_length
from tests import support

AGREED = support.agreement()
BODY = Body(b'{"a":1}', {"numbers": np.arange(6, dtype=np.uint64).reshape(2, 3), "none": np.empty((0, 16), np.uint8)})
EXPECTED = Expected("screening", "run-1", AGREED)
ME = support.identity("matcher")


def packed(body=BODY, kind="screening", run="run-1", agreed=AGREED, sender="police", recipient="matcher"):
    return [data for _, data in pack(body, kind, run, agreed, support.identity(sender), recipient)]


def opened(parts, expected=EXPECTED, identity=ME):
    return open_package(parts, expected, identity)


def refused(error, code, parts, match=None, **more):
    with pytest.raises(error, match=match) as refusal:
        opened(parts, **more)
    assert type(refusal.value) is error
    assert refusal.value.exit_code == code
    assert refusal.value.hint


def halves(data):
    """Header, and the bytes that are sealed."""
    header, end = read_header(data)
    return header, data[end + 64 :]


def made(header, sealed, *, signer="police", text=None, purpose=b"package"):
    """A part as its parts say, signed by somebody."""
    text = text or container._json(header)
    head = MAGIC + len(text).to_bytes(4, "little") + text
    return head + support.identity(signer).sign(head, purpose=purpose) + sealed


def remade(changes, *, sealed=None, text=None, package=None, **more):
    """The package with entries of its header changed and the signature made anew."""
    header, old = halves(package or packed()[0])
    sealed = old if sealed is None else sealed
    sums = {"sealed": len(sealed), "sha256": hashlib.sha256(sealed).hexdigest()}
    return [made(msgspec.structs.replace(header, **(sums | changes)), sealed, text=text, **more)]


def sealed_body(data):
    """A proper package around bytes that may be no container, padded."""
    package = packed()[0]
    data += bytes(padded_length(len(data)) - len(data))
    return remade({}, sealed=seal(ME.public, data, container._info(halves(package)[0])), package=package)


# --- what is sealed opens -------------------------------------------------------------------------------------------


def test_what_is_sealed_opens_to_the_same_body():
    package = opened(packed())
    assert package.body.meta == BODY.meta
    assert {name: (a.dtype, a.shape) for name, a in package.body.arrays.items()} == {
        name: (a.dtype, a.shape) for name, a in BODY.arrays.items()
    }
    assert np.array_equal(package.body.arrays["numbers"], BODY.arrays["numbers"])
    assert (package.header.sender, package.header.recipient, package.header.kind) == ("police", "matcher", "screening")


def test_packing_twice_gives_two_names_and_no_common_bytes_beyond_the_header():
    one, two = (halves(packed()[0]) for _ in range(2))
    assert one[0].package != two[0].package
    common = sum(a == b for a, b in zip(one[1], two[1], strict=True))
    assert common < len(one[1]) / 50


def test_nothing_inside_can_be_read_from_outside():
    data = packed(Body(b"CANARY-TEXT", {"x": np.frombuffer(b"CANARY-ARRAY", np.uint8)}))[0]
    assert b"CANARY" not in data
    assert b"numbers" not in packed()[0]


def test_r44_every_part_stays_below_25_megabytes():
    body = Body(b"{}", {"bulk": np.random.default_rng(1).integers(0, 256, 24_500_000, np.uint8)})
    parts = packed(body)
    assert len(parts) == 2
    assert max(map(len, parts)) < 25_000_000
    assert np.array_equal(opened(parts[::-1]).body.arrays["bulk"], body.arrays["bulk"])


def test_a_part_travels_under_a_name_that_says_what_it_is():
    header, _ = next(iter(pack(BODY, "screening", "run-1", AGREED, support.identity("police"), "matcher")))
    assert header.filename == f"run-1-screening-police-to-matcher-{header.package[:8]}-1of1.linkage"
    header, _ = next(iter(pack(BODY, "share", "", AGREED, support.identity("police"), "housing")))
    assert header.filename.startswith("share-police-to-housing-")


@pytest.mark.parametrize("run", ["a b", "../up", ".hidden", "run\n", "x" * 41, "naïve"])
def test_a_run_has_a_name_that_every_file_system_takes(run):
    with pytest.raises(UsageProblemError):
        packed(run=run)


# --- one fault each -------------------------------------------------------------------------------------------------


def test_obligation_1_another_file_or_version():
    refused(UnexpectedPackageError, 39, [b""], "not a package")
    refused(UnexpectedPackageError, 39, [b"PK\x03\x04" + packed()[0]], "not a package")
    data = packed()[0]
    refused(UnexpectedPackageError, 39, [data[:7] + b"\x01" + data[8:]], "another format version")


def test_obligation_2_header_and_signature_are_whole():
    data = packed()[0]
    _, end = read_header(data)
    for length in (8, 9, 11, 12, 13, end - 1, end, end + 63):
        refused(TruncatedPackageError, 36, [data[:length]], "breaks off")
    refused(TruncatedPackageError, 36, [data[:8] + (1 << 31).to_bytes(4, "little") + data[12:]], "breaks off")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(b",", b", ", 1),  # not canonical: a space
        lambda text: b'{"sender":"police",' + text[1:],  # an entry twice
        lambda text: b'{"zebra":1,' + text[1:],  # an unknown entry
        lambda text: text.replace(b'"part":1', b'"part":0'),
        lambda text: text.replace(b'"part":1,', b""),
        lambda text: text.replace(b'"kind":"screening"', b'"kind":"picture"'),
        lambda text: text.replace(b'"run":"run-1"', b'"run":"../../up"'),
        lambda text: text.replace(b'"run":"run-1"', b'"run":"run-1\\n"'),
        lambda text: text.replace(b'"sender":"police"', b'"sender":"police\\n"'),
        lambda text: b"\xff" + text,
        lambda _: b"[]",
    ],
)
def test_obligation_3_the_header_is_canonical(change):
    header, sealed = halves(packed()[0])
    refused(AlteredPackageError, 31, [made(header, sealed, text=change(container._json(header)))], "header")


def test_obligation_4_the_sender_is_a_party():
    refused(OtherAgreementError, 34, remade({"sender": "stranger"}), "no party to this agreement")


def test_obligation_5_the_signature_is_the_senders():
    refused(AlteredPackageError, 31, remade({}, signer="housing"), "signature is not police's")
    refused(AlteredPackageError, 31, remade({}, purpose=b"agreement"), "signature is not police's")
    impostor = Identity.new("police", test=True)
    head = (data := packed()[0])[: read_header(data)[1]]
    refused(AlteredPackageError, 31, [head + impostor.sign(head, purpose=b"package") + data[len(head) + 64 :]])


def test_obligation_6_i_am_the_recipient():
    refused(WrongRecipientError, 32, packed(recipient="housing"), "addressed to 'housing', not to 'matcher'")
    refused(WrongRecipientError, 32, packed(), "not to 'housing'", identity=support.identity("housing"))


def test_obligation_7_the_agreement_is_ours():
    other = support.agreement(title="Another")
    refused(OtherAgreementError, 34, packed(agreed=other), "made under another agreement")


def test_obligation_8_the_run_is_this_one():
    refused(OtherRunError, 33, packed(run="run-2"), "belongs to run 'run-2', not to 'run-1'")


def test_obligation_9_the_kind_is_the_expected_one():
    refused(UnexpectedPackageError, 39, packed(kind="evidence"), "of kind 'evidence', not 'screening'")


def test_obligation_10_no_byte_is_missing_or_follows():
    data = packed()[0]
    refused(TruncatedPackageError, 36, [data[:-1]], "bytes are missing")
    refused(TruncatedPackageError, 36, [data + b"\0"], "bytes follow")
    refused(TruncatedPackageError, 36, [data + data], "bytes follow")
    refused(TruncatedPackageError, 36, [data[: read_header(data)[1] + 64]], "bytes are missing")


def test_obligation_11_the_sealed_bytes_are_those_signed():
    data = packed()[0]
    refused(AlteredPackageError, 31, [data[:-1] + bytes([data[-1] ^ 1])], "changed after signing")


def test_obligation_12_they_open():
    """Sealed to somebody else, or bound to another header, and signed all the same."""
    package = packed()[0]
    other = seal(support.identity("housing").public, b"x", container._info(halves(package)[0]))
    refused(AlteredPackageError, 31, remade({}, sealed=other, package=package), "does not open")
    refused(AlteredPackageError, 31, remade({}, sealed=seal(ME.public, b"x", b"elsewhere")), "does not open")
    refused(AlteredPackageError, 31, remade({}, sealed=b""), "does not open")
    refused(AlteredPackageError, 31, remade({"package": "0" * 32}), "does not open")


def test_a_sender_cannot_take_over_what_another_sealed():
    """The seal is bound to the sender: signing another's sealed bytes as one's own does not open."""
    header, sealed = halves(packed()[0])
    stolen = msgspec.structs.replace(header, sender="housing")
    refused(AlteredPackageError, 31, [made(stolen, sealed, signer="housing")], "does not open")


# --- all parts of one package ---------------------------------------------------------------------------------------


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(container, "PART_BYTES", 100)
    parts = packed()
    assert len(parts) >= 3
    return parts


def test_parts_come_in_any_order(small_parts):
    assert opened(small_parts[::-1]).body.meta == BODY.meta


def test_obligation_13_no_part_is_missing(small_parts):
    refused(MissingPartError, 38, [], "no package was given")
    for nth in range(len(small_parts)):
        refused(MissingPartError, 38, small_parts[:nth] + small_parts[nth + 1 :], f"lacks part {nth + 1} of")


def test_obligation_13_no_part_comes_twice(small_parts):
    refused(UnexpectedPackageError, 39, [*small_parts, small_parts[0]], "part twice")


def test_obligation_13_no_part_comes_from_another_package(small_parts):
    others = packed()
    refused(UnexpectedPackageError, 39, [*small_parts[:-1], others[-1]], "different packages")
    refused(UnexpectedPackageError, 39, [*small_parts, *packed(sender="housing")], "different packages")


def test_obligation_13_no_part_beyond_the_count(small_parts):
    header, _ = halves(small_parts[-1])
    further = msgspec.structs.replace(header, part=header.parts + 1)
    sealed = seal(ME.public, b"more", container._info(further))
    further = msgspec.structs.replace(further, sealed=len(sealed), sha256=hashlib.sha256(sealed).hexdigest())
    refused(UnexpectedPackageError, 39, [*small_parts, made(further, sealed)], "more parts than it has")


def test_a_part_cannot_be_passed_off_as_another(small_parts):
    """Part 2's sealed bytes under part 1's number do not open, whoever signs."""
    first, second = halves(small_parts[0])[0], halves(small_parts[1])
    swapped = msgspec.structs.replace(second[0], part=first.part)
    refused(AlteredPackageError, 31, [made(swapped, second[1]), *small_parts[1:]], "does not open")


# --- the container of arrays ----------------------------------------------------------------------------------------


def tensors(header, body=b""):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


META = {"meta": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]}}


def test_the_smallest_container_opens():
    assert opened(sealed_body(tensors(META, b"{}"))).body.meta == b"{}"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\x04N.",  # a pickle
        save({"other": np.zeros(1)}),  # no meta
        save({"meta": np.zeros(2)}),  # meta of another type
        tensors(META, b"{}") + b"\1",  # a trailing byte
        tensors(META, b"{}") + bytes(64),  # more zeros than there are to be
        tensors(META, b"{"),  # a byte missing
        tensors({"meta": {"dtype": "U8", "shape": [2], "data_offsets": [1, 3]}}, b"\0{}"),  # a byte nobody owns
        tensors(META | {"__metadata__": {"note": "text that no array holds"}}, b"{}"),
        tensors(META | {"x": {"dtype": "BF16", "shape": [1], "data_offsets": [2, 4]}}, b"{}12"),
        tensors(META | {"x": {"dtype": "U8", "shape": [3], "data_offsets": [2, 4]}}, b"{}12"),
        tensors(META | {"x": {"dtype": "U8", "shape": [1 << 62], "data_offsets": [2, 2]}}, b"{}"),
        struct.pack("<Q", 1 << 40) + b"{}",
    ],
)
def test_obligation_14_the_body_is_a_container_of_arrays_and_nothing_else(data):
    refused(UnexpectedPackageError, 39, sealed_body(data), "no container of arrays")


def test_the_header_says_what_is_promised_at_the_top_of_the_module():
    lines = [line for line in container.__doc__.splitlines() if line.startswith(" " * 15) and line[15] != " "]
    promised = [line.split()[0] for line in lines]
    assert sorted(promised) == sorted(field.name for field in msgspec.structs.fields(Header))


def test_no_party_no_package():
    """An identity outside the agreement neither packs nor opens."""
    stranger = Identity.new("stranger", test=True)
    with pytest.raises(NotAgreedError, match="no party's"):
        opened(packed(), identity=stranger)
    with pytest.raises(NotAgreedError, match="no party's"):
        next(pack(BODY, "screening", "run-1", AGREED, stranger, "matcher"))


def test_bodies_show_nothing():
    assert "BODY" not in repr(BODY)
    assert "numbers" not in repr(opened(packed()))
    assert dataclasses.is_dataclass(BODY)
