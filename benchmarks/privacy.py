"""The attack suite on census-like public people: plain filters, hardenings, our screening, evidence and one round.

    python benchmarks/privacy.py [--quick] [--records N] [--json] [--profile NAME] [--write docs/privacy.md]
    python benchmarks/privacy.py --pair LEFT.csv RIGHT.csv --truth-column NAME [--kept SHARE] [--records N] [--json]

--pair attacks, in one round, two real files joined, by somebody who holds both in plain text: all rows, and N people
drawn five times. --quick attacks 3,000 records (or N) of plain CLK, our screening, evidence and one round, and ends in
a few minutes of two cores. Without it come 24,000 records, attacks on filters with nobody known, which take longest,
the common hardenings (with somebody known only) and the text of an audit. What is under way and what it found is said
on stderr.
People are a census of the pretend county (linkage.synth), the same every time.
JSON keys plain_clk, screening, evidence (mean of 20 draws) and one_round: the highest share of records re-identified by
any attack at 100 % overlap with 100 known records (of 24,000 records too, where they were attacked).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from functools import partial
from pathlib import Path

import hardenings
import joined
import msgspec
import numpy as np

from linkage import toml
from linkage.agreement import Agreement, load, resolve
from linkage.audit import evidence, graph, plaintext, sparse, tokens, union, unseeded
from linkage.audit.finding import measure
from linkage.audit.scheme import any_key, of_profile, take
from linkage.audit.standins import census
from linkage.audit.words import audit_text
from linkage.audit.world import World, make_world
from linkage.resources import resource
from linkage.terms import Profile, Screening

SMALL, LARGE = 3_000, 24_000
DEFAULT = Screening().profile
SCREENING = "screening"
"""Its rows of the table, filters and tokens."""
FOREIGN = Path(__file__).parent.parent / "docs" / "privacy-foreign.md"
"""Attacks run by hand from their authors' code: written by hand too, a section of the page."""
ATTACKED = 4_000
"""Rows attacked of the larger file, each with all its people to choose from."""
KNOWN = 100
DRAWS = 20
"""Of evidence, whose share is their mean: one draw names a person or two by luck, and its bar lies at three."""
AUDITED = 1_000
"""Rows attacked for the audit shown; the figures above it are of all."""


def tell(what):
    """A line on stderr: what begins, and when."""
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


