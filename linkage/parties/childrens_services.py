"""What children's services do: open the links to their own anchors and what is released beside them.

Rule: no encoding, no matching, no secret of the linkage is in reach here (an import wall that is tested).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from keys.aead import NoteKey, open_note, unwrap_key
from keys.identity import Identity
from linkage.agreement import Agreement
from linkage.errors import SealedNoteError
from linkage.model import Anchor, Flag, Note
from linkage.notes import decode_note
from linkage.package.links import NAMES_SWAPPED, Interval, LinkMeta, LinksContents, SummaryMeta
from linkage.release.links import (
    CROSSED,
    AgencySearched,
    Band,
    FieldAgreement,
    LinkView,
    Rate,
    RunSummary,
    Withheld,
    field_agreement,
)
from linkage.schema import MISSING, Kind, Sense


@dataclass(frozen=True, repr=False)
class Received:
    """Links ready to be shown, and what is to be said of the run."""

    links: tuple[LinkView, ...]
    summary: RunSummary


def receive(contents: LinksContents, agreement: Agreement, identity: Identity, run: str) -> Received:
    """Open every link's reference and released flags. Raises OpenError or SealedNoteError; then nothing is shown.

    A man attached to several children gives one row for each of them.
    """
    keys = {
        party: unwrap_key(identity, wrapped, run=run, sender=party, context=agreement.digest)
        for party, wrapped in contents.meta.note_keys.items()
    }
    found_on = contents.meta.summary.searched_on
    expires = found_on + dt.timedelta(days=agreement.terms.release.expires_days)
    links = []
    for place, link in enumerate(contents.meta.links):
        for_anchor, for_row = contents.anchor_bound[place].tobytes(), contents.bound[place].tobytes()
        reference = _open(keys[link.anchor_party], link, for_anchor, contents.anchor_notes[place].tobytes(), agreement)
        band = Band(link.band)
        withheld = Withheld.NOTHING if band is Band.STRONG else Withheld(band)
        flags: tuple[Flag, ...] = ()
        if not withheld:
            flags = _open(keys[link.party], link, for_row, contents.notes[place].tobytes(), agreement).flags
        links += [
            _view(link, anchor, flags, withheld, _explained(contents, place, agreement), agreement, found_on, expires)
            for anchor in reference.anchors
        ]
    return Received(tuple(links), _summary(contents, agreement, run, links))


def _open(key: NoteKey, link: LinkMeta, bound: bytes, sealed: bytes, agreement: Agreement) -> Note:
    if not agreement.one_round and bound.hex() != link.pair:
        raise SealedNoteError("a note was sealed for another pair", "ask the matcher to decide again")
    note = decode_note(open_note(key, bound, agreement.digest, sealed))
    if key.sender == link.anchor_party and not note.anchors:
        raise SealedNoteError(
            f"a row of '{key.sender}' carries no child's reference",
            "the anchor file must map child_id: encode it again",
        )
    return note


def _view(
    link: LinkMeta, anchor: Anchor, flags: tuple[Flag, ...], withheld: Withheld, explained: tuple[FieldAgreement, ...],
    agreement: Agreement, found_on: dt.date, expires: dt.date,
) -> LinkView:  # fmt: skip
    party = agreement.party(link.party)
    return LinkView(
        link_id=link.pair,
        agency=party.name,
        agency_title=party.title,
        contact_desk=party.contact_desk,
        band=Band(link.band),
        agreement=explained,
        flags=flags,
        anchor=anchor,
        withheld=withheld,
        found_on=found_on,
        expires=expires,
    )


def _explained(contents: LinksContents, place: int, agreement: Agreement) -> tuple[FieldAgreement, ...]:
    """How each field agrees, in words with its weight (R34); fields nobody has are left out."""
    swapped = NAMES_SWAPPED in contents.meta.links[place].reasons
    rows = zip(agreement.schema.fields, contents.levels[place].tolist(), contents.bits[place].tolist(), strict=False)
    return tuple(
        FieldAgreement(field.title, CROSSED, Sense.NEAR, bits)
        if swapped and field.kind in (Kind.FORENAME, Kind.SURNAME)
        else field_agreement(field, level, bits, field.title)
        for field, level, bits in rows
        if level != MISSING or abs(bits) >= 0.05
    )


def _summary(contents: LinksContents, agreement: Agreement, run: str, links: list[LinkView]) -> RunSummary:
    meta: SummaryMeta = contents.meta.summary
    fields = [field.title for field in agreement.schema.fields]
    searched = tuple(
        AgencySearched(
            name=name,
            title=agreement.party(name).title,
            rows=file.people,
            usable=tuple((field, share) for field, share in zip(fields, file.present, strict=True) if share),
            contact_desk=agreement.party(name).contact_desk,
        )
        for name, file in meta.files.items()
        if not agreement.party(name).holds_anchors
    )
    return RunSummary(
        run=run,
        agreement_title=agreement.terms.title,
        digest=agreement.short_digest,
        searched_on=meta.searched_on,
        expires=meta.searched_on + dt.timedelta(days=agreement.terms.release.expires_days),
        agencies=searched,
        missed=_rate(meta.missed),
        false_links=_rate(meta.false_links),
        bands=tuple((band.value, sum(link.band is band for link in links)) for band in Band),
        anchors=meta.anchors,
        nothing_found=meta.nothing_found,
        not_enough=meta.not_enough,
        overflow=meta.overflow,
        cap=agreement.terms.release.most_links,
    )


def _rate(interval: Interval | None) -> Rate | None:
    return Rate(interval.expected, interval.low, interval.high) if interval else None
