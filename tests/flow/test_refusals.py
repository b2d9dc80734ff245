"""Whatever does not belong is refused with its own message and exit code, and nothing half-written remains.

Each through the command line; the folders of all parties are compared before and after, byte by byte.
"""

import json
import os
import shutil

import msgspec
import numpy as np
import pytest

from keys import passphrase, vault
from keys.identity import Identity
from linkage.agreement import load
from linkage.exchange.journal import Journal
from linkage.model import Request
from linkage.package.container import Expected, open_package, pack
from linkage.package.contents import RequestContents
from tests.flow.forks import linkage
from tests.flow.parties import AGENCIES, PASSPHRASE, RUN, carry, encode_arguments, listing, package, sign


def refused(home, *args, code, says, passphrase=True):
    """The command is refused with this code and these words, and no party has one byte more, less or other."""
    world = home.parent
    before = listing(world)
    done = linkage(home, *args, passphrase=passphrase, expect=code)
    assert says in done.err
    assert done.err.startswith("linkage: error: ")
    assert done.out == ""
    assert _changes(before, listing(world)) == []
    return done


def _changes(before, after):
    return sorted(name for name in before | after if before.get(name, 0) != after.get(name, 0))


# -- packages -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "code", "says"),
    [
        (0, 39, "this file is not a package"),
        (7, 39, "of another format version"),
        (12, 31, "cannot be read"),
        ("digest", 31, "the signature is not matcher's"),
        ("signature", 31, "the signature is not matcher's"),
        ("sealed", 31, "bytes were changed after signing"),
        (-1, 31, "bytes were changed after signing"),
    ],
)
def test_a_package_altered_in_one_byte(at, place, code, says):
    home = at("screened")["police"]
    path = package(home, "inbox", "request")
    data = bytearray(path.read_bytes())
    end = 12 + int.from_bytes(data[8:12], "little")
    digit = next(at_ for at_ in range(30, end) if data[at_] in b"02468")  # of the agreement's digest
    data[{"digest": digit, "signature": end + 5, "sealed": end + 64 + 99}.get(place, place)] ^= 1
    path.write_bytes(data)
    refused(home, "answer", "--run", RUN, code=code, says=says)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda data: data[:-1], "bytes are missing"),
        (lambda data: data[: len(data) // 2], "bytes are missing"),
        (lambda data: data[:100], "breaks off in its header"),
        (lambda data: data[:9], "breaks off in its header"),
        (lambda data: data + b"\0", "bytes follow the package"),
    ],
)
def test_a_truncated_package_or_one_with_more(at, change, says):
    home = at("screened")["police"]
    path = package(home, "inbox", "request")
    path.write_bytes(change(path.read_bytes()))
    refused(home, "answer", "--run", RUN, code=36, says=says)


def test_a_package_sent_to_the_wrong_party(at):
    homes = at("screened")
    stray = package(homes["mental_health"], "inbox", "request")
    refused(
        homes["police"], "answer", stray, "--run", RUN, code=32, says="addressed to 'mental_health', not to 'police'"
    )


def test_a_package_of_another_run(at):
    homes = at("encoded")
    linkage(homes["police"], *encode_arguments(homes["police"], "2027-01"))
    carry(homes["police"].parent)
    here = package_of(homes["matcher"], "2027-01")
    refused(homes["matcher"], "screen", here, "--run", RUN, code=33, says=f"belongs to run '2027-01', not to '{RUN}'")
    # In the inbox it is simply not of this run, and the step goes on with what is.
    linkage(homes["matcher"], "screen", "--run", RUN)


def package_of(home, run):
    (path,) = (home / "inbox").glob(f"{run}-*")
    return path


