"""`encode --audit` at a live party whose file gives away too much: refused by its exit code, and nothing written.

In one-round, whose attacks take seconds: no coin drops a value (kept = 1), and in the file each man lives with one
other and was born on the day of another. Somebody who holds two such files names a sixth of their rows; the bars are 1
and 2 %.
"""

import random
from dataclasses import replace

import pytest

from keys import passphrase, vault
from keys.identity import Identity
from keys.secret import LinkageSecret
from linkage.agreement import dump, sign_terms, signature_path
from linkage.exchange.desk import AGREEMENT, IDENTITY, SECRET
from linkage.exchange.journal import Journal
from linkage.terms import Tokens
from tests import support
from tests.flow.forks import linkage
from tests.flow.parties import PASSPHRASE, RUN, desk, encode_arguments, listing, surroundings
from tests.flow.people import World, strangers, write_party
from tests.flow.test_refusals import refused


@pytest.fixture
def police(tmp_path):
    """A live party's folder with all that `encode` needs; the others exist as identities and signatures."""
    others = {name: Identity.new(name, test=False) for name in support.ROLES}
    parties = tuple(support.party(name, identity=one.public.to_text()) for name, one in others.items())
    agreed = support.one_round(test=False, parties=parties, tokens=Tokens(kept=1.0))
    home = desk(tmp_path / "world", "police")
    surroundings(home)  # made by the first command, else
    (home / AGREEMENT).write_bytes(dump(agreed.terms))
    for name, one in others.items():
        signature_path(home / AGREEMENT, name).write_text(sign_terms(agreed, one))
    word = passphrase.from_text(PASSPHRASE.format("police"))
    vault.keep(home / IDENTITY, others["police"], word)
    vault.keep(home / SECRET, LinkageSecret(False, agreed.digest, b"s" * 32), word)
    write_party(home, "police", World({"police": list(enumerate(crowded(60)))}, frozenset(), frozenset()))
    return home


def crowded(count):
    """Men of whom each lives with one before him, and was born on the day of another."""
    rng, men = random.Random(3), strangers(count, seed=7)  # noqa: S311 - invented people, the same each time
    for nth in range(1, count):
        home, born = men[rng.randrange(nth)], men[rng.randrange(nth)].born
        men[nth] = replace(men[nth], street=home.street, postcode=home.postcode, born=born)
    return men


def test_encode_audit_refuses_a_file_above_the_bars_and_writes_nothing(police):
    """Only the journal says so, and of a dry run not even that."""
    words = [*encode_arguments(police), "--audit"]
    says = "the audited encoding gives away"
    refused(police, *words, "--dry-run", code=7, says=says)
    before = listing(police.parent)
    done = linkage(police, *words, expect=7)
    assert says in done.err
    assert "the bar is 1.0%" in done.err
    assert done.out == ""
    after = listing(police.parent)
    changed = {name for name in before | after if before.get(name, 0) != after.get(name, 0)}
    assert changed == {"police/journal.jsonl", "police/journal.head"}
    entry = Journal(police / "journal.jsonl").entries()[-1]
    assert (entry.what, entry.step, entry.run) == ("consult", "audit refused", RUN)
