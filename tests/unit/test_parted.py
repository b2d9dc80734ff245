"""A file taken part by part: what leaves and what stays is what a file in one part gives."""

from collections import Counter
from contextlib import contextmanager
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from keys.derive import PairKeys, pair_keys
from linkage.encode.evidence import make_evidence
from linkage.encode.inside import make_inside
from linkage.encode.joining import join, take
from linkage.encode.tokens import tokenise
from linkage.layout import Layout
from linkage.match.compare import compare
from linkage.model import Flag, Note
from linkage.package.stream import container
from linkage.parties import agency, inside, issuing, leaving
from linkage.parties.local import LocalTable, tables_from_bytes, tables_to_stream
from linkage.shelf import Shelf, on_disk
from tests import support

PEOPLE = 90
CHECK = b"c" * 16
FLAG = Flag("DA-P", "PERPETRATOR", "FACT", "UNDER_1Y", "ACTIVE")


@contextmanager
def in_memory(_):
    yield Shelf()


@pytest.fixture(params=[in_memory, on_disk])
def shelf(request, tmp_path):
    with request.param(tmp_path) as one:
        yield one


def county():
    """With aliases, gaps and a name that only two parts together make common; some have flags."""
    notes = tuple(Note(flags=(FLAG,) if nth % 3 == 0 else ()) for nth in range(PEOPLE))
    return replace(support.county(PEOPLE, seed=5), notes=notes)


def parts(whole, count=4):
    """People of a surname together, so that it is less rare in its part."""
    surname = whole.columns["surname"]
    rows = np.array_split(np.argsort(surname.codes[surname.offsets[:-1]], kind="stable"), count)
    made = [support.some(whole, one) for one in rows]
    return [lambda one=one: one for one in made], np.concatenate(rows)


def terms(candidates=15):
    screening = msgspec.structs.replace(support.terms().screening, candidates=candidates, round_patterns=1)
    return support.agreement(screening=screening)


def others():
    """Pairs of different people: beside itself, a side is the same in its noise too."""
    return np.nonzero(~np.eye(PEOPLE, dtype=bool))


def joined(tables):
    return LocalTable.from_bytes(bytes(tables_to_stream(tables)))


def by_person(local, pseudonyms, rows):
    """Rows by the agency's own id."""
    ids = [local.local_ids[row] for row in local.rows(pseudonyms).tolist()]
    return dict(zip(ids, rows, strict=True))


def filters_of(made, local):
    screening, found = made.contents.screening, {}
    ids = [local.local_ids[row] for row in local.rows(screening.pseudonyms).tolist()]
    for row, person in zip(screening.filters, screening.owner.tolist(), strict=True):
        found.setdefault(ids[person], set()).add(row.tobytes())
    return found


def tokens_of(contents, local):
    rows = [set(map(bytes, row)) for row in contents.tokens]
    return by_person(local, contents.pseudonyms, rows)


def test_filters_and_tokens_are_those_of_the_whole_file(shelf):
    whole, agreement, key = county(), terms(), support.key()
    made = agency.encode_file(parts(whole)[0], agreement, key, CHECK, shelf)
    once, again = (agency.encode(whole, agreement, key, CHECK) for _ in range(2))
    local = joined(made.tables)
    assert sorted(local.local_ids) == sorted(whole.local_ids)
    assert made.alone == once.alone
    assert filters_of(made, local) == filters_of(once, once.local)
    mine, theirs, other = (
        tokens_of(one.contents.screening, table)
        for one, table in ((made, local), (once, once.local), (again, again.local))
    )
    real = {person: theirs[person] & other[person] for person in theirs}  # random ones are never met again
    assert sum(map(len, real.values())) > PEOPLE
    assert {person: mine[person] & theirs[person] for person in mine} == real


