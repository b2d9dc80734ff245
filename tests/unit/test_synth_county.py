"""The pretend county: the same every time, as dirty as the table says, and about nobody."""

import csv
import datetime as dt
import re
from collections import Counter

import numpy as np
import pytest
from stdnum.gb import nhs

from linkage import vocabulary
from linkage.errors import OutputExistsError, UsageProblemError
from linkage.intake import mapping as mappings
from linkage.intake.flags import read_flags
from linkage.intake.records import take_in
from linkage.intake.suggest import suggest
from linkage.intake.table import read_table
from linkage.schema import Field, Kind, Schema
from linkage.synth.county import TODAY, make_county, write_county
from linkage.synth.identifiers import CHECK_LETTERS, LANDLINES, MOBILES
from linkage.synth.people import NOBODY

PEOPLE = 4_000
SCHEMA = Schema(
    (
        Field("forename", Kind.FORENAME, 3),
        Field("surname", Kind.SURNAME, 2),
        Field("date_of_birth", Kind.DATE, 2),
        Field("postcode", Kind.POSTCODE, 3),
        Field("sex", Kind.SEX),
        Field("phone", Kind.PHONE),
        Field("nhs_number", Kind.IDENTIFIER),
        Field("pnc", Kind.IDENTIFIER),
        Field("cro", Kind.IDENTIFIER),
        Field("address", Kind.TEXT),
    )
)
PARTIES = ("childrens_services", "police", "mental_health", "drugs_alcohol", "probation", "housing")


@pytest.fixture(scope="module")
def county():
    return make_county(PEOPLE, 5)


@pytest.fixture(scope="module")
def folder(county, tmp_path_factory):
    folder = tmp_path_factory.mktemp("county") / "out"
    write_county(county, folder)
    return folder


def path_of(folder, party):
    return next(path for path in (folder / party).iterdir() if path.stem == party)


