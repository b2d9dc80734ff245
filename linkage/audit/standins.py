"""People to attack where no plaintext may be at hand: a census of the pretend county, public and always the same."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linkage.intake.mapping import Mapping, Source
from linkage.intake.records import take_in
from linkage.intake.table import Table
from linkage.model import Records
from linkage.schema import Kind, Schema
from linkage.synth.county import TODAY
from linkage.synth.people import make_people
from linkage.synth.tables import load_tables

COLUMNS = {
    Kind.FORENAME: "forename",
    Kind.SURNAME: "surname",
    Kind.DATE: "born",
    Kind.POSTCODE: "postcode",
    Kind.SEX: "sex",
    Kind.TEXT: "address",
}
"""What a census of the county holds; fields of other kinds stay empty."""


def census(schema: Schema, people: int, seed: int = 1) -> Records:
    """Men and women of the pretend county in households, complete and spelt as they are, in no order.

    people: how many; seed: the same seed gives the same people.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    county = make_people(rng, load_tables(), max(people, 500), TODAY)
    # Whole households from the start, so that a census of any size has as many relatives as the county.
    rows = rng.permutation(np.flatnonzero(_among_the_first(county.partner, county.men, people)))[:people]
    cells = {
        "id": [str(row) for row in rows.tolist()],
        "forename": county.forename[rows].tolist(),
        "surname": county.surname[rows].tolist(),
        "born": county.born[rows].astype(str).tolist(),
        "postcode": county.map.postcodes[county.units[rows, 0]].tolist(),
        "sex": np.where(rows < county.men, "M", "F").tolist(),
        "address": [str(line) for line in county.map.addresses(county.units[rows, 0], county.houses[rows, 0])],
    }
    table = Table(tuple(cells), tuple(cells.values()), np.arange(2, len(rows) + 2, dtype=np.int32))
    used = {field.kind: field.name for field in reversed(schema.fields) if field.kind in COLUMNS}
    return take_in(table, _mapping(used), schema).records


def _among_the_first(partner: NDArray[np.int32], men: int, people: int) -> NDArray[np.bool_]:
    held = np.arange(len(partner)) < min(men, round(people * 0.6))
    held[partner[held & (partner >= 0)]] = True
    return held if held.sum() >= people else np.ones(len(partner), bool)


def _mapping(used: dict[Kind, str]) -> Mapping:
    return Mapping(id="id", fields={name: Source((COLUMNS[kind],)) for kind, name in used.items()}, dates="iso")
