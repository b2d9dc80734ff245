"""The command line with chance from a seed, so that a made world has one outcome: `python -m tests.flow.seeded N ...`.

The product has no such switch for a single step. Here the system's source is replaced before anything imports it.
"""

import sys
from pathlib import Path

import keys.chance

_SYSTEM = keys.chance.SYSTEM
_source = [_SYSTEM]


def _draw(nbytes):
    return _source[0].draw(nbytes)


keys.chance.SYSTEM = keys.chance.Chance(_draw, test=False)


def start(seed, words):
    """Draw from a seed, the party whose folder this is and the command; seed None: from the system again."""
    _source[0] = _SYSTEM if seed is None else keys.chance.Chance.pretend(seed, Path.cwd().name, *words[:2])


if __name__ == "__main__":
    from linkage.__main__ import main

    _, seed, *words = sys.argv
    start(int(seed), words)
    sys.argv = ["linkage", *words]
    main()
