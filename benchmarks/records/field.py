"""The declaration of a record's field, and what is derived from a list of declarations."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.records.kinds import Kind, Shape

UNITS = {"seconds": "s", "bytes": "B", "joules": "J"}


@dataclass(frozen=True)
class Field:
    """A field of a record.

    Args:
        path: names from the record to the field, with dots between them; within a list, of each of its objects.
        kind: the values that the field may have; null, or no field at all, means not measured.
        text: a description, for docs/records.md.
        unit: of a number.
        column: its name in the report's frames; empty for none.
        heading: its heading in the page's tables; empty for none.
        written: how the tables write it, a key of ``reports.tables.records.WRITTEN``.
        main: whether the tables show it at first, or on demand.
        empty: its value in a record of nothing measured.
    """

    path: str
    kind: Kind
    text: str = ""
    unit: str = ""
    column: str = ""
    heading: str = ""
    written: str = "plain"
    main: bool = False
    empty: Any = None


def part(name: str, *fields: Field) -> tuple[Field, ...]:
    """Return the fields of an object within a record, their paths beginning with its name."""
    return tuple(replace(field, path=f"{name}.{field.path}") for field in fields)


def column(
    path: str, kind: Kind, text: str, heading: str = "", written: str = "plain", *, name: str = "", unit: str = ""
) -> Field:
    """Return a field that is a column of the report's frames, by its own name or another one."""
    return Field(path, kind, text, unit or UNITS.get(written, ""), name or path, heading, written)


def main_column(*arguments: Any, **options: Any) -> Field:
    """Return a ``column`` that the page's tables show at first."""
    return replace(column(*arguments, **options), main=True)


def empty(measured: Iterable[Field]) -> dict[str, Any]:
    """Return the measured part of a record of which nothing was measured.

    >>> from benchmarks.records.kinds import NUMBER, TEXTS
    >>> empty([Field("seconds.median", NUMBER), Field("epochs", TEXTS, empty=[])])
    {'seconds': None, 'epochs': []}
    """
    found: dict[str, Any] = {}
    for field in measured:
        name, _, rest = field.path.partition(".")
        found[name] = None if rest else field.empty
    return {name: list(value) if isinstance(value, list) else value for name, value in found.items()}


def shape_of(fields: Iterable[Field]) -> Shape:
    """Return the kinds of the fields, nested as the fields are."""
    shape: dict[str, Any] = {}
    for field in fields:
        *parents, name = field.path.split(".")
        inner = shape
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[name] = field.kind
    return shape
