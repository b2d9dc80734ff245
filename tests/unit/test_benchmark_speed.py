"""The speed benchmark's own arithmetic and tables; nothing is timed, no peer is installed or run."""

import argparse
import copy
from pathlib import Path

import pytest

from benchmarks import speed, speed_ratios, speed_tables

ENCODE = {"rows": 100, "wall": 4.0, "cpu": 2.0, "peak": 10**6, "kernel": {"wall": 1.0, "cpu": 0.1}, "profile": []}
CLKHASH = {"rows": 100, "wall": 8.0, "cpu": 20.0, "kernel": {"wall": 9.0, "cpu": 10.0}}
KERNEL = {"pairs": 1000, "found": 3, "wall": 1.0, "cpu": 1.0, "peak": 10**6}
LSH = {
    "rows": 100, "pairs": 10_000, "found": 3, "compared": 50, "wall": 2.0, "cpu": 1.0, "peak": 10**6,
    "verified": [9, 10, 0.6, 0.98], "plan": {"bits": 32.0, "tables": 4.0},
}  # fmt: skip


def turn(**changes):
    one = {
        "encode": ENCODE, "encode_default": ENCODE | {"cpu": 4.0}, "clkhash": CLKHASH,
        "kernel": KERNEL, "cores": KERNEL, "faiss": KERNEL, "product": KERNEL,
        "anonlink": KERNEL | {"cpu": 4.0, "wall": 2.0}, "lsh": LSH, "lsh_every": LSH | {"cpu": 5.0},
    }  # fmt: skip
    return copy.deepcopy(one | changes)


def report(*taken):
    return speed_ratios.ratios(taken) | {
        "taken": list(taken), "limits": {"bytes": 1e4, "words": 1e4}, "growth": [], "parts": {},
        "versions": {"anonlink": "1"},
        "date": "2026-11-23", "command": "x", "machine": {"processor": "p", "cores": 2, "load": 0, "python": "3"},
    }  # fmt: skip


def test_a_ratio_is_of_rates_in_core_seconds_and_above_one_when_we_are_faster():
    made = speed_ratios.ratios([turn()])
    assert made["encode_vs_clkhash"] == pytest.approx(10)
    assert made["encode_default_vs_clkhash"] == pytest.approx(5)
    assert made["encode_kernel_vs_clkhash"] == pytest.approx(100)
    assert made["kernel_vs_anonlink"] == pytest.approx(4)
    assert made["lsh_vs_anonlink"] == pytest.approx(40)
    assert made["wall"]["encode_vs_clkhash"] == pytest.approx(2)


def test_neighbours_are_compared_and_the_middle_stands_with_its_spread():
    """A turn in which the machine was slow for both changes nothing."""
    slow = turn(kernel=KERNEL | {"cpu": 50.0}, anonlink=KERNEL | {"cpu": 200.0})
    odd = turn(anonlink=KERNEL | {"cpu": 2.0})
    made = speed_ratios.ratios([turn(), slow, odd])
    assert made["kernel_vs_anonlink"] == pytest.approx(4)
    assert made["spread"]["kernel_vs_anonlink"] == pytest.approx([2, 4])


def test_a_peer_that_did_not_run_has_no_ratio_and_says_so():
    failed = turn(anonlink={"failed": "ModuleNotFoundError"})
    made = report(failed)
    assert "kernel_vs_anonlink" not in made
    assert "lsh_vs_anonlink" not in made
    assert made["kernel_vs_faiss"] == pytest.approx(1)
    assert "did not run (ModuleNotFoundError)" in speed_tables.plain(made)


def test_what_is_measured_in_one_turn_alone_has_its_ratio_and_elsewhere_none():
    large = {"encode_large": ENCODE | {"cpu": 1.0}, "clkhash_large": CLKHASH}
    made = report(turn(**large), turn())
    assert made["encode_large_vs_clkhash"] == pytest.approx(20)
    assert "encode_default_large_vs_clkhash" not in made
    assert "encode, plain profile  " in speed_tables.plain(made)
    assert "million rows" not in speed_tables.plain(report(turn()))


def test_the_page_says_which_goals_are_met():
    made = report(turn(lsh=LSH | {"rows": 10**6}), turn(lsh=LSH | {"rows": 10**6}))
    page = speed_tables.markdown(made)
    assert "| exact comparison, one thread : anonlink | 4.0 [4.0, 4.0] | 2.0 | 2: met |" in page
    assert "| 40.0 [40.0, 40.0] | 10.0 | 300: not met |" in page
    assert "300" not in speed_tables.markdown(report(turn())), "the goal is set for a million rows"


def test_growth_is_each_size_against_its_half():
    grown = [{"cpu": 1.0}, {"cpu": 2.5}, {"cpu": 10.0}]
    assert speed_ratios.growth_factors(grown) == [2.5, 4.0]
    assert speed.grown_rows(1_000_000) == [250_000, 500_000, 1_000_000, 2_000_000]


def test_what_bit_sampling_moves_follows_its_plan():
    """Four tables of 200 rows, 4 bytes of sampled bits and 140 of slots, sizes, looks and entries; 50 pairs met."""
    assert speed_ratios.moved(LSH) == 4 * 200 * (4 + 140) + 50 * 32
    assert speed_ratios.moved(LSH | {"plan": {"first_words": 8.0}}) == 0
    reached = speed_ratios.shares([turn()], {"bytes": 1e6, "words": 1e5})
    assert reached == {"counted": pytest.approx(0.08), "moved": pytest.approx(0.1168)}


def test_the_command_names_no_folder_of_this_machine():
    args = argparse.Namespace(quick=True, growth=False, repeats=5, write=Path("/somewhere/speed.md"))
    assert speed.command(args) == "python benchmarks/speed.py --quick --repeats 5 --write speed.md"
