"""A party at its desk: what it keeps is encrypted, what it takes in is proven and taken in once."""

import datetime as dt
import os
import stat

import numpy as np
import pytest

from keys.errors import CustodyError, OpenError
from linkage.errors import (
    AgreementExpiredError,
    AgreementSignatureError,
    MissingPartError,
    NotAgreedError,
    OtherAgreementError,
    OtherRunError,
    ReplayedPackageError,
    UnexpectedPackageError,
    UsageProblemError,
    WrongRecipientError,
    YourFileError,
)
from linkage.exchange.desk import open_desk, require, taken_in
from linkage.exchange.files import write_new
from linkage.package import container
from linkage.package.container import Body
from tests import support

BODY = Body(b"{}", {"numbers": np.arange(5, dtype=np.uint64)})
CANARY = b"CANARY-OF-A-PERSON" * 10


@pytest.fixture
def matcher(tmp_path):
    return support.desk(tmp_path / "matcher", "matcher")


@pytest.fixture
def police(tmp_path):
    return support.desk(tmp_path / "police", "police")


def delivered(sender, recipient, kind="screening", run="run-1", body=BODY):
    """What one party sends, in the other's inbox."""
    inbox = recipient.folder / "inbox"
    sent = sender.send(body, kind, run, recipient.party.name)
    return [write_new(inbox / path.name, path.read_bytes()) for path in sent]


# --- opening --------------------------------------------------------------------------------------------------------


def test_a_desk_opens_for_its_party(matcher):
    assert matcher.party.name == "matcher"
    require(matcher, "matcher")
    with pytest.raises(NotAgreedError, match="is matcher in this agreement, not agency"):
        require(matcher, "agency")
    assert "CANARY" not in repr(matcher)
    assert "passphrase" not in repr(matcher)


def test_an_anchor_agency_is_an_agency(tmp_path):
    require(support.desk(tmp_path, "childrens_services"), "agency")


def test_r1_a_desk_opens_within_the_agreements_dates(matcher):
    with pytest.raises(AgreementExpiredError):
        open_desk(matcher.folder, support.PASS, today=dt.date(2100, 1, 1))


def test_a_desk_opens_when_all_have_signed(matcher):
    (matcher.folder / "agreement.housing.sig").unlink()
    with pytest.raises(AgreementSignatureError):
        open_desk(matcher.folder, support.PASS, today=support.TODAY)
    assert open_desk(matcher.folder, support.PASS, signed=False, today=support.TODAY).party.name == "matcher"


def test_a_folder_without_an_agreement_is_no_desk(tmp_path):
    with pytest.raises(YourFileError, match=r"no agreement\.toml"):
        open_desk(tmp_path, support.PASS)


# --- state ----------------------------------------------------------------------------------------------------------


def test_what_is_kept_comes_back(matcher):
    matcher.keep("run-1", "state", CANARY)
    assert matcher.kept("run-1", "state") == matcher.need("run-1", "state", "screen") == CANARY
    assert matcher.kept("run-1", "other") is None
    assert matcher.kept("run-2", "state") is None
    matcher.replace("run-1", "state", b"newer")
    assert matcher.kept("run-1", "state") == b"newer"


def test_state_is_kept_once_under_a_name(matcher):
    matcher.keep("run-1", "state", b"old")
    with pytest.raises(YourFileError, match="exists already"):
        matcher.keep("run-1", "state", b"new")
    assert matcher.kept("run-1", "state") == b"old"


def test_r4_state_is_encrypted_and_private(matcher):
    matcher.keep("run-1", "state", CANARY)
    matcher.replace("run-1", "other", CANARY)
    files = [path for path in matcher.run_folder("run-1").iterdir() if path.is_file()]
    assert {path.name for path in files} == {"state.sealed", "other.sealed", "storage.key"}
    for path in files:
        assert b"CANARY" not in path.read_bytes()
        if os.name == "posix":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_state_of_one_run_or_name_is_not_another(matcher):
    """Each run has a key of its own, and a file cannot be passed off as another."""
    for run in ("run-1", "run-2"):
        matcher.keep(run, "state", run.encode())
        matcher.keep(run, "other", b"other")
    one, two = (matcher.run_folder(run) for run in ("run-1", "run-2"))
    kept = (one / "state.sealed").read_bytes()
    (one / "state.sealed").write_bytes((two / "state.sealed").read_bytes())
    with pytest.raises(OpenError):
        matcher.kept("run-1", "state")
    (one / "state.sealed").write_bytes((one / "other.sealed").read_bytes())
    with pytest.raises(OpenError):
        matcher.kept("run-1", "state")
    (one / "state.sealed").write_bytes(kept)
    assert matcher.kept("run-1", "state") == b"run-1"


def test_state_is_unreadable_at_any_other_desk_and_without_its_key(matcher, police):
    matcher.keep("run-1", "state", CANARY)
    police.keep("run-1", "state", b"own")
    (police.run_folder("run-1") / "storage.key").write_bytes((matcher.run_folder("run-1") / "storage.key").read_bytes())
    with pytest.raises(CustodyError):
        police.kept("run-1", "state")
    (matcher.run_folder("run-1") / "storage.key").unlink()
    with pytest.raises(CustodyError):
        matcher.kept("run-1", "state")


