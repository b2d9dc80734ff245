"""Guessing with a list of people: without the key, from one run to the next, and with the key.

The attacker is given the codes and people in plain text and encodes them himself. Without the run's key that must say
nothing; with it, it says everything, and how quickly is measured here.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keys.derive import RunKey
from linkage.audit.finding import Guess
from linkage.audit.scheme import Scheme, any_key
from linkage.audit.world import World, signs

Filters = NDArray[np.uint64]


def dictionary(world: World, scheme: Scheme) -> Guess:
    """His people under a key of his own; each row named by the nearest code."""
    return _nearest(world, scheme.encode(world.people, any_key()))


def next_run(world: World, scheme: Scheme) -> Guess:
    """The same people's codes, named in another run, followed into this one."""
    return _nearest(world, scheme.encode(world.people, any_key()))


@dataclass(frozen=True)
class Leak:
    """What a leaked key costs: share found, and people tried a second on one core or so."""

    share: float
    per_second: float

    def seconds(self, people: int, list_: int) -> float:
        """Seconds to find `people` rows with a list of so many people: encoding the list and searching it."""
        return (people + list_) / self.per_second


def with_the_key(world: World, scheme: Scheme, key: RunKey) -> Leak:
    """world.filters were made under `key`: everybody on the list is found."""
    start = time.perf_counter()
    guess = _nearest(world, scheme.encode(world.people, key))
    return Leak(guess.found / max(guess.records, 1), 2 * len(world.people) / (time.perf_counter() - start))


def _nearest(world: World, own: Filters) -> Guess:
    rows = world.unknown
    likeness = signs(world.filters[rows]) @ signs(own[world.free]).T
    return world.count(rows, world.free[likeness.argmax(axis=1)])
