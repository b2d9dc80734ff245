"""What a recipient opens is random wherever it is meant to be: pseudonyms, pair ids, tags and filters of evidence.

Screening filters are not: who resembles whom is what they are for, and `linkage audit` measures what that gives away.
"""

import numpy as np

from linkage.agreement import load
from linkage.audit import traces
from linkage.layout import Layout
from linkage.notes import SEALED_NOTE_BYTES
from linkage.package.container import Expected, open_package
from linkage.package.contents import EvidenceContents, ScreeningContents
from tests.flow.parties import AGENCIES, RUN
from tests.flow.test_refusals import identity


def opened(homes, kind):
    """The packages of a kind that lie at the matcher, by sender."""
    agreement, me = load(homes["matcher"] / "agreement.toml"), identity(homes["matcher"])
    found = {}
    for path in sorted((homes["matcher"] / "inbox").glob(f"{RUN}-{kind}-*")):
        package = open_package([path.read_bytes()], Expected(kind, RUN, agreement), me)
        found[package.header.sender] = package.body
    assert set(found) == set(AGENCIES)
    return agreement, found


def random_bytes(data):
    counts = np.bincount(np.frombuffer(data, np.uint8), minlength=256)
    return abs(((counts - len(data) / 256) ** 2).sum() / (len(data) / 256) - 255) < 6 * 510**0.5


def test_evidence_of_real_packages_is_random_across_pairs(at):
    """Tags, filters and ids of all parties; no tag stands twice in a column but by chance, and bits are even."""
    agreement, found = opened(at("answered"), "evidence")
    layout = Layout(agreement.schema)
    for party, body in found.items():
        contents = EvidenceContents.from_body(body, layout, SEALED_NOTE_BYTES)
        looks = traces.of_evidence(contents.evidence, contents.notes, party)
        assert len(looks) == 5
        assert {each.what for each in looks if each.shows} <= {"which fields are there"}
        assert random_bytes(contents.evidence.pair_ids.tobytes())
        assert random_bytes(contents.notes.tobytes())
        bits = np.unpackbits(np.ascontiguousarray(contents.evidence.tags).view(np.uint8), axis=1)
        means = bits.mean(axis=0)
        assert np.abs(means - 0.5).max() < 6 * 0.5 / np.sqrt(len(bits))
        # Within a side, too: values that are equal in two fields of one man must not show as equal tags.
        assert len(np.unique(contents.evidence.tags)) > 0.99 * contents.evidence.tags.size


def test_both_sides_of_a_pair_meet_and_no_others_do(at):
    """The same search finds equal tags where they are meant to be: under one pair's key."""
    agreement, found = opened(at("answered"), "evidence")
    layout = Layout(agreement.schema)
    one, two = (
        EvidenceContents.from_body(found[party], layout, SEALED_NOTE_BYTES).evidence
        for party in ("childrens_services", "police")
    )
    both, left, right = np.intersect1d(one.pair_ids.view("V16"), two.pair_ids.view("V16"), return_indices=True)
    assert len(both) > 100
    met = (one.tags[left] == two.tags[right]).sum()
    strangers = (one.tags[left] == np.roll(two.tags[right], 1, axis=0)).sum()
    assert met > 500
    assert strangers <= 1


def test_screening_of_real_packages_holds_no_row_twice_and_random_names(at):
    agreement, found = opened(at("encoded"), "screening")
    for body in found.values():
        sizes = agreement.profile.sent_bits // 64, agreement.tokens_per_row
        screening = ScreeningContents.from_body(body, agreement.schema, *sizes).screening
        looks = {each.what: each for each in traces.of_screening(screening, "x", 1)}
        assert not looks["rows that are equal"].shows
        assert random_bytes(screening.pseudonyms.tobytes()) or len(screening) < 80
