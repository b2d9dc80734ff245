"""The data-quality report: what of every field is there, stands in for nothing, or cannot be (R8).

Rule: counts, shares and line numbers only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.errors import QualityError
from linkage.intake.cell import Verdict
from linkage.intake.cleaning import digits_of
from linkage.intake.coder import Coded
from linkage.schema import Field

REQUIRED_PRESENT = 0.95
"""Share of rows in which a required field must have a usable value, unless the agreement says otherwise (R8)."""


@dataclass(frozen=True)
class FieldQuality:
    """One field over all rows, each row counted once, by its best value.

    empty + placeholder + invalid + partial + valid = rows. partial: only the year, or the outward half of a postcode.
    invalid_lines: lines with any invalid value, also where the row has a better one.
    """

    name: str
    required: bool
    rows: int
    empty: int
    placeholder: int
    invalid: int
    partial: int
    valid: int
    invalid_lines: tuple[int, ...]

    @property
    def present(self) -> float:
        """Share of rows in which the cell is not empty."""
        return 1 - self.empty / self.rows if self.rows else 0.0

    @property
    def usable(self) -> float:
        """Share of rows with a valid or partial value: what go or no-go looks at."""
        return (self.valid + self.partial) / self.rows if self.rows else 0.0


@dataclass(frozen=True)
class Quality:
    """The report of one file. reasons: why it is a no-go, empty for go. warnings: what a person should look at."""

    rows: int
    people: int
    fields: tuple[FieldQuality, ...]
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def go(self) -> bool:
        """Whether the file is good enough to be sealed."""
        return not self.reasons

    def refuse(self) -> None:
        """Raise QualityError where the report says no-go."""
        if self.reasons:
            raise QualityError(
                self.reasons[0] if len(self.reasons) == 1 else "the file is not good enough to be sealed",
                "run `linkage profile` to see every field; correct the export or its mapping",
                self.reasons,
            )


def field_quality(
    field: Field, verdict: NDArray[np.int8], invalid: NDArray[np.bool_], lines: NDArray[np.int32]
) -> FieldQuality:
    """Counts of one field. verdict, invalid, lines: (n,) as columns.build gives them."""
    count = np.bincount(verdict, minlength=len(Verdict))
    return FieldQuality(
        name=field.name,
        required=field.required,
        rows=len(verdict),
        empty=int(count[Verdict.EMPTY]),
        placeholder=int(count[Verdict.PLACEHOLDER]),
        invalid=int(count[Verdict.INVALID]),
        partial=int(count[Verdict.PARTIAL]),
        valid=int(count[Verdict.VALID]),
        invalid_lines=tuple(lines[invalid].tolist()),
    )


def assess(fields: Sequence[FieldQuality], people: int, required_present: float, warnings: Sequence[str]) -> Quality:
    """The report, and its verdict against the share that required fields need."""
    rows = fields[0].rows if fields else 0
    reasons = [] if rows else ["the file has no rows"]
    reasons += [
        f"field '{one.name}' has a usable value in {_percent(one.usable)} of rows, not in {_percent(required_present)}"
        for one in fields
        if rows and one.required and one.usable < required_present
    ]
    return Quality(rows, people, tuple(fields), tuple(reasons), tuple(warnings))


def short_numbers(name: str, cells: Coded, lines: NDArray[np.int32]) -> list[str]:
    """A warning where some numbers of a column are one digit shorter than all others, as a spreadsheet leaves them.

    cells, lines: (n,) of a column. A lost leading zero is never put back: the number may as well be mistyped.
    """
    of_text, zeros = digits_of(cells.texts)
    lengths = of_text[cells.codes]
    count = np.bincount(lengths, minlength=3)
    usual = int(count[1:].argmax()) + 1
    short = int(count[usual - 1]) if usual > 4 else 0
    if not short or count[usual] < 0.5 * count[1:].sum() or zeros[of_text == usual].any():
        return []
    first = int(lines[lengths == usual - 1][0])
    what = f"field '{name}': {short:,} numbers are one digit shorter than the usual {usual}, first at line {first}"
    return [f"{what}: a spreadsheet may have dropped leading zeros"]


def _percent(share: float) -> str:
    return f"{np.floor(share * 1000) / 10:g} %"
