"""The worklist for people: an overview and one printable A4 sheet per link.

Opened links and the run's summary come in, one self-contained HTML text goes out (R26 to R29, R34, R50).
Rule: order by due date, child and agency (R18); cautions on every sheet; nothing that names anybody (R27).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from linkage.release import sentences
from linkage.release.flags import ShownFlag, prompts, shown_flags
from linkage.release.links import Band, FieldAgreement, LinkView, RunSummary, in_order
from linkage.release.page import render
from linkage.vocabulary import Vocabulary

BAR_WIDTH = 160.0
"""Units of the weight chart's view box."""


@dataclass(frozen=True)
class Setting:
    """How much a way of setting a sheet takes: millimetres, and characters a line; measured in print."""

    name: str
    fixed: float
    field: float
    flag: float
    line: float
    category: int
    basis: int
    prompt: int


SETTINGS = (
    Setting("roomy", fixed=208, field=6.4, flag=2.3, line=4.7, category=32, basis=17, prompt=20),
    Setting("dense", fixed=188, field=5.2, flag=1.4, line=4.2, category=34, basis=18, prompt=22),
)
CLOSEST = "tight"
"""The setting when no other fits one page: 19 categories and 16 fields still do."""

PAGE = 280.0
"""Millimetres of an A4 page to fill: the rest is for the test line and for fonts that run wider."""


def worklist_html(
    links: Iterable[LinkView], summary: RunSummary, vocabulary: Vocabulary, test_mode: bool = False
) -> str:
    """Overview and sheets, byte-identical for the same links in any order (R36).

    test_mode: watermark and a line on every sheet (R50). Raises ReleaseError when a flag is outside the vocabulary.
    """
    short_search = sentences.short_search(summary)
    return render(
        "worklist.html.j2",
        "worklist_style.css.j2",
        sheets=[_sheet(link, vocabulary, short_search) for link in in_order(links)],
        summary=summary,
        test=test_mode,
        test_words=sentences.TEST,
        caution=sentences.CAUTION,
        base_rate=sentences.BASE_RATE,
        never=sentences.NEVER_A_CLEARANCE,
        not_recorded=sentences.NOT_RECORDED,
        short_search=short_search,
        bands=[(sentences.BAND_NAMES[Band(name)], f"{count:,}") for name, count in summary.bands],
        missed=sentences.rate(summary.missed),
        false_links=sentences.rate(summary.false_links),
        long_date=sentences.long_date,
        rounded=sentences.rounded,
        usable=sentences.usable,
    )


@dataclass(frozen=True)
class FieldRow:
    """One field of the explanation, ready to draw: bar from `start`, `width` wide, in units of the view box."""

    title: str
    icon: str
    sense: str
    words: str
    weight: str
    zero: float
    start: float
    width: float
    positive: bool


def waterfall(agreement: Sequence[FieldAgreement]) -> list[FieldRow]:
    """Rows whose bars each start where the one before ended, scaled so that all fit beside the zero line."""
    ends = [0.0]
    for field in agreement:
        ends.append(ends[-1] + field.weight)
    low, high = min(ends), max(ends)
    scale = BAR_WIDTH / (high - low) if high > low else 0.0
    rows = []
    for field, before, after in zip(agreement, ends, ends[1:], strict=False):
        rows.append(
            FieldRow(
                title=field.title,
                icon=field.sense,
                sense=sentences.SENSES[field.sense],
                words="" if field.sense == "missing" else field.words,
                weight=signed(field.weight),
                zero=round(-low * scale, 1),
                start=round((min(before, after) - low) * scale, 1),
                width=round(abs(field.weight) * scale, 1),
                positive=field.weight >= 0,
            ),
        )
    return rows


def signed(bits: float) -> str:
    """A weight with one decimal and its sign; none for nought."""
    text = f"{abs(bits):.1f}"
    return text if text == "0.0" else ("+" if bits > 0 else "\N{MINUS SIGN}") + text


@dataclass(frozen=True)
class Sheet:
    """One link in words."""

    link: LinkView
    due: str
    relation: str
    paternity: str
    band: str
    band_words: str
    flags: list[ShownFlag]
    bases: list[str]
    prompts: list[str]
    why_no_flags: str
    fields: list[FieldRow]
    setting: str


def _sheet(link: LinkView, vocabulary: Vocabulary, short_search: str) -> Sheet:
    flags = shown_flags(link, vocabulary)
    return Sheet(
        link=link,
        due=_long(sentences.due(link.anchor)),
        relation=sentences.relation(link.anchor),
        paternity=sentences.paternity(link.anchor),
        band=sentences.BAND_NAMES[link.band],
        band_words=sentences.BANDS[link.band],
        flags=flags,
        bases=list(dict.fromkeys(flag.basis for flag in flags)),
        prompts=prompts(flags),
        why_no_flags=sentences.why_no_flags(link),
        fields=waterfall(link.agreement),
        setting=_setting(link, flags, short_search),
    )


def _long(text: str) -> str:
    return sentences.long_date(date.fromisoformat(text)) if text else ""


def _setting(link: LinkView, flags: list[ShownFlag], short_search: str) -> str:
    """The widest setting that keeps a sheet on one page; layout only, never shown, and it orders nothing."""
    for setting in SETTINGS:
        height = setting.fixed + setting.field * len(link.agreement)
        height += 6.0 * (len(link.contact_desk) // 36 + len(link.agency_title) // 44)
        height += 3.8 * (len(short_search) // 260)  # two lines are in the fixed part
        for flag in flags:
            lines = max(
                math.ceil(len(flag.category) / setting.category),
                math.ceil(len(flag.basis) / setting.basis),
                math.ceil(len("; ".join(flag.prompts)) / setting.prompt),
                2 if max(len(flag.recency), len(flag.status)) > setting.basis else 1,
            )
            height += setting.flag + setting.line * lines
        if height <= PAGE:
            return setting.name
    return CLOSEST
