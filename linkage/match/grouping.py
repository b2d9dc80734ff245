"""Anchors and spokes: scores of every (anchor file, other file) in, one group of rows per anchored man out.

Links exist only around anchors (R2): two rows of other files are never joined but through one. Where several files
hold anchors, anchors of one man are joined first, and then share what any of them finds.
Rule: a row belongs to one group; every conflict is settled by probability and counted, never silently.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from linkage.errors import ShapeError
from linkage.model import Pairs

Row = tuple[str, int]
"""File name and row number."""


@dataclass(frozen=True, repr=False)
class Spoke:
    """Scored pairs of an anchor file with another file, which may itself hold anchors.

    probability: (m,) after competition. allowed: (m,) pairs that reach the threshold and pass the rules.
    """

    anchor_file: str
    other_file: str
    pairs: Pairs
    probability: NDArray[np.float64]
    allowed: NDArray[np.bool_]

    def __post_init__(self) -> None:
        if not len(self.pairs) == len(self.probability) == len(self.allowed):
            raise ShapeError(f"{len(self.pairs)} pairs with {len(self.probability)} probabilities")


@dataclass(frozen=True, repr=False)
class Member:
    """A row of another file in a group: the anchor that found it, and its pair there.

    support: anchors of the group that agree. against: anchors of the group it was compared with and differs from.
    """

    row: Row
    anchor: Row
    probability: float
    support: int
    against: int


@dataclass(frozen=True, repr=False)
class Group:
    """One anchored man: his anchor rows, and the rows other files hold of him, surest first."""

    anchors: tuple[Row, ...]
    members: tuple[Member, ...]


@dataclass(frozen=True, repr=False)
class Grouping:
    """groups: those with at least one member or several anchors. conflicts: allowed pairs given up, by reason."""

    groups: tuple[Group, ...]
    conflicts: Mapping[str, int] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Grouping(groups={len(self.groups)}, conflicts={dict(self.conflicts)})"


@dataclass(frozen=True, order=True)
class _Edge:
    """Sorts by falling probability, then by file and row, so that the outcome never depends on input order."""

    doubt: float
    anchor: Row
    other: Row


def group(spokes: Sequence[Spoke], anchor_files: Collection[str], many: Collection[str] = ()) -> Grouping:
    """Gather rows around anchors.

    anchor_files: files whose rows are anchors. many: files that hold several rows of one man; of any other file, a
    group has at most one row.
    """
    links = sorted(edge for spoke in spokes for edge in _edges(spoke, spoke.allowed))
    clusters = _Clusters(frozenset(many))
    conflicts = {"row_taken": 0, "file_taken": 0, "anchors_apart": 0}
    for edge in links:
        if edge.other[0] in anchor_files:
            conflicts["anchors_apart"] += not clusters.join(edge.anchor, edge.other)
    found: dict[Row, _Edge] = {}
    for edge in links:
        if edge.other[0] in anchor_files:
            continue
        reason = clusters.attach(edge.anchor, edge.other)
        if reason:
            conflicts[reason] += 1
        else:
            found.setdefault(edge.other, edge)
    return Grouping(_groups(clusters, found, spokes), conflicts)


def _edges(spoke: Spoke, mask: NDArray[np.bool_]) -> list[_Edge]:
    rows = np.flatnonzero(mask)
    return [
        _Edge(1.0 - float(spoke.probability[r]), (spoke.anchor_file, int(left)), (spoke.other_file, int(right)))
        for r, left, right in zip(rows, spoke.pairs.left[rows], spoke.pairs.right[rows], strict=True)
    ]


class _Clusters:
    """Disjoint groups of rows, each with at most one row of a file unless the file may hold several."""

    def __init__(self, many: frozenset[str]) -> None:
        self._many = many
        self._head: dict[Row, Row] = {}
        self.rows: dict[Row, list[Row]] = {}

    def head(self, row: Row) -> Row:
        """The row that stands for a row's cluster; a new row stands for itself."""
        if row not in self._head:
            self._head[row] = row
            self.rows[row] = [row]
        return self._head[row]

    def join(self, one: Row, two: Row) -> bool:
        """Join two clusters, unless they would hold two rows of one file; says whether they are one now."""
        first, second = sorted((self.head(one), self.head(two)))
        if first == second:
            return True
        if self._files(first) & self._files(second):
            return False
        for row in self.rows.pop(second):
            self._head[row] = first
            self.rows[first].append(row)
        return True

    def attach(self, anchor: Row, other: Row) -> str:
        """Put a row into an anchor's cluster; "" or why not."""
        if other in self._head:
            return "" if self.head(other) == self.head(anchor) else "row_taken"
        if other[0] in self._files(self.head(anchor)):
            return "file_taken"
        self.join(anchor, other)
        return ""

    def _files(self, head: Row) -> set[str]:
        return {file for file, _ in self.rows[head] if file not in self._many}


def _groups(clusters: _Clusters, found: Mapping[Row, _Edge], spokes: Sequence[Spoke]) -> tuple[Group, ...]:
    against, support = _votes(clusters, found, spokes)
    groups = []
    for rows in clusters.rows.values():
        anchors = tuple(sorted(row for row in rows if row not in found))
        members = sorted((found[row] for row in rows if row in found), key=lambda edge: (edge.doubt, edge.other))
        if members or len(anchors) > 1:
            told = tuple(
                Member(e.other, e.anchor, 1.0 - e.doubt, support.get(e.other, 0), against.get(e.other, 0))
                for e in members
            )
            groups.append(Group(anchors, told))
    return tuple(sorted(groups, key=lambda each: each.anchors))


def _votes(
    clusters: _Clusters, found: Mapping[Row, _Edge], spokes: Sequence[Spoke]
) -> tuple[dict[Row, int], dict[Row, int]]:
    """Of each member, how many anchors of its own group were compared with it and differ, and how many agree."""
    against: dict[Row, int] = {}
    support: dict[Row, int] = {}
    members = {row: clusters.head(row) for row in found}
    for spoke in spokes:
        for edge in _edges(spoke, np.isin(spoke.pairs.right, [n for file, n in members if file == spoke.other_file])):
            if clusters.head(edge.anchor) == members.get(edge.other):
                vote = support if edge.doubt <= 0.5 else against
                vote[edge.other] = vote.get(edge.other, 0) + 1
    return against, support
