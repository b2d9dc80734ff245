"""Laws of the quick ways of intake: where one is sure, the careful way says the same.

Compiled cleaning against the cleaners, reading in blocks against the reader of the standard library, coded texts
against tuples and dictionaries.
"""

import datetime as dt
import string
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from linkage.errors import LinkageError
from linkage.intake import dates, names, places, stream, table, text
from linkage.intake.cell import PLACEHOLDERS
from linkage.intake.cleaning import _plainly, digits_of, keys_of, values_of
from linkage.intake.coder import Coded, Coder
from linkage.intake.standardise import cleaner, plain
from linkage.schema import Field, Kind
from linkage.texts import Texts

TODAY = dt.date(2026, 3, 1)
LATEST = TODAY.year - dates.MAX_AGE
SIGNS = "".join(sorted({*" -./+()',_\n\t&#", *"019ADEIMNOSXZaez", *"éØß\u00a0٣²"}))


def spoilt(texts):
    """Texts as they are, in any case, or with a few characters put in, left out or changed."""

    @st.composite
    def draw(pick):
        chosen = pick(texts)
        for _ in range(pick(st.sampled_from([0, 0, 1, 1, 2, 3]))):
            place = pick(st.integers(0, len(chosen)))
            chosen = chosen[:place] + pick(st.sampled_from(["", *SIGNS])) + chosen[place + pick(st.integers(0, 2)) :]
        return pick(st.sampled_from([chosen, chosen.upper(), chosen.lower(), chosen.title()])).strip()

    return draw()


def of(pattern):
    return st.from_regex(pattern, fullmatch=True)


numbers = st.integers(0, 10**10 - 1).map("{:010}".format)
letters = st.text(string.ascii_letters, min_size=1, max_size=14)
known = sorted([*places.SHORT, *PLACEHOLDERS, *names.WORDS_APART, "LS1", "4AP", "2ND"])
words = st.one_of(letters, st.sampled_from(known))
areas = st.sampled_from([*sorted(places.AREAS), "ZZ", "XX", "NF", "AA"])
address_words = st.one_of(words, of("[0-9]{1,3}[A-Z]?"), of(" ?[A-Z]{1,2}[0-9] ?[0-9][A-Z]{2}"))
parts = st.sampled_from(
    ["O'", "D'", "OR'", "AL-", "MC ", "WEI ", "MING", "ABDUL ", "JR", "AKA ", "'OR", "NO ", "JEAN", "-", " "]
)
whole_names = st.lists(st.one_of(words, words, parts), min_size=1, max_size=4).flatmap(
    lambda some: st.sampled_from([" ", " ", "-", "'", ""]).map(lambda joint: joint.join(some))
)
prefixes = st.sampled_from(["0", "+44", "+44 (0)", "+440", "0044", "44", ""])
FIELDS = {
    "forename": (Field("forename", Kind.FORENAME), whole_names),
    "forenames": (Field("forename", Kind.FORENAME, 3), whole_names),
    "surname": (Field("surname", Kind.SURNAME), whole_names),
    "date": (
        Field("date", Kind.DATE),
        st.one_of(
            st.dates(dt.date(1840, 1, 1), dt.date(2030, 1, 1)).map(str),
            st.dates(dt.date(1900, 1, 1), TODAY).map(lambda day: day.strftime("%d/%m/%Y")),
            of(r"[0-9]{1,4}[-/.][0-3]?[0-9][-/.][0-9]{1,4}"),
        ),
    ),
    "postcode": (
        Field("postcode", Kind.POSTCODE),
        st.one_of(
            st.builds("{}{} {}".format, areas, of("[0-9]{1,2}[A-Z]?"), of("[0-9][A-Z]{2}")),
            of("[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}"),
            st.sampled_from(["ZZ99 3VZ", "NF1 1NF", "NF11FA", "AA1 1AA", "A1 1AA", "XX1 1XX"]),
        ),
    ),
    "address": (
        Field("address", Kind.TEXT),
        st.lists(address_words, min_size=1, max_size=6).map(" ".join),
    ),
    "phone": (
        Field("phone", Kind.PHONE),
        st.one_of(
            st.builds("{}7{:09}".format, prefixes, st.integers(0, 10**9 - 1)),
            st.builds("{}{}{:09}".format, prefixes, st.sampled_from("123"), st.integers(0, 10**9 - 1)),
            st.sampled_from(["07123456789", "07111111112", "01234567890", "9876543210", "+48 512 345 678"]),
        ),
    ),
    "nhs": (
        Field("nhs_number", Kind.IDENTIFIER),
        st.one_of(numbers, st.sampled_from(["943 476 5919", "1234567890", "4444444444"])),
    ),
    "pnc": (Field("pnc", Kind.IDENTIFIER), of("[0-9]{4}/[0-9]{7}[A-Z]")),
    "cro": (Field("cro", Kind.IDENTIFIER), of("[0-9]{6}/[0-9]{2}[A-Z]")),
    "noms": (Field("noms", Kind.IDENTIFIER), of("[A-Z][0-9]{4}[A-Z]{2}")),
    "other": (
        Field("hospital_no", Kind.IDENTIFIER),
        st.one_of(
            of("[A-Z0-9]{1,12}"),
            numbers,
            st.sampled_from(["1E5", "DUPLICATE1", "MIGERROR2", "0123456789", "1111", "N1A"]),
        ),
    ),
}
PLAIN = {
    "forename": "Zbigniew Albert", "forenames": "Mary Ann-Louise Beth", "surname": "de O'Hara-SMYTHE",
    "date": "12/03/1984", "postcode": "ls1 4ap", "address": "Flat 3, 12a High Street", "phone": "07911 123456",
    "nhs": "943 476 5919", "pnc": "1999/0123456A", "cro": "012345/99A", "noms": "A1234BC", "other": "X123456",
}  # fmt: skip


