"""``Field``, the declaration of a record's field, and functions of lists of declarations."""

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.records.kinds import OTHERS, SCALAR, Kind, Shape

UNITS = {"seconds": "s", "bytes": "B", "joules": "J"}


@dataclass(frozen=True)
class Field:
    """A field of a record."""

    path: str  # names that lead from the record, or from an object in a list, to the field, separated by dots
    kind: Kind  # the values that the field may have; an absent field or null was not measured
    text: str = ""  # description for docs/records.md
    unit: str = ""  # unit of a number
    column: str = ""  # name of the column in the report's frames; empty for no column
    heading: str = ""  # heading in the page's tables; empty for a field that they do not show
    written: str = "plain"  # format in the page's tables, a key of ``reports.tables.records.WRITTEN``
    main: bool = False  # whether the page's tables show the field at once, instead of on demand
    empty: Any = None  # value of the field while nothing is measured


def part(name: str, *fields: Field, prefix: str = "", unit: str = "") -> tuple[Field, ...]:
    """Return the fields of an object within a record, with their paths from the record.

    ``prefix`` begins the names of their columns; ``unit`` is the unit of fields that declare none.
    """

    def placed(field: Field) -> Field:
        column = field.column and prefix + field.column
        return replace(field, path=f"{name}.{field.path}", column=column, unit=field.unit or unit)

    return tuple(map(placed, fields))


def column(
    path: str, kind: Kind, text: str, heading: str = "", written: str = "plain", *, name: str = "", unit: str = ""
) -> Field:
    """Return a field that is a column of the report's frames; the column is called ``name``, or else ``path``."""
    return Field(path, kind, text, unit or UNITS.get(written, ""), name or path, heading, written)


def main_column(*arguments: Any, **options: Any) -> Field:
    """Return a ``column`` that the page's tables show at once."""
    return replace(column(*arguments, **options), main=True)


def others(text: str) -> Field:
    """Return the field that stands for all undeclared fields of an object."""
    return Field(OTHERS, SCALAR, text)


def empty(measured: Iterable[Field]) -> dict[str, Any]:
    """Return the measured part of a record in which nothing was measured.

    >>> from benchmarks.records.kinds import NUMBER, TEXTS
    >>> empty([Field("seconds.median", NUMBER), Field("epochs", TEXTS, empty=[])])
    {'seconds': None, 'epochs': []}
    """
    found: dict[str, Any] = {}
    for field in measured:
        name, _, rest = field.path.partition(".")
        found[name] = None if rest else copy(field.empty)
    return found


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
