"""Making, checking, signing and reading the agreement."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path

from keys import vault
from keys.errors import CustodyError
from keys.identity import Identity, PublicIdentity
from keys.passphrase import Passphrase
from linkage.agreement import Agreement, check_signatures, load, sign_terms, signature_path
from linkage.bars import KNOWING, check_profile, measured
from linkage.errors import AgreementFileError, UsageProblemError
from linkage.exchange.desk import AGREEMENT, IDENTITY
from linkage.exchange.files import read, write_new
from linkage.resources import resource
from linkage.steps.account import Account
from linkage.vocabulary import load as load_vocabulary
from linkage.words import nearest

_ONE_ROUND = """\
[screening] # counts of patterns inside a file travel rounded at random to multiples of this
round_patterns = 5

[tokens]
profile = "tight-2026-11" # a name in configs/tokens: which combinations of a record's parts are hashed
per_row = 16              # tokens of every row, whatever it holds; what is missing is random
most_sharing = 1          # rows of one file that may share a token; beyond, none of them gets it
kept = 0.75               # share of values that give a token; a keyed coin says which, alike at every agency

"""


def new(
    path: Path, template: str, identities: Mapping[str, Path], *, test: bool, protocol: str = "two-round"
) -> Account:
    """A template with identities, the vocabulary's digest and the mode filled in, to be completed by hand."""
    text = resource("templates", template).read_text("utf-8")
    if protocol == "one-round":
        text = _in_one_round(text)
    text = text.replace('vocabulary = ""', f'vocabulary = "{load_vocabulary().digest()}"')
    if test:
        text = text.replace("test = false", "test = true")
    for party, file in identities.items():
        text = _with_identity(text, party, _identity(file))
    write_new(path, text.encode())
    return Account(
        f"{path} written from template '{template}'", {"template": template, "identities": sorted(identities)}, (path,),
        "complete it, send it to every party, and let each run `linkage agreement check` and `linkage agreement sign`",
    )  # fmt: skip


def _in_one_round(text: str) -> str:
    """A template's text with the tables of one-round in the place of those about screening and requests."""
    text = text.replace('protocol = "two-round"', 'protocol = "one-round"', 1)
    head, *tables = re.split(r"(?m)^(?=\[)", text)
    tables = [_ONE_ROUND if table.startswith("[screening]") else table for table in tables]
    return head + "".join(table for table in tables if not table.startswith("[requests]"))


def _identity(file: Path) -> str:
    try:
        return PublicIdentity.from_text(read(file).decode("ascii")).to_text()
    except (CustodyError, UnicodeDecodeError):
        raise UsageProblemError(
            f"{file.name} is no identity.pub", "take the file that `linkage keys new` wrote"
        ) from None


def _with_identity(text: str, party: str, identity: str) -> str:
    """Put an identity into its party's table, textually: comments and order of the template stay."""
    head, found, tail = text.partition(f'name = "{party}"\n')
    if not found:
        names = [line.split('"')[1] for line in text.split("[[parties]]")[1:] if '"' in line for line in [line]]
        raise UsageProblemError(f"the template has no party '{party}'", nearest(party, names))
    return head + found + tail.replace('identity = ""', f'identity = "{identity}"', 1)


def check(path: Path) -> Account:
    """All that must hold before a run: terms in order, identities present, in force, signed by every party."""
    agreement = load(path)
    for party in agreement.terms.parties:
        identity = party.public()
        if identity.name != party.name:
            raise AgreementFileError(
                f"the identity given for '{party.name}' was made for '{identity.name}'", "paste the right party's line"
            )
    agreement.check_dates(dt.datetime.now(dt.UTC).date())
    warnings = tuple(check_profile(agreement.terms, agreement.profile))
    check_signatures(agreement, path)
    facts: dict[str, object] = {
        "digest": agreement.digest.hex(),
        "parties": [party.name for party in agreement.terms.parties],
    }
    told = agreement.terms.requests is None and not agreement.one_round
    asking = "requests tell: for one desk only" if told else "requests tell agencies nothing"
    return Account(
        f"the agreement is in order, in force and signed by all; {asking}; digest {agreement.short_digest}",
        facts | _asking(agreement),
        warnings=warnings,
    )


def sign(folder: Path, passphrase: Passphrase) -> Account:
    """This desk's signature under its agreement.toml."""
    path = folder / AGREEMENT
    agreement = load(path)
    identity = vault.fetch(folder / IDENTITY, Identity, passphrase, test=agreement.terms.test)
    party = agreement.party_of(identity.public)
    warnings = tuple(check_profile(agreement.terms, agreement.profile))
    target = signature_path(path, party.name)
    write_new(target, sign_terms(agreement, identity).encode("ascii"))
    return Account(
        f"signed as {party.name}; digest {agreement.short_digest}",
        {"digest": agreement.digest.hex(), "party": party.name},
        (target,),
        "send the .sig file to every other party, to be put beside agreement.toml",
        warnings=warnings,
    )


