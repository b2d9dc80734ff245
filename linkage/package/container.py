"""The package format, version 2.

A package carries one body from one party to one other, in parts below 25 MB (R44). A part is a file:

    8 bytes    "LINKAGE" and the version, 0x02
    4 bytes    length of the header, little endian, at most 65,536
    header     JSON with sorted keys and no spaces:
               agreement  digest of the agreement, hexadecimal
               kind       what is inside: share, screening, request, evidence, tokens, links
               package    random name of the package, 32 hexadecimal digits, the same in all its parts
               part       number of this part, from 1
               parts      how many there are
               recipient  party the package is sealed to
               run        name of the run ("" for shares, which belong to no run)
               sender     party that signed
               sealed     length of the sealed part in bytes
               sha256     digest of the sealed part
    64 bytes   Ed25519 signature of the sender over everything before it
    sealed     HPKE (RFC 9180) ciphertext; its `info` binds all header entries but the last two

The parts' plaintexts, joined in order, are one safetensors container: named arrays and a JSON text called "meta".
Behind it stand zeros up to a step of lengths, at most 12 % more and mostly 2 (`stream.padded_length`).
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from keys.errors import CustodyError
from keys.identity import Identity
from keys.seal import open_sealed, seal_pieces
from linkage.agreement import Agreement, Name
from linkage.ahead import ahead
from linkage.errors import (
    AlteredPackageError,
    MissingPartError,
    NotAgreedError,
    OtherAgreementError,
    OtherRunError,
    TheirPackageError,
    TruncatedPackageError,
    UnexpectedPackageError,
    UsageProblemError,
    WrongRecipientError,
)
from linkage.package.arriving import Arriving, Wanted
from linkage.package.stream import Made, container

MAGIC = b"LINKAGE\x02"
PART_BYTES = 24_000_000
"""Plaintext bytes of a part; with header and seal a part stays below 25 MB."""
MAX_HEADER = 1 << 16
HEAD_BYTES = 12 + MAX_HEADER + 64
"""Bytes of a part in which its header is, whatever its length."""
SUFFIX = ".linkage"
_PURPOSE = b"package"

Pieces = tuple[bytes, ...]
"""Bytes that stand one behind the other; joined they would be held twice."""

Kind = Literal["share", "screening", "request", "evidence", "tokens", "links"]
_Hex32 = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
_Hex64 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
_RUN = "[A-Za-z0-9][A-Za-z0-9._-]{0,39}"
_Run = Annotated[str, Meta(pattern=rf"^({_RUN})?\Z")]
_Positive = Annotated[int, Meta(ge=1, le=100_000)]


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What anybody who carries a part may read."""

    agreement: _Hex64
    kind: Kind
    package: _Hex32
    part: _Positive
    parts: _Positive
    recipient: Name
    run: _Run
    sender: Name
    sealed: Annotated[int, Meta(ge=0)] = 0
    sha256: str = ""

    @property
    def filename(self) -> str:
        """The name a part travels under."""
        run = f"{self.run}-" if self.run else ""
        return (
            f"{run}{self.kind}-{self.sender}-to-{self.recipient}-{self.package[:8]}-{self.part}of{self.parts}{SUFFIX}"
        )


@dataclass(frozen=True, repr=False)
class Body:
    """What is inside a package: a JSON text and named arrays; of what is sent, some are made while it is."""

    meta: bytes
    arrays: Mapping[str, NDArray[Any]]
    made: Mapping[str, Made] = field(default_factory=dict)


@dataclass(frozen=True)
class Expected:
    """What a step is prepared to take in."""

    kind: Kind
    run: str
    agreement: Agreement


@dataclass(frozen=True, repr=False)
class Opened:
    """A package of which everything is proven but its contents' meaning."""

    header: Header
    body: Body


def pack(
    body: Body, kind: Kind, run: str, agreement: Agreement, sender: Identity, recipient: str
) -> Iterator[tuple[Header, bytes]]:
    """A body as signed and sealed parts, each with its header (for its file name), one at a time."""
    pieces = pack_pieces(body, kind, run, agreement, sender, recipient)
    return ((header, b"".join(part)) for header, part in pieces)


