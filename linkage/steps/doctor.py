"""Is this machine fit, and is this desk complete? Each check says what to mend."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from linkage.exchange.desk import AGREEMENT, IDENTITY, PUBLIC, SECRET

_NEEDED = (
    "click",
    "cryptography",
    "jellyfish",
    "msgspec",
    "numba",
    "numpy",
    "openpyxl",
    "pandas",
    "safetensors",
    "scipy",
)
_PYTHONS = ((3, 11), (3, 14))
_GIGABYTE = 10**9


@dataclass(frozen=True)
class Check:
    """One thing looked at. hint: what to do, when it is not well."""

    what: str
    ok: bool
    hint: str = ""

    def to_json(self) -> dict[str, object]:
        """The check for a program."""
        return {"what": self.what, "ok": self.ok, "hint": self.hint}


def doctor(folder: Path) -> list[Check]:
    """All checks of the machine, and of the desk when the folder is one."""
    checks = [_python(), *map(_library, _NEEDED), _works("hybrid sealing", _seal), _works("compiled kernels", _kernel)]
    checks.append(_space(folder))
    if (folder / AGREEMENT).exists() or (folder / PUBLIC).exists():
        checks += _desk(folder)
    return checks


def _python() -> Check:
    fits = _PYTHONS[0] <= sys.version_info[:2] < _PYTHONS[1]
    return Check(f"Python {platform.python_version()}", fits, "" if fits else "install Python 3.11, 3.12 or 3.13")


def _library(name: str) -> Check:
    try:
        return Check(f"{name} {importlib.metadata.version(name)}", ok=True)
    except importlib.metadata.PackageNotFoundError:
        return Check(name, ok=False, hint="install the toolkit again in a fresh environment")


def _works(what: str, trial: Callable[[], None]) -> Check:
    try:
        trial()
    except Exception as problem:  # noqa: BLE001 - whatever fails here is the finding
        return Check(what, ok=False, hint=f"it failed with {type(problem).__name__}: install the toolkit again")
    return Check(f"{what} works", ok=True)


def _seal() -> None:
    from keys.identity import Identity
    from keys.seal import open_sealed, seal

    one = Identity.new("doctor", test=True)
    if open_sealed(one, seal(one.public, b"well", b"doctor"), b"doctor") != b"well":
        raise ValueError("what was sealed did not open")


def _kernel() -> None:
    import numpy as np

    from linkage.match.candidates import Nearest
    from linkage.match.search import find_candidates

    filters = np.arange(64, dtype=np.uint64).reshape(32, 2)
    if len(find_candidates(filters, filters, Nearest(keep=1))) < len(filters):
        raise ValueError("rows did not find themselves")


def _space(folder: Path) -> Check:
    free = shutil.disk_usage(folder if folder.is_dir() else Path.cwd()).free
    return Check(f"{free / _GIGABYTE:.0f} GB free", free > _GIGABYTE, "" if free > _GIGABYTE else "free at least 1 GB")


def _desk(folder: Path) -> list[Check]:
    from linkage.agreement import check_signatures, load
    from linkage.errors import LinkageError

    checks = []
    for name, hint in ((AGREEMENT, "copy the agreed terms here"), (IDENTITY, "run `linkage keys new NAME`")):
        there = (folder / name).exists()
        checks.append(Check(name, there, "" if there else hint))
    for name in (IDENTITY, SECRET):
        path = folder / name
        if path.exists() and os.name == "posix":
            private = path.stat().st_mode & 0o077 == 0
            checks.append(Check(f"{name} is private", private, "" if private else f"run: chmod 600 {name}"))
    if (folder / AGREEMENT).exists():
        try:
            check_signatures(load(folder / AGREEMENT), folder / AGREEMENT)
            checks.append(Check("the agreement is in order and signed by all", ok=True))
        except LinkageError as problem:
            checks.append(Check("agreement", ok=False, hint=f"{problem}; {problem.hint}"))
    return checks
