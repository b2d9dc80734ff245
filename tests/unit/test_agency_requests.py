"""What an agency answers, what it refuses, and what it keeps to itself."""

import msgspec
import numpy as np
import pytest

from keys.aead import open_note, unwrap_key
from keys.derive import PairKeys
from linkage.encode.inside import make_inside
from linkage.encode.tokens import tokenise
from linkage.errors import RequestRefusedError, UnreadableFileError
from linkage.layout import Layout
from linkage.match.compare import compare
from linkage.model import Flag, Note, Request
from linkage.notes import decode_note
from linkage.package.stream import container
from linkage.parties import agency, answering, leaving
from linkage.parties import inside as within
from linkage.parties.agency import Answered, check_request
from linkage.parties.local import LocalTable
from linkage.schema import Kind
from linkage.sides import from_bytes
from tests import support

PEOPLE = 20


@pytest.fixture(scope="module")
def encoded():
    return agency.encode(support.county(PEOPLE), support.agreement(), support.key(), b"c" * 16)


@pytest.fixture
def local(encoded):
    return encoded.local


def ids(count, seed=1):
    return np.frombuffer(np.random.default_rng(seed).bytes(16 * count), np.uint8).reshape(count, 16)


def request(local, rows, seed=1):
    return Request(ids(len(rows), seed), local.pseudonyms[rows])


def everybody(local, times=2, seed=1):
    """A request as agreed: every row equally often, in no order."""
    return request(local, np.random.default_rng(seed).permutation(np.repeat(np.arange(len(local)), times)), seed)


def checked(asked, local, answered=None, agreement=None):
    return check_request(asked, local, answered or Answered.nothing(local), agreement or support.agreement(), "police")


def refused(asked, local, answered=None):
    with pytest.raises(RequestRefusedError) as refusal:
        checked(asked, local, answered)
    assert refusal.value.exit_code == 51
    assert "nothing was answered" in refusal.value.hint
    return refusal.value.details


# --- requests -------------------------------------------------------------------------------------------------------


def test_a_request_for_every_row_equally_often_is_counted(local):
    after = checked(everybody(local), local)
    assert after.asked.tolist() == [2] * PEOPLE
    assert len(after.pair_ids) == 2 * PEOPLE


def test_a_request_that_asks_about_some_rows_is_refused(local):
    """However few are left out: which rows are would tell."""
    (problem,) = refused(request(local, [0, 0, 5]), local)
    assert problem == "19 rows are asked for fewer than 2 times; all are to be asked for equally often"
    (problem,) = refused(request(local, []), local)
    assert problem.startswith("20 rows")
    rows = np.repeat(np.arange(PEOPLE), 2)
    (problem,) = refused(request(local, rows[1:]), local)
    assert problem.startswith("1 rows are asked for fewer")


def test_a_row_asked_for_in_the_place_of_another_is_refused(local):
    """The number of pairs is as agreed, and two rows are not."""
    rows = np.repeat(np.arange(PEOPLE), 2)
    rows[0] = 7
    over, under = refused(request(local, rows), local)
    assert over == "1 rows are asked for more than 2 times"
    assert under.startswith("1 rows are asked for fewer than 2 times")


def test_an_agency_answers_one_request_a_run(local):
    """A second one as good as the first would ask about every row twice as often."""
    after = checked(everybody(local), local)
    assert refused(everybody(local, seed=2), local, after) == ("20 rows are asked for more than 2 times",)
    assert refused(request(local, [3], seed=2), local, after) == ("1 rows are asked for more than 2 times",)


def test_one_pair_twice_in_a_request_is_refused(local):
    asked = everybody(local)
    twice = Request(np.concatenate([asked.pair_ids[:1], asked.pair_ids[:-1]]), asked.pseudonyms)
    assert refused(twice, local) == ("1 pair ids were answered before",)


def test_one_pair_twice_across_requests_is_refused(local):
    asked = everybody(local)
    after = checked(asked, local)
    assert f"{2 * PEOPLE} pair ids were answered before" in refused(asked, local, after)
    moved = Request(asked.pair_ids[:1], local.pseudonyms[[7]])
    assert "1 pair ids were answered before" in refused(moved, local, after)


def test_a_row_of_no_or_another_run_is_refused(local):
    asked = everybody(local)
    strange = asked.pseudonyms.copy()
    strange[:2] = ids(2, seed=9)
    assert "2 of 40 rows asked for are not in this run" in refused(Request(asked.pair_ids, strange), local)


