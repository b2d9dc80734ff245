"""R18, R26 to R30, R34, R50: the printable sheets."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from test_release_samples import AGREEMENT, CODES, VOCABULARY, flag, link, summary, switched_on

from linkage.model import Anchor
from linkage.release import sentences
from linkage.release.links import FieldAgreement
from linkage.release.sheets import BAR_WIDTH, CLOSEST, signed, waterfall, worklist_html


def html(*views, test_mode=False, **changes):
    return worklist_html(views, summary(**changes), VOCABULARY, test_mode=test_mode)


def sheets(page):
    """The sheets of a page, without the overview."""
    return [part.split("</article>")[0] for part in page.split("<article ")[2:]]


def text(page):
    words = re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", words)


class Outline(HTMLParser):
    """Tags, ids and references of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.ids, self.attributes = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attrs]
        self.ids += [value for name, value in attrs if name == "id"]


def test_r26_an_overview_and_one_sheet_per_link():
    page = html(link(1), link(2), link(3))
    assert page.count('<article class="sheet') == 4
    assert "Sheet 3 of 3" in page


def test_r26_the_page_loads_nothing_and_runs_nothing():
    page = html(link())
    outline = Outline(page)
    assert not {"script", "img", "link", "iframe", "object", "form", "base"} & set(outline.tags)
    assert not [
        each for each in outline.attributes if each[1] in {"src", "style", "srcset"} or each[1].startswith("on")
    ]
    assert all(value.startswith("#") for _, name, value in outline.attributes if name == "href")
    assert not re.search(r"url\((?!#)|@import|https?:", page)


def test_r26_the_policy_lets_only_this_very_style_through():
    page = html(link())
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in page


def test_r18_sheets_come_by_due_date_whatever_the_flags_say():
    everything = tuple(flag(code) for code in CODES)
    early, late = Anchor("2", due_date="2026-12-01"), Anchor("1", due_date="2027-01-01")
    page = text(html(link(1, anchor=late, flags=everything), link(2, anchor=early, flags=())))
    assert page.index("Child 2 ") < page.index("Child 1 ")


def test_r18_beside_the_flags_themselves_a_sheet_says_nothing_about_them():
    """No count, rank or score: outside its section, a sheet with every flag reads like a sheet with none."""

    def beside(flags):
        (sheet,) = sheets(html(link(flags=flags)))
        return text(re.sub(r'<h3 [^>]*id="flags-.*?</section>', "", sheet.split(">", 1)[1], flags=re.DOTALL))

    everything = beside(tuple(map(flag, CODES)))
    assert sorted(everything.split()) == sorted(beside(()).split())


def test_r28_every_sheet_carries_every_caution():
    page = html(link(1), link(2, flags=(), withheld="ask_us"))
    for sheet in sheets(page):
        words = text(sheet).replace("\N{NO-BREAK SPACE}", " ")
        assert all(headline in words for headline, _ in sentences.CAUTION)
        assert "1 birth in 4,700" in words
        assert "over 99 % of flagged fathers will never harm a baby" in words


def test_r29_overview_and_sheets_say_that_nothing_found_is_no_clearance():
    page = html(link())
    overview = text(page.split("</article>")[0]).replace("\N{NO-BREAK SPACE}", " ")
    for part in (
        "never a clearance",
        "Turning Tide",
        "23 November 2026",
        "postcode 71 %",
        "12 % (between 10 % and 15 %)",
    ):
        assert part in overview
    assert "For 367 of the 412 men nothing was found" in overview
    assert "58 had not enough information" in overview
    assert all("never a clearance" in text(sheet) for sheet in sheets(page))


def test_r29_a_run_without_links_still_prints_its_overview():
    page = html(nothing_found=412, bands=())
    assert page.count('<article class="sheet') == 1
    assert "never a clearance" in page


def test_r17_a_rate_that_could_not_be_estimated_is_not_passed_over():
    assert "not estimated in this run" in html(link(), missed=None)


