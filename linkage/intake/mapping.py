"""Which of an agency's columns holds which field of the agreement: read, written, checked.

A TOML file or the columns' names come in, a Mapping goes out.
Rule: a column that no entry names is never read on (R4), and free text or diagnosis can be mapped to nothing (R5).

    id = "NOMINAL_REF"
    dates = "dmy"                     # "dmy", "mdy", "ymd" or "iso"; may be left out where the column itself decides
    middle_names = "MIDDLE"
    full_name = { columns = ["ALIASES"], separator = ";" }      # "SMITH, John" or "John Smith"

    [fields]
    forename = "FIRST_NAME"
    surname = ["SURNAME", "MAIDEN_NAME"]                        # further columns are further values
    postcode = { columns = ["PCODES"], separator = "|" }        # several values in one cell
    address = { columns = ["HOUSE", "STREET"], join = true }    # one value out of several columns

    [anchor]                          # only in files of men attached to a child
    child_id = "CHILD_ID"
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Mapped
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import msgspec

from linkage.errors import ColumnsError, UnreadableFileError
from linkage.intake.header import shown
from linkage.intake.usual import bare, is_free_text
from linkage.schema import Schema

DateOrder = Literal["dmy", "mdy", "ymd", "iso"]


@dataclass(frozen=True)
class Source:
    """The columns of one field: further columns are further values, unless `join` makes one value of all.

    separator: text between several values in one cell, "" for one value a cell.
    """

    columns: tuple[str, ...]
    separator: str = ""
    join: bool = False


@dataclass(frozen=True)
class AnchorColumns:
    """Columns that attach a man to a child; they travel sealed to children's services only."""

    child_id: str
    case_id: str = ""
    due_date: str = ""
    relation: str = ""
    paternity: str = ""


@dataclass(frozen=True)
class Mapping:
    """An agency's columns for the agreement's fields, by field name.

    full_name, middle_names: columns that give values to the forename and surname fields beside their own.
    full_name_order: how a full name without comma runs. ignore: columns known and not wanted.
    """

    id: str
    fields: Mapped[str, Source] = field(default_factory=dict)
    dates: DateOrder | None = None
    full_name: Source | None = None
    full_name_order: Literal["auto", "forename_first", "surname_first"] = "auto"
    middle_names: Source | None = None
    anchor: AnchorColumns | None = None
    ignore: tuple[str, ...] = ()

    def sources(self) -> Iterator[tuple[str, Source]]:
        """Every entry that names columns of the person, with the entry's name."""
        yield from self.fields.items()
        if self.full_name:
            yield "full_name", self.full_name
        if self.middle_names:
            yield "middle_names", self.middle_names

    def names(self) -> Iterator[tuple[str, str]]:
        """Every (entry, column) that will be read."""
        yield "id", self.id
        for entry, source in self.sources():
            yield from ((entry, column) for column in source.columns)
        if self.anchor:
            for one in fields(self.anchor):
                if column := getattr(self.anchor, one.name):
                    yield f"anchor.{one.name}", column


def load(path: Path) -> Mapping:
    """The mapping a TOML file holds.

    Raises UnreadableFileError, or ColumnsError with all unknown entries and, of each, the nearest known one.
    """
    try:
        data = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise UnreadableFileError(f"the mapping cannot be opened: {error.strerror}", "check its path") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UnreadableFileError(f"the mapping is no TOML: {error}", "compare it with configs/mappings") from None
    return from_toml(data)


def from_toml(data: dict[str, Any]) -> Mapping:
    """The mapping of parsed TOML; errors as `load`."""
    fields_ = data.get("fields")
    own = fields_ if isinstance(fields_, dict) else {}
    given = {**own, **{entry: data[entry] for entry in ("full_name", "middle_names") if entry in data}}
    faults = _unknown(data, Mapping, "")
    for entry, value in given.items():
        faults += _unknown(value, Source, f"{entry}.") if isinstance(value, dict) else []
    if isinstance(data.get("anchor"), dict):
        faults += _unknown(data["anchor"], AnchorColumns, "anchor.")
    if faults:
        raise ColumnsError(faults[0], "correct the mapping file", faults)
    try:
        whole = data | {entry: _source(data[entry]) for entry in ("full_name", "middle_names") if entry in data}
        whole |= {"fields": {entry: _source(value) for entry, value in own.items()}} if own else {}
        return msgspec.convert(whole, Mapping)
    except msgspec.ValidationError as error:
        what = f"the mapping is not in order: {error}"
        raise ColumnsError(what, "compare it with configs/mappings") from None


