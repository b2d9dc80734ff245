"""What a step did, for a person and for a program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Progress = Callable[[str, int, int], None]
"""Told (what, done, total) now and then."""


@dataclass(frozen=True)
class Account:
    """headline: one line for people. facts: counts and names only, never a value of a person. files: written.

    warnings: what a person should look at although the step was taken.
    """

    headline: str
    facts: Mapping[str, object] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    next: str = ""
    dry_run: bool = False
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The account for a program."""
        return {
            "headline": self.headline,
            **self.facts,
            "files": [str(path) for path in self.files],
            "next": self.next,
            "warnings": list(self.warnings),
            "dry_run": self.dry_run,
        }


def quiet(what: str, done: int, total: int) -> None:
    """A progress that says nothing."""
