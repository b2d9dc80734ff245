"""The agreement: what the parties have signed and the software executes.

One TOML file, readable by a lawyer; its digest is in everything that travels. Nothing here does work on records.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from keys.errors import CustodyError
from keys.identity import Identity, PublicIdentity
from linkage import toml
from linkage.errors import AgreementExpiredError, AgreementFileError, AgreementSignatureError, NotAgreedError
from linkage.resources import resource
from linkage.schema import Field, Kind, Schema
from linkage.words import nearest

_PURPOSE = b"agreement"

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
Share = Annotated[float, Meta(ge=0, le=1)]
Role = Literal["agency", "anchor-agency", "matcher", "childrens-services"]


class Purpose(toml.Table, frozen=True, kw_only=True):
    """The purpose record without which nothing runs (R1)."""

    statement: str
    legal_basis: str
    special_category_condition: str
    policy_document: str
    dpia: str
    sharing_agreement: str
    starts: dt.date
    ends: dt.date


class Party(toml.Table, frozen=True, kw_only=True):
    """One signatory. identity: its public identity as `linkage keys show` prints it."""

    name: Name
    title: str
    roles: tuple[Role, ...]
    contact_desk: str
    identity: str = ""

    @property
    def encodes(self) -> bool:
        """Whether the party holds records, and with them the linkage secret."""
        return "agency" in self.roles or "anchor-agency" in self.roles

    @property
    def holds_anchors(self) -> bool:
        """Whether the party's rows are men attached to a child or pregnancy."""
        return "anchor-agency" in self.roles

    def public(self) -> PublicIdentity:
        """The party's public identity. Raises NotAgreedError when the agreement has none yet."""
        if not self.identity:
            raise NotAgreedError(
                f"the agreement has no identity for '{self.name}'",
                "paste the line that `linkage keys show` prints at that party",
            )
        try:
            return PublicIdentity.from_text(self.identity)
        except CustodyError as problem:
            raise NotAgreedError(f"the identity of '{self.name}' is damaged: {problem}", problem.hint) from None


class FieldEntry(toml.Table, frozen=True, kw_only=True):
    """A compared field."""

    name: Name
    kind: Kind
    values: Annotated[int, Meta(ge=1, le=4)] = 1
    required: bool = False


class Screening(toml.Table, frozen=True, kw_only=True):
    """How candidates are found. profile: a name in configs/profiles. candidates: best rows asked for per row."""

    profile: str
    candidates: Annotated[int, Meta(ge=1, le=200)] = 10
    decoys: Share = 0.05  # share of additional requests on random rows


class Requests(toml.Table, frozen=True, kw_only=True):
    """What an agency answers. Both are refused beyond, whoever asks."""

    most_per_row: Annotated[int, Meta(ge=1)] = 50
    most_per_row_of_file: Annotated[float, Meta(gt=0)] = 30.0  # requests over rows held, a whole run


class Bands(toml.Table, frozen=True, kw_only=True):
    """Posterior match weights, in bits, that divide the bands (R16), and the cap on expected false strong links."""

    strong: float = 20.0
    probable: float = 10.0
    most_false_strong: Share = 0.001


class Release(toml.Table, frozen=True, kw_only=True):
    """What children's services may be sent. vocabulary: digest of the flag vocabulary, from `linkage agreement new`."""

    vocabulary: str
    most_links: Annotated[int, Meta(ge=1)] = 2000  # per run and authority; overflow is announced (R30)
    expires_days: Annotated[int, Meta(ge=1)] = 90  # life of a worklist row
    recency_years: tuple[int, int] = (1, 5)


class Quality(toml.Table, frozen=True, kw_only=True):
    """The go/no-go before sealing (R8)."""

    required_present: Share = 0.95


class Retention(toml.Table, frozen=True, kw_only=True):
    """How long encodings and keys of a run may live (R38)."""

    days: Annotated[int, Meta(ge=1, le=30)] = 30


