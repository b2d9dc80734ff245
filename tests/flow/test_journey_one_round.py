"""One round: every agency encodes once, nobody is asked anything, and a worklist comes out."""

import csv
import io
import json
import shutil
import tempfile
from functools import cache
from pathlib import Path

import pytest

from linkage.exchange.journal import Journal
from linkage.release.worklist import plain
from tests.flow.forks import linkage
from tests.flow.parties import (
    AGENCIES,
    PARTIES,
    RUN,
    SEED,
    agree,
    carry,
    encode_arguments,
    kind_of,
    listing,
    python,
    share,
)
from tests.flow.people import make_world, write_party
from tests.flow.test_plan import LITTLE_MEMORY

WORLD = make_world()
TITLES = {"Police": "police", "Mental-health trust": "mental_health"}


@cache
def _encoded():
    """The world after every agency has encoded, made once; one more run has no evidence at all."""
    folder = Path(tempfile.mkdtemp(prefix="linkage-one-round-"))
    homes = agree(folder, seed=SEED, protocol="one-round")
    share(folder, homes, SEED)
    for party in AGENCIES:
        write_party(homes[party], party, WORLD)
        linkage(homes[party], *encode_arguments(homes[party]), seed=SEED)
    carry(folder)
    return folder


@pytest.fixture(scope="module", autouse=True)
def _forget():
    yield
    if _encoded.cache_info().currsize:
        shutil.rmtree(_encoded())
        _encoded.cache_clear()


@pytest.fixture
def homes(tmp_path):
    shutil.copytree(_encoded(), tmp_path / "world")
    return {party: tmp_path / "world" / party for party in PARTIES}


def refused(home, *args, code, says):
    """Refused with this code and these words, and no party has one byte more, less or other."""
    before = listing(home.parent)
    done = linkage(home, *args, expect=code)
    assert says in done.err
    assert listing(home.parent) == before


def worklist(home):
    text = (home / "worklists" / RUN / "worklist.csv").read_bytes().decode("utf-8-sig")
    return [{name: plain(cell) for name, cell in row.items()} for row in csv.DictReader(io.StringIO(text, newline=""))]


def test_from_files_to_a_worklist_with_one_package_from_each_agency(homes):
    """The links that two rounds find among whole records, none that never may be, flags beside strong ones alone."""
    said = linkage(homes["matcher"], "screen", "--run", RUN, seed=SEED)
    assert "nothing to ask in one-round" in said.err
    assert not list((homes["matcher"] / "outbox").glob("*"))
    linkage(homes["matcher"], "decide", "--run", RUN)
    carry(homes["matcher"].parent)
    linkage(homes["childrens_services"], "receive", "--run", RUN)

    rows = worklist(homes["childrens_services"])
    found = {(row["child_id"], TITLES[row["agency"]]) for row in rows}
    assert found <= WORLD.links
    assert not found & WORLD.never
    assert len(found) >= 0.8 * len(WORLD.links)
    strong = [row for row in rows if row["band"] == "strong"]
    assert len(strong) > len(rows) / 2
    assert any("domestic abuse" in row["flags"] for row in strong)
    assert not any("domestic" in row["flags"] for row in rows if row["band"] != "strong")
    for party in AGENCIES:
        kinds = {kind_of(path) for path in (homes[party] / "outbox").glob("*.linkage")}
        assert kinds == {"share", "tokens"}

    for home in homes.values():
        linkage(home, "close", "--run", RUN)
        assert not list((home / "runs").glob("*"))
        assert not [path for box in ("inbox", "outbox") for path in (home / box).glob(f"{RUN}-*")]


def test_a_plan_counts_what_then_meets_and_what_cannot_fit_is_refused_before_it_begins(homes):
    home = homes["matcher"]
    before = listing(home)
    told = json.loads(linkage(home, "screen", "--run", RUN, "--plan", "--json").out)
    assert "candidate pairs: " in linkage(home, "screen", "--run", RUN, "--plan").err
    arguments = ("screen", "--run", RUN, "--passphrase-file", "passphrase.txt")
    for also in ((), ("--plan",)):
        done = python(home, "-c", LITTLE_MEMORY, *arguments, *also, expect=43)
        assert done.err.startswith("linkage: error: the tokens need about ")
    assert listing(home) == before
    done = json.loads(linkage(home, "screen", "--run", RUN, "--json").out)
    assert told["candidates"] == done["candidates"]
    assert told["fits"]
    assert told["seconds"] > 0


def test_a_run_is_decided_once_and_its_tokens_are_taken_once(homes):
    home = homes["matcher"]
    refused(home, "decide", "--run", RUN, code=33, says="nothing is known here of run")
    linkage(home, "screen", "--run", RUN, seed=SEED)
    linkage(home, "decide", "--run", RUN, "--dry-run")
    refused(home, "decide", next((home / "inbox").glob("*-tokens-*")), "--run", RUN, code=2, says="name no files")
    linkage(home, "decide", "--run", RUN)
    refused(home, "decide", "--run", RUN, code=37, says="was decided before")
    refused(home, "screen", "--run", RUN, code=26, says="was begun here before")


def test_there_is_nothing_to_answer(homes):
    refused(homes["police"], "answer", "--run", RUN, code=3, says="nothing to answer in one-round")


def test_a_missing_agency_is_named(homes):
    for path in (homes["matcher"] / "inbox").glob("*-tokens-police-*"):
        path.unlink()
    refused(homes["matcher"], "screen", "--run", RUN, code=38, says="tokens of police are missing")


