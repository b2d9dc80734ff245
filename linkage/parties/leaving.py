"""What an agency sends to be screened, made while it leaves: filters are hardened, and tokens made, part by part.

What was made of records comes in, a package's body goes out. Rule: nothing here holds what stays, so that it can be let
go before anything leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from keys.derive import stream
from linkage.ahead import spread
from linkage.encode.diffusion import Harden
from linkage.encode.screening import PlainFilters
from linkage.encode.tight import Given
from linkage.match.candidates import cores
from linkage.model import Bytes16, NullTable, Screening
from linkage.package.container import Body
from linkage.package.contents import ScreeningContents
from linkage.package.stream import Made

Publish = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""Digests of tight tokens (n, t, 16) to the tokens sent for them."""

_PART = 1 << 13  # filters hardened, and rows of tokens made, at a time


@dataclass(frozen=True, repr=False)
class Leaving:
    """What goes to the matcher.

    plain: filters that are hardened as they leave; owner: (r,) place of each one's person in the order in which people
    leave. people: (n,) that order; pseudonyms: (n, 16) in the file's. given: which values give tokens, or None; seed:
    of what is random among them.
    """

    check: str
    plain: PlainFilters
    owner: NDArray[np.int32]
    people: NDArray[np.int32]
    pseudonyms: Bytes16
    given: Given | None
    seed: bytes
    harden: Harden
    publish: Publish
    null: NullTable

    @property
    def contents(self) -> ScreeningContents:
        """All of it at once."""
        made = {name: one.whole() for name, one in self._made().items()}
        screening = Screening(made["pseudonyms"], made["filters"], self.owner, made["tokens"])
        return ScreeningContents(self.check, screening, self.null)

    def to_body(self) -> Body:
        """The same for a package: what is of many bytes a row is made part by part, and never held whole."""
        made, none = self._made(), np.empty(0, np.uint8)  # none: where something made will stand
        body = ScreeningContents(self.check, Screening(none, none, self.owner, none), self.null).to_body()  # type: ignore[arg-type]
        return Body(body.meta, {name: array for name, array in body.arrays.items() if name not in made}, made)

    def _made(self) -> dict[str, Made]:
        plain, people, own, harden = self.plain, self.people, self.pseudonyms, self.harden

        def filters() -> Iterator[NDArray[np.uint64]]:
            # As a loop would not, this lets go of some before the next are made.
            return chain.from_iterable(map(partial(_hardened, harden), plain.parts()))

        def pseudonyms() -> Iterator[Bytes16]:
            return (own[people[start : start + _PART]] for start in range(0, len(people), _PART))

        return {
            "pseudonyms": Made(own.dtype, own.shape, pseudonyms),
            "filters": Made(np.dtype(np.uint64), (len(plain), plain.profile.sent_bits // 64), filters),
            "tokens": _tokens(self.given, people, self.seed, self.publish),
        }


def _hardened(harden: Harden, plain: NDArray[np.uint64]) -> Iterator[NDArray[np.uint64]]:
    return (harden(plain[start : start + _PART]) for start in range(0, len(plain), _PART))


def _tokens(given: Given | None, people: NDArray[np.int32], seed: bytes, publish: Publish) -> Made:
    """Rows of tokens of some people, in their order; empty ones where nothing gives tokens."""
    if given is None:
        none = np.empty((len(people), 0, 16), np.uint8)
        return Made(none.dtype, none.shape, lambda: iter((none,)))

    def part(start: int) -> NDArray[np.uint8]:
        some = people[start : start + _PART]
        # Every part has noise of its own, so that it is the same whenever it is made.
        noise = stream(seed, b"row tokens %d" % start, given.random_bytes(len(some)))
        return publish(given.deal(some, noise)[0])

    def made() -> Iterator[NDArray[np.uint8]]:
        return spread(part, range(0, len(people), _PART), cores())

    return Made(np.dtype(np.uint8), (len(people), given.per_row, 16), made)
