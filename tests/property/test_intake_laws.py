"""Laws of intake: whatever the file, an answer or a refusal in plain words, and no word of the file in it."""

import csv
import datetime as dt
import io
import tomllib

import numpy as np
import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage import roots
from linkage.errors import LinkageError
from linkage.intake import dates, identifiers, names, places
from linkage.intake.cell import Verdict
from linkage.intake.columns import Cells, build
from linkage.intake.mapping import AnchorColumns, Mapping, Source, dump, from_toml
from linkage.intake.records import profile, take_in
from linkage.intake.suggest import suggest
from linkage.intake.table import Table, read_table
from linkage.schema import Field, Kind, Schema

TODAY = dt.date(2026, 3, 1)
SCHEMA = Schema(tuple(Field(kind.value, kind, 2) for kind in Kind))
words = st.text(max_size=12)
canaries = st.text("ZQX", min_size=8, max_size=8).map("Zq".__add__)


@pytest.fixture(autouse=True, scope="module")
def compiled(tmp_path_factory):
    """The loops are compiled before Hypothesis looks at its watch."""
    path = tmp_path_factory.mktemp("compiled") / "file.csv"
    names = ["id", *(kind.value for kind in Kind)]
    path.write_text(",".join(names) + "\n" + "1," + ",".join("7" for _ in Kind) + "\n")
    held = read_table(path)
    profile(held, suggest(names, SCHEMA), SCHEMA, today=TODAY)


def attempt(step):
    """What a step gives, or how it refuses; any other exception fails the test."""
    try:
        return step()
    except LinkageError as error:
        return error


