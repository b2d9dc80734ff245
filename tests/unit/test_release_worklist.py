"""R18, R25 to R30: the worklist as CSV."""

import csv
import io

import pytest
from test_release_samples import CODES, VOCABULARY, flag, link, summary, switched_on

from linkage.errors import ReleaseError
from linkage.model import Anchor, Flag
from linkage.release import sentences
from linkage.release.worklist import COLUMNS, NOTHING_FOUND, guarded, plain, worklist_csv


def rows(data):
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def one(view):
    (row,) = rows(worklist_csv([view], summary(), VOCABULARY))
    return row


def test_r26_the_file_is_utf_8_with_mark_and_windows_line_ends():
    data = worklist_csv([link(1), link(2)], summary(), VOCABULARY)
    assert data.startswith(b"\xef\xbb\xbfchild_id,case_id,due_date,")
    assert data.count(b"\r\n") == data.count(b"\n") == 3


def test_r26_one_row_per_link_keyed_on_the_child():
    table = rows(worklist_csv([link(nth) for nth in (3, 1, 2)], summary(), VOCABULARY))
    assert [plain(row["child_id"]) for row in table] == ["0000001", "0000002", "0000003"]


@pytest.mark.parametrize(
    "text",
    [
        "007",
        "12345678901234567",
        "1E5",
        "3-12",
        "MAR1",
        "1/2",
        "5 pm",
        "TRUE",
        "=1+1",
        "+44",
        "-5",
        "@x",
        "|x",
        "％1",
        "'0",
    ],
)
def test_r26_what_a_spreadsheet_would_rewrite_is_marked_as_text(text):
    assert guarded(text) == f"'{text}"
    assert plain(guarded(text)) == text


@pytest.mark.parametrize("text", ["2026-12-24", "4711", "0", "LB-0042", "Desk, 01632 960 001", "Świętokrzyska", ""])
def test_r26_what_a_spreadsheet_shows_as_written_stays_as_it_is(text):
    assert guarded(text) == text


def test_r26_formulas_behind_control_characters_are_found():
    assert guarded("\t\r\n=1+1") == "'=1+1"
    assert guarded("\u202e=1+1") == "'=1+1"


def test_r18_the_row_order_ignores_flags():
    few, many = link(1, flags=()), link(2, flags=tuple(flag(code) for code in CODES))
    table = rows(worklist_csv([many, few], summary(), VOCABULARY))
    assert [plain(row["child_id"]) for row in table] == ["0000001", "0000002"]


def test_r18_no_column_counts_or_ranks():
    assert not {word for column in COLUMNS for word in column.split("_")} & {
        "count",
        "number",
        "rank",
        "score",
        "risk",
        "total",
    }


def test_r19_each_flag_stands_with_role_basis_recency_and_status():
    assert one(link())["flags"] == (
        "alcohol use, known to a service (about him) "
        "[basis: what he says himself; when: within the last year; status: active]; "
        "domestic abuse, as the person causing harm "
        "[basis: alleged, not established; when: one to five years ago; status: closed]"
    )


def test_r20_prompts_are_things_to_consider():
    assert one(link())["prompts"].split("; ") == ["consider 1B/1C", "consider 3A/3B/3C"]


@pytest.mark.parametrize(
    "wrong",
    [
        Flag("3A", "PERPETRATOR", "FACT", "UNKNOWN", "ACTIVE"),
        Flag("DA-P", "VICTIM", "FACT", "UNKNOWN", "ACTIVE"),
        Flag("DA-P", "PERPETRATOR", "RUMOUR", "UNKNOWN", "ACTIVE"),
        Flag("DA-P", "PERPETRATOR", "FACT", "LATELY", "ACTIVE"),
        Flag("DA-P", "PERPETRATOR", "FACT", "UNKNOWN", ""),
    ],
)
def test_r21_a_flag_outside_the_vocabulary_stops_the_whole_worklist(wrong):
    with pytest.raises(ReleaseError):
        worklist_csv([link(1), link(2, flags=(wrong,))], summary(), VOCABULARY)


def test_r16_a_probable_link_says_why_it_has_no_flags():
    assert "further identifier" in one(link(band="probable", flags=(), withheld="probable"))["flags"]


def test_r29_a_link_without_categories_says_that_this_is_no_clearance():
    assert "not a clearance" in one(link(flags=()))["flags"]


def test_r25_the_decision_is_left_to_a_person():
    row = one(link())
    assert (row["decision"], row["reason"], row["decided_by"]) == ("", "", "")


def test_r27_flags_of_a_person_harmed_stay_out_unless_switched_on():
    view = link(flags=(flag("DA-V"), flag("SU-A")))
    assert "harmed" not in one(view)["flags"]
    (row,) = rows(worklist_csv([view], summary(), switched_on()))
    assert "harmed" in row["flags"]


def test_r28_every_row_carries_every_caution():
    for row in rows(worklist_csv([link(1), link(2)], summary(), VOCABULARY)):
        assert all(headline in row["caution"] for headline, _ in sentences.CAUTION)
        assert "1 birth in 4,700" in row["caution"]
        assert "over 99 % of flagged fathers will never harm a baby" in row["caution"]


def test_r29_every_row_names_agencies_date_fields_and_miss_rate():
    words = one(link())["about_the_search"]
    for part in (
        "Southmere Police",
        "2026-11-23",
        "postcode 71 %",
        "12 % (between 10 % and 15 %)",
        "never a clearance",
    ):
        assert part in words


def test_r29_an_empty_run_does_not_give_an_empty_file():
    (row,) = rows(worklist_csv([], summary(), VOCABULARY))
    assert (row["child_id"], row["band"]) == ("", NOTHING_FOUND)
    assert "never a clearance" in row["about_the_search"]


def test_r42_row_counts_are_rounded_and_small_ones_suppressed():
    words = one(link())["about_the_search"]
    assert "98,215 records" in words
    assert "fewer than 5 records" in words
    assert [sentences.rounded(count) for count in (0, 4, 5, 7, 8, 1002)] == [
        *["fewer than 5"] * 2,
        *["5", "5", "10", "1,000"],
    ]


def test_r36_the_order_of_arrival_leaves_no_trace():
    views = [link(nth) for nth in range(5)]
    assert worklist_csv(views, summary(), VOCABULARY) == worklist_csv(views[::-1], summary(), VOCABULARY)


def test_r50_a_test_run_says_so_in_every_row():
    (row,) = rows(worklist_csv([link()], summary(), VOCABULARY, test_mode=True))
    assert row["caution"].startswith("TEST RUN")


def test_r5_what_is_in_no_agreed_list_is_left_unsaid():
    row = one(link(anchor=Anchor("1", "2", "around Christmas", "mum's new boyfriend", "she says so")))
    assert (row["due_date"], row["relation"], row["paternity"]) == ("", "not recorded", "not known")


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.0, "0 %"),
        (1.0, "100 %"),
        (0.00002, "less than 0.01 %"),
        (0.0007, "0.07 %"),
        (0.041, "4.1 %"),
        (0.71, "71 %"),
        (0.9996, "99.96 %"),
        (0.99999, "more than 99.99 %"),
    ],
)
def test_a_small_share_is_never_rounded_to_none_nor_a_large_one_to_all(share, words):
    assert sentences.percent(share) == words
