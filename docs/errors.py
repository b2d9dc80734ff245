"""Write docs/errors.md from the classes themselves: `PYTHONPATH=. python docs/errors.py`. A test compares the two."""  # noqa: INP001

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keys.errors
import linkage.errors

TARGET = Path(__file__).with_suffix(".md")

FAMILIES: tuple[tuple[str, str, type[Exception]], ...] = (
    ("2", "the command line", linkage.errors.UsageProblemError),
    ("3 to 9", "the agreement", linkage.errors.NotAgreedError),
    ("10 to 19", "keys and passphrases", keys.errors.CustodyError),
    ("20 to 29", "your own file", linkage.errors.YourFileError),
    ("30 to 39", "a package that came", linkage.errors.TheirPackageError),
    ("40 to 49", "matching", linkage.errors.MatchingError),
    ("50 to 59", "release", linkage.errors.ReleaseError),
    ("60 to 69", "the exchange", linkage.errors.ExchangeError),
)

HEAD = """\
# Errors and exit codes

A failure says on stderr what happened, then (`hint:`) what to do, and ends with a code that never changes its meaning.
Nothing half-written remains, and nothing is ever overwritten. No message holds a value of a person: faults in files are
counted and located by line. A step that was refused can be taken again once the cause is mended.

| code | meaning |
|---|---|
| 0 | done |
| 1 | our bug: the lines that follow name our files and functions and nothing of your data; please send them |
| 2 | the command line cannot be understood |
| 130 | stopped by you |

`linkage profile` ends with 24 when the report says no-go, `linkage doctor` with 20 when something is to be mended.
This page is written by `docs/errors.py` from the classes named in it.
"""


def page() -> str:
    """The whole catalogue."""
    parts = [HEAD]
    for codes, whose, family in FAMILIES:
        parts += [f"## {codes}: {whose}\n", "| code | error | what happened |", "|---|---|---|"]
        parts += [f"| {one.exit_code} | `{one.__name__}` | {_told(one)} |" for one in sorted(_tree(family), key=_code)]
        parts.append("")
    return "\n".join(parts)


def _tree(base: type[Exception]) -> Iterator[type[Exception]]:
    yield base
    for child in base.__subclasses__():
        yield from _tree(child)


def _code(error: type[Exception]) -> int:
    return int(error.exit_code)  # type: ignore[attr-defined]


def _told(error: type[Exception]) -> str:
    """The first paragraph of the docstring on one line."""
    return " ".join((error.__doc__ or "").split("\n\n")[0].split())


if __name__ == "__main__":
    TARGET.write_text(page(), "utf-8")
