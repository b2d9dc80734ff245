"""A mapping suggested from the header of a file.

Rule: a column is taken only where its whole name is a usual one (usual.py); columns about the mother or child
match nothing, and where a file speaks of a father or partner, only his columns are taken.
"""

from __future__ import annotations

from collections.abc import Sequence

from linkage.errors import ColumnsError
from linkage.intake import usual
from linkage.intake.mapping import AnchorColumns, Mapping, Source, nearest
from linkage.schema import Field, Kind, Schema


def suggest(columns: Sequence[str], schema: Schema) -> Mapping:
    """The mapping that the columns' names suggest; fields without a column are left out.

    Raises ColumnsError where no column can be the id, or none a required field; it names what was looked for.
    """
    header = _Header(columns)
    anchor = header.anchor()
    id_column = header.best(usual.ID, plain=True)
    full = header.sources(usual.FULL, most=8)
    fields = {field.name: source for field in schema.fields if (source := _source(header, field, schema))}
    names = {field.name for field in schema.fields if field.kind in (Kind.FORENAME, Kind.SURNAME)}
    # A full name is only needed beside its parts where it holds further ones.
    if full and names <= set(fields):
        full = tuple(column for column in full if "alias" in usual.bare(column))
    middle = header.sources(usual.MIDDLE, most=2)
    faults = [] if id_column else [_wanted("the id of a row", usual.ID[:12], columns)]
    absent = [field for field in schema.fields if field.name not in fields and not (full and field.name in names)]
    faults += [_wanted(f"field '{one.name}'", _usual(one)[:8], columns) for one in absent if one.required]
    if faults or id_column is None:
        raise ColumnsError(
            faults[0] if len(faults) == 1 else "columns are missing",
            "write a mapping file that names the columns, as in configs/mappings",
            faults,
        )
    return Mapping(
        id=id_column,
        fields=fields,
        full_name=Source(full) if full and names else None,
        middle_names=Source(middle) if middle and schema.index(Kind.FORENAME) is not None else None,
        anchor=anchor,
    )


class _Header:
    """The columns of a file by their bare names; whose they are is told by their prefixes."""

    def __init__(self, columns: Sequence[str]) -> None:
        open_columns = [column for column in columns if not usual.is_free_text(column)]
        self.plain = {usual.bare(column): column for column in open_columns}
        self.fathers = {
            name.removeprefix(prefix): column
            for prefix in reversed(usual.FATHER)  # the longest prefix has the last word
            for name, column in self.plain.items()
            if name.startswith(prefix) and name.removeprefix(prefix)
        }
        # "father_dob" beside "dob": the second is somebody else's.
        about = set().union(*usual.PEOPLE.values(), usual.FULL, usual.MIDDLE, *usual.IDENTIFIERS.values())
        self.people = self.fathers if about & set(self.fathers) else self.plain

    def best(self, names: Sequence[str], *, plain: bool = False) -> str | None:
        """The column with the most usual of some names; of the father's first."""
        both = (self.fathers, self.plain) if plain else (self.people,)
        return next((held[name] for held in both for name in names if name in held), None)

    def sources(self, names: Sequence[str], most: int) -> tuple[str, ...]:
        """The best column, then those of further values ("alias_", "previous_", "2"), at most so many."""
        first = self.best(names)
        if first is None:
            return ()
        found = [first]
        for name in names:
            numbered = [f"{name}{number}" for number in range(1, 6)]
            prefixed = [f"{prefix}{name}" for prefix in usual.FURTHER]
            found.extend(self.people[one] for one in (name, *numbered, *prefixed) if one in self.people)
        return tuple(dict.fromkeys(found))[:most]

    def anchor(self) -> AnchorColumns | None:
        """The columns of an anchor file, where a child's id is among them."""
        found = {
            entry: next((self.plain[name] for name in names if name in self.plain), "")
            for entry, names in usual.ANCHOR.items()
        }
        return AnchorColumns(**found) if found["child_id"] else None


def _source(header: _Header, field: Field, schema: Schema) -> Source | None:
    names = _usual(field)
    if field.kind is Kind.TEXT and field.name != "address" and len(schema.indices(Kind.TEXT)) > 1:
        names = [usual.bare(field.name), *(usual.TOWNS if usual.bare(field.name) in usual.TOWNS else [])]
    # Names are not widened to aliases where only one value travels; other kinds neither.
    columns = header.sources(names, field.values)
    return Source(columns) if columns else None


def _usual(field: Field) -> list[str]:
    """Usual bare names of a field's column, the agreement's own name for it first."""
    more = usual.PEOPLE.get(field.kind, []) if field.kind is not Kind.IDENTIFIER else []
    more = usual.IDENTIFIERS.get(usual.scheme(field), more)
    return list(dict.fromkeys([usual.bare(field.name), *more]))


def _wanted(what: str, names: Sequence[str], columns: Sequence[str]) -> str:
    close = next((text for name in names if (text := nearest(name, columns))), "")
    return f"no column for {what}: looked for {', '.join(names)}{close}"
