"""The accuracy benchmark's own arithmetic and tables; no peer is installed or run."""

import argparse
import copy

import numpy as np
import pytest

from benchmarks import accuracy, tables
from benchmarks.measured import Row, Truth, fairest, measure_links, measure_pairs, to_pairs
from benchmarks.ours import run_ours, take_in
from benchmarks.peer_runs import PEERS, Peer, read_pairs, write_records
from benchmarks.plain_levels import PlainSide, compare_plain
from keys.derive import PairKeys, RunKey
from linkage.encode.evidence import make_evidence
from linkage.encode.tokens import tokenise
from linkage.layout import Layout
from linkage.match.compare import compare
from linkage.model import Column, Records
from linkage.schema import LEVELS, MISSING, Field, Kind, Schema

PEER = Peer("peer", "none.py", ("only",), own=0.5)


def test_pairs_of_one_person_are_counted_with_their_doubles_and_unknown_persons_never_match():
    truth = Truth.of(["p", "p", "q", ""], ["p", "q", "q", ""])
    assert truth.pairs == 2 + 2
    assert truth.holds(to_pairs([0, 2, 3], [0, 2, 3])).tolist() == [True, True, False]


def test_a_row_may_have_several_partners_only_where_the_other_file_holds_doubles():
    assert Truth.of(["p", "q"], ["p", "p"]).many == (True, False)
    assert Truth.of(["p", "q"], ["p", "q"]).many == (False, False)


def test_a_peer_is_measured_after_one_to_one_assignment_at_its_own_threshold():
    truth = Truth.of(["a", "b", "c"], ["a", "b", "d"])
    pairs, probability = to_pairs([0, 0, 1, 2], [0, 1, 1, 2]), np.array([0.95, 0.9, 0.4, 0.6])
    row = measure_pairs(PEER, "only", pairs, probability, truth, 1.0)
    # Left row 0 goes to right row 0, so its second pair is no link; 1-1 is right but below the threshold.
    assert (row.links, row.false) == (2, 1)
    assert row.own_f1 == pytest.approx(2 * 1 / (2 + 2))
    assert row.best_f1 == pytest.approx(2 * 2 / (3 + 2))
    assert row.sure_precision == 1.0
    assert row.ece == pytest.approx((0.05 + 0.6 + 0.6) / 3)


def test_a_similarity_is_not_judged_as_a_probability():
    peer = Peer("filters", "none.py", ("only",), own=0.8, probabilistic=False)
    truth = Truth.of(["a"], ["a"])
    row = measure_pairs(peer, "only", to_pairs([0], [0]), np.array([0.95]), truth, 1.0)
    assert (row.own_f1, row.sure_precision, row.ece) == (1.0, None, None)


def test_where_nobody_is_common_links_are_counted_and_f1_is_not_given():
    row = measure_pairs(PEER, "only", to_pairs([0], [0]), np.array([0.7]), Truth.of(["a"], ["b"]), 1.0)
    assert (row.own_f1, row.best_f1, row.links, row.false, row.precision) == (None, None, 1, 1, 0.0)


def test_a_system_without_pairs_has_no_precision():
    nothing = np.empty(0, bool)
    row = measure_links("ours", "", to_pairs([], []), np.empty(0), Truth.of(["a"], ["a"]), nothing, nothing, 1.0)
    assert (row.own_f1, row.precision, row.links) == (0.0, None, 0)


def test_the_best_set_up_of_a_peer_is_chosen_in_its_favour():
    rows = [Row("peer", "one", own_f1=0.7, best_f1=0.9), Row("peer", "two", own_f1=0.8, best_f1=0.81)]
    assert fairest(rows).setup == "two"
    assert fairest([Row("peer", "one", links=5), Row("peer", "two", links=2)]).setup == "two"


