"""The figures of the inside of a pass: its stages, its memory, and how near it comes to the limits of the device."""

import numpy as np
import pandas as pd

from reports.arithmetic.prepared import Prepared
from reports.figures.bars import keys_of, stacked, totals
from reports.figures.draw import Drawing, Figure, axis_limits, log_x, log_y, scatter, size_of
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
    """Draw the share of a pass that each stage takes, with a panel per pass and a bar per variant at the base point."""
    rows = at_base(results.steps)
    rows = rows[rows[list(STAGE_LOOKS)].sum(axis=1) > 0].sort_values("resolution", ascending=False)
    drawing = Drawing(key, "Where the time goes", of_layers.stages(rows))
    directions = ordered_directions(rows["direction"])
    for direction in directions:
        mine = rows[rows["direction"] == direction]
        parts = mine[list(STAGE_LOOKS)].fillna(0.0)
        shares = 100 * parts.div(parts.sum(axis=1), axis=0)
        label, words = "share of the time of one pass (%)", DIRECTION_WORDS[direction]
        with drawing.panel(size_of(len(directions)), label, "", f": {words}", heading=words, pad=4) as canvas:
            stacked(canvas.axes, mine["variant"], shares, STAGE_LOOKS, "{:.0f}")
            canvas.axes.set_xlim(0, 100)
    if not drawing.panels:
        return drawing.figure()
    caption = (
        f"Base point: {point_words(rows.iloc[0])}. n = {len(rows)} bars. Medians of up to ten passes with the layers "
        "watched, in a process of its own; no spread, and not the times of the other figures. The forward is split by "
        "what the layers do, its backward is one piece, that of the kernels included. Layers that convolve over the "
        "group and the plane at once have no group mixing; at inference kernels come out of the cache. The parts of a "
        "bar add up to 100 %; the share of making kernels, above, is that of a pass without watching."
    )
    return drawing.figure(caption, data=rows, keys=keys_of(STAGE_LOOKS, rows))


_LOOKS = [("parameter gradients", OPTIMISER), ("kernels", GENERATION)]
_LOOKS += [("saved activations", MIXING), ("workspace, output", CONVOLUTION)]
MEMORY_LOOKS = dict(zip(MEMORY_PARTS, _LOOKS, strict=True))


def memory_parts(results: Prepared, key: str) -> Figure:
    """Draw the parts of the peak memory of each variant at the base point, and the prediction of the model."""
    rows = at_base(results.steps)
    rows = rows[rows[list(MEMORY_PARTS)].sum(axis=1) > 0]
    drawing = Drawing(key, "What the peak memory consists of", of_layers.memory_parts(results.all_steps))
    directions = ordered_directions(rows["direction"])
    for direction in directions:
        mine = rows[rows["direction"] == direction].set_index("variant")
        mine = mine.loc[in_order(mine.index)]
        label, words = "peak memory of one pass (MiB)", DIRECTION_WORDS[direction]
        with drawing.panel(size_of(len(directions)), label, "", f": {words}", heading=words, pad=4) as canvas:
            parts = mine[list(MEMORY_PARTS)].fillna(0.0) * 2.0**-20
            stacked(canvas.axes, mine.index.to_series(), parts, MEMORY_LOOKS)
            predicted = mine["predicted_bytes"] * 2.0**-20
            canvas.axes.plot(predicted, range(len(mine)), linestyle="none", marker="|", markersize=12, color=INK)
            peaks = parts.sum(axis=1)
            totals(canvas.axes, np.fmax(peaks, predicted).tolist(), [f"{peak:.3g}" for peak in peaks])
            canvas.axes.set_xlim(0, 1.2 * np.nanmax([peaks.max(), predicted.max()]))
    if not drawing.panels:
        return drawing.figure()
    caption = (
        f"Bars: one profiled pass (n = 1 each, {len(rows)} bars), what is allocated at its peak above what was there "
        "before; no spread. The tick is what the analytic model predicts."
    )
    return drawing.figure(caption, data=rows, keys=keys_of(MEMORY_LOOKS, rows))


def roofline(results: Prepared, key: str) -> Figure:
    """Draw MACs per second against MACs per byte, under the ceilings that were measured on this device."""
    title = "Roofline: how near a pass comes to what the device can do"
    rows = results.steps.dropna(subset=["arithmetic_intensity", "macs_per_second", "matrix_ceiling", "memory_ceiling"])
    rows = rows[(rows["arithmetic_intensity"] > 0) & (rows["macs_per_second"] > 0)]
    drawing = Drawing(key, title, of_layers.roofline(at_base(rows)))
    here = rows[rows["layer"] == "conv"]
    across = axis_limits(here[["arithmetic_intensity"]])
    down = axis_limits(here[["macs_per_second", "matrix_ceiling"]] / 1e9)
    directions = ordered_directions(here["direction"])
    for direction in directions:
        mine = here[here["direction"] == direction]
        compute, copy = mine["matrix_ceiling"].max() / 1e9, mine["memory_ceiling"].max() / 1e9
        x = np.geomspace(*across, 60)
        points = mine.assign(giga=mine["macs_per_second"] / 1e9)
        base = points.index.isin(at_base(mine).index)
        labels, words = ("MACs per byte moved", "10⁹ MACs per second"), DIRECTION_WORDS[direction]
        with drawing.panel(size_of(len(directions)), *labels, f": {words}", heading=words) as canvas:
            canvas.axes.plot(x, np.minimum(compute, copy * x), color=INK, linewidth=1.2)
            for chosen, size, alpha in ((~base, 14, 0.45), (base, 46, 1.0)):
                scatter(canvas, points[chosen], "arithmetic_intensity", "giga", size, _tip, alpha)
            canvas.axes.axvline(compute / copy, color=MUTED, linewidth=0.8, linestyle="--", zorder=0)
            log_x(canvas.axes, across)
            log_y(canvas.axes, down)
    if not drawing.panels:
        return drawing.figure()
    caption = (
        f"One point per layer measured (n = {len(here)}); large ones are at the base point. The line is the roof: the "
        "best of several copies (left of the dashed line) and of several matrix products (right of it), measured here. "
        "Bytes are what the operators read and write. MACs are those of the definition, so that a path that leaves out "
        "work is drawn too high and too far right, and can pass the roof; the table has its place by the MACs that "
        "run. Rates are of median times; no spread is drawn."
    )
    return drawing.figure(caption, here["variant"], here)


def _tip(row: pd.Series) -> str:
    where = f"|H| = {row['resolution']:.0f}, width {row['channels']:.0f}, batch {row['batch_size']:.0f}"
    fraction = numbers.percent(row["roofline_fraction"], 0)
    return f"{row['variant']}, {where}: {row['giga']:.3g}·10⁹ MAC/s, {fraction} of the roof by its definition"
