"""One round at both ends: what the matcher can open, what it cannot, and that links come out of what it can."""

import dataclasses
import itertools
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest

from keys.aead import NoteSealer, open_note, unwrap_key
from keys.chance import SYSTEM
from keys.errors import OpenError
from keys.sharing import mask
from linkage.errors import NotAgreedError, OtherSecretError, TooLargeError, UnexpectedPackageError
from linkage.layout import Layout
from linkage.model import Anchor, Flag, Note
from linkage.notes import NOTE_BYTES, SEALED_NOTE_BYTES, decode_note
from linkage.package.arriving import Arriving
from linkage.package.container import Body, Opened
from linkage.package.contents import ScreeningContents
from linkage.package.stream import container
from linkage.package.tokens import Beneath, TokenContents, TokenForm, TokenRows
from linkage.parties import deciding, issuing, matcher, meeting, planning_tokens
from linkage.parties.childrens_services import receive
from linkage.parties.issuing import issue
from linkage.parties.screened import Screened
from linkage.schema import MISSING
from linkage.sides import NOTE_KEY_BYTES, from_sides, side_bytes
from linkage.steps.joining import join
from linkage.steps.matcher import read_tokens
from linkage.terms import Requests, Screening, Tokens
from tests.support import SCHEMA, TODAY, county, identity, key, one_round, records

AGREED = one_round()
SIZE = side_bytes(Layout(SCHEMA))
FLAG = Flag("DA-P", "PERPETRATOR", "FACT", "UNDER_1Y", "ACTIVE")
NAMES = itertools.product(["ZEBEDEE", "QUENTIN", "ISOLDE"], ["FEATHERSTONE", "UMBRIDGE", "QUILL"])
RARE = [
    {"forename": f, "surname": s, "date_of_birth": f"19{60 + n}-03-0{1 + n % 9}", "postcode": f"LS{1 + n} {n % 9}AB"}
    for n, (f, s) in enumerate(NAMES)
]


def issued(party, people, agreed=AGREED, run=None, notes=(), check=b"c" * 16):
    made = people if hasattr(people, "columns") else records(*people, notes=notes)
    to = agreed.childrens_services.public()
    sealer = NoteSealer.new(to, run="run-1", sender=party, context=agreed.digest, length=NOTE_BYTES)
    return issue(made, agreed, run or key(), check, sealer, party)


def files(left, right, agreed=AGREED, **changes):
    """Both files as the matcher reads them; a third agency holds one man of whom little is known."""
    sent = {
        "childrens_services": issued("childrens_services", left, agreed, **changes.get("anchors", {})),
        "police": issued("police", right, agreed, **changes.get("police", {})),
        "housing": issued("housing", [{"surname": "OBI"}], agreed),
    }
    return {name: read_tokens(one.contents.to_body(), agreed) for name, one in sent.items()}


def test_men_in_both_files_meet_and_compare_as_in_two_rounds():
    """Nine men with a nickname, a move and a gap, among others: each meets himself, and the levels say what differs."""
    there = [dict(man) for man in RARE]
    there[0]["forename"], there[1]["postcode"] = "ZEB", "M1 1AA"
    del there[2]["date_of_birth"]
    met = meeting.join(files(RARE, [*there, *({"surname": "OBI", "forename": c} for c in "ABC")]), AGREED)
    (one,) = (c for c in matcher.score(met.screened, met.screened.evidence, AGREED) if c.joined.right == "police")
    levels = one.comparisons.levels
    assert len(one.joined.pairs) == len(set(one.joined.pairs.left.tolist())) == len(RARE)
    assert (levels[:, :4] == 0).sum(axis=0).tolist() == [8, 9, 8, 8]
    assert (levels[:, 2] == MISSING).sum() == 1


def test_every_byte_of_a_row_is_random_whatever_the_row_holds():
    """Of men of whom all is known and men of whom nothing is: every byte value comes as often."""
    full = {field.name: [f"A{n}" for n in range(field.values)] for field in SCHEMA.fields}
    full |= {"date_of_birth": ["1980-05-06", "1981-05-06"], "postcode": ["LS6 1AB", "M1 1AA"]}
    people = [full | {"surname": [f"S{nth}"], "nhs_number": [str(nth)]} for nth in range(60)] + [{}] * 60
    contents = issued("police", people).contents
    for array in (contents.tokens, contents.shares, contents.sides, contents.notes, contents.pseudonyms):
        counts = np.bincount(array.ravel(), minlength=256)
        spread = ((counts - counts.mean()) ** 2 / counts.mean()).sum()  # chi squared, 255 degrees of freedom
        assert 150 < spread < 380, array.shape


