"""The agencies' flags, in long form: one row for each category an agency holds about one of its people.

Rule: codes of the agreed vocabulary only; basis, date and status on every row (R19); independent of who is an anchor.
"""

from __future__ import annotations

import numpy as np

from linkage.synth.damage import Dates
from linkage.synth.desk import date_texts
from linkage.synth.tables import FlagShares, Words

Rng = np.random.Generator
ACTIVE_YEARS = 2
"""What is still active began at most so long ago."""


def make_flags(rng: Rng, table: FlagShares, party: str, local_ids: Words, today: np.datetime64) -> dict[str, Words]:
    """Columns local_id, code, basis, date (ISO), status; rows in the order of codes, then of local ids."""
    rows: list[Words] = []
    codes: list[Words] = []
    for code, share in table.shares[party].items():
        chosen = np.sort(local_ids[rng.random(len(local_ids)) < share])
        rows.append(chosen)
        codes.append(np.full(len(chosen), code, dtype=object))
    ids, code_column = np.concatenate(rows), np.concatenate(codes)
    status = _drawn(rng, table.status, len(ids))
    years = np.where(status == "ACTIVE", ACTIVE_YEARS, table.years)
    dates: Dates = today - (rng.random(len(ids)) * years * 365).astype("timedelta64[D]")
    basis = _drawn(rng, table.basis, len(ids))
    basis[np.isin(code_column.astype(str), table.always_fact)] = "FACT"
    return {
        "local_id": ids,
        "code": code_column,
        "basis": basis,
        "date": date_texts(dates, "iso"),
        "status": status,
    }


def _drawn(rng: Rng, shares: dict[str, float], count: int) -> Words:
    names = np.array(list(shares), dtype=object)
    chances = np.array(list(shares.values()))
    drawn: Words = names[rng.choice(len(names), size=count, p=chances / chances.sum())]
    return drawn
