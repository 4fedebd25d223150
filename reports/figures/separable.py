"""The figures of what separability saves: MACs against time, and where the MACs go."""

import pandas as pd
import seaborn as sns

from benchmarks.statistics.intervals import Interval
from reports.arithmetic.prepared import Prepared
from reports.figures import draw
from reports.figures.draw import AXIS_LABELS, Drawing, Figure, size_of
from reports.frames.selection import along_with_plain, base_point, varied
from reports.style import CONVOLUTION, GENERATION, MUTED, PAPER, in_order
from reports.words import numbers, of_layers
from reports.words.names import layer_and_pass, point_words

PARTS = {
    "macs_convolution": ("convolution", CONVOLUTION),
    "macs_kernel_generation": ("kernel generation", GENERATION),
}


def realised(results: Prepared, key: str) -> Figure:
    """Draw the time saved against the MACs saved by separable over full; on the diagonal both factors are equal."""
    title = "Realised speed-up: time saved against MACs saved, separable over full"
    pairs = results.separable_against_full
    drawing = Drawing(key, title, of_layers.realised(pairs))
    bounds = draw.axis_limits(pairs[["mac_ratio", "time_low", "time_high", "time_ratio"]].assign(one=1.0))
    by_pass = pairs.groupby(layer_and_pass(pairs), sort=False)
    for name, rows in by_pass:
        rows = rows.assign(variant="separable", low=rows["time_low"], high=rows["time_high"])
        labels = "MACs, full / separable (×)", "time, full / separable (×)"
        with drawing.panel(size_of(by_pass.ngroups), *labels, f" ({name})", heading=str(name)) as canvas:
            canvas.axes.plot(bounds, bounds, color=MUTED, linewidth=0.8, linestyle="--")
            canvas.axes.axhline(1, color=MUTED, linewidth=0.6)
            draw.spread(canvas, rows, "mac_ratio", "time_ratio")
            draw.scatter(canvas, rows, "mac_ratio", "time_ratio", 34, _speedup)
            draw.log_y(canvas.axes, bounds)
            draw.log_x(canvas.axes, bounds)
    if not drawing.panels:
        return drawing.figure()
    caption = (
        f"One point per setting where both were measured (n = {len(pairs)}); bars are 95 % intervals of the ratio of "
        "medians; words are said of the rounds in which both took turns. On the dashed line time falls as much as MACs "
        "do; below 1 separable is slower."
    )
    return drawing.figure(caption, ["separable"], pairs)


def _speedup(pair: pd.Series) -> str:
    ratio = numbers.multiple(Interval(pair["time_ratio"], pair["low"], pair["high"]))
    where = f"|H| = {pair['resolution']:.0f}, width {pair['channels']:.0f}, batch {pair['batch_size']:.0f}"
    shape = f"{pair['image_size']:.0f} pixels, kernel {pair['kernel_size']:.0f}"
    word = f"; {pair['word']}" if pair["word"] else ""
    return f"{where}, {shape}: time {ratio}, MACs {numbers.digits(pair['mac_ratio'])}×{word}"


def mac_split(results: Prepared, key: str) -> Figure:
    """Draw the MACs of generating kernels and of convolving in a forward pass against batch size, per variant."""
    rows = results.costs
    rows = rows[(rows["layer"] == "conv") & (rows["macs_convolution"] > 0) & (rows["variant"] != "plain")]
    base = base_point(rows)
    slice_ = along_with_plain(rows, base, "batch_size") if base else rows
    slice_ = varied(slice_.drop_duplicates(["variant", "batch_size"]), "batch_size")
    drawing = Drawing(key, "Where the MACs go: generating kernels or convolving", of_layers.mac_split(slice_))
    names = {column: name for column, (name, _) in PARTS.items()}
    long = slice_.rename(columns=names).melt(["variant", "batch_size"], list(names.values()), "part", "macs")
    bounds = draw.axis_limits(long[["macs"]] / 1e6)
    variants = in_order(slice_["variant"])
    for variant in variants:
        mine = long[long["variant"] == variant]
        labels = AXIS_LABELS["batch_size"], "MACs of one forward (10⁶)"
        with drawing.panel(size_of(len(variants), small=True), *labels, f": {variant}", heading=variant) as canvas:
            sns.lineplot(
                mine.assign(macs=mine["macs"] / 1e6),
                x="batch_size",
                y="macs",
                hue="part",
                style="part",
                palette=dict(PARTS.values()),
                markers=["o", "X"],
                markeredgecolor=PAPER,
                legend=False,
                ax=canvas.axes,
            )
            draw.steps_x(canvas.axes, slice_["batch_size"])
            draw.log_y(canvas.axes, bounds)
    if not drawing.panels:
        return drawing.figure()
    caption = (
        f"MACs of one forward pass that generates its kernels, as every training pass does; inference finds them "
        f"cached. {point_words(base, without='batch_size')}. Counts (n = 1), so no spread."
    )
    return drawing.figure(caption, data=long, keys=PARTS.values())
