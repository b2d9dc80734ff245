"""The figure for two real files joined is of the rows of both, and a man known is known in both."""

import pytest

from benchmarks import joined
from linkage.agreement import load
from linkage.resources import resource

AGREED = load(resource("examples", "rehearse-one-round"))


@pytest.fixture
def pair(tmp_path):
    """Thirty men, of whom the second file leaves out every third and misspells nobody."""
    names = [f"SMITH{chr(65 + nth % 26)}{chr(65 + nth // 26)}" for nth in range(30)]
    lines = [
        f"{nth},JOHN,{name},19{40 + nth}-05-06,LS6 1A{chr(65 + nth % 26)},p{nth}" for nth, name in enumerate(names)
    ]
    for file, kept in (("a", lines), ("b", [line for nth, line in enumerate(lines) if nth % 3])):
        rows = ["id,forename,surname,date_of_birth,postcode,ent", *kept]
        (tmp_path / f"{file}.csv").write_text("\n".join(rows) + "\n", "utf-8")
    return tmp_path / "a.csv", tmp_path / "b.csv"


def test_the_report_is_of_all_rows_and_of_people_drawn(pair):
    found = joined.report(pair, "ent", AGREED, 12, (0, 5))
    assert found["rows"] == 50
    assert 0 <= found["12 people"]["0 known"]["mean"] <= found["12 people"]["0 known"]["highest"] <= 1
    words = joined.words(found)
    assert words.startswith("50 rows of two files, 75% of values kept")
    assert "- all rows, 5 known:" in words


def test_persons_are_those_of_the_truth_column(pair):
    parts, person = joined.read(pair, "ent", AGREED.schema)
    assert [len(part) for part in parts] == [30, 20]
    assert person.max() + 1 == 30
    assert person[30:].tolist() == [one for nth, one in enumerate(person[:30].tolist()) if nth % 3]
