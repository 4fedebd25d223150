"""The figure of layers that are not ours, compared with ours."""

import numpy as np
import pandas as pd

from benchmarks.statistics.intervals import Interval
from reports.arithmetic.layers import OWN_LAYER_RIVAL
from reports.arithmetic.prepared import Prepared
from reports.figures.bars import dodge, in_lines, names_on_y
from reports.figures.draw import Drawing, Figure, axis_limits, log_x, scatter, size_of, spread
from reports.frames.selection import own_named
from reports.style import MUTED
from reports.words import numbers, of_layers
from reports.words.names import DIRECTION_WORDS, ending, setting


def peers(results: Prepared, key: str) -> Figure:
    """Draw the time of layers that are not ours as multiples of that of ours; each user's layer has its own look."""
    pairs = results.against_peers
    drawing = Drawing(key, of_layers.OTHER_LAYERS, of_layers.peers(pairs), results.looks)
    if pairs.empty:
        return drawing.figure()
    passes = pairs["direction"].replace(DIRECTION_WORDS)
    settings = pd.Series([f", {text}" if (text := setting(row)) else "" for _, row in pairs.iterrows()], pairs.index)
    pairs = pairs.assign(name=pairs["implementation"].map(ending) + ", " + passes + settings, variant=own_named(pairs))
    names = sorted(set(pairs["name"]))
    pairs["y"] = pairs["name"].map(names.index) + dodge(pairs["variant"])
    known = np.isfinite(pairs["high"]) & (pairs["low"] > 0)

    def tip(pair: pd.Series) -> str:
        ratio = numbers.multiple(Interval(pair["ratio"], pair["low"], pair["high"]))
        return f"{pair['name']}, {pair['variant']}: {ratio}"

    size = size_of(1, height=max(1.6, 0.9 + 0.45 * len(names)))
    with drawing.panel(size, "time as a multiple of ours (log scale)", "", key=key) as canvas:
        canvas.axes.axvline(1, color=MUTED, linewidth=0.8, linestyle="--", zorder=0)
        spread(canvas, pairs[known], "ratio", "y", of="x")
        scatter(canvas, pairs, "ratio", "y", 40, tip)
        log_x(canvas.axes, axis_limits(pairs.loc[known, ["ratio", "low", "high"]].assign(one=1.0)), "{:g}×")
        names_on_y(canvas.axes, [in_lines(name) for name in names])
    caption = (
        f"One point per case that both have (n = {len(pairs)} pairs, {numbers.processes(pairs['rounds'])} each); "
        "bars are 99 % intervals of the ratio, round by round where both took turns. Left of the dashed line the other "
        "layer is faster than ours."
    )
    if (pairs["rival"] != pairs["variant"]).any():
        caption += f" A user’s layer is compared with our {OWN_LAYER_RIVAL} one."
    return drawing.figure(caption, pairs["variant"], pairs)
