"""The one front of the candidate search."""

import subprocess
import sys

import numpy as np
import pytest

from linkage.errors import ShapeError, UsageProblemError
from linkage.match import lsh
from linkage.match.candidates import Above, Nearest, Sampled
from linkage.match.search import find_candidates
from linkage.match.threshold import stream_above
from tests import naive


def linked(n, words, seed, *, fill=0.5, damage=0.2, linked_share=0.5):
    """Two files of which a share of rows are the same people, `damage` of their bits drawn anew."""
    rng = np.random.default_rng(seed)
    left = rng.random((n, words * 64)) < fill
    right = rng.random((n, words * 64)) < fill
    same = int(n * linked_share)
    kept = rng.random((same, words * 64)) >= damage
    right[:same] = np.where(kept, left[:same], right[:same])
    return tuple(np.packbits(bits, axis=1, bitorder="little").view(np.uint64) for bits in (left, right))


def as_pairs(found):
    return {
        (i, j): d for i, j, d in zip(*(a.tolist() for a in (found.left, found.right, found.distances)), strict=True)
    }


def in_order(found):
    order = list(zip(found.left.tolist(), found.right.tolist(), strict=True))
    return order == sorted(set(order))


def test_importing_the_search_loads_no_compiler():
    code = "import sys, linkage.match.search as s; assert 'numba' not in sys.modules and 'scipy' not in sys.modules"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_importing_the_kernels_gives_no_warning():
    subprocess.run([sys.executable, "-W", "error", "-c", "import linkage.match.kernels_dice"], check=True)


@pytest.mark.parametrize("both_sides", [False, True])
def test_nearest_is_the_plain_search_over_many_tiles(both_sides):
    left, right = linked(700, 9, 1)
    right = np.concatenate([right, right[:300]])  # ties by the hundred
    found = find_candidates(left, right, Nearest(3, both_sides, furthest=0.45))
    assert as_pairs(found) == naive.nearest(left, right, 3, both_sides=both_sides, furthest=int(0.45 * 576))
    assert in_order(found)
    assert found.stats.verified is None
    assert found.stats.stated_recall == 1


def test_one_file_against_itself_has_no_self_pairs():
    left, right = linked(400, 4, 2)
    people = np.concatenate([left, right, left[:50]])
    found = find_candidates(people, None, Nearest(2))
    assert as_pairs(found) == naive.nearest(people, None, 2, both_sides=True, furthest=256)
    assert (found.left < found.right).all()


@pytest.mark.parametrize("settings", [Nearest(5, recall=0.99), Nearest(5), Above(0.55), Sampled(0.7, sample=50)])
@pytest.mark.parametrize("within", [False, True])
def test_the_number_of_threads_changes_nothing(settings, within):
    left, right = linked(900, 16, 3)
    results = []
    for threads in (1, 2, 5):
        one = type(settings)(**{**vars(settings), "threads": threads})
        found = find_candidates(left, None if within else right, one)
        results.append((found.left.tolist(), found.right.tolist(), found.distances.tolist()))
    assert results[0] == results[1] == results[2]


def test_sequential_search_keeps_its_promise_and_says_so():
    left, right = linked(3000, 64, 4, damage=0.82)
    exact = find_candidates(left, right, Nearest(5, furthest=0.42))
    quick = find_candidates(left, right, Nearest(5, furthest=0.42, recall=0.9, sample=3000))
    assert quick.stats.plan["first_words"] < exact.stats.plan["first_words"]
    assert set(as_pairs(quick)) <= set(as_pairs(exact))
    check = quick.stats.verified
    assert check.expected == len(exact)
    assert check.found == len(quick)
    assert 0.9 <= check.recall < 1
    assert check.low < check.recall < check.high


