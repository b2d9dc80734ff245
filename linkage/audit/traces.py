"""What shows in packages to somebody who holds nothing else: no key, no plaintext, no truth.

Filters and sides of evidence come in, Traces go out: what is seen, what chance would show, and by how many standard
errors they differ. Screening is meant to show who resembles whom, so some traces are its purpose; the point is to know
which. Evidence is meant to show nothing across pairs.
Rule: counts and shares only.
"""

from __future__ import annotations

import zlib
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.audit.scheme import Matrix, agreement
from linkage.audit.world import signs
from linkage.layout import FILTER_BITS, FILTER_WEIGHT
from linkage.model import Evidence, Screening

Filters = NDArray[np.uint64]
SAMPLE, COLUMNS, SIDES, ACROSS, TURNS = 2000, 1024, 20_000, 1000, 16
"""Rows and bits of screening, sides of evidence, and rows of each of two runs looked at of more; drawn at random."""
ERRORS = 5.0
"""Standard errors from chance at which something shows: by chance once in two million looks."""


@dataclass(frozen=True)
class Trace:
    """One look at a package. seen, chance: in words. errors: standard errors between them, None where it is a fact."""

    where: str
    what: str
    seen: str
    chance: str
    errors: float | None = None

    @property
    def shows(self) -> bool:
        """Differs from chance, or tells a fact."""
        return self.errors is None or bool(abs(self.errors) > ERRORS)

    def to_json(self) -> dict[str, object]:
        """For a program."""
        return asdict(self) | {"shows": self.shows}


def of_screening(screening: Screening, where: str, package_bytes: int, seed: int = 0) -> list[Trace]:
    """What shows in one file's screening encodings. package_bytes: length of its sealed package."""
    people, rng = len(screening), np.random.default_rng(seed)
    several = (np.bincount(screening.owner, minlength=max(people, 1)) > 1).mean()
    facts = [
        Trace(where, "size", f"{package_bytes:,} bytes for {people:,} people", "one size for all"),
        Trace(where, "people with several filters", f"{several:.1%}", "nobody or everybody"),
    ]
    drawn = _drawn(screening, rng)
    if len(drawn) < 2:
        return facts
    codes = signs(drawn)
    count, bits = codes.shape
    alike = agreement(codes)[np.triu_indices(count, 1)].astype(np.float64)
    columns, rows = (codes.mean(axis=axis, dtype=np.float64) for axis in (0, 1))
    together = _together(codes[:, rng.permutation(bits)[:COLUMNS]])
    equal = count - len(np.unique(drawn, axis=0))
    nearest = f"the nearest share {(1 + alike.max()) / 2:.1%} of bits"
    spread = f"{np.sqrt(alike.var() * bits):.2f} times noise; {nearest}"
    joined = f"{np.sqrt((together**2).mean() * count):.2f} times noise"
    return [
        *facts,
        # The mean of n fair signs has variance 1 / n: n times its squares are chi-square.
        Trace(where, "bits set more often than others", _range(columns), "50.0%", _spread(columns, 1 / count)),
        Trace(where, "rows fuller than others", _range(rows), "50.0%", _spread(rows, 1 / bits)),
        Trace(where, "rows that are equal", f"{equal:,} of {count:,}", "0", None if equal else 0.0),
        Trace(where, "spread of resemblance", spread, "1.00 times noise", _spread(alike, 1 / bits)),
        Trace(where, "bits that go together", joined, "1.00 times noise", _spread(together, 1 / count)),
    ]


def between_runs(one: Screening, two: Screening, where: str, seed: int = 0) -> list[Trace]:
    """Whether a file's rows of one run can be found again in the next."""
    rng = np.random.default_rng(seed)
    common = len({bytes(row) for row in one.pseudonyms} & {bytes(row) for row in two.pseudonyms})
    found = [Trace(where, "pseudonyms of one run in the other", f"{common:,}", "0", None if common else 0.0)]
    sides = [signs(_drawn(each, rng)[:ACROSS]) for each in (one, two)]
    if min(len(side) for side in sides) < 2:
        return found
    left, right = (side - side.mean(axis=0) for side in sides)  # how often a bit is set is another look's business
    alike = float(((left @ right.T) ** 2).mean(dtype=np.float64))
    # Bits of one file hang together, so chance is not fair coins but the same rows with their bits in another order.
    turned = [((left @ right[:, rng.permutation(right.shape[1])].T) ** 2).mean(dtype=np.float64) for _ in range(TURNS)]
    chance, error = float(np.mean(turned)), max(float(np.std(turned, ddof=1)), 1e-9)
    seen = f"{np.sqrt(alike / max(chance, 1e-9)):.3f} times as with bits in another order"
    return [*found, Trace(where, "resemblance across runs", seen, "1.000 times", (alike - chance) / error)]


