"""The installed command. It refuses to run with somebody else's `keys` or `cli` module in the way."""

import sys
from importlib.util import find_spec
from pathlib import Path


def main() -> None:
    """Check that our neighbours are ours, then hand over to the front door."""
    home = Path(__file__).resolve().parent.parent
    for name in ("keys", "cli"):
        spec = find_spec(name)
        if spec is None or spec.origin is None or home not in Path(spec.origin).resolve().parents:
            sys.exit(
                f"linkage: error: the module '{name}' found here is not ours\n"
                "linkage: hint: install in a new environment"
            )
    from cli import main as front_door

    front_door()


if __name__ == "__main__":
    main()
