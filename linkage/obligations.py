"""Everything that must hold among the terms of an agreement.

Terms and the profile they name come in, the list of what is not in order goes out, all of it at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from linkage.errors import NotAgreedError
from linkage.schema import Kind
from linkage.terms import ROLES, Profile, Screening, Terms, Tokens

MOST_FIELDS = 16
"""Compared fields; the match model counts every set of missing ones."""


def problems_of(terms: Terms, profile: Profile) -> list[str]:
    """Everything that is not in order, one line each; none when the terms can be worked under."""
    return [
        *_purpose_problems(terms),
        *_protocol_problems(terms),
        *_field_problems(terms),
        *_party_problems(terms),
        *_profile_problems(profile),
    ]


def _purpose_problems(terms: Terms) -> list[str]:
    purpose = terms.purpose
    blank = [name for name, value in msgspec.structs.asdict(purpose).items() if not str(value).strip()]
    problems = [f"purpose.{name} is empty (R1)" for name in blank]
    if purpose.ends < purpose.starts:
        problems.append("purpose.ends lies before purpose.starts")
    if terms.bands.probable > terms.bands.strong:
        problems.append("bands.probable lies above bands.strong")
    screening = terms.screening
    if (screening.accepted_reidentification > 0) != bool(screening.accepted_because.strip()):
        problems.append("screening.accepted_reidentification and accepted_because are given both or neither")
    return problems


def _protocol_problems(terms: Terms) -> list[str]:
    """Terms about what the protocol does not do would be signed and never executed."""
    if terms.protocol == "two-round":
        meant, asked = terms.tokens != Tokens(), terms.requests is not None or terms.test
        problems = ["[tokens] belongs to protocol 'one-round'; this one is 'two-round'"] if meant else []
        return problems + ["there is no [requests]: agencies would learn from what they are asked"] * (not asked)
    tokens = terms.tokens
    rounded = Screening(round_patterns=terms.screening.round_patterns)
    problems = ["[requests] belongs to protocol 'two-round'; in 'one-round' nothing is asked"]
    problems = problems if terms.requests else []
    if tokens.most_sharing > 1 and not tokens.accepted.strip():
        problems.append(
            "tokens.most_sharing is above 1: an attack then names up to 10 % of 3,000 rows and 21 % of 15,000"
            " (docs/decisions/0008); say in tokens.accepted that the parties accept this"
        )
    if terms.screening != rounded:
        problems.append("[screening] belongs to protocol 'two-round'; 'one-round' takes only its round_patterns")
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
    if profile.tokens and profile.tokens.most_sharing != 1:
        problems.append("the profile's tokens are shared inside a file; beside a filter most_sharing is 1")
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
