"""Sections that tell the protocols apart: what is found by what records hold, and what became of tight tokens."""

from __future__ import annotations

from linkage.report.cells import Cell, Count, Data, Section, number, share


def completeness(data: Data, count: Count) -> Section:
    """Recall over all true pairs, by what one record or both lack."""
    rows = [
        (
            Cell(each["name"]),
            number(count(each["true_pairs"])),
            number(share(each["candidate_recall"])),
            Cell(share(each["recall"]), number=True, share=each["recall"]),
        )
        for each in data.get("by_completeness") or ()
    ]
    return Section(
        "completeness",
        "What is found by what the records hold",
        "Of all true pairs, by what one record or both lack. Partners whose records have gaps find more in two rounds.",
        ("Records with", "True pairs", "Among candidates", "Linked"),
        tuple(rows),
    )


def tokens(data: Data, count: Count) -> Section:
    """Collisions of each combination in each file, as `encode` measured them."""
    rows = [
        (
            Cell(party),
            Cell(each["combination"]),
            *(number(count(each[name])) for name in ("held", "issued", "shared")),
        )
        for party, told in (data.get("tokens") or {}).items()
        for each in told["combinations"]
    ]
    return Section(
        "tokens",
        "Tight tokens",
        "People who have a combination, who got a token of it, and how many share its commonest value in the file.",
        ("Party", "Combination", "People", "Issued", "Most sharing"),
        tuple(rows),
    )
