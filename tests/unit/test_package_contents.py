"""Contents of every kind come back as they went, and each broken promise alone is refused."""

import dataclasses
import datetime as dt
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.errors import UnexpectedPackageError
from linkage.layout import FILTER_WEIGHT, Layout
from linkage.model import Evidence, NullTable, Request, Screening
from linkage.package.container import Body, Expected, open_package, pack
from linkage.package.contents import EvidenceContents, RequestContents, ScreeningContents, ShareContents
from linkage.package.links import FileMeta, Interval, LinkMeta, LinksContents, LinksMeta, SummaryMeta
from linkage.schema import MISSING
from tests import support

SCHEMA = support.SCHEMA
LAYOUT = Layout(SCHEMA)
FIELDS = len(SCHEMA)
WORDS, TOKENS, NOTE = 4, 2, 40
RNG = np.random.default_rng(7)


def ids(count):
    return RNG.integers(0, 256, (count, 16)).astype(np.uint8)


def screening():
    null = NullTable(
        levels=np.array([[0] * FIELDS, [MISSING] * FIELDS], np.int8),
        rarity=np.full((2, FIELDS), -1, np.int8),
        crossed=np.full((2, 2), MISSING, np.int8),
        counts=np.array([3.0, 0.5]),
        people=3,
        pairs=4,
        present=np.linspace(0, 1, FIELDS),
        gaps=np.full(2**FIELDS, 2.0**-FIELDS),
    )
    filters = RNG.integers(0, 2**63, (4, WORDS)).astype(np.uint64)
    tokens = RNG.integers(0, 256, (3, TOKENS, 16)).astype(np.uint8)
    return ScreeningContents("ab" * 16, Screening(ids(3), filters, np.array([0, 2, 1, 2], np.int32), tokens), null)


def filters_of_weight(count):
    bits = np.zeros((count * LAYOUT.filters, 512), np.uint8)
    bits[:, :FILTER_WEIGHT] = 1
    bits = RNG.permuted(bits, axis=1)
    return np.packbits(bits, axis=1, bitorder="little").view(np.uint64).reshape(count, LAYOUT.filters, 8)


def evidence(count=3):
    sides = Evidence(
        ids(count),
        RNG.integers(0, 3, (count, len(LAYOUT.slots))).astype(np.uint8),
        RNG.integers(0, 2**32, (count, LAYOUT.tags)).astype(np.uint32),
        filters_of_weight(count),
    )
    return EvidenceContents(sides, RNG.integers(0, 256, (count, NOTE)).astype(np.uint8), b"wrapped key")


def links():
    summary = SummaryMeta(
        searched_on=dt.date(2026, 12, 1),
        files={"police": FileMeta(people=10, present=(0.5,) * FIELDS)},
        anchors=4,
        nothing_found=2,
        not_enough=1,
        overflow=0,
        false_links=Interval(expected=0.001, low=0.0, high=0.01),
        missed=None,
    )
    found = tuple(
        LinkMeta(pair=f"{nth:032x}", anchor_party="childrens_services", party="police", band=band)
        for nth, band in enumerate(("strong", "review"))
    )
    meta = LinksMeta(links=found, note_keys={"childrens_services": b"one", "police": b"two"}, summary=summary)
    levels = np.zeros((2, FIELDS), np.int8)
    return LinksContents(
        meta, levels, np.ones((2, FIELDS + 1), np.float32), np.ones((2, NOTE), np.uint8), np.zeros((2, NOTE), np.uint8),
        ids(2), ids(2),
    )  # fmt: skip


KINDS = {
    "share": (lambda: ShareContents(b"sealed share"), ShareContents.from_body),
    "screening": (screening, lambda body: ScreeningContents.from_body(body, SCHEMA, WORDS, TOKENS)),
    "request": (lambda: RequestContents(Request(ids(3), ids(3))), RequestContents.from_body),
    "evidence": (evidence, lambda body: EvidenceContents.from_body(body, LAYOUT, NOTE)),
    "links": (links, lambda body: LinksContents.from_body(body, SCHEMA, NOTE)),
}


def same(one, two):
    """Equal down to types and shapes of arrays."""
    if dataclasses.is_dataclass(one):
        return type(one) is type(two) and all(
            same(getattr(one, f.name), getattr(two, f.name)) for f in dataclasses.fields(one)
        )
    if isinstance(one, np.ndarray):
        return one.dtype == two.dtype and one.shape == two.shape and one.tobytes() == two.tobytes()
    return bool(one == two)


@pytest.mark.parametrize("kind", KINDS)
def test_contents_travel_unchanged(kind):
    """Through body, container, signature and seal, and back."""
    make, read = KINDS[kind]
    # Encodings are put in an order of their own on arrival; what is in that order stays as it is.
    contents, agreed = read(make().to_body()), support.agreement()
    parts = [data for _, data in pack(contents.to_body(), kind, "r", agreed, support.identity("police"), "matcher")]
    body = open_package(parts, Expected(kind, "r", agreed), support.identity("matcher")).body
    assert same(read(body), contents)


