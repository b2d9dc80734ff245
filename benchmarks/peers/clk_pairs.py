"""clkhash + anonlink: one keyed Bloom filter a record, Dice similarity, anonlink's greedy one-to-one solver.

    python clk_pairs.py LEFT RIGHT OUT --setup all|core

Runs in the peers' environment, and so imports nothing of ours. LEFT, RIGHT: CSV with a column `row_id` and standardised
fields; OUT: CSV of left, right, probability, which here is the Dice similarity and no probability.
"""

from __future__ import annotations

import argparse
import csv
import io
import secrets
from pathlib import Path

import anonlink
from clkhash.clk import generate_clk_from_csv
from clkhash.schema import from_json_dict

SETUPS = ("all", "core")
LOWEST = 0.6  # pairs less similar are not looked at, so that memory is bounded
KEPT = 30  # most similar rows kept for each
BITS_PER_TOKEN = {"forename": 15, "surname": 15, "date_of_birth": 15, "postcode": 12, "sex": 10, "address": 6}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("left", type=Path)
    parser.add_argument("right", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--setup", choices=SETUPS, default="all")
    args = parser.parse_args()
    wanted = list(BITS_PER_TOKEN) if args.setup == "all" else list(BITS_PER_TOKEN)[:4]
    sides = []
    for path in (args.left, args.right):
        with path.open(newline="", encoding="utf-8") as file:
            sides.append(list(csv.DictReader(file)))
    held = [name for name in wanted if all(any(row.get(name) for row in side) for side in sides)]
    secret = secrets.token_hex(16)
    filters = [encode(side, held, secret) for side in sides]
    candidates = anonlink.candidate_generation.find_candidate_pairs(
        filters, anonlink.similarities.dice_coefficient_accelerated, LOWEST, k=KEPT
    )
    similarity, _, places = candidates
    with args.out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["left", "right", "probability"])
        for value, left, right in zip(similarity, places[0], places[1], strict=True):
            writer.writerow([sides[0][left]["row_id"], sides[1][right]["row_id"], value])


def encode(rows: list[dict[str, str]], held: list[str], secret: str) -> list[object]:
    """One filter a row; a missing value adds no bits."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(held)
    writer.writerows([row[name] for name in held] for row in rows)
    text.seek(0)
    return list(generate_clk_from_csv(text, secret, from_json_dict(schema(held)), progress_bar=False, max_workers=1))


def schema(held: list[str]) -> dict[str, object]:
    """Bigrams of names and address; digits and characters of dates and postcodes by place."""
    return {
        "version": 3,
        "clkConfig": {
            "l": 1024,
            "xor_folds": 0,
            "kdf": {"type": "HKDF", "hash": "SHA256", "info": "YmVuY2g=", "salt": "YmVuY2g=", "keySize": 64},
        },
        "features": [feature(name) for name in held],
    }


def feature(name: str) -> dict[str, object]:
    placed = name in ("date_of_birth", "postcode")
    comparison = {"type": "ngram", "n": 1 if placed or name == "sex" else 2, "positional": placed}
    return {
        "identifier": name,
        "format": {"type": "string", "encoding": "utf-8"},
        "hashing": {
            "comparison": comparison,
            "strategy": {"bitsPerToken": BITS_PER_TOKEN[name]},
            "hash": {"type": "blakeHash"},
            "missingValue": {"sentinel": "", "replaceWith": ""},
        },
    }


if __name__ == "__main__":
    main()
