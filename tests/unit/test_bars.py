"""A profile or package that gives away too many people is refused, unless the agreement says in writing that it may."""

import datetime as dt

import msgspec
import pytest

from keys.derive import run_key
from keys.identity import Identity
from keys.secret import LinkageSecret
from linkage import bars
from linkage.agreement import Agreement, dump, load, sign_terms, signature_path
from linkage.bars import check_profile
from linkage.errors import AboveTheBarError, NotAgreedError
from linkage.exchange.desk import AGREEMENT, Desk
from linkage.resources import CONFIGS
from linkage.steps import agency, verdict
from linkage.steps import agreement as steps
from linkage.steps.reading import Source
from linkage.terms import Measured, Profile
from linkage.toml import read
from tests import support
from tests.unit.test_audit_suite import finding, result


def profile(none=0.01, known=0.02, plaintext=0.05):
    its = Measured(
        nobody_known=none, known_100=known, plaintext_500=plaintext, rows=3000, dated=dt.date(2026, 11, 23), command="x"
    )
    return msgspec.structs.replace(support.DIFFUSED, measured=its)


def terms(*, test=False, share=0.0, because=""):
    screening = msgspec.structs.replace(
        support.terms().screening, accepted_reidentification=share, accepted_because=because
    )
    return msgspec.structs.replace(support.terms(), screening=screening, test=test)


def test_a_profile_at_the_bars_is_within_them():
    assert check_profile(terms(), profile()) == []


@pytest.mark.parametrize(
    ("figures", "says"),
    [
        ({"none": 0.011}, "1.1% with nobody known; the bar is 1.0%"),
        ({"known": 0.021}, "2.1% with 100 people known; the bar is 2.0%"),
        ({"plaintext": 0.051}, "5.1% learnt from 500 known pairs; the bar is 5.0%"),
    ],
)
def test_each_figure_is_held_to_its_bar(figures, says):
    with pytest.raises(AboveTheBarError) as refusal:
        check_profile(terms(), profile(**figures))
    assert refusal.value.exit_code == 7
    assert refusal.value.details == (says,)
    assert "accepted_reidentification" in refusal.value.hint


def test_a_profile_nobody_measured_counts_as_giving_away_everybody():
    unmeasured = msgspec.structs.replace(support.DIFFUSED, measured=None)
    with pytest.raises(AboveTheBarError, match="never measured"):
        check_profile(terms(share=0.99, because="we are told so"), unmeasured)
    (warning,) = check_profile(terms(share=1.0, because="all of it is public"), unmeasured)
    assert warning.endswith("up to 100.0% is accepted: all of it is public")


def test_what_is_accepted_in_writing_passes_up_to_its_figure_and_is_still_said():
    (warning,) = check_profile(terms(share=0.2, because="the file is of nine men"), profile(known=0.2))
    assert "20.0% with 100 people known" in warning
    assert "the file is of nine men" in warning
    with pytest.raises(AboveTheBarError):
        check_profile(terms(share=0.2, because="the file is of nine men"), profile(known=0.201))


def test_nobody_accepts_evidence_above_its_bar():
    """What the agreement accepts is about screening."""
    accepting = terms(share=1.0, because="everybody may know")
    with pytest.raises(AboveTheBarError, match="evidence across pairs"):
        bars.hold(accepting, "the audited encoding", {"evidence": 0.002}, "")


def test_a_test_agreement_is_only_warned():
    (warning,) = check_profile(terms(test=True), profile(known=0.9))
    assert warning.endswith("allowed in a test agreement only")


@pytest.mark.parametrize(("share", "because"), [(0.2, ""), (0.2, "  "), (0.0, "for no figure")])
def test_a_figure_and_its_reason_are_given_both_or_neither(share, because):
    with pytest.raises(NotAgreedError) as refusal:
        Agreement(terms(test=True, share=share, because=because), support.DIFFUSED)
    assert any("both or neither" in problem for problem in refusal.value.details)


@pytest.mark.parametrize("path", sorted((CONFIGS / "profiles").glob("*.toml")), ids=lambda path: path.stem)
def test_every_profile_states_its_figures_with_date_and_command(path):
    its = read(path, Profile).measured
    assert its is not None
    assert its.command.startswith("python benchmarks/")
    assert its.rows >= 1000


def test_the_plain_profile_owns_to_everybody():
    assert set(bars.measured(support.PLAIN).values()) == {1.0}


def test_names_alone_are_warned_of_above_their_share():
    assert bars.check_names(0, 0) == []
    assert bars.check_names(20, 2000) == []
    (warning,) = bars.check_names(21, 2000)
    assert warning.startswith("21 of 2,000 people (1.1%) are encoded by their names alone")


# -- live parties -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def live():
    """Identities of a live agreement; their passphrases are not at stake here."""
    return {name: Identity.new(name, test=False) for name in support.ROLES}


