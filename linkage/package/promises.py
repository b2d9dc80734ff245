"""What every `from_body` uses to prove that contents keep the promises of their kind.

Rule: a broken promise raises UnexpectedPackageError; no value of the contents is quoted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import DTypeLike, NDArray

from linkage.errors import UnexpectedPackageError
from linkage.package.container import Body
from linkage.schema import MISSING, Schema
from linkage.toml import Table

_T = TypeVar("_T")
_Arrays = Mapping[str, NDArray[Any]]
_Shape = tuple[int | None, ...]
Count = Annotated[int, Meta(ge=0, le=2**53)]
"""A number of things, exact in any program."""

_SORTED = 1 << 24  # tokens sorted at a time
_THEIR_FAULT = "both parties install the same release; then the sender makes the package again"


class Strict(Table, frozen=True, kw_only=True):
    """Entries of a package's text; for a kind that has none, exactly none."""


def check_levels(levels: NDArray[np.int8], schema: Schema) -> None:
    """Every level exists for its field."""
    for place in range(len(schema)):
        hold(between(levels[:, place], MISSING, len(schema.levels(place)) - 1), "levels exist for their field")


def text_of(body: Body, type_: type[_T]) -> _T:
    """The package's text as the entries of its kind, none missing, none unknown."""
    try:
        return msgspec.json.decode(body.meta, type=type_)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise UnexpectedPackageError("the package's text is not what its kind promises", _THEIR_FAULT) from None


def arrays_of(arrays: _Arrays, promised: Mapping[str, tuple[DTypeLike, _Shape]]) -> dict[str, NDArray[Any]]:
    """The arrays, once they are those promised: names, types, shapes (None: any length)."""
    hold(arrays.keys() == promised.keys(), "it holds the arrays of its kind and no other")
    for name, (dtype, shape) in promised.items():
        array = arrays[name]
        hold(array.dtype == dtype, f"'{name}' has its type")
        fits = len(array.shape) == len(shape) and all(
            want is None or have == want for have, want in zip(array.shape, shape, strict=True)
        )
        hold(fits, f"'{name}' has its shape")
    return dict(arrays)


def hold(holds: bool, promise: str) -> None:
    """Raise UnexpectedPackageError unless a promise holds."""
    if not holds:
        raise UnexpectedPackageError(f"the package breaks a promise of its format: {promise}", _THEIR_FAULT)


def between(array: NDArray[Any], least: float, most: float) -> bool:
    """No number outside a range; not-a-number is outside every range."""
    return array.size == 0 or bool(array.min() >= least and array.max() <= most)


def most_shared(tokens: NDArray[np.uint8]) -> int:
    """How many times the commonest of some tokens appears, (n, t, 16)."""
    flat = np.ascontiguousarray(tokens).reshape(-1, 16)
    # Half a token, which is sorted as a number, tells some 10 ** 9 of them apart; of many, those of one byte at a time.
    halves, first = flat.view("<u8")[:, 0], flat[:, 0]
    parts = (halves[first == byte] for byte in range(256)) if len(flat) > _SORTED else iter((halves,))
    return max(map(_commonest, parts))


def _commonest(numbers: NDArray[np.uint64]) -> int:
    whole = np.sort(numbers)
    starts = np.flatnonzero(np.concatenate([[True], whole[1:] != whole[:-1]]))
    return int(np.diff(np.append(starts, len(whole))).max(initial=0)) if len(whole) else 0
