"""R9, R11 to R13: what single values become."""

import datetime as dt
import re

import pytest

from linkage.intake import dates, identifiers, names, places
from linkage.intake.cell import Verdict
from linkage.schema import Field, Kind

TODAY = dt.date(2026, 3, 1)
V, P, X, N = Verdict.VALID, Verdict.PARTIAL, Verdict.INVALID, Verdict.PLACEHOLDER


@pytest.mark.parametrize(
    ("text", "values", "verdict"),
    [
        ("1984-03-12", ("1984-03-12",), V),
        ("12/03/1984", ("1984-03-12",), V),
        ("12.3.84", ("1984-03-12",), V),
        ("1/2/26", ("2026-02-01",), V),
        ("2/3/26", ("1926-03-02",), V),  # the second of March 2026 is still to come
        ("19840312", ("1984-03-12",), V),
        ("12031984", ("1984-03-12",), V),
        ("2031984", ("1984-03-02",), V),  # a spreadsheet dropped the first zero
        ("12 March 1984", ("1984-03-12",), V),
        ("12th Mar 84", ("1984-03-12",), V),
        ("12-MAR-1984 00:00:00", ("1984-03-12",), V),
        ("March 12, 1984", ("1984-03-12",), V),
        ("1984-03-12T00:00:00Z", ("1984-03-12",), V),
        ("30753", ("1984-03-12",), V),  # Excel's count of days
        ("30753.0", ("1984-03-12",), V),
        ("1984", ("1984",), P),
        ("00/00/1984", ("1984",), P),
        ("1984-03", ("1984",), P),
        ("March 1984", ("1984",), P),
        ("01/01/1984", ("1984",), P),  # R9: the day given to people who do not know theirs
        ("1900-01-01", (), N),
        ("01/01/1970", (), N),
        ("1899-12-31", (), N),
        ("31/12/9999", (), N),
        ("0", (), N),
        ("99/99/9999", (), N),
        ("not known", (), N),
        ("", (), Verdict.EMPTY),
        ("2026-03-02", (), X),
        ("1915-03-01", (), X),
        ("31/02/1984", (), X),
        ("12/13/1984", (), X),
        ("yesterday", (), X),
        ("12 Octember 1984", (), X),
    ],
)
def test_r9_r11_dates(text, values, verdict):
    assert dates.birth(text, "dmy", TODAY) == (values, verdict)


def test_the_order_of_day_and_month_comes_from_the_whole_column():
    assert dates.order_of(["03/04/1984", "25/04/1984"]) == "dmy"
    assert dates.order_of(["03/04/1984", "04/25/1984"]) == "mdy"
    assert dates.order_of(["1984-03-04", "19840304", "05/05/1984", "x"]) == "dmy"
    assert dates.order_of(["03/04/1984", "05/06/1990"]) is None, "open"
    assert dates.order_of(["25/04/1984", "04/25/1984"]) is None, "mixed"
    assert dates.order_of(["25/04/1984"] * 30 + ["04/25/1984"]) == "dmy", "a typing error"
    assert dates.birth("03/12/1984", "mdy", TODAY) == (("1984-03-12",), V)
    assert dates.birth("84-03-12", "ymd", TODAY) == (("1984-03-12",), V)


def test_a_file_of_former_people_is_told_from_a_few_wrong_years():
    young = [f"19{year}-05-0{day}" for year in range(50, 99) for day in range(1, 10)]
    assert dates.earliest_of([*young, "1901-01-01", "1899-12-30", "1893-02-02"], TODAY) == 1916
    assert dates.earliest_of([*young, *(f"18{year}0507" for year in range(90, 99))], TODAY) == 1850
    assert dates.earliest_of([*young, *(f"07/05/18{year}" for year in range(90, 99))], TODAY) == 1850


