"""The compiled loops of dealing a file's rows to parts. Arrays in, arrays out; checked outside."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linkage.intake.kernels import Bytes, Ints, kernel

_PRIME = np.uint64(0x9E3779B97F4A7C15)


@kernel
def deal(data: Bytes, starts: Ints, lengths: Ints, seed: int, order: Ints, bounds: Ints) -> None:
    """Rows in order of their parts, else as they stand, to order (r,); where each part's begin and end, to bounds.

    starts, lengths: (r,) ids, as in stream.Block; equal ids go to one part. bounds: (parts + 1,), zeros.
    """
    parts = len(bounds) - 1
    part = np.empty(len(starts), np.int64)
    for row in range(len(starts)):
        mixed = np.uint64(seed)
        for at in range(starts[row], starts[row] + lengths[row]):
            mixed = (mixed ^ np.uint64(data[at])) * _PRIME
            mixed ^= mixed >> np.uint64(29)
        part[row] = np.int64((mixed >> np.uint64(32)) * np.uint64(parts) >> np.uint64(32))
        bounds[part[row] + 1] += 1
    for nth in range(parts):
        bounds[nth + 1] += bounds[nth]
    filled = bounds[:-1].copy()
    for row in range(len(starts)):
        order[filled[part[row]]] = row
        filled[part[row]] += 1


@kernel
def gather(
    data: Bytes, starts: Ints, lengths: Ints, order: Ints, bounds: Ints, out_lengths: NDArray[np.int32], out: Bytes,
    ends: Ints,
) -> None:  # fmt: skip
    """Cells of every part end to end, column after column.

    starts, lengths: (k, r), as in stream.Block; order, bounds: as `deal` gives them. out_lengths: (k * r,), out: bytes,
    both part after part, written; ends: (parts + 1,), where in out each part begins and ends, written.
    """
    at, nth = 0, 0
    for part in range(len(bounds) - 1):
        for column in range(len(starts)):
            for place in range(bounds[part], bounds[part + 1]):
                row = order[place]
                begin, length = starts[column, row], lengths[column, row]
                for step in range(length):
                    out[at + step] = data[begin + step]
                out_lengths[nth] = length
                at, nth = at + length, nth + 1
        ends[part + 1] = at
