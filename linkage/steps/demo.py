"""A pretend county: every party in its own folder takes every step, and a worklist comes out.

One seed gives one county and one run: identities, shares, pseudonyms, pair ids and padding all come from it, so that
the same links come out. Seals, salts and passphrases touch no link and are random all the same.
Only the courier (copying packages and signatures between folders) and the report, which holds the links against
the truth, look into more than one folder.
"""

from __future__ import annotations

import datetime as dt
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from keys.chance import Chance
from keys.files import write_new as write_private
from keys.passphrase import from_file
from linkage.exchange.carry import deliver
from linkage.exchange.desk import AGREEMENT, PUBLIC, Desk, open_desk
from linkage.exchange.files import read, write_all
from linkage.notes import SEALED_NOTE_BYTES
from linkage.package.container import Body, Expected, Kind, open_package
from linkage.package.contents import RequestContents
from linkage.package.links import LinksContents
from linkage.parties.local import LocalTable
from linkage.parties.screened import Screened
from linkage.steps import agency, agreement, childrens_services, close, keys, matcher, secret
from linkage.steps.account import Account, Progress
from linkage.steps.reading import Source
from linkage.synth.county import ANCHOR_PARTY, TODAY, County, make_county, write_county

RUN = "demo"
MATCHER = "matcher"
_STEPS = 12


@dataclass(repr=False)
class _Tour:
    """The demo under way: desks by party, where chance comes from, seconds by step, and how far it has come."""

    out: Path
    progress: Progress
    chance: Chance
    seconds: dict[str, float] = field(default_factory=dict)
    done: int = 0

    @property
    def desks(self) -> dict[str, Path]:
        return {path.name: path for path in sorted(self.out.iterdir()) if path.is_dir()}

    def desk(self, party: str, *, signed: bool = True) -> Desk:
        passphrase = from_file(self.desks[party] / "passphrase.txt")
        return open_desk(self.desks[party], passphrase, signed=signed, chance=self.chance)

    def step(self, what: str, work: Callable[[], None]) -> None:
        self.progress(what, self.done, _STEPS)
        start = time.perf_counter()
        work()
        self.seconds[what] = round(time.perf_counter() - start, 3)
        self.done += 1
        self.progress(what, self.done, _STEPS)


def demo(out: Path, people: int, seed: int, progress: Progress, protocol: str = "two-round") -> Account:
    """Make the county, let every party take its steps, and report against the truth."""
    tour = _Tour(out, progress, Chance.pretend(seed, "demo"))
    county: list[County] = []
    tour.step("county", lambda: county.append(_county(out, people, seed)))
    agencies = list(county[0].sources)
    tour.step("keys", lambda: _identities(tour, [*agencies, MATCHER]))
    tour.step("agreement", lambda: _agree(tour, protocol))
    tour.step("secret", lambda: _secret(tour, agencies))
    tour.step("encode", lambda: _each(tour, agencies, _encode))
    tour.step("screen", lambda: _one(tour, MATCHER, lambda desk: matcher.screen(desk, RUN, ())))
    if protocol == "two-round":
        tour.step("answer", lambda: _each(tour, agencies, lambda desk: agency.answer(desk, RUN, ())))
    tour.step("decide", lambda: _one(tour, MATCHER, lambda desk: matcher.decide(desk, RUN, (), today=_today())))
    worklist: list[Account] = []
    tour.step("receive", lambda: worklist.append(childrens_services.receive(tour.desk(ANCHOR_PARTY), RUN, ())))
    found: list[dict[str, object]] = []
    tour.step("report", lambda: found.append(_against_truth(tour, agencies, county[0])))
    tour.step("close", lambda: _each(tour, [*agencies, MATCHER], lambda desk: close.close(desk, RUN)))
    report = found[0] | {"seconds": tour.seconds, "people": people, "seed": seed}
    files = _report(out, report)
    progress("demo", _STEPS, _STEPS)
    show = f"open {worklist[0].files[1]} and {files[0]} in a browser"
    return Account(_headline(report), report, (*worklist[0].files, *files), show)


