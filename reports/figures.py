"""The figures, drawn with seaborn. Each is a function of frames and says what it shows in one generated sentence.

A figure is a row of panels, one `<svg>` each, so that the page can stack them on a phone. Without data it has no
panel, and the sentence says what is missing.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import matplotlib as mpl

mpl.use("svg")  # no display needed, and none looked for

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from reports import analysis, wording
from reports.frames import MEMORY_PARTS, Frames, complete
from reports.style import (
    BACKWARD,
    CONVOLUTION,
    GENERATION,
    INK,
    MIXING,
    MUTED,
    ON_BAR,
    OPTIMISER,
    PAPER,
    RC,
    REST,
    in_order,
    look,
)
from reports.svg import inline

PANEL, WIDE = (3.5, 2.75), (4.6, 3.2)  # inches at 8.5 pt text
FAINT = 0.4
AXES = {
    "resolution": "group resolution |H| (elements)",
    "channels": "width (channels in and out)",
    "batch_size": "batch size (images)",
}


@dataclass(frozen=True)
class Figure:
    """`takeaway` is generated from the data; `caption` states points, spread and n; `legend` lists variants."""

    key: str
    title: str
    takeaway: str
    caption: str = ""
    panels: tuple[Markup, ...] = ()
    legend: tuple[str, ...] = ()
    wide: bool = False


@dataclass(frozen=True)
class Quantity:
    """A measured column: how to name it, its unit, the factor from the column to the unit, and its spread."""

    column: str
    name: str
    unit: str
    factor: float
    spread: str
    bounds: tuple[str, ...] = ()


TIME = Quantity(
    column="seconds",
    name="time",
    unit="ms",
    factor=1e3,
    spread="Points are medians of n = {n} passes in {rounds}; bars are 95 % intervals of the median, "
    "bootstrapped over processes and passes.",
    bounds=("ci_low", "ci_high"),
)
MEMORY = Quantity(
    column="peak_bytes",
    name="peak memory",
    unit="MiB",
    factor=2.0**-20,
    spread="Peak of one profiled pass (n = 1) above what was allocated before it; no spread.",
)
MACS = Quantity(
    column="macs",
    name="MACs",
    unit="10⁶",
    factor=1e-6,
    spread="Counted on one forward pass (n = 1); no spread.",
)


def ok(frame: pd.DataFrame) -> pd.DataFrame:
    """What may be drawn: the rows that were measured to the end, and whose case is known on every axis."""
    return frame[(frame["status"] == "ok") & complete(frame)]


def growth(costs: pd.DataFrame, quantity: Quantity, direction: str, key: str) -> Figure:
    """A quantity of one layer against |H|, width and batch, everything else at the base point; log axes."""
    rows = ok(costs)
    rows = rows[(rows["layer"] == "conv") & (rows["direction"] == direction)]
    rows = rows.assign(macs=analysis.pass_macs(rows))
    rows = rows[rows[quantity.column] > 0]
    words = wording.DIRECTIONS[direction]
    title = f"{quantity.name[0].upper()}{quantity.name[1:]}, {words}"
    takeaway = wording.growth(rows, quantity.column, f"{words} {quantity.name}")
    base = analysis.base_point(rows)
    if not base:
        return Figure(key, title, takeaway)
    slices = {axis: _slice(rows, base, axis) for axis in AXES}
    drawn = pd.concat(slices.values())
    limits = _limits(drawn[[quantity.column, *quantity.bounds]] * quantity.factor)
    panels: list[Markup] = []
    for axis, slice_ in slices.items():
        with _panel(PANEL) as axes:
            columns = [quantity.column, *quantity.bounds]
            points = slice_.melt(["variant", axis], columns, value_name="y")
            _lines(axes, points.assign(y=points["y"] * quantity.factor), axis, "y", "median")
            _steps_x(axes, slice_[axis])
            _log_y(axes, limits)
            axes.set(xlabel=AXES[axis], ylabel=f"{quantity.name} ({quantity.unit})")
            panels.append(_svg(axes, f"{key}-{axis.replace('_', '-')}", f"{title}, against {AXES[axis]}", takeaway))
    caption = (
        f"One convolution, {words}; base point {wording.point(base)}, one axis varied at a time. "
        f"{quantity.spread.format(n=wording.span(drawn['n']), rounds=wording.processes(drawn['rounds']))}"
        f"{' Plain has no |H|: a horizontal line.' if 'plain' in set(drawn['variant']) else ''}"
    )
    return Figure(key, title, takeaway, caption, tuple(panels), tuple(in_order(drawn["variant"])))


def relative_cost(costs: pd.DataFrame, key: str) -> Figure:
    """Time, memory and MACs of each variant at the base point, as multiples of plain."""
    title = "What one layer costs, as a multiple of a plain convolution"
    table = analysis.against_plain(ok(costs))
    if table.empty:
        return Figure(key, title, "No plain convolution was measured at the base point, so nothing can be compared.")
    words = table["direction"].replace(wording.DIRECTIONS)
    columns = {"time_ratio": "time", "time_low": "time", "time_high": "time", "memory_ratio": "memory"}
    data = table.assign(words=words).melt(["variant", "words"], [*columns, "mac_ratio"], "column", "ratio").dropna()
    data["quantity"] = data["column"].replace({**columns, "mac_ratio": "MACs"}) + ", " + data["words"]
    names = [f"{kind}, {words}" for kind in ("time", "memory", "MACs") for words in wording.DIRECTIONS.values()]
    names = [name for name in names if name in set(data["quantity"])]
    variants = in_order(data["variant"])
    takeaway = wording.relative(table)
    with _panel(WIDE) as axes:
        sns.pointplot(
            data,
            x="ratio",
            y="quantity",
            hue="variant",
            order=names,
            hue_order=variants,
            palette=_palette(variants),
            markers=[look(variant).marker for variant in variants],
            markersize=6,
            linestyle="none",
            dodge=0.35 if len(variants) > 1 else False,  # seaborn divides by one less
            estimator="median",
            errorbar=("pi", 100),
            err_kws={"linewidth": 1.2},
            legend=False,
            ax=axes,
        )
        _log_x(axes, _limits(data[["ratio"]]), "{:g}×")
        axes.axvline(1, color=MUTED, linewidth=0.8, linestyle="--", zorder=0)
        axes.set(xlabel="multiple of a plain convolution of the same width (log scale)", ylabel="")
        svg = _svg(axes, key, title, takeaway)
    caption = (
        f"Base point: {wording.point(table.iloc[0])}. Times: ratios of medians with 95 % intervals, n = "
        f"{wording.span(table['n'])} passes in {wording.processes(table['rounds'])}; memory and MACs are exact "
        "counts."
    )
    return Figure(key, title, takeaway, caption, (svg,), tuple(variants), wide=True)


def mac_split(costs: pd.DataFrame, key: str) -> Figure:
    """MACs of generating kernels and of convolving in a forward, against batch size, one panel per variant."""
    title = "Where the MACs go: generating kernels or convolving"
    rows = ok(costs)
    rows = rows[(rows["layer"] == "conv") & (rows["macs_convolution"] > 0) & (rows["variant"] != "plain")]
    base = analysis.base_point(rows)
    slice_ = _slice(rows, base, "batch_size") if base else rows
    slice_ = slice_.drop_duplicates(["variant", "batch_size"])
    takeaway = wording.generation_share(slice_)
    parts = {"macs_convolution": "convolution", "macs_kernel_generation": "kernel generation"}
    long = slice_.rename(columns=parts).melt(["variant", "batch_size"], list(parts.values()), "part", "macs")
    long["macs"] /= 1e6
    limits = _limits(long[["macs"]])
    panels: list[Markup] = []
    for variant in in_order(slice_["variant"]):
        with _panel(PANEL) as axes:
            sns.lineplot(
                long[long["variant"] == variant],
                x="batch_size",
                y="macs",
                hue="part",
                style="part",
                palette=[CONVOLUTION, GENERATION],
                markers=["o", "X"],
                markeredgecolor=PAPER,
                ax=axes,
            )
            sns.move_legend(axes, "upper left", title=None)
            _steps_x(axes, slice_["batch_size"])
            _log_y(axes, (limits[0], limits[1] * 8))  # room for the legend
            axes.set_title(variant)
            axes.set(xlabel=AXES["batch_size"], ylabel="MACs of one forward (10⁶)")
            panels.append(_svg(axes, f"{key}-{len(panels)}", f"{title}: {variant}", takeaway))
    if not panels:
        return Figure(key, title, takeaway)
    caption = (
        f"MACs of one forward pass that generates its kernels, as every training pass does; inference finds them "
        f"cached. {wording.point(base, without='batch_size')}. Counts, so no spread."
    )
    return Figure(key, title, takeaway, caption, tuple(panels))


def realised(costs: pd.DataFrame, twins: pd.DataFrame, key: str) -> Figure:
    """Time saved against MACs saved by separable over full, every pair measured; the diagonal is all of it."""
    title = "Realised speed-up: time saved against MACs saved, separable over full"
    pairs = analysis.realised_speedup(ok(costs), twins)
    takeaway = wording.realised(pairs)
    panels: list[Markup] = []
    limits = _limits(pairs[["mac_ratio", "time_low", "time_high", "time_ratio"]].assign(one=1.0))
    for name, rows in pairs.groupby(wording.passes(pairs), sort=False):
        with _panel(PANEL) as axes:
            axes.plot(limits, limits, color=MUTED, linewidth=0.8, linestyle="--")
            spread = [rows["time_ratio"] - rows["time_low"], rows["time_high"] - rows["time_ratio"]]
            colour = look("separable").colour
            axes.errorbar(rows["mac_ratio"], rows["time_ratio"], spread, fmt="none", color=colour, linewidth=1)
            _scatter(axes, rows.assign(variant="separable"), "mac_ratio", "time_ratio", 34)
            _log_y(axes, limits)
            _log_x(axes, limits)
            axes.set_title(str(name))
            axes.set(xlabel="MACs, full / separable (×)", ylabel="time, full / separable (×)")
            panels.append(_svg(axes, f"{key}-{len(panels)}", f"{title} ({name})", takeaway))
    if not panels:
        return Figure(key, title, takeaway)
    caption = (
        f"One point per setting where both were measured (n = {len(pairs)}); bars are 95 % intervals of the ratio of "
        "medians; words are said of the rounds in which both took turns. On the dashed line time falls as much as MACs "
        "do; below 1 separable is slower."
    )
    return Figure(key, title, takeaway, caption, tuple(panels), ("separable",))


def equivariance(costs: pd.DataFrame, key: str) -> Figure:
    """Equivariance error against |H|: worst case and range over everything measured at that resolution."""
    title = "Equivariance error under the exact rotations of the grid"
    rows = ok(costs)
    rows = rows[(rows["equivariance_error"] >= 0) & (rows["direction"] == "forward")]
    takeaway = wording.equivariance(rows)
    panels: list[Markup] = []
    floor = 1e-9  # an exact zero has no place on a log axis
    errors = rows.sort_values("layer").assign(error=rows["equivariance_error"].clip(lower=floor))
    limits = _limits(errors[["error"]].assign(tolerance=1e-5))
    for layer, mine in errors.groupby(errors["layer"].replace(wording.LAYERS), sort=False):
        with _panel(PANEL) as axes:
            _lines(axes, mine, "resolution", "error", "max")
            axes.axhline(1e-5, color=MUTED, linewidth=0.8, linestyle="--")
            _steps_x(axes, mine["resolution"])
            _log_y(axes, limits, "{:.0e}")
            axes.set_title(str(layer))
            axes.set(xlabel=AXES["resolution"], ylabel="relative error (dimensionless)")
            panels.append(_svg(axes, f"{key}-{len(panels)}", f"{title}: {layer}", takeaway))
    if not panels:
        return Figure(key, title, takeaway)
    per_point = rows.groupby(["layer", "variant", "resolution"]).size()
    caption = (
        f"Points are the worst of n = {wording.span(per_point)} cases, bars their range; dashed: 1e-5, what float32 "
        f"rounding allows.{' Errors below 1e-9 are drawn there.' if (errors['error'] == floor).any() else ''}"
    )
    return Figure(key, title, takeaway, caption, tuple(panels), tuple(in_order(rows["variant"])))


def accuracy(epochs: pd.DataFrame, runs: pd.DataFrame, x: str, key: str) -> Figure:
    """Validation accuracy against `x` (epoch or seconds), a panel per |H| with plain in each for reference."""
    title = f"Accuracy against {'epochs' if x == 'epoch' else 'seconds of training'}"
    finished = analysis.one_recipe(ok(runs))
    rows = epochs[epochs["id"].isin(finished["id"])].dropna(subset=["validation_accuracy"])
    takeaway = wording.accuracy(finished) if x == "epoch" else wording.time_to_train(rows)
    if rows.empty:
        return Figure(key, title, takeaway)
    cell = ["variant", "resolution", "epoch"]
    rows = rows.assign(accuracy=100 * rows["validation_accuracy"])
    rows["seconds"] = rows.groupby(cell)["seconds"].transform("mean")
    plain = rows[rows["variant"] == "plain"]
    resolutions = sorted(set(rows.loc[rows["variant"] != "plain", "resolution"])) or [None]
    low, high = rows["accuracy"].min(), rows["accuracy"].max()
    panels: list[Markup] = []
    for resolution in resolutions:
        mine = pd.concat([plain, rows[(rows["variant"] != "plain") & (rows["resolution"] == resolution)]])
        with _panel(PANEL) as axes:
            _lines(axes, mine, x, "accuracy", "mean", bars=False)
            if x == "seconds":
                _log_x(axes, _limits(rows[["seconds"]]))
            margin = 0.05 * (high - low) or 1.0
            axes.set_ylim(low - margin, min(high + margin, 100.5))
            axes.set_title("plain" if resolution is None else f"|H| = {resolution:.0f}")
            axes.set(
                xlabel="epoch" if x == "epoch" else "training time, cumulative (s)", ylabel="validation accuracy (%)"
            )
            panels.append(_svg(axes, f"{key}-{len(panels)}", f"{title}, {axes.get_title(loc='left')}", takeaway))
    seeds = finished.groupby(["variant", "resolution"])["seed"].nunique()
    when = "" if x == "epoch" else " Seconds are the mean over seeds at each epoch, validation excluded."
    caption = (
        f"Lines are means over seeds (n = {wording.span(seeds)}), bands go from the worst to the best seed.{when} "
        f"Data and training: {wording.recipe(finished)}"
    )
    return Figure(key, title, takeaway, caption, tuple(panels), tuple(in_order(rows["variant"])))


def pareto(costs: pd.DataFrame, runs: pd.DataFrame, key: str) -> Figure:
    """Test accuracy against inference time per image, the Pareto front joined by a line."""
    title = "Accuracy against time per image"
    finished = analysis.one_recipe(ok(runs))
    points = analysis.accuracy_and_time(ok(costs), finished)
    takeaway = wording.pareto(points)
    if points.empty:
        return Figure(key, title, takeaway)
    points = points.assign(
        milliseconds=1e3 * points["seconds"],
        low=1e3 * points["ci_low"],
        high=1e3 * points["ci_high"],
        accuracy=100 * points["mean"],
        spread=100 * points["sd"].fillna(0),
    )
    front = points[points["front"]].sort_values("milliseconds")
    with _panel(WIDE) as axes:
        axes.plot(front["milliseconds"], front["accuracy"], color=INK, linewidth=1, linestyle="--", zorder=1)
        for _, point in points.iterrows():
            x, y = point["milliseconds"], point["accuracy"]
            colour, alpha = look(point["variant"]).colour, 1 if point["front"] else FAINT
            across = [[x - point["low"]], [point["high"] - x]]
            axes.errorbar(x, y, point["spread"], across, color=colour, linewidth=1, alpha=alpha)
            if point["variant"] != "plain":
                label = f"{point['resolution']:.0f}"
                axes.annotate(label, (x, y), (5, 4), textcoords="offset points", fontsize=7.5, color=INK)
        for on_front, alpha in ((False, FAINT), (True, 1.0)):
            _scatter(axes, points[points["front"] == on_front], "milliseconds", "accuracy", 48, alpha)
        _log_x(axes, _limits(points[["low", "high"]]))
        axes.set(xlabel="inference time per image (ms, log scale)", ylabel="test accuracy (%)")
        svg = _svg(axes, key, title, takeaway)
    batch, threads = wording.span(points["batch_size"]), wording.span(points["threads_case"])
    caption = (
        f"Points are mean test accuracy, vertical bars ± 1 s.d. over seeds (n = {wording.span(points['n'])}); time is "
        f"the median forward pass of the network at batch {batch} (threads: {threads}) divided by the batch, n = "
        f"{wording.span(points['n_case'])} passes, horizontal bars 95 % intervals. Dashed: the Pareto front; "
        "dominated networks are faint; numbers are |H|."
    )
    return Figure(key, title, takeaway, caption, (svg,), tuple(in_order(points["variant"])), wide=True)


def noise(costs: pd.DataFrame, twins: pd.DataFrame, key: str) -> Figure:
    """What the same code, entered twice, differs by, against the time of a pass; the floor as a band."""
    title = "Noise floor: the same code, entered twice"
    takeaway = wording.noise(ok(costs), twins)
    if twins.empty:
        return Figure(key, title, takeaway)
    floor = 100 * analysis.noise_floor(twins)
    points = analysis.twin_differences(twins)
    points = points.assign(
        milliseconds=1e3 * points["seconds"], **{name: 100 * points[name] for name in ("change", "low", "high")}
    )
    known = np.isfinite(points[["low", "high"]]).all(axis=1)
    reach = 1.15 * max(floor, points["change"].abs().max())
    with _panel(WIDE) as axes:
        axes.axhspan(-floor, floor, color=CONVOLUTION, alpha=0.2, linewidth=0)
        axes.axhline(0, color=MUTED, linewidth=0.8, linestyle="--", zorder=0)
        for _, point in points[known].iterrows():
            spread = [[point["change"] - point["low"]], [point["high"] - point["change"]]]
            colour = look(point["variant"]).colour
            axes.errorbar(point["milliseconds"], point["change"], spread, color=colour, linewidth=0.8, alpha=FAINT)
        _scatter(axes, points, "milliseconds", "change", 34)
        _log_x(axes, _limits(points[["milliseconds"]]))
        axes.set_ylim(-reach, reach)
        axes.set(xlabel="time of one pass (ms, log scale)", ylabel="second entry beside the first (%)")
        svg = _svg(axes, key, title, takeaway)
    caption = (
        f"One point per A/A pair (n = {len(points)}), drawn at random in every block and timed in turns with the "
        f"others: the ratio of medians, geometric mean over {wording.processes(points['first'].map(len))}; bars "
        "are 99 % intervals, cut off at the edges. The band is ± the minimum detectable effect. Nothing inside of it "
        "is called faster or slower on this page; where more comparisons are made at once, it is wider for them."
    )
    return Figure(key, title, takeaway, caption, (svg,), tuple(in_order(points["variant"])), wide=True)


STAGE_LOOKS = {
    "stage_kernel_generation": ("kernel generation", GENERATION),
    "stage_group_mixing": ("group mixing", MIXING),
    "stage_spatial_convolution": ("spatial convolution", CONVOLUTION),
    "stage_other": ("other", REST),
    "stage_backward": ("backward", BACKWARD),
    "stage_optimiser": ("optimiser", OPTIMISER),
}


def stages(costs: pd.DataFrame, key: str) -> Figure:
    """What part of a pass each stage takes, a bar per variant at the base point, a panel per pass."""
    title = "Where the time goes"
    rows = analysis.at_base(ok(costs))
    rows = rows[rows[list(STAGE_LOOKS)].sum(axis=1) > 0].sort_values("resolution", ascending=False)
    takeaway = wording.stages(rows)
    panels: list[Markup] = []
    for direction in wording.in_directions(rows["direction"]):
        mine = rows[rows["direction"] == direction]
        parts = mine[list(STAGE_LOOKS)].fillna(0.0)
        shares = 100 * parts.div(parts.sum(axis=1), axis=0)
        with _panel(PANEL) as axes:
            _stacked(axes, mine["variant"], shares, STAGE_LOOKS, "{:.0f}")
            axes.set_xlim(0, 100)
            axes.set(xlabel="share of the time of one pass (%)", ylabel="")
            axes.set_title(wording.ALL_DIRECTIONS[direction], pad=4)
            panels.append(_svg(axes, f"{key}-{len(panels)}", f"{title}: {wording.ALL_DIRECTIONS[direction]}", takeaway))
    if not panels:
        return Figure(key, title, takeaway)
    caption = (
        f"Base point: {wording.point(rows.iloc[0])}. n = {len(rows)} bars. Medians of up to ten passes with the layers "
        "watched, in a process of its own; no spread, and not the times of the "
        "other figures. The forward is split by what the layers do, its backward is one piece. Layers that convolve "
        "over the group and the plane at once have no group mixing; at inference kernels come out of the cache."
    )
    return Figure(key, title, takeaway, caption, tuple(panels))


MEMORY_LOOKS = dict(
    zip(
        MEMORY_PARTS,
        [
            ("gradients of parameters", OPTIMISER),
            ("kernels", GENERATION),
            ("saved activations", MIXING),
            ("workspace and output", CONVOLUTION),
        ],
        strict=True,
    )
)


def memory_parts(costs: pd.DataFrame, key: str) -> Figure:
    """What the peak of each variant consists of at the base point, beside what the model predicts."""
    title = "What the peak memory consists of"
    measured = ok(costs)
    rows = analysis.at_base(measured)
    rows = rows[rows[list(MEMORY_PARTS)].sum(axis=1) > 0]
    takeaway = wording.memory_model(measured)
    panels: list[Markup] = []
    for direction in wording.in_directions(rows["direction"]):
        mine = rows[rows["direction"] == direction].set_index("variant")
        mine = mine.loc[in_order(mine.index)]
        with _panel(PANEL) as axes:
            parts = mine[list(MEMORY_PARTS)].fillna(0.0) * 2.0**-20
            _stacked(axes, mine.index.to_series(), parts, MEMORY_LOOKS)
            predicted = mine["predicted_bytes"] * 2.0**-20
            axes.plot(predicted, range(len(mine)), linestyle="none", marker="|", markersize=12, color=INK)
            axes.set_xlim(0, 1.08 * max(parts.sum(axis=1).max(), predicted.max()))
            axes.set(xlabel="peak memory of one pass (MiB)", ylabel="")
            axes.set_title(wording.ALL_DIRECTIONS[direction], pad=4)
            panels.append(_svg(axes, f"{key}-{len(panels)}", f"{title}: {wording.ALL_DIRECTIONS[direction]}", takeaway))
    if not panels:
        return Figure(key, title, takeaway)
    caption = (
        f"Bars: one profiled pass (n = 1 each, {len(rows)} bars), what is allocated at its peak above what was there "
        "before; no spread. The tick is what the analytic model predicts."
    )
    return Figure(key, title, takeaway, caption, tuple(panels))


def peers(costs: pd.DataFrame, twins: pd.DataFrame, key: str) -> Figure:
    """The time of layers that are not ours over the time of ours."""
    title = "Other people's layers beside ours"
    pairs = analysis.peers(ok(costs), twins)
    takeaway = wording.peers(pairs)
    if pairs.empty:
        return Figure(key, title, takeaway)
    passes = pairs["direction"].replace(wording.ALL_DIRECTIONS)
    pairs = pairs.assign(name=pairs["implementation"].map(wording.ending) + ", " + passes, variant=pairs["rival"])
    names = sorted(set(pairs["name"]))
    pairs["y"] = pairs["name"].map(names.index) + _dodge(pairs["variant"])
    known = np.isfinite(pairs["high"]) & (pairs["low"] > 0)
    with _panel((WIDE[0], max(1.6, 0.9 + 0.45 * len(names)))) as axes:
        axes.axvline(1, color=MUTED, linewidth=0.8, linestyle="--", zorder=0)
        for _, pair in pairs[known].iterrows():
            spread = [[pair["ratio"] - pair["low"]], [pair["high"] - pair["ratio"]]]
            axes.errorbar(pair["ratio"], pair["y"], xerr=spread, color=look(pair["variant"]).colour, linewidth=1.2)
        _scatter(axes, pairs, "ratio", "y", 40)
        _log_x(axes, _limits(pairs.loc[known, ["ratio", "low", "high"]].assign(one=1.0)), "{:g}×")
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set(xlabel="time of theirs, as a multiple of ours (log scale)", ylabel="")
        svg = _svg(axes, key, title, takeaway)
    caption = (
        f"One point per case that both have (n = {len(pairs)} pairs, {wording.processes(pairs['rounds'])} each); "
        "bars are 99 % intervals of the ratio, round by round where both took turns. Left of the dashed line theirs is "
        "faster."
    )
    return Figure(key, title, takeaway, caption, (svg,), tuple(in_order(pairs["variant"])), wide=True)


def _dodge(variants: pd.Series) -> pd.Series:
    """An offset for each variant, so that equal ratios do not hide each other."""
    names = in_order(variants)
    return variants.map({name: 0.5 * ((i + 0.5) / len(names) - 0.5) for i, name in enumerate(names)})


def _stacked(
    axes: Axes, variants: pd.Series, parts: pd.DataFrame, looks: dict[str, tuple[str, str]], label: str = ""
) -> None:
    """A horizontal bar per variant, our order from the top; wide parts are labelled with their size."""
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
            axes.bar_label(bars, texts, label_type="center", fontsize=7.5, color=ON_BAR)
        left += sizes
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.figure.legend(loc="outside lower center", ncols=2, fontsize=7.5, handlelength=1, handleheight=0.9)


@contextmanager
def _panel(size: tuple[float, float]) -> Iterator[Axes]:
    with plt.rc_context(RC):
        yield plt.subplots(figsize=size, layout="constrained")[1]


def _svg(axes: Axes, key: str, title: str, description: str) -> Markup:
    return inline(axes.figure.get_figure(root=True), key, title, description)


def _palette(variants: list[str]) -> dict[str, str]:
    return {variant: look(variant).colour for variant in variants}


def _lines(axes: Axes, data: pd.DataFrame, x: str, y: str, estimator: str, *, bars: bool = True) -> None:
    """A line per variant through `estimator` of y at each x, with the range of y as bars or as a band."""
    variants = in_order(data["variant"])
    sns.lineplot(
        data,
        x=x,
        y=y,
        hue="variant",
        style="variant",
        hue_order=variants,
        style_order=variants,
        palette=_palette(variants),
        markers={variant: look(variant).marker for variant in variants},
        markeredgecolor=PAPER,
        dashes=False,
        estimator=estimator,
        errorbar=("pi", 100),
        err_style="bars" if bars else "band",
        err_kws={} if bars else {"alpha": 0.18, "linewidth": 0},
        legend=False,
        ax=axes,
    )


def _scatter(axes: Axes, data: pd.DataFrame, x: str, y: str, size: float, alpha: float = 1.0) -> None:
    variants = in_order(data["variant"])
    sns.scatterplot(
        data,
        x=x,
        y=y,
        hue="variant",
        style="variant",
        hue_order=variants,
        style_order=variants,
        palette=_palette(variants),
        markers={variant: look(variant).marker for variant in variants},
        edgecolor=PAPER,
        alpha=alpha,
        s=size,
        legend=False,
        zorder=3,
        ax=axes,
    )


def _slice(rows: pd.DataFrame, base: dict[str, object], axis: str) -> pd.DataFrame:
    """The rows along one axis through the base point; plain, which has no |H|, stands at each of its values."""
    slice_ = analysis.at(rows, base, free=[axis])
    if axis != "resolution":
        return slice_
    plain, others = slice_[slice_["variant"] == "plain"], slice_[slice_["variant"] != "plain"]
    repeated = [plain.assign(resolution=value) for value in sorted(set(others["resolution"]))] or [plain]
    return pd.concat([*repeated, others])


def _limits(values: pd.DataFrame) -> tuple[float, float]:
    """Limits of a log axis with a little air around all values, at least a factor of two apart."""
    flat = values.to_numpy(dtype=float).ravel()
    flat = flat[np.isfinite(flat) & (flat > 0)]
    low, high = (float(flat.min()), float(flat.max())) if len(flat) else (1.0, 1.0)
    air = max((high / low) ** 0.06, 1.1 if high > 1.7 * low else 1.5)
    return low / air, high * air


def _log_ticks(axis: Axis, limits: tuple[float, float], form: str) -> None:
    """Ticks at 1, 2, 5 where the axis spans few decades, closer where less than one, at the decades where many."""
    decades = math.log10(limits[1] / limits[0])
    subs = (1, 1.5, 2, 3, 5, 7) if decades < 0.7 else (1, 2, 5) if decades < 2.2 else (1,)
    axis.set_major_locator(LogLocator(subs=subs, numticks=8))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: form.format(value).replace("e-0", "e-")))


def _log_y(axes: Axes, limits: tuple[float, float], form: str = "{:,g}") -> None:
    axes.set_yscale("log")
    axes.set_ylim(limits)
    _log_ticks(axes.yaxis, limits, form)


def _log_x(axes: Axes, limits: tuple[float, float], form: str = "{:,g}") -> None:
    axes.set_xscale("log")
    axes.set_xlim(limits)
    _log_ticks(axes.xaxis, limits, form)


def _steps_x(axes: Axes, values: pd.Series) -> None:
    """A log axis with its ticks exactly where something was measured."""
    steps = sorted(set(values))
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator(steps))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    if len(steps) == 1:
        axes.set_xlim(steps[0] / 2, steps[0] * 2)


def every(data: Frames, prefix: str = "") -> dict[str, list[Figure]]:
    """All figures of one machine, by section of the page; `prefix` keeps the keys of several machines apart."""
    p = f"{prefix}-" if prefix else ""
    runs, epochs, twins = data.runs, data.epochs, data.twins
    measured = analysis.latest(ok(data.costs))
    ours = analysis.comparable(measured)
    costs = analysis.usual_threads(ours)
    steps = analysis.usual_threads(analysis.comparable(measured, (*analysis.PASSES, analysis.STEP)))
    return {
        "headline": [relative_cost(costs, f"{p}relative")],
        "growth": [
            growth(costs, TIME, "forward", f"{p}time-forward"),
            growth(costs, TIME, "forward_backward", f"{p}time-training"),
            growth(costs, MEMORY, "forward", f"{p}memory-forward"),
            growth(costs, MEMORY, "forward_backward", f"{p}memory-training"),
            growth(costs, MACS, "forward", f"{p}macs"),
        ],
        "separable": [realised(costs, twins, f"{p}realised"), mac_split(costs, f"{p}split")],
        "inside": [stages(steps, f"{p}stages"), memory_parts(steps, f"{p}memory-parts")],
        "peers": [peers(measured, twins, f"{p}peers")],
        "accuracy": [
            accuracy(epochs, runs, "epoch", f"{p}accuracy-epochs"),
            accuracy(epochs, runs, "seconds", f"{p}accuracy-seconds"),
            pareto(ours, runs, f"{p}pareto"),
        ],
        "equivariance": [equivariance(costs, f"{p}equivariance-error")],
        "noise": [noise(measured, twins, f"{p}noise")],
    }
