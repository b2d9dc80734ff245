"""The agreement: what the parties have signed and the software executes.

One TOML file, readable by a lawyer; its digest is in everything that travels. Nothing here does work on records.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from functools import cached_property
from pathlib import Path

import msgspec

from keys.errors import CustodyError
from keys.identity import Identity, PublicIdentity
from linkage import combinations, toml
from linkage.combinations import Combination, TokenProfile
from linkage.errors import (
    AgreementExpiredError,
    AgreementFileError,
    AgreementSignatureError,
    NotAgreedError,
    UsageProblemError,
)
from linkage.obligations import problems_of
from linkage.resources import resource
from linkage.schema import Field, Schema
from linkage.terms import Name, Party, Profile, Terms, Tokens
from linkage.words import nearest

_PURPOSE = b"agreement"


class Agreement:
    """Terms that have been checked, with what they name resolved."""

    def __init__(self, terms: Terms, profile: Profile, token_profile: TokenProfile | None = None) -> None:
        self.terms = terms
        self.profile = profile
        self.token_profile = token_profile
        problems = problems_of(terms, profile)
        if _tokens(terms, profile):
            problems += combinations.problems_of(token_profile) if token_profile else ["there is no token profile"]
        if self.one_round and not problems and not self.combinations:
            problems.append("no combination of the token profile can be made of the agreed fields")
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

    @property
    def one_round(self) -> bool:
        """Whether everything travels at once, under tight tokens; else evidence is asked for pair by pair."""
        return self.terms.protocol == "one-round"

    @cached_property
    def combinations(self) -> tuple[Combination, ...]:
        """What tight tokens are made of, if there are any."""
        return combinations.combinations_of(self.token_profile, self.schema) if self.token_profile else ()

    @property
    def tokens(self) -> Tokens | None:
        """How tight tokens are made: as the terms say in one-round, else as the screening profile does, if at all."""
        if not self.combinations:
            return None
        return _tokens(self.terms, self.profile)

    @property
    def tokens_per_row(self) -> int:
        """Tight tokens that travel with every row."""
        return self.tokens.per_row if self.tokens else 0

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 over the canonical form of the terms and all they name; (32,)."""
        named = {"terms": self.terms, "profile": self.profile, "tokens": self.token_profile}
        canonical = msgspec.json.encode(named, order="sorted")
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

    def place(self, name: str) -> int:
        """The place of a party among those that hold records, from 1: where its shares of a token lie."""
        return 1 + [party.name for party in self.encoders].index(name)

    def comparable(self) -> tuple[tuple[str, str], ...]:
        """Pairs of parties whose rows may be compared: at least one side holds anchors (R2), anchors on the left."""
        names = [(party.name, party.holds_anchors) for party in self.encoders]
        pairs = []
        for nth, (one, one_anchors) in enumerate(names):
            for other, other_anchors in names[nth + 1 :]:
                if one_anchors or other_anchors:
                    pairs.append((one, other) if one_anchors else (other, one))
        return tuple(pairs)

    def pairs_each(self, name: str) -> int | None:
        """Pairs in which every row of a party stands, decoys among them, in one comparison; None: no such rule."""
        requests = self.terms.requests
        if requests is None:
            return None
        return requests.pairs_per_anchor if self.party(name).holds_anchors else requests.pairs_per_row

    def times_asked(self, name: str) -> int | None:
        """How often a run asks a party about each of its rows, whoever resembles it; None: no such rule."""
        each = self.pairs_each(name)
        return None if each is None else each * sum(name in pair for pair in self.comparable())

    def check_dates(self, today: dt.date) -> None:
        """Refuse outside the purpose record's dates (R1)."""
        purpose = self.terms.purpose
        if not purpose.starts <= today <= purpose.ends:
            raise AgreementExpiredError(
                f"the agreement runs from {purpose.starts} to {purpose.ends}; today is {today}", "agree on a new one"
            )


def load(path: Path) -> Agreement:
    """Read, resolve and check an agreement. Raises NotAgreedError and its kin, all problems at once."""
    return resolve(toml.read(path, Terms))


def resolve(terms: Terms) -> Agreement:
    """Terms with the profiles they name. Raises NotAgreedError and its kin, all problems at once."""
    try:
        path = resource("profiles", terms.screening.profile)
    except UsageProblemError as problem:
        raise AgreementFileError(f"screening.profile: {problem}", problem.hint) from None
    profile = toml.read(path, Profile)
    return Agreement(terms, profile, _token_profile(_tokens(terms, profile)))


def _tokens(terms: Terms, profile: Profile) -> Tokens | None:
    return terms.tokens if terms.protocol == "one-round" else profile.tokens


def _token_profile(tokens: Tokens | None) -> TokenProfile | None:
    if tokens is None:
        return None
    try:
        path = resource("tokens", tokens.profile)
    except UsageProblemError as problem:
        raise AgreementFileError(f"tokens.profile: {problem}", problem.hint) from None
    return toml.read(path, TokenProfile)


def with_parties(agreement: Agreement, parties: tuple[Party, ...]) -> Agreement:
    """The same terms between other parties (rehearsal, demo)."""
    return resolve(msgspec.structs.replace(agreement.terms, parties=parties))


def dump(terms: Terms) -> bytes:
    """The terms as TOML."""
    import tomli_w

    entries: dict[str, object] = msgspec.to_builtins(terms, builtin_types=(dt.date,))
    return tomli_w.dumps({name: entry for name, entry in entries.items() if entry is not None}).encode()


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


__all__ = [
    "Agreement",
    "AgreementFileError",
    "Name",
    "Party",
    "Profile",
    "Terms",
    "check_signatures",
    "dump",
    "load",
    "resolve",
    "sign_terms",
    "signature_path",
    "with_parties",
]