def test_a_package_of_another_agreement(at):
    """The same parties with the same keys sign other terms; what was made under the old ones is refused."""
    homes = at("encoded")
    terms = homes["childrens_services"] / "agreement.toml"
    terms.write_text(terms.read_text().replace("candidates = 10 ", "candidates = 11 "))
    sign(homes)
    refused(homes["matcher"], "screen", "--run", RUN, code=34, says="was made under another agreement")
    # Nor does the old secret serve under the new terms.
    refused(homes["police"], *encode_arguments(homes["police"], "new"), code=16, says="agreement")


def test_another_secret_is_found_out_before_matching(at):
    """R7: one agency with another secret is named; it never looks like "no links"."""
    homes = at("agreed")
    home = homes["police"]
    for name in ("share.key", "secret.key", "journal.jsonl", "journal.head"):
        (home / name).unlink()
    shutil.rmtree(home / "outbox")
    linkage(home, "secret", "contribute")
    linkage(home, "secret", "assemble")
    for party in AGENCIES:
        linkage(homes[party], *encode_arguments(homes[party]))
    carry(home.parent)
    refused(homes["matcher"], "screen", "--run", RUN, code=35, says="police used another linkage secret")


def test_a_replayed_package(at):
    """A request is answered once, evidence decided on once, links received once; under whatever name they return."""
    homes = at("decided")
    home = homes["police"]
    noted(home, code=37, says="was taken in before")
    renamed = package(home, "inbox", "request").rename(home / "inbox" / "again.linkage")
    noted(home, renamed, code=37, says="was taken in before")
    refused(homes["matcher"], "decide", "--run", RUN, code=37, says="was taken in before")
    linkage(homes["childrens_services"], "receive", "--run", RUN)
    refused(homes["childrens_services"], "receive", "--run", RUN, code=37, says="was taken in before")


def test_a_package_of_another_kind_or_none_at_all(at):
    homes = at("decided")
    other = package(homes["childrens_services"], "inbox", "request")
    refused(homes["childrens_services"], "receive", other, "--run", RUN, code=39, says="of kind 'request', not 'links'")
    refused(homes["matcher"], "decide", "export.csv", "--run", RUN, code=20, says="cannot read export.csv")
    home = homes["police"]
    refused(home, "answer", "export.csv", "--run", RUN, code=39, says="this file is not a package")


def test_a_package_that_is_missing(at):
    homes = at("encoded")
    (missing,) = (homes["matcher"] / "inbox").glob("*-police-*")
    missing.unlink()
    refused(homes["matcher"], "screen", "--run", RUN, code=38, says="of police are missing")


def test_a_package_given_twice(at):
    homes = at("encoded")
    (path,) = (homes["matcher"] / "inbox").glob("*-police-*")
    shutil.copy(path, path.with_name(f"{RUN}-screening-copy.linkage"))
    refused(homes["matcher"], "screen", "--run", RUN, code=39, says="with a part twice")


def test_the_wrong_party_cannot_take_a_step(at):
    """R6: the matcher cannot encode, an agency cannot decide or receive."""
    homes = at("answered")
    shutil.copy(homes["police"] / "export.csv", homes["matcher"])
    refused(
        homes["matcher"], "encode", "export.csv", "--run", "x", code=3, says="is matcher in this agreement, not agency"
    )
    refused(homes["police"], "decide", "--run", RUN, code=3, says="not matcher")
    refused(homes["police"], "receive", "--run", RUN, code=3, says="not childrens-services")


# -- what a malicious matcher asks --------------------------------------------------------------------------------


def identity(home):
    return vault.fetch(home / "identity.key", Identity, passphrase.from_text(PASSPHRASE.format(home.name)))


def asked(homes, party="police"):
    """The request that lies at a party."""
    agreement = load(homes[party] / "agreement.toml")
    data = package(homes[party], "inbox", "request").read_bytes()
    body = open_package([data], Expected("request", RUN, agreement), identity(homes[party])).body
    return RequestContents.from_body(body).request