def attacks(scheme, people, rng, *, nobody=True, two=False):
    """Nobody known (the longest), 100 known, 500 pairs to learn from: what each attack finds.

    two: of two files of these people, the second with slips, whose rows are joined.
    """
    none = union.joined(people, scheme, rng) if two else make_world(scheme.encode(people, any_key()), people, rng)
    # Worlds of the same rows share their graphs, which take longest.
    known, learn = none.knowing(KNOWN, rng), none.knowing(min(500, len(people) // 4), rng)
    return {
        "none": [measure("graph", "people", "none", partial(graph.graph_attack, none, scheme))] if nobody else [],
        "known": [
            measure("graph", "100 known", "known", partial(graph.graph_attack, known, scheme)),
            measure("growing", "100 known", "known", partial(plaintext.grow, known, scheme)),
        ],
        "plaintext": [measure("learnt", "500 pairs", "plaintext", partial(plaintext.known_plaintext, learn, scheme))],
    }


def large(scheme, people, rng, known):
    """Too many for a whole graph: grown from rows known, on a sample of rows, each against everybody."""
    everybody = make_world(scheme.encode(people, any_key()), people, rng, known=known)
    rows = np.concatenate([everybody.known, rng.permutation(everybody.unknown)[:ATTACKED]])
    truth = everybody.truth[rows]
    world = World(everybody.filters[rows], everybody.people, truth, np.arange(known))
    return measure("growing", f"{known:,} known", "known", partial(plaintext.grow, world, scheme, rounds=3))


def whole(scheme, people, rng, known):
    """Every row of the file against everybody, through the graph's columns of known rows and of those named since."""
    world = make_world(scheme.encode(people, any_key()), people, rng, known=known)
    return measure("sparse graph", f"{known:,} known", "known", partial(sparse.sparse_attack, world, scheme))


def nobody_known(scheme, people, rng):
    """Every row of the file against everybody, with nothing to begin from but whom each resembles."""
    world = make_world(scheme.encode(people, any_key()), people, rng)
    return measure("graph", "people", "none", partial(unseeded.unseeded_attack, world, scheme, rng))


def of_evidence(people, schema, rng):
    """Share named in sides of evidence under pair keys of their own, 100 known, over draws of keys and of the known."""
    return float(np.mean([_evidence_named(people, schema, rng).share for _ in range(DRAWS)]))


def _evidence_named(people, schema, rng):
    world = make_world(np.zeros((len(people), 1), np.uint64), people, rng, known=KNOWN)
    own, sides = (evidence.sides(world.people, schema) for _ in range(2))
    attack = partial(evidence.content_attack, world, sides.take(world.truth), own)
    return measure("evidence", "100 known", "evidence", attack)


def of_tokens(people, recipe, rng, key=None):
    """Tokens of one file and of two joined: nobody known and 100."""
    graphs = [tokens.one_file(people, recipe, rng, key=key), tokens.two_halves(people, recipe, rng)]
    none, known = (max(_share(graph.knowing(count, rng)) for graph in graphs) for count in (0, KNOWN))
    return {"none": none, "known": known, "plaintext": None}


def of_one_round(people, agreement, rng):
    """Tokens as above, and evidence under them; and the control."""
    recipe, run = tokens.Recipe(agreement.combinations, agreement.terms.tokens), any_key()
    found = of_tokens(people, recipe, rng, run)
    some, made = tokens.opened(people, agreement.schema, recipe, run, len(people), rng)
    world = tokens.rows_of(some, rng, KNOWN)
    own = evidence.sides(world.people, agreement.schema)
    sides = made.take(world.filters[:, 0].astype(np.int64))
    opened = measure("evidence", "100 known", "evidence", partial(evidence.content_attack, world, sides, own)).share
    control = tokens.one_file(people, recipe.loose(), rng).knowing(KNOWN, rng)
    return found | {"known": max(found["known"], opened), "unbudgeted": _share(control)}


def _share(graph):
    return measure("tokens", "", "", partial(tokens.shared_values, graph)).share


def of_large(plain, screened, people, rng):
    """Shares found at 24,000 records, by name."""
    found = {"records": len(people)}
    for name, attack, scheme, known in (
        ("plain CLK, 10 % known", large, plain, LARGE // 10),
        ("plain CLK, 10 % known, graph", whole, plain, LARGE // 10),
        ("screening, 100 known", large, screened, KNOWN),
        ("screening, 10 % known", large, screened, LARGE // 10),
        ("screening, 100 known, graph", whole, screened, KNOWN),
        ("screening, 10 % known, graph", whole, screened, LARGE // 10),
    ):
        tell(f"{name}: {len(people):,} records")
        found[name] = attack(scheme, people, rng, known).share
        tell(f"{name}: {found[name]:.2%}")
    for name, scheme in {"plain CLK": plain, "screening": screened}.items():
        named = f"{name}, nobody known, graph"
        tell(f"{named}: {len(people):,} records")
        found[named] = nobody_known(scheme, people, rng).share
        tell(f"{named}: {found[named]:.2%}")
    return found


def run(args):
    agreement = load(resource("examples", "rehearse"))
    schema, rng = agreement.schema, np.random.default_rng(7)
    people = census(schema, args.records if args.quick else LARGE)
    few = take(people, np.arange(args.records))
    screening = msgspec.structs.replace(agreement.terms.screening, profile=args.profile)
    agreement = resolve(msgspec.structs.replace(agreement.terms, screening=screening))
    ours = agreement.profile
    plain = of_profile(toml.read(resource("profiles", "plain-2026-11"), Profile), schema)
    screened = of_profile(ours, schema)
    others = {} if args.quick else hardenings.schemes(schema)
    report = {"mode": " --quick" if args.quick else "", "records": args.records, "profile": ours.title, "encodings": {}}
    if not args.quick:  # first, because it takes longest
        report["large"] = of_large(plain, screened, people, rng)
    joined = f"{SCREENING}, two files joined"
    for name, scheme in {"plain CLK": plain, **others, SCREENING: screened, joined: screened}.items():
        tell(f"{name}: {args.records:,} records")
        start = time.perf_counter()
        found = attacks(scheme, few, rng, nobody=not args.quick and name not in others, two=name == joined)
        row = {family: max((each.share for each in made), default=None) for family, made in found.items()}
        tell(f"{name}: {row}")
        report["encodings"][name] = row | {"seconds": round(time.perf_counter() - start)}
    if agreement.tokens:
        tell("tokens beside the filter")
        recipe = tokens.Recipe(agreement.combinations, agreement.tokens)
        report["encodings"][f"{SCREENING}: its tokens, one file and two joined"] = of_tokens(few, recipe, rng)
    report["plain_clk"] = report["encodings"]["plain CLK"]["known"]
    known = [row["known"] for name, row in report["encodings"].items() if name.startswith(SCREENING)]
    at_large = [share for name, share in report.get("large", {}).items() if name.startswith("screening, 100 known")]
    report["screening"] = max(known + at_large)
    tell("evidence")
    report["evidence"] = of_evidence(few, schema, rng)
    tell("one round")
    short = load(resource("examples", "rehearse-one-round"))
    report["tokens"] = of_one_round(few, short, rng)
    report["one_round"] = report["tokens"]["known"]
    if not args.quick:
        tell("the audit")
        report["audit"] = union.audit_union(few, agreement, sample=min(AUDITED, args.records // 2), seed=1)
    tell("done")
    return report


def of_pair(args):
    """Two real files joined, under the terms for rehearsing in one round."""
    agreed = load(resource("examples", "rehearse-one-round"))
    budget = agreed.terms.tokens if args.kept is None else msgspec.structs.replace(agreed.terms.tokens, kept=args.kept)
    terms = msgspec.structs.replace(agreed.terms, tokens=budget)
    agreed = Agreement(terms, agreed.profile, agreed.token_profile)
    return joined.report(args.pair, args.truth_column, agreed, args.records, (0, KNOWN))


def page(report):
    """The report as docs/privacy.md."""
    lines = [
        "# Privacy, measured",
        "",
        f"Made by `python benchmarks/privacy.py{report['mode']} --write docs/privacy.md`; do not edit.",
        f"A census of the pretend county: {report['records']:,} records; the attacker holds all their people.",
        "Share re-identified, best attack:",
        "",
        f"| encoding | nobody known | 100 known | {min(500, report['records'] // 4)} pairs to learn from |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {_cell(row['none'])} | {row['known']:.2%} | {_cell(row['plaintext'])} |"
        for name, row in report["encodings"].items()
    ]
    its, chance = report["tokens"], 1 / (report["records"] - KNOWN)
    lines += [
        f"| evidence, one side a person, {DRAWS} draws (chance: {chance:.2%}) | | {report['evidence']:.2%} | |",
        f"| one round: tight tokens, two files joined, opened evidence | {its['none']:.2%} | {its['known']:.2%} | |",
        "",
        f"Without a budget, the parts of tokens by themselves: {its['unbudgeted']:.1%} with 100 known.",
        "",
    ]
    if "large" in report:
        shares = {name: share for name, share in report["large"].items() if name != "records"}
        lines += [f"At {report['large']['records']:,} records:", ""]
        lines += [f"- {name}: {share:.2%}" for name, share in shares.items()] + [""]
    if "audit" in report:
        text = report["audit"] if isinstance(report["audit"], str) else audit_text(report["audit"])
        lines += ["The audit of the screening profile (`linkage audit`):", "", "```", text, "```", ""]
    # One heading deeper, so that it is a section of this page.
    return "\n".join([*lines, FOREIGN.read_text("utf-8").replace("\n## ", "\n### ").replace("# ", "## ", 1)])


def _cell(share):
    return "" if share is None else f"{share:.2%}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--records", type=int, default=SMALL)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--profile", default=DEFAULT)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--pair", type=Path, nargs=2)
    parser.add_argument("--truth-column")
    parser.add_argument("--kept", type=float, help="share of values that give a token, in place of the example's")
    args = parser.parse_args()
    if args.pair:
        found = of_pair(args)
        print(json.dumps(found, indent=2) if args.json else joined.words(found))
        return
    report = run(args)
    if args.json:
        told = {"audit": report["audit"].to_json()} if "audit" in report else {}
        print(json.dumps(report | told, indent=2))
    else:
        print(page(report))
    if args.write:
        args.write.write_text(page(report), "utf-8")


if __name__ == "__main__":
    main()
