"""What shows without comparing anybody: how full a filter is, and how near a row is to all others.

The attacker is given the codes and people in plain text. Full filters belong to long names and complete records, so he
sorts both and lays one order beside the other.
Sources: Schnell & Borgs 2016, "XOR-folding for Bloom filter-based encryptions"; Mitchell, Dewri, Thurimella & Roschke
2017 on lengths.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linkage.audit.finding import Guess
from linkage.audit.scheme import Scheme, any_key
from linkage.audit.world import World, signs


def fill_attack(world: World, scheme: Scheme) -> Guess:
    """Rows sorted by bits set against people sorted by the bits they would set; each named by rank."""
    seen = signs(world.filters).mean(axis=1)
    would = np.mean([signs(scheme.encode(world.people, any_key())).mean(axis=1) for _ in range(4)], axis=0)
    return _by_rank(world, seen, would)


def nearness_attack(world: World, scheme: Scheme) -> Guess:
    """Rows sorted by their mean agreement with all rows (sparse ones are near everybody) against people likewise."""
    codes, own = signs(world.filters), signs(scheme.encode_plain(world.people, any_key()))
    return _by_rank(world, codes @ codes.mean(axis=0), own @ own.mean(axis=0))


def fill_correlation(world: World, scheme: Scheme) -> float:
    """Rank correlation of bits set with bits a person sets before hardening; 0 says nothing shows."""
    from scipy.stats import spearmanr

    held = world.truth >= 0
    full = signs(scheme.encode_plain(world.people, any_key())).mean(axis=1)
    seen = signs(world.filters[held]).mean(axis=1)
    if seen.std() == 0 or full.std() == 0:
        return 0.0
    return float(spearmanr(seen, full[world.truth[held]]).statistic)


def _by_rank(world: World, seen: NDArray[np.floating], would: NDArray[np.floating]) -> Guess:
    rows, people = world.unknown, world.free
    order = people[np.argsort(would[people], kind="stable")]
    rank = np.argsort(np.argsort(seen[rows], kind="stable"), kind="stable")
    return world.count(rows, order[(rank * len(order)) // max(len(rows), 1)])
