"""The tools of all figures: panels, lines and points in the looks of the variants, axes with readable ticks."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import matplotlib as mpl

mpl.use("svg")  # needs no display

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from reports.figures.labels import Label, place
from reports.figures.plots import Plot, Points
from reports.figures.svg import frame, inline
from reports.style import MUTED, PAPER, RC, Look, in_order, look

# Width and height of a panel in inches, at 8.5 pt text, by a name that the style sheet knows: the page shows that text
# 12 to 14 px high. A wide panel is as wide as a phone, a large one a third of a laptop's page, a small one less.
SIZES = {"wide": (3.5, 2.6), "large": (3.1, 2.5), "small": (2.75, 2.35)}

FAINT = 0.4
MOST_MARKS = 400
AXIS_LABELS = {
    "resolution": "group resolution |H|",
    "channels": "width (channels)",
    "batch_size": "batch size (images)",
    "image_size": "image size (pixels)",
    "kernel_size": "kernel size (pixels)",
}


@dataclass(frozen=True)
class Figure:
    """A row of panels, one `<svg>` each, so that the page can stack them on a phone.

    `plots` are the same panels as data, where they can be charts. `takeaway` is generated from the data; `caption`
    explains points, spread and n; `legend` lists variants. `data` has the drawn numbers, for readers who draw them
    themselves; `keys` are the names and colours of the parts of bars. `width` is the name of the panels' size. A figure
    without data has no panel, and its takeaway says what is missing. `looks` names the looks of users' layers and
    networks, by their factories.
    """

    key: str
    title: str
    takeaway: str
    caption: str = ""
    panels: tuple[Markup, ...] = ()
    plots: tuple[Plot | None, ...] = ()
    legend: tuple[str, ...] = ()
    keys: tuple[tuple[str, str], ...] = ()
    width: str = "large"
    data: pd.DataFrame = field(default_factory=pd.DataFrame, compare=False)
    looks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Canvas:
    """The axes of one panel, its points, and their tooltips, by the gid of the matplotlib artist that draws them.

    `named` are attributes of the drawn elements for the page's script, by gid; `labels` are names of points, for
    which places are found when all else is drawn. `price` names the cost across the axis, if there is one.
    """

    axes: Axes
    tips: dict[str, list[str]] = field(default_factory=dict)
    points: Points = field(default_factory=Points)
    named: dict[str, dict[str, str]] = field(default_factory=dict)
    labels: list[Label] = field(default_factory=list)
    price: str = ""
    looks: Mapping[str, str] = field(default_factory=dict)

    def look(self, name: str) -> Look:
        """Return the look of a variant, or of a user's layer or network by its factory."""
        return look(self.looks.get(name, name))