def forge(homes, request, *, sender="matcher", party="police"):
    """A request of one's own making, signed and sealed as it must be, in the place of what lies in the inbox."""
    agreement = load(homes[party] / "agreement.toml")
    inbox = homes[party] / "inbox"
    for path in inbox.glob(f"{RUN}-request-*"):
        path.unlink()
    for header, data in pack(
        RequestContents(request).to_body(), "request", RUN, agreement, identity(homes[sender]), party
    ):
        (inbox / header.filename).write_bytes(data)


def noted(home, *paths, code=51, says, run=RUN):
    """The request is refused, answered in no part, and the log says so without saying about whom."""
    before = listing(home)
    done = linkage(home, "answer", *paths, "--run", run, expect=code)
    assert says in done.err
    assert set(_changes(before, listing(home))) <= {"journal.jsonl", "journal.head"}
    last = Journal(home / "journal.jsonl").entries()[-1]
    assert (last.what, last.step) == ("consult", "answer refused")
    assert says in " ".join(last.details["why"])


def ids(count):
    return np.frombuffer(os.urandom(16 * count), np.uint8).reshape(count, 16)


def test_a_row_of_another_run_is_refused(at):
    homes = at("screened")
    honest = asked(homes)
    strange = honest.pseudonyms.copy()
    strange[3] = ids(1)
    forge(homes, Request(honest.pair_ids, strange))
    noted(homes["police"], says=f"1 of {len(honest)} rows asked for are not in this run")


def test_a_pair_id_answered_before_is_refused(at):
    """In a second request, which would put two rows under one key."""
    homes = at("answered")
    honest = asked(homes)
    forge(homes, Request(np.concatenate([ids(1), honest.pair_ids[:1]]), honest.pseudonyms[-2:]))
    noted(homes["police"], says="1 pair ids were answered before")


def test_a_pair_id_used_twice_in_one_request_is_refused(at):
    """The package itself breaks its promise."""
    homes = at("screened")
    honest = asked(homes)
    pairs = honest.pair_ids.copy()
    pairs[1] = pairs[0]
    forge(homes, Request(pairs, honest.pseudonyms))
    noted(homes["police"], says="no pair appears twice")


def test_a_row_asked_for_too_often_is_refused(at):
    homes = at("screened")
    honest = asked(homes)
    forge(homes, Request(ids(3), np.repeat(honest.pseudonyms[:1], 3, axis=0)))
    noted(homes["police"], says="1 rows are asked for more than 2 times")


def test_asking_about_some_men_alone_is_refused(at):
    """One pair less than agreed would tell, and so would all on two rows and none on a third."""
    homes = at("screened")
    honest = asked(homes)
    forge(homes, Request(honest.pair_ids[1:], honest.pseudonyms[1:]))
    noted(homes["police"], says="1 rows are asked for fewer than 2 times")


def test_asking_about_everybody_twice_over_is_refused(at):
    homes = at("screened")
    honest = asked(homes)
    people = len(np.unique(honest.pseudonyms, axis=0))
    forge(homes, Request(ids(2 * len(honest)), np.concatenate([honest.pseudonyms] * 2)))
    noted(homes["police"], says=f"{people} rows are asked for more than 2 times")


def test_a_request_from_anybody_but_the_matcher_is_refused(at):
    """Children's services may not ask on its own, even with the right pseudonyms."""
    homes = at("screened")
    forge(homes, asked(homes), sender="childrens_services")
    noted(homes["police"], says="a request comes from the matcher alone")


def test_a_dry_run_notes_no_refusal(at):
    homes = at("screened")
    forge(homes, asked(homes), sender="childrens_services")
    refused(homes["police"], "answer", "--run", RUN, "--dry-run", code=51, says="from the matcher alone")


# -- the agreement ------------------------------------------------------------------------------------------------


def test_an_unsigned_agreement(at):
    home = at("agreed")["police"]
    (home / "agreement.matcher.sig").unlink()
    refused(home, *encode_arguments(home), code=5, says="matcher has not signed")
    refused(home, "agreement", "check", code=5, says="matcher has not signed", passphrase=False)


