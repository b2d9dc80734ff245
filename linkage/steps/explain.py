"""Why a link is a link: the weight of every field in words and as data, the same at every asking (R34, R36)."""

from __future__ import annotations

from linkage.errors import ReleaseError, UnexpectedPackageError
from linkage.exchange.desk import Desk, require
from linkage.notes import SEALED_NOTE_BYTES
from linkage.package.container import Expected, open_package
from linkage.package.links import LinksContents
from linkage.release.links import field_agreement

_BAR = 24


def explain(desk: Desk, run: str, link_id: str) -> tuple[dict[str, object], str]:
    """A link's waterfall as facts and as text, from the links package of a run as it was received.

    link_id: the worklist's, or its first digits. Raises ReleaseError when no or several links begin with it.
    """
    require(desk, "childrens-services")
    parts = [data for _, data in desk.packages((), "links", run)]
    if not parts:
        raise UnexpectedPackageError(f"there are no links of run '{run}' in inbox/", "it may be closed; check --run")
    body = open_package(parts, Expected("links", run, desk.agreement), desk.identity).body
    contents = LinksContents.from_body(body, desk.agreement.schema, SEALED_NOTE_BYTES)
    found = [place for place, link in enumerate(contents.meta.links) if link.pair.startswith(link_id.lower())]
    if len(found) != 1:
        what = "no link begins" if not found else f"{len(found)} links begin"
        raise ReleaseError(f"{what} with the digits given", "copy link_id from the worklist")
    return _facts(contents, found[0], desk, run)


def _facts(contents: LinksContents, place: int, desk: Desk, run: str) -> tuple[dict[str, object], str]:
    link = contents.meta.links[place]
    levels, bits = contents.levels[place].tolist(), contents.bits[place].tolist()
    told = zip(desk.agreement.schema.fields, levels, bits, strict=False)
    fields = [field_agreement(field, level, weight, field.title) for field, level, weight in told]
    total = sum(bits)
    facts: dict[str, object] = {
        "link_id": link.pair,
        "run": run,
        "agreement": desk.agreement.digest.hex(),
        "agency": link.party,
        "band": link.band,
        "rules": list(link.reasons),
        "fields": [
            {"field": f.title, "agreement": f.words, "sense": f.sense, "bits": round(f.weight, 2)} for f in fields
        ],
        "prior_bits": round(bits[-1], 2),
        "total_bits": round(total, 2),
    }
    party = desk.agreement.party(link.party)
    lines = [f"Link {link.pair}", f"{party.title}; {link.band}", ""]
    lines += [f"{f.title:16} {f.words:42} {f.weight:+7.2f} {_bar(f.weight)}".rstrip() for f in fields]
    lines += [f"{'any two men':16} {'before anything is compared':42} {bits[-1]:+7.2f} {_bar(bits[-1])}".rstrip()]
    lines += [f"{'together':16} {'log2 of the odds that they are one man':42} {total:+7.2f}"]
    return facts, "\n".join(lines)


def _bar(bits: float) -> str:
    """A bar of one sign a bit."""
    return ("+" if bits > 0 else "-") * min(round(abs(bits)), _BAR)
