"""The matcher's plan of one-round: whether this machine can hold the tokens, and what lies beneath those that meet.

Sizes of packages come in before they are read, then what was joined; counts and bytes to expect go out. There is no
search to guess at: tokens are joined in minutes, and reading the packages takes what reading takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from linkage.agreement import Agreement
from linkage.errors import TooLargeError
from linkage.match.equality import meeting_bytes
from linkage.package.tokens import TokenForm
from linkage.parties.meeting import Joining
from linkage.parties.planning import GIGABYTE, free_memory

_OPENED = 3  # times what lies beneath a token: masked, opened, and in the order of the pairs
_TOLD = 5  # parties named in a refusal
_SMALLER = "make runs of fewer agencies; or free memory, or take a larger machine"


def check_tokens(sizes: Mapping[str, int], agreement: Agreement) -> None:
    """Raise TooLargeError, before anything is read, where this machine cannot hold the tokens of some packages.

    sizes: bytes of each party's package.
    """
    form, free = TokenForm.of(agreement), free_memory()
    rows = {party: size // form.row_bytes for party, size in sizes.items()}
    tokens = {party: np.broadcast_to(np.uint8(0), (count, form.per_row, 16)) for party, count in rows.items()}
    pairs = [(left, right) for left, right in agreement.comparable() if left in rows and right in rows]
    joins = [meeting_bytes(tokens[left], tokens[right]) for left, right in pairs]
    memory = sum(rows.values()) * (16 * form.per_row + 16) + max(joins, default=0)
    if memory > free:
        most = sorted(rows, key=rows.__getitem__, reverse=True)[:_TOLD]
        raise TooLargeError(
            f"the tokens need about {memory / GIGABYTE:.1f} GB and {free / GIGABYTE:.1f} GB are free",
            _SMALLER,
            [f"{party}: about {rows[party]:,} rows" for party in most],
        )


@dataclass(frozen=True)
class PlannedJoin:
    """What opening the rows that met takes.

    pairs: by two files. package_bytes: that are read once more; seconds: that all of `screen` takes. memory, free:
    bytes needed beyond what is loaded, and bytes there are.
    """

    pairs: Mapping[tuple[str, str], int]
    package_bytes: int
    seconds: float
    memory: int
    free: int

    def facts(self) -> dict[str, object]:
        """For a program."""
        return {
            "candidates": {f"{left} x {right}": count for (left, right), count in self.pairs.items()},
            "package_bytes": self.package_bytes, "seconds": round(self.seconds, 1),
            "bytes_needed": self.memory, "bytes_free": self.free, "fits": self.memory <= self.free,
        }  # fmt: skip

    def words(self) -> str:
        """For a person, a line for each matter."""
        return "\n".join(
            (
                f"candidate pairs: {sum(self.pairs.values()):,}",
                f"time: about {self.seconds:,.0f} s, to read {self.package_bytes / GIGABYTE:,.2f} GB twice",
                f"memory: {self.memory / GIGABYTE:,.2f} GB more, of {self.free / GIGABYTE:,.2f} GB free",
            )
        )

    def refuse(self) -> None:
        """Raise TooLargeError when what met does not fit into the memory that is free."""
        if self.memory > self.free:
            need, free = self.memory / GIGABYTE, self.free / GIGABYTE
            raise TooLargeError(
                f"the rows that meet need about {need:.1f} GB and {free:.1f} GB are free",
                _SMALLER,
                self.words().splitlines(),
            )


def plan(joining: Joining, sizes: Mapping[str, int], agreement: Agreement, seconds: float) -> PlannedJoin:
    """What opening the rows that met takes. sizes: bytes of packages; seconds: that reading and joining them took."""
    form = TokenForm.of(agreement)
    pairs = {(pair.left, pair.right): len(pair.met) for pair in joining.pairs}
    each = form.side_bytes + form.note_bytes + 32
    return PlannedJoin(pairs, sum(sizes.values()), 2 * seconds, _OPENED * each * 2 * sum(pairs.values()), free_memory())