def both(field, held, order, earliest):
    """What the compiled loop is sure of, and what the cleaner says of the same."""
    texts, counts, verdicts = _plainly(Texts.of(held), plain(field, order, TODAY, earliest))
    clean = cleaner(field, order, TODAY, earliest)
    ends = np.concatenate([[0], np.cumsum(counts)]).tolist()
    for text_, begin, end, verdict in zip(held, ends, ends[1:], verdicts, strict=False):
        if verdict >= 0:
            yield text_, (tuple(texts[begin:end]), verdict), clean(text_)


@pytest.mark.parametrize("kind", FIELDS)
@settings(max_examples=100)
@given(data=st.data())
def test_where_the_compiled_loop_is_sure_the_cleaner_says_the_same(kind, data):
    field, usual = FIELDS[kind]
    held = data.draw(st.lists(spoilt(usual), max_size=8))
    order = data.draw(st.sampled_from(["dmy", "mdy", "ymd", "iso"]))
    earliest = data.draw(st.sampled_from([0, 1850, 1990]))
    for text_, quick, careful in both(field, held, order, earliest):
        assert quick == careful, text_


@pytest.mark.parametrize("kind", FIELDS)
def test_the_compiled_loop_is_sure_of_what_most_cells_look_like(kind):
    """A loop that is never sure would keep the law above, and be of no use."""
    assert len(list(both(FIELDS[kind][0], [PLAIN[kind]], "dmy", 0))) == 1


@pytest.mark.parametrize("kind", ["forename", "forenames", "surname", "address", "other", "nhs", "phone", "postcode"])
def test_every_word_that_stands_for_nothing_is_known_to_the_loops(kind):
    held = [*PLACEHOLDERS, *names.WORDS_APART, *places.SHORT, *"XZ", "XXXX", "ZZ", "#N/A"]
    held += [f"1 {word}" for word in held] + [f"{word} 1" for word in held]
    for text_, quick, careful in both(FIELDS[kind][0], [one for one in held if one], "dmy", 0):
        assert quick == careful, text_


@given(st.lists(spoilt(FIELDS["date"][1]), max_size=12))
def test_dates_that_are_plain_decide_as_they_would_one_by_one(held):
    held = list(dict.fromkeys(held))
    seen, rest = dates.look_at(Texts.of(held), TODAY)
    assert dates.order_of(rest, seen) == dates.order_of(held)
    assert dates.earliest_of(rest, TODAY, len(held)) == dates.earliest_of(held, TODAY)


@given(st.lists(st.text(string.ascii_uppercase + string.digits, max_size=12), unique=True))
def test_no_two_words_have_one_key(held):
    assert len(set(keys_of(held).tolist())) == len(held)


@given(st.lists(st.text("0123456789é٣a", max_size=4)))
def test_digits_are_counted_as_python_counts_them(held):
    lengths, zeros = digits_of(Texts.of(held))
    assert lengths.tolist() == [len(one) if one.isdigit() else 0 for one in held]
    assert zeros.tolist() == [one.isdigit() and one.startswith("0") for one in held]


some = st.lists(st.text("aé1 ", max_size=3))


@given(some, st.integers(-9, 9), st.integers(-9, 9), st.sampled_from([1, 2, -1]))
def test_texts_read_like_a_tuple(held, start, stop, step):
    found = Texts.of(held)
    assert found == tuple(held)
    assert list(found[start:stop:step]) == held[start:stop:step]
    assert [found[place] for place in range(-len(held), len(held))] == held + held
    assert (found == [*held, "x"]) is False
    with pytest.raises(IndexError):
        found[len(held)]


@given(st.lists(some, max_size=4))
def test_a_coder_numbers_distinct_texts_in_order_of_first_appearance(parts):
    """However they come, and as a dictionary would."""
    coder, places_, codes = Coder(), {}, []
    for part in parts:
        held = Texts.of(part)
        codes += coder.add(held.data, held.ends[:-1], np.diff(held.ends)).tolist()
    flat = [one for part in parts for one in part]
    assert codes == [places_.setdefault(one, len(places_)) for one in flat]
    assert coder.finish() == tuple(places_)
    assert Coded.of(flat) == flat
    assert Coded.of(flat).codes.tolist() == codes


