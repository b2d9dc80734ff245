"""A run in which files are taken part by part, as long ones are: the same links, flags and refusals."""

import json

import pytest

from linkage.parties.local import tables_from_bytes
from tests.flow import parties
from tests.flow.forks import linkage
from tests.flow.parties import AGENCIES, RUN, carry, encode_arguments, listing
from tests.flow.test_audit_run import desk_of
from tests.flow.test_journey import WORLD, links, worklist

IN_PARTS = """
import sys, linkage.intake.parted
linkage.intake.parted.ROWS = 30
import cli
cli.main()
"""


def in_parts(home, *args, expect=0):
    return parties.python(home, "-c", IN_PARTS, *args, "--passphrase-file", "passphrase.txt", expect=expect)


@pytest.fixture
def encoded(at):
    homes = at("agreed")
    for party in AGENCIES:
        in_parts(homes[party], *encode_arguments(homes[party]))
    return homes


def test_a_run_in_parts_finds_the_known_links_and_no_other(encoded):
    tables = {party: tables_from_bytes(desk_of(encoded[party]).need(RUN, "local", "encode")) for party in AGENCIES}
    assert {party: len(tables[party]) for party in ("childrens_services", "police")} == {
        "childrens_services": 2,
        "police": 6,
    }
    carry(encoded["police"].parent)
    linkage(encoded["matcher"], "screen", "--run", RUN)
    carry(encoded["police"].parent)
    for party in AGENCIES:
        linkage(encoded[party], "answer", "--run", RUN)
    carry(encoded["police"].parent)
    linkage(encoded["matcher"], "decide", "--run", RUN)
    carry(encoded["police"].parent)
    home = encoded["childrens_services"]
    linkage(home, "receive", "--run", RUN)
    assert links(home) == WORLD.links
    told = {(row["child_id"], row["agency"]): row["flags"] for row in worklist(home)}
    assert "domestic abuse" in told["0071000", "Police"]
    assert "no category" in told["0071001", "Police"]


@pytest.mark.parametrize(
    ("columns", "wrong"),
    [
        ('id = "nothing like it"', '"nothing like it"'),
        ('id = "{id}"\n\n[fields]\ndate_of_birth = "nothing like it"', '"nothing like it"'),
    ],
)
def test_a_column_that_is_not_there_is_named_in_a_long_file_too(at, columns, wrong):
    home = at("agreed")["police"]
    names = (home / "export.csv").read_text("cp1252").splitlines()[0].split(",")
    (home / "wrong.toml").write_text(columns.format(id=names[0]) + "\n", "utf-8")
    words = ["encode", "export.csv", "--mapping", "wrong.toml", "--run", RUN]
    said = [run(home, *words, expect=None) for run in (linkage, in_parts)]
    assert said[0].code == said[1].code
    assert 20 <= said[0].code < 30
    assert said[0].err == said[1].err
    assert wrong.strip('"') in said[0].err


def test_the_order_of_dates_of_flags_is_settled_by_all_of_them(at):
    """Only one flag says that the day comes first: no part but its own could know."""
    home = at("agreed")["police"]
    head, *flags = (home / "flags.csv").read_text("utf-8").splitlines()
    names = head.split(",")
    place, told = names.index("date"), [line.split(",") for line in flags]
    for nth, cells in enumerate(told):
        cells[place] = "25/06/2026" if nth == 7 else "03/06/2026"
        if "recency" in names:
            cells[names.index("recency")] = ""
    (home / "flags.csv").write_text("\n".join([head, *map(",".join, told)]) + "\n", "utf-8")
    in_parts(home, *encode_arguments(home))
    tables = tables_from_bytes(desk_of(home).need(RUN, "local", "encode"))
    assert len(tables) == 6
    assert sum(bool(note.flags) for table in tables for note in table.notes) > 20


def test_an_audit_knows_the_file_again_part_by_part(encoded):
    home = encoded["police"]
    audit = "audit", "export.csv", "--run", RUN, "--json"
    assert json.loads(in_parts(home, *audit).out)["people"] == 162
    rows = (home / "export.csv").read_bytes().splitlines(keepends=True)
    (home / "other.csv").write_bytes(b"".join([rows[0], rows[1].replace(b"LS", b"BD"), *rows[2:]]))
    refused = in_parts(home, "audit", "other.csv", "--run", RUN, expect=20)
    assert "not the one that the run was encoded from" in refused.err


def test_a_fault_in_a_long_file_is_named_as_in_a_short_one(at):
    """Its line and what to do; nothing is written, and nothing that was put aside is left."""
    home = at("agreed")["police"]
    rows = (home / "export.csv").read_bytes().splitlines(keepends=True)
    (home / "export.csv").write_bytes(b"".join([*rows, rows[5]]))
    before = listing(home)
    said = [run(home, *encode_arguments(home), expect=23).err for run in (linkage, in_parts)]
    assert said[0] == said[1]
    assert f"lines 6, {len(rows) + 1}" in said[0]
    flag = (home / "flags.csv").read_bytes().splitlines(keepends=True)[1]
    (home / "flags.csv").write_bytes((home / "flags.csv").read_bytes() + b"nobody" + flag[flag.index(b",") :])
    (home / "export.csv").write_bytes(b"".join(rows))
    said = [run(home, *encode_arguments(home), expect=25).err for run in (linkage, in_parts)]
    assert said[0] == said[1]
    assert "not in the agency's file" in said[0]
    assert set(listing(home)) == set(before)
