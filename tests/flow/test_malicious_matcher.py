"""A matcher that asks for more than it may gets a refusal, an entry in the agency's log, and nothing more.

Its packages are real: signed with its key, sealed to the agency, of this agreement. The honest request is answered
afterwards all the same.
"""

import base64

import numpy as np
import pytest

from keys import passphrase
from linkage.agreement import load
from linkage.exchange.desk import open_desk
from linkage.exchange.journal import Journal
from linkage.model import Request
from linkage.package.container import Expected, open_package, pack
from linkage.package.contents import RequestContents
from linkage.parties.local import LocalTable
from tests.flow import parties
from tests.flow.forks import linkage
from tests.flow.parties import PASSPHRASE, RUN, carry, encode_arguments, listing, package
from tests.flow.test_refusals import _changes, asked, identity, ids, noted

NEXT = "2027-01"


def mail(homes, request, name, *, run=RUN, party="police"):
    """A request of the matcher's own making as a file beside the inbox; its path."""
    agreement = load(homes[party] / "agreement.toml")
    body = RequestContents(request).to_body()
    ((_, data),) = pack(body, "request", run, agreement, identity(homes["matcher"]), party)
    path = homes[party] / f"{name}.linkage"
    path.write_bytes(data)
    return path


def entries(home):
    return Journal(home / "journal.jsonl").entries()


def evidence(homes, party="police"):
    """What the matcher can open of the party's evidence."""
    agreement = load(homes["matcher"] / "agreement.toml")
    data = package(homes[party], "outbox", "evidence").read_bytes()
    return open_package([data], Expected("evidence", RUN, agreement), identity(homes["matcher"])).body.arrays


def all_rows(home, run=RUN):
    """Every pseudonym of a party's run; the matcher has them from its screening."""
    desk = open_desk(home, passphrase.from_text(PASSPHRASE.format(home.name)))
    return LocalTable.from_bytes(desk.need(run, "local", "encode")).pseudonyms


def test_whatever_it_tries_first_the_honest_request_is_answered_and_only_that(at):
    """Six tries, six entries, no byte to anybody; then exactly the pairs of the honest request."""
    homes = at("screened")
    home = homes["police"]
    honest, everybody = asked(homes), all_rows(home)
    linkage(home, *encode_arguments(home, NEXT))
    other = all_rows(home, NEXT)
    many = Request(ids(70 * len(everybody)), np.tile(everybody, (70, 1)))
    twice = np.concatenate([honest.pair_ids[:5], honest.pair_ids[:1]])
    tries = {
        "repeats-a-pair": (Request(twice, everybody[:6]), "no pair appears twice"),
        "mixes-runs": (Request(ids(6), np.concatenate([everybody[:4], other[:2]])), "2 of 6 rows asked for"),
        "another-run": (Request(ids(9), other[:9]), "9 of 9 rows asked for are not in this run"),
        "guesses-rows": (Request(ids(3), ids(3)), "3 of 3 rows asked for are not in this run"),
        "one-man-often": (Request(ids(300), np.repeat(everybody[7:8], 300, axis=0)), "1 rows are asked for more"),
        "everything": (many, f"{len(everybody)} rows are asked for more than"),
    }  # fmt: skip
    before = len(entries(home))
    for name, (request, says) in tries.items():
        noted(home, mail(homes, request, name), says=says)
        assert not list((home / "outbox").glob("*-evidence-*"))
    assert len(entries(home)) == before + len(tries)
    linkage(home, "answer", "--run", RUN)
    assert sorted(map(bytes, evidence(homes)["pair_ids"])) == sorted(map(bytes, honest.pair_ids))


def test_after_the_answer_nothing_can_be_had_again_under_any_dress(at):
    """The old file, the old request sealed anew, its pairs on other rows, and one more pair on top of all."""
    homes = at("answered")
    home = homes["police"]
    honest = asked(homes)
    sent = evidence(homes)["pair_ids"].tobytes()
    noted(home, package(home, "inbox", "request"), code=37, says="was taken in before")
    noted(home, mail(homes, honest, "again"), says=f"{len(honest)} pair ids were answered before")
    moved = Request(honest.pair_ids, honest.pseudonyms[::-1].copy())
    noted(home, mail(homes, moved, "moved"), says=f"{len(honest)} pair ids were answered before")
    one_more = Request(np.concatenate([honest.pair_ids[:1], ids(1)]), honest.pseudonyms[:2])
    noted(home, mail(homes, one_more, "one-more"), says="1 pair ids were answered before")
    assert evidence(homes)["pair_ids"].tobytes() == sent


