"""The attack suite on census-like public people: plain filters, common hardenings, our screening, our evidence.

    python benchmarks/privacy.py [--quick] [--records N] [--json] [--profile NAME] [--write docs/privacy.md]

--quick attacks 3,000 records (or N); without it 24,000 as well. People are a census of the pretend county
(linkage.synth), the same every time.
JSON keys plain_clk, screening and evidence: the highest share of records re-identified by any attack at 100 % overlap
with 100 known records (for 24,000 records too, where they were attacked).
"""

from __future__ import annotations

import argparse
import json
import time
from functools import partial
from pathlib import Path

import hardenings
import numpy as np

from linkage import toml
from linkage.agreement import load
from linkage.audit import evidence, graph, plaintext, sparse
from linkage.audit.finding import measure
from linkage.audit.scheme import any_key, of_profile, take
from linkage.audit.standins import census
from linkage.audit.suite import audit
from linkage.audit.words import audit_text
from linkage.audit.world import World, make_world
from linkage.resources import resource
from linkage.terms import Profile

SMALL, LARGE = 3_000, 24_000
FOREIGN = Path(__file__).parent.parent / "docs" / "privacy-foreign.md"
"""Attacks run by hand from their authors' code: written by hand too, a section of the page."""
ATTACKED = 4_000
"""Rows attacked of the larger file, each with all its people to choose from."""
KNOWN = 100


def attacks(scheme, people, rng):
    """Nobody known, 100 known, 500 pairs to learn from: what each attack finds."""
    sent = scheme.encode(people, any_key())
    none, known = (make_world(sent, people, rng, known=count) for count in (0, KNOWN))
    learn = make_world(sent, people, rng, known=min(500, len(people) // 4))
    return {
        "none": [measure("graph", "people", "none", partial(graph.graph_attack, none, scheme))],
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


def of_evidence(people, schema, rng):
    """Sides of evidence under pair keys of their own, 100 known."""
    world = make_world(np.zeros((len(people), 1), np.uint64), people, rng, known=KNOWN)
    own, sides = (evidence.sides(world.people, schema) for _ in range(2))
    attack = partial(evidence.content_attack, world, sides.take(world.truth), own)
    return measure("evidence", "100 known", "evidence", attack)


def run(args):
    agreement = load(resource("examples", "rehearse"))
    schema, rng = agreement.schema, np.random.default_rng(7)
    people = census(schema, args.records if args.quick else LARGE)
    few = take(people, np.arange(args.records))
    ours = toml.read(resource("profiles", args.profile), Profile)
    schemes = {
        "plain CLK": of_profile(toml.read(resource("profiles", "plain-2026-11"), Profile), schema),
        **hardenings.schemes(schema),
        ours.title: of_profile(ours, schema),
    }
    report = {"records": args.records, "profile": ours.title, "encodings": {}}
    for name, scheme in schemes.items():
        start = time.perf_counter()
        found = attacks(scheme, few, rng)
        report["encodings"][name] = {family: max(each.share for each in made) for family, made in found.items()}
        report["encodings"][name]["seconds"] = round(time.perf_counter() - start)
    if not args.quick:
        plain, screened = schemes["plain CLK"], schemes[ours.title]
        report["large"] = {
            "records": LARGE,
            "plain CLK, 10 % known": large(plain, people, rng, LARGE // 10).share,
            "plain CLK, 10 % known, graph": whole(plain, people, rng, LARGE // 10).share,
            "screening, 100 known": large(screened, people, rng, KNOWN).share,
            "screening, 10 % known": large(screened, people, rng, LARGE // 10).share,
            "screening, 100 known, graph": whole(screened, people, rng, KNOWN).share,
            "screening, 10 % known, graph": whole(screened, people, rng, LARGE // 10).share,
        }
    report["plain_clk"] = report["encodings"]["plain CLK"]["known"]
    report["screening"] = max(
        report["encodings"][ours.title]["known"], report.get("large", {}).get("screening, 100 known", 0)
    )
    report["evidence"] = of_evidence(few, schema, rng).share
    report["audit"] = audit(few, schema, ours, sample=args.records // 2, seed=1)
    return report


def page(report):
    """The report as docs/privacy.md."""
    lines = [
        "# Privacy, measured",
        "",
        "Made by `python benchmarks/privacy.py --write docs/privacy.md`; do not edit. A census of the pretend county:",
        f"{report['records']:,} records; the attacker holds all their people. Share re-identified, best attack:",
        "",
        f"| encoding | nobody known | 100 known | {min(500, report['records'] // 4)} pairs to learn from |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {row['none']:.1%} | {row['known']:.1%} | {row['plaintext']:.1%} |"
        for name, row in report["encodings"].items()
    ]
    lines += [f"| evidence, one side a person | | {report['evidence']:.2%} | |", ""]
    if "large" in report:
        lines += [f"At {report['large'].pop('records'):,} records:", ""]
        lines += [f"- {name}: {share:.2%}" for name, share in report["large"].items()] + [""]
    text = report["audit"] if isinstance(report["audit"], str) else audit_text(report["audit"])
    lines += ["The audit of the screening profile (`linkage audit`):", "", "```", text, "```", ""]
    # One heading deeper, so that it is a section of this page.
    return "\n".join([*lines, FOREIGN.read_text("utf-8").replace("\n## ", "\n### ").replace("# ", "## ", 1)])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--records", type=int, default=SMALL)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--profile", default="diffused-2026-11")
    parser.add_argument("--write", type=Path)
    args = parser.parse_args()
    report = run(args)
    if args.json:
        print(json.dumps(report | {"audit": report["audit"].to_json()}, indent=2))
    else:
        print(page(dict(report)))
    if args.write:
        args.write.write_text(page(dict(report)), "utf-8")


if __name__ == "__main__":
    main()
