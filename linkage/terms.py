"""The terms of an agreement as they are written, and everything that must hold among them.

A decoded TOML file comes in, the list of what is not in order goes out, all of it at once.
Rule: every number has its unit in its name or comment, and is bounded: an endless one has no canonical form to sign.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from keys.errors import CustodyError
from keys.identity import PublicIdentity
from linkage import toml
from linkage.errors import NotAgreedError
from linkage.schema import Kind

MOST_FIELDS = 16
"""Compared fields; the match model counts every set of missing ones."""

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,39}\Z")]
Share = Annotated[float, Meta(ge=0, le=1)]
Bits = Annotated[float, Meta(ge=-1000, le=1000)]
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
    """How candidates are found. profile: a name in configs/profiles. candidates: best rows looked for per row.

    accepted_reidentification: share of people attacks may find, above the bars; accepted_because: why, in a sentence.
    """

    profile: str
    candidates: Annotated[int, Meta(ge=1, le=200)] = 10
    round_patterns: Annotated[int, Meta(ge=1, le=100)] = 5  # non-match pattern counts: random multiples of this
    accepted_reidentification: Share = 0.0
    accepted_because: str = ""


class Requests(toml.Table, frozen=True, kw_only=True):
    """How often every row is asked about in a run, no more and no less, so that being asked says nothing.

    pairs_per_row: for each file of anchors it is compared with. pairs_per_anchor: for each file it is compared with.
    """

    pairs_per_row: Annotated[int, Meta(ge=1, le=200)] = 2
    pairs_per_anchor: Annotated[int, Meta(ge=1, le=200)] = 10


class Bands(toml.Table, frozen=True, kw_only=True):
    """Posterior match weights, in bits, that divide the bands (R16), and the cap on expected false strong links."""

    strong: Bits = 20.0
    probable: Bits = 10.0
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


class Measured(toml.Table, frozen=True, kw_only=True):
    """Share re-identified by the best of our attacks, beyond the known, when all people are on the attacker's list.

    rows: records attacked. command: what printed the figures.
    """

    nobody_known: Share
    known_100: Share  # 100 rows known
    plaintext_500: Share  # learnt from 500 known rows
    rows: Annotated[int, Meta(ge=100)]
    dated: dt.date
    command: str


ROLES: dict[Kind, tuple[str, ...]] = {
    Kind.FORENAME: ("bigram",),
    Kind.SURNAME: ("bigram",),
    Kind.DATE: ("part", "pair", "digit"),
    Kind.POSTCODE: ("unit", "sector", "district", "area", "character", "bigram"),
    Kind.TEXT: ("whole", "word", "bigram"),
    Kind.SEX: ("whole",),
    Kind.PHONE: ("whole",),
    Kind.IDENTIFIER: ("whole",),
}
"""What a profile can weigh in a field of each kind."""


class Profile(toml.Table, frozen=True, kw_only=True):
    """A screening profile of configs/profiles. measured: what attacks find; none when nobody has measured it."""

    title: str
    dated: dt.date
    source: str
    kind: Literal["diffused", "plain"]
    bits: int
    sent_bits: int
    xor: int
    weights: dict[Kind, dict[str, Annotated[int, Meta(ge=0, le=64)]]]  # bits a token sets, by its role (ROLES)
    search: Literal["exact", "lsh"] = "exact"
    threshold: Share = 0.0  # Dice, for plain filters searched by LSH
    measured: Measured | None = None


class Terms(toml.Table, frozen=True, kw_only=True):
    """The file as it is written."""

    format: Literal[1]
    title: str
    protocol: Literal["two-round"]
    purpose: Purpose
    parties: tuple[Party, ...] = ()
    fields: tuple[FieldEntry, ...]
    screening: Screening
    requests: Requests | None = None  # left out at one desk, where nobody learns from being asked
    bands: Bands = Bands()
    release: Release
    quality: Quality = Quality()
    retention: Retention = Retention()
    test: bool = False
    link_threshold: Annotated[float, Meta(gt=0, lt=1)] | Literal["estimated"] = "estimated"


def problems_of(terms: Terms, profile: Profile) -> list[str]:
    """Everything that is not in order, one line each; none when the terms can be worked under."""
    return [*_purpose_problems(terms), *_field_problems(terms), *_party_problems(terms), *_profile_problems(profile)]


def _purpose_problems(terms: Terms) -> list[str]:
    purpose = terms.purpose
    blank = [name for name, value in msgspec.structs.asdict(purpose).items() if not str(value).strip()]
    problems = [f"purpose.{name} is empty (R1)" for name in blank]
    if purpose.ends < purpose.starts:
        problems.append("purpose.ends lies before purpose.starts")
    if terms.bands.probable > terms.bands.strong:
        problems.append("bands.probable lies above bands.strong")
    if terms.requests is None and not terms.test:
        problems.append("there is no [requests]: agencies would learn from what they are asked")
    screening = terms.screening
    if (screening.accepted_reidentification > 0) != bool(screening.accepted_because.strip()):
        problems.append("screening.accepted_reidentification and accepted_because are given both or neither")
    return problems


def _field_problems(terms: Terms) -> list[str]:
    problems = [f"field '{name}' appears twice" for name in _twice(field.name for field in terms.fields)]
    if not any(field.kind in (Kind.FORENAME, Kind.SURNAME) for field in terms.fields):
        problems.append("no field is a name")
    if len(terms.fields) > MOST_FIELDS:
        problems.append(f"{len(terms.fields)} fields are compared; at most {MOST_FIELDS} can be")
    return problems


def _party_problems(terms: Terms) -> list[str]:
    parties = terms.parties
    if not parties:  # a template for rehearsal: the parties are named later
        return []
    problems = [f"party '{name}' appears twice" for name in _twice(party.name for party in parties)]
    problems += [f"party '{party.name}' has no role" for party in parties if not party.roles]
    for role in ("matcher", "childrens-services"):
        holders = [party.name for party in parties if role in party.roles]
        if len(holders) != 1:
            problems.append(f"{len(holders)} parties have the role '{role}'; there must be exactly one")
    encoders = [party for party in parties if party.encodes]
    if len(encoders) < 2:
        problems.append("at least two parties must be agencies")
    if not any(party.holds_anchors for party in encoders):
        problems.append("no party has the role 'anchor-agency': without anchors nothing may be linked (R2)")
    problems += [
        f"the matcher '{p.name}' may have no other role" for p in parties if "matcher" in p.roles and len(p.roles) > 1
    ]
    problems += [f"party '{p.name}' has no contact desk (R19)" for p in encoders if not p.contact_desk.strip()]
    return problems + _identity_problems(terms)


def _identity_problems(terms: Terms) -> list[str]:
    """Identities may be missing until the parties have made them; those given must be their parties' own."""
    problems = []
    for party in terms.parties:
        try:
            public = party.public() if party.identity else None
        except NotAgreedError as problem:
            problems.append(str(problem))
            continue
        if public and public.name != party.name:
            problems.append(f"the identity given for '{party.name}' was made for '{public.name}'")
        if public and public.test != terms.test:
            modes = "test" if public.test else "live", "test" if terms.test else "live"
            problems.append(f"the identity of '{party.name}' is a {modes[0]} one in a {modes[1]} agreement (R50)")
    twice = _twice(party.identity.strip() for party in terms.parties if party.identity)
    return problems + ["one identity is given for two parties"] * bool(twice)


