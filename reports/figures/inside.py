"""The figures of the inside of a pass: its stages, the use of its memory, and how near it comes to the machine."""

import numpy as np
import pandas as pd
from markupsafe import Markup

from reports.arithmetic.prepared import Prepared
from reports.figures.draw import PANEL, Figure, axis_limits, log_x, log_y, panel, scatter, stacked
from reports.frames.columns import MEMORY_PARTS
from reports.frames.selection import at_base
from reports.style import BACKWARD, CONVOLUTION, GENERATION, INK, MIXING, MUTED, OPTIMISER, REST, in_order
from reports.words import numbers, of_layers
from reports.words.names import DIRECTION_WORDS, ordered_directions, point_words

STAGE_LOOKS = {
    "stage_kernel_generation": ("kernel generation", GENERATION),
    "stage_group_mixing": ("group mixing", MIXING),
    "stage_spatial_convolution": ("spatial convolution", CONVOLUTION),
    "stage_other": ("other", REST),
    "stage_backward": ("backward", BACKWARD),
    "stage_optimiser": ("optimiser", OPTIMISER),
}


def stages(results: Prepared, key: str) -> Figure:
    """Draw the share of a pass that each stage takes, a bar per variant at the base point, a panel per pass."""
    title = "Where the time goes"
    rows = at_base(results.steps)
    rows = rows[rows[list(STAGE_LOOKS)].sum(axis=1) > 0].sort_values("resolution", ascending=False)
    takeaway = of_layers.stages(rows)
    panels: list[Markup] = []
    for direction in ordered_directions(rows["direction"]):
        mine = rows[rows["direction"] == direction]
        parts = mine[list(STAGE_LOOKS)].fillna(0.0)
        shares = 100 * parts.div(parts.sum(axis=1), axis=0)
        with panel(PANEL) as canvas:
            stacked(canvas.axes, mine["variant"], shares, STAGE_LOOKS, "{:.0f}")
            canvas.axes.set_xlim(0, 100)
            canvas.axes.set(xlabel="share of the time of one pass (%)", ylabel="")
            canvas.axes.set_title(DIRECTION_WORDS[direction], pad=4)
            name = f"{title}: {DIRECTION_WORDS[direction]}"
            panels.append(canvas.svg(f"{key}-{len(panels)}", name, takeaway))
    if not panels:
        return Figure(key, title, takeaway)
    caption = (
        f"Base point: {point_words(rows.iloc[0])}. n = {len(rows)} bars. Medians of up to ten passes with the layers "
        "watched, in a process of its own; no spread, and not the times of the "
        "other figures. The forward is split by what the layers do, its backward is one piece. Layers that convolve "
        "over the group and the plane at once have no group mixing; at inference kernels come out of the cache."
    )
    return Figure(key, title, takeaway, caption, tuple(panels), data=rows)


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


def memory_parts(results: Prepared, key: str) -> Figure:
    """Draw the parts of the peak memory of each variant at the base point, and the prediction of the model."""
    title = "What the peak memory consists of"
    rows = at_base(results.steps)
    rows = rows[rows[list(MEMORY_PARTS)].sum(axis=1) > 0]
    takeaway = of_layers.memory_parts(results.steps)
    panels: list[Markup] = []
    for direction in ordered_directions(rows["direction"]):
        mine = rows[rows["direction"] == direction].set_index("variant")
        mine = mine.loc[in_order(mine.index)]
        with panel(PANEL) as canvas:
            parts = mine[list(MEMORY_PARTS)].fillna(0.0) * 2.0**-20
            stacked(canvas.axes, mine.index.to_series(), parts, MEMORY_LOOKS)
            predicted = mine["predicted_bytes"] * 2.0**-20
            canvas.axes.plot(predicted, range(len(mine)), linestyle="none", marker="|", markersize=12, color=INK)
            canvas.axes.set_xlim(0, 1.08 * np.nanmax([parts.sum(axis=1).max(), predicted.max()]))
            canvas.axes.set(xlabel="peak memory of one pass (MiB)", ylabel="")
            canvas.axes.set_title(DIRECTION_WORDS[direction], pad=4)
            name = f"{title}: {DIRECTION_WORDS[direction]}"
            panels.append(canvas.svg(f"{key}-{len(panels)}", name, takeaway))
    if not panels:
        return Figure(key, title, takeaway)
    caption = (
        f"Bars: one profiled pass (n = 1 each, {len(rows)} bars), what is allocated at its peak above what was there "
        "before; no spread. The tick is what the analytic model predicts."
    )
    return Figure(key, title, takeaway, caption, tuple(panels), data=rows)


def roofline(results: Prepared, key: str) -> Figure:
    """Draw MACs per second against MACs per byte, under the ceilings that were measured on this machine."""
    title = "Roofline: how near a pass comes to what the machine can do"
    rows = results.steps.dropna(subset=["arithmetic_intensity", "macs_per_second", "matrix_ceiling", "memory_ceiling"])
    rows = rows[(rows["arithmetic_intensity"] > 0) & (rows["macs_per_second"] > 0)]
    takeaway = of_layers.roofline(at_base(rows))
    panels: list[Markup] = []
    here = rows[rows["layer"] == "conv"]
    across = axis_limits(here[["arithmetic_intensity"]])
    down = axis_limits(here[["macs_per_second", "matrix_ceiling"]] / 1e9)
    for direction in ordered_directions(here["direction"]):
        mine = here[here["direction"] == direction]
        compute, copy = mine["matrix_ceiling"].max() / 1e9, mine["memory_ceiling"].max() / 1e9
        x = np.geomspace(*across, 60)
        points = mine.assign(giga=mine["macs_per_second"] / 1e9)
        base = points.index.isin(at_base(mine).index)
        with panel(PANEL) as canvas:
            canvas.axes.plot(x, np.minimum(compute, copy * x), color=INK, linewidth=1.2)
            for chosen, size, alpha in ((~base, 14, 0.45), (base, 46, 1.0)):
                scatter(canvas, points[chosen], "arithmetic_intensity", "giga", size, _tip, alpha)
            canvas.axes.axvline(compute / copy, color=MUTED, linewidth=0.8, linestyle="--", zorder=0)
            log_x(canvas.axes, across)
            log_y(canvas.axes, down)
            canvas.axes.set_title(DIRECTION_WORDS[direction])
            canvas.axes.set(xlabel="MACs per byte moved", ylabel="10⁹ MACs per second")
            name = f"{title}: {DIRECTION_WORDS[direction]}"
            panels.append(canvas.svg(f"{key}-{len(panels)}", name, takeaway))
    if not panels:
        return Figure(key, title, takeaway)
    caption = (
        f"One point per layer measured (n = {len(here)}); large ones are at the base point. The line is the roof: the "
        "best of several copies (left of the dashed line) and of several matrix products (right of it), measured here. "
        "Bytes are what the operators read and write. MACs are those of the definition: a path that leaves out work "
        "can pass the roof. Rates are of median times; no spread is drawn."
    )
    return Figure(key, title, takeaway, caption, tuple(panels), tuple(in_order(here["variant"])), data=here)


def _tip(row: pd.Series) -> str:
    where = f"|H| = {row['resolution']:.0f}, width {row['channels']:.0f}, batch {row['batch_size']:.0f}"
    fraction = numbers.percent(row["roofline_fraction"], 0)
    return f"{row['variant']}, {where}: {row['giga']:.3g}·10⁹ MAC/s, {fraction} of the roof"
