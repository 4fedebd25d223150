"""The tables of every record: the first rows for the page, and all of them as data for its script."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from benchmarks.records.field import Field
from reports.tables.cells import Cell, Row, Table, cell, filled, minute, short
from reports.words import numbers
from reports.words.names import direction_name, group_name, spaced


def kinds(findings: Sequence[tuple[str, ...]]) -> str:
    return ", ".join(spaced(finding[0]) for finding in findings)


# How a field's values are written, by `written` in the field's declaration.
WRITTEN: Mapping[str, Callable[[Any], str]] = {
    "status": spaced,
    "group": group_name,
    "pass": direction_name,
    "seconds": numbers.seconds,
    "bytes": numbers.memory,
    "count": numbers.count,
    "share": numbers.percent,
    "joules": numbers.joules,
    "error": numbers.exponential,
    "minute": minute,
    "commit": short,
    "kinds": kinds,
}


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else numbers.general(value)


FILTERS = (
    "status",
    "of",
    "layer",
    "variant",
    "group",
    "pass",
    "noise",
    "data set",
    "network",
    "execution",
    "format",
    "machine",
)
# Headings of columns that are main columns where they have several values: rows that differ there are never alike.
APART = ("machine", "execution", "format")
# Headings of columns that say what was measured: one in which all records are alike is shown on demand.
AXES = (
    "status",
    "of",
    "layer",
    "variant",
    "group",
    "|H|",
    "width",
    "batch",
    "image",
    "kernel",
    "pass",
    "data set",
    "network",
)
# Headings of main columns behind the others, so that a laptop shows the time, its interval, n and the noise.
LATE = ("peak memory", "MACs, convolution", "message")
# The most rows that the page shows without scripts; the script has the data of all rows.
STATIC_ROWS = 400


@dataclass(frozen=True)
class RecordTable:
    """All records of one kind: the first ones as a table, and all as data for the script."""

    name: str
    table: Table
    number: int
    main: int
    filters: tuple[str, ...]  # headings of columns with few distinct values
    source: str  # JSON


def _cells(values: list[Any], show: Callable[[Any], str]) -> list[Cell]:
    """Make the cells of a column, in which many values are equal."""
    made = {value: cell(value, show) for value in set(values)}
    return [made[value] for value in values]


def record_table(
    frame: pd.DataFrame, fields: Iterable[Field], name: str, caption: str, linked: Collection[str] = ()
) -> RecordTable:
    """Return the table of all rows of a frame: failures first, then the records that the page links to.

    Main columns come first, without axes on which all records are alike; the others are shown on demand. Empty columns
    are left out. The frame's `anchor` becomes the id of the row.
    """
    fields = [field for field in fields if field.heading]
    alike = {
        field.heading for field in fields if field.heading in AXES and frame[field.column].nunique() == 1 < len(frame)
    }
    at_first = {field.heading for field in fields if field.main} - alike
    at_first |= {field.heading for field in fields if field.heading in APART and frame[field.column].nunique() > 1}
    headed = sorted(fields, key=lambda field: (field.heading not in at_first, field.heading in LATE))
    columns = filled([(field.heading, field.column, WRITTEN.get(field.written, _plain)) for field in headed], frame)
    keys = [key for key in ("layer", "direction", "variant", "resolution", "channels") if key in frame]
    frame = frame.assign(done=frame["status"].isin(["ok", "skipped"]), apart=~frame["anchor"].isin(linked))
    frame = frame.sort_values(["done", "apart", *keys], kind="stable")
    headings = [heading for heading, _, _ in columns]
    known = [column for _, column, _ in columns]
    main = sum(heading in at_first for heading in headings)
    failed = (~frame["done"]).tolist()
    cells = {column: _cells(frame[column].tolist(), show) for _, column, show in columns}
    rows = [
        Row(tuple(cells[column][i] for column in known), anchor, failed=bad)
        for i, (anchor, bad) in enumerate(zip(frame["anchor"][:STATIC_ROWS], failed, strict=False))
    ]
    filters = tuple(h for h in FILTERS if h in headings and 1 < len(set(_texts(cells[known[headings.index(h)]]))) <= 20)
    source = {
        "ids": frame["anchor"].tolist(),
        "failed": [int(bad) for bad in failed],
        "columns": [_column(heading, cells[column], i < main) for i, (heading, column, _) in enumerate(columns)],
    }
    return RecordTable(name, Table(caption, tuple(headings), tuple(rows)), len(frame), main, filters, _json(source))


def _texts(cells: Sequence[Cell]) -> list[str]:
    return [cell.text for cell in cells]


def _column(title: str, cells: Sequence[Cell], main: bool) -> dict[str, Any]:
    """Return a column as its distinct cells, and the index of the cell in each row."""
    distinct = {(cell.text, cell.key): None for cell in cells}
    index = {cell: i for i, cell in enumerate(distinct)}
    number = bool(cells) and cells[0].number
    found: dict[str, Any] = {"title": title, "number": number, "main": main, "texts": [text for text, _ in distinct]}
    if number:
        found["keys"] = [float(f"{float(key):.6g}") if key else None for _, key in distinct]
    return {**found, "at": [index[cell.text, cell.key] for cell in cells]}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
