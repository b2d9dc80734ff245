"""R45: what agencies' files are like, and what a person is told about the bad ones."""

import datetime as dt
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from linkage.errors import ColumnsError, LinkageError, UnreadableFileError, YourFileError
from linkage.intake.table import Table, from_frame, read_table

HEADER = "id,forename,surname,dob\n"
ROW = "7,Zbigniew,Quillfeather,1984-03-12\n"
SECRETS = ("Zbigniew", "Quillfeather", "1984-03-12", "Zebedee")


def read(tmp_path: Path, data: bytes | str, name: str = "people.csv") -> Table:
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return read_table(path)


def told(error: LinkageError) -> str:
    """Everything a person could be shown of an error."""
    return " | ".join([str(error), error.hint, *error.details])


def silent(error: LinkageError) -> bool:
    return not any(secret.lower() in told(error).lower() for secret in SECRETS) and "Decode" not in repr(
        error.__context__
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_r45_any_delimiter_encoding_and_line_end_gives_the_same_table(tmp_path, delimiter, encoding, end):
    text = end.join(
        delimiter.join(row) for row in (["id", "forename", "surname"], ["01", "José", "Øre"], ["2", "", "Straße"])
    )
    table = read(tmp_path, text.encode(encoding))
    assert table.columns == ("id", "forename", "surname")
    assert table.cells == (["01", "2"], ["José", ""], ["Øre", "Straße"])
    assert table.lines.tolist() == [2, 3]
    assert table.lines.dtype == np.int32


def test_a_header_in_quotes_behind_a_byte_order_mark_is_read(tmp_path):
    assert read(tmp_path, b'\xef\xbb\xbf"id","surname"\n"1","O"\n').columns == ("id", "surname")


def test_a_file_glued_from_two_encodings_is_read_line_by_line(tmp_path):
    data = b"id,surname\n" + "1,Müller\n".encode() + "2,Müller\n".encode("cp1252")
    assert read(tmp_path, data).column("surname") == ["Müller", "Müller"]


def test_lines_are_those_of_the_file_also_behind_quoted_line_breaks_and_blank_lines(tmp_path):
    table = read(tmp_path, 'id,address\n1,"Flat 2\n3 High St"\n\n2,x\n , \n3,"a\nb\nc"\n4,y\n')
    assert table.lines.tolist() == [2, 5, 7, 10]
    assert table.column("address")[0] == "Flat 2\n3 High St"


def test_a_delimiter_inside_quotes_does_not_decide(tmp_path):
    table = read(tmp_path, 'id;name;dob\n1;"\tDoe, Jo, X";1971\n2;"Roe, A, Y";1972\n')
    assert table.columns == ("id", "name", "dob")


def test_excels_own_delimiter_line_is_obeyed_and_counted(tmp_path):
    table = read(tmp_path, "sep=;\nid;surname\n1;A, B\n")
    assert table.columns == ("id", "surname")
    assert table.lines.tolist() == [3]


def test_empty_columns_at_the_end_and_sql_underlines_are_left_out(tmp_path):
    table = read(tmp_path, "id,surname,,\n--,-------,,\n1,Lee,,\n2,Low,\n")
    assert table.columns == ("id", "surname")
    assert table.lines.tolist() == [3, 4]


def test_r45_ragged_rows_are_named_by_line_all_at_once(tmp_path):
    with pytest.raises(ColumnsError) as caught:
        read(tmp_path, HEADER + ROW + "1,Zebedee\n" + ROW + "2,a,b,c,Quillfeather\n(2 rows affected)\n")
    assert "3 of 5 rows" in str(caught.value)
    assert caught.value.details == ("line 3: 2 cells", "line 5: 5 cells", "line 6: 1 cells")
    assert silent(caught.value)


def test_r45_a_file_without_header_shows_nobody(tmp_path):
    """The first line of such a file is a person."""
    with pytest.raises(ColumnsError) as caught:
        read(tmp_path, ROW + ROW.replace("7", "8"))
    assert "may have no header" in told(caught.value)
    assert silent(caught.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Custody export March 2026,,,\nprinted by Zebedee,,,\n" + HEADER + ROW, 3),
        ("Custody export\n" + HEADER + ROW, 2),
        ("Person,,,Birth\n" + HEADER + ROW, 2),
        ("Person name,Person address,Birth date,Case\nid,forename,surname,dob\n" + ROW, 2),
    ],
)
def test_r45_titles_and_merged_headers_are_refused_with_the_line_of_the_real_header(tmp_path, text, line):
    with pytest.raises(YourFileError) as caught:
        read(tmp_path, text)
    assert f"line {line} looks like the header" in told(caught.value)
    assert silent(caught.value)


