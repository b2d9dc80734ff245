"""The matcher's plan: what screening will take, and whether this machine can hold it.

Screening encodings and the agreement come in; counts, seconds and bytes to expect go out. Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from linkage.agreement import Agreement
from linkage.errors import TooLargeError
from linkage.layout import Layout
from linkage.match.equality import meeting_bytes
from linkage.match.plan import Estimate, estimate
from linkage.notes import SEALED_NOTE_BYTES
from linkage.package.contents import ScreeningContents
from linkage.parties import asking
from linkage.parties.matcher import comparable_files, search_settings
from linkage.sides import evidence_bytes

_KEPT, _ASKED = 24, 90  # bytes: a pair and its id until the end; one party's question about it, while it is shuffled
GIGABYTE = 10**9
_CONTAINER = (
    ("memory.max", "memory.current", "memory.stat", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat", "total_inactive_file"),
)
"""Files below /sys/fs/cgroup, version 2 and 1: a container's limit, its use, and of that what is only cached files."""


@dataclass(frozen=True)
class Planned:
    """What `screen` is expected to take.

    searches: each two files with what their search takes. pairs: candidate pairs of people by two files. evidence:
    bytes each party will send back. memory, free: bytes needed beyond what is loaded, and bytes there are.
    candidates: agreed for each row, 0 where a threshold decides. on_spark: bytes needed here with a cluster, where
    none was asked for.
    """

    searches: Mapping[tuple[str, str], Estimate]
    pairs: Mapping[tuple[str, str], int]
    evidence: Mapping[str, int]
    memory: int
    free: int
    candidates: int
    on_spark: int | None

    @property
    def seconds(self) -> float | None:
        """Of all searches; None where it was not measured."""
        each = [one.seconds for one in self.searches.values()]
        return None if any(one is None for one in each) else sum(one for one in each if one is not None)

    def facts(self) -> dict[str, object]:
        """For a program: counts, seconds and bytes."""
        return {
            "searches": {
                f"{left} x {right}": {
                    "compared": one.compared, "candidates": self.pairs[left, right],
                    "seconds": None if one.seconds is None else round(one.seconds, 1), "bytes": one.memory,
                }
                for (left, right), one in self.searches.items()
            },
            "seconds": None if self.seconds is None else round(self.seconds, 1),
            "bytes_needed": self.memory, "bytes_free": self.free, "fits": self.memory <= self.free,
            "evidence_bytes": dict(self.evidence),
        }  # fmt: skip

    def words(self) -> str:
        """For a person, a line for each matter."""
        compared = sum(one.compared for one in self.searches.values())
        spent = "on a cluster" if self.seconds is None else f"about {self.seconds:,.0f} s"
        evidence = ", ".join(f"{name} {size / GIGABYTE:,.2f} GB" for name, size in self.evidence.items())
        return "\n".join(
            (
                f"pairs of encodings to compare: {compared:,}; time: {spent}",
                f"candidate pairs to expect: {sum(self.pairs.values()):,}",
                f"memory: {self.memory / GIGABYTE:,.2f} GB more, of {self.free / GIGABYTE:,.2f} GB free",
                f"evidence that will come back: {evidence}",
            )
        )

    def refuse(self) -> None:
        """Raise TooLargeError, saying what would fit, when the work does not fit into the memory that is free."""
        if self.memory <= self.free:
            return
        fit = int(self.candidates * self.free / self.memory)
        ways = [f"agree on {fit} candidates a row instead of {self.candidates}"] if self.candidates and fit else []
        ways += ["make runs of fewer agencies"] if len(self.searches) > 1 else []
        if self.on_spark is not None and self.on_spark <= self.free:
            ways.append(f"use --engine spark, which needs {self.on_spark / GIGABYTE:.1f} GB here")
        ways += ["free memory, or take a larger machine"]
        raise TooLargeError(
            f"screening needs about {self.memory / GIGABYTE:.1f} GB and {self.free / GIGABYTE:.1f} GB are free",
            "; or ".join(ways),
            self.words().splitlines(),
        )


def plan(
    files: Mapping[str, ScreeningContents], agreement: Agreement, *, timed: bool = True, spark: bool = False
) -> Planned:
    """What screening these files will take; spark: on a cluster, which takes a time of its own."""
    searches, pairs, joins = {}, {}, []
    for left, right in comparable_files(files, agreement):
        sides = files[left].screening, files[right].screening
        limits = agreement.pairs_each(left), agreement.pairs_each(right)
        search, turned = asking.search_for(*sides, search_settings(agreement), limits)
        filters = [side.filters for side in (reversed(sides) if turned else sides)]
        one = estimate(filters[0], filters[1], search, timed=timed and not spark)
        room = [len(side) * most for side, most in zip(sides, limits, strict=True) if most is not None]
        joins.append(meeting_bytes(sides[0].tokens, sides[1].tokens))
        searches[left, right], pairs[left, right] = one, min([one.pairs, *room])
    asked = {}
    for name, contents in files.items():
        times = agreement.times_asked(name)
        real = sum(count for names, count in pairs.items() if name in names)
        asked[name] = real if times is None else times * len(contents.screening)
    side = side_bytes(Layout(agreement.schema))
    evidence = {name: side * count for name, count in asked.items()}
    shuffled = _ASKED * sum(asked.values())
    here, there = (
        _KEPT * sum(pairs.values()) + max([shuffled, *joins, *each])
        for each in ([one.memory for one in searches.values()], [one.on_spark for one in searches.values()])
    )
    candidates = agreement.terms.screening.candidates if agreement.profile.search == "exact" else 0
    memory = there if spark else here
    return Planned(searches, pairs, evidence, memory, free_memory(), candidates, None if spark else there)


def side_bytes(layout: Layout) -> int:
    """Bytes of one side of one pair in an evidence package: pair id, evidence and sealed note."""
    return 16 + evidence_bytes(layout) + SEALED_NOTE_BYTES


def free_memory(groups: Path = Path("/sys/fs/cgroup")) -> int:
    """Bytes this machine, or the container the program runs in, can still give without swapping.

    groups: where Linux keeps the limits of containers.
    """
    import psutil

    free = int(psutil.virtual_memory().available)
    for limit, used, table, cached in _CONTAINER:
        try:
            most, now = (int((groups / name).read_text()) for name in (limit, used))
            counts = dict(line.split() for line in (groups / table).read_text().splitlines())
        except (OSError, ValueError):  # no such limit: another version, another system, or the word "max"
            continue
        free = min(free, max(0, most - now + int(counts.get(cached, 0))))
    return free
