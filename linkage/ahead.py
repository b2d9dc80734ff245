"""Work for two hands: the next item is made while the one before it is used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


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
