"""The Spark engine finds what the local engine finds; run for real, by executors in processes of their own."""

import dataclasses
import gc
import warnings

import numpy as np
import pytest

from linkage.errors import EngineError
from linkage.match import lsh, spark_session
from linkage.match.candidates import Above, Nearest, Sampled
from linkage.match.search import find_candidates, local
from tests.unit.test_search_find import linked

NEEDED = "the extra 'spark' is not installed"
TWO_MACHINES = "local-cluster[2,1,1024]"
"""Two executors of one core, each a Java process of its own with Python workers of its own."""
# PySpark leaves closing its sockets to the collector of garbage.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def engine():
    pytest.importorskip("pyspark", reason=NEEDED)
    pytest.importorskip("pyarrow", reason=NEEDED)
    from linkage.match.spark import on_spark

    with on_spark(TWO_MACHINES) as running:
        yield running
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks and waves so small that few rows fill many."""
    pytest.importorskip("pyspark", reason=NEEDED)
    from linkage.match import spark

    monkeypatch.setattr(spark, "BLOCK_BYTES", 256 * 128)
    monkeypatch.setattr(spark, "WAVE_BYTES", 1600 * 128)


def same(left, right, settings, engine):
    """Both engines' candidates, which must be equal in rows, order and distances."""
    here, there = find_candidates(left, right, settings), find_candidates(left, right, settings, engine=engine)
    for name in ("left", "right", "distances"):
        np.testing.assert_array_equal(getattr(here, name), getattr(there, name))
        assert getattr(here, name).dtype == getattr(there, name).dtype
    return here, there


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("both_sides", [False, True])
def test_the_nearest_are_the_same_on_two_executors(engine, both_sides):
    left, right = linked(1500, 16, 1)
    right = np.concatenate([right, right[:700]])  # ties by the hundred
    _, there = same(left, right, Nearest(4, both_sides, furthest=0.49), engine)
    assert there.stats.plan["waves"] > 1
    assert there.stats.compared == there.stats.possible * (2 if both_sides else 1)
    assert len(there) > 1000


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("keep", [None, 2])
def test_bit_sampling_finds_the_same_on_two_executors(engine, keep):
    left, right = linked(3000, 16, 2, fill=0.3, damage=0.15)
    left[:40], right[1000:1060] = left[0], left[0]  # a crowd in one slot of every table
    settings = Sampled(0.8, recall=0.9, sample=300, keep=keep)
    assert lsh.plan_if_cheaper(left, right, settings)
    here, there = same(left, right, settings, engine)
    assert there.stats.plan["waves"] > 1
    assert there.stats.verified == here.stats.verified
    assert there.stats.compared < there.stats.possible
    assert len(there) > 40 * 60 if keep is None else 100 <= len(there) < 40 * 60 + len(left)


def test_where_sampling_does_not_pay_both_engines_compare_all(engine):
    left, right = linked(300, 16, 3, fill=0.3)
    here, there = same(left, right, Sampled(0.6), engine)
    assert here.stats.stated_recall == there.stats.stated_recall == 1
    assert len(there) > 100


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("both_sides", [False, True])
def test_what_less_recall_loses_is_the_same_on_two_executors(engine, both_sides):
    left, right = linked(1200, 32, 4, damage=0.8)
    quick = Nearest(3, both_sides, recall=0.8, furthest=0.45)
    here, there = same(left, right, quick, engine)
    assert there.stats.stated_recall == here.stats.stated_recall == 0.8
    assert there.stats.verified == here.stats.verified
    assert len(there) < len(local(left, right, dataclasses.replace(quick, recall=1.0)))


@pytest.mark.parametrize("settings", [Nearest(2), Above(0.7)])
def test_empty_files_and_single_files_need_no_cluster(engine, settings):
    people = linked(80, 16, 5)[0]
    assert len(find_candidates(people[:0], people, settings, engine=engine)) == 0
    same(people, None, settings, engine)


@pytest.mark.usefixtures("small_blocks")
def test_progress_counts_waves_to_the_end(engine):
    left, right = linked(2100, 16, 6)
    told = []
    find_candidates(left, right, Nearest(1, both_sides=False), lambda *now: told.append(now), engine)
    assert told[0][0] == 1
    assert told[-1][0] == told[-1][1] == len(told) > 1


def test_the_cut_occupies_every_core_and_bounds_what_travels():
    pytest.importorskip("pyspark", reason=NEEDED)
    from linkage.match import spark

    for spread in (np.zeros((rows, 16), np.uint64) for rows in (3_000_000, 4000)):
        cut = spark.cut(spread, 40)
        assert -(-min(len(spread), cut.spread_wave) // cut.spread_block) >= 40
        assert max(cut.spread_block, cut.shared_block) * 128 <= spark.BLOCK_BYTES
        assert max(cut.spread_wave, cut.shared_wave) * 128 <= spark.WAVE_BYTES


def test_without_pyspark_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(spark_session, "find_spec", lambda _: None)
    with pytest.raises(EngineError) as caught, spark_session.session():
        pass
    assert "safeguarding-linkage[spark]" in caught.value.hint


def test_without_any_java_the_error_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(spark_session, "find_spec", lambda _: None)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError, match="Java"):
        spark_session.find_java(tmp_path)


def test_a_java_already_chosen_is_left_alone(monkeypatch, tmp_path):
    monkeypatch.setenv("JAVA_HOME", "/opt/java")
    assert spark_session.find_java(tmp_path) is None
    assert not list(tmp_path.iterdir())


class _Cluster:
    """As much of a session as the check of its settings reads."""

    def __init__(self, **settings):
        self.sparkContext = self
        self._settings = {name.replace("_", "."): value for name, value in settings.items()}

    def getConf(self):  # noqa: N802 - Spark's name
        return self._settings


def test_a_cluster_that_sends_in_the_clear_is_refused():
    crypto = {"spark_network_crypto_enabled": "true"}
    with pytest.raises(EngineError, match=r"spark\.authenticate not set"):
        spark_session._check_encrypted(_Cluster(spark_master="spark://far:7077", **crypto))
    spark_session._check_encrypted(_Cluster(spark_master="spark://far:7077", spark_authenticate="true", **crypto))
    spark_session._check_encrypted(_Cluster(spark_master="local[2]"))