def test_r36_encodings_arrive_in_one_order_whatever_order_they_were_sent_in():
    """The same people under the same pseudonyms, shuffled: the matcher works on equal bytes.

    Some filters differ in their last word alone, as plain ones may.
    """
    rng = np.random.default_rng(5)
    words = 8
    filters = rng.integers(0, 2**63, (7, words)).astype(np.uint64)
    filters[[0, 2, 5], :-1] = filters[3, :-1]
    owner, names = np.array([0, 1, 1, 2, 3, 4, 4], np.int32), ids(5)
    tokens = ids(5)[:, None]
    null = screening().null
    arrived = []
    for _ in range(3):
        rows, people = rng.permutation(7), rng.permutation(5)
        place = np.argsort(people).astype(np.int32)
        mixed = Screening(names[people], filters[rows], place[owner[rows]], tokens[people])
        sent = ScreeningContents("0" * 32, mixed, null)
        arrived.append(ScreeningContents.from_body(sent.to_body(), SCHEMA, words, 1).screening)
    assert same(arrived[0], arrived[1])
    assert same(arrived[0], arrived[2])
    whose = {
        arrived[0].pseudonyms[p].tobytes(): f.tobytes()
        for p, f in zip(arrived[0].owner, arrived[0].filters, strict=True)
    }
    assert all(
        whose[names[p].tobytes()] in {filters[r].tobytes() for r in np.flatnonzero(owner == p)} for p in range(5)
    )


@pytest.mark.parametrize("kind", ["screening", "request", "evidence", "links"])
def test_empty_contents_travel_too(kind):
    """No row, no candidate, no link: a run with nothing in it is no fault."""
    make, read = KINDS[kind]
    body = make().to_body()
    if kind == "links":
        meta = json.loads(body.meta)
        body = Body(json.dumps(meta | {"links": []}).encode(), {n: a[:0] for n, a in body.arrays.items()})
    elif kind == "screening":
        whole = ("null.present", "null.gaps")
        body = Body(body.meta, {n: a if n in whole else a[:0] for n, a in body.arrays.items()})
    else:
        body = Body(body.meta, {n: a if n == "note_key" else a[:0] for n, a in body.arrays.items()})
    read(body)


# --- one broken promise each ----------------------------------------------------------------------------------------


def refused(kind, body, match=None):
    with pytest.raises(UnexpectedPackageError, match=match) as refusal:
        KINDS[kind][1](body)
    assert refusal.value.exit_code == 39
    assert refusal.value.hint


def arrays(kind):
    return sorted(KINDS[kind][0]().to_body().arrays)


EVERY_ARRAY = [(kind, name) for kind in KINDS for name in arrays(kind)]


@pytest.mark.parametrize(("kind", "name"), EVERY_ARRAY)
def test_every_array_must_be_there_in_its_type_and_its_shape(kind, name):
    body = KINDS[kind][0]().to_body()
    array = body.arrays[name]
    without = {n: a for n, a in body.arrays.items() if n != name}
    refused(kind, Body(body.meta, without), "the arrays of its kind and no other")
    refused(kind, Body(body.meta, {**body.arrays, name + "2": array}), "the arrays of its kind and no other")
    refused(kind, Body(body.meta, {**without, name: array.astype(np.complex64)}), f"'{name}' has its type")
    sibling = array.astype(array.dtype.newbyteorder()) if array.dtype.itemsize > 1 else array.view(np.bool_)
    refused(kind, Body(body.meta, {**without, name: sibling}), f"'{name}' has its type")
    refused(kind, Body(body.meta, {**without, name: array[..., None]}), f"'{name}' has its shape")
    if array.ndim > 1:
        refused(kind, Body(body.meta, {**without, name: array[:, :-1]}), f"'{name}' has its shape")


FREE = {"note_key", "share", "null.gaps"}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, name in EVERY_ARRAY if name not in FREE])
def test_arrays_of_one_table_have_one_length(kind, name):
    body = KINDS[kind][0]().to_body()
    refused(kind, Body(body.meta, {**body.arrays, name: body.arrays[name][:-1]}))


def changed(kind, name, change):
    body = KINDS[kind][0]().to_body()
    array = body.arrays[name].copy()
    change(array)
    return Body(body.meta, {**body.arrays, name: array})


def put(place, value):
    def change(array):
        array[place] = value

    return change


def repeat(array):
    array[1] = array[0]


LAST_LEVEL = len(SCHEMA.levels(0))


