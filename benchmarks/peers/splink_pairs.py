"""Splink on plaintext, with the comparisons, blocking rules and training its documentation recommends.

    python splink_pairs.py LEFT RIGHT OUT --setup names|forename-surname|core

Runs in the peers' environment, and so imports nothing of ours. LEFT, RIGHT: CSV with a column `row_id` and standardised
fields; OUT: CSV of left, right, probability.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import duckdb
import pandas as pd
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

SETUPS = ("names", "forename-surname", "core")
SWAPPED = "l.forename = r.surname and l.surname = r.forename"
RECALL = 0.7  # share of the true pairs the deterministic rules are taken to find, as in Splink's tutorial
SAMPLED_PAIRS = 2e7  # its documentation: 1e7 is often adequate for a test, more for a final model


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("left", type=Path)
    parser.add_argument("right", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--setup", choices=SETUPS, default="names")
    args = parser.parse_args()
    logging.getLogger("splink").setLevel(logging.ERROR)
    sides = [pd.read_csv(path, dtype=str).replace("", None) for path in (args.left, args.right)]
    held = {name for name in sides[0].columns if all(side[name].notna().any() for side in sides)}
    try:
        linker = trained(args.setup, sides, held, prior=True)
    except ValueError:  # the deterministic rules found no pair, so that the prior is 0: keep Splink's own
        linker = trained(args.setup, sides, held, prior=False)
    found = linker.inference.predict(threshold_match_probability=0.001).as_pandas_dataframe()
    turned = found["source_dataset_l"] == "file_b"
    rows = found[["row_id_l", "row_id_r"]].to_numpy(copy=True)
    rows[turned] = rows[turned][:, ::-1]
    out = pd.DataFrame({"left": rows[:, 0], "right": rows[:, 1], "probability": found["match_probability"]})
    out.to_csv(args.out, index=False)


def trained(setup: str, sides: list[pd.DataFrame], held: set[str], *, prior: bool) -> Linker:
    """A linker of both tables with all parameters learnt."""
    connection = duckdb.connect()
    connection.execute("SET memory_limit = '3GB'")
    connection.execute("SET threads = 2")
    api = DuckDBAPI(connection)
    names = ("file_a", "file_b")
    tables = [api.register(side, dataset_display_name=name) for side, name in zip(sides, names, strict=True)]
    settings = SettingsCreator(
        link_type="link_only",
        unique_id_column_name="row_id",
        comparisons=comparisons(setup, held, sides[0]),
        blocking_rules_to_generate_predictions=[rule for rule, needs in blocking() if needs <= held],
    )
    linker = Linker(tables, settings, log_level=logging.ERROR)
    train(linker, held, prior=prior)
    return linker


def comparisons(setup: str, held: set[str], left: pd.DataFrame) -> list[object]:
    """Every field that both files hold; `core` leaves out address and sex, which follow from other fields."""
    if setup == "forename-surname":
        chosen: list[object] = [cl.ForenameSurnameComparison("forename", "surname")]
    else:
        chosen = [cl.NameComparison("forename"), cl.NameComparison("surname")]
    if "date_of_birth" in held:
        chosen.append(cl.DateOfBirthComparison("date_of_birth", input_is_string=True))
    if "postcode" in held:
        digits = left["postcode"].dropna().str.fullmatch(r"\d+").mean() > 0.5  # not of the United Kingdom
        chosen.append(cl.LevenshteinAtThresholds("postcode", [1, 2]) if digits else cl.PostcodeComparison("postcode"))
    if setup == "core":
        return chosen
    if "sex" in held:
        chosen.append(cl.ExactMatch("sex"))
    if "address" in held:
        chosen.append(cl.JaroWinklerAtThresholds("address", [0.92, 0.8]).configure(term_frequency_adjustments=True))
    return chosen


def blocking() -> list[tuple[object, set[str]]]:
    """Rules whose union is to miss no pair worth scoring, with the fields each needs."""
    return [
        (block_on("date_of_birth"), {"date_of_birth"}),
        (block_on("postcode"), {"postcode"}),
        (block_on("forename", "surname"), set()),
        (SWAPPED, set()),
        (block_on("surname", "substr(forename, 1, 1)"), set()),
        (block_on("forename", "substr(surname, 1, 1)"), set()),
        (block_on("forename", "substr(date_of_birth, 1, 4)"), {"date_of_birth"}),
        (block_on("surname", "substr(date_of_birth, 1, 4)"), {"date_of_birth"}),
        (block_on("address"), {"address"}),
    ]


def train(linker: Linker, held: set[str], *, prior: bool) -> None:
    """The prior from deterministic rules, u by random sampling, m by EM over several blocking rules."""
    exact = [
        (block_on("forename", "surname", "date_of_birth"), {"date_of_birth"}),
        (block_on("forename", "surname", "postcode"), {"postcode"}),
        (block_on("surname", "date_of_birth", "postcode"), {"date_of_birth", "postcode"}),
    ]
    rules = [rule for rule, needs in exact if needs <= held]
    for recall in (RECALL, 0.85, 1.0) if prior else ():
        try:
            linker.training.estimate_probability_two_random_records_match(rules, recall=recall)
            break
        except ValueError:  # more found than there can be at that recall
            continue
    linker.training.estimate_u_using_random_sampling(max_pairs=SAMPLED_PAIRS, seed=1)
    sessions = [
        (block_on("forename", "surname"), set()),
        (block_on("date_of_birth"), {"date_of_birth"}),
        (block_on("postcode", "surname"), {"postcode"}),
        (block_on("postcode", "forename"), {"postcode"}),
    ]
    learnt = 0
    for rule, needs in sessions:
        if needs <= held:
            try:
                linker.training.estimate_parameters_using_expectation_maximisation(rule)
            except ValueError:  # 5.0.0 stops at an m below 1e-300, as blocking on postcode can give: the others remain
                continue
            learnt += 1
    if not learnt:
        raise ValueError("no blocking rule could train the model")


if __name__ == "__main__":
    main()