def _today() -> dt.date:
    return dt.date.fromisoformat(str(TODAY))


def _county(out: Path, people: int, seed: int) -> County:
    county = make_county(people, seed)
    write_county(county, out)
    (out / MATCHER).mkdir()
    return county


def _identities(tour: _Tour, parties: list[str]) -> None:
    for party in parties:
        desk = tour.desks[party]
        write_private(desk / "passphrase.txt", f"{secrets.token_hex(16)}\n".encode())
        keys.new(desk, party, from_file(desk / "passphrase.txt"), test=True, chance=tour.chance)


def _agree(tour: _Tour, protocol: str) -> None:
    """One party writes the terms, all get them, all sign, all get all signatures."""
    desks = tour.desks
    first = desks[ANCHOR_PARTY] / AGREEMENT
    publics = {name: desk / PUBLIC for name, desk in desks.items()}
    agreement.new(first, "demo", publics, test=True, protocol=protocol)
    write_all([(desk / AGREEMENT, read(first)) for name, desk in desks.items() if name != ANCHOR_PARTY])
    for desk in desks.values():
        signature = agreement.sign(desk, from_file(desk / "passphrase.txt")).files[0]
        write_all([(other / signature.name, read(signature)) for other in desks.values() if other != desk])


def _secret(tour: _Tour, agencies: list[str]) -> None:
    _each(tour, agencies, secret.contribute_share)
    for party in agencies:
        secret.assemble_secret(tour.desk(party), ())


def _source(desk: Desk) -> Source:
    """The party's export, mapping and flags, as they lie in its folder."""
    file = next(path for path in sorted(desk.folder.glob(f"{desk.party.name}.*")) if path.suffix in (".csv", ".xlsx"))
    flags = desk.folder / "flags.csv"
    return Source(file, desk.folder / "mapping.toml", flags if flags.exists() else None)


def _encode(desk: Desk) -> Account:
    return agency.encode(desk, RUN, _source(desk), today=_today())


def _each(tour: _Tour, parties: list[str], act: Callable[[Desk], Account]) -> None:
    for party in parties:
        _one(tour, party, act)


def _one(tour: _Tour, party: str, act: Callable[[Desk], Account]) -> None:
    account = act(tour.desk(party))
    deliver([path for path in account.files if path.suffix == ".linkage"], tour.desks)


def _opened(tour: _Tour, party: str, kind: Kind) -> Body:
    desk = tour.desk(party)
    parts = [read(path) for path in sorted((desk.folder / "inbox").glob(f"{RUN}-{kind}-*"))]
    return open_package(parts, Expected(kind, RUN, desk.agreement), desk.identity).body


def _against_truth(tour: _Tour, agencies: list[str], county: County) -> dict[str, object]:
    """The links held against the truth: what no party could do, and a demo can."""
    truth = county.truth()
    person = {
        (party, local_id): who
        for party, local_id, who in zip(truth["party"], truth["local_id"], truth["person"], strict=True)
    }
    who: dict[str, dict[str, set[str]]] = {}
    for party in agencies:
        who[party] = _asked(tour, party, person)
    desk = tour.desk(ANCHOR_PARTY)
    body = _opened(tour, ANCHOR_PARTY, "links")
    contents = LinksContents.from_body(body, desk.agreement.schema, SEALED_NOTE_BYTES)
    anchors = {who_ for (party, _), who_ in person.items() if party == ANCHOR_PARTY}
    true = {(party, who_) for (party, _), who_ in person.items() if party != ANCHOR_PARTY and who_ in anchors}
    bands: dict[str, dict[str, int]] = {}
    hits: set[tuple[str, str]] = set()
    for link in contents.meta.links:
        left, right = who[ANCHOR_PARTY][link.pair], who[link.party][link.pair]
        right_one = bool(left & right)
        band = bands.setdefault(link.band, {"count": 0, "true": 0, "false": 0})
        band["count"] += 1
        band["true" if right_one else "false"] += 1
        hits |= {(link.party, each) for each in left & right}
    candidates = {
        (party, each)
        for party in agencies
        if party != ANCHOR_PARTY
        for pair, men in who[party].items()
        for each in men & who[ANCHOR_PARTY].get(pair, set())
    }
    return _figures(county, contents, bands, hits, candidates, true) | {
        "agreement": {"title": desk.agreement.terms.title, "digest": desk.agreement.short_digest},
        "test": True,
    }


