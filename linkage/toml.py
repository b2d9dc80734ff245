"""TOML files to frozen structs: an unknown entry is an error that names the nearest known one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TypeVar

import msgspec

from linkage.errors import AgreementFileError, LinkageError
from linkage.words import nearest

T = TypeVar("T", bound=msgspec.Struct)


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A TOML table of known entries."""


def read(path: Path, type_: type[T], error: type[LinkageError] = AgreementFileError) -> T:
    """The file as a struct. Raises `error` when it cannot be read, with the place and what to do."""
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise error(f"cannot read {path.name}: {problem.strerror}", "check the path") from None
    return parse(data, type_, path.name, error)


def parse(data: bytes, type_: type[T], name: str, error: type[LinkageError] = AgreementFileError) -> T:
    """TOML bytes as a struct; see read."""
    try:
        return msgspec.toml.decode(data, type=type_)
    except msgspec.ValidationError as problem:
        raise error(f"{name}: {problem}", _hint(str(problem), type_)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise error(f"{name} is not TOML: {problem}", "compare it with a template in configs/") from None


def _hint(problem: str, type_: type[msgspec.Struct]) -> str:
    unknown = re.search(r"unknown field `([^`]+)`", problem)
    if not unknown:
        return "compare it with a template in configs/"
    return nearest(unknown[1], sorted(_entries(type_)))


def _entries(type_: object) -> set[str]:
    """Names of all entries of a struct and of the structs within it."""
    names: set[str] = set()
    if isinstance(type_, type) and issubclass(type_, msgspec.Struct):
        for entry in msgspec.structs.fields(type_):
            names |= {entry.encode_name} | _entries(entry.type)
    for argument in getattr(type_, "__args__", ()):
        names |= _entries(argument)
    return names
