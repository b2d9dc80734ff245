"""The most memory a process held, all libraries included; and one command of the toolkit that tells it.

    python benchmarks/peak.py FILE COMMAND ...

Runs `linkage COMMAND ...` in this process and writes its peak in bytes to a file.
"""

from __future__ import annotations

import sys
from pathlib import Path


def peak():
    """Bytes. The system's account (ru_maxrss) begins with the memory of whoever started a process; this does not."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) * 1024 for line in status.read_text().splitlines() if "VmHWM" in line)
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS


def main():
    told, *words = sys.argv[1:]
    here = Path(__file__).resolve()
    sys.path = [str(here.parent.parent), *(path for path in sys.path if path != str(here.parent))]
    from linkage.__main__ import main as linkage

    sys.argv = ["linkage", *words]
    try:
        linkage()
    finally:
        Path(told).write_text(str(peak()), "ascii")


if __name__ == "__main__":
    main()
