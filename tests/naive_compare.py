"""A plain twin of comparing: every condition of every ladder over all pairs at once, in the order a reader expects."""

import numpy as np

from linkage.layout import DATE_DIGITS, FILTER_WEIGHT, POSTCODE_CHARACTERS, YEAR_WINDOW
from linkage.match.kernels_compare import BY_CHANCE, NAME_CUTS, TEXT_CUTS
from linkage.model import Comparisons
from linkage.schema import LEVELS, MISSING, Kind

PLACE = {kind: {level.name: place for place, level in enumerate(levels)} for kind, levels in LEVELS.items()}


def similarity(left, right):
    """Share of common tokens in the longer value, from constant-weight filters.

    left, right: (m, 8) uint64. Returns (m,) float64, about 0 for unrelated values, 1 for equal ones.
    The overlap expected by chance of two filters of equal weight is taken off (Swamidass & Baldi 2007, section 3).
    """
    common = np.bitwise_count(left & right).sum(axis=1, dtype=np.int64)
    return np.asarray((common - BY_CHANCE) / (FILTER_WEIGHT - BY_CHANCE))


def compare(one, two, layout):
    """Levels, rarity and crossed of row r with row r, as in model.Comparisons."""
    fields = [_best(one, two, layout, place, place) for place in range(len(layout.schema))]
    levels, rarity = (np.stack(part, axis=1) for part in zip(*fields, strict=True))
    crossed = np.full((len(one), 2), MISSING, np.int8)
    forename, surname = layout.schema.index(Kind.FORENAME), layout.schema.index(Kind.SURNAME)
    if forename is not None and surname is not None:
        crossed[:, 0] = _best(one, two, layout, forename, surname)[0]
        crossed[:, 1] = _best(one, two, layout, surname, forename)[0]
    return Comparisons(levels, rarity, crossed)


def _best(one, two, layout, left, right):
    """Strongest level over all value pairs of two fields, and the rarity bucket where names agree exactly."""
    best = np.full(len(one), np.iinfo(np.int8).max, np.int8)
    rarity = np.full(len(one), -1, np.int8)
    for a in (slot for slot in layout.slots if slot.field == left):
        for b in (slot for slot in layout.slots if slot.field == right):
            both = (one.presence[:, a.presence] > 0) & (two.presence[:, b.presence] > 0)
            if not both.any():
                continue
            rows = np.flatnonzero(both)
            level, bucket = _LEVELLERS[a.kind](one.take(rows), two.take(rows), a, b)
            better = level < best[rows]
            best[rows[better]] = level[better]
            if bucket is not None:
                rarity[rows[better]] = bucket[better]
    best[best == np.iinfo(np.int8).max] = MISSING
    return best, rarity


def _equal(one, two, a, b):
    """Any tag of one group equal to any tag of the other, (m,)."""
    return np.asarray((one.tags[:, a, None] == two.tags[:, None, b]).any(axis=(1, 2)))


def _aligned(one, two, a, b):
    """How many tags of two groups are equal place by place, (m,)."""
    return np.asarray((one.tags[:, a] == two.tags[:, b]).sum(axis=1))


def _first_true(size, ladder, otherwise):
    """First level of a ladder whose condition holds, row by row."""
    level = np.full(size, otherwise, np.int8)
    for place, holds in reversed(ladder):
        level[holds] = place
    return level


def _names(one, two, a, b):
    place = PLACE[Kind.FORENAME]
    hits = one.tags[:, a.group("exact"), None] == two.tags[:, None, b.group("exact")]
    alike = similarity(one.filters[:, a.filter], two.filters[:, b.filter])
    # Where one side is a mere initial, spelling has nothing to say: "J" and "J" are not almost the same name.
    whole = (one.presence[:, a.presence] == 2) & (two.presence[:, b.presence] == 2)
    initial = _equal(one, two, a.group("initial"), b.group("initial"))
    close, similar, distant = (whole & (alike >= cut) for cut in NAME_CUTS)
    level = _first_true(
        len(one),
        [
            (place["same"], hits.any(axis=(1, 2))),
            (place["variant"], _equal(one, two, a.group("root"), b.group("root"))),
            (place["close"], close),
            (place["sounds"], _equal(one, two, a.group("sound"), b.group("sound"))),
            (place["similar"], similar),
            (place["distant"], distant),
            (place["initial"], initial),
        ],
        place["different"],
    )
    # The left side's own bucket; both sides' buckets are the same unless their files differ much in size.
    bucket = np.where(level == place["same"], hits.any(axis=2).argmax(axis=1), -1).astype(np.int8)
    return level, bucket


