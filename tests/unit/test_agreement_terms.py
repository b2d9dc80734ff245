"""What an agreement must hold before anybody works under it."""

import datetime as dt

import msgspec
import pytest

from keys.identity import Identity
from linkage import toml
from linkage.agreement import Agreement, dump, load, with_parties
from linkage.errors import AgreementExpiredError, AgreementFileError, NotAgreedError
from linkage.resources import CONFIGS, resource
from linkage.terms import FieldEntry, Party, Purpose, Requests, Terms
from tests import support


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "agreement.toml"
    path.write_bytes(dump(support.terms()))
    return path


def edited(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return path


def problems(profile=support.DIFFUSED, **changes):
    with pytest.raises(NotAgreedError) as refusal:
        support.agreement(profile, **changes)
    assert refusal.value.exit_code == 3
    return refusal.value.details


def test_terms_written_by_program_read_the_same(path):
    assert load(path).digest == support.agreement().digest


@pytest.mark.parametrize(
    ("old", "new", "meant"),
    [
        ("[requests]\n", "[requests]\npairs_per_rows = 5\n", "pairs_per_row"),
        ("[release]\n", "[release]\nexpiry_days = 5\n", "expires_days"),
        ("[release]\n", "[release]\nexpires-days = 5\n", "expires_days"),
        ("format = 1", "format = 1\nprotokol = 1", "protocol"),
        ("[purpose]\n", '[purpose]\nlegal_base = "x"\n', "legal_basis"),
    ],
)
def test_an_unknown_entry_names_the_nearest_known_one(path, old, new, meant):
    with pytest.raises(AgreementFileError) as refusal:
        load(edited(path, old, new))
    assert refusal.value.hint == f"did you mean '{meant}'?"
    assert refusal.value.exit_code == 4


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('name = "police"', 'name = "police\\n"'),
        ('name = "police"', 'name = "Police"'),
        ('name = "forename"', 'name = "fore name"'),
        ("strong = 20.0", "strong = inf"),
        ("strong = 20.0", "strong = nan"),
        ("pairs_per_row = 2", "pairs_per_row = 0"),
        ("candidates = 15", "candidates = 0"),
        ("days = 30", "days = 31"),
        ('protocol = "two-round"', 'protocol = "three-round"'),
        ("format = 1", "format = 2"),
        ("format = 1", "format = "),
        ("format = 1", ""),
    ],
)
def test_values_outside_their_bounds_are_refused(path, old, new):
    """Also an endless number: it would have no canonical form, and two of them one digest."""
    with pytest.raises(AgreementFileError):
        load(edited(path, old, new))


def test_a_file_that_is_no_text_or_not_there_is_refused(tmp_path, path):
    with pytest.raises(AgreementFileError, match="cannot read"):
        load(tmp_path / "none.toml")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(AgreementFileError, match="not TOML"):
        load(path)


def test_an_unknown_profile_is_refused_by_the_agreement(path):
    with pytest.raises(AgreementFileError) as refusal:
        load(edited(path, "union-2026-11", "unoin-2026-11"))
    assert refusal.value.hint == "did you mean 'union-2026-11'?"


def test_every_problem_is_listed_at_once():
    """R1, R2, R19: nobody corrects a file five times."""
    purpose = Purpose(
        statement=" ", legal_basis="", special_category_condition="x", policy_document="x", dpia="x",
        sharing_agreement="x", starts=dt.date(2027, 1, 1), ends=dt.date(2026, 1, 1),
    )  # fmt: skip
    date = FieldEntry(name="born", kind="date")
    parties = (
        support.party("police", contact_desk=" "),
        support.party("housing"),
        support.party("housing"),
        support.party("matcher", roles=("matcher", "agency")),
        Party(name="nobody", title="", roles=(), contact_desk=""),
    )
    bands = msgspec.structs.replace(support.terms().bands, strong=1.0, probable=2.0)
    found = problems(purpose=purpose, fields=(date, date), parties=parties, bands=bands)
    assert set(found) >= {
        "purpose.statement is empty (R1)",
        "purpose.legal_basis is empty (R1)",
        "purpose.ends lies before purpose.starts",
        "bands.probable lies above bands.strong",
        "field 'born' appears twice",
        "no field is a name",
        "party 'housing' appears twice",
        "party 'nobody' has no role",
        "0 parties have the role 'childrens-services'; there must be exactly one",
        "no party has the role 'anchor-agency': without anchors nothing may be linked (R2)",
        "the matcher 'matcher' may have no other role",
        "party 'police' has no contact desk (R19)",
        "one identity is given for two parties",
    }


@pytest.mark.parametrize("entry", [f.name for f in msgspec.structs.fields(Purpose) if f.type is str])
def test_r1_nothing_runs_without_the_whole_purpose_record(entry):
    purpose = msgspec.structs.replace(support.terms().purpose, **{entry: " "})
    assert problems(purpose=purpose) == (f"purpose.{entry} is empty (R1)",)


def test_a_template_with_its_blanks_is_refused_for_each_of_them():
    """The pilot's template can be parsed, and says what is still to be filled in."""
    pilot = toml.read(resource("templates", "pilot"), Terms)
    with pytest.raises(NotAgreedError) as refusal:
        Agreement(pilot, support.DIFFUSED)
    assert sum("is empty (R1)" in problem for problem in refusal.value.details) == 5
    assert sum("contact desk" in problem for problem in refusal.value.details) == 6