def test_a_pair_given_twice_counts_once_with_its_higher_probability(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("left,right,probability\n3,4,0.2\n1,2,0.5\n3,4,0.9\n")
    pairs, probability = read_pairs(path)
    assert (pairs.left.tolist(), pairs.right.tolist(), probability.tolist()) == ([1, 3], [2, 4], [0.5, 0.9])
    path.write_text("left,right,probability\n")
    assert len(read_pairs(path)[0]) == 0


def test_every_peer_has_its_script_and_its_set_ups():
    for peer in PEERS.values():
        script = (accuracy.ROOT / "benchmarks" / "peers" / peer.script).read_text()
        assert all(f'"{setup}"' in script for setup in peer.setups)


@pytest.fixture
def files(tmp_path):
    head = "id,forename,surname,date_of_birth,postcode,ent\n"
    (tmp_path / "a.csv").write_text(
        head
        + "1,william,smith,1980-03-20,LS12 3XJ,p\n"
        + "2,anna,kowalska,1990-11-05,DE65 4YJ,q\n"
        + "3,omar,,1970-02-14,,r\n"
    )
    (tmp_path / "b.csv").write_text(
        head
        + "1,bill,smith,1980-03-02,LS12 4AA,p\n"
        + "2,anne,kowalski,1990-05-11,M1 1AE,q\n"
        + "3,omer,hassan,1948-07-30,LS12 3XJ,r\n"
    )
    return take_in(tmp_path / "a.csv", tmp_path / "b.csv", "ent")


def test_levels_from_plaintext_are_those_the_words_say(files):
    rows = np.arange(3)
    sides = [PlainSide(intake.records, rows) for intake in files.intakes.values()]
    found = compare_plain(*sides, Layout(files.agreement.schema))
    kinds = {field.name: (place, LEVELS[field.kind]) for place, field in enumerate(files.agreement.schema.fields)}

    def words(name):
        place, levels = kinds[name]
        return [levels[level].name if level != MISSING else None for level in found.levels[:, place].tolist()]

    assert words("forename")[0] == "variant"
    assert words("surname") == ["same", "variant", None]
    assert words("date_of_birth") == ["two_parts", "swapped", "generation"]
    assert words("postcode") == ["district", "different", None]
    surname = kinds["surname"][0]
    assert found.rarity[0, surname] >= 0
    assert found.rarity[1:, surname].tolist() == [-1, -1]


def test_plaintext_levels_are_those_of_evidence_where_no_filter_is_asked():
    """The twin follows every ladder; only shares of bigrams are estimated by evidence, and dates ask for none."""
    draw = np.random.default_rng(5)
    dates = [
        f"{year}-{month:02}-{day:02}" for year in (1961, 1962, 1970, 1991) for month in (2, 3) for day in (2, 3, 12)
    ]
    values = {
        Kind.DATE: (*dates, "1961", "1974"),
        Kind.POSTCODE: ("LS12 3XJ", "LS12 3XK", "LS12 4XJ", "LS1 3XJ", "L1 3XJ", "LS12", "2903", "2913"),
        Kind.SEX: ("M", "F"),
        Kind.PHONE: ("07700900123", "01142900123", "07700900999"),
    }
    schema = Schema(tuple(Field(str(kind), kind, values=2) for kind in values))
    records = _records({str(kind): told for kind, told in values.items()}, 60, draw)
    layout, rows = Layout(schema), [draw.integers(0, 60, 4000) for _ in range(2)]
    key = RunKey("run", test=True, value=bytes(32))
    tokens, ids = tokenise(records, schema, key), np.zeros((4000, 16), np.uint8)
    keys = PairKeys(bytes(32), ids.tobytes())
    evidence = compare(*(make_evidence(tokens, side, ids, keys, layout) for side in rows), layout)
    plain = compare_plain(*(PlainSide(records, side) for side in rows), layout)
    assert np.array_equal(evidence.levels, plain.levels)
    assert len(np.unique(plain.levels[:, 0])) >= 8  # the ladder of dates is climbed from end to end


def _records(values, people, draw):
    """People with none, one or two values of every field."""
    columns = {}
    for name, vocabulary in values.items():
        held = draw.choice([0, 1, 1, 2], people)
        codes = draw.integers(0, len(vocabulary), held.sum()).astype(np.int32)
        columns[name] = Column(vocabulary, codes, np.concatenate([[0], np.cumsum(held)]))
    return Records(tuple(map(str, range(people))), columns, np.arange(people, dtype=np.int32))


def test_both_of_our_rows_come_from_one_rehearsal(tmp_path):
    """The product's own path on two small files, and the same model on plaintext levels: nobody is mistaken."""
    draw = np.random.default_rng(2)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    lines = [
        f"{nth},{''.join(draw.choice(letters, 6))},{''.join(draw.choice(letters, 8))},"
        f"{1950 + draw.integers(50)}-{1 + draw.integers(12):02}-{2 + draw.integers(26):02},p{nth}\n"
        for nth in range(120)
    ]
    head = "id,forename,surname,date_of_birth,ent\n"
    (tmp_path / "a.csv").write_text(head + "".join(lines[:80]))
    (tmp_path / "b.csv").write_text(head + "".join(lines[40:]))
    rows, further = run_ours(take_in(tmp_path / "a.csv", tmp_path / "b.csv", "ent"))
    assert [(row.system, row.own_f1, row.links, row.false) for row in rows] == [
        ("ours", 1.0, 40, 0),
        ("ours, plaintext levels", 1.0, 40, 0),
    ]
    assert further["candidate_recall"] == 1.0
    assert further["false_links"]["true"] == 0.0
    assert 0 < further["levels_differing"] < 0.1


def test_peers_get_the_standardised_values_and_no_truth(files, tmp_path):
    write_records(tmp_path / "out.csv", files.intakes["left"].records, files.agreement.schema)
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines[0].startswith("row_id,forename,surname,date_of_birth,postcode")
    assert lines[1].startswith("0,WILLIAM,SMITH,1980-03-20,LS12 3XJ")
    assert lines[3].startswith("2,OMAR,,1970-02-14,,")
    assert not any("ent" in line for line in lines)


def _system(name, own, setup="", **more):
    figures = {"best_f1": own, "precision": 1.0, "sure_precision": 1.0, "ece": 0.01, "links": 10, "false": 0}
    return {"system": name, "setup": setup, "own_f1": own, "seconds": 2.0, "note": ""} | figures | more


REPORT = {
    "date": "2026-01-01",
    "command": "python benchmarks/accuracy.py",
    "versions": {"splink": "5"},
    "sets": {
        "made up": {
            "rows": [1200, 30],
            "true_pairs": 10,
            "duplicates": [False, True],
            "systems": [
                _system("ours", 0.99),
                _system("ours, plaintext levels", 0.991, seconds=None),
                _system("Splink", 0.95, setup="names"),
            ],
            "setups": [],
            "ours": {
                "candidate_recall": 1.0,
                "strong": 8,
                "strong_false": 0,
                "strong_precision": 1.0,
                "false_links": {"expected": 0.1, "low": 0.05, "high": 0.2, "true": 0.0},
                "missed_links": {"expected": 0.1, "low": 0.05, "high": 0.2, "true": 0.0},
                "after_rules": {"f1": 0.9, "precision": 1.0, "recall": 0.8, "linked": 9, "false": 0},
                "rules": {"maybe_twins": {"count": 3, "true": 2, "false": 1}},
                "levels_differing": 0.01,
            },
        }
    },
}


def test_the_page_begins_with_the_command_and_has_a_line_for_every_system():
    page = tables.markdown(REPORT)
    assert page.splitlines()[2] == "python benchmarks/accuracy.py"
    assert "| made up | Splink (names) | 0.9500 | 0.9500 | 1.0000 | 1.0000 | 0.0100 | 10 (0) | 2 |" in page
    assert "| made up | ours, plaintext levels | 0.9910 |" in page
    assert "maybe twins 2 / 1" in page
    assert "1,200 x 30 records, 10 true pairs; duplicates inside the right file." in page


def test_the_reading_says_where_we_fall_short():
    assert "above the best any threshold gives Splink" in tables.reading(REPORT)[1]
    worse = copy.deepcopy(REPORT)
    worse["sets"]["made up"]["systems"][0]["own_f1"] = 0.94
    overall, said = tables.reading(worse)
    assert "0 of 1 sets" in overall
    assert "**below** the best any threshold gives Splink" in said
    assert "evidence costs +0.0510 of F1 against plaintext levels (!)" in said


def test_a_peer_that_did_not_run_says_so_instead_of_figures():
    broken = copy.deepcopy(REPORT)
    broken["sets"]["made up"]["systems"][2] |= {"own_f1": None, "best_f1": None, "note": "did not run (ImportError)"}
    assert "Splink (names): did not run (ImportError) | – |" in tables.markdown(broken)


def test_an_interval_holds_the_truth_in_whole_links():
    rate = {"low": 0.0001, "high": 0.0002, "true": 0.0}
    assert tables.holds(rate, 1000)
    assert not tables.holds(rate | {"true": 0.01}, 1000)


def test_the_command_shows_placeholders_and_never_a_path():
    name, paths = accuracy.named_set("census=/somewhere/a.csv,/somewhere/b.csv")
    args = argparse.Namespace(sets=[(name, paths)], public=True, peer=None, fresh=False, write=None)
    shown = accuracy.command(args)
    assert '--set "census=LEFT.csv,RIGHT.csv"' in shown
    assert "somewhere" not in shown
    with pytest.raises(argparse.ArgumentTypeError):
        accuracy.named_set("census")
