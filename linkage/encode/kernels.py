"""The two inner loops of encoding, compiled: bits of constant-weight filters, and OR and XOR of masks.

Arrays in, arrays out; checked outside, computed inside. Plain twins stand in tests/naive.py.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

POSITIONS = 14  # 9-bit positions in a 16-byte block; 126 of its 128 bits


@njit(cache=True, nogil=True)
def constant_weight(
    blocks: NDArray[np.uint8],
    starts: NDArray[np.int64],
    tokens: NDArray[np.int64],
    rounds: NDArray[np.int64],
    weight: int,
    out: NDArray[np.uint64],
) -> None:
    """Set exactly `weight` bits in each filter, dealt to its tokens in turn.

    blocks: (b, 16) uint8 pseudo-random blocks; filter i owns blocks[starts[i]:], `rounds[i]` of each of its
    `tokens[i]` tokens (token-major) and one last block as filler. out: (m, 8) uint64, zeroed.
    Position p of a block is its bits 9p to 9p + 8, little endian. Dealing in turn gives every token an equal
    share, so common bits over weight is shared tokens over tokens of the longer value.
    """
    for i in range(len(starts)):
        placed = 0
        n, per = tokens[i], rounds[i]
        for turn in range(per * POSITIONS):
            for t in range(n):
                block = starts[i] + t * per + turn // POSITIONS
                position = _position(blocks, block, turn % POSITIONS)
                word, bit = position >> 6, np.uint64(1) << np.uint64(position & 63)
                if placed < weight and not out[i, word] & bit:
                    out[i, word] |= bit
                    placed += 1
        filler, step = starts[i] + n * per, 0
        # A value of very few, colliding tokens is filled up from its own filler, walking on to the weight.
        position = _position(blocks, filler, 0)
        stride = _position(blocks, filler, 1) | 1  # odd, so the walk visits all 512 positions
        while placed < weight and step < 512:
            word, bit = position >> 6, np.uint64(1) << np.uint64(position & 63)
            if not out[i, word] & bit:
                out[i, word] |= bit
                placed += 1
            position = (position + stride) & 511
            step += 1


@njit(cache=True, nogil=True, inline="always")
def _position(blocks: NDArray[np.uint8], block: int, place: int) -> int:
    bit = 9 * place
    byte = bit >> 3
    return ((int(blocks[block, byte]) | int(blocks[block, byte + 1]) << 8) >> (bit & 7)) & 511


@njit(cache=True, nogil=True, parallel=True)
def or_masks(
    masks: NDArray[np.uint64], codes: NDArray[np.int32], offsets: NDArray[np.int64], out: NDArray[np.uint64]
) -> None:
    """OR into out[r] the masks of row r: masks[codes[offsets[r]:offsets[r + 1]]]. masks: (v, w); out: (n, w)."""
    for r in prange(len(offsets) - 1):
        for c in range(offsets[r], offsets[r + 1]):
            for w in range(masks.shape[1]):
                out[r, w] |= masks[codes[c], w]


@njit(cache=True, nogil=True, parallel=True)
def linear_map(filters: NDArray[np.uint8], tables: NDArray[np.uint64], out: NDArray[np.uint64]) -> None:
    """out[r] = XOR over bytes b of tables[b, filters[r, b]]: a GF(2)-linear map, a byte at a time.

    filters: (n, bytes) uint8; tables: (bytes, 256, w) uint64; out: (n, w) uint64, zeroed.
    Source: the table method of Arlazarov, Dinic, Kronrod & Faradzev 1970.
    """
    for r in prange(filters.shape[0]):
        for b in range(filters.shape[1]):
            byte = filters[r, b]
            if byte:
                for w in range(out.shape[1]):
                    out[r, w] ^= tables[b, byte, w]
