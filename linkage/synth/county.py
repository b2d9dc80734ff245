"""A whole pretend county: who is in which agency's file, what the file says, and the truth that no party reads.

A number of men and a seed come in, a County goes out. Rule: same numbers, same county, to the last byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from linkage.errors import UsageProblemError
from linkage.resources import resource
from linkage.synth import files
from linkage.synth.agencies import EXPORTS, Columns
from linkage.synth.anchors import childrens_services, father_weights, make_families
from linkage.synth.desk import Desk, Numbers, Rows
from linkage.synth.flags import make_flags
from linkage.synth.identifiers import cro_numbers, nhs_numbers, pnc_numbers
from linkage.synth.people import NOBODY, Population, make_people
from linkage.synth.tables import Sources, Tables, load_tables

Rng = np.random.Generator
ANCHOR_PARTY = "childrens_services"
PEOPLE = 20_000
"""Men of the demonstration; 400,000 make a county of 1.2 million."""
FEWEST = 500
TODAY = np.datetime64("2026-11-02")
"""The day of all exports, unless another is given; a fixed one, so that a county can be made again."""
SCANDAL = 3.0
"""Log weight by which a police record makes a probation record likelier."""


@dataclass(frozen=True, repr=False)
class Source:
    """One party's export: a table, perhaps flags, the mapping to the agreement's fields.

    person: (r,) the true person of each row, never written into the party's own folder.
    """

    party: str
    columns: Columns
    flags: Columns
    mapping: str
    person: Rows
    form: files.Form

    def __len__(self) -> int:
        return len(self.person)

    def __repr__(self) -> str:
        return f"Source({self.party}, rows={len(self)})"


@dataclass(frozen=True, repr=False)
class County:
    """All parties' exports by party, the anchors' party first, and the people behind them."""

    sources: Mapping[str, Source]
    population: Population

    def truth(self) -> Columns:
        """Columns party, local_id, person: every local id of every file once."""
        parts = []
        for party, source in self.sources.items():
            local_ids = next(iter(source.columns.values()))
            _, once = np.unique(local_ids.astype(str), return_index=True)  # a father of twins has one id and two rows
            once.sort()
            parts.append((np.full(len(once), party, dtype=object), local_ids[once], source.person[once]))
        parties, ids, persons = (np.concatenate(column) for column in zip(*parts, strict=True))
        codes = np.array([f"P{number:07d}" for number in persons.tolist()], dtype=object)
        return {"party": parties, "local_id": ids, "person": codes}

    def __repr__(self) -> str:
        return f"County({', '.join(f'{party}={len(source)}' for party, source in self.sources.items())})"


def make_county(people: int, seed: int, today: np.datetime64 = TODAY) -> County:
    """The county of `people` men (and the women around them) that belongs to a seed.

    Sizes of files follow `people` as configs/synth/sources.toml says: 20,000 men give 1,000 anchors.
    Raises UsageProblemError for too few people.
    """
    if people < FEWEST:
        raise UsageProblemError(f"a county has at least {FEWEST} men", "ask for more people")
    rng, tables = np.random.Generator(np.random.PCG64(seed)), load_tables()
    population = make_people(rng, tables, people, today)
    rows = _draw_rows(rng, tables.sources, population, today)
    numbers = _draw_numbers(rng, population, rows)
    life, wanted = tables.sources.county, round(tables.sources.rows[ANCHOR_PARTY] * people)
    families = make_families(rng, life, rows[ANCHOR_PARTY], wanted, today)
    sources: dict[str, Source] = {}
    for party in tables.sources.sources:
        desk = Desk(population, numbers, tables.variants, tables.sources.sources[party], rng, today)
        person = families.person if party == ANCHOR_PARTY else rows[party]
        columns = childrens_services(desk, families) if party == ANCHOR_PARTY else EXPORTS[party](desk, person)
        flags = _flags(rng, tables, party, columns, today)
        mapping = resource("synth", f"mapping_{party}").read_text("utf-8")
        sources[party] = Source(party, columns, flags, mapping, person, files.FORMS[party])
    return County(sources, population)


def write_county(county: County, folder: Path) -> None:
    """Write every party's folder (its file, flags.csv, mapping.toml) and truth.csv beside them.

    Raises OutputExistsError where the folder already holds anything.
    """
    with files.new_folder(folder) as new:
        for party, source in county.sources.items():
            (new / party).mkdir()
            files.write_table(new / party / f"{party}{source.form.suffix}", source.columns, source.form)
            if source.flags:
                files.write_table(new / party / "flags.csv", source.flags, files.PLAIN)
            (new / party / "mapping.toml").write_text(source.mapping, "utf-8", newline="\n")
        files.write_table(new / "truth.csv", county.truth(), files.PLAIN)


def _flags(rng: Rng, tables: Tables, party: str, columns: Columns, today: np.datetime64) -> Columns:
    if party not in tables.sources.flags.shares:
        return {}
    return make_flags(rng, tables.sources.flags, party, next(iter(columns.values())), today)


def _draw_rows(rng: Rng, sources: Sources, people: Population, today: np.datetime64) -> dict[str, Rows]:
    """Who is in which file, in no order; of children's services the men only, for their rows follow from children."""
    men, pull = people.men, sources.pull
    sizes = {party: round(share * men) for party, share in sources.rows.items()}
    fathers = round(sizes[ANCHOR_PARTY] / (1 + sources.county.two_children))
    weights = father_weights(people, today) + pull[ANCHOR_PARTY] * people.trouble[:men]
    rows: dict[str, Rows] = {ANCHOR_PARTY: _heaviest(rng, weights, fathers)}
    for party in EXPORTS:
        women = round(sources.women[party] * sizes[party])
        if party == "housing":
            rows[party] = _tenants(rng, sources, people, (women, sizes[party] - women), people.ages(today) >= 18)
            continue
        weights = pull[party] * people.trouble
        if party == "probation":
            weights[rows["police"]] += SCANDAL
        share = 1 + sources.sources[party].duplicates
        one = [
            _heaviest(rng, weights[:men], round((sizes[party] - women) / share)),
            men + _heaviest(rng, weights[men:], round(women / share)),
        ]
        persons = np.concatenate(one)
        again = rng.choice(persons, size=sizes[party] - len(persons), replace=False)
        rows[party] = rng.permutation(np.concatenate([persons, again]))
    return rows


