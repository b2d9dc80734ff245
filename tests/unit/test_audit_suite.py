"""What an audit says, and when it says that it cannot say."""

import dataclasses

import msgspec
import numpy as np
import pytest

from linkage.audit.finding import Guess, measure
from linkage.audit.standins import census
from linkage.audit.suite import PASS_IS_NO_PROOF, Audit, audit
from linkage.audit.words import audit_html, audit_text
from linkage.bars import Bars
from linkage.errors import OutputExistsError
from linkage.model import Column
from linkage.resources import resource
from linkage.steps.audit import Options, audit_file
from tests.support import DIFFUSED
from tests.unit.test_audit_attacks import SCHEMA


def finding(found, records=1000, *, family="known", bar=0.02, chance=0.001):
    return measure("an attack", "people", family, lambda: Guess(records, found, chance), bar)


def result(*findings, clk=1000, noise=1):
    bites = (finding(clk, family="bite", bar=None), finding(noise, family="chance", bar=None))
    return Audit("a scheme", 1000, "all", bites, findings, 0.1, "If the secret leaks: everybody, in 3 seconds", 3.0,
                 {"tags_z": 0.0, "filters_z": 0.1, "pairs": 10})  # fmt: skip


def test_an_audit_that_does_not_bite_is_inconclusive():
    assert result(finding(0), clk=949).verdict == "inconclusive"


def test_what_is_named_is_named_even_where_the_control_holds_out():
    """Attacks too weak for a plain filter that still find more than agreed: all the more reason not to send."""
    assert result(finding(21), clk=500).verdict == "above the bars"
    assert result(finding(21), clk=500, noise=60).verdict == "inconclusive"


def test_an_audit_that_finds_people_in_noise_is_inconclusive():
    assert result(finding(0), noise=60).verdict == "inconclusive"


def test_one_attack_above_its_bar_is_above_the_bars():
    assert result(finding(20)).verdict == "within the bars"
    assert result(finding(20), finding(21)).verdict == "above the bars"


def test_a_few_lucky_guesses_among_few_records_are_no_finding():
    """Four of 300 where one is expected, by the best of four ways; ten of them are no luck."""
    assert not finding(4, 300, family="none", bar=0.01, chance=1 / 300).above
    assert finding(10, 300, family="none", bar=0.01, chance=1 / 300).above


def test_a_finding_without_a_bar_is_for_the_record_only():
    assert result(finding(900, family="record", bar=None), finding(3)).verdict == "within the bars"


def test_bars_are_those_of_the_issue():
    assert dataclasses.asdict(Bars()) == {"none": 0.01, "known": 0.02, "plaintext": 0.05, "evidence": 0.001}
    assert Bars().of("record") is None


def test_text_and_page_say_the_verdict_the_leak_and_that_a_pass_is_no_proof():
    made = result(finding(21))
    for text in (audit_text(made), audit_html(made)):
        assert "above the bars" in text.lower()
        assert "If the secret leaks: everybody" in text
        assert PASS_IS_NO_PROOF in text
    assert "ABOVE" in audit_text(made)


def test_people_encoded_by_names_alone_are_said_in_words_json_and_page():
    made = dataclasses.replace(result(finding(0)), names_alone=13)
    assert made.to_json()["names_alone"] == 13
    for text in (audit_text(made), audit_html(made)):
        assert "13 of 1,000 people (1.3%) are encoded by their names alone" in text
    for none in (0, None):
        assert "names alone" not in audit_text(dataclasses.replace(made, names_alone=none)).lower()


@pytest.fixture(scope="module")
def small():
    plain = msgspec.structs.replace(DIFFUSED, kind="plain", bits=1024, sent_bits=1024, xor=0)
    return audit(census(SCHEMA, 160), SCHEMA, plain, sample=80, seed=1)


def test_the_audit_of_a_plain_profile_finds_its_people(small):
    assert small.highest.share > 0.9
    assert small.leak.startswith("If the secret leaks: everybody (100%")


def test_every_attack_states_what_it_was_given_and_its_interval(small):
    assert {"none", "known", "plaintext", "evidence", "record"} == {each.family for each in small.findings}
    for each in small.findings:
        assert each.given
        assert each.low <= each.share <= each.high
        assert 0 <= each.found <= each.records


def test_names_alone_are_counted_in_the_whole_file_and_not_in_the_rows_attacked(monkeypatch):
    monkeypatch.setattr("linkage.audit.suite.work_off", lambda *_: [])  # the attacks, which take longest
    people = census(SCHEMA, 160)
    columns = dict(people.columns)
    for name in ("date_of_birth", "postcode", "address"):
        whole = columns[name]
        columns[name] = Column(whole.vocabulary, whole.codes[150:], np.maximum(whole.offsets - 150, 0))
    bare = dataclasses.replace(people, columns=columns)
    assert audit(bare, SCHEMA, DIFFUSED, sample=60, seed=1).names_alone == 150


def test_an_audit_says_nothing_of_anybody(small):
    people = census(SCHEMA, 160)
    text = audit_text(small) + msgspec.json.encode(small.to_json()).decode()
    for name in ("surname", "postcode", "date_of_birth"):
        for value in people.columns[name].vocabulary:
            assert len(value) < 5 or value not in text


def test_the_very_filters_to_be_sent_are_attacked():
    """Noise in place of filters: nothing is found, whoever the people are."""
    people = census(SCHEMA, 160)
    noise = np.random.default_rng(2).integers(0, 1 << 63, (160, DIFFUSED.sent_bits // 64)).astype(np.uint64)
    found = audit(people, SCHEMA, DIFFUSED, filters=noise, sample=80, seed=1)
    assert max(each.found for each in found.findings if each.name == "known plaintext") <= 4


def test_the_step_audits_pretend_people_where_no_file_is_given_and_writes_a_page(tmp_path):
    facts, text = audit_file(resource("examples", "rehearse"), options=Options(sample=80, page=tmp_path / "audit.html"))
    assert facts["stand_ins"] is True
    assert facts["verdict"] in {"within the bars", "above the bars", "inconclusive"}
    assert text.startswith("Stand-in rows")
    assert "Does the audit bite?" in (tmp_path / "audit.html").read_text("utf-8")


def test_the_step_overwrites_nothing(tmp_path):
    (tmp_path / "audit.html").write_text("mine")
    with pytest.raises(OutputExistsError):
        audit_file(resource("examples", "rehearse"), options=Options(sample=80, page=tmp_path / "audit.html"))