@dataclass(frozen=True)
class Drawing:
    """A figure whose panels are still being drawn; the takeaway is the description of every panel.

    `looks` are those of users' layers and networks, by their factories, as ``style.own_looks`` returns them.
    """

    key: str
    title: str
    takeaway: str
    looks: Mapping[str, str] = field(default_factory=dict)
    panels: list[Markup] = field(default_factory=list)
    plots: list[Plot | None] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)

    @contextmanager
    def panel(
        self,
        size: tuple[float, float],
        x: str,
        y: str,
        what: str = "",
        *,
        heading: str = "",
        pad: float | None = None,
        key: str = "",
        price: str = "",
    ) -> Iterator[Canvas]:
        """Draw a panel with the axis labels `x` and `y`.

        The panel's title, for screen readers, is the figure's title and `what`; `heading` stands above the axes. The
        panel's id is `key`, or else the figure's key and a number. `price` is the column of the cost across the axis,
        for which the page's readers may set a budget.
        """
        with plt.rc_context(RC):
            canvas = Canvas(plt.subplots(figsize=size, layout="constrained")[1], price=price, looks=self.looks)
            labels = {"xlabel": x, "ylabel": y}
            canvas.axes.set(**labels)  # without a label, seaborn would make all ticks to see whether it may write one
            yield canvas
            canvas.axes.set_title(heading, pad=pad)
            canvas.axes.set(**labels)  # again: seaborn names an axis whose label is empty after the column
            place(canvas.axes, canvas.labels, [(point[1], point[2]) for point in canvas.points.rows])
            self.plots.append(canvas.points.plot(canvas.axes, self.title + what, (x, y), price, self.looks))
            self.widths.append(size[0])
            drawn = canvas.axes.figure.get_figure(root=True)
            name = key or f"{self.key}-{len(self.panels)}"
            about = {"data-price": price, **frame(canvas.axes)} if price else {}
            self.panels.append(inline(drawn, name, self.title + what, self.takeaway, canvas.tips, canvas.named, about))

    def figure(
        self,
        caption: str = "",
        variants: Iterable[str] = (),
        data: pd.DataFrame | None = None,
        keys: Iterable[tuple[str, str]] = (),
    ) -> Figure:
        """Return the figure of all panels, with a legend of these variants, or of these parts of bars."""
        data, legend = pd.DataFrame() if data is None else data, tuple(in_order(variants))
        panels, plots, used = tuple(self.panels), tuple(self.plots), tuple(dict.fromkeys(keys))
        width = next((name for name, size in SIZES.items() if size[0] == max(self.widths, default=0)), "large")
        about = (self.key, self.title, self.takeaway, caption)
        return Figure(*about, panels, plots, legend, used, width, data, self.looks)


def size_of(panels: int, *, small: bool = False, height: float = 0.0) -> tuple[float, float]:
    """Return the size of each panel of a figure: wide where there are one or two; `small` where several fit a row."""
    width, usual = SIZES["wide" if panels <= 2 else "small" if small else "large"]
    return width, height or usual


Tip = Callable[[pd.Series], str]


def lines(
    canvas: Canvas,
    data: pd.DataFrame,
    x: str,
    y: str,
    estimator: str,
    tip: Tip,
    *,
    bars: bool = True,
    marks: bool = True,
    linestyle: str = "-",
    band: float = 0.18,
    floor: float = -math.inf,
) -> None:
    """Draw a line per variant through `estimator` of y at each x, with the range of y as bars or as a band.

    `tip` makes the tooltip of a point from its variant, x, y, `low`, `high` and `n`. `band` is the opacity of a band;
    points below `floor`, where the axis begins, have no mark.
    """
    grouped = data.dropna(subset=[x, y]).groupby(["variant", x], sort=False)[y]
    points = grouped.agg(y=estimator, low="min", high="max", n="count").reset_index()
    points = points.rename(columns={x: "x"})
    for variant in in_order(points["variant"]):
        line, colour = points[points["variant"] == variant].sort_values("x"), canvas.look(variant).colour
        canvas.axes.plot(line["x"], line["y"], color=colour, linestyle=linestyle)
        if bars:
            ends = line["y"] - line["low"], line["high"] - line["y"]
            canvas.axes.errorbar(line["x"], line["y"], yerr=ends, fmt="none", color=colour)
        else:
            canvas.axes.fill_between(line["x"], line["low"], line["high"], color=colour, alpha=band, linewidth=0)
    scatter(canvas, points, "x", "y", 26 if marks else 9, tip, line=linestyle, floor=floor)


