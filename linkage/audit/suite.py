"""The whole audit: first that it bites, then every attack against its bar, at last what a leaked key costs.

People of a file and the scheme come in (and, where there are any, the very filters to be sent); findings and a verdict
go out. Rule: an audit that does not re-identify its control, or that finds people in noise, says "inconclusive".
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from linkage import toml
from linkage.audit import evidence as across
from linkage.audit import graph, guessing, homomorphism, leaks, plaintext
from linkage.audit.finding import Finding, Guess, measure
from linkage.audit.frequency import pattern_attack
from linkage.audit.scheme import Scheme, any_key, of_profile, take
from linkage.audit.world import World, make_world
from linkage.bars import Bars
from linkage.encode.screening import names_alone
from linkage.model import Records
from linkage.resources import resource
from linkage.schema import Schema
from linkage.terms import Profile

BITES = 0.95
"""Share of a plain filter's people that must fall before an audit says anything."""
CLK = "plain-2026-11"
"""The plain filter that must fall: as it is published, whatever the profile audited weighs."""
SAMPLE = 2000
SMALL = 1500
XOR_SAMPLE = 300
PASS_IS_NO_PROOF = "A pass is not a proof: it says that these attacks failed, not that every attack will."  # noqa: S105

Progress = Callable[[str, int, int], None]
Plan = list[tuple[str, str, str, Callable[[], Guess]]]
"""Attacks: name, what the attacker is given, family, and the attack itself."""
Verdict = Literal["within the bars", "above the bars", "inconclusive"]


@dataclass(frozen=True)
class Audit:
    """What came out. sampling, leak, control: sentences. bites: what must fall first, then what must stay at chance.

    fill_correlation: None where there are no filters. distinguished: of evidence across pairs or tokens.
    names_alone: of the whole file, people whose filters hold names and nothing else; None where there are no filters.
    """

    encoding: str
    people: int
    sampling: str
    bites: tuple[Finding, ...]
    findings: tuple[Finding, ...]
    fill_correlation: float | None
    leak: str
    leak_seconds: float
    distinguished: dict[str, float]
    control: str = "The control is a plain filter of the same rows."
    names_alone: int | None = None

    @property
    def verdict(self) -> Verdict:
        """By the bars; inconclusive when attacks bite on noise, or find nothing above a bar and do not bite at all."""
        controls, noise = ([each for each in self.bites if each.family == one] for one in ("bite", "chance"))
        if any(each.low > max(5 * each.chance, 0.005) for each in noise):
            return "inconclusive"
        if any(each.above for each in self.findings):
            return "above the bars"
        return "inconclusive" if any(each.share < BITES for each in controls) else "within the bars"

    @property
    def highest(self) -> Finding:
        """The attack with a bar that found most."""
        return max((each for each in self.findings if each.bar is not None), key=lambda each: each.share)

    def to_json(self) -> dict[str, Any]:
        """For a program."""
        return {
            "encoding": self.encoding,
            "people": self.people,
            "sampling": self.sampling,
            "verdict": self.verdict,
            "control": self.control,
            "bites": [each.to_json() for each in self.bites],
            "findings": [each.to_json() for each in self.findings],
            "fill_correlation": self.fill_correlation,
            "names_alone": self.names_alone,
            "evidence_across_pairs": self.distinguished,
            "leak": self.leak,
            "leak_seconds": self.leak_seconds,
            "note": PASS_IS_NO_PROOF,
        }


