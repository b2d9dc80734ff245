"""`linkage audit` on what a run really sends: at the agency before it leaves, and at the matcher on what it holds."""

import json
import shutil

import numpy as np

from keys import passphrase, vault
from keys.derive import run_key
from keys.secret import LinkageSecret
from linkage.agreement import load
from linkage.audit.scheme import of_profile
from linkage.exchange.desk import open_desk
from linkage.exchange.journal import Journal
from linkage.intake.records import take_in
from linkage.intake.suggest import suggest
from linkage.intake.table import read_table
from linkage.package.container import Expected, open_package
from linkage.package.contents import ScreeningContents
from linkage.parties.local import LocalTable
from linkage.steps.audit import Options, audit_desk, audit_run
from linkage.steps.reading import Source
from tests.flow.forks import linkage
from tests.flow.parties import PASSPHRASE, RUN, carry, encode_arguments, listing, package
from tests.flow.test_refusals import identity, refused


def desk_of(home):
    return open_desk(home, passphrase.from_text(PASSPHRASE.format(home.name)))


def test_the_encodings_audited_are_those_the_matcher_opens(at):
    """Row by row: made again from the file under the run's key, and found in the package under its pseudonym."""
    homes = at("encoded")
    agreement, word = load(homes["police"] / "agreement.toml"), passphrase.from_text(PASSPHRASE.format("police"))
    table = read_table(homes["police"] / "export.csv")
    records = take_in(table, suggest(table.columns, agreement.schema), agreement.schema).records
    key = run_key(vault.fetch(homes["police"] / "secret.key", LinkageSecret, word), RUN, agreement.digest)
    audited = of_profile(agreement.profile, agreement.schema).encode(records, key)
    (path,) = (homes["matcher"] / "inbox").glob("*-police-to-*")
    body = open_package([path.read_bytes()], Expected("screening", RUN, agreement), identity(homes["matcher"])).body
    sizes = agreement.profile.sent_bits // 64, agreement.tokens_per_row
    sent = ScreeningContents.from_body(body, agreement.schema, *sizes).screening
    local = LocalTable.from_bytes(desk_of(homes["police"]).need(RUN, "local", "encode"))
    rows = local.rows(sent.pseudonyms)[sent.owner]
    assert len(rows) == len(records)
    assert np.array_equal(sent.filters, audited[rows])


def test_an_audit_at_the_agency_attacks_its_run_and_is_logged(at):
    """In a test agreement it warns and takes nothing back; no value of a person is in what it says."""
    home = at("encoded")["police"]
    sent = package(home, "outbox", "screening").read_bytes()
    options = Options(sample=80, page=home / "audit.html")
    facts, text = audit_run(desk_of(home), RUN, Source(home / "export.csv"), options=options)
    assert facts["people"] == 162
    assert facts["stand_ins"] is False
    assert package(home, "outbox", "screening").read_bytes() == sent
    entry = Journal(home / "journal.jsonl").entries()[-1]
    assert (entry.what, entry.step, entry.details["verdict"]) == ("consult", "audit", facts["verdict"])
    words = json.dumps(facts) + text + (home / "audit.html").read_text("utf-8")
    for row in (home / "export.csv").read_text("cp1252").splitlines()[1:]:
        surname = row.split(",")[1]
        assert surname not in words
    linkage(home, "answer", "--run", RUN, "--dry-run", expect=39)  # not refused: there is no request yet


def test_another_file_is_not_audited_for_the_run(at):
    home = at("encoded")["police"]
    rows = (home / "export.csv").read_bytes().splitlines(keepends=True)
    (home / "other.csv").write_bytes(b"".join(rows[:-1]))
    refused(home, "audit", "other.csv", "--run", RUN, code=20, says="not the one that the run was encoded from")
    changed = b"".join([rows[0], rows[1].replace(b"LS", b"BD"), *rows[2:]])
    (home / "other.csv").write_bytes(changed)
    refused(home, "audit", "other.csv", "--run", RUN, code=20, says="not the one that the run was encoded from")
    refused(home, "audit", "export.csv", "--run", "2031-01", code=33, says="nothing is known here of run '2031-01'")
    refused(home, "audit", "--run", RUN, code=2, says="--run takes the file that was encoded", passphrase=False)


def test_encode_can_audit_before_it_writes(at):
    home = at("agreed")["police"]
    linkage(home, *encode_arguments(home), "--audit")
    steps = [entry.step for entry in Journal(home / "journal.jsonl").entries()]
    assert steps[-3:] == ["audit", "encode", "encode"]


def test_encode_warns_of_people_encoded_by_their_names_alone(at):
    """One of the 40 anchors is a name and nothing else; of the police there is none."""
    homes = at("agreed")
    for party, warns in (("childrens_services", True), ("police", False)):
        done = linkage(homes[party], *encode_arguments(homes[party]), "--dry-run")
        assert ("1 of 40 people (2.5%) are encoded by their names alone" in done.err) is warns
        assert ("names alone" in done.err) is warns


def test_the_matcher_audits_what_it_holds(at):
    """Two runs of screening and one of evidence; its keys open them, and its folder does not change."""
    homes = at("answered")
    linkage(homes["police"], *encode_arguments(homes["police"], "2027-01"))
    carry(homes["police"].parent)
    before = listing(homes["matcher"])
    facts, text = audit_desk(desk_of(homes["matcher"]), options=Options(sample=80))
    assert listing(homes["matcher"]) == before
    assert "Stand-in rows" in text
    assert "spread of resemblance" in text
    assert facts["stand_ins"] is True
    places = {each["where"] for each in facts["traces"]}
    parties = ("police", "mental_health", "childrens_services")
    assert {f"{name}, {RUN}" for name in parties} | {f"{name}, {RUN}, evidence" for name in parties} <= places
    assert f"police, {RUN} and 2027-01" in places
    for each in facts["traces"]:
        if each["what"] in {
            "tags equal across pairs", "bytes of tags", "bits filters of two pairs share", "lengths of sealed notes",
            "pseudonyms of one run in the other", "resemblance across runs",
        }:  # fmt: skip
            assert not each["shows"], each


def test_only_the_matcher_audits_a_folder_and_only_what_is_there(at):
    homes = at("encoded")
    refused(homes["police"], "audit", ".", code=3, says="is agency in this agreement, not matcher")
    refused(homes["matcher"], "audit", ".", "--run", "2031-01", code=39, says="there is no package to audit")
    shutil.copy(homes["police"] / "export.csv", homes["matcher"])
    refused(homes["matcher"], "audit", "export.csv", "--run", RUN, code=3, says="not agency")