def of_evidence(evidence: Evidence, notes: NDArray[np.uint8], where: str, seed: int = 0) -> list[Trace]:
    """What shows in one party's evidence, side against side; each is keyed by a pair of its own. notes: (m, length)."""
    evidence = evidence.take(np.random.default_rng(seed).permutation(len(evidence))[:SIDES])
    count = len(evidence)
    kinds, sizes = np.unique(evidence.presence, axis=0, return_counts=True)
    alone = sizes[sizes == 1].sum() / max(count, 1)
    facts = [
        Trace(where, "which fields are there", f"{len(kinds)} ways; {alone:.1%} of sides alone with theirs", "one way"),
        Trace(where, "lengths of sealed notes", f"all {notes.shape[1]} bytes", "all one length", 0.0),
    ]
    if count < 2:
        return facts
    equal = sum(_met(column) for column in evidence.tags.T)
    expected = count * (count - 1) / 2 * evidence.tags.shape[1] * 2.0**-32
    data = evidence.tags.tobytes()
    often = np.bincount(np.frombuffer(data, np.uint8), minlength=256)
    squares = float(((often - len(data) / 256) ** 2).sum() / (len(data) / 256))
    packed = len(zlib.compress(data, 9)) / len(data)
    common, errors = _in_common(evidence.filters)
    # So small a count is no normal number: an error of at least a half, so that one chance meeting is not five.
    meeting = (equal - expected) / max(float(np.sqrt(expected)), 0.5)
    by_chance = f"{FILTER_WEIGHT**2 / FILTER_BITS:.3f}"
    return [
        *facts,
        Trace(where, "tags equal across pairs", f"{equal:,.0f}", f"{expected:,.1f}", meeting),
        Trace(where, "bytes of tags", f"compress to {packed:.1%}", "100.0%", (squares - 255) / float(np.sqrt(510))),
        Trace(where, "bits filters of two pairs share", f"{common:.3f}", by_chance, errors),
    ]


def _drawn(screening: Screening, rng: np.random.Generator) -> Filters:
    """One filter each of some people. Their order is not random: opening a package sorts them."""
    first = np.unique(screening.owner, return_index=True)[1]
    return np.asarray(screening.filters[rng.permutation(first)[:SAMPLE]])


def _together(codes: Matrix) -> NDArray[np.float64]:
    """Correlations of every two bits over the rows; bits that never change have none."""
    varied = codes[:, codes.std(axis=0) > 0]
    standard = (varied - varied.mean(axis=0)) / varied.std(axis=0)
    alike = standard.T @ standard / np.float32(len(codes))
    return np.asarray(alike[np.triu_indices(alike.shape[0], 1)], np.float64)


def _met(values: NDArray[np.uint32]) -> float:
    """Pairs of equal values."""
    times = np.unique(values, return_counts=True)[1].astype(np.float64)
    return float((times * (times - 1) / 2).sum())


def _in_common(filters: NDArray[np.uint64]) -> tuple[float, float]:
    """Mean bits that two sides' filters of one field share, over all pairs of sides, and its error from chance."""
    count, fields = filters.shape[:2]
    set_ = np.zeros((fields, FILTER_BITS), np.int64)
    for field in range(fields):
        set_[field] = np.unpackbits(np.ascontiguousarray(filters[:, field]).view(np.uint8), axis=1).sum(axis=0)
    pairs = fields * count * (count - 1) / 2
    common = float((set_ * (set_ - 1) / 2).sum() / pairs)
    share = FILTER_WEIGHT / FILTER_BITS
    # Of one pair the number is hypergeometric; of different pairs of independent filters it is uncorrelated.
    variance = FILTER_WEIGHT * share * (1 - share) ** 2 * FILTER_BITS / (FILTER_BITS - 1)
    return common, float((common - FILTER_WEIGHT * share) / np.sqrt(variance / pairs))


def _range(means: NDArray[np.float64]) -> str:
    low, high = np.quantile((1 + means) / 2, [0.05, 0.95])
    return f"{low:.1%} to {high:.1%}"


def _spread(values: NDArray[np.float64], variance: float) -> float:
    """Standard errors by which values about nought spread more than with this variance (chi-square)."""
    return float(((values**2).sum() / variance - len(values)) / np.sqrt(2 * len(values)))
