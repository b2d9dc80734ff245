"""Known plaintext: learn from rows whose people are known what the code of any other person should be.

The attacker is given some pairs of row and person, the other people in plain text, and the scheme without its key. To
him each bit is a random function of the person, about which the scheme says how alike it is for any two people: a
Gaussian process, whose regression predicts every bit of every other person from the rows known (ridge regression on
all features the scheme has, at once). A row is whoever's prediction fits best. `grow` takes the clearest names as
known and starts again, for files too large for a whole graph.
Sources: Rasmussen & Williams 2006, chapter 2; the setting is that of Schaefer, Mildenberger & Armknecht 2025 (DEA),
who learn bigrams from bits; learning bits from people finds more where people are on a list.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linkage.audit.finding import Guess
from linkage.audit.scheme import Scheme, take
from linkage.audit.world import NOBODY, World

Matrix = NDArray[np.float32]
Places = NDArray[np.int64]
JITTER = 0.02
CHUNK = 4096


def known_plaintext(world: World, scheme: Scheme) -> Guess:
    """Re-identified among the rows not known, each row on its own."""
    named, _ = fit(world, scheme, world.known, world.truth[world.known], world.unknown)
    return world.count(world.unknown, named)


def grow(world: World, scheme: Scheme, rounds: int = 5, most: int = 4000, sure: float = 0.9) -> Guess:
    """The same, after rounds in which names that are sure enough count as known."""
    rows, people = world.known, world.truth[world.known]
    best = Guess(int((world.truth[world.unknown] != NOBODY).sum()), 0, 1 / max(len(world.free), 1))
    for _ in range(rounds):
        named, odds = fit(world, scheme, rows, people, world.unknown)
        guess = world.count(world.unknown, named)
        best = max(best, guess, key=lambda each: each.found)
        keep = np.flatnonzero(odds > sure)
        _, first = np.unique(named[keep], return_index=True)  # a person named twice is named once
        keep = keep[first]
        keep = keep[np.argsort(-odds[keep], kind="stable")][: most - len(world.known)]
        if len(keep) + len(world.known) <= len(rows):
            break
        rows = np.concatenate([world.known, world.unknown[keep]])
        people = np.concatenate([world.truth[world.known], named[keep]])
    return best


def fit(world: World, scheme: Scheme, rows: Places, people: Places, attacked: Places) -> tuple[Places, Matrix]:
    """The best person (a,) for each row attacked, and how sure that is (a,), learnt from rows of known people."""
    learnt = take(world.people, people)
    kernel = scheme.kernel(learnt).astype(np.float64) + JITTER * np.eye(len(rows))
    toward = scheme.cross(take(world.people, world.free), learnt)
    seen = world.codes
    weights = np.linalg.solve(kernel, seen[rows]).astype(np.float32)  # (k, bits)
    codes = seen[attacked]
    top, total = np.full(len(attacked), -np.inf), np.zeros(len(attacked))
    named = np.full(len(attacked), NOBODY, np.int64)
    for start in range(0, len(world.free), CHUNK):
        predicted = np.clip(toward[start : start + CHUNK] @ weights, -0.98, 0.98)
        up, down = np.log1p(predicted), np.log1p(-predicted)
        logs = codes @ ((up - down) / 2).T + ((up + down) / 2).sum(axis=1)[None, :]
        best = logs.argmax(axis=1)
        value = logs[np.arange(len(logs)), best].astype(np.float64)
        higher = np.maximum(top, value)
        total = total * np.exp(top - higher) + np.exp(logs - higher[:, None]).sum(axis=1)
        named = np.where(value > top, world.free[start + best], named)
        top = higher
    return named, (1 / total).astype(np.float32)
