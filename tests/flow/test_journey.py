"""The whole journey: every party a folder, every act a process, and only packages travel."""

import csv
import io
import json
import os
import re
import shutil
from collections import defaultdict

import pytest

from keys import passphrase, vault
from keys.identity import Identity
from linkage.agreement import load
from linkage.package.container import Expected, open_package
from linkage.release.worklist import plain
from linkage.synth.county import make_county, write_county
from tests.flow import forks
from tests.flow.parties import (
    AGENCIES,
    PARTIES,
    PASSPHRASE,
    RUN,
    SEED,
    carry,
    each,
    encode_arguments,
    linkage,
    listing,
)
from tests.flow.people import make_world

WORLD = make_world()
TITLES = {"Police": "police", "Mental-health trust": "mental_health"}


def worklist(home, run=RUN):
    """Rows of a worklist as a person's spreadsheet shows them."""
    text = (home / "worklists" / run / "worklist.csv").read_bytes().decode("utf-8-sig")
    return [{name: plain(cell) for name, cell in row.items()} for row in csv.DictReader(io.StringIO(text, newline=""))]


def links(home, run=RUN, bands=("strong", "probable", "review")):
    return {(row["child_id"], TITLES[row["agency"]]) for row in worklist(home, run) if row["band"] in bands}


@pytest.fixture
def received(at):
    homes = at("decided")
    linkage(homes["childrens_services"], "receive", "--run", RUN)
    return homes


def test_the_worklist_holds_the_known_links_and_no_other(received):
    """Known men are found through new spellings and moves; a twin, a father and a bare name are not (R11, R14, R15)."""
    home = received["childrens_services"]
    found, strong = links(home), links(home, bands=("strong",))
    assert not found & WORLD.never
    assert found == WORLD.links
    assert strong <= found


def test_flags_reach_children_services_beside_strong_links_alone(received):
    """R16, R22: what the police said of a man stands beside his link, in words, and only where the link is strong."""
    told = {(row["child_id"], row["agency"]): row for row in worklist(received["childrens_services"])}
    assert "domestic abuse" in told["0071000", "Police"]["flags"]
    assert "no category" in told["0071001", "Police"]["flags"]
    for row in told.values():
        assert row["band"] == "strong" or "domestic" not in row["flags"] + row["prompts"]


def test_the_agreement_is_read_checked_and_signed(at):
    """Everybody sees the same digest."""
    homes = at("agreed")
    said = each(homes.values(), lambda home: linkage(home, "agreement", "check", "--json", passphrase=False))
    digests = {json.loads(done.out)["digest"] for done in said}
    shown = linkage(homes["police"], "agreement", "show", passphrase=False).out
    assert len(digests) == 1
    assert f"Digest: {digests.pop()[:4]} " in shown
    assert "(TEST)" in shown


def test_r7_all_agencies_read_one_fingerprint_aloud(at):
    """The secret is made by all, is the same at all, and never lies at the matcher."""
    homes = at("agreed")
    secrets = [
        vault.fetch(homes[party] / "secret.key", _secret(), passphrase.from_text(PASSPHRASE.format(party)))
        for party in AGENCIES
    ]
    assert len({secret.fingerprint() for secret in secrets}) == 1
    assert not (homes["matcher"] / "secret.key").exists()
    assert not (homes["matcher"] / "share.key").exists()


def _secret():
    from keys.secret import LinkageSecret

    return LinkageSecret


def test_keys_show_prints_the_line_of_the_agreement(at):
    homes = at("agreed")
    line = linkage(homes["police"], "keys", "show", passphrase=False).out.strip()
    assert f'identity = "{line}"' in (homes["matcher"] / "agreement.toml").read_text()


def test_r8_a_profile_counts_and_shows_no_value(at):
    """The trust's file with a bare name in it still goes; nothing of any man is printed."""
    home = at("agreed")["mental_health"]
    done = linkage(home, "profile", "export.csv", "--mapping", "mapping.toml", passphrase=False)
    for man in {man for _, man in WORLD.rows["mental_health"]}:
        assert not any(
            value and value in done.out + done.err for value in (man.surname, man.postcode, man.phone, man.nhs)
        )


def test_the_doctor_finds_every_desk_well(at):
    homes = at("encoded")
    assert "MEND" not in linkage(homes["police"], "doctor", passphrase=False).out


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_the_doctor_sees_a_key_open_to_others(at):
    home = at("agreed")["police"]
    (home / "secret.key").chmod(0o644)
    assert "chmod 600 secret.key" in linkage(home, "doctor", passphrase=False, expect=20).out


