"""The terms of an agreement as they are written; what must hold among them stands in `linkage.obligations`.

Rule: every number has its unit in its name or comment, and is bounded: an endless one has no canonical form to sign.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from msgspec import Meta

from keys.errors import CustodyError
from keys.identity import PublicIdentity
from linkage import toml
from linkage.errors import NotAgreedError
from linkage.schema import Kind

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

    profile: str = "union-2026-11"
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


class Tokens(toml.Table, frozen=True, kw_only=True):
    """Tight tokens of a row, in one-round or beside a screening filter. profile: a name in configs/tokens.

    most_sharing is the collision budget: a value that more rows of a file share gives no token. kept: share of the
    others that give one, so that which rows of two files share how many says little of who they are. accepted: what
    the parties say to a budget above 1, under which rows can be told by who shares what with whom.
    """

    profile: str = "tight-2026-11"
    per_row: Annotated[int, Meta(ge=1, le=40)] = 16  # tokens of every row, whatever it holds
    most_sharing: Annotated[int, Meta(ge=1, le=20)] = 1  # rows of one file
    kept: Annotated[float, Meta(gt=0, le=1)] = 0.75  # share of values; a keyed coin says which, alike everywhere
    accepted: str = ""


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
    tokens: Tokens | None = None  # sent beside the filter; rows that share one are candidates however far apart
    measured: Measured | None = None


class Terms(toml.Table, frozen=True, kw_only=True):
    """The file as it is written."""

    format: Literal[1]
    title: str
    protocol: Literal["two-round", "one-round"]
    purpose: Purpose
    parties: tuple[Party, ...] = ()
    fields: tuple[FieldEntry, ...]
    screening: Screening = Screening()
    requests: Requests | None = None  # left out at one desk, where nobody learns from being asked, and in one-round
    tokens: Tokens = Tokens()
    bands: Bands = Bands()
    release: Release
    quality: Quality = Quality()
    retention: Retention = Retention()
    test: bool = False
    link_threshold: Annotated[float, Meta(gt=0, lt=1)] | Literal["estimated"] = "estimated"
