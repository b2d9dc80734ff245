"""How facts become cells: names stay names, dates stay dates, and shares are kept."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.synth.damage import NOWHERE, Pen, joined, parts, restyle
from linkage.synth.desk import date_texts, filled
from linkage.synth.files import PLAIN, Form, new_folder, write_table
from linkage.synth.tables import load_tables

CHANCES = st.floats(0, 1, exclude_max=True)
HABITS = load_tables().sources.sources["police"]


def pen(seed=1):
    tables = load_tables()
    return Pen(np.random.Generator(np.random.PCG64(seed)), tables.variants, tables.sources.sources["police"])


@given(CHANCES, CHANCES)
def test_r10_hyphens_apostrophes_and_mc_are_written_another_way(a, b):
    """Another desk's form is a different text with the same letters, or one half of a double name."""
    for surname in ("O'Brien", "McDonald", "MacLean", "Al-Masri"):
        assert restyle(surname, a, b) != surname
    assert restyle("Smith-Jones", a, b) in {"Smith Jones", "SmithJones", "Smith", "Jones"}
    assert restyle("Taylor", a, b) == "Taylor"
    assert restyle("Mack", a, b) == "Mack"


@given(st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=12), CHANCES, CHANCES)
def test_a_slip_of_the_pen_leaves_a_name(name, a, b):
    name = name.capitalize()
    for changed in (pen()._slip(name, a, b), pen()._heard(name, a, b)):
        assert changed
        assert abs(len(changed) - len(name)) <= 3
        assert changed[0].lower() == name[0].lower()


def test_names_change_about_as_often_as_the_habits_say():
    """Of plain English names without other forms, spelling and typing change about 6.5 in a hundred."""
    names = np.full(20_000, "Grimsby", dtype=object)
    blank = np.full(20_000, "", dtype=object)
    _, _, last = pen().names(np.full(20_000, "Zebulon", dtype=object), blank, names)
    assert (last != "Grimsby").mean() == pytest.approx(HABITS.by_ear + HABITS.typing + HABITS.swapped, abs=0.01)


def test_the_arrays_given_are_left_as_they_are():
    names = np.full(500, "Mohammed", dtype=object)
    born = np.full(500, np.datetime64("1990-04-05"))
    pen().names(names, names, names)
    pen().dates(born)
    assert (names == "Mohammed").all()
    assert (born == np.datetime64("1990-04-05")).all()


@given(st.integers(1950, 2010), st.integers(1, 12), st.integers(1, 31))
def test_year_month_and_day_round_trip(year, month, day):
    date = joined(np.array([year]), np.array([month]), np.array([day]))
    again = joined(*parts(date))
    assert again == date
    assert parts(date)[1][0] == month


def test_r11_dates_err_in_the_ways_and_shares_stated():
    born = np.full(40_000, np.datetime64("1990-04-05"))
    written = pen().dates(born)
    assert (written == np.datetime64("1990-05-04")).mean() == pytest.approx(HABITS.day_month / 0.39, abs=0.01)
    assert (written == np.datetime64("1900-01-01")).mean() == pytest.approx(HABITS.placeholder_date, abs=0.003)
    assert (written == np.datetime64("1990-01-01")).mean() == pytest.approx(HABITS.first_january, abs=0.003)


def test_r9_no_fixed_abode_is_written_as_desks_write_it():
    codes = pen().postcodes(np.full(20_000, "MW1 1AA", dtype=object))
    nowhere = np.isin(codes.astype(str), NOWHERE)
    assert nowhere.mean() == pytest.approx(HABITS.no_fixed_abode, abs=0.005)
    assert set(codes[nowhere]) == set(NOWHERE)


def test_dates_are_written_in_each_agencys_order():
    dates = np.array(["1985-03-05", "NaT"], dtype="datetime64[D]")
    assert [list(date_texts(dates, form)) for form in ("dmy", "iso", "mon")] == [
        ["05/03/1985", ""],
        ["1985-03-05", ""],
        ["05-Mar-1985", ""],
    ]


def test_cells_are_filled_in_the_exact_share_and_together():
    """Who has a telephone number has a date more often than others."""
    masks = filled(np.random.Generator(np.random.PCG64(1)), 10_000, {"date": 0.5, "phone": 0.3})
    assert masks["date"].sum() == 5_000
    assert masks["phone"].sum() == 3_000
    assert masks["date"][masks["phone"]].mean() > 0.6


def test_a_failed_county_leaves_nothing_behind(tmp_path):
    def fail() -> None:
        with new_folder(tmp_path / "out") as folder:
            (folder / "half").write_text("half", "utf-8")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_table_is_written_in_its_encoding_and_never_over_another(tmp_path: Path):
    columns = {"NAME": np.array(["O’Brien", "Zoë"], dtype=object)}
    write_table(tmp_path / "a.csv", columns, Form(encoding="cp1252", line_end="\r\n"))
    assert (tmp_path / "a.csv").read_bytes() == b"NAME\r\nO\x92Brien\r\nZo\xeb\r\n"
    with pytest.raises(FileExistsError):
        write_table(tmp_path / "a.csv", columns, PLAIN)
