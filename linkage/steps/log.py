"""Reading and checking a party's log."""

from __future__ import annotations

from pathlib import Path

import msgspec

from linkage.exchange.journal import Journal
from linkage.steps.account import Account


def show(folder: Path) -> tuple[list[dict[str, object]], str]:
    """All entries, verified, as facts and as lines."""
    entries = Journal(folder / "journal.jsonl").entries()
    lines = []
    for entry in entries:
        details = ", ".join(f"{key} {_text(value)}" for key, value in entry.details.items() if key != "packages")
        lines.append(f"{entry.at}  {entry.what:9} {entry.step:20} {entry.run:12} {details}".rstrip())
    return [msgspec.to_builtins(entry) for entry in entries], "\n".join(lines)


def verify(folder: Path) -> Account:
    """The chain holds. Raises YourFileError naming the first line that does not follow."""
    entries = Journal(folder / "journal.jsonl").entries()
    return Account(f"the log holds: {len(entries)} entries, none changed", {"entries": len(entries)})


def _text(value: str | int | list[str]) -> str:
    return f"{value:,}" if isinstance(value, int) else ", ".join(value) if isinstance(value, list) else value