def show(path: Path) -> tuple[dict[str, object], str]:
    """The terms as facts and as text for people."""
    agreement = load(path)
    terms, purpose = agreement.terms, agreement.terms.purpose
    facts: dict[str, object] = {
        "title": terms.title,
        "digest": agreement.digest.hex(),
        "protocol": terms.protocol,
        "test": terms.test,
        "purpose": purpose.statement,
        "in_force": [purpose.starts, purpose.ends],
        "parties": {party.name: list(party.roles) for party in terms.parties},
        "fields": [field.name for field in terms.fields],
        "profile": terms.screening.profile,
        "reidentified": measured(agreement.profile),
        "accepted_reidentification": terms.screening.accepted_reidentification,
    }
    return facts | _asking(agreement) | _tokens(agreement), "\n".join(_lines(agreement)) + "\n"


def _lines(agreement: Agreement) -> list[str]:
    terms, purpose = agreement.terms, agreement.terms.purpose
    lines = [
        terms.title + (" (TEST)" if terms.test else ""),
        f"Digest: {agreement.short_digest}",
        "",
        f"Purpose: {purpose.statement}",
        f"Legal basis: {purpose.legal_basis}; {purpose.special_category_condition}",
        f"Documents: {purpose.policy_document}; {purpose.dpia}; {purpose.sharing_agreement}",
        f"In force: {purpose.starts} to {purpose.ends}",
        "",
        "Parties:",
    ]
    for party in terms.parties:
        who = party.public().fingerprint() if party.identity else "no identity yet"
        lines.append(f"  {party.name}: {party.title} ({', '.join(party.roles)}); {who}")
    lines += ["", "Compared fields: " + ", ".join(field.name for field in terms.fields)]
    lines += _token_lines(agreement) if agreement.one_round else _screening_lines(agreement)
    lines += [
        f"Bands: strong from {terms.bands.strong:g} bits, probable from {terms.bands.probable:g}",
        f"Expected false links among strong ones: at most {terms.bands.most_false_strong:.1%}",
        "Flags of probable links do not travel",
        f"Worklists expire after {terms.release.expires_days} days and hold at most {terms.release.most_links:,} links",
        f"Encodings and run keys are destroyed within {terms.retention.days} days",
    ]
    return lines


def _asking(agreement: Agreement) -> dict[str, object]:
    """What _requests says, for programs."""
    told = agreement.terms.requests is None and not agreement.one_round
    return {
        "times_asked": {party.name: agreement.times_asked(party.name) for party in agreement.encoders},
        "most_learned_bits": None if told else 0,
    }


def _tokens(agreement: Agreement) -> dict[str, object]:
    """What _token_lines says, for programs; nothing in two-round."""
    tokens = agreement.terms.tokens
    told = {
        "profile": tokens.profile,
        "per_row": tokens.per_row,
        "most_sharing": tokens.most_sharing,
        "kept": tokens.kept,
    }
    combinations = [each.name for each in agreement.combinations]
    return {"tokens": told | {"combinations": combinations}} if agreement.one_round else {}


def _screening_lines(agreement: Agreement) -> list[str]:
    screening, profile = agreement.terms.screening, agreement.profile
    return [
        f"Screening: {screening.profile} ({profile.title}, {profile.sent_bits} bits)",
        *_given_away(agreement),
        f"Candidates looked for: {screening.candidates} a record",
        *_requests(agreement),
    ]


def _requests(agreement: Agreement) -> list[str]:
    """What being asked tells an agency, and what it answers."""
    if agreement.terms.requests is None:
        return ["Requests: a record is asked about as often as others resemble it; for one desk only, since that tells"]
    asked = ", ".join(f"{party.name} {agreement.times_asked(party.name)}" for party in agreement.encoders)
    return [
        "Requests: a run asks about every record of a file equally often, whether or not anybody resembles it",
        f"  ({asked} times)",
        "  So being asked says nothing (0 bits): after any number of runs, an agency's best guess which of its people",
        "  others know is no better than before the first. It answers no request that asks more or less often",
    ]


def _given_away(agreement: Agreement) -> list[str]:
    """What attacks re-identify under the profile, and what the parties accept of it."""
    its, screening = agreement.profile.measured, agreement.terms.screening
    if its is None:
        lines = ["Re-identified by our own attacks: never measured, so taken for everybody"]
    else:
        shares = (f"{share:.1%} {KNOWING[name]}" for name, share in measured(agreement.profile).items())
        lines = [f"Re-identified by our own attacks: {', '.join(shares)}; of {its.rows:,} records, {its.dated}"]
    if screening.accepted_reidentification:
        lines.append(f"Accepted: up to {screening.accepted_reidentification:.1%}, because {screening.accepted_because}")
    return lines


def _token_lines(agreement: Agreement) -> list[str]:
    tokens, title = agreement.terms.tokens, agreement.token_profile.title if agreement.token_profile else ""
    several = f"at most {tokens.most_sharing} rows" if tokens.most_sharing > 1 else "a single row"
    return [
        "One round: no agency is asked anything; rows that share no token are never compared",
        f"Tokens: {tokens.profile} ({title}), {tokens.per_row} a row, issued where {several} of a file has the value",
        *(f"  {each.name}" for each in agreement.combinations),
        f"Of the values that would give a token a keyed coin drops {1 - tokens.kept:.0%}, others in every run",
    ]