def test_r30_what_exceeds_the_cap_is_announced():
    assert "7 more links were found than may be sent at once" in text(html(link(), overflow=7))
    assert "No link was held back" in text(html(link()))


def test_r34_every_field_stands_in_words_with_its_weight():
    words = text(sheets(html(link()))[0])
    for part in (
        "Agrees another form of the same name +4.2",
        "Nearly one digit differs +7.3",
        "Differs different \u22121.7",
    ):
        assert part in words
    assert "NHS number Not known 0.0" in words


def test_r34_each_bar_starts_where_the_last_ended():
    rows = waterfall(AGREEMENT)
    ends = [row.start + row.width if row.positive else row.start for row in rows]
    starts = [row.start if row.positive else row.start + row.width for row in rows]
    assert starts[0] == rows[0].zero
    assert starts[1:] == pytest.approx(ends[:-1], abs=0.2)
    assert max(row.start + row.width for row in rows) == pytest.approx(BAR_WIDTH, abs=0.2)


def test_r34_bars_that_go_below_nothing_stay_inside_the_picture():
    rows = waterfall(
        [FieldAgreement("a", "different", "disagree", -6.0), FieldAgreement("b", "the same", "agree", 2.0)]
    )
    assert (rows[0].zero, rows[0].start, rows[0].width) == (BAR_WIDTH, 0.0, BAR_WIDTH)
    assert rows[1].start == 0.0


def test_weights_read_with_their_sign():
    assert [signed(bits) for bits in (4.25, -0.04, 0.0, -3.0)] == ["+4.2", "0.0", "0.0", "\u22123.0"]


def test_r50_a_test_run_is_marked_on_every_sheet():
    page = html(link(1), link(2), test_mode=True)
    assert page.count('class="watermark"') == page.count('class="test-note"') == 3
    assert 'class="watermark"' not in html(link(1))


def test_r36_the_page_is_the_same_in_every_order_of_arrival():
    views = [link(nth) for nth in range(4)]
    assert html(*views) == html(*views[::-1])


def test_text_from_outside_cannot_become_markup():
    page = html(link(contact_desk="<script>alert(1)</script>", anchor=Anchor('"><b>1')))
    assert "<script" not in page
    assert '"><b>1' not in page


def test_nineteen_categories_and_sixteen_fields_are_set_closest_and_all_shown():
    flags = tuple(flag(code.code) for code in VOCABULARY.codes)
    fields = tuple(FieldAgreement(f"Field {nth}", "the same", "agree", 1.0) for nth in range(16))
    (sheet,) = sheets(worklist_html([link(flags=flags, agreement=fields)], summary(), switched_on()))
    assert sheet.startswith(f'class="sheet {CLOSEST}')
    words = text(sheet)
    assert all(code.words in words for code in VOCABULARY.codes)
    assert all(field.title in words for field in fields)


def test_headings_tables_and_references_are_in_order():
    """WCAG 1.3.1, 2.4.6, 3.1.1, 4.1.1: language, one first heading, no level skipped, header cells, unique ids."""
    page = html(link(1), link(2, flags=()))
    outline = Outline(page)
    levels = [int(tag[1]) for tag in outline.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert len(outline.ids) == len(set(outline.ids))
    named = {value for _, name, value in outline.attributes if name == "aria-labelledby"}
    linked = {value[1:] for _, name, value in outline.attributes if name == "href"}
    assert named | linked <= set(outline.ids)
    assert outline.tags.count("th") == sum(1 for tag, name, _ in outline.attributes if (tag, name) == ("th", "scope"))
    assert ("html", "lang", "en-GB") in outline.attributes


def luminance(colour):
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("ground", ["paper", "wash", "desk"])
@pytest.mark.parametrize("ink", ["ink", "soft", "accent", "warn"])
def test_every_ink_stands_out_from_every_ground(ink, ground):
    """WCAG 1.4.3 asks for a contrast of 4.5 to 1."""
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", html(link())))
    light, dark = sorted((luminance(colours[ink]), luminance(colours[ground])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5
