"""Cells, rows and tables, and how a value becomes a cell."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

# A cell of more characters is prose, whose lines break.
LONGEST_WORDS = 40


@dataclass(frozen=True)
class Cell:
    """A cell shows `text`, with `note` below, and sorts by `key`: numbers as numbers, missing ones last."""

    text: str
    key: str
    number: bool = False
    link: str = ""
    note: str = ""
    look: str = ""  # the variant whose marker stands before the text
    name: str = ""  # an HTML class, for the script

    @cached_property
    def classes(self) -> str:
        """The HTML classes of the cell."""
        kinds = {"number": self.number, "prose": len(self.text) > LONGEST_WORDS}
        return " ".join(filter(None, [self.name, *(kind for kind, holds in kinds.items() if holds)]))


@dataclass(frozen=True)
class Row:
    """The cells of a row, and the id by which links find the row."""

    cells: tuple[Cell, ...]
    anchor: str = ""
    failed: bool = False
    data: Mapping[str, str] = field(default_factory=dict)  # data attributes, for the script


@dataclass(frozen=True)
class Table:
    """A caption, headings, and the rows under them."""

    caption: str
    headings: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def anchors(self) -> set[str]:
        """The row ids of the records that the table links to."""
        return {cell.link.removeprefix("#") for row in self.rows for cell in row.cells if cell.link}


# For each column: the heading, the name in the frame, and the function that writes a value.
Columns = Sequence[tuple[str, str, Callable[[Any], str]]]


def cell(value: Any, show: Callable[[Any], str]) -> Cell:
    """Make the cell of a value: texts sort as they are, tuples as they are shown, numbers by their exact value."""
    if isinstance(value, str):
        return Cell(show(value), value)
    if isinstance(value, tuple):
        return Cell(show(value), show(value))
    return Cell(show(value), repr(value) if math.isfinite(value) else "", number=True)


def number_cell(text: str, value: Any) -> Cell:
    """Make the cell of a number that is written as `text`."""
    return Cell(text, repr(float(value)) if math.isfinite(value) else "", number=True)


def filled(columns: Columns, frame: pd.DataFrame) -> Columns:
    """Keep the columns that have at least one value."""
    return [
        column
        for column in columns
        if frame[column[1]].map(lambda value: value not in ("", ()) and value == value).any()
    ]


def minute(time: str) -> str:
    """Return an ISO-8601 time without its seconds."""
    return time[:16].replace("T", " ")


def short(commit: str) -> str:
    return commit[:10]
