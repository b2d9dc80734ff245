"""The matcher asks first what screening will take, and is stopped before work that cannot fit."""

import json

from tests.flow.forks import linkage
from tests.flow.parties import RUN, listing, python

LITTLE_MEMORY = """
import types, psutil, linkage.__main__
psutil.virtual_memory = lambda: types.SimpleNamespace(available=1000)
linkage.__main__.main()
"""


def test_a_plan_tells_what_then_comes_and_leaves_nothing(at):
    matcher = at("encoded")["matcher"]
    before = listing(matcher)
    told = json.loads(linkage(matcher, "screen", "--run", RUN, "--plan", "--json").out)
    assert "candidate pairs to expect" in linkage(matcher, "screen", "--run", RUN, "--plan").err
    assert listing(matcher) == before
    done = json.loads(linkage(matcher, "screen", "--run", RUN, "--json").out)
    assert told["searches"].keys() == done["candidates"].keys()
    for files, pairs in done["candidates"].items():
        assert pairs / 2 <= told["searches"][files]["candidates"] <= 2 * pairs
    assert told["fits"]
    assert told["seconds"] >= 0


def test_screening_that_cannot_fit_is_refused_before_it_begins(at):
    matcher = at("encoded")["matcher"]
    before = listing(matcher)
    arguments = ("screen", "--run", RUN, "--passphrase-file", "passphrase.txt")
    for also in ((), ("--plan",)):
        done = python(matcher, "-c", LITTLE_MEMORY, *arguments, *also, expect=43)
        assert done.err.startswith("linkage: error: screening needs about ")
        assert "candidate pairs to expect: " in done.err
        assert "linkage: hint: " in done.err
    assert listing(matcher) == before


def test_a_master_without_its_engine_is_a_slip(at):
    done = linkage(at("encoded")["matcher"], "screen", "--run", RUN, "--spark-master", "local[2]", expect=2)
    assert "--spark-master goes with --engine spark" in done.err