class Profile(toml.Table, frozen=True, kw_only=True):
    """A screening profile of configs/profiles."""

    title: str
    dated: dt.date
    source: str
    kind: Literal["diffused", "plain"]
    bits: int
    sent_bits: int
    xor: int
    weights: dict[Kind, Annotated[int, Meta(ge=0, le=12)]]
    search: Literal["exact", "lsh"] = "exact"
    threshold: Share = 0.0  # Dice, for plain filters searched by LSH


class Terms(toml.Table, frozen=True, kw_only=True):
    """The file as it is written."""

    format: Literal[1]
    title: str
    protocol: Literal["two-round"]
    purpose: Purpose
    parties: tuple[Party, ...] = ()
    fields: tuple[FieldEntry, ...]
    screening: Screening
    requests: Requests = Requests()
    bands: Bands = Bands()
    release: Release
    quality: Quality = Quality()
    retention: Retention = Retention()
    test: bool = False
    link_threshold: Annotated[float, Meta(gt=0, lt=1)] | Literal["expected-f1"] = "expected-f1"


class Agreement:
    """Terms that have been checked, with what they name resolved."""

    def __init__(self, terms: Terms, profile: Profile) -> None:
        self.terms = terms
        self.profile = profile
        problems = list(_problems(terms))
        if problems:
            raise NotAgreedError(
                f"the agreement is not in order: {problems[0]}",
                "correct the file, then run `linkage agreement check`",
                problems,
            )

    @cached_property
    def schema(self) -> Schema:
        """The compared fields."""
        return Schema(tuple(Field(f.name, f.kind, f.values, f.required) for f in self.terms.fields))

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 over the canonical form of the terms and all they name; (32,)."""
        canonical = msgspec.json.encode({"terms": self.terms, "profile": self.profile}, order="sorted")
        return hashlib.sha256(b"linkage agreement 1\0" + canonical).digest()

    @property
    def short_digest(self) -> str:
        """First 16 hexadecimal digits in groups of four, for people to compare."""
        text = self.digest.hex()
        return " ".join(text[start : start + 4] for start in range(0, 16, 4))

    def party(self, name: str) -> Party:
        """The party of a name. Raises NotAgreedError naming the nearest."""
        for party in self.terms.parties:
            if party.name == name:
                return party
        raise NotAgreedError(
            f"'{name}' is no party to this agreement", nearest(name, [party.name for party in self.terms.parties])
        )

    def party_of(self, identity: PublicIdentity) -> Party:
        """The party that has this identity. Raises NotAgreedError."""
        for party in self.terms.parties:
            if party.identity and party.public() == identity:
                return party
        raise NotAgreedError(
            "this identity is no party's in the agreement", "check that the right identity file and agreement are used"
        )

    @property
    def encoders(self) -> tuple[Party, ...]:
        """Parties that hold records, in the agreement's order."""
        return tuple(party for party in self.terms.parties if party.encodes)

    @property
    def matcher(self) -> Party:
        """The party that matches."""
        return next(party for party in self.terms.parties if "matcher" in party.roles)

    @property
    def childrens_services(self) -> Party:
        """The party that receives links."""
        return next(party for party in self.terms.parties if "childrens-services" in party.roles)

    def comparable(self) -> tuple[tuple[str, str], ...]:
        """Pairs of parties whose rows may be compared: at least one side holds anchors (R2), anchors on the left."""
        names = [(party.name, party.holds_anchors) for party in self.encoders]
        pairs = []
        for nth, (one, one_anchors) in enumerate(names):
            for other, other_anchors in names[nth + 1 :]:
                if one_anchors or other_anchors:
                    pairs.append((one, other) if one_anchors else (other, one))
        return tuple(pairs)

    def check_dates(self, today: dt.date) -> None:
        """Refuse outside the purpose record's dates (R1)."""
        purpose = self.terms.purpose
        if not purpose.starts <= today <= purpose.ends:
            raise AgreementExpiredError(
                f"the agreement runs from {purpose.starts} to {purpose.ends}; today is {today}", "agree on a new one"
            )


def load(path: Path) -> Agreement:
    """Read, resolve and check an agreement. Raises NotAgreedError and its kin, all problems at once."""
    return _resolve(toml.read(path, Terms))


