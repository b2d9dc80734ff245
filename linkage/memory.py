"""Memory that is free goes back to the system, where the allocator would hold on to it.

Rule: it changes nothing but what a process weighs; a system without such a call does without it.
"""

from __future__ import annotations

LARGE = 1 << 21
"""Bytes of an array that is given back as soon as it is freed."""

_M_MMAP_THRESHOLD = -3  # of malloc.h


def give_back_large() -> None:
    """From now on, give back what is large as soon as it is freed.

    glibc comes to keep arrays of up to 32 MB in its heap, in holes between what is still held: of a million rows that
    was a hundred megabytes. Windows and macOS do not.
    """
    _call("mallopt", _M_MMAP_THRESHOLD, LARGE)


def give_back_free() -> None:
    """Give back, once, whatever is free: what is small, in its holes, is tens of megabytes after a million rows."""
    _call("malloc_trim", 0)


def _call(name: str, *numbers: int) -> None:
    """Ask the system's allocator, if it has such a call."""
    import ctypes  # costs more than the rest of the module

    if call := getattr(ctypes.pythonapi, name, None):
        call(*numbers)
