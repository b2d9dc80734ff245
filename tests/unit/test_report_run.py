"""The report of a run: the same numbers on a page and in a terminal."""

import re

import pytest

from linkage.report.cells import Bin
from linkage.report.run_report import points, run_report_html, run_report_text

DATA = {
    "title": "Demonstration: a county of invented people",
    "run": "demo-1",
    "date": "2026-11-23",
    "test": True,
    "agreement": {"title": "Southmere fathers before birth", "digest": "1f3a 90bc 77d2 0e41"},
    "notes": ["The worklist is in out/childrens-services/worklist.html."],
    "parties": [
        {
            "name": "police",
            "title": "Southmere Police",
            "steps": [
                {"step": "encode", "what": "records encoded", "count": 9820},
                {"step": "answer", "what": "requests answered", "count": 3},
            ],
        },
        {
            "name": "matcher",
            "title": "Matcher",
            "steps": [{"step": "screen", "what": "candidate pairs", "count": 21411}],
        },
    ],
    "candidates": {"count": 21411, "possible": 196_400_000, "recall": 0.9871},
    "pairs": {"precision": 0.9962, "recall": 0.9421, "f1": 0.9684, "correct": 1311, "false": 5, "missed": 81},
    "best": {"precision": 0.9949, "recall": 0.9512, "f1": 0.9726},
    "calibration": {
        "ece": 0.0123,
        "bins": [
            {"predicted": 0.01, "observed": 0.004, "count": 18000},
            {"predicted": 0.14, "observed": 0.21, "count": 140},
            {"predicted": 0.36, "observed": 0.44, "count": 41},
            {"predicted": 0.5, "observed": None, "count": 0},
            {"predicted": 0.63, "observed": 0.66, "count": 33},
            {"predicted": 0.87, "observed": 0.9, "count": 88},
            {"predicted": 0.995, "observed": 0.998, "count": 1300},
        ],
    },
    "bands": {"strong": {"count": 1100, "true": 1099, "false": 1}, "probable": {"count": 216, "true": 212, "false": 4}},
    "errors": {
        "false_links": {"expected": 0.0041, "low": 0.002, "high": 0.0078, "true": 0.0038},
        "missed_links": {"expected": 0.061, "low": 0.05, "high": 0.08, "true": 0.0579},
    },
    "rules": {"father_and_son": {"true": 1, "false": 7}, "name_only": {"true": 12, "false": 30}},
    "groups": [
        {"name": "Arabic names", "count": 210, "missed_rate": 0.13, "false_rate": 0.0, "alarm": True},
        {"name": "Polish names", "count": 2, "missed_rate": 0.06, "false_rate": 0.01, "alarm": False},
    ],
    "seconds": {"encode": 4.21, "screen": 11.3, "answer": 2.02, "decide": 3.5},
}
PARTS = [key for key in DATA if key not in {"title", "run", "date", "test", "agreement", "notes"}]


def words(page):
    text = re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", text.replace("\N{NO-BREAK SPACE}", " "))


def test_page_and_text_show_the_same_numbers():
    page, text = words(run_report_html(DATA)), re.sub(r"\s+", " ", run_report_text(DATA))
    for line in (
        "Southmere Police encode records encoded 9,820",
        "at the agreed threshold, chosen without truth 99.6 % 94.2 % 0.968 1,311 5 81",
        "0.140 0.210 140",
        "strong 1,100 1,099 1",
        "False links 0.41 % 0.20 % to 0.78 % 0.38 %",
        "father and son 1 7",
        "Arabic names 210 0 % 13.0 % more than twice the overall rate",
        "screen 11.3",
    ):
        assert line in page, line
        assert line in text, line


@pytest.mark.parametrize("part", PARTS)
def test_any_part_may_be_absent(part):
    data = {key: value for key, value in DATA.items() if key != part}
    full, less = run_report_text(DATA), run_report_text(data)
    assert len(less) < len(full)
    assert run_report_html(data)


def test_a_run_without_numbers_is_still_a_page():
    assert "Report of a linkage run" in run_report_html({})
    assert run_report_text({}) == "Report of a linkage run\n"


def test_what_was_not_measured_is_not_shown_as_nought():
    text = run_report_text({"bands": {"strong": 12, "probable": 3}, "pairs": {"precision": 0.99, "recall": None}})
    assert "True" not in text.split("Links by band")[1]
    assert "Recall  " not in text
    assert " 0 %" not in text


def test_r42_a_report_that_leaves_has_no_small_or_exact_count():
    text = re.sub(r"\s+", " ", run_report_text(DATA, leaves=True))
    assert "requests answered fewer than 5" in text
    assert "Polish names fewer than 5" in text
    assert "1,311" not in text


def test_r50_a_test_run_says_so_first():
    assert run_report_text(DATA).startswith("TEST RUN")
    assert 'class="watermark"' in run_report_html(DATA)
    assert 'class="watermark"' not in run_report_html(DATA | {"test": False})


def test_a_perfect_bin_lies_on_the_line_and_empty_bins_are_not_drawn():
    (point,) = points((Bin(0.25, 0.25, 100),))
    assert point.x == 100 - point.y
    assert run_report_html(DATA).count("<circle") == 6


def test_the_page_loads_nothing():
    page = run_report_html(DATA)
    assert not re.search(r"<(script|img|link|iframe)\b|\bsrc=|https?:|url\(", page)
    assert "default-src 'none'" in page


def test_words_from_outside_cannot_become_markup():
    assert "<script" not in run_report_html({"title": "<script>", "rules": {"<script>": {"true": 1, "false": 2}}})
