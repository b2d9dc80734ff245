"""An append-only log of what a party did, each line holding the digest of the one before (R37).

Lines name actions, counts, packages and digests, never a person. Any edit breaks the chain.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from linkage.errors import YourFileError
from linkage.toml import Table

START = "0" * 64


class Entry(Table, frozen=True, kw_only=True):
    """One action. what: collect, alter, consult, disclose, combine or erase (UK DPA 2018, section 62)."""

    at: str
    what: str
    step: str
    run: str
    details: dict[str, str | int | list[str]]
    before: str


class Journal:
    """The log in one file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, what: str, step: str, run: str, **details: str | int | list[str]) -> Entry:
        """Add an entry; the time is kept to the minute, in UTC."""
        last = START
        for line in self._lines():
            last = hashlib.sha256(line).hexdigest()
        now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%MZ")
        entry = Entry(at=now, what=what, step=step, run=run, details=details, before=last)
        with self.path.open("ab") as handle:
            handle.write(msgspec.json.encode(entry, order="sorted") + b"\n")
        return entry

    def entries(self) -> list[Entry]:
        """All entries, the chain verified. Raises YourFileError naming the first line that does not follow."""
        entries, last = [], START
        for number, line in enumerate(self._lines(), 1):
            try:
                entry = msgspec.json.decode(line, type=Entry)
            except msgspec.MsgspecError:
                entry = None
            if entry is None or entry.before != last:
                raise YourFileError(
                    f"line {number} of {self.path.name} does not follow from the line before: the log was edited",
                    "restore it from a backup, and tell your data-protection officer",
                )
            entries.append(entry)
            last = hashlib.sha256(line).hexdigest()
        return entries

    def taken(self) -> set[str]:
        """Names of all packages ever taken in, so that none is taken twice."""
        return {name for entry in self.entries() for name in _texts(entry.details.get("packages"))}

    def _lines(self) -> Iterator[bytes]:
        if self.path.exists():
            yield from self.path.read_bytes().splitlines()


def _texts(value: str | int | list[str] | None) -> list[str]:
    return value if isinstance(value, list) else []