def test_r45_doubled_and_missing_column_names_are_told_together(tmp_path):
    with pytest.raises(ColumnsError) as caught:
        read(tmp_path, "id,surname,,Surname\n1,Quillfeather,x,y\n")
    assert "columns 2, 4 have the same name" in told(caught.value)
    assert "column 3 has no name" in told(caught.value)
    assert silent(caught.value)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"   \n\n", "empty"),
        (b"id,surname\n1,Zeb\x00edee\n", "first at line 2"),
        (bytes(range(256)) * 40, "cannot be text"),
        (b"id,surname\n1,\x81Zebedee\n2,\x9d\n", "2 lines are neither"),
        (b"\xff\xfeabc", "is not"),
        (b"%PDF-1.7 nothing to see", "divides the lines"),
        (b'id,surname\n1,"Quillfeather\n2,Zebedee\n', "row that begins at line 2"),
        (b"<html><table><tr><td>Zebedee", "web page"),
        (b"PK\x03\x04 Zebedee", "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 99, ".xls"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "password"),
    ],
)
def test_r45_what_is_no_table_is_refused_in_plain_words(tmp_path, data, words):
    with pytest.raises(UnreadableFileError) as caught:
        read(tmp_path, data)
    assert words in told(caught.value)
    assert caught.value.hint
    assert silent(caught.value)


def test_a_file_that_is_not_there_is_unreadable(tmp_path):
    with pytest.raises(UnreadableFileError, match="cannot be opened"):
        read_table(tmp_path / "none.csv")


def workbook(tmp_path: Path, *sheets: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets):
        sheet = book.create_sheet(f"S{number}")
        for row in rows:
            sheet.append(row)
    book.save(tmp_path / "book.xlsx")
    return tmp_path / "book.xlsx"


def test_a_workbook_reads_as_a_person_would_have_typed_it(tmp_path):
    path = workbook(
        tmp_path,
        [
            ["ID", "DOB", "Phone", "Seen", "Late"],
            [
                "0012",
                dt.datetime.fromisoformat("1984-03-12"),
                7700900123.0,
                True,
                dt.datetime.fromisoformat("2001-02-03T04:05"),
            ],
            [],
            [13, dt.date(1990, 1, 2), 1.5, None, ""],
        ],
        [],
    )
    table = read_table(path)
    assert table.columns == ("ID", "DOB", "Phone", "Seen", "Late")
    assert table.cells[0] == ["0012", "13"]
    assert table.cells[1] == ["1984-03-12", "1990-01-02"]
    assert table.cells[2] == ["7700900123", "1.5"]
    assert table.cells[4] == ["2001-02-03 04:05:00", ""]
    assert table.lines.tolist() == [2, 4]


def test_a_workbook_of_several_sheets_needs_the_sheets_name(tmp_path):
    path = workbook(tmp_path, [["id", "name"], [1, "x"]], [["id", "surname"], [2, "y"]])
    with pytest.raises(UnreadableFileError, match="2 sheets"):
        read_table(path)
    assert read_table(path, sheet="S1").columns == ("id", "surname")
    with pytest.raises(UnreadableFileError, match="no sheet of that name"):
        read_table(path, sheet="S7")


def test_r45_a_workbook_with_a_merged_header_names_the_line(tmp_path):
    path = workbook(
        tmp_path, [["Person", None, None], ["id", "surname", "dob"], [1, "Quillfeather", dt.date(1984, 3, 12)]]
    )
    with pytest.raises(ColumnsError) as caught:
        read_table(path)
    assert "line 2 looks like the header" in told(caught.value)
    assert silent(caught.value)


def test_a_frame_reads_as_its_csv_would():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(
        {"n": [1.0, None], "dob": pd.to_datetime(["1984-03-12", None])}, index=pd.Index(["a", "b"], name="rec_id")
    )
    table = from_frame(frame)
    assert table.columns == ("rec_id", "n", "dob")
    assert table.cells == (["a", "b"], ["1", ""], ["1984-03-12", ""])
    assert table.lines.tolist() == [2, 3]
    with pytest.raises(ColumnsError):
        from_frame(pd.DataFrame([[1, 2]], columns=["a", "a"]))


def test_a_table_shows_counts_only(tmp_path):
    assert repr(read(tmp_path, HEADER + ROW)) == "Table(rows=1, columns=4)"


def test_columns_nobody_wants_are_not_held(tmp_path):
    """Their names are told, and a row that lacks one of their cells is as wrong as ever."""
    path = tmp_path / "file.csv"
    path.write_text("id,surname,note\n1,SMITH,long\n2,JONES,text\n")
    told = []
    table = read_table(path, wanted=lambda names: told.append(names) or {"id", "surname"})
    assert told == [("id", "surname", "note")] == [table.columns]
    assert table.cells == (["1", "2"], ["SMITH", "JONES"], [])
    path.write_text("id,surname,note\n1,SMITH,long\n2,JONES\n")
    with pytest.raises(ColumnsError, match="1 of 2 rows do not have 3 cells, first at line 3"):
        read_table(path, wanted=lambda _: {"id"})
