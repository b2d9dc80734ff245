"""R4, R5: which columns are read, and that nothing else is."""

import tomllib
from pathlib import Path

import pytest

from linkage.errors import ColumnsError, UnreadableFileError
from linkage.intake.mapping import AnchorColumns, Mapping, Source, check, dump, from_toml, load
from linkage.intake.suggest import suggest
from linkage.schema import Field, Kind, Schema

SCHEMA = Schema(
    (
        Field("forename", Kind.FORENAME, 2, required=True),
        Field("surname", Kind.SURNAME, 2, required=True),
        Field("date_of_birth", Kind.DATE, 2),
        Field("postcode", Kind.POSTCODE, 3),
        Field("sex", Kind.SEX),
        Field("address", Kind.TEXT),
        Field("phone", Kind.PHONE, 2),
        Field("nhs_number", Kind.IDENTIFIER),
        Field("pnc", Kind.IDENTIFIER),
    )
)
EXAMPLES = sorted((Path(__file__).parents[2] / "configs" / "mappings").glob("*.toml"))


FEBRL = "rec_id given_name surname street_number address_1 address_2 suburb postcode state date_of_birth soc_sec_id"
POLICE = "Nominal_Ref FirstName FAMILY-NAME Birth.Date PCode Gender Addr_Line1 Mobile NHSNumber PNC_ID"
ALIASES = "ID Forename Surname Alias_Surname DOB DOB2 Postcode Previous_Postcode Mobile Home_Phone"


@pytest.mark.parametrize(
    ("columns", "wanted"),
    [
        (
            "rid ent first last dob postcode sex loc",
            "rid forename=first surname=last date_of_birth=dob postcode=postcode sex=sex address=loc",
        ),
        (
            FEBRL,
            """rec_id forename=given_name surname=surname date_of_birth=date_of_birth
            postcode=postcode address=address_1""",
        ),
        (
            POLICE,
            """Nominal_Ref forename=FirstName surname=FAMILY-NAME date_of_birth=Birth.Date postcode=PCode sex=Gender
            address=Addr_Line1 phone=Mobile nhs_number=NHSNumber pnc=PNC_ID""",
        ),
        ("ID GIVEN FAMILY", "ID forename=GIVEN surname=FAMILY"),
        (
            ALIASES,
            """ID forename=Forename surname=Surname,Alias_Surname date_of_birth=DOB,DOB2
            postcode=Postcode,Previous_Postcode phone=Mobile,Home_Phone""",
        ),
    ],
)
def test_usual_headers_are_understood(columns, wanted):
    found = suggest(columns.split(), SCHEMA)
    entries = [f"{name}={','.join(source.columns)}" for name, source in found.fields.items()]
    assert [found.id, *entries] == wanted.split()


def test_a_file_that_speaks_of_the_father_gives_nobody_elses_columns():
    """R27: beside father_dob, plain dob and postcode are the mother's or the child's."""
    columns = ["URN", "Father_Forename", "Father Surname", "father_dob", "dob", "postcode", "mother_nhs", "NHS_Number"]
    found = suggest(columns, SCHEMA)
    read = {column for _, column in found.names()}
    assert read == {"URN", "Father_Forename", "Father Surname", "father_dob"}


def test_anchor_columns_are_found():
    found = suggest(["id", "forename", "surname", "Child_ID", "Case ID", "EDD", "Relationship"], SCHEMA)
    assert found.anchor == AnchorColumns("Child_ID", "Case ID", "EDD", "Relationship")


def test_a_full_name_serves_for_both_names():
    found = suggest(["id", "Name", "dob"], SCHEMA)
    assert found.full_name == Source(("Name",))
    assert "surname" not in found.fields
    assert suggest(["id", "forename", "surname", "name"], SCHEMA).full_name is None


def test_all_that_is_missing_is_told_at_once_with_the_nearest_headers():
    with pytest.raises(ColumnsError) as caught:
        suggest(["surnam", "postcode", "dob"], SCHEMA)
    told = " ".join(caught.value.details)
    assert len(caught.value.details) == 3
    assert "field 'forename'" in told
    assert "the id of a row" in told
    assert "nearest: column 1" in told


def test_a_header_that_is_a_person_is_never_shown():
    with pytest.raises(ColumnsError) as caught:
        suggest(["Zebedee", "Surnam"], SCHEMA)
    assert "Zebedee" not in " ".join([str(caught.value), *caught.value.details])
    with pytest.raises(ColumnsError) as caught:
        check(Mapping("Zebede", {"forename": Source(("x",))}), ["Zebedee", "Quillfeather"], SCHEMA)
    assert "Zebedee" not in " ".join([str(caught.value), *caught.value.details])


@pytest.mark.parametrize("column", ["Notes", "Diagnosis_1", "free text", "CaseSummary", "ICD10"])
def test_r5_free_text_and_diagnoses_are_mapped_to_nothing(column):
    with pytest.raises(ColumnsError) as caught:
        check(
            Mapping("id", {"address": Source((column,)), "forename": Source(("a",)), "surname": Source(("b",))}),
            ["id", "a", "b", column],
            SCHEMA,
        )
    assert "free text or diagnosis" in str(caught.value)
    assert suggest(["id", "forename", "surname", column], SCHEMA).fields.keys() == {"forename", "surname"}


def test_a_mapping_is_checked_against_file_and_agreement_all_at_once():
    mapping = Mapping("id", {"forenam": Source(("first",)), "surname": Source(("last_name",))})
    with pytest.raises(ColumnsError) as caught:
        check(mapping, ["id", "first", "lastname"], SCHEMA)
    assert caught.value.details == (
        "the agreement has no field 'forenam'; did you mean 'forename'?",
        "'surname' wants column 'last_name', which the file does not have; nearest: 'lastname'",
        "the agreement requires 'forename', for which the mapping names no column",
    )


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_reads_and_writes_back_to_itself(path):
    mapping = load(path)
    assert mapping.fields
    assert from_toml(tomllib.loads(dump(mapping))) == mapping


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('id = "a"\ndate = "dmy"', "unknown entry 'date'; did you mean 'dates'?"),
        ('id = "a"\n[fields]\nx = { column = "b" }', "unknown entry 'x.column'; did you mean 'columns'?"),
        ('id = "a"\n[anchor]\nchild_id = "b"\ncase = "c"', "unknown entry 'anchor.case'; did you mean 'case_id'?"),
        ('id = "a"\ndates = "dym"', "not in order"),
        ("id = 3", "not in order"),
        ("fields = 3", "not in order"),
        ("", "not in order"),
    ],
)
def test_unknown_entries_name_the_nearest_known_one(tmp_path, text, words):
    path = tmp_path / "mapping.toml"
    path.write_text(text)
    with pytest.raises(ColumnsError) as caught:
        load(path)
    assert words in str(caught.value)


def test_a_mapping_that_is_no_toml_is_unreadable(tmp_path):
    path = tmp_path / "mapping.toml"
    path.write_text("id = ")
    with pytest.raises(UnreadableFileError):
        load(path)
    with pytest.raises(UnreadableFileError):
        load(tmp_path / "none.toml")
