"""The figures of turned images: the error of every map of trained networks, and accuracy by angle."""

import itertools

import pandas as pd

from benchmarks.cases.groups import TRIVIAL
from reports.arithmetic import turned
from reports.arithmetic.prepared import Prepared
from reports.figures import draw
from reports.figures.bars import dodge, names_on_y
from reports.figures.draw import Drawing, Figure, size_of
from reports.figures.training import LINES
from reports.frames.selection import NETWORK, own_named
from reports.words import numbers, of_turned
from reports.words.names import by_study, group_name


def map_errors(results: Prepared, key: str) -> Figure:
    """Draw the error of every map after training, under the elements of H that interpolate pixels."""
    runs = results.runs_with("layer_errors")
    rows = turned.map_errors(runs)
    drawing = Drawing(key, "Where equivariance is lost, map by map", of_turned.map_errors(rows), results.looks)
    named = rows.assign(variant=own_named(rows))
    bounds = draw.axis_limits(rows[["error"]])
    by_grid = named.groupby(["group", "resolution"])
    for (group, resolution), mine in by_grid:
        maps = list(dict.fromkeys(mine.sort_values("place")["map"]))
        size, grid = size_of(by_grid.ngroups, height=max(1.8, 0.8 + 0.3 * len(maps))), f", |H| = {resolution:.0f}"
        with drawing.panel(size, "relative error", "", grid, heading=group_name(str(group)) + grid) as canvas:
            found = mine.groupby(["map", "variant"], sort=False)["error"].agg(error="median", n="count").reset_index()
            found["y"] = found["map"].map(maps.index) + dodge(found["variant"], 0.5)

            def tip(point: pd.Series) -> str:
                return f"{point['map']}, {point['variant']}: {numbers.percent(point['error'])} (n = {point['n']:.0f})"

            draw.scatter(canvas, found, "error", "y", 38, tip)
            names_on_y(canvas.axes, maps)
            draw.log_x(canvas.axes, bounds, "{:g}")
    if not drawing.panels:
        return drawing.figure()
    n = rows.drop_duplicates([*NETWORK, "seed"]).groupby(NETWORK, dropna=False).size()
    caption = (
        "The largest relative difference between turning the image and turning the map, over the elements of H that "
        "interpolate pixels; maps from the input to the end of the network, a quarter of each map left out at its "
        f"edges. Medians over runs (n = {numbers.span(n)}) of {by_study(runs)}."
    )
    return drawing.figure(caption, named["variant"], rows)


def by_angle(results: Prepared, key: str) -> Figure:
    """Draw test accuracy, and the change of the logits, against the angle by which test images are turned."""
    runs = results.runs_with("by_angle")
    rows = turned.by_angle(runs)
    drawing = Drawing(key, "Accuracy by the angle of the test images", of_turned.by_angle(rows), results.looks)
    named = rows.assign(variant=own_named(rows))
    shown = {
        "accuracy": ("test accuracy (%)", named.assign(y=100 * rows["accuracy"])),
        "change": ("relative change of the logits", named.assign(y=rows["change"])),
    }
    plain, others = rows["group"] == TRIVIAL, rows[rows["group"] != TRIVIAL]
    found = sorted(set(zip(others["group"], others["resolution"], strict=True)))
    grids: list[tuple[str, float] | None] = [*found] or [None]
    for (label, values), grid in itertools.product(shown.values(), grids):
        here = plain if grid is None else plain | ((rows["group"] == grid[0]) & (rows["resolution"] == grid[1]))
        mine = values[here].dropna(subset=["y"])
        if mine.empty:
            continue
        name = "" if grid is None else f"{group_name(str(grid[0]))}, |H| = {grid[1]:.0f}"
        labels = "angle of the test images (°)", label
        with drawing.panel(
            size_of(len(shown) * len(grids), small=True), *labels, f": {label}, {name}".rstrip(", "), heading=name
        ) as canvas:
            for augmentation, part in mine.groupby(mine["augmentation"].replace("", "none"), sort=True):
                turning = "" if augmentation == "none" else f" + {augmentation}"

                def tip(point: pd.Series, label: str = label, turning: str = turning) -> str:
                    ends = f"[{point['low']:.3g}, {point['high']:.3g}], n = {point['n']:.0f}"
                    return f"{point['variant']}{turning}, {point['x']:.0f}°, {label}: {point['y']:.3g} {ends}"

                style = LINES.get(str(augmentation), "--")
                draw.lines(canvas, part, "angle", "y", "mean", tip, bars=False, marks=False, linestyle=style)
            canvas.axes.set_xticks(range(0, 361, 90))
    if not drawing.panels:
        return drawing.figure()
    n = rows.groupby([*NETWORK, "angle"], dropna=False).size()
    caption = (
        f"Lines are means over runs (n = {numbers.span(n)} at each angle) of {by_study(runs)}, bands go "
        "from the least to the greatest. "
        "Images are turned around their centre; what a turned image lacks is black. Dashed: the train images were "
        "turned."
    )
    return drawing.figure(caption, named["variant"], rows)