@pytest.mark.parametrize(
    ("text", "values", "verdict"),
    [
        ("de654yj", ("DE65 4YJ",), V),
        ("M1 1AE", ("M1 1AE",), V),
        (" sw1a  1aa ", ("SW1A 1AA",), V),
        ("0X1 2JD", ("OX1 2JD",), V),
        ("S016 4GX", ("SO16 4GX",), V),
        ("SW1A lAA", ("SW1A 1AA",), V),
        ("M1 IAE", ("M1 1AE",), V),
        ("W1O 5AB", ("W10 5AB",), V),
        ("Leeds LS1 4AP", ("LS1 4AP",), V),
        ("LS1", ("LS1",), P),
        ("LS1 4", ("LS1",), P),
        ("sw1a", ("SW1A",), P),
        ("4223", ("4223",), V),  # Australia
        ("K1A 0B1", ("K1A0B1",), V),  # Canada
        ("ZZ99 3VZ", (), N),
        ("zz993cz", (), N),
        ("NF1 1NF", (), N),
        ("NF1 1FA", (), N),
        ("NFA", (), N),
        ("unknown", (), N),
        ("London", (), X),
        ("", (), Verdict.EMPTY),
    ],
)
def test_r9_r12_postcodes(text, values, verdict):
    assert places.postcode(text) == (values, verdict)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("2 New Road", "2, new rd."),
        ("Flat 3, 10 St. John's Street", "flat3 10 saint johns str"),
        ("12a Highfield Avenue LS1 4AP", "12A HIGHFIELD AVE"),
    ],
)
def test_addresses_written_differently_become_one(left, right):
    assert places.address(left) == places.address(right)


def test_r9_no_address_is_missing():
    assert places.address("No Fixed Abode") == ((), N)
    assert places.address("2 new road") == (("2 NEW RD",), V)


@pytest.mark.parametrize(
    ("text", "values", "verdict"),
    [
        ("943 476 5919", ("9434765919",), V),
        ("943-476-5919", ("9434765919",), V),
        ("9434765918", (), X),
        ("943476591", (), X),
        ("9.43476E+09", (), X),
        ("000-000-0000", (), N),
        ("9999999999", (), N),
        ("1234567890", (), N),
        ("1111111111", (), N),
        ("declined", (), N),
    ],
)
def test_r9_r13_nhs_numbers(text, values, verdict):
    assert identifiers.nhs(text) == (values, verdict)


@pytest.mark.parametrize(
    "text", ["1999/123456A", "99/123456a", "1999/0123456A", "19990123456A", "1999-0123456A", "99/0123456A"]
)
def test_r13_a_pnc_number_has_one_form(text):
    assert identifiers.pnc(text) == (("1999/0123456A",), V)


def test_r13_other_schemes():
    assert identifiers.pnc("05/1X") == (("2005/0000001X",), V)
    assert identifiers.pnc("AB 12/3") == (("AB123",), V), "anything else is kept as capitals and digits"
    assert identifiers.cro("1234/99h") == (("001234/99H",), V)
    assert identifiers.cro("SF99/12345A") == (("SF99/12345A",), V)
    assert identifiers.noms("a1234bc") == (("A1234BC",), V)
    assert identifiers.nino("ab 12 34 56 c") == (("AB123456",), V)
    assert identifiers.other("x-123 / 9") == (("X1239",), V)
    assert identifiers.other("MIG_ERROR_1") == ((), N)
    assert identifiers.other("none") == ((), N)
    assert identifiers.of(Field("nhs_number", Kind.IDENTIFIER)) is identifiers.nhs
    assert identifiers.of(Field("PNC", Kind.IDENTIFIER)) is identifiers.pnc
    assert identifiers.of(Field("soc_sec_id", Kind.IDENTIFIER)) is identifiers.other


@pytest.mark.parametrize("text", ["1999/0123456A", "0000/0000000X", "0000/0000000Z", "012345/99A", "000000/00E"])
def test_numbers_written_as_they_are_kept_need_no_second_look(monkeypatch, text):
    """The short way says what the long way says."""
    short = identifiers.pnc(text), identifiers.cro(text)
    for form in ("_PNC_FORM", "_CRO_FORM"):
        monkeypatch.setattr(identifiers, form, re.compile("(?!)"))
    assert short == (identifiers.pnc(text), identifiers.cro(text))
    assert ((text,), V) in short