@pytest.fixture
def desk(live, tmp_path):
    """The police's desk under a live agreement whose profile is above the bars."""
    parties = tuple(support.party(name, identity=one.public.to_text()) for name, one in live.items())
    agreed = Agreement(msgspec.structs.replace(terms(), parties=parties), support.PLAIN)
    return Desk(tmp_path, agreed, live["police"], agreed.party("police"), support.PASS)


def test_check_and_sign_refuse_a_live_agreement_above_the_bars(desk, live, monkeypatch):
    screening = msgspec.structs.replace(desk.agreement.terms.screening, profile="plain-2026-11")
    (desk.folder / AGREEMENT).write_bytes(dump(msgspec.structs.replace(desk.agreement.terms, screening=screening)))
    path = desk.folder / AGREEMENT
    for name, identity in live.items():
        signature_path(path, name).write_text(sign_terms(load(path), identity))
    with pytest.raises(AboveTheBarError, match="'plain-2026-11' gives away"):
        steps.check(path)
    signature_path(path, "police").unlink()
    monkeypatch.setattr("keys.vault.fetch", lambda *_, **__: desk.identity)
    with pytest.raises(AboveTheBarError):
        steps.sign(desk.folder, support.PASS)
    assert not signature_path(path, "police").exists()


def test_encode_refuses_a_profile_above_the_bars_before_it_reads_or_writes(desk):
    before = sorted(desk.folder.rglob("*"))
    with pytest.raises(AboveTheBarError, match="gives away"):
        agency.encode(desk, "run-1", Source(desk.folder / "there-is-no-such-file.csv"))
    assert sorted(desk.folder.rglob("*")) == before


def test_encode_audit_writes_nothing_above_the_bars_and_warns_where_the_figure_is_accepted(desk, monkeypatch):
    """What the attacks find is given here; what is tested is what follows from it."""
    monkeypatch.setattr(verdict, "attack", lambda *_, **__: result(finding(21)))
    key = run_key(LinkageSecret(False, b"d" * 32, b"s" * 32), "run-1", b"d" * 32)

    def audited(desk):
        return verdict.before_sending(desk, "run-1", support.county(5), key, lambda *_: None, dry_run=False)

    with pytest.raises(AboveTheBarError, match="the audited encoding gives away"):
        audited(desk)
    assert [entry.step for entry in desk.journal.entries()] == ["audit refused"]
    assert {path.name for path in desk.folder.rglob("*")} == {"journal.jsonl", "journal.head"}
    accepting = Agreement(
        msgspec.structs.replace(terms(share=0.03, because="agreed"), parties=desk.agreement.terms.parties),
        support.PLAIN,
    )
    (warning,) = audited(Desk(desk.folder, accepting, desk.identity, desk.party, support.PASS))
    assert warning.endswith("up to 3.0% is accepted: agreed")
    assert [entry.step for entry in desk.journal.entries()] == ["audit refused", "audit"]


@pytest.fixture
def package(desk):
    """A run that was encoded: state, and a package in the outbox."""
    desk.keep("run-1", "local", b"state")
    path = desk.folder / "outbox" / "run-1-screening-police-to-matcher-00000000-1of1.linkage"
    path.parent.mkdir()
    path.write_bytes(b"sealed")
    return path


def test_a_run_above_the_bars_is_taken_back_and_never_sends_again(desk, package):
    with pytest.raises(AboveTheBarError, match="destroyed") as refusal:
        verdict.settle(desk, "run-1", result(finding(21)), [package])
    assert refusal.value.details == ("2.1% with 100 people known; the bar is 2.0%",)
    assert not package.exists()
    entry = desk.journal.entries()[-1]
    assert (entry.step, entry.details["verdict"]) == ("audit refused", "above the bars")
    # A luckier audit changes nothing, and nor does another desk object.
    verdict.settle(desk, "run-1", result(finding(0)), [])
    with pytest.raises(AboveTheBarError, match="nothing of it is sent") as later:
        verdict.refuse_marked(desk, "run-1")
    assert later.value.details == refusal.value.details
    verdict.refuse_marked(desk, "run-2")


def test_the_mark_cannot_be_moved_to_another_run_or_forged(desk, package):
    """It is encrypted under the run's own key, like all state."""
    with pytest.raises(AboveTheBarError):
        verdict.settle(desk, "run-1", result(finding(21)), [package])
    mark = desk.run_folder("run-1") / "refused.sealed"
    assert b"known" not in mark.read_bytes()


def test_a_package_that_has_left_is_told(desk, package):
    package.unlink()
    with pytest.raises(AboveTheBarError, match="has left"):
        verdict.settle(desk, "run-1", result(finding(21)), [])


def test_a_run_within_the_bars_keeps_its_package(desk, package):
    assert verdict.settle(desk, "run-1", result(finding(20)), [package]) == []
    assert package.exists()
    verdict.refuse_marked(desk, "run-1")
    assert desk.journal.entries()[-1].step == "audit"


def test_an_inconclusive_audit_says_that_it_proves_nothing(desk, package):
    (warning,) = verdict.settle(desk, "run-1", result(finding(20), clk=500), [package])
    assert "inconclusive" in warning
    assert package.exists()
