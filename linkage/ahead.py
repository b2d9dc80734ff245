"""Work for several hands: the next item is made while the one before it is used."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")


def spread(make: Callable[[S], T], items: Iterable[S], hands: int) -> Iterator[T]:
    """What `make` makes of every item, in their order, by as many hands: no more is ready than they can hold.

    What making an item raises is raised in its turn.
    """
    coming: deque[Future[T]] = deque()
    with ThreadPoolExecutor(hands) as others:
        for item in items:
            coming.append(others.submit(make, item))
            if len(coming) >= hands:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()


def ahead(items: Iterable[T]) -> Iterator[T]:
    """The same items in the same order, each made by another thread, one ahead of the one that is used.

    What making an item raises is raised in its turn.
    """
    source, end = iter(items), object()
    with ThreadPoolExecutor(1) as other:
        coming = other.submit(next, source, end)
        while (made := [coming.result()])[0] is not end:
            coming = other.submit(next, source, end)
            yield made.pop()  # type: ignore[misc]  # it is not the end; nor is it held here while it is used