def test_a_coder_keeps_its_places_while_it_grows():
    held = Texts.of(f"{number * 7919 % 30_011:x}" for number in range(30_000))
    coder = Coder()
    first = coder.add(held.data, held.ends[:-1], np.diff(held.ends))
    again = coder.add(held.data, held.ends[:-1], np.diff(held.ends))
    assert (first == again).all()
    assert coder.finish() == held


@given(st.lists(spoilt(words), max_size=6), st.booleans())
def test_values_of_plain_and_other_texts_stand_in_the_texts_order(held, quick):
    field = Field("forename", Kind.FORENAME, 3)
    clean, coder = cleaner(field, "dmy", TODAY, 0), Coder()
    codes, counts, verdicts = values_of(Texts.of(held), clean, plain(field, "dmy", TODAY, 0) if quick else None, coder)
    values = coder.finish()
    offsets = np.concatenate([[0], np.cumsum(counts)]).tolist()
    found = [tuple(values[code] for code in codes[a:b]) for a, b in pairwise(offsets)]
    assert [*zip(found, verdicts.tolist(), strict=True)] == [clean(one) for one in held]


cells = st.text(',;"\n\r \u00a0\u2003é-ab', max_size=6)
odd = st.one_of(cells, st.sampled_from(['"a""b"', '"x\n,y"', "", "--", ' "q"']))
rows = st.lists(st.lists(odd, min_size=2, max_size=4), max_size=8)


def written(held, end):
    return "".join(",".join(row) + end for row in [["id", "surname", "note"], *held]).encode()


def careful(raw):
    return table._table(text.read_rows(raw), lambda _: ("id", "note"))


@settings(max_examples=500)
@given(
    raw=st.one_of(
        st.builds(written, rows, st.sampled_from(["\n", "\r\n", "\r"])),
        st.builds(
            written,
            st.lists(st.lists(st.one_of(st.text("aé ", max_size=3), st.just('"x\n,""y"""')), min_size=3, max_size=3)),
            st.sampled_from(["\n", "\r\n"]),
        ),
        st.lists(st.sampled_from([*'ab\n,"\r ', "é", "\xe9"]), max_size=40).map(
            lambda signs: written([], "\n") + "".join(signs).encode("latin-1")
        ),
    ),
    block=st.sampled_from([20, 37, 64, 1 << 20]),
)
@example(b"\xef\xbb\xbfid,surname,note\n1,M\xc3\xbcller,x\n2,M\xfcller,y\n", 30)
@example(b"sep=,\nid,surname,note\n1,2,3\n", 16)
@example(b"id,surname,note\n--,-------,----\n1,2,3\n", 20)
def test_what_is_read_in_blocks_is_what_the_careful_reader_reads(tmp_path_factory, raw, block):
    """Or it is left to that one; and a fault always is."""
    path = tmp_path_factory.mktemp("blocks") / "file.csv"
    path.write_bytes(raw)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "BLOCK", block)
        found = stream.read_plain(path, lambda _: ("id", "note"))
    if found is None:
        return
    wanted = careful(raw)
    assert found.columns == wanted.columns
    assert found.cells == wanted.cells
    assert found.lines.tolist() == wanted.lines.tolist()


@given(
    held=st.lists(st.tuples(*[st.one_of(cells, st.just(""))] * 3), min_size=1, max_size=9),
    block=st.sampled_from([64, 100, 1 << 20]),
)
def test_a_file_as_it_should_be_is_read_in_blocks(tmp_path_factory, held, block):
    """Quoted, with line breaks and any blanks; the careful reader is not asked."""
    path = tmp_path_factory.mktemp("whole") / "file.csv"
    quoted = [['"' + cell.replace('"', '""') + '"' for cell in row] for row in [*held, ("x", "y", "z")]]
    path.write_bytes(written(quoted, "\r\n"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "BLOCK", block)
        found = stream.read_plain(path, None)
    assert found is not None or block < 1 << 20
    if found is not None:
        assert list(zip(*map(list, found.cells), strict=True)) == list(
            zip(*map(list, table._table(text.read_rows(path.read_bytes()), None).cells), strict=True)
        )


@pytest.mark.parametrize(
    "raw", [b"id,surname\n1,2\n3\n", b'id,surname\n1,"2\n', b"id,surname\n1,\0\n", b"", b"id\n1\n"]
)
def test_a_fault_is_left_to_the_careful_reader(tmp_path, raw):
    path = tmp_path / "file.csv"
    path.write_bytes(raw)
    assert stream.read_plain(path, None) is None
    with pytest.raises(LinkageError):
        table.read_table(path)