def test_terms_changed_after_signing(at):
    home = at("agreed")["police"]
    path = home / "agreement.toml"
    path.write_text(path.read_text().replace("strong = 20.0", "strong = 10.0"))
    refused(home, *encode_arguments(home), code=5, says="lacks 4 of 4 signatures")


def test_r1_an_expired_agreement(at):
    """Everybody has signed it, and still nothing runs."""
    homes = at("screened")
    terms = homes["childrens_services"] / "agreement.toml"
    terms.write_text(terms.read_text().replace("ends = 2099-12-31", "ends = 2021-12-31"))
    sign(homes)
    refused(homes["police"], *encode_arguments(homes["police"], "x"), code=6, says="from 2020-01-01 to 2021-12-31")
    refused(homes["police"], "answer", "--run", RUN, code=6, says="runs from")
    refused(homes["matcher"], "screen", "--run", "x", code=6, says="runs from")


def test_r1_an_agreement_without_purpose(at):
    home = at("agreed")["police"]
    path = home / "agreement.toml"
    path.write_text(path.read_text().replace('dpia = "none: demonstration"', 'dpia = ""'))
    refused(home, *encode_arguments(home), code=3, says="purpose.dpia is empty (R1)")


def test_an_entry_nobody_knows(at):
    home = at("agreed")["police"]
    path = home / "agreement.toml"
    path.write_text(path.read_text().replace("pairs_per_row = ", "pairs_per_rows = "))
    refused(home, "agreement", "show", code=4, says="pairs_per_row", passphrase=False)


def test_r50_test_keys_do_not_serve_a_live_agreement(at):
    home = at("agreed")["police"]
    path = home / "agreement.toml"
    path.write_text(path.read_text().replace("test = true", "test = false"))
    refused(home, *encode_arguments(home), code=3, says="is a test one in a live agreement (R50)")


# -- keys ---------------------------------------------------------------------------------------------------------


def test_a_wrong_passphrase(at):
    home = at("encoded")["police"]
    (home / "passphrase.txt").write_text("seven other pretend words\n")
    refused(home, "close", "--run", RUN, code=12, says="the passphrase is wrong")


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
@pytest.mark.parametrize("name", ["passphrase.txt", "identity.key", "secret.key"])
def test_a_key_file_open_to_others(at, name):
    home = at("agreed")["police"]
    (home / name).chmod(0o640)
    refused(home, *encode_arguments(home), code=11, says="is open to other users of this machine")


def test_a_missing_passphrase_or_secret(at):
    home = at("agreed")["police"]
    (home / "secret.key").unlink()
    refused(home, *encode_arguments(home), code=11, says="secret.key")
    (home / "passphrase.txt").unlink()
    refused(home, *encode_arguments(home), code=11, says="passphrase.txt")


def test_a_passphrase_is_never_an_argument_nor_in_the_environment(at):
    """There is no option for it; without a file and a terminal to hide it at, the command does not ask."""
    home = at("agreed")["police"]
    refused(home, "agreement", "sign", "--passphrase", "x", code=2, says="--passphrase", passphrase=False)
    refused(home, "agreement", "sign", code=2, says="use --passphrase-file", passphrase=False)


# -- outputs ------------------------------------------------------------------------------------------------------


def test_nothing_is_ever_overwritten(at):
    homes = at("encoded")
    home = homes["police"]
    refused(home, "keys", "new", "police", "--test", code=26, says="identity.pub exists already")
    refused(home, "agreement", "new", code=26, says="agreement.toml exists already", passphrase=False)
    refused(home, "agreement", "sign", code=26, says="agreement.police.sig exists already")
    refused(home, "secret", "contribute", code=26, says="share.key exists already")
    refused(home, "secret", "assemble", code=26, says="secret.key exists already")
    refused(home, *encode_arguments(home), code=26, says=f"run '{RUN}' was begun here before")


