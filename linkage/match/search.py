"""Find who might be the same: one front for every way of searching packed filters.

Filters come in, candidate pairs with an account of the search go out. Rule: a search says what share of the pairs it
was asked for it expects to find, and where that is not all of them it checks itself against the exact kernel.
Compiled code is loaded when a search runs, not when this module is imported.
"""

from __future__ import annotations

from linkage.errors import ShapeError
from linkage.match.candidates import (
    Above,
    Candidates,
    Engine,
    Filters,
    Nearest,
    Progress,
    Sampled,
    Settings,
    checked,
)


def find_candidates(
    left: Filters,
    right: Filters | None,
    settings: Settings,
    progress: Progress | None = None,
    engine: Engine | None = None,
) -> Candidates:
    """Candidate pairs of two files, or of one file with itself (right is None: no self pairs, left < right).

    left: (n, w) uint64; right: (m, w) uint64. engine: where the work is done; None: on this machine (see spark.py).
    The result depends on filters and settings alone, not on threads or machines.
    Raises ShapeError when the arrays are not packed filters of one length.
    """
    left = checked(left)
    if right is not None:
        right = checked(right)
        if right.shape[1] != left.shape[1]:
            raise ShapeError(
                f"filters of {left.shape[1]} and of {right.shape[1]} words cannot be compared",
                hint="Both files must be encoded under the same agreement.",
            )
    return (engine or local)(left, right, settings, progress)


def local(left: Filters, right: Filters | None, settings: Settings, progress: Progress | None = None) -> Candidates:
    """The engine that works on this machine's cores; arguments as find_candidates, checked."""
    if isinstance(settings, Nearest):
        from linkage.match.exact import nearest

        return nearest(left, right, settings, progress)
    from linkage.match.lsh import plan_if_cheaper, sampled  # loads numba
    from linkage.match.threshold import above  # loads numba

    if isinstance(settings, Sampled):
        plan = plan_if_cheaper(left, right, settings)
        if plan:
            return sampled(left, right, settings, progress, plan)
    return above(left, right, Above(settings.dice, settings.threads, settings.keep), progress)
