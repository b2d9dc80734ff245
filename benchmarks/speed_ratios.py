"""Turns of measurements in, ratios with their spread and distances to the machine's limit out; nothing is timed."""

from __future__ import annotations

import itertools
import statistics

WORDS_FIRST = 8  # of the 16 of a filter, before the exact search's first look
ENTRY = 32  # bytes of a row where tables are joined

PAIRED = {
    # name: ours, theirs, what is counted; more than 1 means that we are faster
    "encode_vs_clkhash": ("encode", "clkhash", "rows"),
    "encode_default_vs_clkhash": ("encode_default", "clkhash", "rows"),
    "encode_large_vs_clkhash": ("encode_large", "clkhash_large", "rows"),
    "encode_default_large_vs_clkhash": ("encode_default_large", "clkhash_large", "rows"),
    "kernel_vs_anonlink": ("kernel", "anonlink", "pairs"),
    "lsh_vs_anonlink": ("lsh", "anonlink", "pairs"),
    "lsh_every_pair_vs_anonlink": ("lsh_every", "anonlink", "pairs"),
    "kernel_vs_faiss": ("kernel", "faiss", "pairs"),
    "kernel_vs_matrix_product": ("kernel", "product", "pairs"),
}


KERNELS = {
    # name: ours, theirs; of each what turns distinct values into filters, alone
    "encode_kernel_vs_clkhash": ("encode", "clkhash"),
    "encode_default_kernel_vs_clkhash": ("encode_default", "clkhash"),
    "encode_large_kernel_vs_clkhash": ("encode_large", "clkhash_large"),
}


def ratios(taken):
    """Of each comparison the median ratio of core seconds, and under "spread" and "wall" what stands beside it."""
    made = {"core_seconds": True, "spread": {}, "wall": {}}
    for name, (ours, theirs, counted) in PAIRED.items():
        for unit, into in (("cpu", None), ("wall", made["wall"])):
            each = paired(taken, ours, theirs, counted, unit)
            if not each:
                continue
            middle = statistics.median(each)
            if into is None:
                made[name], made["spread"][name] = middle, [min(each), max(each)]
            else:
                into[name] = middle
    for name, (ours, theirs) in KERNELS.items():
        alone = [
            {side: turn[side]["kernel"] | {"rows": turn[side]["rows"]} for side in (ours, theirs)}
            for turn in taken
            if ran(turn, ours) and ran(turn, theirs)
        ]
        each = paired(alone, ours, theirs, "rows", "cpu")
        if each:
            made[name], made["spread"][name] = statistics.median(each), [min(each), max(each)]
    return made


def paired(taken, ours, theirs, counted, unit):
    """The ratio of both rates in every turn in which neither failed."""
    return [
        rate(turn[ours], counted, unit) / rate(turn[theirs], counted, unit)
        for turn in taken
        if ran(turn, ours) and ran(turn, theirs)
    ]


def ran(turn, name):
    """Whether a task was part of a turn and did not fail."""
    return name in turn and "failed" not in turn[name]


def rate(one, counted, unit):
    """Rows or pairs a second."""
    return one[counted] / max(one[unit], 1e-9)


def growth_factors(grown, unit="cpu"):
    """How many times longer each size takes than the one before, which is half of it."""
    return [later[unit] / earlier[unit] for earlier, later in itertools.pairwise(grown)]


def moved(lsh):
    """Bytes that bit sampling has to move at least: sampled bits read, slots, first looks, entries, pairs that meet."""
    plan, rows = lsh["plan"], 2 * lsh["rows"]
    if "tables" not in plan:
        return 0.0
    # A slot is written once and read twice, a size read twice, an entry written, put in order and read again.
    each = plan["bits"] / 8 + 3 * 4 + 2 * 4 + 24 + 3 * ENTRY
    return plan["tables"] * rows * each + lsh["compared"] * ENTRY


def shares(taken, limits):
    """Share of the machine's own speed that the kernel and bit sampling reach, per core."""
    made = {}
    kernels = [rate(turn["kernel"], "pairs", "cpu") for turn in taken if "failed" not in turn["kernel"]]
    if kernels:
        made["counted"] = statistics.median(kernels) * WORDS_FIRST / limits["words"]
    moving = [moved(turn["lsh"]) / turn["lsh"]["cpu"] for turn in taken if "failed" not in turn["lsh"]]
    if moving:
        made["moved"] = statistics.median(moving) / limits["bytes"]
    return made
