"""Diffusion: each bit sent is the XOR of several secret bits of a plain filter.

Plain filters come in, what is sent for them goes out; a file of any length may be hardened part by part.
Source: Armknecht, Heng & Schnell 2023, "Strengthening privacy-preserving record linkage using diffusion".
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from keys.derive import Purpose, RunKey, stream
from linkage.agreement import Profile

Harden = Callable[[NDArray[np.uint64]], NDArray[np.uint64]]
"""Plain filters (n, bits / 64) to what is sent for them (n, sent_bits / 64)."""


def hardener(profile: Profile, key: RunKey) -> Harden:
    """What makes of plain filters what is sent: themselves under a plain profile, else diffused ones."""
    if not profile.xor:
        return lambda plain: plain
    places = diffusion_places(profile, key.subkey(Purpose.DIFFUSION))
    return lambda plain: diffused(plain, places)


def diffused(plain: NDArray[np.uint64], places: NDArray[np.int64]) -> NDArray[np.uint64]:
    """The XOR of the plain bits at each row of places (sent_bits, xor): (n, bits / 64) to (n, sent_bits / 64)."""
    from linkage.encode.kernels import xor_bits  # loads numba

    out = np.empty((len(plain), len(places) // 64), np.uint64)
    xor_bits(plain, places, out)
    return out


def diffusion_places(profile: Profile, subkey: bytes) -> NDArray[np.int64]:
    """Secret plain bits behind each sent bit, (sent_bits, xor), distinct within a row; drawn from ChaCha20.

    Each plain bit is used equally often (up to one), so that none weighs more: rows are cut from shuffles of all.
    """
    need = profile.sent_bits * profile.xor
    rounds = -(-need // profile.bits) + 1
    noise = np.frombuffer(stream(subkey, b"diffusion", 8 * rounds * profile.bits), "<u8").reshape(rounds, profile.bits)
    deck = np.argsort(noise, axis=1, kind="stable").ravel()
    rows = deck[:need].reshape(profile.sent_bits, profile.xor)
    for row in range(len(rows)):  # a row cut across two shuffles may hold a bit twice: take spare ones instead
        if len(set(rows[row])) < profile.xor:
            rows[row] = list(dict.fromkeys([*rows[row], *deck[need:]]))[: profile.xor]
    return np.asarray(rows, np.int64)
