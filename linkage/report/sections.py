"""A run's numbers as sections that a page and a terminal show alike.

The JSON of `linkage rehearse` and `linkage demo` comes in, `Section`s go out.
Rule: what a run did not measure is left out or said to be unknown, never shown as nought.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from linkage.report.cells import UNKNOWN, Bin, Cell, Count, Data, Section, counted, decimal, duration, number, share
from linkage.report.protocols import completeness, tokens


def sections(data: Data, count: Count) -> list[Section]:
    """All sections a run has numbers for, in reading order. count: how a number of people or pairs is written."""
    made = (
        make(data, count)
        for make in (
            _parties,
            _accuracy,
            _candidates,
            completeness,
            _calibration,
            _bands,
            _errors,
            _rules,
            _groups,
            tokens,
        )
    )
    return [section for section in (*made, _seconds(data)) if section and section.rows]


def figures(data: Data, count: Count) -> list[tuple[str, str]]:
    """The few numbers to see first, as (label, value)."""
    pairs, candidates = data.get("pairs") or {}, data.get("candidates") or {}
    chosen = [
        ("Links that are right (precision)", share(pairs.get("precision"))),
        ("True links found (recall)", share(pairs.get("recall"))),
        ("F1 at the agreed threshold", decimal(pairs.get("f1"))),
        ("True pairs among candidates", share(candidates.get("recall"))),
    ]
    known = [(label, value) for label, value in chosen if value != UNKNOWN]
    if "count" in candidates and len(known) < 4:
        known.append(("Candidate pairs", count(candidates["count"])))
    return known


def _parties(data: Data, count: Count) -> Section:
    rows = [
        (
            Cell(party.get("title") or party["name"]),
            Cell(step["step"]),
            Cell(step["what"]),
            number(count(step["count"])),
        )
        for party in data.get("parties") or ()
        for step in party["steps"]
    ]
    return Section(
        "parties",
        "What each party did",
        "Counts only. The matcher never holds a name, a date, a readable category or the linkage secret.",
        ("Party", "Step", "What", "Count"),
        tuple(rows),
    )


def _accuracy(data: Data, count: Count) -> Section:
    rows = []
    for key, title in (
        ("pairs", "at the agreed threshold, chosen without truth"),
        ("best", "at the best threshold, found with truth"),
    ):
        pairs = data.get(key)
        if pairs:
            shares = (number(share(pairs.get(name))) for name in ("precision", "recall"))
            counts = (number(counted(pairs.get(name), count)) for name in ("correct", "false", "missed"))
            rows.append((Cell(title), *shares, number(decimal(pairs.get("f1"))), *counts))
    return Section(
        "accuracy",
        "How right the links are",
        "Precision: share of links that join one person. Recall: share of true links found. F1 weighs both alike.",
        ("Links", "Precision", "Recall", "F1", "Right", "False", "Missed"),
        tuple(rows),
    )


def _candidates(data: Data, count: Count) -> Section:
    found = data.get("candidates") or {}
    rows = [(Cell("Candidate pairs"), number(count(found["count"])))] if "count" in found else []
    if found.get("possible"):
        rows.append((Cell("of possible pairs"), number(count(found["possible"]))))
    if found.get("recall") is not None:
        rows.append((Cell("True pairs among them (recall)"), number(share(found["recall"]))))
    return Section(
        "candidates",
        "Finding candidates",
        "A true pair that is no candidate can never be linked.",
        ("", ""),
        tuple(rows),
    )


def _calibration(data: Data, count: Count) -> Section:
    found = data.get("calibration") or {}
    bins = tuple(
        Bin(float(each["predicted"]), float(each["observed"]), int(each["count"]))
        for each in found.get("bins") or ()
        if each.get("count") and each.get("observed") is not None
    )
    rows = tuple((number(decimal(b.predicted)), number(decimal(b.observed)), number(count(b.count))) for b in bins)
    ece = f" Expected calibration error: {decimal(found.get('ece'))}." if found.get("ece") is not None else ""
    reading = f"Of pairs given a probability of 0.9, nine in ten should be one person: points on the line.{ece}"
    return Section(
        "calibration",
        "Do the probabilities mean what they say?",
        reading,
        ("Predicted", "True share", "Pairs"),
        rows,
        bins,
    )


def _bands(data: Data, count: Count) -> Section:
    rows = []
    for name, found in (data.get("bands") or {}).items():
        each = found if isinstance(found, Mapping) else {"count": found}
        numbers = (number(counted(each.get(key), count)) for key in ("count", "true", "false"))
        rows.append((Cell(str(name)), *numbers))
    return Section(
        "bands",
        "Links by band",
        "Strong links may carry released categories; probable ones wait for a further identifier.",
        ("Band", "Links", "True", "False"),
        tuple(rows),
    )


def _errors(data: Data, _: Count) -> Section:
    titles = {"false_links": "False links", "missed_links": "Missed links"}
    rows = []
    for key, found in (data.get("errors") or {}).items():
        between = UNKNOWN
        if found.get("low") is not None and found.get("high") is not None:
            between = f"{share(found['low'])} to {share(found['high'])}"
        title = titles.get(key, key.replace("_", " "))
        rows.append(
            (Cell(title), number(share(found.get("expected"))), number(between), number(share(found.get("true"))))
        )
    return Section(
        "errors",
        "Expected and true error rates",
        "Expected: from the probabilities alone, as a live run must estimate them. True: against the known truth.",
        ("Error", "Expected", "Interval", "True"),
        tuple(rows),
    )


def _rules(data: Data, count: Count) -> Section:
    rows = [
        (
            Cell(str(name).replace("_", " ")),
            number(counted(held.get("true"), count)),
            number(counted(held.get("false"), count)),
        )
        for name, held in (data.get("rules") or {}).items()
    ]
    return Section(
        "rules",
        "What the safety rules held back",
        "Pairs the model would have linked. Policy is told apart from the model: a true pair held back is its price.",
        ("Rule", "True pairs", "False pairs"),
        tuple(rows),
    )


_GROUP_RATES = ("false_rate", "true_false_rate", "missed_rate", "true_missed_rate")


def _groups(data: Data, count: Count) -> Section:
    rows = []
    for group in data.get("groups") or ():
        rates = (number(share(group.get(name))) for name in _GROUP_RATES)
        alarm = "more than twice the overall rate" if group.get("alarm") else ""
        rows.append((Cell(group["name"]), number(counted(group.get("count"), count)), *rates, Cell(alarm)))
    return Section(
        "groups",
        "Errors by group",
        "Whom the linkage serves worse (R17). A group with more than twice the overall rate raises an alarm.",
        ("Group", "Links", "False, expected", "true", "Missed, expected", "true", "Alarm"),
        tuple(rows),
    )


def _seconds(data: Data) -> Section:
    steps = {str(step): float(seconds) for step, seconds in (data.get("seconds") or {}).items()}
    longest = max(steps.values(), default=0.0) or 1.0
    rows = [
        (Cell(step), Cell(duration(seconds), number=True, share=seconds / longest)) for step, seconds in steps.items()
    ]
    if len(rows) > 1 and "total" not in steps:
        rows.append((Cell("all steps"), Cell(duration(sum(steps.values())), number=True)))
    return Section(
        "seconds", "Time by step", "Seconds of wall clock on this machine.", ("Step", "Seconds"), tuple(rows)
    )


def columns_used(section: Section) -> Iterable[int]:
    """Columns with something in at least one row, so that truth is not a column of "not known" in a live run."""
    for place in range(len(section.head)):
        if place == 0 or any(row[place].text not in {"", UNKNOWN} for row in section.rows):
            yield place


def trimmed(section: Section) -> Section:
    """The same section without columns that say nothing."""
    keep: Sequence[int] = tuple(columns_used(section))
    rows = tuple(tuple(row[place] for place in keep) for row in section.rows)
    return Section(
        section.key, section.title, section.reading, tuple(section.head[p] for p in keep), rows, section.bins
    )