def everything(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_one_seed_gives_one_county_to_the_last_byte(folder, tmp_path):
    write_county(make_county(PEOPLE, 5), tmp_path / "again")
    assert everything(tmp_path / "again") == everything(folder)


def test_another_seed_gives_other_people(county):
    other = make_county(PEOPLE, 6)
    mine, theirs = (one.sources["police"].columns for one in (county, other))
    assert (mine["SURNAME"] != theirs["SURNAME"]).mean() > 0.9


def test_files_grow_in_proportion_to_the_people(county):
    """20,000 men give 1,000 anchors and 6,000 police nominals; here a fifth of them."""
    expected = {"childrens_services": 200, "police": 1200, "mental_health": 310, "probation": 50, "housing": 900}
    assert {party: len(county.sources[party]) for party in expected} == expected


@pytest.mark.parametrize(
    ("party", "column", "share", "tolerance"),
    [
        ("childrens_services", "Father DOB", 0.55, 0.03),
        ("childrens_services", "Father Phone", 0.40, 0.03),
        ("childrens_services", "Father Postcode", 0.30, 0.03),
        ("childrens_services", "Father NHS No", 0.10, 0.03),
        ("police", "PNC_ID", 0.60, 0.02),
        ("mental_health", "NHS Number", 0.97, 0.02),
        ("drugs_alcohol", "NHS No", 0.45, 0.03),
        ("housing", "Telephone", 0.80, 0.02),
    ],
)
def test_cells_are_filled_as_often_as_the_table_of_sources_says(county, party, column, share, tolerance):
    filled = county.sources[party].columns[column] != ""
    assert filled.mean() == pytest.approx(share, abs=tolerance)


def test_the_mother_names_the_father_in_about_85_rows_of_100(county):
    columns = county.sources["childrens_services"].columns
    placeholders = {"", "UNKNOWN", "Unknown", "NOT ENTERED", "Not known", "DECLINED", "unk"}
    named = [
        first not in placeholders and last not in placeholders
        for first, last in zip(columns["Father Forename"], columns["Father Surname"], strict=True)
    ]
    assert np.mean(named) == pytest.approx(0.85, abs=0.04)


def test_a_part_of_the_partners_of_tenants_is_missing(county):
    people, rows = county.population, county.sources["housing"].person
    partners = people.partner[rows[rows >= people.men]]
    present = np.isin(partners[partners != NOBODY], rows)
    assert present.mean() == pytest.approx(0.60, abs=0.06)


def test_r15_twins_share_surname_birthday_and_postcode(county):
    people = county.population
    men = np.flatnonzero(people.kin != NOBODY)
    same = people.born[men] == people.born[people.kin[men]]
    twins = men[same]
    assert len(twins) >= 10
    assert (people.surname[twins] == people.surname[people.kin[twins]]).all()
    assert (people.units[twins, 0] == people.units[people.kin[twins], 0]).mean() > 0.9


def test_r11_some_sons_live_with_a_father_of_the_same_full_name(county):
    people = county.population
    sons = np.flatnonzero(people.kin != NOBODY)
    fathers = people.kin[sons]
    younger = (people.born[sons] - people.born[fathers]).astype(int) > 12 * 366
    same = (people.forename[sons] == people.forename[fathers]) & (people.surname[sons] == people.surname[fathers])
    assert 3 <= (younger & same & (people.units[sons, 0] == people.units[fathers, 0])).sum() <= 60


def test_strangers_share_full_names_about_as_often_as_outside(county):
    """The table of requirements expects 6.5 in a million pairs of men; a pretend county may be somewhat narrower."""
    men = county.population.men
    names = Counter(zip(county.population.forename[:men], county.population.surname[:men], strict=True))
    pairs = sum(count * (count - 1) for count in names.values()) / men**2
    assert 4e-6 < pairs < 3e-5


def test_everybody_is_of_the_stated_age(county):
    ages = county.population.ages(TODAY)
    assert ages.min() >= 16
    assert ages.max() < 61.1


def test_r9_unknown_birthdays_of_some_origins_are_1_january_in_every_file(county):
    people = county.population
    somali = people.origin == 11
    first = people.born == people.born.astype("datetime64[Y]").astype("datetime64[D]")
    assert first[somali].mean() > 5 * first[~somali].mean()


def test_every_nhs_number_is_valid_and_of_the_test_range(county):
    columns = [county.sources["mental_health"].columns["NHS Number"], county.sources["drugs_alcohol"].columns["NHS No"]]
    numbers = [number.replace(" ", "") for column in columns for number in column if number]
    assert numbers
    assert all(nhs.is_valid(number) and number.startswith("999") for number in numbers)


@pytest.mark.parametrize(("party", "column"), [("police", "PNC_ID"), ("probation", "PNC_NO")])
def test_every_pnc_has_its_check_letter_and_a_serial_nobody_was_given(county, party, column):
    for number in county.sources[party].columns[column]:
        if number:
            year, serial, letter = re.fullmatch(r"(\d{4})/(9\d{6})([A-Z])", number).groups()
            assert CHECK_LETTERS[int(year[2:] + serial) % 23] == letter


def test_the_check_letter_is_that_of_a_published_example():
    """PNC 2003/0062845E and CRO 265416/21G stand in the Ministry of Justice's public tests."""
    assert CHECK_LETTERS[30062845 % 23] == "E"
    assert CHECK_LETTERS[21265416 % 23] == "G"


def test_one_man_has_one_pnc_at_police_and_probation(county):
    held = [
        {
            person: number
            for person, number in zip(source.person.tolist(), source.columns[column], strict=True)
            if number
        }
        for source, column in ((county.sources["police"], "PNC_ID"), (county.sources["probation"], "PNC_NO"))
    ]
    both = held[0].keys() & held[1].keys()
    assert len(both) >= 10
    assert all(held[0][person] == held[1][person] for person in both)


def test_every_telephone_number_is_kept_for_drama(county):
    columns = {
        "childrens_services": "Father Phone",
        "police": "PHONE",
        "mental_health": "Mobile",
        "drugs_alcohol": "Tel No",
        "probation": "MOBILE_NO",
        "housing": "Telephone",
    }
    for party, column in columns.items():
        for number in county.sources[party].columns[column]:
            digits = re.sub(r"\D", "", number.replace("(0)", ""))
            national = "0" + digits.removeprefix("44").removeprefix("0")
            assert not number or national[:8] in (MOBILES, *LANDLINES)
            assert not number or len(national) == 11


def test_the_truth_names_every_local_id_once(county, folder):
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as file:
        truth = [tuple(row) for row in csv.reader(file)][1:]
    ids = {
        (party, local_id)
        for party, source in county.sources.items()
        for local_id in next(iter(source.columns.values()))
    }
    assert {(party, local_id) for party, local_id, _ in truth} == ids
    assert len(truth) == len(ids)


def test_the_truth_is_in_no_partys_folder(county, folder):
    codes = {code.encode() for code in county.truth()["person"]}
    for party in PARTIES:
        for path in (folder / party).iterdir():
            assert not codes & set(re.findall(rb"P\d{7}", path.read_bytes()))


def test_police_hold_some_men_twice_and_some_under_other_names(county):
    police = county.sources["police"]
    assert 1.04 < len(police) / len(set(police.person.tolist())) < 1.08
    assert (police.columns["ALIASES"] != "").mean() > 0.1
    assert (police.columns["ALT_DOB"] != "").mean() > 0.05


def test_r47_r48_children_are_unborn_or_under_one_and_some_have_two_men(county):
    columns = county.sources["childrens_services"].columns
    days = [dt.datetime.strptime(text, "%d/%m/%Y").date() - TODAY.astype(dt.date) for text in columns["Due Date"]]  # noqa: DTZ007
    assert all(-365 < day.days < 230 for day in days)
    assert 0.3 < np.mean([day.days > 0 for day in days]) < 0.6
    fathers = Counter()
    for child, father in {*zip(columns["Child ID"], columns["Father ID"], strict=True)}:
        fathers[child] += father is not None
    assert max(fathers.values()) == 2


@pytest.mark.parametrize("party", PARTIES)
def test_r45_every_file_is_taken_in_with_its_mapping_and_hardly_a_value_is_invalid(county, folder, party):
    table, mapping = read_table(path_of(folder, party)), mappings.load(folder / party / "mapping.toml")
    taken = take_in(table, mapping, SCHEMA, today=TODAY.astype(dt.date))
    assert len(table) == len(county.sources[party])
    assert {field.name for field in taken.quality.fields if field.invalid > 0.002 * field.rows} == set()
    usable = {field.name: field.usable for field in taken.quality.fields}
    assert all(usable[name] > 0.05 for name in mapping.fields)


@pytest.mark.parametrize("party", PARTIES)
def test_a_mapping_is_suggested_for_every_file(folder, party):
    """The suggestion finds every field that the mapping at hand names."""
    mapping = mappings.load(folder / party / "mapping.toml")
    suggested = suggest(read_table(path_of(folder, party)).columns, SCHEMA)
    assert suggested.id == mapping.id
    assert suggested.fields.keys() == mapping.fields.keys()
    assert suggested.anchor == mapping.anchor


@pytest.mark.parametrize("party", PARTIES[1:])
def test_r19_every_flag_is_in_order(county, folder, party):
    local_ids = set(next(iter(county.sources[party].columns.values())))
    table = read_table(folder / party / "flags.csv")
    flags = read_flags(table, vocabulary.load(), local_ids, TODAY.astype(dt.date))
    assert sum(len(one) for one in flags.values()) == len(table) > 0


def test_nothing_is_ever_overwritten(county, folder):
    before = everything(folder)
    with pytest.raises(OutputExistsError):
        write_county(county, folder)
    assert everything(folder) == before


def test_a_handful_of_people_is_no_county():
    with pytest.raises(UsageProblemError):
        make_county(10, 1)


def test_what_is_printed_of_a_county_are_counts(county):
    assert repr(county).startswith("County(childrens_services=200, police=1200")
    assert repr(county.sources["police"]) == "Source(police, rows=1200)"
    assert repr(county.population).startswith("Population(men=4000")
