"""Files whole or not at all, and never over another."""

from __future__ import annotations

import os
import secrets
from contextlib import ExitStack
from pathlib import Path

from linkage.errors import OutputExistsError, YourFileError


def write_new(path: Path, data: bytes) -> Path:
    """Write a file that did not exist. Raises OutputExistsError; a crash leaves nothing under its name."""
    return write_all([(path, data)])[0]


def write_all(files: list[tuple[Path, bytes]]) -> list[Path]:
    """Write several new files, all or none: complete under temporary names first, then named."""
    for path, _ in files:
        if path.exists():
            raise OutputExistsError(f"{path} exists already", "nothing is overwritten: choose another folder or name")
    with ExitStack() as undo:
        parts = []
        for path, data in files:
            part = path.with_name(f".{secrets.token_hex(8)}.part")
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                undo.callback(part.unlink, missing_ok=True)
                with part.open("xb") as handle:
                    handle.write(data)
                    handle.flush()
                    os.fsync(handle.fileno())
            except OSError as problem:
                raise YourFileError(
                    f"cannot write {path}: {problem.strerror}", "check the folder and free space"
                ) from None
            parts.append(part)
        for part, (path, _) in zip(parts, files, strict=True):
            part.rename(path)
    return [path for path, _ in files]


def read(path: Path) -> bytes:
    """A file's bytes. Raises YourFileError when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as problem:
        raise YourFileError(f"cannot read {path}: {problem.strerror}", "check the path") from None
