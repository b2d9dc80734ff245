"""The linkage secret: made by all agencies together, chosen by none, never seen by the matcher.

Identities and an agreement's digest come in; sealed shares travel; a LinkageSecret goes out.
Rule: every share names all contributors and the agreement, so that no share serves in another circle.

A sealed share is the frame (label, agreement, parties, sender, recipient, sealed), where the first five are
public digests, and sealed opens to the frame (value, signature). Its signature covers agreement, parties and
value but no recipient: a sender who told two recipients different values has signed both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar, Self

from keys.chance import SYSTEM, Chance
from keys.errors import OpenError, SecretMismatchError, ShareError, SignatureError, TestKeyError
from keys.framing import frame, unframe
from keys.guard import Kept, same
from keys.identity import Identity, PublicIdentity, in_groups
from keys.kdf import KEY_BYTES, expand, extract
from keys.labels import Label, is_test, mode
from keys.seal import open_sealed, seal

DIGEST_BYTES = 32
CHECK_BYTES = 16


def _check_digest(agreement_digest: bytes) -> None:
    if len(agreement_digest) != DIGEST_BYTES:
        raise ValueError(f"an agreement's digest has {DIGEST_BYTES} bytes")


@dataclass(frozen=True, eq=False, repr=False)
class Share(Kept):
    """One contributor's own part, kept until the secret is assembled.

    parties: (name, digest of the public identity) of every contributor, in order of names. value: 32 bytes.
    """

    sender: str
    test: bool
    agreement_digest: bytes
    parties: tuple[tuple[str, bytes], ...]
    value: bytes

    kind: ClassVar[str] = "share"
    shown: ClassVar[tuple[str, ...]] = ("sender", "test")

    def __post_init__(self) -> None:
        _check_digest(self.agreement_digest)
        if len(self.value) != KEY_BYTES:
            raise ValueError(f"a share has {KEY_BYTES} bytes")

    def parties_digest(self) -> bytes:
        """SHA-256 over mode and every contributor's identity, in order of names."""
        return sha256(frame(Label.PARTIES, mode(self.test), *(digest for _, digest in self.parties))).digest()

    def to_payload(self) -> bytes:
        """Everything for the vault."""
        parties = frame(*(part for name, digest in self.parties for part in (name.encode(), digest)))
        return frame(self.sender.encode(), mode(self.test), self.agreement_digest, parties, self.value)

    @classmethod
    def from_payload(cls, payload: bytes) -> Self:
        """Inverse of `to_payload`."""
        sender, its_mode, agreement_digest, packed, value = unframe(payload, 5)
        parts = unframe(packed)
        parties = tuple((name.decode(), digest) for name, digest in zip(parts[::2], parts[1::2], strict=True))
        return cls(sender.decode(), is_test(its_mode), agreement_digest, parties, value)


def _signed(agreement_digest: bytes, parties_digest: bytes, value: bytes) -> bytes:
    return frame(agreement_digest, parties_digest, value)


def contribute(
    me: Identity, recipients: Sequence[PublicIdentity], agreement_digest: bytes, chance: Chance = SYSTEM
) -> tuple[Share, dict[str, bytes]]:
    """One share of 32 random bytes: the own copy to keep, and one sealed copy for each recipient by name.

    recipients: every *other* contributor; the matcher is never among them.
    Raises ShareError when there are none, one stands there twice or is oneself; TestKeyError when modes mix or
    a live share were to come from a repeatable source (R50).
    """
    chance.require(test=me.test)
    _check_digest(agreement_digest)
    if not recipients:
        raise ShareError("a linkage secret takes at least two agencies", "name the other agencies in the agreement")
    everyone = sorted((me.public, *recipients), key=lambda party: party.name.encode())
    keys = {key for party in everyone for key in (party.signing_key, party.sealing_key)}
    if len({party.name for party in everyone}) != len(everyone) or len(keys) != 2 * len(everyone):
        raise ShareError("a contributor stands twice in the list", "each agency contributes once, under its own keys")
    if any(party.test != me.test for party in recipients):
        raise TestKeyError("test and live identities cannot share a secret", "use one mode throughout the agreement")
    parties = tuple((party.name, party.digest()) for party in everyone)
    own = Share(me.name, me.test, agreement_digest, parties, chance.draw(KEY_BYTES))
    signature = me.sign(_signed(agreement_digest, own.parties_digest(), own.value), purpose=Label.SHARE)
    my_digest = me.public.digest()
    sealed = {}
    for recipient in recipients:
        head = frame(Label.SHARE, agreement_digest, own.parties_digest(), my_digest, recipient.digest())
        sealed[recipient.name] = head + frame(seal(recipient, frame(own.value, signature), head))
    return own, sealed


