"""Cells, bins and sections, and how numbers are written in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from linkage.release.sentences import percent

UNKNOWN = "not known"

Count = Callable[[int], str]
Data = Mapping[str, Any]


@dataclass(frozen=True)
class Cell:
    """One cell. share: length of a bar beside it in [0, 1], or None."""

    text: str
    number: bool = False
    share: float | None = None


@dataclass(frozen=True)
class Bin:
    """One bin of the calibration chart: mean probability, share truly linked, pairs; shares in [0, 1]."""

    predicted: float
    observed: float
    count: int


@dataclass(frozen=True)
class Section:
    """A titled table with a sentence that says how to read it, and sometimes calibration bins to draw."""

    key: str
    title: str
    reading: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    bins: tuple[Bin, ...] = ()


def number(text: str) -> Cell:
    """A number, set to the right."""
    return Cell(text, number=True)


def share(value: float | None) -> str:
    """A share as per cent."""
    return UNKNOWN if value is None else percent(value, least=1)


def decimal(value: float | None) -> str:
    """Three decimals."""
    return UNKNOWN if value is None else f"{value:.3f}"


def counted(value: int | None, count: Count) -> str:
    """A number of people or pairs, as `count` writes it."""
    return UNKNOWN if value is None else count(value)


def duration(seconds: float) -> str:
    """Seconds."""
    return f"{seconds:,.2f}" if seconds < 10 else f"{seconds:,.1f}"