def test_bits_in_a_telling_order_are_noticed():
    """Half of the rows differ from their nearest in the first words alone: the sample shows it, few are lost."""
    left, right = linked(1500, 64, 5, damage=0.6)
    rng = np.random.default_rng(0)
    right[:750, :16] = rng.integers(0, 2**64, (750, 16), dtype=np.uint64)
    right[:750, 16:] = left[:750, 16:]
    found = find_candidates(left, right, Nearest(1, furthest=0.3, recall=0.99))
    assert len(found) > 700
    assert found.stats.verified is None or found.stats.verified.recall > 0.97


def test_above_is_the_plain_search():
    left, right = linked(220, 16, 6, fill=0.3)
    found = find_candidates(left, right, Above(0.8))
    assert as_pairs(found) == naive.above(left, right, 0.8)
    assert in_order(found)
    assert len(found) > 80
    within = np.concatenate([left, right])
    assert as_pairs(find_candidates(within, None, Above(0.8))) == naive.above(within, None, 0.8)


def test_a_stream_is_the_search_in_pieces():
    left, right = linked(1200, 4, 7, fill=0.3)
    pieces = list(stream_above(left, right, Above(0.5)))
    found = find_candidates(left, right, Above(0.5))
    assert len(pieces) > 1
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), [found.left, found.right, found.distances])


@pytest.mark.parametrize("within", [False, True])
def test_sampling_finds_exactly_the_pairs_that_meet(within):
    left, right = linked(170, 8, 8, fill=0.3, damage=0.15)
    if within:
        left, right = np.concatenate([left, right]), None
    settings = Sampled(0.8, recall=0.9, seed=3)
    plan = lsh.plan_tables(left, right, settings)
    tables = lsh._positions(plan, lsh._shuffles(plan, 512, settings.seed))
    meetings = naive.first_meetings(left, right, tables)
    wanted = {pair: d for pair, d in naive.above(left, right, 0.8).items() if pair in meetings}
    found = lsh.sampled(left, right, settings)
    assert as_pairs(found) == wanted
    assert in_order(found)
    assert found.stats.compared >= len(meetings)


def test_tables_of_one_shuffle_share_no_bit():
    plan = lsh.Tables(bits=30, tables=40, slot_bits=8, met=0.0, time=0.0)
    tables = lsh._positions(plan, lsh._shuffles(plan, 512, seed=1))
    assert [len(set(table)) for table in tables] == [30] * 40
    for start in range(0, 40, 17):  # 17 tables of 30 bits to a shuffle of 512
        assert len(set(np.concatenate(tables[start : start + 17]))) == 30 * len(tables[start : start + 17])


def test_rows_without_a_bit_meet_nobody():
    left, right = linked(3000, 16, 9, fill=0.3)
    left[1000:], right[1000:] = 0, 0
    found = lsh.sampled(left, right, Sampled(0.8))
    assert len(found) > 500
    assert found.left.max() < 1000
    assert found.stats.compared < 1000 * 1000


def test_sampling_keeps_its_promise_at_the_threshold():
    left, right = linked(40_000, 16, 9, fill=0.3, damage=0.27)
    found = find_candidates(left, right, Sampled(0.78, recall=0.95, sample=4000))
    check = found.stats.verified
    assert found.stats.plan["tables"] > 1
    assert found.stats.compared < found.stats.possible / 50
    assert check.expected > 1000
    assert check.high >= 0.95
    assert check.low > 0.9


def test_a_promise_over_all_pairs_takes_fewer_tables_and_is_kept():
    left, right = linked(40_000, 16, 9, fill=0.3, damage=0.15)
    careful, quick = (
        find_candidates(left, right, Sampled(0.75, recall=0.98, every_pair=every, sample=3000))
        for every in (True, False)
    )
    assert quick.stats.plan["tables"] < careful.stats.plan["tables"] / 2
    assert quick.stats.verified.high >= 0.98
    assert set(as_pairs(quick)) < set(as_pairs(careful))


def test_another_seed_samples_other_bits():
    left, right = linked(3000, 16, 9, fill=0.3, damage=0.27)
    found = [as_pairs(lsh.sampled(left, right, Sampled(0.78, recall=0.6, seed=seed))) for seed in (1, 1, 2)]
    assert found[0] == found[1] != found[2]