def _open_share(me: Identity, own: Share, sender: PublicIdentity, data: bytes) -> bytes:
    """Value of one received share, proved to be the sender's for this agreement and circle."""
    try:
        label, agreement, parties, from_whom, to_whom, sealed = unframe(data, 6)
    except ValueError as problem:
        raise ShareError(f"what came from '{sender.name}' is no share", "ask for the file again") from problem
    obligations = (
        (label, bytes(Label.SHARE), "is no share of this version"),
        (agreement, own.agreement_digest, "was made for another agreement"),
        (parties, own.parties_digest(), "was made for another circle of agencies"),
        (from_whom, sender.digest(), "was made by somebody else"),
        (to_whom, me.public.digest(), "is addressed to somebody else"),
    )
    for there, expected, fault in obligations:
        if not same(there, expected):
            raise ShareError(f"the share from '{sender.name}' {fault}", f"ask '{sender.name}' for the right file")
    head = frame(label, agreement, parties, from_whom, to_whom)
    try:
        value, signature = unframe(open_sealed(me, sealed, head), 2)
    except (OpenError, ValueError) as problem:
        raise OpenError(f"the share from '{sender.name}' does not open", "ask for the file again") from problem
    sender.verify(_signed(agreement, parties, value), signature, purpose=Label.SHARE)
    if len(value) != KEY_BYTES:
        raise SignatureError(f"the share from '{sender.name}' has another length", "ask for the file again")
    return value


@dataclass(frozen=True, eq=False, repr=False)
class LinkageSecret(Kept):
    """What all contributors hold and nobody chose; value: 32 bytes, for one agreement."""

    test: bool
    agreement_digest: bytes
    value: bytes

    kind: ClassVar[str] = "linkage secret"
    shown: ClassVar[tuple[str, ...]] = ("test",)

    def __post_init__(self) -> None:
        _check_digest(self.agreement_digest)
        if len(self.value) != KEY_BYTES:
            raise ValueError(f"a linkage secret has {KEY_BYTES} bytes")

    def check(self, run: str, *bound: bytes) -> bytes:
        """Keyed check value, 16 bytes: equal at two parties exactly when secret, agreement, run and `bound` are.

        bound: digests of whatever else must agree (encoding profile, schema). It tells nothing of the secret,
        and may be shown to the matcher.
        """
        context = (mode(self.test), self.agreement_digest, run.encode(), *bound)
        return expand(self.value, Label.SECRET_CHECK, *context, length=CHECK_BYTES)

    def require(self, value: bytes, run: str, *bound: bytes) -> None:
        """Return when another party's check value is ours; raise SecretMismatchError otherwise (R7)."""
        if not same(value, self.check(run, *bound)):
            raise SecretMismatchError(
                "another party uses another linkage secret, or other parameters",
                "compare the fingerprints of the secret by telephone, then assemble it again",
            )

    def fingerprint(self) -> str:
        """The secret's keyed fingerprint in 4 groups of 4, for reading aloud between agencies (R7)."""
        context = (mode(self.test), self.agreement_digest)
        groups = in_groups(expand(self.value, Label.SECRET_FINGERPRINT, *context), groups=4)
        return f"TEST {groups}" if self.test else groups

    def to_payload(self) -> bytes:
        """Everything for the vault."""
        return frame(mode(self.test), self.agreement_digest, self.value)

    @classmethod
    def from_payload(cls, payload: bytes) -> Self:
        """Inverse of `to_payload`."""
        its_mode, agreement_digest, value = unframe(payload, 3)
        return cls(is_test(its_mode), agreement_digest, value)


def assemble(
    me: Identity, own: Share, received: Mapping[PublicIdentity, bytes], agreement_digest: bytes
) -> LinkageSecret:
    """HKDF-SHA256 over all shares in order of names, bound to names, identities, agreement and mode.

    received: sealed share by sender, everyone but oneself.
    Raises ShareError (missing, stranger, twice, another agreement or circle), OpenError, SignatureError,
    TestKeyError; the message names the party at fault.
    """
    if own.test != me.test:
        raise TestKeyError("the own share is of the other mode", "use the identity that made the share")
    if own.agreement_digest != agreement_digest:
        raise ShareError("the own share was made for another agreement", "contribute anew under this agreement")
    expected = dict(own.parties)
    if own.sender != me.name or expected.get(me.name) != me.public.digest():
        raise ShareError("the own share is another identity's", "use the identity that made the share")
    others = {name: digest for name, digest in own.parties if name != me.name}
    names = [sender.name for sender in received]
    if any(sender.test != me.test for sender in received):
        raise TestKeyError("test and live identities cannot share a secret", "use one mode throughout the agreement")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ShareError("an agency's share is there twice", "keep one file of each agency", twice)
    if strangers := sorted(sender.name for sender in received if others.get(sender.name) != sender.digest()):
        raise ShareError(
            "a share comes from outside the circle", "only agencies of the agreement contribute", strangers
        )
    if missing := sorted(others.keys() - set(names)):
        raise ShareError("shares are missing", "ask these agencies for their files", missing)
    values = {sender.name: _open_share(me, own, sender, data) for sender, data in received.items()}
    values[me.name] = own.value
    # A share that repeats another's was copied by a contributor who saw it first: he added nothing of his own.
    if len(set(values.values())) != len(values):
        raise ShareError("two agencies sent one and the same share", "both contribute anew")
    shares = frame(*(part for name, digest in own.parties for part in (name.encode(), digest, values[name])))
    context = (mode(me.test), agreement_digest, own.parties_digest())
    return LinkageSecret(me.test, agreement_digest, extract(shares, b"", Label.SECRET, *context))
