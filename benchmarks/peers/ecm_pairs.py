"""`recordlinkage`'s ECM classifier: unsupervised Fellegi-Sunter on plaintext, on blocked pairs.

    python ecm_pairs.py LEFT RIGHT OUT --setup blocked|neighbours

Runs in the peers' environment, and so imports nothing of ours. LEFT, RIGHT: CSV with a column `row_id` and standardised
fields; OUT: CSV of left, right, probability.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import pandas as pd
import recordlinkage

SETUPS = ("blocked", "neighbours")
WINDOW = 9  # neighbours in the order of surnames
STRING_THRESHOLD = 0.85  # Jaro-Winkler similarity that counts as agreement, as in the library's guide


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("left", type=Path)
    parser.add_argument("right", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--setup", choices=SETUPS, default="blocked")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    sides = [pd.read_csv(path, dtype=str).set_index("row_id") for path in (args.left, args.right)]
    held = [name for name in sides[0].columns if all(side[name].notna().any() for side in sides)]
    index = recordlinkage.Index()
    for name in ("date_of_birth", "postcode"):
        if name in held:
            index.block(name)
    index.block(["forename", "surname"])
    if args.setup == "neighbours":
        index.sortedneighbourhood("surname", window=WINDOW)
    pairs = index.index(*sides)
    vectors = compare(held).compute(pairs, *sides)
    classifier = recordlinkage.ECMClassifier(binarize=0.5)
    classifier.fit(vectors)
    found = classifier.prob(vectors).rename("probability")
    found.index.names = ["left", "right"]
    found[found > 0.001].reset_index().to_csv(args.out, index=False)


def compare(held: list[str]) -> recordlinkage.Compare:
    """Names and address by Jaro-Winkler similarity, all else exactly; missing counts as disagreement, its default."""
    made = recordlinkage.Compare()
    for name in held:
        if name in ("forename", "surname", "address"):
            made.string(name, name, method="jarowinkler", threshold=STRING_THRESHOLD, label=name)
        else:
            made.exact(name, name, label=name)
    return made


if __name__ == "__main__":
    main()
