"""What every object that holds a secret has in common: it is shown, compared and copied with care.

Rule: a secret leaves its object only where a method says so, into a vault file or a derivation.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, NoReturn, Self, SupportsIndex

from cryptography.hazmat.primitives.constant_time import bytes_eq


class Guarded(ABC):
    """Base of the secret-bearing dataclasses (declared with eq=False, repr=False).

    Its repr names only the fields in `shown`; equality takes constant time; hashing is refused, because a place in
    a set is a hint about the secret, and pickling and copying, because a pickle is an unwrapped key file.
    """

    shown: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def to_payload(self) -> bytes:
        """Everything in the object, secret included, as framed bytes for a vault file."""

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.shown)
        return f"{type(self).__name__}({fields})"

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self) or not isinstance(other, Guarded):
            return NotImplemented
        return bytes_eq(self.to_payload(), other.to_payload())

    def __hash__(self) -> NoReturn:
        raise TypeError(f"unhashable: {type(self).__name__} holds a secret")

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds a secret and is never pickled or copied")


class Kept(Guarded):
    """A guarded object that lives in a vault file of its own (`vault.keep`, `vault.fetch`).

    kind: what the file's header calls it. test: mode, which the header repeats (R50).
    """

    kind: ClassVar[str]
    test: bool

    @classmethod
    @abstractmethod
    def from_payload(cls, payload: bytes) -> Self:
        """Inverse of `to_payload`; raises ValueError when the payload is not of this kind."""


def same(left: bytes, right: bytes) -> bool:
    """Equality of two byte strings in time that depends on their lengths alone."""
    return bytes_eq(left, right)
