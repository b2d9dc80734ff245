"""Plain twins of the match model's kernels: logarithms added up, rows looked at one by one."""

import numpy as np


def expect(codes, weights, tables, shares):
    """Log likelihood of latent classes, pairs of each class with each code (w, c), and pairs of each class (c,)."""
    parts = np.log(tables)[codes].sum(axis=1) + np.log(shares)
    top = parts.max(axis=1)
    total = top + np.log(np.exp(parts - top[:, None]).sum(axis=1))
    held = np.exp(parts - total[:, None]) * weights[:, None]
    counts = np.zeros_like(tables)
    for column in codes.T:
        np.add.at(counts, column, held)
    return float(weights @ total), counts, held.sum(axis=0)


def rivals(rows, pull):
    """What the other pairs of each pair's row pull together."""
    return np.array([pull[(rows == row) & (np.arange(len(rows)) != pair)].sum() for pair, row in enumerate(rows)])


def log_free(rows, pull, copies):
    """How free a row is for each of its pairs, from the generating function of its partners; see onetoone."""
    if copies == 0:
        return -np.log(1 + rivals(rows, pull))
    others = np.array(
        [np.prod(1 + copies * pull[(rows == row) & (np.arange(len(rows)) != pair)]) for pair, row in enumerate(rows)]
    )
    return np.log(others / (1 + (others - 1) / copies))