def _dates(one, two, a, b):
    place = PLACE[Kind.DATE]
    whole = (one.presence[:, a.presence] == 2) & (two.presence[:, b.presence] == 2)
    day, month, year = (_aligned(one, two, a.group(part), b.group(part)) > 0 for part in ("day", "month", "year"))
    digits = _aligned(one, two, a.group("digit"), b.group("digit"))
    parts = slice(a.group("day").start, a.group("month").stop)  # day and month stand side by side
    swapped = _aligned(one, two, parts, b.group("swap")) == 2
    window = (one.tags[:, a.group("window"), None] == two.tags[:, None, b.group("window")]).any(axis=2).sum(axis=1)
    far = YEAR_WINDOW - window >= YEAR_WINDOW
    level = _first_true(
        len(one),
        [
            (place["same"], whole & (_aligned(one, two, a.group("exact"), b.group("exact")) > 0)),
            # Before anything that resembles: a son born on his father's birthday differs in a digit or two (R11).
            (place["generation"], far),
            (place["digit"], whole & (digits >= DATE_DIGITS - 1)),
            (place["swapped"], whole & swapped & year),
            (place["two_parts"], whole & ((day & month) | (month & year) | (day & year))),
            (place["year_only"], ~whole & year),
            (place["two_digits"], whole & (digits >= DATE_DIGITS - 2)),
            (place["year"], whole & year),
        ],
        place["different"],
    )
    return level, None


def _postcodes(one, two, a, b):
    place = PLACE[Kind.POSTCODE]
    whole = (one.presence[:, a.presence] == 2) & (two.presence[:, b.presence] == 2)
    characters = _aligned(one, two, a.group("character"), b.group("character"))
    ladder = [(place["same"], _equal(one, two, a.group("exact"), b.group("exact")))]
    ladder.append((place["typo"], whole & (characters >= POSTCODE_CHARACTERS - 1)))
    ladder += [(place[part], _equal(one, two, a.group(part), b.group(part))) for part in ("sector", "district", "area")]
    return _first_true(len(one), ladder, place["different"]), None


def _texts(one, two, a, b):
    place = PLACE[Kind.TEXT]
    alike = similarity(one.filters[:, a.filter], two.filters[:, b.filter])
    ladder = [(place["same"], _equal(one, two, a.group("exact"), b.group("exact")))]
    ladder += [
        (place[name], alike >= cut) for name, cut in zip(("close", "similar", "distant"), TEXT_CUTS, strict=True)
    ]
    return _first_true(len(one), ladder, place["different"]), None


def _phones(one, two, a, b):
    place = PLACE[Kind.PHONE]
    ladder = [
        (place["same"], _equal(one, two, a.group("exact"), b.group("exact"))),
        (place["ending"], _equal(one, two, a.group("ending"), b.group("ending"))),
    ]
    return _first_true(len(one), ladder, place["different"]), None


def _exact(one, two, a, b):
    return np.where(_equal(one, two, a.group("exact"), b.group("exact")), 0, 1).astype(np.int8), None


_LEVELLERS = {
    Kind.FORENAME: _names,
    Kind.SURNAME: _names,
    Kind.DATE: _dates,
    Kind.POSTCODE: _postcodes,
    Kind.TEXT: _texts,
    Kind.PHONE: _phones,
    Kind.SEX: _exact,
    Kind.IDENTIFIER: _exact,
}
