"""Key files on disk: private, new, and whole or not at all.

Paths and bytes come in; files appear or bytes are read.
Rule: nothing is ever overwritten, and nothing that others can read is trusted.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from keys.errors import KeyFileError

POSIX = os.name == "posix"
PRIVATE = 0o600
_BINARY: int = getattr(os, "O_BINARY", 0)  # Windows
_NO_FOLLOW: int = getattr(os, "O_NOFOLLOW", 0)  # POSIX
_OTHERS = 0o077
_SHRED_BYTES = 1 << 20


def _create(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY | _NO_FOLLOW, PRIVATE)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())


def _publish(temporary: Path, path: Path) -> None:
    """Give a finished file its name, or raise FileExistsError."""
    if not POSIX:
        temporary.rename(path)  # Windows refuses to rename onto an existing file
        return
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:
        # No hard links here (FAT sticks, some network drives): claim the name, then replace our own claim.
        _create(path, b"")
        try:
            temporary.replace(path)
        except OSError:
            path.unlink()
            raise


def write_new(path: Path, data: bytes) -> None:
    """Write a file that did not exist, mode 0600, whole or not at all.

    The bytes go to a temporary file in the same folder, reach the disk, and only then get their name.
    On Windows the mode means nothing; the file is as private as its folder, by default the user's profile.
    Raises KeyFileError when the path exists or cannot be written.
    """
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        _create(temporary, data)
        _publish(temporary, path)
    except FileExistsError as problem:
        raise KeyFileError(
            f"{path} exists already, and key files are never overwritten", "choose another name, or move the old file"
        ) from problem
    except OSError as problem:
        raise KeyFileError(f"cannot write {path}: {problem.strerror}", "check the folder and its rights") from problem
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def read_private(path: Path, limit: int) -> bytes:
    """Bytes of a file that nobody else may read; at most `limit` bytes.

    Raises KeyFileError when it is missing, too long, or on POSIX readable or writable by group or others.
    """
    try:
        with path.open("rb") as handle:
            if POSIX and os.fstat(handle.fileno()).st_mode & _OTHERS:
                raise KeyFileError(f"{path} is open to other users of this machine", f"run: chmod 600 {path}")
            data = handle.read(limit + 1)
    except OSError as problem:
        raise KeyFileError(f"cannot read {path}: {problem.strerror}", "check the path") from problem
    if len(data) > limit:
        raise KeyFileError(f"{path} is longer than any key file", "check that the right file was given")
    return data


def shred(path: Path) -> None:
    """Overwrite a file once with random bytes, then delete it: best effort, and no more than that.

    Solid-state disks write the new bytes elsewhere, journals and snapshots keep the old ones, and backups are
    out of reach. What truly erases data at rest is that it was encrypted and that its StorageKey's vault file,
    and the passphrase, are gone. Raises KeyFileError when the file is missing, a link or cannot be overwritten.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | _BINARY | _NO_FOLLOW)
        with os.fdopen(descriptor, "wb") as handle:
            left = os.fstat(handle.fileno()).st_size
            while left > 0:
                left -= handle.write(secrets.token_bytes(min(left, _SHRED_BYTES)))
            handle.flush()
            os.fsync(handle.fileno())
        path.unlink()
    except OSError as problem:
        raise KeyFileError(f"cannot shred {path}: {problem.strerror}", "delete it by hand") from problem
