"""Frames as files for other programs: flat tables with one name per column, numbers as numbers."""

import io
import math
import re
from collections.abc import Callable
from csv import writer as csv_writer
from functools import lru_cache
from typing import Any

import pandas as pd
from pandas.api.types import is_numeric_dtype, is_object_dtype

from benchmarks.records.printable import printable
from reports.figures.draw import Figure
from reports.frames.frames import Frames


def named(data: Frames) -> list[tuple[str, str, pd.DataFrame]]:
    """Return the name of each frame's file, the meaning of a row, and the frame."""
    return [
        ("costs", "one row per cost record", data.costs),
        ("runs", "one row per training run", data.runs),
        ("epochs", "one row per epoch of a run", data.epochs),
        ("twins", "one row per A/A pair", data.twins),
    ]


def tidy(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame of numbers and texts, without the columns that only the page needs."""
    flat = frame.drop(columns="anchor", errors="ignore")
    texts = [name for name in flat if is_object_dtype(flat[name])]
    return flat.assign(**{str(name): flat[name].map(_flat) for name in texts})


def csv(frame: pd.DataFrame) -> str:
    """Return a frame as CSV, made tidy first."""
    return as_csv(tidy(frame))


# A text that begins with one of these, after blanks or characters without a width, is a formula to a spreadsheet, which
# would compute it.
FORMULA = re.compile(r"[\s\ufeff\u00ad\u200b-\u200f\u2060-\u2064]*[=+\-@＝＋－＠]")


def as_csv(frame: pd.DataFrame, written: Callable[[float], str] = repr) -> str:
    """Return a flat frame as CSV, in which a text cannot begin a formula or a new row.

    A text that a spreadsheet would compute gets an apostrophe in front of it. A number that is missing or infinite is
    an empty cell, because what has no end has no number. `written` writes the other numbers that may have decimals.
    """

    @lru_cache(maxsize=None, typed=True)  # columns repeat their values; 1, 1.0 and True are written differently
    def cell(value: Any) -> str:
        if isinstance(value, str):
            return _not_computed(value)
        if isinstance(value, float):
            return written(value) if math.isfinite(value) else ""
        return "" if pd.isna(value) else str(value)

    text = io.StringIO()
    writer = csv_writer(text, lineterminator="\n")
    writer.writerow([_not_computed(str(name)) for name in frame])
    writer.writerows(zip(*(map(cell, frame[name].tolist()) for name in frame), strict=True))
    return text.getvalue()


def _not_computed(value: str) -> str:
    text = printable(value, len(value))  # a carriage return would begin a new row
    return f"'{text}" if FORMULA.match(text) else text


def _flat(value: Any) -> Any:
    """Return a tuple as text: numbers separated by spaces, tuples by semicolons, and their parts by colons."""
    if not isinstance(value, tuple):
        return value
    nested = any(isinstance(part, tuple) for part in value)
    return "; ".join(": ".join(map(str, part)) for part in value) if nested else " ".join(map(repr, value))


# Columns that are left out of the file of a figure, because the files of all records have them.
RAW = (
    "round_medians",
    "findings",
    "missing",
    "first",
    "second",
    "anchor",
    "message",
    "macs_unsupported",
    "redundancy",
    "operators",
)


def figure_csv(figure: Figure) -> str:
    """Return the data of a figure as CSV: without empty columns, with as many digits as a plot can show."""
    frame = figure.data.drop(columns=[name for name in figure.data if str(name).removesuffix("_ours") in RAW])
    empty = [name for name in frame if _is_empty(frame[name])]
    return as_csv(frame.drop(columns=empty), "{:.6g}".format)


def _is_empty(column: pd.Series) -> bool:
    """Return whether a column has only missing values, or only texts without a character."""
    if is_numeric_dtype(column):
        return bool(column.isna().all())
    return not any(str(value) for value in column) or bool(column.isna().all())