def test_everything_that_is_wrong_is_said_at_once_and_nothing_of_the_rows(local):
    asked = request(local, [0] * 50)
    bad = Request(np.concatenate([asked.pair_ids, asked.pair_ids[:1]]), np.concatenate([asked.pseudonyms, ids(1)]))
    problems = refused(bad, local)
    assert len(problems) == 4
    assert not any("id-" in problem for problem in problems)


def test_at_one_desk_any_row_may_be_asked_for_but_no_pair_twice(local):
    """Terms without [requests] are for one desk; keys per pair hold there too."""
    desk = support.agreement(requests=None)
    after = checked(request(local, [0] * 50), local, agreement=desk)
    with pytest.raises(RequestRefusedError, match="50 pair ids were answered before"):
        checked(request(local, [0] * 50), local, after, desk)


# --- answers --------------------------------------------------------------------------------------------------------


def test_two_agencies_answers_to_one_pair_agree_where_their_rows_do():
    """Same person, two files: the matcher sees the same in all that both hold."""
    terms, key = support.agreement(), support.key()
    locals_ = [agency.encode(support.county(PEOPLE, seed=4), terms, key, b"c" * 16).local for _ in range(2)]
    pairs = ids(PEOPLE)
    sides = [
        agency.answer(Request(pairs, local.pseudonyms), local, terms, key, support.sealer()).contents.evidence
        for local in locals_
    ]
    assert not np.array_equal(locals_[0].pseudonyms, locals_[1].pseudonyms)
    assert set(np.unique(compare(*sides, Layout(terms.schema)).levels)) == {-1, 0}


def test_the_note_beside_a_pair_opens_for_childrens_services_and_that_pair_alone():
    note = Note(flags=(Flag("DA-P", "PERPETRATOR", "FACT", "UNDER_1Y", "ACTIVE"),))
    people = support.records({"surname": "SMITH"}, {"surname": "JONES"}, notes=(note, Note()))
    terms = support.agreement()
    local = agency.encode(people, terms, support.key(), b"c" * 16).local
    order = [local.local_ids.index("id-0"), local.local_ids.index("id-1")]
    asked = request(local, order)
    contents = agency.answer(asked, local, terms, support.key(), support.sealer()).contents
    assert len({len(one) for one in contents.notes}) == 1
    receiver = support.identity("childrens_services")
    key = unwrap_key(receiver, contents.note_key, run="run-1", sender="police", context=b"d" * 32)
    opened = [
        decode_note(open_note(key, asked.pair_ids[nth].tobytes(), b"d" * 32, contents.notes[nth].tobytes()))
        for nth in range(2)
    ]
    assert opened == [note, Note()]
    assert b"DA-P" not in contents.notes.tobytes()


# --- the local table ------------------------------------------------------------------------------------------------


def test_the_local_table_comes_back_as_it_was(local):
    again = LocalTable.from_bytes(bytes(local.to_stream()))
    assert again.local_ids == local.local_ids
    assert again.notes == local.notes
    assert np.array_equal(again.pseudonyms, local.pseudonyms)
    assert len(again.tokens) == len(local.tokens)
    for one, two in zip(again.tokens, local.tokens, strict=True):
        for part in ("digests", "tags", "filter_codes", "filter_offsets", "presence", "codes", "offsets"):
            assert getattr(one, part).dtype == getattr(two, part).dtype
            assert np.array_equal(getattr(one, part), getattr(two, part))


def test_r4_the_local_table_holds_no_name_and_no_date():
    people = support.records({"surname": "CANARYSMITH", "forename": "CANARYJOHN", "date_of_birth": "1985-03-04"})
    data = bytes(agency.encode(people, support.agreement(), support.key(), b"c" * 16).local.to_stream())
    for word in (b"CANARY", b"SMITH", b"1985"):
        assert word not in data


@pytest.mark.parametrize("length", [0, 7, 100, -1])
def test_a_damaged_table_is_told(local, length):
    with pytest.raises(UnreadableFileError, match="damaged"):
        LocalTable.from_bytes(bytes(local.to_stream())[:length])


def test_rows_are_found_by_pseudonym(local):
    rows = np.array([5, 0, 19, 5])
    assert local.rows(local.pseudonyms[rows]).tolist() == rows.tolist()
    assert local.rows(ids(1, seed=9)).tolist() == [-1]
    assert "id-" not in repr(local)