@pytest.mark.parametrize(
    ("kind", "name", "change", "promise"),
    [
        ("screening", "owner", put(0, -1), "owners are rows"),
        ("screening", "owner", put(0, 3), "owners are rows"),
        ("screening", "owner", put(2, 0), "every row has a filter"),
        ("screening", "pseudonyms", repeat, "no pseudonym appears twice"),
        ("screening", "null.levels", put((0, 0), LAST_LEVEL), "levels exist"),
        ("screening", "null.levels", put((0, 0), MISSING - 1), "levels exist"),
        ("screening", "null.levels", put((0, 4), 2), "levels exist"),  # sex has two levels
        ("screening", "null.rarity", put((0, 0), 6), "rarity is a bucket"),
        ("screening", "null.rarity", put((0, 0), -2), "rarity is a bucket"),
        ("screening", "null.crossed", put((0, 0), LAST_LEVEL), "crossed levels"),
        ("screening", "null.counts", put(0, -1.0), "counts are not negative"),
        ("screening", "null.counts", put(0, np.nan), "counts are not negative"),
        ("screening", "null.counts", put(0, np.inf), "counts are not negative"),
        ("screening", "null.present", put(0, 1.01), "shares lie between"),
        ("screening", "null.present", put(0, np.nan), "shares lie between"),
        ("screening", "null.gaps", put(0, -0.1), "shares lie between"),
        ("screening", "null.gaps", put(0, np.nan), "shares lie between"),
        ("request", "pair_ids", repeat, "no pair appears twice"),
        ("evidence", "pair_ids", repeat, "no pair appears twice"),
        ("evidence", "evidence", put((0, 0), 3), "presence is 0, 1 or 2"),
        ("evidence", "evidence", put((0, slice(-64, None)), 0), "every filter has the agreed weight"),
        ("evidence", "evidence", put((0, slice(-64, None)), 255), "every filter has the agreed weight"),
        ("links", "levels", put((0, 0), LAST_LEVEL), "levels exist"),
        ("links", "bits", put((0, 0), np.nan), "weights are numbers"),
        ("links", "bits", put((0, 0), np.inf), "weights are numbers"),
    ],
)
def test_every_number_lies_in_its_range(kind, name, change, promise):
    refused(kind, changed(kind, name, change), promise)


def test_evidence_is_asked_of_some_pairs_only_when_none_appears_twice():
    codes = ids(3)
    wanted = EvidenceContents.wanted(lambda pair_ids: np.flatnonzero(pair_ids[:, 0] == codes[1, 0]))
    assert {wanted.codes, *wanted.beside, "note_key"} == KINDS["evidence"][0]().to_body().arrays.keys()
    assert 1 in wanted.choose(codes)
    for wrong, promise in ((codes[[0, 1, 0]], "no pair appears twice"), (codes[:, :15], "'pair_ids' has its shape")):
        with pytest.raises(UnexpectedPackageError, match=promise):
            wanted.choose(wrong)


def test_sets_of_missing_fields_are_all_there_or_none():
    body = screening().to_body()
    ScreeningContents.from_body(Body(body.meta, {**body.arrays, "null.gaps": np.empty(0)}), SCHEMA, WORDS, TOKENS)
    refused("screening", Body(body.meta, {**body.arrays, "null.gaps": np.zeros(5)}), "all there or none")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", [b"", b"[]", b"\xff", b"null", b"{}{}", b'{"unknown":1}', b"[" * 100_000])
def test_the_text_is_what_the_kind_promises(kind, text):
    refused(kind, Body(text, KINDS[kind][0]().to_body().arrays), "text is not what its kind promises")


def meta_changed(kind, change):
    body = KINDS[kind][0]().to_body()
    meta = json.loads(body.meta)
    change(meta)
    return Body(json.dumps(meta).encode(), body.arrays)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("screening", lambda m: m.update(check="AB" * 16)),
        ("screening", lambda m: m.update(check="ab" * 16 + "\n")),
        ("screening", lambda m: m.update(people=-1)),
        ("screening", lambda m: m.update(pairs=2**60)),
        ("links", lambda m: m["links"][0].update(pair="xyz")),
        ("links", lambda m: m["links"][0].update(band="possible")),
        ("links", lambda m: m["links"][0].update(party="Somebody's Name")),
        ("links", lambda m: m["links"][0].update(reasons=["Free text about a man"])),
        ("links", lambda m: m["links"][0].update(note="x")),
        ("links", lambda m: m["summary"].update(anchors=-1)),
        ("links", lambda m: m["summary"]["files"]["police"].update(people=-1)),
        ("links", lambda m: m["summary"]["false_links"].update(expected=1.5)),
        ("links", lambda m: m["summary"].update(searched_on="yesterday")),
    ],
)
def test_every_entry_of_the_text_is_in_its_range(kind, change):
    refused(kind, meta_changed(kind, change), "text is not what its kind promises")


@pytest.mark.parametrize(
    ("change", "promise"),
    [
        (lambda m: m["links"].__setitem__(1, m["links"][0]), "no pair appears twice"),
        (lambda m: m["note_keys"].pop("police"), "notes have keys"),
        (lambda m: m["note_keys"].pop("childrens_services"), "notes have keys"),
        (lambda m: m["summary"]["files"]["police"]["present"].pop(), "a share for every field"),
        (lambda m: m["links"].pop(), "has its shape"),
    ],
)
def test_links_hang_together(change, promise):
    refused("links", meta_changed("links", change), promise)


@given(st.binary(max_size=200))
@settings(max_examples=200)
def test_random_text_never_crashes_a_reader(text):
    for kind, (make, read) in KINDS.items():
        try:
            read(Body(text, make().to_body().arrays))
        except UnexpectedPackageError:
            continue
        assert kind in ("share", "request", "evidence")
        assert json.loads(text) == {}
