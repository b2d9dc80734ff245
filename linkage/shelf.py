"""Things that a step makes now and wants later: held in memory, or put aside on the disk where a file is large.

Anything made of arrays comes in, what gives it back goes out. Rule: whoever puts a thing away forgets it, and holds no
more of what comes back than it works on.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from keys.aside import Aside, Place
from linkage.errors import YourFileError

T = TypeVar("T")
Held = Callable[[], T]
"""Gives back what was put away, as often as it is asked; from a disk it is another copy each time."""
HeldMany = Callable[[int], T]
"""The same of many things, by number."""

_LEAST = 1 << 16  # bytes of an array worth a piece of its own


class Shelf:
    """Holds things in memory."""

    def put(self, thing: T) -> Held[T]:
        """Put a thing away."""
        return lambda: thing

    def put_all(self, things: Sequence[T]) -> HeldMany[T]:
        """Put many small things away."""
        return things.__getitem__


class _Disk(Shelf):
    """Puts them aside, encrypted, in a file that is made when it is needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._aside: Aside | None = None

    def put(self, thing: T) -> Held[T]:
        buffers: list[pickle.PickleBuffer] = []
        head = pickle.dumps(thing, protocol=5, buffer_callback=lambda one: _kept_in(one, buffers))
        places = self._put_pieces([head, *(one.raw() for one in buffers)])
        return lambda: self._get(places)

    def put_all(self, things: Sequence[T]) -> HeldMany[T]:
        places = self._put_pieces(pickle.dumps(thing, protocol=5) for thing in things)
        return lambda nth: self._get(places[nth : nth + 1])

    def _put_pieces(self, pieces: Iterable[bytes | memoryview]) -> NDArray[np.int64]:
        """Their places (p, 3): parts are many, and as objects their places would weigh more than they do."""
        return np.array([self._put(piece) for piece in pieces], np.int64).reshape(-1, len(Place._fields))

    def _put(self, data: bytes | memoryview) -> Place:
        try:
            self._aside = self._aside or Aside(self._folder)
            return self._aside.put(data)
        except OSError as problem:
            what = f"nothing can be put aside in {self._folder}: {problem.strerror}"
            raise YourFileError(what, "make room on its disk, and check that the folder can be written") from None

    def _get(self, places: NDArray[np.int64]) -> Any:
        if self._aside is None:
            raise ValueError("the shelf is gone")
        head, *buffers = (self._aside.get(Place(*place)) for place in places.tolist())
        return pickle.loads(head, buffers=buffers)  # noqa: S301 - sealed by this process

    def close(self) -> None:
        """Let go of everything."""
        if self._aside:
            self._aside.close()
        self._aside = None


def _kept_in(buffer: pickle.PickleBuffer, apart: list[pickle.PickleBuffer]) -> bool:
    """Whether an array stays within what describes a thing; else it becomes a piece of its own."""
    if buffer.raw().nbytes < _LEAST:
        return True
    apart.append(buffer)
    return False


@contextmanager
def on_disk(folder: Path) -> Iterator[Shelf]:
    """A shelf in a folder, gone when the block is left. Whoever puts: YourFileError where nothing can be written."""
    shelf = _Disk(folder)
    try:
        yield shelf
    finally:
        shelf.close()
