"""R5, R18 to R21: what may be said about a man, and how a gap in it is refused."""

import datetime as dt

import numpy as np
import pytest

from linkage.errors import FlagsError
from linkage.intake.flags import band_of, read_flags
from linkage.intake.table import Table
from linkage.model import Flag
from linkage.vocabulary import DEFAULT, load

TODAY = dt.date(2026, 3, 1)
WORDS = load()


def table(header: str, *rows: str) -> Table:
    cells = [row.split(",") for row in rows]
    columns = tuple(header.split(","))
    return Table(
        columns,
        tuple([row[place] for row in cells] for place in range(len(columns))),
        np.arange(2, len(rows) + 2, dtype=np.int32),
    )


def test_r19_whole_flags_are_read():
    held = table(
        "Local ID,Code,Basis,Date,Recency,Status,Role",
        "p2,vp,fact,2025-12-01,,active,",
        "p1,DA-P,ALLEGED,,OVER_5Y,CLOSED,perpetrator",
        "p2,ES,FACT,01/02/2022,1_TO_5Y,UNKNOWN,SUBJECT",
        "p2,VP,FACT,2025-12-01,,ACTIVE,",
        "p2,SU-A,SELF,13/02/2022,,UNKNOWN,",
    )
    assert read_flags(held, WORDS, ["p1", "p2", "p3"], TODAY) == {
        "p2": (
            Flag("VP", "PERPETRATOR", "FACT", "UNDER_1Y", "ACTIVE"),
            Flag("SU-A", "SUBJECT", "SELF", "1_TO_5Y", "UNKNOWN"),
            Flag("ES", "SUBJECT", "FACT", "1_TO_5Y", "UNKNOWN"),
        ),
        "p1": (Flag("DA-P", "PERPETRATOR", "ALLEGED", "OVER_5Y", "CLOSED"),),
    }


def test_r19_r21_every_fault_is_named_with_its_line_at_once_and_never_repeated():
    held = table(
        "local_id,code,basis,date,recency,status,role",
        "p1,DAP,FACT,,UNKNOWN,ACTIVE,",
        "zebedee,DA-V,Zebedee said so,,,,",
        "p1,VP,FACT,2027-01-01,,ACTIVE,VICTIM",
        "p1,,FACT,soon,,ACTIVE,",
        ",VP,FACT,2020-05-13,UNDER_1Y,ACTIVE,",
    )
    with pytest.raises(FlagsError) as caught:
        read_flags(held, WORDS, ["p1"], TODAY)
    assert caught.value.details == (
        "line 2: the code is not in the vocabulary; did you mean 'DA-P'?",
        "line 3: the local id is not in the agency's file",
        "line 3: the code DA-V is switched off in this vocabulary",
        "line 3: the basis is not in the vocabulary; known are: FACT, ALLEGED, OPINION, SELF",
        "line 3: no status",
        "line 3: no date or recency",
        "line 4: the role contradicts the code VP, whose role is PERPETRATOR",
        "line 4: the date is in the future",
        "line 5: no code",
        "line 5: the date is no date",
        "line 6: no local id",
        "line 6: the recency contradicts the date, which is OVER_5Y",
    )
    assert "zebedee" not in " ".join(caught.value.details).lower()


@pytest.mark.parametrize("column", ["Notes", "Diagnosis", "Address", "Quillfeather"])
def test_r5_no_other_column_is_let_in(column):
    with pytest.raises(FlagsError) as caught:
        read_flags(
            table(f"local_id,code,basis,date,status,{column}", "p,VP,FACT,2020-01-02,ACTIVE,x"), WORDS, ["p"], TODAY
        )
    assert "not let in" in str(caught.value)
    assert "Quillfeather" not in str(caught.value)


def test_r19_a_file_without_the_columns_is_refused():
    with pytest.raises(FlagsError) as caught:
        read_flags(table("local_id,code", "p,VP"), WORDS, ["p"], TODAY)
    assert caught.value.details == (
        "column 'basis' is missing",
        "column 'status' is missing",
        "column 'date' or 'recency' is missing",
    )


@pytest.mark.parametrize(
    ("date", "band"),
    [
        ("2026-03-01", "UNDER_1Y"),
        ("2025-03-02", "UNDER_1Y"),
        ("2025-03-01", "1_TO_5Y"),
        ("2021-03-02", "1_TO_5Y"),
        ("2021-03-01", "OVER_5Y"),
        ("1950-01-01", "OVER_5Y"),
    ],
)
def test_r19_recency_is_counted_to_the_day(date, band):
    assert band_of(dt.date.fromisoformat(date), WORDS, TODAY) == band


def test_r20_official_codes_are_prompts_and_never_values(tmp_path):
    """3A to 3C code the victim: a person causing harm never becomes one of them."""
    for code in WORDS.codes:
        assert all(prompt.startswith("consider ") for prompt in code.prompts)
        assert not code.code[0].isdigit()
    with pytest.raises(FlagsError, match="never values here"):
        WORDS.code("3A")
    text = DEFAULT.read_text("utf-8")
    changed = tmp_path / "flags.toml"
    for old, new in (
        ('code = "DA-P"', 'code = "3A"'),
        ('"consider 3A/3B/3C"', '"3A"'),
        ('code = "VP"', 'code = "DA-P"'),
    ):
        changed.write_text(text.replace(old, new, 1), "utf-8")
        with pytest.raises(FlagsError):
            load(changed)


def test_r21_the_digest_follows_every_word_and_no_layout(tmp_path):
    text = DEFAULT.read_text("utf-8")
    same, other = tmp_path / "same.toml", tmp_path / "other.toml"
    lines = text.splitlines()
    first = next(place for place, line in enumerate(lines) if '"VP"' in line)
    lines[first], lines[first + 1] = lines[first + 1], lines[first]
    same.write_text("# another comment\n" + "\n".join(lines), "utf-8")
    other.write_text(text.replace("other violence", "violence"), "utf-8")
    assert load(same).digest() == load().digest()
    assert load(other).digest() != load().digest()
    assert len(load().digest()) == 64


def test_r21_an_unknown_entry_is_refused(tmp_path):
    path = tmp_path / "flags.toml"
    path.write_text(DEFAULT.read_text("utf-8") + '\nseverity = "high"\n', "utf-8")
    with pytest.raises(FlagsError):
        load(path)


def test_default_vocabulary_is_the_one_the_requirements_name():
    codes = "DA-P DA-M DA-V VP CR SO MA SU-A SU-D MH-O MH-C MH-R PS PX PC HI LD ES NK"
    assert " ".join(code.code for code in WORDS.codes) == codes
    assert [code.code for code in WORDS.codes if not code.on] == ["DA-V", "LD"]
    assert [code.code for code in WORDS.codes if code.protective] == ["ES"]


def test_a_flag_outside_the_vocabulary_does_not_pass():
    WORDS.check(Flag("VP", "PERPETRATOR", "FACT", "UNDER_1Y", "ACTIVE"))
    for flag in (
        Flag("DA-V", "VICTIM", "FACT", "UNDER_1Y", "ACTIVE"),
        Flag("VP", "VICTIM", "FACT", "UNDER_1Y", "ACTIVE"),
        Flag("VP", "PERPETRATOR", "RUMOUR", "UNDER_1Y", "ACTIVE"),
        Flag("VP", "PERPETRATOR", "FACT", "LATELY", "ACTIVE"),
        Flag("VP", "PERPETRATOR", "FACT", "UNDER_1Y", ""),
    ):
        with pytest.raises(FlagsError):
            WORDS.check(flag)
