"""What gives a token and what does not, and that a row of tokens says nothing of itself."""

import datetime as dt

import numpy as np
import pytest

from keys.derive import token_keys
from linkage.combinations import Combination, TokenProfile, combinations_of, problems_of
from linkage.encode.evidence import make_evidence
from linkage.encode.tight import make_tight
from linkage.encode.tokens import tokenise
from linkage.layout import Layout
from linkage.match.compare import compare
from linkage.schema import Field, Kind, Schema
from linkage.terms import Tokens
from tests.support import SCHEMA, key, records

KEY = key()
JOHN = {"forename": "JOHN", "surname": "SMITH", "date_of_birth": "1980-05-06", "postcode": "LS6 1AB"}
DAVE = {"forename": "DAVID", "surname": "KHAN", "date_of_birth": "1991-12-31", "postcode": "LS7 2CD"}


def profile(*combinations):
    return TokenProfile(title="t", dated=dt.date(2026, 1, 1), source="s", combinations=combinations)


def tight(people, *combinations, per_row=4, most_sharing=1, kept=1.0, run=KEY):
    made = combinations_of(profile(*combinations), SCHEMA)
    return make_tight(records(*people), made, Tokens(per_row=per_row, most_sharing=most_sharing, kept=kept), run)


def real(made, row):
    """The digests of a row's real tokens."""
    return {made.digests[row, slot].tobytes() for slot in np.flatnonzero(made.real[row])}


@pytest.mark.parametrize("most_sharing", [1, 2, 3])
def test_a_value_gives_a_token_as_long_as_it_keeps_the_budget(most_sharing):
    """Three men share a name and year; a fourth has his to himself."""
    people = [JOHN, {**JOHN, "date_of_birth": "1980-01-02"}, {**JOHN, "postcode": "M1 1AA"}, DAVE]
    made = tight(people, "forename.root surname.root date.year", most_sharing=most_sharing)
    assert [len(real(made, row)) for row in range(4)] == [int(most_sharing == 3)] * 3 + [1]
    (account,) = made.account
    assert (account.held, account.shared, account.issued) == (4, 3, 4 if most_sharing == 3 else 1)


@pytest.mark.parametrize("per_row", [1, 2, 4])
def test_the_account_counts_tokens_that_rows_had_room_for(per_row):
    """Rows are filled in the order of combinations; the account is reckoned without making a token."""
    people = [{**JOHN, "surname": ["SMITH" + c, "JONES" + c]} for c in "ABCDEF"] + [DAVE, {"surname": "OBI"}]
    texts = ("forename.root surname.root", "surname.root", "surname.root date.whole")
    made = tight(people, *texts, per_row=per_row)
    issued = [account.issued for account in made.account]
    assert issued == [int((made.of == nth).any(axis=1).sum()) for nth in range(len(texts))]
    assert issued[0] == 7
    assert (issued[2] == 7) == (per_row == 4)


def test_every_row_has_as_many_tokens_and_what_is_missing_is_random():
    """A man of whom nothing is known has four tokens like any other, and other ones each time."""
    people = [JOHN, {}, {"surname": "OBI"}, {"forename": "A", "surname": "B"}]
    one, two = (tight(people, "forename.root surname.root", "surname.root date.whole") for _ in range(2))
    assert one.digests.shape == (4, 4, 16)
    assert one.real.sum(axis=1).tolist() == [2, 0, 0, 0]
    assert len(np.unique(one.digests.reshape(-1, 16), axis=0)) == 16
    assert real(one, 0) == real(two, 0)
    assert not {token.tobytes() for token in one.digests[1]} & {token.tobytes() for token in two.digests[1]}


