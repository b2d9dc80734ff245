"""Where the data files of `configs/` are, in a checkout and when installed."""

from __future__ import annotations

from pathlib import Path

from linkage.errors import UsageProblemError
from linkage.words import nearest

_HERE = Path(__file__).parent
CONFIGS = _HERE / "_configs" if (_HERE / "_configs").is_dir() else _HERE.parent / "configs"


def resource(folder: str, name: str) -> Path:
    """Path of configs/<folder>/<name>.toml. Raises UsageProblemError naming the nearest known name."""
    path = CONFIGS / folder / f"{name}.toml"
    if not path.is_file():
        known = sorted(file.stem for file in (CONFIGS / folder).glob("*.toml"))
        raise UsageProblemError(f"there is no '{name}' in configs/{folder}", nearest(name, known))
    return path
