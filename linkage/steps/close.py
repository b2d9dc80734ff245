"""Ending a run: keys and encodings destroyed, and a signed certificate that they were (R38)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

import msgspec

from keys.errors import CustodyError
from keys.vault import shred
from linkage.errors import LinkageError, OtherRunError, OutputExistsError, TheirPackageError
from linkage.exchange.desk import Desk
from linkage.exchange.files import write_new
from linkage.package.container import HEAD_BYTES, Kind, read_header
from linkage.steps.account import Account


def close(desk: Desk, run: str, *, dry_run: bool = False) -> Account:
    """Destroy the run's key first, then its state and its packages; a certificate and the journal stay."""
    folder = desk.run_folder(run)
    packages, state = packages_of(desk, run), _state(desk, run)
    if not state and not packages:
        raise OtherRunError(f"there is nothing of run '{run}' here", "check --run and --desk; it may be closed already")
    facts: dict[str, object] = {"run": run, "files": len(state) + len(packages)}
    if dry_run:
        return Account(f"{len(state) + len(packages)} files would be destroyed", facts, dry_run=True)
    # Without its key the state is noise, so a run interrupted here has lost what mattered already.
    for path in [*state, *packages]:
        shred(path)
    if folder.is_dir():
        folder.rmdir()
    certificate = {
        "agreement": desk.agreement.digest.hex(),
        "party": desk.party.name,
        "run": run,
        "destroyed": [path.name for path in [*state, *packages]],
        "on": dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%MZ"),
    }
    text = msgspec.json.encode(certificate, order="sorted")
    signature = desk.identity.sign(text, purpose=b"certificate")
    signed = msgspec.json.encode({"certificate": certificate, "signature": signature.hex()}, order="sorted")
    again = f"-{len(closed) + 1}" if (closed := _certificates(desk, run)) else ""  # a package came late
    path = write_new(desk.folder / "certificates" / f"{run}-closed-{desk.party.name}{again}.json", signed + b"\n")
    desk.journal.append("erase", "close", run, files=len(state) + len(packages))
    return Account(f"run '{run}' closed: {len(state) + len(packages)} files destroyed", facts, (path,))


def refuse_used(desk: Desk, run: str) -> None:
    """Raise OutputExistsError when the run was begun or closed here: keys follow from its name, so it serves once."""
    closed = _certificates(desk, run)
    if desk.run_folder(run).exists() or closed:
        state = "closed" if closed else "begun"
        raise OutputExistsError(
            f"run '{run}' was {state} here before", "each run has a name of its own, the same at every party"
        )


def _certificates(desk: Desk, run: str) -> list[Path]:
    return sorted((desk.folder / "certificates").glob(f"{run}-closed-{desk.party.name}*.json"))


@contextmanager
def all_or_nothing(desk: Desk, run: str) -> Iterator[None]:
    """What a first step keeps and sends, or, when it is refused half-way, neither: then the step can be taken again."""
    before = set(packages_of(desk, run))
    try:
        yield
    except (LinkageError, CustodyError):
        for path in [*_state(desk, run), *(path for path in packages_of(desk, run) if path not in before)]:
            shred(path)
        if desk.run_folder(run).is_dir():
            desk.run_folder(run).rmdir()
        raise


def _state(desk: Desk, run: str) -> list[Path]:
    """Files of a run's folder, its key first."""
    return sorted(desk.run_folder(run).glob("*"), key=lambda path: path.name != "storage.key")


def packages_of(desk: Desk, run: str, *boxes: str) -> list[Path]:
    """Packages of a run, by what their headers say: a courier may rename a file, and run 1 is not run 1-b."""
    return [path for box in boxes or ("inbox", "outbox") for path in _files(desk, box) if _run_of(path) == run]


def runs_of(desk: Desk) -> list[str]:
    """Names of all runs of which packages came."""
    return sorted({run for path in _files(desk, "inbox") if (run := _run_of(path))})


def _files(desk: Desk, box: str) -> list[Path]:
    return [path for path in sorted((desk.folder / box).glob("*")) if path.is_file()]


def _run_of(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return read_header(file.read(HEAD_BYTES))[0].run
    except (OSError, TheirPackageError):
        pass
    # What is no whole package is told by its name: a damaged one still holds what `close` promises to destroy.
    named = re.fullmatch(rf"(.+)-(?:{'|'.join(get_args(Kind))})-[a-z].*-to-.*", path.name)
    return named.group(1) if named else None