def test_which_fields_a_row_has_does_not_show():
    """In two rounds presence is a byte of 0, 1 or 2; here it is masked, and full and empty rows look alike."""
    made = issued("police", RARE + [{}] * 9)
    assert made.without == 9
    order = made.local.rows(made.contents.pseudonyms)
    presence = made.contents.sides[:, :, : len(Layout(SCHEMA).slots)].reshape(len(order), -1)
    for rows in (presence[order < 9], presence[order >= 9]):
        assert (rows > 2).mean() > 0.95
        assert abs(rows.mean() - 127.5) < 10


def test_two_rows_of_one_file_do_not_open_each_other():
    """Even where they share a token: shares of one place give nothing, and it takes another agency's."""
    agreed = one_round(tokens=Tokens(most_sharing=2, kept=1.0, accepted="yes"))
    twins = [{**RARE[0], "forename": "ADAM"}, {**RARE[0], "forename": "BERT"}]
    contents = issued("police", twins, agreed).contents
    tokens, shares = contents.tokens.reshape(-1, 16), contents.shares.reshape(-1, 32)
    _, first, count = np.unique(tokens, axis=0, return_index=True, return_counts=True)
    assert (count == 2).sum() >= 2
    for place in first[count == 2]:
        same = shares[(tokens == tokens[place]).all(axis=1)]
        assert same[0].tobytes() == same[1].tobytes()


def test_one_budget_lets_no_token_stand_twice_in_a_file_and_the_matcher_checks_it():
    """A file that breaks the budget is refused, whatever its sender says."""
    body = issued("police", county(300)).contents.to_body()
    tokens = body.arrays["tokens"].copy()
    assert len(np.unique(tokens.reshape(-1, 16), axis=0)) == 300 * 16
    tokens[0, 0] = tokens[7, 3]
    broken = dataclasses.replace(body, arrays={**body.arrays, "tokens": tokens})
    with pytest.raises(UnexpectedPackageError, match="shared by more rows than agreed"):
        read_tokens(broken, AGREED)


def test_what_is_sent_part_by_part_is_what_is_sent_at_once(monkeypatch):
    """Noise included; notes alone have salts of their own each time."""
    monkeypatch.setattr(issuing, "PART", 3)
    made = issued("police", RARE)
    once, body = made.contents.to_body(), made.leaving.to_body()
    assert set(body.made) == {"pseudonyms", "tokens", "shares", "sides", "notes"}
    assert body.meta == once.meta
    assert {name: array.tobytes() for name, array in once.arrays.items() if name not in body.made} == {
        name: array.tobytes() for name, array in body.arrays.items()
    }
    for name in ("pseudonyms", "tokens", "shares", "sides"):
        assert np.array_equal(body.made[name].whole(), once.arrays[name])
    random = np.array([len(np.unique(share)) for share in once.arrays["shares"].reshape(-1, 32)])
    assert random.min() > 20


@pytest.mark.parametrize("part", [2, 1000])
def test_the_rows_that_met_are_read_alone_and_open_as_the_whole_does(monkeypatch, part):
    """What is joined and what lies beneath come by two readings, in other parts each time."""
    monkeypatch.setattr(issuing, "PART", part)
    sent = {name: issued(name, people) for name, people in (("childrens_services", RARE), ("police", RARE[:5]))}
    bodies = {name: container({**one.arrays, **one.made, "meta": np.frombuffer(one.meta, np.uint8)}).padded()
              for name, one in ((name, made.leaving.to_body()) for name, made in sent.items())}  # fmt: skip
    form, asked = TokenForm.of(AGREED), {}

    def opened(name, wanted):
        parts = list(bodies[name].parts(10_000))
        arriving = Arriving(wanted)
        for nth, piece in enumerate(parts, 1):
            arriving.add(nth, len(parts), piece)
        arrays = arriving.arrays()
        return Body(arrays.pop("meta").tobytes(), arrays)

    def read(name, rows, slots):
        asked[name] = len(rows)
        return Beneath.from_body(opened(name, Beneath.wanted(rows, slots, form)), rows, slots, form)

    rows = {name: TokenRows.from_body(opened(name, TokenRows.WANTED), form) for name in sent}
    met = meeting.open_met(meeting.find(rows, AGREED), read, AGREED)
    (one,) = met.screened.joined
    assert asked == {"childrens_services": 5, "police": 5} == dict.fromkeys(asked, len(one.pairs))
    compared = matcher.score(met.screened, met.screened.evidence, AGREED)[0].comparisons.levels
    assert (compared[:, :4] == 0).all()