@pytest.mark.parametrize(
    ("text", "values", "verdict"),
    [
        ("07911 123456", ("+447911123456",), V),
        ("7911123456", ("+447911123456",), V),  # a spreadsheet dropped the zero
        ("+44 (0)7911 123456", ("+447911123456",), V),
        ("00447911123456", ("+447911123456",), V),
        ("0113 496 0000", ("+441134960000",), V),
        ("+48 512 345 678", ("+48512345678",), V),
        ("07000000000", (), N),
        ("00000 000000", (), N),
        ("01234567890", (), N),
        ("none", (), N),
        ("12", (), X),
        ("call mother", (), X),
    ],
)
def test_r9_r12_phones(text, values, verdict):
    assert identifiers.phone(text) == (values, verdict)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("male", ("M",)),
        ("F", ("F",)),
        ("1", ("M",)),
        ("2", ("F",)),
        ("9", ()),
        ("Not specified", ()),
        ("non-binary", ()),
        ("", ()),
    ],
)
def test_sex(text, values):
    assert identifiers.sex(text)[0] == values


@pytest.mark.parametrize(
    "text",
    [
        *("UNKNOWN", "Not Entered", "BABY OF SMITH", "Baby Boy Jones", "B/O JONES", "MIG_ERROR_123", "DUPLICATE_77"),
        *(
            "NO_SHOW_1",
            "N/A",
            "NK",
            "declined",
            "Test",
            "XX",
            "xxxx",
            "-",
            "?",
            "#N/A",
            "Unknown father",
            "Mother of child",
        ),
    ],
)
def test_r9_placeholders_are_no_names(text):
    assert names.forename(text) == ((), N)
    assert names.surname(text) == ((), N)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("O'Brien", ("OBRIEN",)),
        ("O’Brien", ("OBRIEN",)),
        ("o brien", ("OBRIEN",)),
        ("Mc Donald", ("MCDONALD",)),
        ("Mac-Donald", ("MACDONALD",)),
        ("D'Souza", ("DSOUZA",)),
        ("Smith-Jones", ("SMITH JONES",)),
        ("van der Berg", ("VAN DER BERG",)),
        ("Mr Smith Jr.", ("SMITH",)),
        ("Smith (née Jones)", ("SMITH", "JONES")),
        ("SMITH aka JONES", ("SMITH", "JONES")),
        ("Łukaszewicz", ("LUKASZEWICZ",)),
        ("Male", ()),
        ("Lord", ("LORD",)),
        ("12345", ()),
    ],
)
def test_r10_surnames(text, values):
    assert names.surname(text)[0] == values


@pytest.mark.parametrize(
    ("text", "most", "values"),
    [
        ("John Paul", 1, ("JOHN",)),
        ("John Paul", 3, ("JOHN", "PAUL")),
        ("Jean-Paul", 1, ("JEAN PAUL",)),
        ("Robert (Bob)", 2, ("ROBERT", "BOB")),
        ('Robert "Bob"', 2, ("ROBERT", "BOB")),
        ("Wei Ming", 1, ("WEI MING",)),
        ("Wei-Ming", 1, ("WEI MING",)),
        ("Abdul Rahman", 1, ("ABDULRAHMAN",)),
        ("J.", 1, ("J",)),
        ("Zoë", 1, ("ZOE",)),
    ],
)
def test_r10_forenames(text, most, values):
    assert names.forename(text, most)[0][:most] == values


@pytest.mark.parametrize(
    ("text", "halves"),
    [
        ("SMITH, John Paul", ("John Paul", "SMITH")),
        ("John Smith", ("John", "Smith")),
        ("SMITH John", ("John", "SMITH")),
        ("Mr John van der Berg", ("John", "van der Berg")),
        ("Dave", ("Dave", "")),
        ("Quillfeather", ("", "Quillfeather")),
        ("John Smith, Jr", ("John", "Smith")),
        ("", ("", "")),
    ],
)
def test_r10_full_names(text, halves):
    assert names.full_name(text) == halves


def test_r10_chinese_order_is_stated():
    assert names.full_name("Zhang Wei Ming", "surname_first") == ("Wei Ming", "Zhang")