def dump(mapping: Mapping) -> str:
    """The mapping as TOML that `load` reads back to the same mapping."""
    lines = [f"id = {_toml(mapping.id)}"]
    lines += [f"dates = {_toml(mapping.dates)}"] if mapping.dates else []
    for entry in ("full_name", "middle_names"):
        source = getattr(mapping, entry)
        lines += [f"{entry} = {_toml(source)}"] if source else []
    if mapping.full_name_order != "auto":
        lines.append(f"full_name_order = {_toml(mapping.full_name_order)}")
    lines += [f"ignore = {_toml(list(mapping.ignore))}"] if mapping.ignore else []
    lines += ["", "[fields]", *(f"{_key(name)} = {_toml(source)}" for name, source in mapping.fields.items())]
    if mapping.anchor:
        given = {one.name: getattr(mapping.anchor, one.name) for one in fields(mapping.anchor)}
        lines += ["", "[anchor]", *(f"{name} = {_toml(column)}" for name, column in given.items() if column)]
    return "\n".join(lines) + "\n"


def check(mapping: Mapping, columns: Sequence[str], schema: Schema) -> None:
    """Make sure that the mapping fits the file and the agreement.

    Raises ColumnsError with all faults: unknown fields, columns that are not there, free text, required fields without.
    """
    names = [field.name for field in schema.fields]
    faults = [
        f"the agreement has no field '{name}'{_nearest(name, names)}" for name in mapping.fields if name not in names
    ]
    faults += [fault for entry, column in mapping.names() for fault in _unfit(entry, column, columns)]
    full = mapping.full_name is not None
    for one in schema.fields:
        if one.required and one.name not in mapping.fields and not (full and one.kind in ("forename", "surname")):
            faults.append(f"the agreement requires '{one.name}', for which the mapping names no column")
    if faults:
        raise ColumnsError(
            faults[0] if len(faults) == 1 else f"{len(faults)} entries of the mapping do not fit the file",
            "correct the mapping, or leave it out to have one suggested from the header",
            faults,
        )


def _unfit(entry: str, column: str, columns: Sequence[str]) -> Iterator[str]:
    if column not in columns:
        yield f"'{entry}' wants column '{column}', which the file does not have{nearest(column, columns)}"
    elif is_free_text(column):
        yield f"'{entry}' wants column '{column}', which by its name is free text or diagnosis: never read"


def nearest(wanted: str, columns: Sequence[str]) -> str:
    """'; nearest: ...' with the headers most like a wanted name, as far as they may be shown."""
    close = difflib.get_close_matches(bare(wanted), [bare(column) for column in columns], n=2, cutoff=0.6)
    places = [next(place for place, column in enumerate(columns) if bare(column) == name) for name in close]
    return f"; nearest: {', '.join(shown(columns, place) for place in places)}" if places else ""


def _nearest(wanted: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(wanted, known, n=1, cutoff=0.5)
    return f"; did you mean '{close[0]}'?" if close else f"; known are {', '.join(known)}"


def _unknown(data: Mapped[str, Any], shape: type, prefix: str) -> list[str]:
    known = [one.name for one in fields(shape)]
    return [f"unknown entry '{prefix}{entry}'{_nearest(entry, known)}" for entry in data if entry not in known]


def _source(value: Any) -> Any:
    if isinstance(value, str):
        return {"columns": [value]}
    return {"columns": value} if isinstance(value, list) else value


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _toml(name)


def _toml(value: Any) -> str:
    """TOML of strings, lists of strings and Sources; JSON's strings are TOML's, but for DEL."""
    if isinstance(value, Source):
        if not value.separator and not value.join:
            return _toml(value.columns[0] if len(value.columns) == 1 else list(value.columns))
        more = f", separator = {_toml(value.separator)}" if value.separator else ""
        more += ", join = true" if value.join else ""
        return f"{{ columns = {_toml(list(value.columns))}{more} }}"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
