"""The whole audit of two rounds: filters, the tight tokens beside them, and both of two files that are joined.

People and the agreement come in, an Audit goes out. Tokens of one file are all different, so by themselves they are
attacked as in one-round. Of two files they say which rows are one person's: he then has two filters, which say more.
Rule: of two files the attacker is given more than tokens tell him, every person in both and every two rows joined.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from functools import partial

import numpy as np

from keys.derive import RunKey
from linkage.agreement import Agreement
from linkage.audit import graph, plaintext
from linkage.audit.one_round import CONTROL, WHOLE, token_plan
from linkage.audit.scheme import Scheme, any_key, of_profile, take
from linkage.audit.suite import SAMPLE, SMALL, Audit, Plan, Progress, audit, sorted_out, work_off
from linkage.audit.tokens import Recipe
from linkage.audit.world import World, make_world
from linkage.bars import Bars
from linkage.model import Column, Records

SLIPS = 0.1
"""Share of the second file's values that are another row's: equal filters would say nothing more than one."""


def audit_union(
    people: Records,
    agreement: Agreement,
    *,
    key: RunKey | None = None,
    bars: Bars | None = None,
    sample: int = SAMPLE,
    seed: int | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Audit what a file sends in two rounds; without tokens in the profile, its filters alone.

    people: the file in plain text, or public stand-ins. key: of a run, for the very encodings it sends; else one that
    nobody keeps. sample: rows whose filters are attacked; tokens are, of all rows up to WHOLE. seed: as in `audit`.
    """
    profile, schema, terms = agreement.profile, agreement.schema, agreement.tokens
    scheme = of_profile(profile, schema)
    filters = scheme.encode(people, key) if key else None
    made = audit(people, schema, profile, filters=filters, bars=bars, sample=sample, seed=seed, progress=progress)
    if terms is None:
        return made
    rng = np.random.default_rng(secrets.randbits(64) if seed is None else seed)
    some = people if len(people) <= WHOLE else take(people, np.sort(rng.permutation(len(people))[:WHOLE]))
    plan = token_plan(some, Recipe(agreement.combinations, terms), key or any_key(), rng)
    plan += _joined_plan(take(people, rng.permutation(len(people))[: min(sample, SMALL)]), scheme, rng)
    bites, findings = sorted_out(work_off(plan, bars or Bars(), progress))
    control = f"{made.control} {CONTROL}"
    return replace(made, bites=(*made.bites, *bites), findings=(*made.findings, *findings), control=control)


def joined(people: Records, scheme: Scheme, rng: np.random.Generator) -> World:
    """Two files of the same people under one key, the second with slips, and every two rows of one person joined."""
    key = any_key()
    both = np.concatenate([scheme.encode(people, key), scheme.encode(with_slips(people, rng), key)], axis=1)
    world = make_world(both, people, rng)
    first, second = np.split(world.filters, 2, axis=1)
    return replace(world, filters=first, second=second)


def with_slips(people: Records, rng: np.random.Generator, share: float = SLIPS) -> Records:
    """The same people, of whom in each field so many have another row's values."""
    columns = {}
    for name, column in people.columns.items():
        rows = np.arange(len(people))
        wrong = np.flatnonzero(rng.random(len(people)) < share)
        rows[wrong] = rng.permutation(len(people))[: len(wrong)]
        columns[name] = _rows_of(column, rows)
    return replace(people, columns=columns)


def _rows_of(column: Column, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Column:
    counts = column.counts()[rows]
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    places = np.repeat(column.offsets[rows] - offsets[:-1], counts) + np.arange(offsets[-1])
    return Column(column.vocabulary, column.codes[places], offsets)


def _joined_plan(people: Records, scheme: Scheme, rng: np.random.Generator) -> Plan:
    world = joined(people, scheme, rng)
    known, learn = world.knowing(min(100, len(people) // 10), rng), world.knowing(min(500, len(people) // 4), rng)
    given = "two files of these people, rows joined; people, scheme"
    some, pairs = f"{given}, {len(known.known)} known", f"{given}, {len(learn.known)} pairs to learn from"
    return [
        ("similarity graph", given, "none", partial(graph.graph_attack, world, scheme)),
        ("similarity graph", some, "known", partial(graph.graph_attack, known, scheme)),
        ("known rows, growing", some, "known", partial(plaintext.grow, known, scheme)),
        ("known plaintext", pairs, "plaintext", partial(plaintext.known_plaintext, learn, scheme)),
    ]