# --- encode ---------------------------------------------------------------------------------------------------------


def test_pseudonyms_and_order_are_random_in_every_run(encoded):
    """Nothing links what travels to the file's order or to another run."""
    screening = encoded.contents.screening
    again = agency.encode(support.county(PEOPLE), support.agreement(), support.key(), b"c" * 16).contents.screening
    one, two = ({row.tobytes() for row in made.pseudonyms} for made in (screening, again))
    assert len(one) == PEOPLE
    assert not one & two
    assert one == {row.tobytes() for row in encoded.local.pseudonyms}
    assert not np.array_equal(screening.pseudonyms, encoded.local.pseudonyms)
    assert not np.array_equal(screening.owner, np.sort(screening.owner))


def test_filters_travel_with_their_people(encoded):
    """However shuffled: each pseudonym still has its own person's filters."""
    people = support.county(PEOPLE)
    from linkage.encode.screening import make_filters

    filters, owner = make_filters(people, support.SCHEMA, support.DIFFUSED, support.key())
    mine = {}
    for row, person in zip(filters, owner.tolist(), strict=True):
        mine.setdefault(encoded.local.pseudonyms[person].tobytes(), set()).add(row.tobytes())
    screening, theirs = encoded.contents.screening, {}
    for row, person in zip(screening.filters, screening.owner.tolist(), strict=True):
        theirs.setdefault(screening.pseudonyms[person].tobytes(), set()).add(row.tobytes())
    assert mine == theirs


def test_what_is_sent_part_by_part_is_what_is_sent_at_once(encoded, monkeypatch):
    monkeypatch.setattr(leaving, "_PART", 3)
    once, body = encoded.contents.to_body(), encoded.leaving.to_body()
    assert set(body.made) == {"filters", "owner", "pseudonyms", "tokens"}
    assert body.meta == once.meta
    assert bytes(container({**body.arrays, **body.made})) == bytes(container(once.arrays))


def test_an_answer_made_part_by_part_compares_and_opens_like_one_made_at_once(encoded, monkeypatch):
    """Every note opens, progress is told, and it is the same when it is made again."""
    local, terms, pairs, told = encoded.local, support.agreement(), ids(PEOPLE), []
    request, layout = Request(pairs, local.pseudonyms), Layout(terms.schema)
    once = agency.answer(request, local, terms, support.key(), support.sealer()).contents
    monkeypatch.setattr(answering, "PART", 3)
    made = agency.answer(
        request, local, terms, support.key(), support.sealer(), progress=lambda *what: told.append(what)
    )
    body = made.to_body()
    assert set(body.made) == {"evidence", "notes"}
    assert np.array_equal(made.contents.evidence.tags, from_bytes(body.made["evidence"].whole(), pairs, layout).tags)
    again = from_bytes(body.made["evidence"].whole(), pairs, layout)
    assert set(np.unique(compare(once.evidence, again, layout).levels)) == {-1, 0}
    assert np.array_equal(again.presence, once.evidence.presence)
    here = unwrap_key(
        support.identity("childrens_services"), made.sealer.wrapped, run="run-1", sender="police", context=b"d" * 32
    )
    notes = body.made["notes"].whole()
    assert [decode_note(open_note(here, pair.tobytes(), b"d" * 32, note.tobytes())) for pair, note in
            zip(pairs, notes, strict=True)] == [Note()] * PEOPLE  # fmt: skip
    assert {what for what, done, total in told if done < total == PEOPLE} == {"evidence", "notes"}


def test_null_table_counts_what_comparing_every_pair_counts(monkeypatch):
    """In a small file every pair is a candidate: patterns and counts are those of all pairs, one by one."""
    screening = msgspec.structs.replace(support.terms().screening, candidates=40, round_patterns=1)
    people, terms, key = support.county(12, seed=8), support.agreement(screening=screening), support.key()
    alone = PairKeys.alone(bytes(32))  # names near a cut fall on its either side by the key

    def under_this_key(tokens, rows, _, layout, *_rest):
        return make_inside(tokens, rows, alone, layout)

    monkeypatch.setattr(within, "make_inside", under_this_key)
    null = agency.encode(people, terms, key, b"c" * 16).contents.null
    layout = Layout(terms.schema)
    pairs = [(one, two) for one in range(12) for two in range(one + 1, 12)]
    tokens = tokenise(people, terms.schema, key)
    naive = {}
    for one, two in pairs:
        sides = [make_inside(tokens, np.array([row]), alone, layout) for row in (one, two)]
        found = compare(*sides, layout)
        pattern = (*found.levels[0].tolist(), *found.rarity[0].tolist(), *found.crossed[0].tolist())
        naive[pattern] = naive.get(pattern, 0) + 1
    told = {
        (*levels.tolist(), *rarity.tolist(), *crossed.tolist()): count
        for levels, rarity, crossed, count in zip(null.levels, null.rarity, null.crossed, null.counts, strict=True)
    }
    assert null.pairs == len(pairs)
    assert null.people == 12
    assert told == naive
    held = [(np.diff(people.columns[field.name].offsets) > 0).mean() for field in terms.schema.fields]
    assert null.present.tolist() == pytest.approx(held)


