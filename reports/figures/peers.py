"""The figure of layers that are not ours, compared with ours."""

import numpy as np
import pandas as pd

from reports.arithmetic.intervals import Interval
from reports.arithmetic.prepared import Prepared
from reports.figures.draw import WIDE, Figure, axis_limits, dodge, log_x, panel, scatter, spread
from reports.style import MUTED, in_order
from reports.words import numbers, of_layers
from reports.words.names import DIRECTION_WORDS, ending


def peers(results: Prepared, key: str) -> Figure:
    """Draw the time of layers that are not ours as multiples of the time of ours."""
    title = "Other people's layers beside ours"
    pairs = results.against_peers
    takeaway = of_layers.peers(pairs)
    if pairs.empty:
        return Figure(key, title, takeaway)
    passes = pairs["direction"].replace(DIRECTION_WORDS)
    pairs = pairs.assign(name=pairs["implementation"].map(ending) + ", " + passes, variant=pairs["rival"])
    names = sorted(set(pairs["name"]))
    pairs["y"] = pairs["name"].map(names.index) + dodge(pairs["variant"])
    known = np.isfinite(pairs["high"]) & (pairs["low"] > 0)

    def tip(pair: pd.Series) -> str:
        ratio = numbers.multiple(Interval(pair["ratio"], pair["low"], pair["high"]))
        return f"{pair['name']}, {pair['variant']}: {ratio}"

    with panel((WIDE[0], max(1.6, 0.9 + 0.45 * len(names)))) as canvas:
        canvas.axes.axvline(1, color=MUTED, linewidth=0.8, linestyle="--", zorder=0)
        spread(canvas, pairs[known], "ratio", "y", of="x")
        scatter(canvas, pairs, "ratio", "y", 40, tip)
        log_x(canvas.axes, axis_limits(pairs.loc[known, ["ratio", "low", "high"]].assign(one=1.0)), "{:g}×")
        canvas.axes.set_yticks(range(len(names)), names)
        canvas.axes.set_ylim(len(names) - 0.5, -0.5)
        canvas.axes.set(xlabel="time of theirs, as a multiple of ours (log scale)", ylabel="")
        svg = canvas.svg(key, title, takeaway)
    caption = (
        f"One point per case that both have (n = {len(pairs)} pairs, {numbers.processes(pairs['rounds'])} each); "
        "bars are 99 % intervals of the ratio, round by round where both took turns. Left of the dashed line theirs is "
        "faster."
    )
    return Figure(key, title, takeaway, caption, (svg,), tuple(in_order(pairs["variant"])), wide=True, data=pairs)