def _asked(tour: _Tour, party: str, person: Mapping[tuple[str, str], str]) -> dict[str, set[str]]:
    """Of every candidate pair a party's row is in, the true person of the row."""
    desk = tour.desk(party)
    local = LocalTable.from_bytes(desk.need(RUN, "local", "encode"))
    if desk.agreement.one_round:
        screened = Screened.from_bytes(tour.desk(MATCHER).need(RUN, "screened", "screen"))
        sides = screened.evidence[party]
        pair_ids, pseudonyms = sides.evidence.pair_ids, sides.bound
    else:
        request = RequestContents.from_body(_opened(tour, party, "request")).request
        pair_ids, pseudonyms = request.pair_ids, request.pseudonyms
    rows = local.rows(pseudonyms).tolist()
    return {
        pair.tobytes().hex(): {person[party, local.local_ids[row]]} for pair, row in zip(pair_ids, rows, strict=True)
    }


def _figures(
    county: County,
    contents: LinksContents,
    bands: dict[str, dict[str, int]],
    hits: set[tuple[str, str]],
    candidates: set[tuple[str, str]],
    true: set[tuple[str, str]],
) -> dict[str, object]:
    summary = contents.meta.summary
    links = len(contents.meta.links)
    right = sum(band["true"] for band in bands.values())
    precision, recall = right / links if links else 1.0, len(hits) / len(true) if true else 1.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    strong, errors = bands.get("strong", {"count": 0, "false": 0}), {}
    for name, rate, observed in (
        ("false_links", summary.false_links, strong["false"] / max(strong["count"], 1)),
        ("missed_links", summary.missed, 1 - recall),
    ):
        if rate:
            errors[name] = {"expected": rate.expected, "low": rate.low, "high": rate.high, "true": observed}
    return {
        "title": "A pretend county",
        "run": RUN,
        "date": str(summary.searched_on),
        "parties": [
            {"name": name, "title": name, "steps": [{"step": "encode", "what": "people", "count": file.people}]}
            for name, file in summary.files.items()
        ],
        "candidates": {"recall": len(candidates & true) / len(true) if true else 1.0, "true_pairs": len(true)},
        "pairs": {
            "precision": precision,
            "recall": recall,
            "f1": f1,
            "correct": right,
            "false": links - right,
            "missed": len(true) - len(hits),
        },
        "bands": bands,
        "errors": errors,
        "anchors": {
            "searched": summary.anchors,
            "nothing_found": summary.nothing_found,
            "not_enough_information": summary.not_enough,
        },
        "notes": [
            f"{summary.not_enough:,} of {summary.anchors:,} men attached to a child have too little recorded.",
            "The recall counts those men as missed.",
        ],
        "rows": {name: len(source) for name, source in county.sources.items()},
    }


def _headline(report: Mapping[str, object]) -> str:
    pairs: Mapping[str, float] = report["pairs"]  # type: ignore[assignment]
    return (
        f"{int(pairs['correct'] + pairs['false']):,} links; precision {pairs['precision']:.1%},"
        f" recall {pairs['recall']:.1%} of all true pairs"
    )


def _report(out: Path, report: Mapping[str, object]) -> list[Path]:
    from linkage.report.run_report import run_report_html

    text = msgspec.json.format(msgspec.json.encode(report), indent=2)
    return write_all([(out / "report.html", run_report_html(report).encode()), (out / "report.json", text + b"\n")])
