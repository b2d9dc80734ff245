"""The rounds of either protocol in memory: every package sealed, sent and opened as between real parties.

Rule: the same recipes as `linkage.steps.agency` and `linkage.steps.matcher` call; nothing is kept or written here.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from keys.aead import NoteSealer
from keys.chance import Chance
from keys.derive import RunKey
from keys.identity import Identity
from linkage.agreement import Agreement
from linkage.intake.records import Intake
from linkage.layout import Layout
from linkage.model import Bytes16
from linkage.notes import NOTE_BYTES, SEALED_NOTE_BYTES
from linkage.package.container import Body, Expected, Kind, open_package, pack
from linkage.package.contents import EvidenceContents, RequestContents, ScreeningContents
from linkage.package.tokens import TokenContents
from linkage.parties import agency, issuing, matcher, meeting
from linkage.parties.agency import Answered
from linkage.parties.local import LocalTable
from linkage.parties.screened import Screened
from linkage.steps.account import Progress
from linkage.steps.matcher import read_tokens

RUN = "rehearsal"
MATCHER, RECEIVER = "matcher", "receiver"


@dataclass(frozen=True, repr=False)
class Taken:
    """What the matcher has before it decides, each agency's local table, and rows by party as the matcher has them."""

    screened: Screened
    evidence: Mapping[str, EvidenceContents]
    local: Mapping[str, LocalTable]
    pseudonyms: Mapping[str, Bytes16]
    facts: Mapping[str, object]


def two_rounds(
    post: Post, key: RunKey, check: bytes, intakes: Mapping[str, Intake], progress: Progress, seconds: dict[str, float]
) -> Taken:
    """Encode, screen, answer."""
    agreement = post.agreement
    local: dict[str, LocalTable] = {}
    screening: dict[str, ScreeningContents] = {}
    sizes = agreement.profile.sent_bits // 64, agreement.tokens_per_row
    for nth, (name, intake) in enumerate(intakes.items()):
        progress("encode", nth, len(intakes))
        with timed(seconds, "encode"):
            encoded = agency.encode(intake.records, agreement, key, check, chance=post.chance)
            local[name] = encoded.local
            body = post.send(encoded.leaving.to_body(), "screening", name, MATCHER)
            screening[name] = ScreeningContents.from_body(body, agreement.schema, *sizes)
    progress("encode", len(intakes), len(intakes))
    with timed(seconds, "screen"):
        screened, requests = matcher.screen(screening, agreement, progress, post.chance)
    evidence: dict[str, EvidenceContents] = {}
    for nth, (name, request) in enumerate(requests.items()):
        progress("answer", nth, len(requests))
        with timed(seconds, "answer"):
            asked = RequestContents.from_body(post.send(RequestContents(request).to_body(), "request", MATCHER, name))
            agency.check_request(asked.request, local[name], Answered.nothing(local[name]), agreement, name)
            answered = agency.answer(asked.request, local[name], agreement, key, post.sealer(name), post.chance)
            body = post.send(answered.to_body(), "evidence", name, MATCHER)
            evidence[name] = EvidenceContents.from_body(body, Layout(agreement.schema), SEALED_NOTE_BYTES)
    progress("answer", len(requests), len(requests))
    pseudonyms = {name: contents.screening.pseudonyms for name, contents in screening.items()}
    return Taken(screened, evidence, local, pseudonyms, {})


def one_round(
    post: Post, key: RunKey, check: bytes, intakes: Mapping[str, Intake], progress: Progress, seconds: dict[str, float]
) -> Taken:
    """Encode with everything under tokens, join."""
    agreement = post.agreement
    local: dict[str, LocalTable] = {}
    files: dict[str, TokenContents] = {}
    facts: dict[str, object] = {}
    for nth, (name, intake) in enumerate(intakes.items()):
        progress("encode", nth, len(intakes))
        with timed(seconds, "encode"):
            issued = issuing.issue(intake.records, agreement, key, check, post.sealer(name), name, chance=post.chance)
            local[name] = issued.local
            files[name] = read_tokens(post.send(issued.leaving.to_body(), "tokens", name, MATCHER), agreement)
        combinations = [dataclasses.asdict(one) for one in issued.account]
        facts[name] = {
            "bytes_per_row": issued.leaving.form.row_bytes,
            "people_without_token": issued.without,
            "combinations": combinations,
        }
    progress("encode", len(intakes), len(intakes))
    with timed(seconds, "screen"):
        met = meeting.join(files, agreement, progress, post.chance)
    return Taken(met.screened, met.screened.evidence, local, met.pseudonyms, {"tokens": facts})


class Post:
    """Packs as one party and opens as the other."""

    def __init__(self, agreement: Agreement, identities: Mapping[str, Identity], chance: Chance) -> None:
        self.agreement, self.identities, self.chance = agreement, identities, chance

    def sealer(self, sender: str) -> NoteSealer:
        """What an agency seals its notes with."""
        recipient = self.identities[RECEIVER].public
        return NoteSealer.new(recipient, run=RUN, sender=sender, context=self.agreement.digest, length=NOTE_BYTES)

    def send(self, body: Body, kind: Kind, sender: str, recipient: str) -> Body:
        """What arrives of a body that one party sends to another."""
        parts = [data for _, data in pack(body, kind, RUN, self.agreement, self.identities[sender], recipient)]
        return open_package(parts, Expected(kind, RUN, self.agreement), self.identities[recipient]).body


@contextmanager
def timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    """Add the wall clock of what is done within to a step's seconds."""
    start = time.perf_counter()
    yield
    seconds[step] = seconds.get(step, 0.0) + time.perf_counter() - start