def test_no_place_in_a_row_is_any_combinations_own():
    """Real tokens stand anywhere: over many rows each place is as often taken as any other."""
    people = [{"forename": "JOHN", "surname": "SMITH" + chr(65 + n % 26) * (n // 26 + 1)} for n in range(520)]
    made = tight(people, "forename.root surname.root", per_row=4)
    assert made.real.sum() == 520
    assert (np.abs(made.real.sum(axis=0) - 130) < 60).all()


def test_second_values_give_tokens_after_all_first_ones():
    """An alias and a former address give tokens of their own, with one another only as far as ranks allow."""
    man = {**JOHN, "forename": ["JOHN", "AKBAR"], "postcode": ["LS6 1AB", "M1 1AA"]}
    made = tight([man], "forename.root postcode", per_row=6)
    assert made.real.sum() == 4
    assert real(made, 0) >= real(tight([JOHN], "forename.root postcode"), 0)
    full = tight([man], "forename.root postcode", "surname.root date.whole", per_row=2)
    assert real(full, 0) == real(tight([JOHN], "forename.root postcode", "surname.root date.whole"), 0)


def test_one_man_does_not_use_up_the_budget_by_himself():
    """Two spellings of one name share a root: he counts once."""
    made = tight([{**JOHN, "forename": ["BILL", "WILLIAM"]}], "forename.root surname.root")
    assert made.real.sum() == 1


@pytest.mark.parametrize(
    ("combination", "changed"),
    [
        (
            "forename.root surname.sound date.month",
            {"forename": "JON", "surname": "SMYTH", "date_of_birth": "1980-05-30"},
        ),
        ("names.root postcode.sector", {"forename": "SMITH", "surname": "JOHN", "postcode": "LS6 1ZZ"}),
        ("surname.root date.birthday postcode.district", {"date_of_birth": "1890-05-06", "postcode": "LS6 9XX"}),
        ("forename.initial surname.initial date", {"forename": "J", "surname": "SIMSON"}),
        ("forename.sound date.year", {"date_of_birth": "1980"}),
    ],
)
def test_records_of_one_man_meet_through_what_a_form_forgives(combination, changed):
    """And a change the form does not forgive keeps them apart."""
    made = tight([JOHN], combination)
    assert real(tight([{**JOHN, **changed}], combination), 0) == real(made, 0)
    assert not real(tight([DAVE], combination), 0) & real(made, 0)


def test_tokens_are_the_runs_and_the_combinations_own():
    """Another run, or another combination of the same values, has nothing in common."""
    made = tight([JOHN], "forename.root surname.root")
    assert not real(tight([JOHN], "forename.root surname.root", run=key("run-2")), 0) & real(made, 0)
    assert not real(tight([JOHN], "names.root date.year"), 0) & real(made, 0)


def test_a_coin_drops_the_same_values_at_every_agency_and_others_in_the_next_run():
    """Three in four values give a token; who holds them, and with whom, has no say in it."""
    people = [{"forename": "JOHN", "surname": "SMITH" + chr(65 + n % 26) * (n // 26 + 1)} for n in range(520)]
    here = tight(people, "forename.root surname.root", kept=0.75)
    there = tight([*people[::-1], DAVE], "forename.root surname.root", kept=0.75)
    again = tight(people, "forename.root surname.root", kept=0.75, run=key("run-2"))
    heads = here.real.any(axis=1)
    assert 345 < heads.sum() < 435
    assert heads.tolist() == there.real.any(axis=1)[519::-1].tolist()
    assert [real(here, n) for n in range(520)] == [real(there, 519 - n) for n in range(520)]
    assert 50 < (heads != again.real.any(axis=1)).sum() < 350
    assert tight(people, "forename.root surname.root").real.any(axis=1).all()
    twins = [{**man, "postcode": "LS6 1AB" if n < 2 else ""} for man in people for n in range(2)]
    assert len(tight(twins, "forename.root surname.root", kept=0.75).neighbours) == heads.sum()


def test_neighbours_are_people_who_would_meet_if_one_of_them_were_in_another_file():
    """Two share a value: each alone would hold its token. Three share another: no two of them would."""
    twins = [JOHN, {**JOHN, "forename": "JAMES"}]
    people = [*twins, *({"surname": "KHAN", "date_of_birth": "1970-01-01", "forename": name} for name in "ABC")]
    assert tight(people, "surname.root date").neighbours.tolist() == [[0, 1]]
    both = tight(people, "surname.root date", most_sharing=2).neighbours.tolist()
    assert both == [[0, 1], [2, 3], [2, 4], [3, 4]]


def test_evidence_of_two_tokens_of_one_man_has_nothing_in_common():
    """Each side stands under its own token's key: same man, same values, no tag and no filter alike."""
    made = tight([JOHN, JOHN | {"postcode": "M1 1AA"}], "surname.root postcode", "forename.root postcode")
    layout, tokens = Layout(SCHEMA), tokenise(records(JOHN), SCHEMA, KEY)
    digests = b"".join(sorted(real(made, 0)))
    rows, ids = np.zeros(2, np.int64), np.zeros((2, 16), np.uint8)
    sides = make_evidence(tokens, rows, ids, token_keys(KEY, digests), layout)
    one, two = sides.take(np.array([0])), sides.take(np.array([1]))
    known = np.array([slot.presence for slot in layout.slots if sides.presence[0, slot.presence]])
    assert len(known) == 4
    assert not np.intersect1d(one.tags, two.tags).size
    apart = compare(one, two, layout).levels[0]
    same = compare(one, make_evidence(tokens, rows[:1], ids[:1], token_keys(KEY, digests[:16]), layout), layout).levels[
        0
    ]
    assert (same[:4] == 0).all()
    assert (apart[:4] > 4).all()


def test_a_profile_is_checked_word_by_word():
    """Unknown kinds and forms, doubled combinations, and parts that many share."""
    problems = problems_of(profile("forename.rot surname.root", "sex", "phone", "date postcode", "date postcode"))
    assert [problem.split("'")[1] for problem in problems] == ["forename.rot surname.root", "sex", "date postcode"]
    assert problems_of(profile()) == ["the token profile names no combination"]
    assert problems_of(profile("identifier", "forename.root date.month")) == []


def test_a_kind_of_two_fields_gives_a_combination_for_each_and_one_nobody_has_none():
    schema = Schema((Field("nhs", Kind.IDENTIFIER), Field("pnc", Kind.IDENTIFIER), Field("surname", Kind.SURNAME)))
    made = combinations_of(profile("identifier", "surname.root phone", "names.root identifier"), schema)
    assert [each.name for each in made] == ["nhs.whole", "pnc.whole"]
    assert all(isinstance(each, Combination) for each in made)
