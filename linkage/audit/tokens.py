"""Attacks on what one round sends: tight tokens, and the evidence under each.

The attacker is given people in plain text and knows everything but the key. Which rows share a token is which people
share a value, and `fingerprints` lays one graph upon the other: of one file, where he is told of which combination each
token is (more than a row says), and of two files joined, as the matcher sees them, where `votes` does. A side of
evidence he is given opened, as if every row had met somebody.
Source: Narayanan & Shmatikov 2009, "De-anonymizing social networks"; docs/decisions/0008-one-round.md.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from keys.derive import RunKey, tight_tokens, token_keys
from linkage.audit.finding import Guess
from linkage.audit.fingerprints import Codes, fingerprint_attack
from linkage.audit.guessing import Leak
from linkage.audit.scheme import any_key, take
from linkage.audit.votes import Shares, vote_attack
from linkage.audit.world import NOBODY, Places, World, make_world
from linkage.combinations import Combination
from linkage.encode.evidence import make_evidence
from linkage.encode.tight import Tight, make_tight
from linkage.encode.tokens import tokenise
from linkage.layout import Layout
from linkage.model import Evidence, Records
from linkage.schema import Schema
from linkage.terms import Tokens

NO_BUDGET = 10**9


@dataclass(frozen=True)
class Recipe:
    """How one round's tokens are made of a file: all about them but the key."""

    combinations: tuple[Combination, ...]
    terms: Tokens

    def tokens(self, people: Records, key: RunKey | None = None) -> Tight:
        """Tokens of a file, under a key nobody keeps when there is none."""
        return make_tight(people, self.combinations, self.terms, key or any_key())

    def uncoined(self) -> Recipe:
        """The same where no coin drops values: what the attacker knows of a list."""
        return replace(self, terms=msgspec.structs.replace(self.terms, kept=1.0))

    def unbudgeted(self) -> Recipe:
        """The same without coin and budget: tokens of every value, however many share it."""
        return replace(self, terms=msgspec.structs.replace(self.terms, most_sharing=NO_BUDGET, kept=1.0))

    def loose(self) -> Recipe:
        """The control: no budget, and each part of a combination by itself, as blocking keys are."""
        parts = dict.fromkeys(part for each in self.combinations for part in each.parts)
        alone = tuple(
            Combination("+".join(field.name for field in part.fields) + "." + part.form, (part,)) for part in parts
        )
        terms = msgspec.structs.replace(self.terms, per_row=len(alone) * 4)
        return replace(self, combinations=alone, terms=terms).unbudgeted()


@dataclass(frozen=True, repr=False)
class Graph:
    """Who shares what. seen: (n, c) tokens of the rows; plain: one or more (m, c), what the attacker makes of his list.

    kinds: (c,), columns of one kind hold tokens that may equal one another. truth: (n,) place of each row's person in
    the list, or NOBODY. person: (n,) rows of one person have one number. known: rows known beforehand.
    files: which file each row (n,) and each entry of the list (m,) stands in. kept: share of values the coin keeps.
    """

    seen: Codes
    plain: tuple[Codes, ...]
    kinds: NDArray[np.int64]
    truth: Places
    person: Places
    known: Places
    files: tuple[Places, Places]
    kept: float

    def knowing(self, people: int, rng: np.random.Generator) -> Graph:
        """The same where the attacker knows so many people, drawn at random, with all their rows."""
        listed = np.unique(self.person[self.truth != NOBODY])
        return replace(self, known=np.flatnonzero(np.isin(self.person, rng.permutation(listed)[:people])))

    def dealt_out(self, rng: np.random.Generator) -> Graph:
        """The same tokens, shared by as many, at rows drawn at random."""
        return replace(self, seen=np.stack([rng.permutation(column) for column in self.seen.T], axis=1))


def one_file(
    people: Records, recipe: Recipe, rng: np.random.Generator, *, overlap: float = 1.0, key: RunKey | None = None
) -> Graph:
    """One file's tokens; overlap as in `make_world`. key: that of a run, for the very tokens that it sends.

    Where lists differ the budget falls differently, so the attacker also tries his list's values without one.
    """
    world = make_world(np.arange(len(people), dtype=np.uint64)[:, None], people, rng, overlap=overlap)
    sent = recipe.tokens(take(people, world.filters[:, 0].astype(np.int64)), key)
    ways = [recipe.uncoined()] if overlap == 1 else [recipe.uncoined(), recipe.unbudgeted()]
    (seen, *plain), kinds = _columns([sent, *(each.tokens(world.people) for each in ways)], told=True)
    files = np.zeros(len(seen), np.int64), np.zeros(len(world.people), np.int64)
    person = np.arange(len(seen))
    return Graph(seen, tuple(plain), kinds, world.truth, person, world.known, files, recipe.terms.kept)


def two_halves(people: Records, recipe: Recipe, rng: np.random.Generator) -> Graph:
    """Two files joined, made of one: half of each file's people stand in the other."""
    third = len(people) // 3
    rows = rng.permutation(len(people))
    first, second = rows[: 2 * third], rows[third:]
    return two_files([take(people, first), take(people, second)], np.concatenate([first, second]), recipe, rng)


