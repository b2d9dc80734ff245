"""An agency's own file as a step reads it: which columns, which flags, and all at once or part by part.

Rule: how a file is read says nothing of what comes of it: in parts or whole, the same people have the same values.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

import linkage.vocabulary as vocabularies
from keys.derive import Purpose, RunKey, stream
from linkage.errors import ColumnsError, NotAgreedError
from linkage.exchange.desk import Desk
from linkage.intake import mapping as mappings
from linkage.intake.flags import columns_of, read_flags
from linkage.intake.parted import Parted, Plan, read_parts
from linkage.intake.pieces import Pieces, take_in_parts
from linkage.intake.quality import Quality
from linkage.intake.records import Intake, take_in
from linkage.intake.sources import date_columns
from linkage.intake.suggest import suggest
from linkage.intake.table import read_table
from linkage.model import Flag, Records
from linkage.shelf import Held, Shelf
from linkage.steps.account import Progress, quiet
from linkage.vocabulary import Vocabulary


@dataclass(frozen=True)
class Source:
    """An agency's own file and how to read it. mapping: None to suggest one from the header. flags: a long file."""

    path: Path
    mapping: Path | None = None
    flags: Path | None = None
    sheet: str | None = None
    dates: str | None = None


def vocabulary_of(desk: Desk) -> Vocabulary:
    """The flag vocabulary of the agreement. Raises NotAgreedError when the installed one is another."""
    vocabulary = vocabularies.load()
    if desk.agreement.terms.release.vocabulary not in ("default", vocabulary.digest()):
        raise NotAgreedError(
            "the flag vocabulary installed here is not the one the agreement names",
            "install the release all parties use, or put the agreed vocabulary in its place",
        )
    return vocabulary


def read_source(source: Source, desk: Desk, today: dt.date) -> Intake:
    """Standardised records and quality of a file. Raises YourFileError and its kin, all errors at once."""

    def wanted(columns: tuple[str, ...]) -> set[str]:
        return {column for _, column in read_mapping(source, columns, desk).names()}

    table = read_table(source.path, sheet=source.sheet, wanted=wanted)
    mapping = read_mapping(source, table.columns, desk)
    flags = None
    if source.flags:
        flags = read_flags(read_table(source.flags), vocabulary_of(desk), table.column(mapping.id), today)
    required = desk.agreement.terms.quality.required_present
    return take_in(table, mapping, desk.agreement.schema, flags=flags, required_present=required, today=today)


def read_mapping(source: Source, columns: Sequence[str], desk: Desk) -> mappings.Mapping:
    """The mapping file, or one suggested from the header. Raises ColumnsError where anchors have no columns."""
    mapping = mappings.load(source.mapping) if source.mapping else suggest(columns, desk.agreement.schema)
    if desk.party.holds_anchors and mapping.anchor is None:
        raise ColumnsError(
            f"'{desk.party.name}' holds anchors, but the mapping has no [anchor] columns",
            "name at least child_id under [anchor] in the mapping file",
        )
    return dataclasses.replace(mapping, dates=source.dates) if source.dates else mapping  # type: ignore[arg-type]  # checked


@dataclass(frozen=True, repr=False)
class People:
    """Everybody in a source: standardised records, part by part, and the quality of all.

    shelf: for what is made of them: on the disk where they are many.
    """

    parts: Sequence[Held[Records]]
    quality: Quality
    shelf: Shelf

    def __len__(self) -> int:
        return self.quality.people

    def __repr__(self) -> str:
        return f"People({len(self)}, parts={len(self.parts)})"


def read_people(
    source: Source,
    desk: Desk,
    today: dt.date,
    key: Callable[[], RunKey],
    shelf: Shelf,
    progress: Progress = quiet,
) -> People:
    """What read_source gives, a part at a time where the file is a long CSV.

    key: the run's, which says what part somebody belongs to, the same whenever the file is read. shelf: on the disk.
    Raises as read_source.
    """
    pieces = _pieces(source, desk, today, key, shelf, progress)
    if pieces:
        return People(pieces.parts, pieces.quality, shelf)
    intake = read_source(source, desk, today)
    return People((lambda: intake.records,), intake.quality, Shelf())


def everybody(people: People, source: Source, desk: Desk, today: dt.date) -> Records:
    """Their records all at once, for what cannot do with parts."""
    return people.parts[0]() if len(people.parts) == 1 else read_source(source, desk, today).records


def _pieces(
    source: Source, desk: Desk, today: dt.date, key: Callable[[], RunKey], shelf: Shelf, progress: Progress
) -> Pieces | None:
    """Of a long CSV without fault."""

    def seed() -> int:
        return int.from_bytes(stream(key().subkey(Purpose.SCREENING), b"parts of a file", 8), "little")

    def planned(columns: tuple[str, ...]) -> Plan:
        mapping = read_mapping(source, columns, desk)
        wanted = {column for _, column in mapping.names()}
        return Plan(wanted, mapping.id, date_columns(mapping, desk.agreement.schema))

    try:
        file = read_parts(source.path, planned, seed, shelf, tell=partial(progress, "reading the file"))
        if file is None:
            return None
        flags = read_parts(source.flags, _planned_flags, seed, shelf, len(file.parts)) if source.flags else None
    except OSError:
        return None  # whoever reads it whole says why
    if source.flags and flags is None:
        return None
    of_part = partial(_flags_of, flags, vocabulary_of(desk), today) if flags else None
    schema, required = desk.agreement.schema, desk.agreement.terms.quality.required_present
    return take_in_parts(
        file, read_mapping(source, file.columns, desk), schema, shelf, flags=of_part,
        required_present=required, today=today, tell=partial(progress, "standardising"),
    )  # fmt: skip


def _flags_of(
    file: Parted, vocabulary: Vocabulary, today: dt.date, nth: int, local_ids: Sequence[str]
) -> Mapping[str, tuple[Flag, ...]]:
    """Flags of the people of one part."""
    dated = [*chain.from_iterable(file.dates.values())]
    return read_flags(file.parts[nth](), vocabulary, local_ids, today, dated)


def _planned_flags(columns: tuple[str, ...]) -> Plan:
    spelt = columns_of(columns)
    if "local_id" not in spelt:
        raise ColumnsError("column 'local_id' is missing", "a flag file has it")
    return Plan(columns, spelt["local_id"], [spelt[name] for name in ("date",) if name in spelt])