def test_a_worklist_is_not_overwritten(at):
    home = at("decided")["childrens_services"]
    (home / "mine").mkdir()
    (home / "mine" / "worklist.html").write_text("decisions so far")
    refused(home, "receive", "--run", RUN, "--out", "mine", code=26, says="worklist.html exists already")
    # The package is not lost by it.
    linkage(home, "receive", "--run", RUN)


@pytest.mark.parametrize(
    ("stage", "party", "command"), [("agreed", "police", "encode"), ("encoded", "matcher", "screen")]
)
def test_a_step_that_cannot_send_leaves_nothing_and_can_be_taken_again(at, stage, party, command):
    """Here the outbox is a file; it might be a full disk."""
    home = at(stage)[party]
    args = encode_arguments(home) if command == "encode" else [command, "--run", RUN]
    shutil.rmtree(home / "outbox", ignore_errors=True)
    (home / "outbox").write_text("in the way")
    before = listing(home)
    done = linkage(home, *args, expect=20)
    assert "cannot write" in done.err
    assert [name for name in _changes(before, listing(home)) if name != "runs"] == []
    (home / "outbox").unlink()
    linkage(home, *args)


def test_r43_a_dry_run_writes_nothing_anywhere(at):
    """It does all the work, says what would happen, and leaves no trace, not even in the log."""
    homes = at("agreed")
    _dry(homes["police"], *encode_arguments(homes["police"]), says="162 people would be encoded")
    homes = at("encoded")
    _dry(homes["matcher"], "screen", "--run", RUN, says="candidate pairs")
    homes = at("screened")
    _dry(homes["police"], "answer", "--run", RUN, says="pairs would be answered")
    homes = at("answered")
    _dry(homes["matcher"], "decide", "--run", RUN, says="links would be sent")
    homes = at("decided")
    _dry(homes["childrens_services"], "receive", "--run", RUN, says="worklist rows would be written")
    _dry(homes["matcher"], "close", "--run", RUN, says="files would be destroyed")


def _dry(home, *args, says):
    before = listing(home.parent)
    done = linkage(home, *args, "--dry-run", "--json")
    facts = json.loads(done.out)
    assert says in facts["headline"]
    assert facts["dry_run"] is True
    assert facts["files"] == []
    assert _changes(before, listing(home.parent)) == []


def test_an_edited_log_stops_what_relies_on_it(at):
    """Without a sound log a replay could not be told, so nothing is taken in."""
    home = at("screened")["police"]
    path = home / "journal.jsonl"
    entry = msgspec.json.decode(path.read_bytes().splitlines()[0])
    path.write_bytes(path.read_bytes().replace(entry["at"].encode(), b"2020-01-01T00:00Z", 1))
    refused(home, "answer", "--run", RUN, code=20, says="the log was edited")


# -- slips of the hand --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["encod"], 2, "there is no command 'encod'"),
        (["encode", "export.csv", "--run"], 2, "requires an argument"),
        (["encode", "export.csv"], 2, "Missing option '--run'"),
        (["encode", "nowhere.csv", "--run", "x"], 21, "cannot be opened"),
        (["encode", "export.csv", "--run", "../x"], 2, "a run's name has"),
        (["answer", "--run", ".."], 2, "a run's name has"),
        (["answer", "--run", "2031-01"], 33, f"runs here: {RUN}"),
        (["close", "--run", "2031-01"], 33, "there is nothing of run '2031-01'"),
        (["encode", "export.csv", "--run", "x", "--desk", "elsewhere"], 20, "there is no agreement.toml in elsewhere"),
    ],
)
def test_a_slip_of_the_hand_is_told_kindly(at, args, code, says):
    home = at("screened")["police"]
    refused(home, *args, code=code, says=says, passphrase=args[0] != "encod" and args[-1] != "--run")