def test_encode_says_what_each_combination_came_to_and_shows_no_value(homes):
    """Collisions are counted on the agency's own file before anything leaves."""
    done = linkage(homes["police"], *encode_arguments(homes["police"], "again"), "--dry-run", "--json")
    facts = json.loads(done.out)
    assert facts["tokens_per_row"] == 16
    assert facts["bytes_per_row"] > 10_000
    told = {each["combination"]: each for each in facts["combinations"]}
    assert all(each["issued"] <= each["held"] <= facts["people"] for each in told.values())
    whole = told["forename.initial surname.initial date_of_birth.whole"]
    assert whole["issued"] > 0.5 * facts["people"]
    assert not any(man.surname.lower() in done.out.lower() for _, man in WORLD.rows["police"])


def test_encode_can_audit_its_tokens_before_it_writes(homes):
    """What it sends is attacked, tokens and evidence and no filters, and the journal says which attack found most."""
    home = homes["police"]
    linkage(home, *encode_arguments(home, "2031-01"), "--audit")
    *_, audited, one, two = Journal(home / "journal.jsonl").entries()
    assert [audited.step, one.step, two.step] == ["audit", "encode", "encode"]
    assert audited.details["verdict"] in {"within the bars", "inconclusive"}
    assert "filter" not in audited.details["highest"].split(" by ")[1].replace("tags and filters", "")


def test_an_audit_of_a_run_is_of_the_file_that_was_encoded_and_is_logged(homes):
    """The local table proves the file; one row less or one cell changed is another file."""
    home = homes["police"]
    sent = [path.read_bytes() for path in sorted((home / "outbox").glob("*"))]
    done = linkage(home, "audit", "export.csv", "--run", RUN, "--json", "--page", "audit.html")
    facts = json.loads(done.out)
    assert (facts["run"], facts["people"], facts["stand_ins"]) == (RUN, len(WORLD.rows["police"]), False)
    assert "two files joined" in {each["name"].split(", ")[-1] for each in facts["findings"]}
    assert [path.read_bytes() for path in sorted((home / "outbox").glob("*"))] == sent
    assert Journal(home / "journal.jsonl").entries()[-1].details["verdict"] == facts["verdict"]
    said = done.out + done.err + (home / "audit.html").read_text("utf-8")
    assert not any(man.surname.lower() in said.lower() for _, man in WORLD.rows["police"])
    rows = (home / "export.csv").read_bytes().splitlines(keepends=True)
    for changed in (rows[:-1], [rows[0], rows[1].replace(b"LS", b"BD"), *rows[2:]]):
        (home / "other.csv").write_bytes(b"".join(changed))
        refused(home, "audit", "other.csv", "--run", RUN, code=20, says="not the one that the run was encoded from")


def test_the_matcher_audits_tokens_where_they_meet_and_what_opens(homes):
    """What must look random does; that rows meet shows, as is meant; another run of the same file shows nothing."""
    home = homes["matcher"]
    linkage(homes["police"], *encode_arguments(homes["police"], "2031-02"))
    carry(home.parent)
    before = listing(home)
    done = linkage(home, "audit", ".", "--sample", 500, "--json")
    assert listing(home) == before
    facts = json.loads(done.out)
    assert facts["stand_ins"] is True
    shows = {(each["where"], each["what"]): each["shows"] for each in facts["traces"]}
    assert shows[f"childrens_services and police, {RUN}", "rows that meet one of the other file"]
    for party in AGENCIES:
        for what in ("tokens", "shares of secrets", "masked evidence", "masked notes"):
            assert not shows[f"{party}, {RUN}", f"bytes of {what}"]
        assert not shows[f"{party}, {RUN}", "tokens that stand twice in the file"]
        assert not shows[f"{party}, {RUN}, opened evidence", "tags equal across pairs"]
        assert not shows[f"{party}, {RUN}, opened evidence", "bits filters of two pairs share"]
    across = f"police, {RUN} and 2031-02"
    assert not shows[across, "tokens of one run in the other"]
    assert not shows[across, "pseudonyms of one run in the other"]
    refused(home, "audit", ".", "--run", "2030-01", code=39, says="there is no package to audit")


def test_the_terms_are_shown_and_those_of_another_protocol_refused(homes, tmp_path):
    shown = linkage(homes["police"], "agreement", "show", passphrase=False).out
    assert "no agency is asked anything" in shown
    assert "  forename.root surname.root" in shown.splitlines()
    assert "Candidates looked for" not in shown
    linkage(homes["police"], "agreement", "check", passphrase=False)
    assert "MEND" not in linkage(homes["police"], "doctor", passphrase=False).out
    terms = (homes["police"] / "agreement.toml").read_text()
    for change, says in (
        (("[tokens]", "[requests]\npairs_per_row = 9\n\n[tokens]"), "[requests] belongs to protocol 'two-round'"),
        (("round_patterns = 5", "candidates = 20"), "[screening] belongs to protocol 'two-round'"),
        (("most_sharing = 1 ", "most_sharing = 3 "), "tokens.accepted"),
        (('"tight-2026-11"', '"tihgt-2026-11"'), "tight-2026-11"),
        (("per_row = 16 ", "per_row = 0 "), "per_row"),
    ):
        assert change[0] in terms
        (tmp_path / "world" / "police" / "changed.toml").write_text(terms.replace(*change))
        done = linkage(homes["police"], "agreement", "check", "changed.toml", passphrase=False, expect=None)
        assert done.code in (3, 4)
        assert says in done.err
