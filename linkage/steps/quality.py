"""Judged pairs held against a truth: what `rehearse` and `demo` report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from linkage.agreement import Agreement
from linkage.evaluate.accuracy import Accuracy, at, best
from linkage.evaluate.calibration import calibration
from linkage.evaluate.completeness import GROUPS, Found, found_by_completeness
from linkage.match import estimate
from linkage.match.estimate import Band, Rate
from linkage.parties.deciding import Judged
from linkage.parties.expected import expected_errors, pair_groups, pooled
from linkage.rules import Rule, Verdict

_T = TypeVar("_T", bound=np.generic)

Persons = Mapping[str, Mapping[str, str]]
"""True person by party and local id; "" or absent where unknown."""


def measure(
    judged: Sequence[Judged],
    agreement: Agreement,
    local_ids: Mapping[str, Sequence[str]],
    persons: Persons | None,
    known: Mapping[str, NDArray[np.bool_]] | None = None,
) -> dict[str, object]:
    """Counts, error estimates and, with a truth, quality of all pairs of files together, before the safety rules.

    local_ids: by party, in the order of the matcher's rows. known: by party, (n, 2) in the same order, whether a row
    has a date of birth, and a postcode; recall is then told by it.
    """
    pool = _Pool(judged)
    report: dict[str, object] = {
        "candidates": {"count": len(pool.probability)},
        "pairs": {"linked": int(pool.linked.sum()), "threshold": [round(one.threshold, 4) for one in judged]},
        "bands": _bands(pool, None),
        "rules": _rules(pool, None),
        "errors": {
            "false_links": _rate(estimate.false_links(pool.probability, pool.linked)),
            "missed_links": _rate(estimate.missed_links(pool.probability, pool.linked)),
        },
    }
    if persons is None:
        return report | {"groups": _groups(judged, agreement, None)}
    truth, true = _truth(judged, local_ids, persons)
    found = int(truth.sum())
    ours = at(pool.linked, truth, true)
    calibrated = calibration(pool.probability, truth, pool.assigned)
    report["candidates"] = {"count": len(truth), "true_pairs": true, "recall": found / true if true else 1.0}
    report["pairs"] = _accuracy(ours) | {"threshold": [round(one.threshold, 4) for one in judged]}
    peak = best(pool.probability, pool.assigned, truth, true)
    report["best"] = _accuracy(peak) | {"threshold": round(peak.threshold, 4)}
    report["after_rules"] = _accuracy(at(pool.linked & ~pool.blocked, truth, true))
    report["calibration"] = {
        "ece": calibrated.ece,
        "bins": [{"predicted": b.predicted, "observed": b.observed, "count": b.count} for b in calibrated.bins],
    }
    report["bands"] = _bands(pool, truth)
    report["rules"] = _rules(pool, truth)
    report["errors"] = {
        "false_links": _rate(estimate.false_links(pool.probability, pool.linked)) | {"true": 1 - ours.precision},
        "missed_links": _rate(estimate.missed_links(pool.probability, pool.linked)) | {"true": 1 - ours.recall},
    }
    report["groups"] = _groups(judged, agreement, truth)
    if known:
        report["by_completeness"] = _by_completeness(judged, _coded(local_ids, persons), known)
    return report


def _by_completeness(
    judged: Sequence[Judged], rows: Mapping[str, NDArray[np.int64]], known: Mapping[str, NDArray[np.bool_]]
) -> list[dict[str, object]]:
    """Recall over all true pairs, by what their records lack; groups nobody is in are left out."""
    total = [Found(name, 0, 0, 0) for name in GROUPS]
    for one in judged:
        join = one.compared.joined
        here = found_by_completeness(
            (rows[join.left], rows[join.right]), (known[join.left], known[join.right]), join.pairs, one.linked
        )
        total = [before + now for before, now in zip(total, here, strict=True)]
    return [
        {
            "name": each.name,
            "true_pairs": each.true,
            "candidate_recall": each.candidates / each.true,
            "recall": each.linked / each.true,
        }
        for each in total
        if each.true
    ]


def _groups(judged: Sequence[Judged], agreement: Agreement, truth: NDArray[np.bool_] | None) -> list[dict[str, object]]:
    """Expected errors of each group after the rules and, with a truth, the true ones among its candidates (R17).

    A missed link is in no band, so bands have no rate of them.
    """
    _, linked = pooled(judged)
    rows = []
    for each, group in zip(expected_errors(judged, agreement), pair_groups(judged, agreement), strict=True):
        row: dict[str, object] = {
            "by": each.by,
            "name": each.name,
            "count": each.count,
            "false_rate": each.false_links.expected,
            "alarm": each.alarm,
        }
        if each.by != "band":
            row["missed_rate"] = each.missed.expected
        if truth is not None:
            right = int((linked & truth & group.here).sum())
            true = int((truth & group.here).sum())
            row["true_false_rate"] = 1 - right / each.count if each.count else 0.0
            if each.by != "band":
                row["true_missed_rate"] = 1 - right / true if true else 0.0
        rows.append(row)
    return rows


class _Pool:
    """All pairs of all file pairs, laid end to end."""

    def __init__(self, judged: Sequence[Judged]) -> None:
        self.probability = _join([one.compared.scores.probability for one in judged], np.float64)
        self.assigned = _join([one.assigned for one in judged], np.bool_)
        self.linked = _join([one.linked for one in judged], np.bool_)
        self.band = _join([one.band for one in judged], np.int8)
        self.rule = _join([one.ruled.rule for one in judged], np.int8)
        verdict = _join([one.ruled.verdict for one in judged], np.int8)
        self.blocked = verdict == Verdict.BLOCK
        self.review = verdict == Verdict.REVIEW


def _truth(
    judged: Sequence[Judged], local_ids: Mapping[str, Sequence[str]], persons: Persons
) -> tuple[NDArray[np.bool_], int]:
    """Which candidate pairs are one person, and how many pairs of one person there are, candidates or not."""
    rows = _coded(local_ids, persons)
    masks, true = [], 0
    for one in judged:
        join = one.compared.joined
        left, right = rows[join.left], rows[join.right]
        masks.append((left[join.pairs.left] == right[join.pairs.right]) & (left[join.pairs.left] >= 0))
        on_the_right = Counter(right[right >= 0].tolist())
        true += sum(on_the_right[person] for person in left[left >= 0].tolist())
    return _join(masks, np.bool_), true


def _coded(local_ids: Mapping[str, Sequence[str]], persons: Persons) -> dict[str, NDArray[np.int64]]:
    """True person of every row as a number, by party; -1 where unknown."""
    codes: dict[str, int] = {}
    rows = {}
    for name, ids in local_ids.items():
        told = [persons.get(name, {}).get(local_id, "") for local_id in ids]
        rows[name] = np.array([codes.setdefault(p, len(codes)) if p else -1 for p in told], np.int64)
    return rows


def _accuracy(accuracy: Accuracy) -> dict[str, object]:
    return {
        "precision": accuracy.precision,
        "recall": accuracy.recall,
        "f1": accuracy.f1,
        "linked": accuracy.linked,
        "correct": accuracy.correct,
        "false": accuracy.linked - accuracy.correct,
        "missed": accuracy.true - accuracy.correct,
    }


def _bands(pool: _Pool, truth: NDArray[np.bool_] | None) -> dict[str, object]:
    open_ = ~pool.blocked
    masks = {
        "strong": open_ & (pool.band == Band.STRONG),
        "probable": open_ & ~pool.review & (pool.band == Band.PROBABLE),
        "review": open_ & pool.review & (pool.band >= Band.PROBABLE),
        "possible": open_ & (pool.band == Band.POSSIBLE),
    }
    return {name: _counted(mask, truth) for name, mask in masks.items()}


def _rules(pool: _Pool, truth: NDArray[np.bool_] | None) -> dict[str, object]:
    """Proposed links that each rule spoke on."""
    spoken = [rule for rule in Rule if rule is not Rule.NONE]
    return {rule.name.lower(): _counted(pool.linked & (pool.rule == rule), truth) for rule in spoken}


def _counted(mask: NDArray[np.bool_], truth: NDArray[np.bool_] | None) -> dict[str, int]:
    count = {"count": int(mask.sum())}
    return count if truth is None else count | {"true": int((mask & truth).sum()), "false": int((mask & ~truth).sum())}


def _rate(rate: Rate) -> dict[str, float]:
    return {"expected": rate.expected, "low": rate.low, "high": rate.high}


def _join(parts: Sequence[NDArray[_T]], dtype: type[_T]) -> NDArray[_T]:
    return np.concatenate(parts) if parts else np.empty(0, dtype)