def test_a_crowd_of_equal_rows_is_met_in_full():
    left, right = linked(2500, 16, 10, fill=0.3)
    left[:600], right[1000:1700] = left[0], left[0]
    found = lsh.sampled(left, right, Sampled(0.9))
    crowd = (found.left < 600) & (found.right >= 1000) & (found.right < 1700)
    assert crowd.sum() == 600 * 700


@pytest.mark.parametrize("within", [False, True])
def test_a_crowd_is_kept_as_far_as_each_row_has_room(within):
    left, right = linked(2500, 16, 10, fill=0.3)
    left[:600], right[1000:1700] = left[0], left[0]
    left, right = (np.concatenate([left, right]), None) if within else (left, right)
    everything, some = (lsh.sampled(left, right, Sampled(0.9, keep=keep)) for keep in (None, 3))
    wanted = naive.nearest_of_either(as_pairs(everything), 3, within=within)
    assert as_pairs(some) == wanted
    assert in_order(some)
    assert len(some) < len(everything) / 10
    assert some.stats.verified.recall > 0.99
    assert some.stats.verified.expected < everything.stats.verified.expected / 10


def test_few_rows_are_compared_one_by_one():
    left, right = linked(60, 16, 11)
    found = find_candidates(left, right, Sampled(0.8))
    assert found.stats.stated_recall == 1
    assert "tables" not in found.stats.plan


@pytest.mark.parametrize("settings", [Nearest(), Nearest(recall=0.9), Above(), Sampled()])
@pytest.mark.parametrize(("n", "m"), [(0, 5), (5, 0), (0, 0), (1, 1), (0, None), (1, None)])
def test_empty_files_have_no_candidates(settings, n, m):
    left = np.zeros((n, 16), np.uint64)
    right = None if m is None else np.zeros((m, 16), np.uint64)
    found = find_candidates(left, right, settings)
    assert len(found) == (1 if isinstance(settings, Nearest) and n == m == 1 else 0)


@pytest.mark.parametrize("settings", [Nearest(), Above(0.6), Sampled(0.6, sample=0)])
@pytest.mark.parametrize("within", [False, True])
def test_progress_never_falls_and_ends_at_the_total(settings, within):
    left, right = linked(2600, 16, 12)
    told = []
    find_candidates(left, None if within else right, settings, lambda done, total: told.append((done, total)))
    dones = [done for done, _ in told]
    assert dones == sorted(dones)
    assert len({total for _, total in told}) == 1
    assert told[-1][0] == told[-1][1]


def test_filters_that_do_not_belong_together_are_refused():
    good = np.zeros((3, 16), np.uint64)
    for left, right in [
        (good, np.zeros((3, 8), np.uint64)),
        (good.astype(np.int64), good),
        (good, good[0]),
        (np.zeros((3, 0), np.uint64), None),
    ]:
        with pytest.raises(ShapeError):
            find_candidates(left, right, Nearest())


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Nearest(0), lambda: Nearest(furthest=1.1), lambda: Nearest(recall=0.2), lambda: Above(0),
        lambda: Above(1.2), lambda: Sampled(recall=1), lambda: Sampled(sample=-1),
    ],
)  # fmt: skip
def test_settings_nobody_can_mean_are_refused(wrong):
    with pytest.raises(UsageProblemError):
        wrong()


def test_views_and_read_only_filters_are_welcome():
    left, right = linked(300, 32, 13)
    left.flags.writeable = False
    found = find_candidates(left[:, ::2], right[::-1, ::2], Nearest(2))
    assert as_pairs(found) == naive.nearest(left[:, ::2], right[::-1, ::2], 2, both_sides=True, furthest=1024)


def test_a_result_shows_counts_only():
    left, right = linked(50, 4, 14)
    found = find_candidates(left, right, Nearest(1, both_sides=False))
    assert repr(found) == "Candidates(50)"