def test_a_step_out_of_order_is_told_which_comes_first(matcher):
    matcher.keep("run-1", "state", b"x")
    with pytest.raises(OtherRunError, match="nothing is known here of run 'run-2'") as refusal:
        matcher.need("run-2", "state", "screen")
    assert "run-1" in refusal.value.hint
    assert "linkage screen" in refusal.value.hint


@pytest.mark.parametrize("run", ["", "../other", "a/b", ".", "run 1"])
def test_a_runs_name_cannot_lead_out_of_the_desk(matcher, run):
    with pytest.raises(UsageProblemError):
        matcher.keep(run, "state", b"x")


# --- packages -------------------------------------------------------------------------------------------------------


def test_what_one_desk_sends_another_takes_in(police, matcher):
    delivered(police, matcher)
    opened = matcher.take([], "screening", "run-1")
    assert list(opened) == ["police"]
    assert np.array_equal(opened["police"].body.arrays["numbers"], BODY.arrays["numbers"])
    assert taken_in(opened) == [opened["police"].header.package]


def test_files_and_folders_may_be_named(police, matcher):
    paths = delivered(police, matcher)
    assert list(matcher.take(paths, "screening", "run-1")) == ["police"]
    assert list(matcher.take([matcher.folder / "inbox"], "screening", "run-1")) == ["police"]


def test_of_a_folder_only_this_kind_and_run_is_taken(police, matcher):
    delivered(police, matcher)
    delivered(police, matcher, kind="evidence")
    delivered(police, matcher, run="run-2")
    delivered(police, matcher, run="run-1-screening-2")
    (matcher.folder / "inbox" / "notes.txt").write_text("x")
    for run in ("run-1", "run-2", "run-1-screening-2"):
        assert matcher.take([], "screening", run)["police"].header.run == run


def test_a_package_renamed_to_this_run_is_refused_not_passed_over(police, matcher):
    (path,) = delivered(police, matcher, run="run-2")
    path.rename(path.with_name(path.name.replace("run-2", "run-1")))
    with pytest.raises(OtherRunError):
        matcher.take([], "screening", "run-1")


def test_a_replayed_package_is_refused(police, matcher):
    delivered(police, matcher)
    opened = matcher.take([], "screening", "run-1")
    matcher.journal.append("combine", "screen", "run-1", packages=taken_in(opened))
    with pytest.raises(ReplayedPackageError, match="was taken in before") as refusal:
        matcher.take([], "screening", "run-1")
    assert refusal.value.exit_code == 37


def test_a_replay_under_another_file_name_is_refused_too(police, matcher):
    (path,) = delivered(police, matcher)
    opened = matcher.take([path], "screening", "run-1")
    matcher.journal.append("combine", "screen", "run-1", packages=taken_in(opened))
    again = write_new(matcher.folder / "again.linkage", path.read_bytes())
    with pytest.raises(ReplayedPackageError):
        matcher.take([again], "screening", "run-1")


def test_two_packages_of_one_sender_are_refused(police, matcher):
    delivered(police, matcher)
    delivered(police, matcher)
    with pytest.raises(ReplayedPackageError, match="two 'screening' packages from police"):
        matcher.take([], "screening", "run-1")


def test_packages_of_several_senders_and_parts_come_together(police, matcher, tmp_path, monkeypatch):
    monkeypatch.setattr(container, "PART_BYTES", 60)
    housing = support.desk(tmp_path / "housing", "housing")
    assert len(delivered(police, matcher)) > 1
    parts = delivered(housing, matcher)
    assert sorted(matcher.take([], "screening", "run-1")) == ["housing", "police"]
    parts[1].unlink()
    with pytest.raises(MissingPartError, match="from housing lacks part 2"):
        matcher.take([], "screening", "run-1")


def test_an_empty_inbox_is_told(matcher):
    with pytest.raises(UnexpectedPackageError, match="no 'screening' package for run 'run-1'"):
        matcher.take([], "screening", "run-1")
    with pytest.raises(YourFileError, match="cannot read"):
        matcher.take([matcher.folder / "none.linkage"], "screening", "run-1")


def test_a_log_that_was_edited_stops_the_taking_in(police, matcher):
    """Else a package could be taken in twice by forgetting that it was."""
    delivered(police, matcher)
    opened = matcher.take([], "screening", "run-1")
    matcher.journal.append("combine", "screen", "run-1", packages=taken_in(opened))
    matcher.journal.path.write_bytes(b"")
    with pytest.raises(YourFileError, match="the log was edited"):
        matcher.take([], "screening", "run-1")


def test_wrong_desk_wrong_run_wrong_agreement(police, matcher, tmp_path):
    paths = delivered(police, matcher)
    housing = support.desk(tmp_path / "housing", "housing")
    with pytest.raises(WrongRecipientError):
        housing.take(paths, "screening", "run-1")
    with pytest.raises(OtherRunError):
        matcher.take(paths, "screening", "run-2")
    other = support.desk(tmp_path / "other", "matcher", support.agreement(title="Another"))
    with pytest.raises(OtherAgreementError):
        other.take(paths, "screening", "run-1")


def test_sending_is_all_parts_or_none(police, monkeypatch):
    monkeypatch.setattr(container, "PART_BYTES", 60)
    paths = police.send(BODY, "screening", "run-1", "matcher")
    assert len(paths) > 1
    assert {path.parent for path in paths} == {police.folder / "outbox"}
    with pytest.raises(NotAgreedError, match="is no party"):
        police.send(BODY, "screening", "run-1", "stranger")
    assert sorted((police.folder / "outbox").iterdir()) == sorted(paths)
