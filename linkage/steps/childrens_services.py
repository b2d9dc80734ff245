"""Children's services' step: receive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from linkage.errors import NotAgreedError, UnexpectedPackageError
from linkage.exchange.desk import Desk, require, taken_in
from linkage.exchange.files import write_all
from linkage.notes import SEALED_NOTE_BYTES
from linkage.package.links import LinksContents
from linkage.parties import childrens_services
from linkage.release.sheets import worklist_html
from linkage.release.worklist import worklist_csv
from linkage.steps.account import Account
from linkage.vocabulary import load as load_vocabulary


def receive(desk: Desk, run: str, paths: Sequence[Path], out: Path | None = None, *, dry_run: bool = False) -> Account:
    """worklist.csv and worklist.html from the matcher's links, everything opened and checked first."""
    require(desk, "childrens-services")
    agreement, matcher = desk.agreement, desk.agreement.matcher.name
    packages = desk.take(paths, "links", run)
    if set(packages) != {matcher}:
        raise UnexpectedPackageError("links come from the matcher alone", "ask the sender what it wants")
    contents = LinksContents.from_body(packages[matcher].body, agreement.schema, SEALED_NOTE_BYTES)
    vocabulary = load_vocabulary()
    if agreement.terms.release.vocabulary not in ("default", vocabulary.digest()):
        raise NotAgreedError(
            "the flag vocabulary installed here is not the agreement's", "install the release all parties use"
        )
    received = childrens_services.receive(contents, agreement, desk.identity, run)
    test = agreement.terms.test
    csv = worklist_csv(received.links, received.summary, vocabulary, test_mode=test)
    html = worklist_html(received.links, received.summary, vocabulary, test).encode()
    facts: dict[str, object] = {
        "run": run,
        "rows": len(received.links),
        "links": len(contents.meta.links),
        "bands": dict(received.summary.bands),
        "nothing_found": received.summary.nothing_found,
        "not_enough_information": received.summary.not_enough,
    }
    if dry_run:
        return Account(f"{len(received.links):,} worklist rows would be written", facts, dry_run=True)
    folder = out or desk.folder / "worklists" / run
    files = write_all([(folder / "worklist.csv", csv), (folder / "worklist.html", html)], private=True)
    desk.journal.append("consult", "receive", run, links=len(contents.meta.links), packages=taken_in(packages))
    return Account(
        f"{len(received.links):,} worklist rows for run '{run}'", facts, tuple(files),
        "open worklist.html; import worklist.csv into the case system after each decision is recorded",
    )  # fmt: skip