@settings(max_examples=300)
@given(data=st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_table_or_a_refusal(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("fuzz") / "file"
    path.write_bytes(data)
    found = attempt(lambda: read_table(path))
    if isinstance(found, LinkageError):
        assert 20 <= found.exit_code < 30
        assert found.hint
    else:
        assert all(len(column) == len(found) for column in found.cells)
        assert (np.diff(found.lines) > 0).all()


cells = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")) | st.just("\n"), max_size=8)


@settings(max_examples=200)
@given(rows=st.lists(st.tuples(cells, cells), max_size=8), delimiter=st.sampled_from(",;\t|"))
def test_what_is_written_is_read_back_with_its_lines(tmp_path_factory, rows, delimiter):
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerow(["local_id", "surname"])
    lines = []
    for row in rows:
        lines.append(out.getvalue().count("\n") + 1)
        writer.writerow(row)
    path = tmp_path_factory.mktemp("csv") / "file.csv"
    path.write_text(out.getvalue(), "utf-8", newline="")
    table = read_table(path)
    kept = [
        (line, row)
        for line, row in zip(lines, rows, strict=True)
        if "".join(row).strip() and set("".join(row)) - set("- ")
    ]
    dashes = [row for row in rows if "".join(row).strip() and not set("".join(row)) - set("- ")]
    if not dashes:
        assert table.lines.tolist() == [line for line, _ in kept]
        assert list(zip(*table.cells, strict=True)) == [tuple(cell.strip() for cell in row) for _, row in kept]


@given(text=words)
def test_every_cleaner_answers_every_text(text):
    """Values only where valid, never spaces outside, and the same again for what it gave."""
    for clean in (
        lambda cell: names.forename(cell, 3),
        names.surname,
        lambda cell: dates.birth(cell, "dmy", TODAY),
        places.postcode,
        places.address,
        identifiers.nhs,
        identifiers.pnc,
        identifiers.cro,
        identifiers.noms,
        identifiers.nino,
        identifiers.other,
        identifiers.phone,
        identifiers.sex,
    ):
        values, verdict = clean(text)
        assert bool(values) == (verdict >= Verdict.PARTIAL)
        assert all(value and value == value.strip() and value.isascii() for value in values)
        assert text.strip() or verdict is Verdict.EMPTY


@given(text=st.text("ABDO '-", max_size=16))
def test_cleaning_a_clean_surname_changes_nothing(text):
    for value in names.surname(text)[0]:
        assert names.surname(value)[0] in ((value,), ())


@given(st.dates(dt.date(1920, 1, 2), TODAY).filter(lambda date: (date.month, date.day) != (1, 1)))
def test_r11_every_way_of_writing_a_date_gives_the_same(date):
    written = [
        "%Y-%m-%d",
        "%d/%m/%Y",
        "%d.%m.%Y",
        "%Y%m%d",
        "%d%m%Y",
        "%d %B %Y",
        "%d-%b-%Y",
        "%B %d, %Y",
        "%d/%m/%Y %H:%M",
    ]
    for form in written:
        assert dates.birth(date.strftime(form), "dmy", TODAY) == ((date.isoformat(),), Verdict.VALID), form
    assert dates.birth(date.strftime("%m/%d/%Y"), "mdy", TODAY)[0] == (date.isoformat(),)
    excel = (date - dt.date(1899, 12, 30)).days
    if excel >= 10000:
        assert dates.birth(str(excel), "dmy", TODAY)[0] == (date.isoformat(),)


@given(st.integers(1920, 2026))
def test_r9_the_first_of_january_is_a_year(year):
    if year != 1970:
        assert dates.birth(f"01/01/{year}", "dmy", TODAY) == ((str(year),), Verdict.PARTIAL)


@given(
    number=st.integers(0, 10**8 - 1),
    first=st.sampled_from("1234579"),
    before=st.sampled_from(["0", "+44", "0044", "+44 0", ""]),
)
def test_mobiles_are_what_phonenumbers_says(number, first, before):
    text = f"{before}7{first}{number:08}"
    values, verdict = identifiers.phone(text)
    if verdict is Verdict.VALID:
        wanted = phonenumbers.parse(text, "GB")
        assert values == (phonenumbers.format_number(wanted, phonenumbers.PhoneNumberFormat.E164),)


@given(
    number=st.integers(0, 10**9 - 1), first=st.sampled_from("12"), before=st.sampled_from(["0", "+44", "+44(0)", ""])
)
def test_landlines_are_what_phonenumbers_says(number, first, before):
    text = f"{before}{first}{number:09}"
    values, verdict = identifiers.phone(text)
    if verdict is not Verdict.PLACEHOLDER:
        wanted = phonenumbers.parse(text, "GB")
        assert phonenumbers.is_possible_number(wanted)
        assert values == (phonenumbers.format_number(wanted, phonenumbers.PhoneNumberFormat.E164),)


@given(
    area=st.sampled_from(sorted(places.AREAS)),
    district=st.integers(0, 99),
    sector=st.integers(0, 9),
    unit=st.text("ABDEFGHJLNPQRSTUWXYZ", min_size=2, max_size=2),
)
def test_r12_a_postcode_survives_spaces_case_and_confused_characters(area, district, sector, unit):
    code = f"{area}{district} {sector}{unit}"
    wanted = places.postcode(code)
    if wanted[1] is Verdict.VALID:
        assert wanted == ((code,), Verdict.VALID)
        assert places.postcode(code.lower().replace(" ", "")) == wanted
        inward = code[-3:].replace("0", "O", 1).replace("1", "I", 1) if sector < 2 else code[-3:]
        assert places.postcode(f"{code[:-4]} {inward}") == wanted


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ ", max_size=20))
def test_roots_and_sounds_never_fail_and_are_few(name):
    value = " ".join(name.split())
    found = roots.name_roots(value)
    assert len(found) <= roots.MAX_ROOTS
    assert len(set(found)) == len(found)
    assert bool(found) == bool(value)
    assert len(roots.phonetic(value)) <= 2


def twin(sources, values, owner, people):
    """The plain form of columns.build: a person's values in order, whole ones first."""
    held = [[] for _ in range(people)]
    for source in sources:
        for row, text in enumerate(source.texts):
            parts = [part.strip() for part in text.split(source.separator)] if source.separator else [text]
            held[owner[row]] += [value for part in parts for value in source.clean(part)[0]]
    for one in held:
        one.sort(key=lambda value: len(value) == 4 and value.isdigit())
    return [list(dict.fromkeys(one))[:values] for one in held]


@given(
    rows=st.lists(
        st.tuples(st.text("ab1 ;", max_size=5), st.sampled_from(["1984", "abcd", "a", ""]), st.integers(0, 3)),
        max_size=10,
    ),
    values=st.integers(1, 3),
    separator=st.sampled_from(["", ";"]),
)
def test_columns_are_what_the_plain_twin_says(rows, values, separator):
    def clean(text):
        return ((text,), Verdict.VALID) if text else ((), Verdict.EMPTY)

    texts, more, persons = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    sources = [Cells(texts, clean, separator), Cells(more, clean)]
    column, verdict, invalid = build(sources, values, np.array(persons, np.int32), 4)
    found = [
        [column.vocabulary[code] for code in column.codes[a:b]]
        for a, b in zip(column.offsets, column.offsets[1:], strict=False)
    ]
    assert found == twin(sources, values, persons, 4)
    assert len(verdict) == len(invalid) == len(rows)
    assert set(column.codes.tolist()) == set(range(len(column.vocabulary))), "no value stays that nobody has"


@given(
    mapping=st.builds(
        Mapping,
        words,
        st.dictionaries(
            words,
            st.builds(Source, st.lists(words, min_size=1, max_size=3).map(tuple), words, st.booleans()),
            max_size=3,
        ),
        st.sampled_from(["dmy", "mdy", "ymd", "iso", None]),
        st.none() | st.builds(Source, st.tuples(words)),
        st.sampled_from(["auto", "surname_first"]),
        st.none() | st.builds(Source, st.tuples(words)),
        st.none() | st.builds(AnchorColumns, words.filter(bool), words),
        st.lists(words, max_size=2).map(tuple),
    )
)
def test_a_mapping_is_read_back_as_it_was_written(mapping):
    assert from_toml(tomllib.loads(dump(mapping))) == mapping


@settings(max_examples=60)
@given(canary=canaries, rows=st.integers(1, 4), places_=st.lists(st.integers(0, 9), max_size=6))
def test_r4_no_refusal_holds_a_value(canary, rows, places_):
    """Canaries in any cell: ids twice, dates that are none, names, postcodes; never in a message or report."""
    columns = ("id", *(kind.value for kind in Kind), "child_id", "relation")
    held = [["x"] * rows for _ in columns]
    for place in places_:
        held[place % len(columns)] = [canary] * rows
    table = Table(columns, tuple(held), np.arange(2, rows + 2, dtype=np.int32))
    mapping = suggest(columns, SCHEMA)
    shown = [repr(table), repr(profile(table, mapping, SCHEMA, today=TODAY))]
    found = attempt(lambda: take_in(table, mapping, SCHEMA, today=TODAY))
    shown += [str(found), repr(found)]
    shown += [found.hint, *found.details] if isinstance(found, LinkageError) else []
    assert canary.lower() not in " ".join(shown).lower()
