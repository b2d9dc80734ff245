"""Bytes put aside on the disk while a step runs, because memory is small: read back by the same process, or by nobody.

Bytes come in, a place goes out, and the bytes again for it. Rule: the file has no name that outlives the process, and
its key is never written: what is left on a disk after a crash is noise.
Each chunk of a mebibyte is sealed by AES-256-GCM under a key of this file alone; its nonce is its number, so none is
used twice and no chunk can stand in for another.
"""

from __future__ import annotations

import os
from errno import ENOSPC
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keys.errors import OpenError

CHUNK_BYTES = 1 << 20
_TAG_BYTES = 16
_NONCE_BYTES = 12


class Place(NamedTuple):
    """Where something is: the number of its first chunk, where that begins in the file, and how many bytes it had."""

    chunk: int
    start: int
    length: int


class Aside:
    """A file without a name, in a folder. Raises OSError where it cannot be made, or the disk is full."""

    def __init__(self, folder: Path) -> None:
        self._file = TemporaryFile(buffering=0, dir=folder, prefix=".aside-")  # noqa: SIM115 - closed by `close`
        self._cipher = AESGCM(AESGCM.generate_key(256))
        self._lock = Lock()
        self._sealed = bytearray(CHUNK_BYTES + _TAG_BYTES)  # one for all: fresh memory costs more than sealing
        self._chunks = self._end = 0

    def put(self, data: bytes | bytearray | memoryview) -> Place:
        """Put bytes aside."""
        view = memoryview(data).cast("B")
        with self._lock:
            place = Place(self._chunks, self._end, len(view))
            self._file.seek(self._end)
            for start in range(0, len(view), CHUNK_BYTES):
                piece = view[start : start + CHUNK_BYTES]
                sealed = memoryview(self._sealed)[: len(piece) + _TAG_BYTES]
                nonce, self._chunks = _nonce(self._chunks), self._chunks + 1
                self._cipher.encrypt_into(nonce, piece, None, sealed)
                if self._file.write(sealed) != len(sealed):
                    raise OSError(ENOSPC, os.strerror(ENOSPC))
                self._end += len(sealed)
        return place

    def get(self, place: Place) -> bytearray:
        """The bytes put there. Raises OpenError where the disk does not give them back."""
        data = bytearray(place.length)
        try:
            with self._lock:
                self._file.seek(place.start)
                for nth, start in enumerate(range(0, place.length, CHUNK_BYTES)):
                    piece = memoryview(data)[start : start + CHUNK_BYTES]
                    sealed = memoryview(self._sealed)[: len(piece) + _TAG_BYTES]
                    self._file.readinto(sealed)
                    self._cipher.decrypt_into(_nonce(place.chunk + nth), sealed, None, piece)
        except InvalidTag:
            raise OpenError(
                "what was put aside on the disk came back altered", "check the disk, and begin the step again"
            ) from None
        return data

    def close(self) -> None:
        """Be done: nothing can be read any more."""
        self._file.close()

    def __repr__(self) -> str:
        return f"Aside(bytes={self._end})"


def _nonce(chunk: int) -> bytes:
    return chunk.to_bytes(_NONCE_BYTES, "big")