def test_a_live_agreement_says_how_often_rows_are_asked_about():
    """At one desk nobody learns from being asked; between agencies all of them would."""
    live = tuple(
        support.party(name, identity=Identity.new(name, test=False).public.to_text()) for name in support.ROLES
    )
    asking = "there is no [requests]: agencies would learn from what they are asked"
    assert problems(requests=None, test=False, parties=live) == (asking,)
    support.agreement(requests=None)
    support.agreement(test=False, parties=live)


def test_how_often_a_run_asks_is_counted_over_all_comparisons():
    """Anchors stand in more pairs than rows they are compared with; two files of anchors are compared as such."""
    asked = Requests(pairs_per_row=2, pairs_per_anchor=7)
    agreement = support.agreement(requests=asked)
    assert [agreement.times_asked(party.name) for party in agreement.encoders] == [14, 2, 2]
    both = ("agency", "anchor-agency")
    parties = tuple(support.party(name, **({"roles": both} if name == "housing" else {})) for name in support.ROLES)
    agreement = support.agreement(requests=asked, parties=parties)
    assert [agreement.times_asked(party.name) for party in agreement.encoders] == [14, 4, 14]
    assert support.agreement(requests=None).times_asked("police") is None


def test_terms_without_requests_can_be_written(tmp_path):
    path = tmp_path / "agreement.toml"
    path.write_bytes(dump(support.terms(requests=None)))
    assert load(path).terms.requests is None


def test_the_rehearsals_terms_need_no_parties_yet():
    agreement = load(CONFIGS / "examples" / "rehearse.toml")
    joined = with_parties(agreement, support.terms().parties)
    assert [party.name for party in joined.encoders] == ["childrens_services", "police", "housing"]
    assert joined.digest != agreement.digest


def test_one_matcher_one_receiver_two_agencies():
    names = ["childrens_services", "police", "matcher"]
    support.agreement(parties=tuple(support.party(name) for name in names))
    assert problems(parties=(support.party("childrens_services"), support.party("matcher"))) == (
        "at least two parties must be agencies",
    )
    second = support.party("housing", roles=("matcher",))
    assert any(
        "2 parties have the role 'matcher'" in one for one in problems(parties=(*support.terms().parties, second))
    )


# --- identities -----------------------------------------------------------------------------------------------------


def with_identity(name, identity):
    return tuple(support.party(n, **({"identity": identity} if n == name else {})) for n in support.ROLES)


def test_an_identity_bears_its_partys_name():
    other = Identity.new("polise", test=True).public.to_text()
    assert problems(parties=with_identity("police", other)) == (
        "the identity given for 'police' was made for 'polise'",
    )


def test_r50_test_and_live_identities_do_not_meet_in_an_agreement():
    live = Identity.new("police", test=False).public.to_text()
    assert problems(parties=with_identity("police", live)) == (
        "the identity of 'police' is a live one in a test agreement (R50)",
    )


def test_a_damaged_identity_is_named():
    damaged = support.party("police").identity[:-8]
    (problem,) = problems(parties=with_identity("police", damaged))
    assert "the identity of 'police' is damaged" in problem


def test_a_party_is_found_by_name_and_by_identity():
    agreement = support.agreement()
    assert agreement.party_of(support.identity("police").public).name == "police"
    with pytest.raises(NotAgreedError, match="no party's"):
        agreement.party_of(Identity.new("police", test=True).public)
    with pytest.raises(NotAgreedError) as refusal:
        agreement.party("polise")
    assert refusal.value.hint == "did you mean 'police'?"


def test_an_identity_may_come_later_but_not_too_late():
    agreement = support.agreement(parties=with_identity("police", ""))
    with pytest.raises(NotAgreedError, match="no identity for 'police'"):
        agreement.party("police").public()


# --- dates, roles, profile ------------------------------------------------------------------------------------------


def test_r1_an_agreement_is_in_force_from_its_first_to_its_last_day():
    purpose = support.terms().purpose
    agreement = support.agreement()
    for day in (purpose.starts, purpose.ends):
        agreement.check_dates(day)
    for day in (purpose.starts - dt.timedelta(1), purpose.ends + dt.timedelta(1)):
        with pytest.raises(AgreementExpiredError) as refusal:
            agreement.check_dates(day)
        assert refusal.value.exit_code == 6


def test_r2_only_pairs_with_an_anchor_may_be_compared():
    """Two adults' files never meet, and anchors stand on the left."""
    assert support.agreement().comparable() == (("childrens_services", "police"), ("childrens_services", "housing"))
    reversed_ = support.agreement(parties=support.terms().parties[::-1])
    assert set(reversed_.comparable()) == {("childrens_services", "housing"), ("childrens_services", "police")}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"bits": 1000}, "the profile's bits are not"),
        ({"bits": 2048}, "the profile's bits are not"),
        ({"sent_bits": 100}, "the profile's sent_bits"),
        ({"xor": 1}, "a diffused profile's xor"),
        ({"xor": 0}, "a diffused profile's xor"),
        ({"search": "lsh", "threshold": 0.5}, "search = 'lsh'"),
        ({"weights": {}}, "the profile weighs no field"),
        (
            {"weights": {"sex": {"whole": 1, "bigram": 2}}},
            "the profile weighs 'bigram' of sex; what can be weighed there: whole",
        ),
        ({"kind": "plain"}, "a plain profile sends its bits as they are"),
    ],
)
def test_a_profile_that_cannot_work_is_refused(changes, problem):
    (found,) = problems(msgspec.structs.replace(support.DIFFUSED, **changes))
    assert problem in found


def test_no_more_fields_than_the_model_can_count():
    fields = tuple(FieldEntry(name=f"n{nth}", kind="surname") for nth in range(17))
    assert problems(fields=fields) == ("17 fields are compared; at most 16 can be",)