def _resolve(terms: Terms) -> Agreement:
    return Agreement(terms, toml.read(resource("profiles", terms.screening.profile), Profile))


def with_parties(agreement: Agreement, parties: tuple[Party, ...]) -> Agreement:
    """The same terms between other parties (rehearsal, demo)."""
    return _resolve(msgspec.structs.replace(agreement.terms, parties=parties))


def dump(terms: Terms) -> bytes:
    """The terms as TOML."""
    import tomli_w

    return tomli_w.dumps(msgspec.to_builtins(terms, builtin_types=(dt.date,))).encode()


def signature_path(agreement_path: Path, party: str) -> Path:
    """Where a party's signature stands: beside the agreement."""
    return agreement_path.with_name(f"{agreement_path.stem}.{party}.sig")


def sign_terms(agreement: Agreement, identity: Identity) -> str:
    """A party's signature over the digest, as one line of text."""
    return identity.sign(agreement.digest, purpose=_PURPOSE).hex() + "\n"


def check_signatures(agreement: Agreement, path: Path) -> None:
    """Every party has signed these very terms. Raises AgreementSignatureError listing all that have not."""
    problems = []
    for party in agreement.terms.parties:
        file = signature_path(path, party.name)
        try:
            signature = bytes.fromhex(file.read_text("ascii"))
            party.public().verify(agreement.digest, signature, purpose=_PURPOSE)
        except OSError:
            problems.append(f"{party.name} has not signed ({file.name} is missing)")
        except (CustodyError, ValueError):
            problems.append(f"{party.name} has signed something else")
    if problems:
        raise AgreementSignatureError(
            f"the agreement lacks {len(problems)} of {len(agreement.terms.parties)} signatures: {problems[0]}",
            "each party runs `linkage agreement sign`; collect the .sig files beside the agreement",
            problems,
        )


def _problems(terms: Terms) -> list[str]:
    problems = []
    purpose = terms.purpose
    problems += [
        f"purpose.{name} is empty (R1)" for name in msgspec.structs.asdict(purpose) if getattr(purpose, name) == ""
    ]
    if purpose.ends < purpose.starts:
        problems.append("purpose.ends lies before purpose.starts")
    names = [party.name for party in terms.parties]
    problems += [f"party '{name}' appears twice" for name in sorted({n for n in names if names.count(n) > 1})]
    fields = [field.name for field in terms.fields]
    problems += [f"field '{name}' appears twice" for name in sorted({n for n in fields if fields.count(n) > 1})]
    if not any(field.kind in (Kind.FORENAME, Kind.SURNAME) for field in terms.fields):
        problems.append("no field is a name")
    if terms.bands.probable > terms.bands.strong:
        problems.append("bands.probable lies above bands.strong")
    if terms.parties:
        problems += _party_problems(terms)
    return problems


def _party_problems(terms: Terms) -> list[str]:
    problems = []
    for role in ("matcher", "childrens-services"):
        holders = [party.name for party in terms.parties if role in party.roles]
        if len(holders) != 1:
            problems.append(f"{len(holders)} parties have the role '{role}'; there must be exactly one")
    encoders = [party for party in terms.parties if party.encodes]
    if len(encoders) < 2:
        problems.append("at least two parties must be agencies")
    if not any(party.holds_anchors for party in encoders):
        problems.append("no party has the role 'anchor-agency': without anchors nothing may be linked (R2)")
    problems += [
        f"the matcher '{p.name}' may have no other role"
        for p in terms.parties
        if "matcher" in p.roles and len(p.roles) > 1
    ]
    problems += [
        f"party '{p.name}' has no contact desk (R19)" for p in terms.parties if p.encodes and not p.contact_desk.strip()
    ]
    return problems


__all__ = [
    "Agreement",
    "AgreementFileError",
    "Party",
    "Profile",
    "Terms",
    "check_signatures",
    "dump",
    "load",
    "sign_terms",
    "signature_path",
    "with_parties",
]
