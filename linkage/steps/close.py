"""Ending a run: keys and encodings destroyed, and a signed certificate that they were (R38)."""

from __future__ import annotations

import datetime as dt

import msgspec

from keys.vault import shred
from linkage.errors import OtherRunError
from linkage.exchange.desk import Desk
from linkage.exchange.files import write_new
from linkage.package.container import SUFFIX
from linkage.steps.account import Account


def close(desk: Desk, run: str, *, dry_run: bool = False) -> Account:
    """Destroy the run's key first, then its state and its packages; a certificate and the journal stay."""
    folder = desk.run_folder(run)
    packages = [path for box in ("inbox", "outbox") for path in sorted((desk.folder / box).glob(f"{run}-*{SUFFIX}"))]
    state = sorted(folder.glob("*"), key=lambda path: path.name != "storage.key") if folder.is_dir() else []
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
    path = write_new(desk.folder / "certificates" / f"{run}-closed-{desk.party.name}.json", signed + b"\n")
    desk.journal.append("erase", "close", run, files=len(state) + len(packages))
    return Account(f"run '{run}' closed: {len(state) + len(packages)} files destroyed", facts, (path,))
