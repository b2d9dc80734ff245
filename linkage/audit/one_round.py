"""The whole audit of one round: that it bites, then every attack of `tokens` against its bar, and what a leak costs.

Rule: the control is the unbudgeted form. Tokens of every part of the same rows, however many share them, must fall, and
the same tokens dealt out at random must name nobody; else the audit says "inconclusive".
"""

from __future__ import annotations

import secrets
from functools import partial

import numpy as np

from keys.derive import RunKey
from linkage.agreement import Agreement
from linkage.audit import evidence as across
from linkage.audit import tokens
from linkage.audit.finding import Finding
from linkage.audit.scheme import any_key, take
from linkage.audit.suite import SAMPLE, SMALL, Audit, Plan, Progress, sorted_out, spell, work_off
from linkage.audit.tokens import Recipe
from linkage.bars import Bars
from linkage.model import Records

WHOLE = 25_000
"""Rows attacked at most: the fewer are drawn of a file, the fewer values they share."""
CONTROL = (
    "The control for tokens is the unbudgeted form: tokens of every part of a combination by itself, however many rows"
    " share them."
)
_FILE = "people, combination of each token"


def audit_tokens(
    people: Records,
    agreement: Agreement,
    *,
    key: RunKey | None = None,
    bars: Bars | None = None,
    sample: int = SAMPLE,
    seed: int | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Audit what a file sends in one round.

    people: the file in plain text, or public stand-ins. key: of a run, for the very tokens it sends; else one that
    nobody keeps. sample: sides of evidence attacked; tokens are attacked of all rows up to WHOLE. seed: as in `audit`.
    """
    bars = bars or Bars()
    rng = np.random.default_rng(secrets.randbits(64) if seed is None else seed)
    recipe = Recipe(agreement.combinations, agreement.terms.tokens)
    some = people if len(people) <= WHOLE else take(people, np.sort(rng.permutation(len(people))[:WHOLE]))
    key = key or any_key()
    plan = token_plan(some, recipe, key, rng)
    plan += _evidence_plan(some, agreement, recipe, key, min(sample, SMALL), rng)
    found: list[Finding] = work_off(plan, bars, progress)
    cost = tokens.with_the_key(some, recipe)
    seconds = cost.seconds(len(people), len(people))
    told = across.distinguish(some, agreement.schema)
    budget = recipe.terms.most_sharing
    return Audit(
        f"{agreement.token_profile.title if agreement.token_profile else 'tokens'} of one round, budget {budget}",
        len(people),
        f"attacked the tokens of {len(some):,} of {len(people):,} rows, and evidence of a sample of them",
        *sorted_out(found),
        None,
        f"If the secret leaks: everybody who has a token ({cost.share:.0%}), in {spell(seconds)} on this machine.",
        round(seconds, 1),
        {"tags_z": told.tags_z, "filters_z": told.filters_z, "pairs": told.pairs},
        CONTROL,
    )


def token_plan(people: Records, recipe: Recipe, key: RunKey, rng: np.random.Generator) -> Plan:
    """What must fall, what must not, and every attack on the tokens of some people under a key."""
    return [*_bite_plan(people, recipe, rng), *_plan(people, recipe, key, rng)]


def _bite_plan(people: Records, recipe: Recipe, rng: np.random.Generator) -> Plan:
    """The control, which must fall, and the same tokens where they tell nothing."""
    loose = tokens.one_file(people, recipe.loose(), rng)
    noise = loose.dealt_out(rng)
    attack = tokens.shared_values
    return [
        ("bites: tokens without a budget", "people", "bite", partial(attack, loose)),
        ("stays at chance: tokens at random", "people", "chance", partial(attack, noise)),
        (
            "stays at chance: tokens at random",
            "people, one row in 15 known",
            "chance",
            partial(attack, noise.knowing(len(people) // 15, rng)),
        ),
    ]


def _plan(people: Records, recipe: Recipe, key: RunKey, rng: np.random.Generator) -> Plan:
    size = len(people)
    plan: Plan = [
        ("dictionary without the key", "people", "none", partial(tokens.equal_tokens, people, recipe, key)),
        ("from one run to the next", "people named in a run", "none", partial(tokens.equal_tokens, people, recipe)),
    ]
    graphs = [
        (
            "shared tokens",
            _FILE,
            tokens.one_file(people, recipe, rng, key=key),
            sorted({0, min(100, size // 10), size // 10}),
        )
    ]
    for overlap in (0.5, 0.2):
        given = f"people of whom {overlap:.0%} are there, the same"
        graph = tokens.one_file(people, recipe, rng, overlap=overlap)
        graphs.append(("shared tokens", given, graph, [0, min(100, size // 20)]))
    joined = tokens.two_halves(people, recipe, rng)
    graphs.append(("shared tokens, two files joined", "people of both", joined, [0, min(100, size // 10)]))
    for name, given, graph, counts in graphs:
        for known in counts:
            # A tenth known is for the record: the bar is held with up to 100 known.
            family = "none" if not known else "known" if known <= 100 else "record"
            said = given + (f", {known:,} known" if known else "")
            plan.append((name, said, family, partial(tokens.shared_values, graph.knowing(known, rng))))
    return plan


def _evidence_plan(
    people: Records, agreement: Agreement, recipe: Recipe, key: RunKey, most: int, rng: np.random.Generator
) -> Plan:
    some, made = tokens.opened(people, agreement.schema, recipe, key, most, rng)
    if len(some) < 2:
        return []
    world = tokens.rows_of(some, rng, min(100, len(some) // 10))
    own = across.sides(world.people, agreement.schema)
    sides = made.take(world.filters[:, 0].astype(np.int64))
    given = f"people, one side each, opened, {len(world.known)} known"
    return [
        (
            "evidence across tokens: tags and filters",
            given,
            "evidence",
            partial(across.content_attack, world, sides, own),
        ),
        (
            "evidence across tokens: what is present",
            given,
            "record",
            partial(across.presence_attack, world, sides, own),
        ),
    ]
