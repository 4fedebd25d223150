"""The tools of all figures: panels, lines and points in the looks of the variants, axes with readable ticks."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
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

from reports.figures.plots import Plot, Points
from reports.figures.svg import inline
from reports.frames.selection import along
from reports.style import MUTED, ON_BAR, PAPER, RC, in_order, look

# Inches at 8.5 pt text. Panels are narrow, so that their text is 12 px high where three of them stand beside each other
# on a laptop, and on a phone.
SMALL, PANEL = (2.75, 2.35), (3.1, 2.5)

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
    themselves. Several `small` panels fit into a row. A figure without data has no panel, and its takeaway says what
    is missing.
    """

    key: str
    title: str
    takeaway: str
    caption: str = ""
    panels: tuple[Markup, ...] = ()
    plots: tuple[Plot | None, ...] = ()
    legend: tuple[str, ...] = ()
    small: bool = False
    data: pd.DataFrame = field(default_factory=pd.DataFrame, compare=False)


@dataclass(frozen=True)
class Canvas:
    """The axes of one panel, its points, and their tooltips, by the gid of the matplotlib artist that draws them."""

    axes: Axes
    tips: dict[str, list[str]] = field(default_factory=dict)
    points: Points = field(default_factory=Points)


@dataclass(frozen=True)
class Drawing:
    """A figure whose panels are still being drawn; the takeaway is the description of every panel."""

    key: str
    title: str
    takeaway: str
    panels: list[Markup] = field(default_factory=list)
    plots: list[Plot | None] = field(default_factory=list)

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
    ) -> Iterator[Canvas]:
        """Draw a panel with the axis labels `x` and `y`.

        The panel's title, for screen readers, is the figure's title and `what`; `heading` stands above the axes. The
        panel's id is `key`, or else the figure's key and a number.
        """
        with plt.rc_context(RC):
            canvas = Canvas(plt.subplots(figsize=size, layout="constrained")[1])
            yield canvas
            canvas.axes.set_title(heading, pad=pad)
            canvas.axes.set(xlabel=x, ylabel=y)
            self.plots.append(canvas.points.plot(canvas.axes, self.title + what, (x, y)))
            drawn = canvas.axes.figure.get_figure(root=True)
            name = key or f"{self.key}-{len(self.panels)}"
            self.panels.append(inline(drawn, name, self.title + what, self.takeaway, canvas.tips))

    def figure(
        self, caption: str = "", variants: Iterable[str] = (), data: pd.DataFrame | None = None, **sizes: bool
    ) -> Figure:
        """Return the figure of all panels, with a legend of these variants."""
        data, legend = pd.DataFrame() if data is None else data, tuple(in_order(variants))
        panels, plots = tuple(self.panels), tuple(self.plots)
        return Figure(self.key, self.title, self.takeaway, caption, panels, plots, legend, **sizes, data=data)


def names_on_y(axes: Axes, names: Sequence[str]) -> None:
    """Label the rows of a panel, with the first row at the top."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)


def palette(variants: list[str]) -> dict[str, str]:
    return {variant: look(variant).colour for variant in variants}


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
) -> None:
    """Draw a line per variant through `estimator` of y at each x, with the range of y as bars or as a band.

    `tip` makes the tooltip of a point from its variant, x, y, `low`, `high` and `n`.
    """
    data = data.dropna(subset=[x, y])
    variants = in_order(data["variant"])
    sns.lineplot(
        data,
        x=x,
        y=y,
        hue="variant",
        hue_order=variants,
        palette=palette(variants),
        estimator=estimator,
        errorbar=("pi", 100),
        err_style="bars" if bars else "band",
        err_kws={} if bars else {"alpha": 0.18, "linewidth": 0},
        legend=False,
        linestyle=linestyle,
        ax=canvas.axes,
    )
    grouped = data.groupby(["variant", x], sort=False)[y]
    points = grouped.agg(y=estimator, low="min", high="max", n="count").reset_index()
    points = points.rename(columns={x: "x"})
    scatter(canvas, points, "x", "y", 26 if marks else 9, tip, line=linestyle)


def scatter(
    canvas: Canvas, data: pd.DataFrame, x: str, y: str, size: float, tip: Tip, alpha: float = 1.0, *, line: str = ""
) -> None:
    """Draw the points of every variant in its own colour and marker; `line` is the style of the line through them."""
    known = data.dropna(subset=[x, y])
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
        palette=palette(variants),
        markers={variant: look(variant).marker for variant in variants},
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
        colour = look(str(variant)).colour
        canvas.axes.errorbar(rows[x], rows[y], **kind, fmt="none", color=colour, linewidth=1, alpha=alpha)


def thinned(data: pd.DataFrame) -> pd.DataFrame:
    """Keep at most `MOST_MARKS` rows, every k-th, because thousands of marks would hide each other."""
    return data if len(data) <= MOST_MARKS else data.iloc[:: -(-len(data) // MOST_MARKS)]


def stacked(
    axes: Axes, variants: pd.Series, parts: pd.DataFrame, looks: dict[str, tuple[str, str]], label: str = ""
) -> None:
    """Draw a bar per variant from its `parts`; `looks` names and colours them, `label` formats sizes of 6 or more."""
    names = in_order(variants)
    table = parts.set_axis(variants.to_numpy(), axis=0).loc[names]
    left = np.zeros(len(names))
    for column, (name, colour) in looks.items():
        sizes = table[column].to_numpy()
        if not sizes.any():
            continue
        bars = axes.barh(names, sizes, left=left, color=colour, edgecolor=PAPER, linewidth=0.6, height=0.72, label=name)
        if label:
            texts = [label.format(size) if size >= 6 else "" for size in sizes]
            axes.bar_label(bars, texts, label_type="center", color=ON_BAR)
        left += sizes
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.figure.legend(loc="outside lower center", ncols=2, handlelength=0.8, handletextpad=0.3, columnspacing=0.5)


def dodge(variants: pd.Series, room: float = 0.5) -> pd.Series:
    """Return an offset for each variant, so that equal values do not hide each other."""
    names = in_order(variants)
    return variants.map({name: room * ((i + 0.5) / len(names) - 0.5) for i, name in enumerate(names)})


def along_with_plain(rows: pd.DataFrame, base: dict[str, object], axis: str) -> pd.DataFrame:
    """Return the rows along one axis through the base point; plain, which has no |H|, is repeated at each |H|."""
    slice_ = along(rows, base, axis)
    if axis != "resolution":
        return slice_
    plain, others = slice_[slice_["variant"] == "plain"], slice_[slice_["variant"] != "plain"]
    repeated = [plain.assign(resolution=value) for value in sorted(set(others["resolution"]))] or [plain]
    return pd.concat([*repeated, others])


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