def _profile_problems(profile: Profile) -> list[str]:
    problems = []
    if profile.bits not in (64, 128, 256, 512, 1024):
        problems.append("the profile's bits are not 64, 128, 256, 512 or 1024")
    if profile.sent_bits % 64 or not 64 <= profile.sent_bits <= 1 << 16:
        problems.append("the profile's sent_bits are not a multiple of 64 up to 65,536")
    if profile.kind == "plain" and (profile.xor != 0 or profile.sent_bits != profile.bits):
        problems.append("a plain profile sends its bits as they are: xor is 0 and sent_bits are bits")
    if profile.kind == "diffused" and not 2 <= profile.xor <= 64:
        problems.append("a diffused profile's xor lies from 2 to 64")
    if profile.search == "lsh" and (profile.kind != "plain" or profile.threshold == 0):
        problems.append("search = 'lsh' takes a plain profile and a threshold above 0")
    if not any(weight for roles in profile.weights.values() for weight in roles.values()):
        problems.append("the profile weighs no field")
    problems += [
        f"the profile weighs '{role}' of {kind}; what can be weighed there: {', '.join(ROLES[kind])}"
        for kind, roles in profile.weights.items()
        for role in roles
        if role not in ROLES[kind]
    ]
    return problems


def _twice(names: Iterable[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)
