"""Two real files joined by their tokens in one round: what somebody names who holds both in plain text."""

from __future__ import annotations

import numpy as np

from linkage.audit import tokens
from linkage.audit.finding import measure
from linkage.audit.scheme import take
from linkage.intake.records import take_in
from linkage.intake.suggest import suggest
from linkage.intake.table import read_table

DRAWS = 5
"""Times that a part of the people is drawn, each under a key of its own."""


def read(paths, column, schema):
    """Both files standardised, and the true person of every row of both, one after the other."""
    tables = [read_table(path) for path in paths]
    parts = [take_in(table, suggest(table.columns, schema), schema).records for table in tables]
    told = [
        dict(zip(part.local_ids, table.column(column), strict=True)) for part, table in zip(parts, tables, strict=True)
    ]
    names = [told[nth][one] for nth, part in enumerate(parts) for one in part.local_ids]
    return parts, np.unique(names, return_inverse=True)[1]


def attacked(parts, person, agreement, people, known, rng):
    """Share of rows named with so many people known, by number known. people: how many are drawn; all when None."""
    drawn = rng.permutation(person.max() + 1)[:people]
    held = np.split(np.isin(person, drawn), [len(parts[0])])
    some = [take(part, np.flatnonzero(rows)) for part, rows in zip(parts, held, strict=True)]
    recipe = tokens.Recipe(agreement.combinations, agreement.terms.tokens)
    graph = tokens.two_files(some, person[np.concatenate(held)], recipe, rng)
    worlds = {count: graph.knowing(count, rng) for count in known}
    return {
        count: measure("", "", "", lambda world=world: tokens.shared_values(world)).share
        for count, world in worlds.items()
    }


def report(paths, column, agreement, people, known, seed=7):
    """Figures of all rows, and of parts of so many people: mean and highest of some draws."""
    rng, (parts, person) = np.random.default_rng(seed), read(paths, column, agreement.schema)
    found = {"kept": agreement.terms.tokens.kept, "rows": len(person)}
    found["all rows"] = _named([attacked(parts, person, agreement, None, known, rng)], known)
    drawn = [attacked(parts, person, agreement, people, known, rng) for _ in range(DRAWS)]
    return found | {f"{people:,} people": _named(drawn, known)}


def _named(draws, known):
    shares = {count: [each[count] for each in draws] for count in known}
    return {f"{count} known": {"mean": float(np.mean(its)), "highest": max(its)} for count, its in shares.items()}


def words(found):
    """The report, a line each."""
    lines = [f"{found['rows']:,} rows of two files, {found['kept']:.0%} of values kept; share of rows named:"]
    for what, its in found.items():
        if isinstance(its, dict):
            lines += [
                f"- {what}, {count}: {one['mean']:.2%} (highest {one['highest']:.2%})" for count, one in its.items()
            ]
    return "\n".join(lines)