def scatter(
    canvas: Canvas,
    data: pd.DataFrame,
    x: str,
    y: str,
    size: float,
    tip: Tip,
    alpha: float = 1.0,
    *,
    line: str = "",
    floor: float = -math.inf,
) -> None:
    """Draw the points of every variant in its own colour and marker; `line` is the style of the line through them.

    Points below `floor` are in the chart that readers may open, and are not drawn.
    """
    known = data.dropna(subset=[x, y])
    below = known[known[y] < floor]
    canvas.points.add(below, x, y, [tip(row) for _, row in below.iterrows()], line)
    known = known.drop(below.index)
    data = thinned(known)
    if data.empty:
        return
    if len(data) < len(known):
        text = f"{len(data)} of {len(known)} points drawn"
        canvas.axes.annotate(text, (0.99, 0.01), xycoords="axes fraction", ha="right", color=MUTED)
    variants = in_order(data["variant"])
    before = len(canvas.axes.collections)
    sns.scatterplot(
        data,
        x=x,
        y=y,
        hue="variant",
        style="variant",
        hue_order=variants,
        style_order=variants,
        palette={variant: canvas.look(variant).colour for variant in variants},
        markers={variant: canvas.look(variant).marker for variant in variants},
        edgecolor=PAPER,
        linewidth=0.5,
        alpha=alpha,
        s=size,
        legend=False,
        zorder=3,
        ax=canvas.axes,
    )
    gid = f"points{len(canvas.tips)}"
    canvas.axes.collections[before].set_gid(gid)
    canvas.tips[gid] = [tip(row) for _, row in data.iterrows()]
    canvas.points.add(data, x, y, canvas.tips[gid], line)


def spread(canvas: Canvas, data: pd.DataFrame, x: str, y: str, *, of: str = "y", alpha: float = 1.0) -> None:
    """Draw bars from `low` to `high`, in the colours of the variants; points with an unknown bound have no bar."""
    data = thinned(data.dropna(subset=[x, y]))
    middle = data[x] if of == "x" else data[y]
    below, above = middle - data["low"], data["high"] - middle
    for variant, rows in data[np.isfinite(below) & np.isfinite(above)].groupby("variant", sort=False):
        kind: dict[str, Any] = {f"{of}err": [below[rows.index], above[rows.index]]}
        colour = canvas.look(str(variant)).colour
        canvas.axes.errorbar(rows[x], rows[y], **kind, fmt="none", color=colour, linewidth=1, alpha=alpha)


def thinned(data: pd.DataFrame) -> pd.DataFrame:
    """Keep at most `MOST_MARKS` rows, every k-th, because thousands of marks would hide each other."""
    return data if len(data) <= MOST_MARKS else data.iloc[:: -(-len(data) // MOST_MARKS)]


def axis_limits(values: pd.DataFrame) -> tuple[float, float]:
    """Return limits of a log axis with a margin around all values; the limits are at least a factor of two apart."""
    flat = values.to_numpy(dtype=float).ravel()
    flat = flat[np.isfinite(flat) & (flat > 0)]
    low, high = (float(flat.min()), float(flat.max())) if len(flat) else (1.0, 1.0)
    air = max((high / low) ** 0.06, 1.1 if high > 1.7 * low else 1.5)
    return low / air, high * air


def log_ticks(axis: Axis, bounds: tuple[float, float], form: str) -> None:
    """Set ticks at 1, 2 and 5 of each decade: more if there are under 0.7 decades, fewer from 1.4 decades on."""
    decades = math.log10(bounds[1] / bounds[0])
    subs = (1, 1.5, 2, 3, 5, 7) if decades < 0.7 else (1, 2, 5) if decades < 1.4 else (1, 3) if decades < 2.2 else (1,)
    axis.set_major_locator(LogLocator(subs=subs, numticks=8))
    axis.set_minor_locator(NullLocator())
    short = FuncFormatter(lambda value, _: form.format(value).replace("e-0", "e-").replace("e+0", "e"))
    axis.set_major_formatter(short)


def log_y(axes: Axes, bounds: tuple[float, float], form: str = "{:,g}") -> None:
    axes.set(yscale="log", ylim=bounds)
    log_ticks(axes.yaxis, bounds, form)


def log_x(axes: Axes, bounds: tuple[float, float], form: str = "{:,g}") -> None:
    axes.set(xscale="log", xlim=bounds)
    log_ticks(axes.xaxis, bounds, form)


def steps_x(axes: Axes, values: Sequence[float] | pd.Series) -> None:
    """Make a log axis with its ticks exactly where something was measured."""
    steps = sorted(set(values))
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator(steps))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    if len(steps) == 1:
        axes.set_xlim(steps[0] / 2, steps[0] * 2)
