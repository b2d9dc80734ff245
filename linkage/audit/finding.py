"""What one attack found, and what an audit is held to.

Rule: counts, shares and words only; which record was found never leaves the attack.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from linkage.match.recall import wilson

_ONCE_IN_A_THOUSAND = 3.29  # standard normal, two-sided


@dataclass(frozen=True)
class Guess:
    """Outcome of an attack: of `records` attacked, `found` were rightly named; chance: what guessing would find."""

    records: int
    found: int
    chance: float


@dataclass(frozen=True)
class Finding:
    """One attack, in the words and numbers of the report.

    family: what the bar is about ("none", "known", "plaintext", "evidence"), or what shows that the audit counts:
    "bite" for a control that must fall, "chance" for noise that must not. bar: highest share allowed, or None
    where the row is shown for the record. low, high: 95 % Wilson interval of the share re-identified.
    """

    name: str
    given: str
    family: str
    records: int
    found: int
    share: float
    low: float
    high: float
    chance: float
    seconds: float
    bar: float | None = None

    @property
    def above(self) -> bool:
        """Above its bar: more people are found than the agreement allows.

        The share itself counts, not its interval: doubt is the defender's, except that luck is no finding. Attacks
        report the best of several ways, so what chance explains once in a thousand is still luck.
        """
        surely = wilson(self.found, self.records, _ONCE_IN_A_THOUSAND)[0]
        return self.bar is not None and self.share > self.bar and surely > self.chance

    def to_json(self) -> dict[str, object]:
        """For a program."""
        return asdict(self) | {"above": self.above}


def measure(name: str, given: str, family: str, attack: Callable[[], Guess], bar: float | None = None) -> Finding:
    """Run an attack and note how long it took."""
    start = time.perf_counter()
    guess = attack()
    seconds = time.perf_counter() - start
    share = guess.found / guess.records if guess.records else 0.0
    low, high = wilson(guess.found, guess.records)
    low, high = min(low, share), max(high, share)  # at 0 and 1 rounding must not put the share outside
    return Finding(
        name, given, family, guess.records, guess.found, share, low, high, guess.chance, round(seconds, 2), bar
    )
