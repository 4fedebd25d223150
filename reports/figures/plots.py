"""The data of a panel for an interactive chart: its points with their texts, and which of its axes are logarithmic."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

# Numbers keep this many significant digits, which is finer than any screen.
DIGITS = 6


@dataclass(frozen=True)
class Plot:
    """A panel as data.

    Args:
        title: the panel's title.
        labels: of both axes.
        scales: of both axes, "linear" or "log".
        points: for each point its variant, x, y, the ends of its interval along y (None without one), the name of the
            line that joins it to others of its variant (empty without one), its text, and the ends of its interval
            along x, if points of the panel have such intervals.
        price: the column of the cost across the axis, if readers may set a budget for it.
        front: x and y of the corners of the dashed line through the points that are on a front.
        looks: the looks of users' layers and networks, by their factories.
    """

    title: str
    labels: tuple[str, str]
    scales: tuple[str, str]
    points: tuple[tuple[Any, ...], ...]
    price: str = ""
    front: tuple[tuple[float | None, float | None], ...] = ()
    looks: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        """Return the plot as an object for the page's script."""
        found: dict[str, Any] = {"title": self.title, "labels": self.labels, "scales": self.scales}
        if self.price:
            found |= {"price": self.price, "front": self.front}
        if self.looks:
            found["looks"] = self.looks
        return {**found, "points": self.points}


@dataclass
class Points:
    """The points of a panel that is being drawn."""

    rows: list[tuple[Any, ...]] = field(default_factory=list)
    front: list[tuple[float | None, float | None]] = field(default_factory=list)

    def add(self, data: pd.DataFrame, x: str, y: str, tips: list[str], line: str) -> None:
        """Add points with the columns `variant`, `x`, `y` and, if they have an interval along y, `low` and `high`.

        An interval along x is in `left` and `right`.
        """
        ends = ("low", "high") if {"low", "high"} <= set(data.columns) else (None, None)
        sides = ("left", "right") if {"left", "right"} <= set(data.columns) else ()
        for (_, row), tip in zip(data.iterrows(), tips, strict=True):
            low, high = (None if end is None else _number(row[end]) for end in ends)
            across = [_number(row[side]) for side in sides]
            self.rows.append((str(row["variant"]), _number(row[x]), _number(row[y]), low, high, line, tip, *across))

    def join(self, xs: Iterable[float], ys: Iterable[float]) -> None:
        """Keep the corners of the line through the front."""
        self.front += [(_number(x), _number(y)) for x, y in zip(xs, ys, strict=True)]

    def plot(
        self, axes: Axes, title: str, labels: tuple[str, str], price: str, looks: Mapping[str, str]
    ) -> Plot | None:
        """Return the plot of these points on the axes that are drawn; None where points are too few for one.

        Axes whose ticks are names are left to the drawing.
        """
        if len(self.rows) < 2 or (axes.get_yscale() == "linear" and _has_names(axes)):
            return None
        scales = axes.get_xscale(), axes.get_yscale()
        drawn = {name: look for name, look in looks.items() if any(row[0] == name for row in self.rows)}
        return Plot(title, labels, scales, tuple(self.rows), price, tuple(self.front), drawn)


def plots_json(plots: tuple[Plot | None, ...]) -> str:
    """Return the plots of a figure as JSON; empty where no panel has one."""
    found = [plot.json() for plot in plots if plot is not None]
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")) if found else ""


def _number(value: float) -> float | None:
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None


def _has_names(axes: Axes) -> bool:
    """Return whether a tick of the axis y is a name."""
    return any(label.get_text() and not _is_number(label.get_text()) for label in axes.get_yticklabels())


def _is_number(text: str) -> bool:
    try:
        float(text.replace("−", "-").replace(",", "").rstrip("×%"))
    except ValueError:
        return False
    return True