def test_another_reading_that_does_not_fit_the_first_is_refused():
    form, rows, slots = TokenForm.of(AGREED), np.array([1, 1, 3]), np.array([0, 2, 2])
    whole = issued("police", RARE).contents
    beneath = whole.beneath(rows, slots)
    arrays = {"shares": beneath.shares, "sides": beneath.sides, "notes": whole.notes[[1, 3]]}
    again = Beneath.from_body(Body(b"", arrays), rows, slots, form)
    assert np.array_equal(again.sides, beneath.sides)
    assert np.array_equal(again.notes, beneath.notes)
    for name in arrays:
        with pytest.raises(UnexpectedPackageError, match="whose tokens were read"):
            Beneath.from_body(Body(b"", {**arrays, name: arrays[name][:-1]}), rows, slots, form)
    with pytest.raises(UnexpectedPackageError, match="tokens, shares, sides and a note"):
        TokenRows.from_body(whole.to_body(), form)


def test_a_package_that_is_another_at_its_second_reading_is_refused(tmp_path):
    """Somebody puts another package of the same agency in the place of the one whose tokens were read."""
    bodies = {name: issued(name, RARE[:2]).contents for name in (each.name for each in AGREED.encoders)}
    names = iter(["one"] * len(bodies) + ["two"])

    def opened(paths, _kind, _run, wanted):
        whole = bodies[paths[0].name].to_body()
        data = container({**whole.arrays, "meta": np.frombuffer(whole.meta, np.uint8)}).padded()
        arriving = Arriving(wanted)
        arriving.add(1, 1, bytes(data))
        arrays = arriving.arrays()
        return Opened(SimpleNamespace(package=next(names)), Body(arrays.pop("meta").tobytes(), arrays))

    waiting = {name: [tmp_path / name] for name in bodies}
    for (path,) in waiting.values():
        path.touch()
    desk = SimpleNamespace(agreement=AGREED, waiting=lambda *_: waiting, open=opened, chance=SYSTEM)
    with pytest.raises(UnexpectedPackageError, match="changed while it was read"):
        join(desk, "run-1", [], dry_run=True)


def test_what_opening_takes_is_told_within_a_factor_of_two_and_refused_where_it_does_not_fit(monkeypatch):
    contents = {name: issued(name, county(400, seed=3)).contents for name in ("childrens_services", "police")}
    found, sizes = meeting.find(contents, AGREED), dict.fromkeys(contents, 400 * TokenForm.of(AGREED).row_bytes)
    planned = planning_tokens.plan(found, sizes, AGREED, 3.0)
    tracemalloc.start()
    met = meeting.open_met(found, lambda name, *where: contents[name].beneath(*where), AGREED)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    (join_,) = met.screened.joined
    assert planned.pairs == {("childrens_services", "police"): len(join_.pairs)}
    assert len(join_.pairs) > 300
    assert peak / 2 < planned.memory < 2 * peak
    assert planned.facts()["fits"]
    assert "about 6 s, to read 0.01 GB twice" in planned.words()
    planned.refuse()
    planning_tokens.check_tokens(sizes, AGREED)
    monkeypatch.setattr(planning_tokens, "free_memory", lambda: planned.memory - 1)
    with pytest.raises(TooLargeError, match="rows that meet need"):
        planning_tokens.plan(found, sizes, AGREED, 3.0).refuse()
    with pytest.raises(TooLargeError, match="tokens need about 6") as refusal:
        planning_tokens.check_tokens(dict.fromkeys(sizes, 10**11), AGREED)
    assert f"police: about {10**11 // TokenForm.of(AGREED).row_bytes:,} rows" in refusal.value.details


def test_another_place_or_secret_opens_nothing():
    """Shares made for another place give another secret, and what opens under it is no evidence."""
    read = files(RARE, RARE)
    lied = dataclasses.replace(read["police"], shares=read["childrens_services"].shares)
    with pytest.raises(UnexpectedPackageError):
        meeting.join({**read, "police": lied}, AGREED)


def test_agencies_of_different_secrets_are_told_apart_before_anything_is_joined():
    read = files(RARE, RARE, police={"check": b"d" * 16})
    with pytest.raises(OtherSecretError):
        meeting.join(read, AGREED)
    met = meeting.join(files(RARE, RARE, police={"run": key("run-2")}), AGREED)
    assert not any(len(join.pairs) for join in met.screened.joined)