def test_r37_every_party_has_a_log_that_holds(received):
    """Each step is in the log of who took it, and an edited number is found."""
    steps = {
        "police": {"secret contribute", "secret assemble", "encode", "answer"},
        "matcher": {"screen", "decide"},
        "childrens_services": {"secret contribute", "secret assemble", "encode", "answer", "receive"},
    }
    for party, known in steps.items():
        linkage(received[party], "log", "verify", passphrase=False)
        entries = json.loads(linkage(received[party], "log", "show", "--json", passphrase=False).out)
        assert {entry["step"] for entry in entries} == known
    path = received["police"] / "journal.jsonl"
    path.write_text(path.read_text().replace('"pairs":', '"pairs":1', 1))
    assert "the log was edited" in linkage(received["police"], "log", "verify", passphrase=False, expect=20).err


def test_r3_nothing_of_a_run_is_left_after_close(received):
    """Neither encodings nor evidence nor pseudonyms nor pair ids, in clear or as the packages they came in.

    Before closing the same search finds the packages at the matcher (so it can), and nothing in clear even then.
    """
    needles = defaultdict(set)
    for party in PARTIES:
        for box in ("inbox", "outbox"):
            for path in (received[party] / box).glob(f"{RUN}-*.linkage"):
                data = path.read_bytes()
                needles["sealed"] |= {data[start : start + 32] for start in range(len(data) // 2, len(data) - 64, 4096)}
    for name, rows in _opened(received["matcher"]).items():
        needles[name] |= rows
    assert min(map(len, needles.values())) > 5
    known = links(received["childrens_services"])
    assert _found(received["matcher"], needles) == {"sealed"}

    each(received.values(), lambda home: linkage(home, "close", "--run", RUN))

    for home in received.values():
        assert _found(home, needles) == set()
        assert list((home / "runs").glob("*")) == []
        assert not any(path.name.startswith(RUN) for box in ("inbox", "outbox") for path in (home / box).glob("*"))
        certificate = json.loads(next((home / "certificates").glob("*.json")).read_text())
        assert certificate["certificate"]["run"] == RUN
    assert links(received["childrens_services"]) == known


def _opened(matcher):
    """Distinctive rows of everything the matcher was sent, as bytes."""
    agreement = load(matcher / "agreement.toml")
    identity = vault.fetch(matcher / "identity.key", Identity, passphrase.from_text(PASSPHRASE.format("matcher")))
    rows = defaultdict(set)
    for path in sorted((matcher / "inbox").glob(f"{RUN}-*.linkage")):
        kind = path.name.removeprefix(f"{RUN}-").split("-")[0]
        arrays = open_package([path.read_bytes()], Expected(kind, RUN, agreement), identity).body.arrays
        for name, array in arrays.items():
            if array.ndim == 2 and array[0].nbytes >= 16:
                rows[f"{kind} {name}"] |= {row.tobytes() for row in array if len(set(row.tobytes())) > 8}
    assert {"screening pseudonyms", "screening filters", "evidence pair_ids"} <= set(rows)
    return {name: kept for name, kept in rows.items() if kept}


def _found(folder, needles):
    """Names of the needles of which any is in any file below a folder."""
    hay = b"\0".join(data for data in listing(folder).values() if data)
    return {name for name, some in needles.items() if any(needle in hay for needle in some)}


def test_r38_a_closed_run_is_over(received):
    """It can neither be answered, nor closed again, nor begun again under keys that follow from its name."""
    home = received["police"]
    linkage(home, "close", "--run", RUN)
    before = listing(home)
    assert "nothing is known here of run" in linkage(home, "answer", "--run", RUN, expect=33).err
    assert "there is nothing of run" in linkage(home, "close", "--run", RUN, expect=33).err
    assert "was closed here before" in linkage(home, *encode_arguments(home), expect=26).err
    assert listing(home) == before


def test_closing_one_run_leaves_a_run_whose_name_begins_alike(at):
    """And a package that a courier renamed is destroyed all the same."""
    homes = at("encoded")
    home, matcher = homes["police"], homes["matcher"]
    linkage(home, *encode_arguments(home, f"{RUN}-b"))
    (renamed,) = (matcher / "inbox").glob("*-police-*")
    renamed = renamed.rename(renamed.with_name("from the police.linkage"))
    linkage(home, "close", "--run", RUN)
    linkage(matcher, "close", "--run", RUN)
    assert [path.name for path in (home / "runs").iterdir()] == [f"{RUN}-b"]
    assert len(list((home / "outbox").glob(f"{RUN}-b-screening-*"))) == 1
    assert not renamed.exists()


def test_two_runs_of_one_file_share_no_row(at):
    """Filters and pseudonyms of one run say nothing about the next: no row of one is in the other."""
    homes = at("encoded")
    for path in (homes["matcher"] / "inbox").glob("*"):
        if "police" not in path.name:
            path.unlink()
    first = _opened_screening(homes["matcher"], RUN)
    linkage(homes["police"], *encode_arguments(homes["police"], "again"))
    carry(homes["police"].parent)
    second = _opened_screening(homes["matcher"], "again")
    assert len(first) == len(second) > 100
    assert not first & second


def _opened_screening(matcher, run):
    agreement = load(matcher / "agreement.toml")
    identity = vault.fetch(matcher / "identity.key", Identity, passphrase.from_text(PASSPHRASE.format("matcher")))
    (path,) = (matcher / "inbox").glob(f"{run}-screening-police-*")
    arrays = open_package([path.read_bytes()], Expected("screening", run, agreement), identity).body.arrays
    return {row.tobytes() for name in ("filters", "pseudonyms") for row in arrays[name]}


def test_dates_of_open_order_are_asked_for_and_then_read(at):
    """R45: where no day is above 12, `--dates` says which comes first; nothing is guessed."""
    home = at("agreed")["police"]
    people = [
        f"N{nth},{man.surname},{man.forename},0{1 + nth % 9}/0{1 + nth % 7}/1980" for nth, man in WORLD.rows["police"]
    ]
    (home / "open.csv").write_text("\n".join(["NOMINAL_REF,SURNAME,FORENAME,DOB", *people]) + "\n")
    open_order = linkage(home, "encode", "open.csv", "--run", "open", expect=23)
    assert "whether day or month comes first" in open_order.err
    linkage(home, "encode", "open.csv", "--run", "open", "--dates", "dmy")
    linkage(home, "profile", "open.csv", "--dates", "mdy", passphrase=False)


def test_a_pretend_county_of_a_thousand_men(at, tmp_path):
    """Three of its services, as they export (cp1252, XLSX, aliases in a cell), through every command of a run."""
    homes, run = at("agreed"), "county"
    county = make_county(1000, seed=3)
    write_county(county, tmp_path / "county")
    for party in AGENCIES:
        for path in (tmp_path / "county" / party).iterdir():
            (homes[party] / path.name).unlink(missing_ok=True)
            shutil.copy(path, homes[party])
    agencies = [homes[party] for party in AGENCIES]

    def encode(home):
        (file,) = (path.name for path in home.glob(f"{home.name}.*") if path.suffix in (".csv", ".xlsx"))
        flags = ["--flags", "flags.csv"] if home.name != "childrens_services" else []
        forks.linkage(home, "encode", file, "--mapping", "mapping.toml", *flags, "--run", run, seed=SEED)

    for home in agencies:
        encode(home)
    carry(homes["police"].parent)
    forks.linkage(homes["matcher"], "screen", "--run", run, seed=SEED)
    carry(homes["police"].parent)
    for home in agencies:
        forks.linkage(home, "answer", "--run", run, seed=SEED)
    carry(homes["police"].parent)
    forks.linkage(homes["matcher"], "decide", "--run", run)
    carry(homes["police"].parent)
    forks.linkage(homes["childrens_services"], "receive", "--run", run)

    true = _true_links(county)
    strong = links(homes["childrens_services"], run, bands=("strong",))
    # How good it is at such sizes is no matter here (a county has ten anchors in this many men); that it works is.
    assert len(true) >= 8
    assert len(strong & true) >= 3, (len(strong & true), len(strong - true), len(true))
    assert strong <= true


def _true_links(county):
    """(child, party) of every man of children's services who is in the other party's file."""
    anchors = county.sources["childrens_services"]
    there = {party: set(county.sources[party].person.tolist()) for party in AGENCIES[1:]}
    children = anchors.columns["Child ID"].tolist()
    return {
        (re.sub(r"^'", "", str(child)), party)
        for child, person in zip(children, anchors.person.tolist(), strict=True)
        for party in there
        if person in there[party]
    }