def test_what_stays_answers_as_the_whole_table_does(shelf):
    """Notes, own ids, and evidence with names as rare as they are in the whole file."""
    whole, agreement, key = county(), terms(), support.key()
    made = agency.encode_file(parts(whole)[0], agreement, key, CHECK, shelf)
    local, layout = joined(made.tables), Layout(agreement.schema)
    row_of = {one: row for row, one in enumerate(local.local_ids)}
    rows = np.array([row_of[one] for one in whole.local_ids])
    assert [local.notes[row] for row in rows] == list(whole.notes)
    ids = np.zeros((PEOPLE, 16), np.uint8)
    mine, theirs = (
        make_evidence(tokens, own, ids, pair_keys(key, ids.tobytes()), layout)
        for tokens, own in ((local.tokens, rows), (tokenise(whole, agreement.schema, key), np.arange(PEOPLE)))
    )
    left, right = others()
    one, two = (compare(side, theirs, layout, (left, right)) for side in (mine, theirs))
    assert np.array_equal(one.levels, two.levels)
    assert np.array_equal(one.crossed, two.crossed)
    alone = [whole.columns[name].counts() == 1 for name in ("forename", "surname")]  # which of two agrees, chance says
    sure = (alone[0] & alone[1])[left] & (alone[0] & alone[1])[right]
    assert np.array_equal(one.rarity[sure], two.rarity[sure])
    assert len(np.unique(two.rarity[sure])) > 2


def test_rarity_is_not_that_of_a_part():
    """What the test before this would not see if parts knew no more than themselves."""
    whole, schema, key = county(), support.SCHEMA, support.key()
    loads, rows = parts(whole)
    apart = join([tokenise(load(), schema, key) for load in loads])
    layout, one = Layout(schema), PairKeys.alone(bytes(32))
    sides = [
        make_inside(tokens, own, one, layout)
        for tokens, own in ((apart, np.argsort(rows)), (tokenise(whole, schema, key), np.arange(PEOPLE)))
    ]
    assert not np.array_equal(*(compare(side, side, layout, others()).rarity for side in sides))


def patterns(null):
    found = zip(null.levels, null.rarity, null.crossed, null.counts, strict=True)
    counts: Counter[tuple[int, ...]] = Counter()
    for levels, rarity, crossed, count in found:  # which of the two is the lower number is not the same in parts
        counts[(*levels.tolist(), *rarity.tolist(), *sorted(crossed.tolist()))] += count
    return counts


def test_patterns_are_those_of_the_whole_file(shelf, monkeypatch):
    """In a small file every pair is a candidate, whatever part its sides are in."""
    whole, agreement, key = support.some(county(), np.arange(24)), terms(candidates=80), support.key()
    monkeypatch.setattr(inside, "_CHOSEN", 50)
    alone = PairKeys.alone(bytes(32))  # names near a cut fall on its either side by the key
    monkeypatch.setattr(
        inside, "make_inside", lambda tokens, rows, _, layout, *__: make_inside(tokens, rows, alone, layout)
    )
    apart = agency.encode_file(parts(whole)[0], agreement, key, CHECK, shelf).contents.null
    once = agency.encode(whole, agreement, key, CHECK).contents.null
    assert apart.people == once.people == 24
    assert apart.pairs == once.pairs == 24 * 23 / 2
    assert patterns(apart) == patterns(once)
    assert np.array_equal(apart.gaps, once.gaps)
    assert np.array_equal(apart.present, once.present)


def test_a_sample_of_a_parted_file_stands_for_the_whole(monkeypatch):
    whole, agreement, key = county(), terms(), support.key()
    once = agency.encode(whole, agreement, key, CHECK).contents.null.counts.sum()
    monkeypatch.setattr(inside, "NULL_ROWS", 40)
    nulls = [
        agency.encode_file(parts(whole)[0], agreement, key, CHECK, Shelf()).contents.null.counts.sum() for _ in range(6)
    ]
    assert np.mean(nulls) == pytest.approx(once, rel=0.25)


def test_what_leaves_in_parts_is_what_leaves_at_once(shelf, monkeypatch):
    monkeypatch.setattr(leaving, "_PART", 7)
    made = agency.encode_file(parts(county())[0], terms(), support.key(), CHECK, shelf)
    once, body = made.contents.to_body(), made.leaving.to_body()
    assert bytes(container({**body.arrays, **body.made})) == bytes(container(once.arrays))
    owner = made.contents.screening.owner
    assert sorted(set(owner.tolist())) == list(range(PEOPLE))


