"""Encodings cannot be made by mistake: not without a run's key, not without pair ids, not compared in telling time."""

import ast
from pathlib import Path

import numpy as np
import pytest

import keys
from keys.derive import Purpose, pair_keys
from keys.storage import StorageKey
from linkage.encode.evidence import make_evidence
from linkage.encode.screening import make_filters
from linkage.encode.tokens import tokenise
from linkage.layout import Layout
from tests import support

PEOPLE = support.county(4)
NO_KEYS = [None, b"k" * 32, "k" * 32, support.key().subkey(Purpose.SCREENING), StorageKey(True, b"k" * 32)]
names = ["nothing", "bytes", "text", "a subkey", "another key"]


@pytest.mark.parametrize("wrong", NO_KEYS, ids=names)
def test_a_filter_cannot_be_made_without_a_run_key(wrong):
    with pytest.raises(TypeError, match="RunKey"):
        make_filters(PEOPLE, support.SCHEMA, support.DIFFUSED, wrong)


@pytest.mark.parametrize("wrong", NO_KEYS, ids=names)
def test_tokens_and_pair_keys_cannot_be_made_without_a_run_key(wrong):
    with pytest.raises(TypeError, match="RunKey"):
        tokenise(PEOPLE, support.SCHEMA, wrong)
    with pytest.raises(TypeError, match="RunKey"):
        pair_keys(wrong, bytes(16))


def evidence(ids, keyed):
    tokens = tokenise(PEOPLE, support.SCHEMA, support.key())
    return make_evidence(tokens, np.arange(4), ids, pair_keys(support.key(), keyed.tobytes()), Layout(support.SCHEMA))


def ids(count):
    return np.arange(16 * count, dtype=np.uint8).reshape(count, 16)


@pytest.mark.parametrize("count", [0, 1, 3, 5])
def test_evidence_cannot_be_made_without_a_pair_id_and_a_key_for_each_row(count):
    """Neither without ids, nor with one for all, nor with one key for all."""
    assert len(evidence(ids(4), ids(4))) == 4
    with pytest.raises(ValueError, match="one pair id for each row"):
        evidence(ids(count), ids(4))
    with pytest.raises(ValueError, match="one key for each pair"):
        evidence(ids(4), ids(count))


SECRET = {
    "value", "secret", "seed", "signing_seed", "mlkem_seed", "x25519_seed", "passphrase", "subkey", "payload", "share",
    "commitment", "tag", "mac",
}  # fmt: skip


def named(node):
    """Names in an expression, but for those of which only the length is looked at."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len":
        return set()
    own = {getattr(node, "id", None), getattr(node, "attr", None)} - {None}
    return own.union(*(named(child) for child in ast.iter_child_nodes(node)))


def telling(source):
    """Lines that compare something secret by == or !=, which stops at the first byte that differs."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare) and any(isinstance(how, ast.Eq | ast.NotEq) for how in node.ops):
            sides = [node.left, *node.comparators]
            if any(named(side) & SECRET for side in sides):
                yield node.lineno


@pytest.mark.parametrize("path", sorted(Path(keys.__file__).parent.glob("*.py")), ids=lambda path: path.stem)
def test_secrets_are_compared_in_constant_time(path):
    """In the room of keys only by `guard.same`, which is the library's."""
    assert list(telling(path.read_text("utf-8"))) == []


def test_the_search_sees_a_telling_comparison():
    assert list(telling("if self.value == other.value:\n    pass\nok = len(self.value) != 32")) == [1]
