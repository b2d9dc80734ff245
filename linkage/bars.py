"""How many people an encoding may give away, and what happens to a profile or a package that gives away more.

Measured shares come in, a refusal or warnings go out.
Rule: what was not measured counts as everybody; only the agreement, in writing, can accept more than the bars.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from linkage.errors import AboveTheBarError
from linkage.terms import Profile, Terms


@dataclass(frozen=True)
class Bars:
    """Highest shares re-identified that the agreement allows, by what the attacker knows beforehand."""

    none: float = 0.01
    known: float = 0.02
    plaintext: float = 0.05
    evidence: float = 0.001

    def of(self, family: str) -> float | None:
        """The bar of a family of findings, None for one that is shown for the record."""
        bars: dict[str, float | None] = {
            "none": self.none, "known": self.known, "plaintext": self.plaintext, "evidence": self.evidence
        }  # fmt: skip
        return bars.get(family)


NAMES_ALONE = 0.01
"""Share of a file's people encoded by their names alone above which `encode` warns.

Of 24,000 people of the pretend county 1 % make hardly a set of rows that cancel out, 5 % four and 10 % fifty
(`python benchmarks/names_alone.py`); real names are less evenly spread.
"""

KNOWING = {
    "none": "with nobody known",
    "known": "with 100 people known",
    "plaintext": "learnt from 500 known pairs",
    "evidence": "by evidence across pairs",
}
"""What the attacker knows beforehand, in words."""


def measured(profile: Profile) -> dict[str, float]:
    """Shares re-identified by family of attack, as the profile states them; everybody where it states none."""
    if profile.measured is None:
        return {"none": 1.0, "known": 1.0, "plaintext": 1.0}
    its = profile.measured
    return {"none": its.nobody_known, "known": its.known_100, "plaintext": its.plaintext_500}


def check_profile(terms: Terms, profile: Profile) -> list[str]:
    """Warnings about an agreement's screening profile. Raises AboveTheBarError when it may not be used.

    In one-round no screening encoding leaves an agency.
    """
    if terms.protocol == "one-round":
        return []
    what = f"the profile '{terms.screening.profile}'"
    if profile.measured is None:
        what += ", whose attacks were never measured,"
    return hold(terms, what, measured(profile), "choose another profile in configs/profiles")


def check_names(alone: int, people: int) -> list[str]:
    """A warning where more than NAMES_ALONE of a file's people are encoded by their names alone."""
    return [of_names(alone, people)] if alone > NAMES_ALONE * people else []


def of_names(alone: int, people: int) -> str:
    """What it means that so many of a file's people are encoded by their names alone."""
    return (
        f"{alone:,} of {people:,} people ({alone / people:.1%}) are encoded by their names alone: published attacks see"
        " among such rows, and only there, which of them share names; leave them out, they can hardly be linked either"
    )


def hold(terms: Terms, what: str, shares: Mapping[str, float], hint: str) -> list[str]:
    """Hold shares re-identified to the bars, or to the share the agreement accepts.

    shares: by family of attack. Returns what must still be said: of test agreements, and of what was accepted.
    Raises AboveTheBarError.
    """
    above = [f"{share:.1%} {KNOWING[name]}; the bar is {bar:.1%}" for name, share, bar in _above(shares)]
    if not above:
        return []
    headline = f"{what} gives away {above[0]}"
    # What is accepted is accepted of screening; evidence keeps its bar.
    accepted = terms.screening.accepted_reidentification
    if all(name != "evidence" and share <= accepted for name, share, _ in _above(shares)):
        return [f"{headline}, and up to {accepted:.1%} is accepted: {terms.screening.accepted_because}"]
    budget = terms.tokens
    if budget.most_sharing > 1 and "evidence" not in [name for name, _, _ in _above(shares)]:
        return [f"{headline}, and a budget of {budget.most_sharing} is accepted: {budget.accepted}"]
    if terms.test:
        return [f"{headline}: allowed in a test agreement only"]
    figure = "accepted_reidentification and accepted_because in [screening]"
    how = "" if terms.protocol == "one-round" else f", or accept the figure in the agreement: {figure}"
    raise AboveTheBarError(headline, hint + how, above)


def _above(shares: Mapping[str, float]) -> Sequence[tuple[str, float, float]]:
    bars = Bars()
    return [(name, share, bar) for name, share in shares.items() if (bar := bars.of(name)) and share > bar]
