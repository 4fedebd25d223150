"""Rows of a panel: their names, the places of points in them, and stacked bars."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from reports.style import INK, ON_BAR, PAPER, in_order

# The name and the colour of each part of a bar, by its column.
Looks = Mapping[str, tuple[str, str]]

# The most characters of a row's name in one line.
LONGEST_LINE = 16


def names_on_y(axes: Axes, names: Sequence[str]) -> None:
    """Label the rows of a panel, with the first row at the top."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)


def stacked(axes: Axes, variants: pd.Series, parts: pd.DataFrame, looks: Looks, label: str = "") -> None:
    """Draw a bar per variant from its `parts`; `looks` colours them, `label` formats sizes of 6 or more."""
    names = in_order(variants)
    table = parts.set_axis(variants.to_numpy(), axis=0).loc[names]
    left = np.zeros(len(names))
    for column, (_, colour) in looks.items():
        sizes = table[column].to_numpy()
        bars = axes.barh(names, sizes, left=left, color=colour, edgecolor=PAPER, linewidth=0.6, height=0.72)
        if label:
            texts = [label.format(size) if size >= 6 else "" for size in sizes]
            axes.bar_label(bars, texts, label_type="center", color=ON_BAR)
        left += sizes
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")


def totals(axes: Axes, ends: Sequence[float], texts: Sequence[str]) -> None:
    """Write a text behind the end of each bar."""
    for row, (end, text) in enumerate(zip(ends, texts, strict=True)):
        axes.annotate(text, (end, row), (6, 0), textcoords="offset points", va="center", color=INK)


def keys_of(looks: Looks, parts: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the name and the colour of each part that some bar has, for the legend."""
    return [look for column, look in looks.items() if (parts[column].fillna(0.0) != 0).any()]


def dodge(variants: pd.Series, room: float = 0.5) -> pd.Series:
    """Return an offset for each variant, so that equal values do not hide each other."""
    names = in_order(variants)
    return variants.map({name: room * ((i + 0.5) / len(names) - 0.5) for i, name in enumerate(names)})


def in_lines(name: str) -> str:
    """Return the name of a row in two lines where it is long: `memory,` above `forward + backward`."""
    return name.replace(", ", ",\n", 1) if len(name) > LONGEST_LINE else name