def test_notes_open_for_links_alone_and_only_at_childrens_services():
    """The matcher lifts the mask of rows that met; the seal beneath is children's services' and the row's own."""
    flags = [Note(flags=(FLAG,)) for _ in RARE]
    sent = issued("police", RARE, notes=flags)
    read = files(RARE, RARE, police={"notes": flags})
    met = meeting.join(read, AGREED)
    side = met.screened.evidence["police"]
    here = unwrap_key(
        identity("childrens_services"), side.note_key, run="run-1", sender="police", context=AGREED.digest
    )
    first = side.notes[0].tobytes()
    assert decode_note(open_note(here, side.bound[0].tobytes(), AGREED.digest, first)).flags == (FLAG,)
    with pytest.raises(OpenError):
        open_note(here, side.bound[1].tobytes(), AGREED.digest, first)
    masked = {note.tobytes() for note in read["police"].notes}
    assert not masked & {note.tobytes() for note in side.notes}
    with pytest.raises(OpenError):
        open_note(here, sent.contents.pseudonyms[0].tobytes(), AGREED.digest, sent.contents.notes[0].tobytes())


def test_a_link_arrives_with_its_flags_and_its_child():
    """From records to a worklist's rows, without a second round."""
    anchors = [Note(anchors=(Anchor(f"child-{nth}"),)) for nth in range(9)]
    flags = [Note(flags=(FLAG,) if nth == 0 else ()) for nth in range(9)]
    people = [dict(man, nhs_number=f"943476591{n}") for n, man in enumerate(RARE)]
    read = files(people, people, anchors={"notes": anchors}, police={"notes": flags})
    met = meeting.join(read, AGREED)
    screened = Screened.from_bytes(bytes(met.screened.to_stream()))
    judged = [deciding.judge(one, AGREED) for one in matcher.score(screened, screened.evidence, AGREED)]
    contents = deciding.decide(screened, judged, AGREED, TODAY).contents
    opened = receive(contents, AGREED, identity("childrens_services"), "run-1")
    strong = {link.anchor.child_id: link.flags for link in opened.links if not link.withheld.value}
    assert {link.anchor.child_id for link in opened.links} == {f"child-{nth}" for nth in range(9)}
    assert all(shown == ((FLAG,) if child == "child-0" else ()) for child, shown in strong.items())


def test_r36_what_is_found_does_not_hang_on_the_order_rows_came_in():
    """Two packages of the same people in other orders give the same comparisons in the same order."""
    found = []
    for _ in range(2):
        read = files(county(200, seed=1), county(200, seed=2))
        met = meeting.join(read, AGREED)
        found.append(
            [one.comparisons.levels.tolist() for one in matcher.score(met.screened, met.screened.evidence, AGREED)]
        )
        found[-1].append([join.pairs.left.tolist() + join.pairs.right.tolist() for join in met.screened.joined])
    assert found[0] == found[1]
    assert any(found[0][0])


def test_a_side_is_as_long_as_it_says_and_reads_back():
    plain = np.arange(3 * SIZE, dtype=np.uint64).astype(np.uint8).reshape(3, SIZE)
    evidence, note_keys = from_sides(plain, np.zeros((3, 16), np.uint8), Layout(SCHEMA))
    assert evidence.tags.shape == (3, Layout(SCHEMA).tags)
    assert note_keys == plain[:, -NOTE_KEY_BYTES:].tobytes()
    assert mask(bytes(96), bytes(48), mask(bytes(96), bytes(48), plain.tobytes())) == plain.tobytes()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"requests": Requests()}, "nothing is asked"),
        ({"screening": Screening(candidates=7)}, "only its round_patterns"),
        ({"tokens": Tokens(most_sharing=2)}, "tokens.accepted"),
        ({"tokens": Tokens(per_row=15), "protocol": "two-round"}, "'two-round'"),
    ],
)
def test_terms_that_would_be_signed_and_never_executed_are_refused(changes, says):
    with pytest.raises(NotAgreedError) as refusal:
        one_round(**changes)
    assert says in refusal.value.details[0]


def test_every_term_of_the_tokens_is_in_the_digest():
    digests = {
        one_round(tokens=tokens).digest
        for tokens in (
            Tokens(),
            Tokens(per_row=15),
            Tokens(most_sharing=2, accepted="a"),
            Tokens(most_sharing=2, accepted="b"),
        )
    }
    assert len(digests) == 4


def test_tokens_are_not_taken_for_screening():
    body = issued("police", RARE).contents.to_body()
    with pytest.raises(UnexpectedPackageError):
        ScreeningContents.from_body(body, SCHEMA, 64, 16)
    with pytest.raises(UnexpectedPackageError):
        TokenContents.from_body(body, TokenForm(SCHEMA, 15, 1, SIZE, SEALED_NOTE_BYTES))
