"""Peers at work for benchmarks/speed.py, in their own environment; nothing of ours is imported.

    python speed_peers.py encode PEOPLE.csv WORK          clkhash: CSV to filters to JSON, as its command line does
    python speed_peers.py kernel LEFT.npy RIGHT.npy DICE  anonlink: every pair above a Dice similarity
    python speed_peers.py faiss LEFT.npy RIGHT.npy DICE   faiss: binary range search, pairs within a Hamming distance
    python speed_peers.py product LEFT.npy RIGHT.npy DICE numpy: shared bits as a matrix product

Prints one JSON object: work done, seconds of wall and of all cores (children too), and what was found.
"""

from __future__ import annotations

import csv
import json
import multiprocessing
import resource
import sys
import time
from pathlib import Path

BITS_PER_TOKEN = {"forename": 6, "surname": 6, "date_of_birth": 6, "postcode": 2, "sex": 2, "address": 1}


def main() -> None:
    what, *paths = sys.argv[1:]
    print(json.dumps({"encode": encode, "kernel": kernel, "faiss": faiss_search, "product": product}[what](*paths)))


class Clock:
    """Wall and core seconds since it was made; those of ended children too."""

    def __init__(self) -> None:
        self.began = time.perf_counter(), self._cores()

    def so_far(self) -> dict[str, float]:
        return {"wall": time.perf_counter() - self.began[0], "cpu": self._cores() - self.began[1]}

    @staticmethod
    def _cores() -> float:
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(one.ru_utime + one.ru_stime for one in used)


def encode(people: str, work: str) -> dict[str, object]:
    """The whole way from CSV to JSON on all cores, and generate_clks alone on one."""
    from clkhash.clk import generate_clk_from_csv, generate_clks
    from clkhash.schema import from_json_dict
    from clkhash.serialization import serialize_bitarray

    with Path(people).open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    agreed = from_json_dict(schema())
    clock = Clock()
    with Path(people).open(newline="", encoding="utf-8") as file:
        filters = generate_clk_from_csv(file, "a secret of the benchmark", agreed, progress_bar=False)
    with (Path(work) / "clks.json").open("w", encoding="ascii") as file:
        json.dump({"clks": [serialize_bitarray(one) for one in filters]}, file)
    for worker in multiprocessing.active_children():
        worker.join()  # the time of a child counts once it has ended
    whole = clock.so_far()
    clock = Clock()
    made = generate_clks(rows, agreed, "a secret of the benchmark", max_workers=1)
    return {"rows": len(filters), "set": filters[0].count()} | whole | {"kernel": clock.so_far(), "made": len(made)}


def schema() -> dict[str, object]:
    """Our plain profile in clkhash's words: 1,024 bits, bigrams of text, characters by place of dates and postcodes."""
    kdf = {"type": "HKDF", "hash": "SHA256", "info": "YmVuY2g=", "salt": "YmVuY2g=", "keySize": 64}
    row_id = {"identifier": "local_id", "ignored": True}
    return {
        "version": 3,
        "clkConfig": {"l": 1024, "xor_folds": 0, "kdf": kdf},
        "features": [row_id, *(feature(name) for name in BITS_PER_TOKEN)],
    }


def feature(name: str) -> dict[str, object]:
    placed = name in ("date_of_birth", "postcode")
    comparison = {"type": "ngram", "n": 1 if placed or name == "sex" else 2, "positional": placed}
    hashing = {"comparison": comparison, "strategy": {"bitsPerToken": BITS_PER_TOKEN[name]}}
    return {
        "identifier": name,
        "format": {"type": "string", "encoding": "utf-8"},
        "hashing": hashing | {"hash": {"type": "blakeHash"}, "missingValue": {"sentinel": "", "replaceWith": ""}},
    }


def kernel(left: str, right: str, dice: str) -> dict[str, object]:
    """Every pair, as anonlink's users find them; its conversion of filters is not counted."""
    import numpy as np
    from anonlink.similarities import dice_coefficient_accelerated
    from bitarray import bitarray

    sides = []
    for path in (left, right):
        side = []
        for row in np.load(path):
            side.append(bitarray())
            side[-1].frombytes(row.tobytes())
        sides.append(side)
    clock = Clock()
    found, _ = dice_coefficient_accelerated(sides, float(dice))
    return {"pairs": len(sides[0]) * len(sides[1]), "found": len(found)} | clock.so_far()


def faiss_search(left: str, right: str, dice: str) -> dict[str, object]:
    """Pairs within the Hamming distance of the two fullest filters at the threshold: it knows no Dice similarity."""
    import faiss
    import numpy as np

    faiss.omp_set_num_threads(1)
    rows, others = np.load(left), np.load(right)
    radius = int((1 - float(dice)) * sum(np.bitwise_count(side).sum(axis=1).max() for side in (rows, others)))
    index = faiss.IndexBinaryFlat(64 * rows.shape[1])
    index.add(others.view(np.uint8))
    clock = Clock()
    limits, _, _ = index.range_search(rows.view(np.uint8), radius + 1)
    return {"pairs": len(rows) * len(others), "found": int(limits[-1])} | clock.so_far()


def product(left: str, right: str, dice: str) -> dict[str, object]:
    """Bits as float32, block against block; unpacking is counted, for whole rows do not fit."""
    import numpy as np

    rows, others = np.load(left)[:1000], np.load(right)[:20_000]
    sizes = [np.bitwise_count(side).sum(axis=1) for side in (rows, others)]
    clock, found = Clock(), 0
    unpacked = np.unpackbits(rows.view(np.uint8), axis=1).astype(np.float32)
    for start in range(0, len(others), 2000):
        block = np.unpackbits(others[start : start + 2000].view(np.uint8), axis=1).astype(np.float32)
        total = sizes[0][:, None] + sizes[1][None, start : start + 2000]
        found += int((2 * (unpacked @ block.T) >= float(dice) * total).sum())
    return {"pairs": len(rows) * len(others), "found": found} | clock.so_far()


if __name__ == "__main__":
    main()
