"""The fixed sentences of every output: cautions, the base rate, and words for codes.

Codes and numbers come in, sentences go out.
Rule: one place for each sentence, so that the sheet, the CSV and the public page never disagree.
Plain ASCII, because some spreadsheet programmes guess a wrong character set.
"""

from __future__ import annotations

from datetime import date

from linkage.model import Anchor
from linkage.release.links import Band, LinkView, Rate, RunSummary, Withheld, is_date

CAUTION = (
    ("Identity is unconfirmed.", "Two records look alike. They may describe two different men."),
    ("This is not a finding of risk.", "It says who may know him, not what he will do."),
    (
        "Do not tell him.",
        "Do not mention this to him or to anyone around him before his identity and safety are clear.",
    ),
    (
        "Do not file it where others can read.",
        "Never in a jointly visible record, a shared letter or a parent's notes.",
    ),
)
"""R28: what every output says, as (headline, explanation)."""

BASE_RATE = (
    "About 1 birth in 4,700 led to an incident of harm to the baby, known or suspected, by a father or male carer: "
    "over 99 % of flagged fathers will never harm a baby."
)
"""Source: Child Safeguarding Practice Review Panel 2021, "The Myth of Invisible Men" (257 babies in two years)."""

NOT_RECORDED = "not recorded"
NEVER_A_CLEARANCE = "Nothing found is never a clearance."
TEST = "TEST RUN - invented people. Do not act on anything here."

BANDS = {
    Band.STRONG: "Very probably the same man. Still unconfirmed.",
    Band.PROBABLE: "Quite possibly the same man, possibly another. Confirm before anything else.",
    Band.REVIEW: "Some details point to the same man, others against it. A person must look.",
}
BAND_NAMES = {Band.STRONG: "Strong match", Band.PROBABLE: "Probable match", Band.REVIEW: "Match for review"}

WITHHELD = {
    Withheld.NOTHING: "",
    Withheld.PROBABLE: (
        "Not released yet: the match is only probable. Together with the desk, first confirm a further identifier."
    ),
    Withheld.REVIEW: "Not released: details contradict each other. The desk must first settle whether this is one man.",
    Withheld.ASK_US: "The agency answers in person only: known there, ring the desk.",
    Withheld.NOT_RELEASED: "The agency decided not to release categories for this link. Ring the desk to learn more.",
    Withheld.NOT_ANSWERED: "The agency has not yet authorised a release. Silence is not consent: ring the desk.",
}
NO_CATEGORY = "The agency sent no category for this record. That is not a clearance: ring the desk."

ROLES = {"PERPETRATOR": "causing harm", "VICTIM": "harmed", "SUBJECT": "about him"}
RELATIONS = {
    "FATHER": "father",
    "STEPFATHER": "stepfather",
    "PARTNER": "partner in the household",
    "OTHER": "other male carer",
}
PATERNITIES = {"CONFIRMED": "confirmed", "STATED": "stated to a service", "ASSUMED": "assumed", "UNKNOWN": "not known"}
SENSES = {"agree": "Agrees", "near": "Nearly", "disagree": "Differs", "missing": "Not known"}


MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def long_date(day: date) -> str:
    """A date as people here write it, whatever the machine's language."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def relation(anchor: Anchor) -> str:
    """Relation to the child in words; anything outside the agreed codes stays unsaid."""
    return RELATIONS.get(anchor.relation.upper(), NOT_RECORDED)


def paternity(anchor: Anchor) -> str:
    """Certainty of paternity in words (R48)."""
    return PATERNITIES.get(anchor.paternity.upper(), PATERNITIES["UNKNOWN"])


def due(anchor: Anchor) -> str:
    """Due or birth date, empty where the record has no whole date."""
    return anchor.due_date if is_date(anchor.due_date) else ""


def why_no_flags(link: LinkView) -> str:
    """The sentence that stands where flags would; never an empty place that could be read as "nothing known"."""
    return WITHHELD[link.withheld] or NO_CATEGORY


def rounded(count: int) -> str:
    """A count as it may leave: under 5 suppressed, others to the nearest 5 (R42)."""
    return "fewer than 5" if count < 5 else f"{5 * ((count + 2) // 5):,}"


def percent(share: float, least: int = 0) -> str:
    """A share in [0, 1] in words, with at least so many decimals; none is rounded to a false nought or all."""
    value = 100 * share
    if value in (0.0, 100.0):
        return f"{value:.0f} %"
    if value < 0.01:
        return "less than 0.01 %"
    if value > 99.99:
        return "more than 99.99 %"
    digits = 2 if value < 1 or value > 99.9 else 1 if value < 10 or value > 99 else 0
    return f"{value:.{max(digits, least)}f} %"


def rate(expected: Rate | None) -> str:
    """An expected error rate with its interval in words."""
    if expected is None:
        return "not estimated in this run"
    return f"{percent(expected.expected)} (between {percent(expected.low)} and {percent(expected.high)})"


def search_statement(summary: RunSummary) -> str:
    """R29 in one sentence after the other: agencies, dates, usable fields and the expected miss rate."""
    agencies = "; ".join(
        f"{agency.title} ({rounded(agency.rows)} records; usable: {usable(agency.usable)})"
        for agency in summary.agencies
    )
    return (
        f"{NEVER_A_CLEARANCE} Searched on {summary.searched_on.isoformat()}: {agencies or 'no agency'}. "
        f"Expected missed links: {rate(summary.missed)}. Agencies that did not take part were not searched."
    )


def usable(fields: tuple[tuple[str, float], ...]) -> str:
    """Fields with the share of rows that have them."""
    return ", ".join(f"{title} {percent(share)}" for title, share in fields) or "nothing"


def short_search(summary: RunSummary) -> str:
    """R29 in one line for each sheet; the overview has it in full."""
    names = ", ".join(agency.title for agency in summary.agencies) or "no agency"
    return (
        f"Searched on {long_date(summary.searched_on)}: {names}. Expected missed links: {rate(summary.missed)}; "
        "the usable fields are on the overview."
    )