def audit(
    people: Records,
    schema: Schema,
    profile: Profile,
    *,
    filters: NDArray[np.uint64] | None = None,
    bars: Bars | None = None,
    sample: int = SAMPLE,
    seed: int | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Audit the encoding of a file.

    people: the file in plain text, or public stand-ins. filters: (n, w) the first filter of each person in the same
    order, as they will be sent; without them the people are encoded under a key nobody keeps. sample: rows attacked.
    seed: of what is drawn; keys are never seeded.
    """
    bars = bars or Bars()
    rng = np.random.default_rng(secrets.randbits(64) if seed is None else seed)
    scheme = of_profile(profile, schema)
    drawn = np.sort(rng.permutation(len(people))[: 2 * sample])  # twice, so that a smaller overlap has others to list
    key = any_key()
    chosen = take(people, drawn)
    sent = scheme.encode(chosen, key) if filters is None else filters[drawn]
    plan = [*_bite_plan(chosen, schema, profile, sample, rng), *_plan(chosen, sent, scheme, schema, sample, rng)]
    found = work_off(plan, bars, progress)
    world = make_world(sent, chosen, rng, take=min(sample, SMALL))
    cost = guessing.with_the_key(_under(key, world, scheme), scheme, key)
    seconds = cost.seconds(len(people), len(people))
    told = across.distinguish(chosen, schema)
    return Audit(
        profile.title,
        len(people),
        f"attacked {min(sample, len(people)):,} of {len(people):,} rows, drawn at random",
        *sorted_out(found),
        round(leaks.fill_correlation(world, scheme), 3),
        f"If the secret leaks: everybody ({cost.share:.0%} of those tried), in {spell(seconds)} on this machine.",
        round(seconds, 1),
        {"tags_z": told.tags_z, "filters_z": told.filters_z, "pairs": told.pairs},
        names_alone=names_alone(people, schema, profile),
    )


def work_off(plan: Plan, bars: Bars, progress: Progress | None) -> list[Finding]:
    """Every attack of a plan, one after the other, held to its bar."""
    tell, found = progress or (lambda *_: None), []
    for nth, (name, given, family, attack) in enumerate(plan):
        tell(name, nth, len(plan))
        found.append(measure(name, given, family, attack, bars.of(family)))
    tell("attacks", len(plan), len(plan))
    return found


def sorted_out(found: Sequence[Finding]) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """What must fall or stay at chance for the audit to count, and the attacks."""
    bites = tuple(each for each in found if each.family in ("bite", "chance"))
    return bites, tuple(each for each in found if each not in bites)


def spell(seconds: float) -> str:
    """So many seconds, in words."""
    return f"{seconds:,.0f} seconds" if seconds >= 1 else "less than a second"


def _under(key: Any, world: World, scheme: Scheme) -> World:
    """The same world encoded under a key that is about to leak."""
    filters = scheme.encode(world.people, key)
    return World(filters, world.people, np.arange(len(world.people)), np.empty(0, np.int64))


def _bite_plan(people: Records, schema: Schema, profile: Profile, sample: int, rng: np.random.Generator) -> Plan:
    """A plain filter of the same rows, which must fall, and noise, in which nobody may be found."""
    plain = of_profile(toml.read(resource("profiles", CLK), Profile), schema)
    clk = make_world(plain.encode(people, any_key()), people, rng, take=sample)
    shape = (len(people), profile.sent_bits // 64)
    noise = make_world(rng.integers(0, 1 << 63, shape).astype(np.uint64) << np.uint64(1), people, rng, take=SMALL)
    seeded = World(noise.filters, noise.people, noise.truth, np.arange(0, len(noise.truth), 15))
    scheme = of_profile(profile, schema)
    return [
        ("bites: a plain filter of these rows", "people, scheme", "bite", partial(graph.graph_attack, clk, plain)),
        ("stays at chance: noise", "people, scheme", "chance", partial(graph.graph_attack, noise, scheme)),
        (
            "stays at chance: noise",
            "people, scheme, one row in 15 known",
            "chance",
            partial(plaintext.known_plaintext, seeded, scheme),
        ),
    ]


def _plan(
    people: Records,
    sent: NDArray[np.uint64],
    scheme: Scheme,
    schema: Schema,
    sample: int,
    rng: np.random.Generator,
) -> Plan:
    draw = partial(make_world, sent, people, rng)
    whole = draw(take=sample)
    size = len(whole.truth)
    plan: Plan = [
        ("frequency and pattern mining", "people, tokens", "none", partial(pattern_attack, whole, schema)),
        ("how full a filter is", "people, scheme", "none", partial(leaks.fill_attack, whole, scheme)),
        ("how near a row is to all", "people, scheme", "none", partial(leaks.nearness_attack, whole, scheme)),
        ("dictionary without the key", "people, scheme", "none", partial(guessing.dictionary, whole, scheme)),
        ("from one run to the next", "people named in a run", "none", partial(guessing.next_run, whole, scheme)),
        ("similarity graph", "people, scheme", "none", partial(graph.graph_attack, whole, scheme)),
    ]  # fmt: skip
    for known in sorted({min(100, size // 10), size // 100, size // 10}):
        given = f"people, scheme, {known:,} known"
        world = whole.knowing(known, rng)
        # A tenth known is for the record: the bar is held with up to 100 known.
        family = "known" if known <= 100 else "record"
        plan.append(("similarity graph", given, family, partial(graph.graph_attack, world, scheme)))
        plan.append(("known rows, growing", given, family, partial(plaintext.grow, world, scheme)))
    for overlap in (0.5, 0.2):
        part = draw(take=min(sample, SMALL), overlap=overlap)
        for known in (0, min(100, size // 20)):
            world = part.knowing(known, rng)
            given = f"people of whom {overlap:.0%} are there, scheme" + (f", {known} known" if known else "")
            attack = partial(graph.graph_attack, world, scheme, overlap)
            plan.append(("similarity graph", given, "known" if known else "none", attack))
    few = draw(take=min(XOR_SAMPLE, size))
    plan.append(
        (
            "XOR of few codes",
            f"people, scheme; {len(few.truth)} rows",
            "none",
            partial(homomorphism.xor_attack, few, scheme),
        )
    )
    some = few.knowing(10, rng)
    plan.append(("XOR of few codes", "the same, 10 known", "known", partial(homomorphism.xor_attack, some, scheme)))
    learn = whole.knowing(min(500, size // 4), rng)
    given = f"people, scheme, {len(learn.known)} pairs to learn from"
    plan.append(("known plaintext", given, "plaintext", partial(plaintext.known_plaintext, learn, scheme)))
    return plan + _evidence_plan(draw(take=min(sample, SMALL), known=min(100, size // 10)), schema)


def _evidence_plan(world: World, schema: Schema) -> Plan:
    own = across.sides(world.people, schema)
    sides = across.sides(world.people, schema).take(np.maximum(world.truth, 0))
    given = f"people, one side each under keys of their own, {len(world.known)} known"
    return [
        (
            "evidence across pairs: tags and filters",
            given,
            "evidence",
            partial(across.content_attack, world, sides, own),
        ),
        ("evidence across pairs: what is present", given, "record", partial(across.presence_attack, world, sides, own)),
    ]
