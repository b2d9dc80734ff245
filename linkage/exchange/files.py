"""Files whole or not at all, and never over another."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path

from linkage.ahead import ahead
from linkage.errors import OutputExistsError, YourFileError

_PRIVATE = 0o600
_SHARED = 0o666  # less the user's umask
_BINARY: int = getattr(os, "O_BINARY", 0)  # Windows


def write_new(path: Path, data: bytes | Iterable[bytes], *, private: bool = False) -> Path:
    """Write a file that did not exist. Raises OutputExistsError; a crash leaves nothing under its name."""
    return write_all([(path, data)], private=private)[0]


def write_all(files: Iterable[tuple[Path, bytes | Iterable[bytes]]], *, private: bool = False) -> list[Path]:
    """Write several new files, all or none: complete under temporary names first, then named.

    files: may be made while they are written; no more than two are held.
    private: for their owner alone (on POSIX; on Windows a file is as private as its folder).
    Raises OutputExistsError when one exists, also when it appears meanwhile; YourFileError when one cannot be written.
    """
    paths: list[Path] = []
    with ExitStack() as temporary, ExitStack() as undo:
        parts = []
        for path, data in ahead(files):
            if path.exists() or path.is_symlink() or path in paths:
                raise _taken(path)
            paths.append(path)
            part = path.with_name(f".{secrets.token_hex(8)}.part")
            temporary.callback(_remove, part)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                _write(part, data, private=private)
                del data  # else it would be held while the next is made
            except OSError as problem:
                raise _unwritable(path, problem) from None
            parts.append(part)
        for part, path in zip(parts, paths, strict=True):
            try:
                _publish(part, path)
            except FileExistsError:
                raise _taken(path) from None
            except OSError as problem:
                raise _unwritable(path, problem) from None
            undo.callback(_remove, path)
        undo.pop_all()
    return paths


def write_over(path: Path, data: bytes) -> None:
    """Put newer bytes in the place of older, whole or not at all; for a party's own state only. Private."""
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        _write(part, data, private=True)
        part.replace(path)
    except OSError as problem:
        raise _unwritable(path, problem) from None
    finally:
        _remove(part)


def read(path: Path, most: int = -1) -> bytes:
    """A file's bytes, or its first. Raises YourFileError when it cannot be read."""
    try:
        with path.open("rb") as handle:
            return handle.read(most)
    except OSError as problem:
        raise YourFileError(f"cannot read {path}: {problem.strerror}", "check the path") from None


def _write(path: Path, data: bytes | Iterable[bytes], *, private: bool) -> None:
    """Bytes, or pieces of them, in a new file, on the disk before this returns."""
    mode = _PRIVATE if private else _SHARED
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, mode), "wb") as handle:
        handle.writelines([data] if isinstance(data, bytes) else data)
        handle.flush()
        os.fsync(handle.fileno())


def _publish(part: Path, path: Path) -> None:
    """Give a finished file its name, or raise FileExistsError."""
    if os.name != "posix":
        part.rename(path)  # Windows refuses to rename onto an existing file
        return
    try:
        path.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:  # no hard links here (FAT sticks, some network drives)
        if path.exists():
            raise FileExistsError from None
        part.rename(path)


def _remove(path: Path) -> None:
    with suppress(OSError):  # what stopped the writing may stop this too, and is the news
        path.unlink(missing_ok=True)


def _taken(path: Path) -> OutputExistsError:
    return OutputExistsError(f"{path} exists already", "nothing is overwritten: choose another folder or name")


def _unwritable(path: Path, problem: OSError) -> YourFileError:
    return YourFileError(f"cannot write {path}: {problem.strerror}", "check the folder and free space")
