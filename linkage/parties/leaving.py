"""What an agency sends to be screened, made while it leaves: filters are hardened, and tokens made, part by part.

What was made of records comes in, a package's body goes out. Rule: nothing here holds what stays, so that it can be let
go before anything leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keys.derive import stream
from linkage.ahead import spread
from linkage.encode.diffusion import Harden
from linkage.encode.tight import Given
from linkage.match.candidates import cores
from linkage.model import NullTable, Screening
from linkage.package.container import Body
from linkage.package.contents import ScreeningContents
from linkage.package.stream import Made
from linkage.parties.inside import Filtered
from linkage.parties.parted import Who
from linkage.shelf import Held

Publish = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""Digests of tight tokens (n, t, 16) to the tokens sent for them."""

Pieces = Iterator[NDArray[Any]]
"""Rows of one array, some at a time."""

_PART = 1 << 13  # filters hardened, and rows of tokens made, at a time


@dataclass(frozen=True, repr=False)
class Going:
    """One part of a file: its people, plain filters, which are hardened as they leave, and values that give tokens."""

    who: Held[Who]
    filtered: Filtered
    given: Held[Given] | None


@dataclass(frozen=True, repr=False)
class Leaving:
    """What goes to the matcher. seed: of what is random among tokens; per_row: how many a row has."""

    check: str
    parts: tuple[Going, ...]
    bits: int
    per_row: int
    seed: bytes
    harden: Harden
    publish: Publish
    null: NullTable

    def __len__(self) -> int:
        """How many filters leave."""
        return sum(part.filtered.count for part in self.parts)

    @property
    def contents(self) -> ScreeningContents:
        """All of it at once."""
        made = {name: one.whole() for name, one in self._made().items()}
        return ScreeningContents(self.check, Screening(**made), self.null)

    def to_body(self) -> Body:
        """The same for a package: what is of many bytes a row is made part by part, and never held whole."""
        made, none = self._made(), np.empty(0, np.uint8)  # none: where something made will stand
        body = ScreeningContents(self.check, Screening(none, none, none, none), self.null).to_body()  # type: ignore[arg-type]
        return Body(body.meta, {name: array for name, array in body.arrays.items() if name not in made}, made)

    def _made(self) -> dict[str, Made]:
        people = sum(part.filtered.people for part in self.parts)
        return {
            "pseudonyms": self._array(np.uint8, (people, 16), self._pseudonyms),
            "filters": self._array(np.uint64, (len(self), self.bits // 64), self._filters),
            "owner": self._array(np.int32, (len(self),), self._owner),
            "tokens": self._array(np.uint8, (people, self.per_row, 16), self._tokens),
        }

    def _array(self, kind: type[np.generic], shape: tuple[int, ...], make: Callable[[Going], Pieces]) -> Made:
        # As a loop would not, this lets go of one part before the next is made.
        return Made(np.dtype(kind), shape, lambda: chain.from_iterable(map(make, self.parts)))

    def _filters(self, part: Going) -> Pieces:
        plain, harden = part.filtered.filters(), self.harden
        return (harden(plain[start : start + _PART]) for start in range(0, len(plain), _PART))

    def _owner(self, part: Going) -> Pieces:
        """The place of each filter's person in the order in which people leave."""
        order = part.who().order
        place = np.empty(len(order), np.int32)
        place[order] = np.arange(len(order), dtype=np.int32) + np.int32(part.filtered.first)
        yield place[part.filtered.owner()]

    def _pseudonyms(self, part: Going) -> Pieces:
        who = part.who()
        return (who.pseudonyms[who.order[n : n + _PART]] for n in range(0, len(who.order), _PART))

    def _tokens(self, part: Going) -> Pieces:
        """Rows of tokens; empty ones where nothing gives tokens."""
        if part.given is None:
            return iter((np.empty((part.filtered.people, 0, 16), np.uint8),))
        given, order = part.given(), part.who().order

        def made(start: int) -> NDArray[np.uint8]:
            some = order[start : start + _PART]
            # Every piece has noise of its own, so that it is the same whenever it is made.
            label = b"row tokens %d" % (part.filtered.first + start)
            return self.publish(given.deal(some, stream(self.seed, label, given.random_bytes(len(some))))[0])

        return spread(made, range(0, len(order), _PART), cores())
