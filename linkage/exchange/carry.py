"""Carry packages from outboxes to inboxes where all desks stand on one disk (demo, tests), as a courier would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from linkage.exchange.files import read, write_new
from linkage.package.container import read_header


def deliver(packages: Sequence[Path], desks: Mapping[str, Path]) -> None:
    """Copy each package, unopened, to the inbox of the party its header names."""
    for path in packages:
        data = read(path)
        header, _ = read_header(data)
        write_new(desks[header.recipient] / "inbox" / path.name, data)