def two_files(
    parts: Sequence[Records], person: Places, recipe: Recipe, rng: np.random.Generator, key: RunKey | None = None
) -> Graph:
    """Files joined by their tokens, as the matcher sees them, and all their people in plain text, slips and all.

    He is not told which combination a token is of: real tokens stand at random places of a row. Which file a row came
    in is known. person: (m,) of every row of all files, one after the other. key: that of a run.
    """
    run, own = key or any_key(), any_key()
    order = [rng.permutation(len(part)) for part in parts]
    sent = _stacked([recipe.tokens(take(part, at), run) for part, at in zip(parts, order, strict=True)])
    listed = _stacked([recipe.uncoined().tokens(part, own) for part in parts])
    (seen, plain), kinds = _columns([sent, listed], told=False)
    file = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    starts = np.cumsum([0, *(len(part) for part in parts[:-1])])
    truth = np.concatenate([start + at for start, at in zip(starts, order, strict=True)])
    known = np.empty(0, np.int64)
    return Graph(seen, (plain,), kinds, truth, person[truth], known, (file, file), recipe.terms.kept)


def shared_values(graph: Graph) -> Guess:
    """Rows named by which of them share tokens, the best of both attacks and of the attacker's lists."""
    rng, seen = np.random.default_rng(0), Shares.of(graph.seen, graph.kinds, graph.files[0])
    found = []
    for plain in graph.plain:
        found.append(fingerprint_attack(graph.seen, plain, graph.truth, graph.known, graph.kinds))
        listed = Shares.of(plain, graph.kinds, graph.files[1])
        # Where many share a value, a list as it is may do better than one of many coins.
        coins = {graph.kept, 1.0}
        found += [vote_attack(seen, listed, graph.truth, graph.known, kept, rng) for kept in sorted(coins)]
    return max(found, key=lambda each: each.found)


def equal_tokens(people: Records, recipe: Recipe, key: RunKey | None = None, guessed: RunKey | None = None) -> Guess:
    """A row named by a token it shares with a list encoded under another key: a guessed one, or another run's."""
    sent, own = recipe.tokens(people, key), recipe.tokens(people, guessed)
    left, right = (_names(each.digests) for each in (sent, own))
    values, first = np.unique(right, return_index=True)
    place = np.minimum(np.searchsorted(values, left), len(values) - 1)
    meets = (values[place] == left).reshape(sent.of.shape)
    row = (first[place] // own.of.shape[1]).reshape(sent.of.shape)
    named = np.where(meets.any(axis=1), row[np.arange(len(row)), meets.argmax(axis=1)], NOBODY)
    return Guess(len(row), int((named == np.arange(len(row))).sum()), 1 / max(len(row), 1))


def with_the_key(people: Records, recipe: Recipe) -> Leak:
    """Everybody who has a token is found, as soon as the list is encoded."""
    start, key = time.perf_counter(), any_key()
    guess = equal_tokens(people, recipe, key, key)
    return Leak(guess.found / max(guess.records, 1), 2 * len(people) / (time.perf_counter() - start))


def opened(people: Records, schema: Schema, recipe: Recipe, key: RunKey, most: int, rng: np.random.Generator
           ) -> tuple[Records, Evidence]:  # fmt: skip
    """Some people and a side of evidence of each, under one of his own tokens; nobody without a token is among them."""
    tight = recipe.tokens(people, key)
    rows = rng.permutation(np.flatnonzero(tight.real.any(axis=1)))[:most]
    some = take(people, rows)
    # Real tokens stand at random places, so the first is any of them.
    digests = tight.digests[rows, tight.real[rows].argmax(axis=1)]
    public = np.frombuffer(tight_tokens(key, digests.tobytes()), np.uint8).reshape(digests.shape)
    tokens, places = tokenise(some, schema, key), np.arange(len(some))
    return some, make_evidence(tokens, places, public, token_keys(key, digests.tobytes()), Layout(schema))


def rows_of(people: Records, rng: np.random.Generator, known: int) -> World:
    """The people in another order; `filters` holds each row's place in `people`."""
    return make_world(np.arange(len(people), dtype=np.uint64)[:, None], people, rng, known=known)


def _names(digests: NDArray[np.uint8]) -> NDArray[np.void]:
    return np.ascontiguousarray(digests).view("V16").ravel()


def _stacked(files: Sequence[Tight]) -> Tight:
    """Several files as one list of rows."""
    digests, of, neighbours = (
        np.concatenate([getattr(each, name) for each in files]) for name in ("digests", "of", "neighbours")
    )
    return Tight(digests, of, neighbours, ())


def _columns(files: Sequence[Tight], *, told: bool) -> tuple[list[Codes], NDArray[np.int64]]:
    """Each file's (n, c) shared tokens as numbers, all of the same width, and the kind (c,) of each column.

    A token that no other row has tells as little as a random one: its place, like any left over, holds a number of its
    own. Several tokens of one kind stand by how many share them. told: a kind is a combination; else all are one.
    """
    found, deepest, kinds = [], 1, 1
    for each in files:
        _, numbers, sharing = np.unique(_names(each.digests), return_inverse=True, return_counts=True)
        numbers = numbers.reshape(each.of.shape)
        rows, slots = np.nonzero(each.real & (sharing[numbers] > 1))
        code, kind = numbers[rows, slots], each.of[rows, slots] if told else np.zeros(len(rows), np.int64)
        order = np.lexsort((-sharing[code], kind, rows))
        rows, code, kind = rows[order], code[order], kind[order]
        kinds = max(kinds, int(each.of.max(initial=0)) + 1) if told else 1
        pile = rows * (int(each.of.max(initial=0)) + 1) + kind
        nth = np.arange(len(pile)) - np.searchsorted(pile, pile)
        deepest = max(deepest, int(nth.max(initial=0)) + 1)
        found.append((rows, code, kind, nth))
    made = []
    for each, (rows, code, kind, nth) in zip(files, found, strict=True):
        count = len(each.of)
        codes = each.of.size + np.arange(count * kinds * deepest, dtype=np.int64).reshape(count, -1)
        codes[rows, kind * deepest + nth] = code
        made.append(codes)
    return made, np.arange(kinds * deepest) // deepest