def test_people_of_a_part_leave_in_an_order_of_their_own():
    whole = county()
    orders = []
    for _ in range(2):
        made = agency.encode_file(parts(whole)[0], terms(), support.key(), CHECK, Shelf())
        local = joined(made.tables)
        orders.append([local.local_ids[row] for row in local.rows(made.contents.screening.pseudonyms)])
    assert sorted(orders[0]) == sorted(orders[1])
    assert orders[0] != orders[1]


def test_one_round_in_parts_gives_the_rows_of_the_whole_file(shelf):
    whole, agreement, key = county(), support.one_round(), support.key()
    sealer = support.sealer()
    made = issuing.issue_file(parts(whole)[0], agreement, key, CHECK, sealer, "police", shelf)
    once, again = (issuing.issue(whole, agreement, key, CHECK, sealer, "police") for _ in range(2))
    local, contents = joined(made.tables), made.contents
    assert made.account == once.account
    assert made.without == once.without
    mine, theirs, other = (
        tokens_of(one, table)
        for one, table in ((contents, local), (once.contents, once.local), (again.contents, again.local))
    )
    real = {person: theirs[person] & other[person] for person in theirs}
    assert sum(map(len, real.values())) > PEOPLE
    assert {person: mine[person] & theirs[person] for person in mine} == real
    assert contents.null.people == once.contents.null.people
    assert local.proof == b"".join(table().proof for table in made.tables)
    assert len(local.proof) == 4 * 32
    for random in (contents.tokens, contents.shares, contents.sides, contents.notes):  # no part's noise is another's
        flat = random.reshape(-1, random.shape[-1])
        assert len(np.unique(flat, axis=0)) == len(flat)
    body = made.leaving.to_body()
    assert np.array_equal(body.made["pseudonyms"].whole(), contents.pseudonyms)
    assert np.array_equal(body.made["sides"].whole(), contents.sides)


@pytest.mark.parametrize("make", ["encode", "issue"])
def test_a_part_without_people_is_no_fault(make, shelf):
    whole = county()
    nobody = support.some(whole, [])
    file, key = [lambda: nobody, *parts(whole, 2)[0], lambda: nobody], support.key()
    if make == "encode":
        made = agency.encode_file(file, terms(), key, CHECK, shelf)
        contents = made.contents.screening
        assert np.array_equal(np.unique(contents.owner), np.arange(PEOPLE))
    else:
        made = issuing.issue_file(file, support.one_round(), key, CHECK, support.sealer(), "police", shelf)
        contents = made.contents
    assert len(contents.pseudonyms) == PEOPLE
    assert sorted(joined(made.tables).local_ids) == sorted(whole.local_ids)


def test_tables_come_back_as_they_were(shelf):
    made = agency.encode_file(parts(county())[0], terms(), support.key(), CHECK, shelf)
    data = bytes(tables_to_stream(made.tables))
    for load, back in zip(made.tables, tables_from_bytes(data), strict=True):
        assert load().local_ids == back.local_ids
        assert load().notes == back.notes
        assert all(np.array_equal(one.tags, two.tags) for one, two in zip(load().tokens, back.tokens, strict=True))


def test_some_people_have_the_tokens_they_had():
    tokens, layout = tokenise(county(), support.SCHEMA, support.key()), Layout(support.SCHEMA)
    rows = np.array([3, 17, 18, 64])
    few, one = take(tokens, rows), PairKeys.alone(bytes(32))
    assert all(len(own) == 4 and len(own.digests) <= len(field.digests) for own, field in zip(few, tokens, strict=True))
    assert sum(len(own.digests) for own in few) < sum(len(field.digests) for field in tokens)
    made = [make_inside(held, own, one, layout) for held, own in ((few, np.arange(4)), (tokens, rows))]
    assert np.array_equal(made[0].presence, made[1].presence)
    assert (compare(*made, layout).levels <= 0).all()
