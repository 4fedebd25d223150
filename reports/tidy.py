"""Frames as files that others read: flat, one name a column, numbers as numbers."""

from typing import Any

import pandas as pd
from pandas.api.types import is_object_dtype

from reports.figures import Figure
from reports.frames import Frames


def named(data: Frames) -> list[tuple[str, str, pd.DataFrame]]:
    """The frames by the names of their files, with what a row is."""
    return [
        ("costs", "one row per cost record", data.costs),
        ("runs", "one row per training run", data.runs),
        ("epochs", "one row per epoch of a run", data.epochs),
        ("twins", "one row per A/A pair", data.twins),
    ]


def tidy(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame of numbers and texts, without what only the page needs."""
    flat = frame.drop(columns="anchor", errors="ignore")
    texts = [name for name in flat if is_object_dtype(flat[name])]
    return flat.assign(**{str(name): flat[name].map(_flat) for name in texts})


def csv(frame: pd.DataFrame) -> str:
    """A tidy frame as text."""
    return tidy(frame).to_csv(index=False)


def _flat(value: Any) -> Any:
    """A tuple as text: numbers apart by spaces, the parts of tuples in it by colons and themselves by semicolons."""
    if not isinstance(value, tuple):
        return value
    nested = any(isinstance(part, tuple) for part in value)
    return "; ".join(": ".join(map(str, part)) for part in value) if nested else " ".join(map(repr, value))


# What a figure's own file leaves out: the raw material is in the files of all records.
RAW = ("round_medians", "findings", "missing", "first", "second", "anchor", "message", "macs_unsupported", "redundancy")


def figure_csv(figure: Figure) -> str:
    """The data of a figure as a file: columns that say something, with the digits that a plot can use."""
    frame = figure.data.drop(columns=[name for name in figure.data if str(name).removesuffix("_ours") in RAW])
    same = [name for name in frame if frame[name].isna().all() or (frame[name].astype(str) == "").all()]
    return frame.drop(columns=same).to_csv(index=False, float_format="%.6g")
