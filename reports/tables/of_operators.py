"""The tables of the operators of a pass, and of the time until a module's first answer."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from reports.frames.selection import own_named
from reports.style import in_order
from reports.tables.cells import Cell, Columns, Row, Table, cell, number_cell
from reports.words import numbers
from reports.words.names import LAYER_WORDS, direction_name, ordered_directions
from reports.words.of_operators import NOT_RECORDED


def operators(parts: pd.DataFrame) -> Table:
    """Show every operator of the passes at the base point: share and time, calls, MACs and bytes."""
    columns: Columns = [
        ("layer", "variant", str),
        ("pass", "direction", direction_name),
        ("operator", "operator", str),
        ("phase", "phase", str),
        ("share", "share", numbers.percent),
        ("own time", "seconds", numbers.seconds),
        ("calls", "calls", numbers.general),
        ("MACs", "macs", numbers.count),
        ("bytes", "bytes", numbers.memory),
    ]
    rows = []
    for direction in ordered_directions(parts["direction"]):
        mine = parts[parts["direction"] == direction]
        for variant in in_order(mine["variant"]):
            for part in mine[mine["variant"] == variant].to_dict("records"):
                cells = [cell(part[column], show) for _, column, show in columns]
                rows.append(Row((Cell(variant, variant, look=variant), *cells[1:])))
    return Table("The operators of a pass at the base point", tuple(heading for heading, _, _ in columns), tuple(rows))


def first_answers(rows: pd.DataFrame, looks: Mapping[str, str]) -> Table:
    """Show how long each module takes until its first answer; a table without rows if no record has these times.

    Args:
        looks: of users' layers and networks, by their factories.
    """
    headings = ("of", "kind", "|H|", "pass", "construction", "first call", "together", "a later pass")
    known = rows["answer_seconds"].notna().any()
    shown = [_first_answer(row, looks) for row in _in_order(rows.assign(name=own_named(rows)))] if known else []
    return Table("Until the first answer", headings, tuple(shown))


def _in_order(rows: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield layers before networks, and of each kind the passes and the names in their order."""
    for layer in sorted(set(rows["layer"]), key=lambda name: (name != "conv", name)):
        for direction in ordered_directions(rows["direction"]):
            mine = rows[(rows["layer"] == layer) & (rows["direction"] == direction)]
            for name in in_order(mine["name"]):
                yield from mine[mine["name"] == name].to_dict("records")


def _first_answer(row: dict[str, Any], looks: Mapping[str, str]) -> Row:
    link = f"#{row['anchor']}" if row.get("anchor") else ""
    return Row(
        (
            cell(LAYER_WORDS.get(row["layer"], row["layer"]), str),
            Cell(row["name"], row["name"], look=looks.get(row["name"], row["variant"])),
            cell(row["resolution"], numbers.general),
            cell(row["direction"], direction_name),
            *(_time(row[name]) for name in ("construction_seconds", "first_call_seconds", "answer_seconds")),
            Cell(numbers.seconds(row["seconds"]), repr(row["seconds"]), number=True, link=link),
        )
    )


def _time(value: Any) -> Cell:
    return number_cell(numbers.seconds(value) if math.isfinite(value) else NOT_RECORDED, value)
