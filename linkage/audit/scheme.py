"""The attacker's own copy of an encoding: everything about it but the key.

He encodes people of his own under keys of his own, and so learns how alike the codes of any two people are expected
to be under a key he does not know: the kernel of the scheme.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from keys.derive import RunKey
from linkage.audit.world import signs
from linkage.encode.screening import make_filters
from linkage.model import Column, Records
from linkage.schema import Schema
from linkage.terms import Profile

Filters = NDArray[np.uint64]
Matrix = NDArray[np.float32]
OWN_KEYS = 6
"""Keys over which the attacker averages; more change nothing that the noise of the codes would not hide."""


@dataclass(frozen=True, repr=False)
class Scheme:
    """encode, encode_plain: records and a key to one filter a person, (n, w); as sent, and before XOR.

    power: XOR of so many bits of `encode_plain` makes a bit of `encode`; 1 where they are the same codes.
    """

    name: str
    encode: Callable[[Records, RunKey], Filters]
    encode_plain: Callable[[Records, RunKey], Filters]
    power: int = 1

    def kernel(self, records: Records, keys: int = OWN_KEYS) -> Matrix:
        """Expected agreement, -1 to 1, of the codes of any two people, (n, n); 1 on the diagonal."""
        total = np.zeros((len(records), len(records)), np.float32)
        for _ in range(keys):
            total += self.raised(agreement(signs(self.encode_plain(records, any_key()))))
        total /= keys
        np.fill_diagonal(total, 1)
        return total

    def cross(self, people: Records, others: Records, keys: int = OWN_KEYS) -> Matrix:
        """The same between two lists of people, (n, m), without the matrix of all of them."""
        total = np.zeros((len(people), len(others)), np.float32)
        for _ in range(keys):
            key = any_key()
            left, right = (signs(self.encode_plain(side, key)) for side in (people, others))
            total += self.raised(left @ right.T / np.float32(left.shape[1]))
        return total / np.float32(keys)

    def raised(self, similarity: Matrix) -> Matrix:
        """Agreement of the codes sent where plain ones agree so."""
        if self.power == 1:
            return similarity
        return np.asarray(np.sign(similarity) * np.abs(similarity) ** self.power, np.float32)


def of_profile(profile: Profile, schema: Schema) -> Scheme:
    """The scheme of a screening profile.

    XOR of t plain bits turns an agreement of 1 - 2x into (1 - 2x) ** t: the attacker needs no diffusion of his own.
    """
    plain = msgspec.structs.replace(profile, kind="plain", sent_bits=profile.bits, xor=0)
    return Scheme(
        profile.title,
        lambda records, key: first_filters(*make_filters(records, schema, profile, key)),
        lambda records, key: first_filters(*make_filters(records, schema, plain, key)),
        max(profile.xor, 1),
    )


def first_filters(filters: Filters, owner: NDArray[np.int32]) -> Filters:
    """One filter a person: his first."""
    return filters[np.unique(owner, return_index=True)[1]]


def any_key() -> RunKey:
    """A key nobody keeps."""
    return RunKey("audit", test=True, value=secrets.token_bytes(32))


def agreement(codes: Matrix) -> Matrix:
    """Agreeing less disagreeing bits over all bits, for every pair of rows, (n, n) float32 in [-1, 1]."""
    return codes @ codes.T / np.float32(codes.shape[1])


def take(records: Records, rows: NDArray[np.integer]) -> Records:
    """Some people of a file, in the order given."""
    columns = {}
    for name, column in records.columns.items():
        counts = column.counts()[rows]
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        places = np.repeat(column.offsets[rows] - offsets[:-1], counts) + np.arange(offsets[-1])
        used, codes = np.unique(column.codes[places], return_inverse=True)
        vocabulary = tuple(column.vocabulary[code] for code in used)
        columns[name] = Column(vocabulary, codes.astype(np.int32).ravel(), offsets)
    return Records(tuple(records.local_ids[row] for row in rows), columns, records.lines[rows])
