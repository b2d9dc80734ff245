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
_COUNTS = ("rows", "empty", "placeholder", "invalid", "partial", "valid")
_SHORTEST = 4  # digits, above which a number that is one shorter is strange


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


def both(one: FieldQuality, two: FieldQuality) -> FieldQuality:
    """One field over the rows of two parts of a file."""
    counts = {name: getattr(one, name) + getattr(two, name) for name in _COUNTS}
    lines = tuple(sorted((*one.invalid_lines, *two.invalid_lines)))
    return FieldQuality(one.name, one.required, **counts, invalid_lines=lines)


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


@dataclass(frozen=True, repr=False)
class Digits:
    """How many digits the numbers of a column have; all arrays (l,) by number of digits.

    count: of cells. zeros: whether any begins with a zero. first: the line of the first.
    """

    count: NDArray[np.int64]
    zeros: NDArray[np.bool_]
    first: NDArray[np.int64]

    @staticmethod
    def of(cells: Coded, lines: NDArray[np.int32]) -> Digits:
        """Those of a column: cells, lines (n,)."""
        of_text, zeros = digits_of(cells.texts)
        lengths = of_text[cells.codes]
        size = max(int(of_text.max(initial=0)) + 1, _SHORTEST + 1)
        first = np.full(size, np.iinfo(np.int64).max)
        np.minimum.at(first, lengths, lines)
        return Digits(np.bincount(lengths, minlength=size), _any(of_text[zeros], size), first)

    def __add__(self, other: Digits) -> Digits:
        """Those of two parts of a column."""
        size = max(len(self.count), len(other.count))
        one, two = self._of(size), other._of(size)
        return Digits(one.count + two.count, one.zeros | two.zeros, np.minimum(one.first, two.first))

    def _of(self, size: int) -> Digits:
        more = 0, size - len(self.count)
        last = np.iinfo(np.int64).max
        return Digits(
            np.pad(self.count, more), np.pad(self.zeros, more), np.pad(self.first, more, constant_values=last)
        )

    def warnings(self, name: str) -> list[str]:
        """One where some numbers are one digit shorter than all others, as a spreadsheet leaves them.

        A lost leading zero is never put back: the number may as well be mistyped.
        """
        usual = int(self.count[1:].argmax()) + 1
        short = int(self.count[usual - 1]) if usual > _SHORTEST else 0
        if not short or self.count[usual] < 0.5 * self.count[1:].sum() or self.zeros[usual]:
            return []
        what = f"field '{name}': {short:,} numbers are one digit shorter than the usual {usual}"
        return [f"{what}, first at line {self.first[usual - 1]}: a spreadsheet may have dropped leading zeros"]


def _any(lengths: NDArray[np.int64], size: int) -> NDArray[np.bool_]:
    found = np.zeros(size, np.bool_)
    found[lengths] = True
    return found


def _percent(share: float) -> str:
    return f"{np.floor(share * 1000) / 10:g} %"