def test_an_old_request_serves_in_no_other_run(at):
    """Neither as it is, nor with its rows and pairs under the new run's name."""
    homes = at("screened")
    home = homes["police"]
    honest = asked(homes)
    linkage(home, *encode_arguments(home, NEXT))
    noted(home, package(home, "inbox", "request"), code=33, says=f"belongs to run '{RUN}', not to '{NEXT}'", run=NEXT)
    renewed = mail(homes, honest, "renewed", run=NEXT)
    noted(home, renewed, says=f"{len(honest)} of {len(honest)} rows asked for are not in this run", run=NEXT)


def test_neither_half_a_request_nor_one_row_twice_is_answered(at):
    """What it leaves out or asks twice would tell whom it means."""
    homes = at("screened")
    home = homes["police"]
    honest, row = asked(homes), all_rows(home)[3:4]
    half = Request(honest.pair_ids[::2], honest.pseudonyms[::2])
    noted(home, mail(homes, half, "half"), says="rows are asked for fewer than")
    more = Request(np.concatenate([honest.pair_ids, ids(1)]), np.concatenate([honest.pseudonyms, row]))
    noted(home, mail(homes, more, "more"), says="1 rows are asked for more than")


def test_the_log_tells_of_refusals_without_rows_or_pairs(at):
    homes = at("screened")
    home = homes["police"]
    honest = asked(homes)
    strange = Request(honest.pair_ids, ids(len(honest)))
    noted(home, mail(homes, strange, "strange"), says="are not in this run")
    log = (home / "journal.jsonl").read_bytes()
    for one in (*honest.pair_ids, *strange.pseudonyms):
        assert bytes(one).hex().encode() not in log
        assert base64.b64encode(bytes(one))[:20] not in log
    assert entries(home)[-1].details["senders"] == ["matcher"]


# -- an answer that could not be sent -------------------------------------------------------------------------------


def test_an_answer_that_cannot_be_written_leaves_its_pairs_unanswered(at):
    """Here the outbox is a file; it might be a full disk. Mended, the same request is answered."""
    homes = at("screened")
    home = homes["police"]
    (home / "outbox").rename(home / "elsewhere")
    (home / "outbox").write_text("in the way")
    before = listing(home)
    assert "cannot write" in linkage(home, "answer", "--run", RUN, expect=20).err
    assert _changes(before, listing(home)) == []
    (home / "outbox").unlink()
    (home / "elsewhere").rename(home / "outbox")
    linkage(home, "answer", "--run", RUN)
    carry(home.parent)


STOPS = """
import os, sys
import linkage.steps.agency, cli
from linkage.exchange.desk import Desk
Desk.send = lambda *_, **__: os._exit(9)
sys.argv = ["linkage", "answer", "--run", {run!r}, "--passphrase-file", "passphrase.txt"]
cli.main()
"""


@pytest.mark.parametrize("written", [False, True])
def test_an_answer_that_broke_off_says_so(at, written):
    """The machine stopped after the pairs were noted: they are never answered twice, and the hint says what to do."""
    home = at("screened")["police"]
    code = STOPS.format(run=RUN)
    if written:  # stopped only after the package was whole
        code = code.replace(
            "Desk.send = lambda *_, **__", "send = Desk.send; Desk.send = lambda *a, **k: send(*a, **k) and"
        )
        code = code.replace("and: os._exit", "and os._exit")
    parties.python(home, "-c", code, expect=9)
    assert bool(list((home / "outbox").glob("*-evidence-*"))) == written
    done = linkage(home, "answer", "--run", RUN, expect=51)
    assert "were answered before" in done.err
    assert "hint: an earlier `answer` broke off: send its package if it is in outbox/, else begin a new run" in done.err