def _tenants(rng: Rng, sources: Sources, people: Population, sizes: tuple[int, int], adult: NDArray[np.bool_]) -> Rows:
    """Tenants: so many women, of whose partners a part have a row, and men, most on their own account."""
    women, men = sizes
    weights = np.where(adult, sources.pull["housing"] * people.trouble, -np.inf)
    tenants = people.men + _heaviest(rng, weights[people.men :], women)
    partners = people.partner[tenants]
    partners = partners[partners != NOBODY]
    joint = partners[rng.random(len(partners)) < sources.sources["housing"].has_partner][:men]
    weights[partners] = -np.inf  # whose partner is a tenant without him has no row, whatever else he does
    alone = _heaviest(rng, weights[: people.men], men - len(joint))
    return rng.permutation(np.concatenate([tenants, joint, alone]))


def _heaviest(rng: Rng, weights: NDArray[np.float64], count: int) -> Rows:
    """`count` different places drawn with probability following exp(weight), in random order.

    Source: Efraimidis & Spirakis 2006, "Weighted random sampling with a reservoir" (in its Gumbel form).
    """
    keys = weights + rng.gumbel(size=len(weights))
    return np.argsort(-keys)[:count].astype(np.int64)


def _draw_numbers(rng: Rng, people: Population, rows: Mapping[str, Rows]) -> Numbers:
    """Identifiers of the people in the files that hold them."""
    nhs, pnc, cro = (np.full(len(people), "", dtype=object) for _ in range(3))
    patients = np.unique(np.concatenate([rows[party] for party in (ANCHOR_PARTY, "mental_health", "drugs_alcohol")]))
    nhs[patients] = nhs_numbers(rng, len(patients)).astype(str).astype(object)
    arrested = np.unique(np.concatenate([rows["police"], rows["probation"]]))
    born = people.born[arrested].astype("datetime64[Y]").astype(np.int64) + 1970
    years = np.minimum(born + 14 + rng.integers(0, 14, size=len(arrested)), 2026)
    pnc[arrested], cro[arrested] = pnc_numbers(rng, years), cro_numbers(rng, len(arrested))
    return Numbers(nhs, pnc, cro)