def test_a_sampled_null_table_stands_for_the_whole_file(monkeypatch):
    """Half of the rows asked: the weighted counts still estimate all pairs."""
    people, terms, key = support.county(60, seed=8), support.agreement(), support.key()
    whole = agency.encode(people, terms, key, b"c" * 16).contents.null.counts.sum()
    monkeypatch.setattr(within, "NULL_ROWS", 35)
    sampled = [agency.encode(people, terms, key, b"c" * 16).contents.null.counts.sum() for _ in range(5)]
    assert np.mean(sampled) == pytest.approx(whole, rel=0.25)


def test_a_sample_of_people_counts_pairs_of_one_side_and_of_both_alike():
    """Pairs that both sides find come up twice as often; each kind is still counted as often as the file holds it."""
    people, rng = 3000, np.random.default_rng(2)
    one = np.arange(0, people, 2)
    both = (np.concatenate([one, one + 1]), np.concatenate([one + 1, one]), np.full(people, 3))
    lonely = (np.arange(people), (np.arange(people) + 7) % people, np.full(people, 9))
    person, other, distance = (np.concatenate(part).astype(np.int32) for part in zip(both, lonely, strict=True))
    counts = []
    for _ in range(20):
        asked = rng.choice(people, 600, replace=False)
        seen = np.isin(person, asked)
        (low, high), weight = within._weighed(person[seen], other[seen], distance[seen], asked, people)
        counts.append([weight[high - low == 1].sum(), weight[high - low != 1].sum()])
    assert np.mean(counts, axis=0) == pytest.approx([people / 2, people], rel=0.03)
    (low, high), weight = within._weighed(person, other, distance, np.arange(people), people)
    assert len(low) == people / 2 + people
    assert (weight == 1).all()
    assert (low < high).all()


def test_pattern_counts_are_rounded_at_random_and_right_on_average():
    """A pattern of one pair shows rarely, and then as five; no count is a telling one."""
    counts = np.array([1.0, 4.0, 5.0, 13.0])
    rounded = np.array([within.rounded_at_random(counts, 5) for _ in range(4000)])
    assert set(np.unique(rounded)) <= {0.0, 5.0, 10.0, 15.0}
    assert (rounded[:, 2] == 5).all()
    assert np.abs(rounded.mean(axis=0) - counts).max() < 0.3  # four standard errors of the widest
    assert (within.rounded_at_random(counts, 1) == counts).all()


def test_a_share_of_people_never_exceeds_all_of_them():
    """Shares of several ways to lack values may add up to more than 1: people are counted first."""
    whole = {"surname": "SMITH", "forename": "JOHN", "date_of_birth": "1980-05-06", "postcode": "LS6 1AB"}
    lacking = [(), ("forename",), ("date_of_birth",), ("postcode",), ("forename", "date_of_birth")]
    for times in ((8, 7, 2, 1, 7), (7, 4, 6, 1, 8), (3, 2, 6, 1, 3)):
        each = [[field for field in whole if field not in gap] for gap in lacking]
        people = [{f: whole[f] for f in held} for held, n in zip(each, times, strict=True) for _ in range(n)]
        tokens = tokenise(support.records(*people), support.SCHEMA, support.key())
        none = np.empty(0, np.int64)
        alike = within.Alike((none, none), np.empty(0), 1)
        missing = within.missing_sets(tokens)
        null = within.pattern_table(lambda pairs, held=tokens: (held, pairs), alike, missing, support.agreement())
        assert null.present[support.SCHEMA.index(Kind.SURNAME)] == 1
        assert null.gaps.sum() == pytest.approx(1)