def pack_pieces(
    body: Body, kind: Kind, run: str, agreement: Agreement, sender: Identity, recipient: str
) -> Iterator[tuple[Header, Pieces]]:
    """The same, each part in the pieces it is made of, to be written one behind the other."""
    me = agreement.party_of(sender.public).name
    to = agreement.party(recipient).public()
    if run:
        check_run(run)
    data = container({"meta": np.frombuffer(body.meta, np.uint8), **body.arrays, **body.made}).padded()
    parts = -(-data.length // PART_BYTES)
    name = secrets.token_hex(16)

    def sealed(part: int, piece: bytes) -> tuple[Header, Pieces]:
        bound = Header(
            agreement=agreement.digest.hex(), kind=kind, package=name, part=part, parts=parts,
            recipient=recipient, run=run, sender=me,
        )  # fmt: skip
        return bound, seal_pieces(to, piece, _info(bound))

    # Nothing here holds a part that was handed on, as a loop would.
    made = map(sealed, count(1), ahead(data.parts(PART_BYTES)))
    return map(partial(_signed, sender), made)


def _signed(sender: Identity, part: tuple[Header, Pieces]) -> tuple[Header, Pieces]:
    bound, sealed = part
    digest = hashlib.sha256()
    for piece in sealed:
        digest.update(piece)
    header = msgspec.structs.replace(bound, sealed=sum(map(len, sealed)), sha256=digest.hexdigest())
    text = _json(header)
    head = MAGIC + len(text).to_bytes(4, "little") + text
    return header, (head, sender.sign(head, purpose=_PURPOSE), *sealed)


def check_run(run: str) -> None:
    """Raise UsageProblemError unless this can be the name of a run, which is in file names at every party."""
    if not re.fullmatch(_RUN, run):
        raise UsageProblemError(
            "a run's name has 1 to 40 letters, digits, dots, hyphens and underscores, the first a letter or digit",
            "choose a name such as 2026-12",
        )


def open_package(
    parts: Iterable[bytes], expected: Expected, identity: Identity, wanted: Wanted | None = None
) -> Opened:
    """The body of a package, once everything it must prove is proven.

    For each part, in this order:
    1 it begins as a package of this version; 2 header and signature are whole; 3 the header is canonical;
    4 the sender is a party; 5 the signature is the sender's; 6 I am the recipient; 7 the agreement is ours;
    8 the run is this one; 9 the kind is the expected one; 10 no byte is missing or follows;
    11 the sealed bytes are those signed; 12 they open.
    For all parts: 13 they are the parts of one package, each once, none missing; 14 the body is a container of arrays.
    parts: may be read while they are opened; the next is read and proven while one is opened, and nothing held twice.
    wanted: what is wanted of arrays of many rows; all else is let go as it is opened.

    Raises the TheirPackageError whose obligation failed.
    """
    me = expected.agreement.party_of(identity.public).name
    headers, arriving = [], Arriving(wanted)
    for header, sealed in ahead(_proven(data, expected, me) for data in parts):
        headers.append(header)
        try:
            arriving.add(header.part, header.parts, open_sealed(identity, sealed, _info(header)))
        except CustodyError as problem:
            raise AlteredPackageError(
                f"{header.filename} does not open with this identity",
                problem.hint or "ask the sender for a new package",
            ) from None
    first = _one_package(headers)
    return Opened(first, _body(arriving, first))


def read_header(data: bytes) -> tuple[Header, int]:
    """A part's header and where its signature starts; obligations 1 to 3. Nothing is proven yet about who wrote it."""
    if data[: len(MAGIC) - 1] != MAGIC[:-1]:
        raise UnexpectedPackageError("this file is not a package", "choose a file that ends in .linkage")
    if data[: len(MAGIC)] != MAGIC:
        raise UnexpectedPackageError(
            "the package is of another format version", "both parties install the same release"
        )
    length = int.from_bytes(data[8:12], "little")
    if len(data) < 12 or length > MAX_HEADER or len(data) < 12 + length + 64:
        raise TruncatedPackageError("the package breaks off in its header", "copy or send it again")
    text = data[12 : 12 + length]
    try:
        header = msgspec.json.decode(text, type=Header)
    except (msgspec.MsgspecError, ValueError, RecursionError):  # msgspec lets a wrong byte's UnicodeDecodeError through
        raise AlteredPackageError("the package's header cannot be read", "copy or send it again") from None
    if _json(header) != text:
        raise AlteredPackageError("the package's header is not in canonical form", "copy or send it again")
    return header, 12 + length


def _proven(data: bytes, expected: Expected, me: str) -> tuple[Header, memoryview]:
    header, end = read_header(data)
    agreement, name = expected.agreement, header.filename
    ours = header.agreement == agreement.digest.hex()
    try:
        sender = agreement.party(header.sender).public()
    except NotAgreedError:
        what = "its sender is no party to this agreement" if ours else "it was made under another agreement"
        raise OtherAgreementError(f"{name}: {what}", "compare digests with `linkage agreement show`") from None
    try:
        sender.verify(data[:end], data[end : end + 64], purpose=_PURPOSE)
    except CustodyError:
        raise AlteredPackageError(
            f"{name}: the signature is not {header.sender}'s",
            "the file was altered or forged: ask the sender for a new one",
        ) from None
    if header.recipient != me:
        raise WrongRecipientError(f"{name} is addressed to '{header.recipient}', not to '{me}'", "send it on unopened")
    if not ours:
        raise OtherAgreementError(
            f"{name} was made under another agreement", "compare digests with `linkage agreement show`"
        )
    if header.run != expected.run:
        raise OtherRunError(
            f"{name} belongs to run '{header.run}', not to '{expected.run}'", "check --run at both parties"
        )
    if header.kind != expected.kind:
        raise UnexpectedPackageError(
            f"{name} is a package of kind '{header.kind}', not '{expected.kind}'", "choose another file"
        )
    sealed = memoryview(data)[end + 64 :]
    if len(sealed) != header.sealed:
        more = "bytes follow the package" if len(sealed) > header.sealed else "bytes are missing"
        raise TruncatedPackageError(f"{name}: {more}", "copy or send it again")
    if hashlib.sha256(sealed).hexdigest() != header.sha256:
        raise AlteredPackageError(f"{name}: bytes were changed after signing", "copy or send it again")
    return header, sealed


def _one_package(headers: Sequence[Header]) -> Header:
    if not headers:
        raise MissingPartError("no package was given", "name the package's files")
    first = headers[0]
    if {(header.package, header.parts, header.sender) for header in headers} != {
        (first.package, first.parts, first.sender)
    }:
        raise UnexpectedPackageError("these files are parts of different packages", "give the parts of one package")
    present = [header.part for header in headers]
    missing = sorted(set(range(1, first.parts + 1)) - set(present))
    if missing:
        raise MissingPartError(
            f"the package from {first.sender} lacks part {missing[0]} of {first.parts}",
            "wait for it, or ask for it again",
        )
    if len(present) != first.parts:
        what = "counts more parts than it has" if max(present) > first.parts else "was given with a part twice"
        raise UnexpectedPackageError(f"the package from {first.sender} {what}", "give each part once")
    return first


def _body(arriving: Arriving, header: Header) -> Body:
    try:
        arrays = arriving.arrays()
        meta = arrays.pop("meta").astype(np.uint8, casting="no").tobytes()
    except (KeyError, TypeError, ValueError, OverflowError):
        raise UnexpectedPackageError(
            f"{header.filename}: the contents are no container of arrays", "the sender's program is at fault"
        ) from None
    return Body(meta, arrays)


def _info(header: Header) -> bytes:
    return b"package\0" + _json(msgspec.structs.replace(header, sealed=0, sha256=""))


def _json(header: Header) -> bytes:
    return msgspec.json.encode(header, order="sorted")


__all__ = ["Body", "Expected", "Header", "Opened", "TheirPackageError", "open_package", "pack", "read_header"]
