"""An append-only log of what a party did, each line holding the digest of the one before (R37).

Lines name actions, counts, packages and digests, never a person. Any edit breaks the chain. A chain alone does not
miss its last links: beside the log stands its head, the number of lines and the digest of the last one.
Rule: what was once broken stays visibly broken; an entry added later never mends it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from pathlib import Path

import msgspec

from linkage.errors import YourFileError
from linkage.exchange.files import write_over
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


class _Head(Table, frozen=True, kw_only=True):
    lines: int
    last: str


class Journal:
    """The log in one file, and its head beside it; both for their owner alone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.head = path.with_suffix(".head")

    def append(self, what: str, step: str, run: str, **details: str | int | list[str]) -> Entry:
        """Add an entry; the time is kept to the minute, in UTC."""
        try:
            last = self._verified()[1]
        except YourFileError:
            last = self._written_last()
        now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%MZ")
        entry = Entry(at=now, what=what, step=step, run=run, details=details, before=last)
        line = msgspec.json.encode(entry, order="sorted")
        data = self._data()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as handle:
            handle.write((b"" if data.endswith(b"\n") or not data else b"\n") + line + b"\n")
            handle.flush()
            os.fsync(handle.fileno())
        head = _Head(lines=self._data().count(b"\n"), last=hashlib.sha256(line).hexdigest())
        write_over(self.head, msgspec.json.encode(head, order="sorted") + b"\n")
        return entry

    def entries(self) -> list[Entry]:
        """All entries, the chain verified. Raises YourFileError naming the first line that does not follow."""
        return self._verified()[0]

    def taken(self) -> set[str]:
        """Names of all packages ever taken in, so that none is taken twice."""
        return {name for entry in self.entries() for name in _texts(entry.details.get("packages"))}

    def _verified(self) -> tuple[list[Entry], str]:
        """All entries and the digest of the last line."""
        head, data = self._head(), self._data()
        *lines, rest = data.split(b"\n")
        entries, last = [], START
        for number, line in enumerate([*lines, *([rest] if rest else [])], 1):
            try:
                entry = msgspec.json.decode(line, type=Entry)
            except (msgspec.MsgspecError, ValueError, RecursionError):
                entry = None
            if entry is None or entry.before != last or number > len(lines):
                raise self._edited(f"line {number} of {self.path.name} does not follow from the line before")
            entries.append(entry)
            last = hashlib.sha256(line).hexdigest()
            # An entry beyond the head was written when the machine stopped before its head was.
            if head and number == head.lines and last != head.last:
                raise self._edited(f"line {number} of {self.path.name} is not the one that was written")
        if (head is None and entries) or (head and len(entries) < head.lines):
            raise self._edited(f"{self.path.name} has {len(entries)} lines, other than were written")
        return entries, last

    def _written_last(self) -> str:
        """Digest an entry follows when the log was edited: what stood there before, so that the break shows."""
        try:
            head = self._head()
        except YourFileError:
            head = None
        return head.last if head else hashlib.sha256(b"unknown").hexdigest()

    def _edited(self, what: str) -> YourFileError:
        return YourFileError(
            f"{what}: the log was edited", "restore it from a backup, and tell your data-protection officer"
        )

    def _data(self) -> bytes:
        return self.path.read_bytes() if self.path.exists() else b""

    def _head(self) -> _Head | None:
        try:
            return msgspec.json.decode(self.head.read_bytes(), type=_Head)
        except FileNotFoundError:
            return None
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise self._edited(f"{self.head.name} cannot be read") from None


def _texts(value: str | int | list[str] | None) -> list[str]:
    return value if isinstance(value, list) else []
