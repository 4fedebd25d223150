"""The figures of training: accuracy against what was spent, and the redundancy of kernels."""

import math

import pandas as pd
from matplotlib.ticker import MaxNLocator

from benchmarks.cases.groups import TRIVIAL
from reports.arithmetic.prepared import Prepared, StudyRuns
from reports.arithmetic.training import WHEN, redundancies
from reports.figures import draw
from reports.figures.bars import dodge, names_on_y
from reports.figures.draw import FAINT, Drawing, Figure, size_of
from reports.frames.selection import NETWORK, own_named
from reports.words import numbers, of_training
from reports.words.names import group_name

# The noun and the axis label of each column that accuracy is drawn against.
SPENT_LABELS = {
    "epoch": ("epochs", "epoch"),
    "seconds": ("seconds of training", "training time, cumulative (s)"),
    "macs": ("MACs of training", "MACs, cumulative (10⁹)"),
}
# The lines of networks by the augmentation of their images.
LINES = {"none": "-", "rotations": "--", "scales": ":", "rotations+scales": "-."}
# Where a panel has more lines, their bands are lighter.
FEW_LINES = 4


def accuracy(study: StudyRuns, x: str, key: str) -> Figure:
    """Draw validation accuracy against epochs, seconds or MACs (`x`); a panel per group and |H|.

    Networks without a group are in every panel. `LINES` shows how the train images were augmented.
    """
    runs = study.runs
    rows = study.epochs.dropna(subset=["validation_accuracy", x])
    if x == "macs":
        rows = rows.assign(macs=rows["macs"] / 1e9)
    takeaway = {
        "epoch": lambda: of_training.accuracy(runs),
        "seconds": lambda: of_training.time_to_train(rows),
        "macs": lambda: of_training.macs_to_train(rows.assign(macs=rows["macs"] * 1e9)),
    }[x]()
    what, label = SPENT_LABELS[x]
    drawing = Drawing(key, f"Validation accuracy against {what}", takeaway, study.looks)
    if rows.empty:
        return drawing.figure()
    cell = [*NETWORK, "epoch"]
    rows = rows.assign(accuracy=100 * rows["validation_accuracy"])
    if x != "epoch":
        rows[x] = rows.groupby(cell, dropna=False)[x].transform("mean")
        rows = rows[rows[x] > 0]  # nothing is spent before the first step, and a log axis cannot show zero
    named = rows.assign(variant=own_named(rows))
    plain, others = named[named["group"] == TRIVIAL], named[named["group"] != TRIVIAL]
    floor, high = _floor(rows), rows["accuracy"].max()
    several = others["group"].nunique() > 1
    pairs = sorted(set(zip(others["group"], others["resolution"], strict=True)))
    grids = [(str(group), resolution) for group, resolution in pairs]
    for grid in grids or (None,):
        chosen = others if grid is None else others[(others["group"] == grid[0]) & (others["resolution"] == grid[1])]
        mine = pd.concat([plain, chosen])
        without = "plain" if set(plain["variant"]) == {"plain"} else "without a group"
        name = without if grid is None else f"{group_name(grid[0]) + ', ' if several else ''}|H| = {grid[1]:.0f}"
        size = size_of(len(grids), small=True)
        with drawing.panel(size, label, "validation accuracy (%)", f", {name}", heading=name) as canvas:
            many = len(mine.drop_duplicates(NETWORK)) > FEW_LINES
            for augmentation, part in mine.groupby(mine["augmentation"].replace("", "none"), sort=True):
                augmented = "" if augmentation == "none" else f" + {augmentation}"

                def tip(point: pd.Series, augmented: str = augmented) -> str:
                    return (
                        f"{point['variant']}{augmented}, {label} {point['x']:.3g}: {point['y']:.1f} % "
                        f"[{point['low']:.1f}, {point['high']:.1f}], n = {point['n']:.0f}"
                    )

                style, band = LINES.get(str(augmentation), "--"), 0.06 if many else 0.18
                draw.lines(
                    canvas,
                    part,
                    x,
                    "accuracy",
                    "mean",
                    tip,
                    bars=False,
                    marks=False,
                    linestyle=style,
                    band=band,
                    floor=floor,
                )
            if x != "epoch":
                draw.log_x(canvas.axes, draw.axis_limits(rows[[x]]))
            else:
                canvas.axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            margin = 0.03 * (high - floor) or 1.0
            canvas.axes.set_ylim(floor - margin, min(high + margin, 100.5))
    seeds = runs.groupby(NETWORK, dropna=False)["seed"].nunique()
    when = f" {what[0].upper()}{what[1:]} are the mean over seeds at each epoch, validation excluded."
    caption = (
        f"Lines are means over seeds (n = {numbers.span(seeds)}), bands go from the worst to the best seed."
        f"{when if x != 'epoch' else ''} "
        f"Data and training: {of_training.recipe(runs)}"
    )
    if floor > rows["accuracy"].min():
        caption += f" The axis of accuracy begins at {floor:.0f} %, not at 0; earlier points are below it."
    if (~rows["augmentation"].isin(["", "none"])).any():
        caption += " Dashed: the train images were turned; dotted: scaled; dash-dotted: both."
    columns = ["network", "variant", "group", "resolution", "channels", "augmentation", "seed"]
    drawn = rows[[*columns, "epoch", "seconds", "macs", "validation_accuracy"]]
    if x == "macs":
        drawn = drawn.assign(macs=drawn["macs"] * 1e9)
    return drawing.figure(caption, named["variant"], drawn)


def _floor(rows: pd.DataFrame) -> float:
    """Return where the axis of accuracy begins: below every network's mean from the middle of its training on."""
    late = rows[rows["epoch"] >= rows.groupby(NETWORK, dropna=False)["epoch"].transform("max") / 2]
    means = late.groupby([*NETWORK, "epoch"], dropna=False)["accuracy"].mean()
    least, most = means.min(), rows["accuracy"].max()
    return max(float(math.floor(least - 0.25 * (most - least))), float(rows["accuracy"].min()))


def redundancy(results: Prepared, key: str) -> Figure:
    """Draw how much energy of full kernels each separable form explains, per layer, before and after training."""
    rows = redundancies(results.data.epochs)
    drawing = Drawing(key, "Redundancy: what separable kernels explain of full ones", of_training.redundancy(rows))
    rows = rows[(rows["variant"] == "full") & (rows["fraction"] >= 0)]
    by_grid = rows.groupby(["group", "resolution"])
    for (group, resolution), mine in by_grid:
        layers = list(dict.fromkeys(mine["layer"]))
        size, grid = size_of(by_grid.ngroups, height=max(1.8, 0.8 + 0.3 * len(layers))), f", |H| = {resolution:.0f}"
        labels = "energy explained (%)", "layer of the network"
        with drawing.panel(size, *labels, grid, heading=group_name(str(group)) + grid) as canvas:
            for when, alpha, mark in zip(WHEN, (FAINT, 1.0), (22, 38), strict=True):
                grouped = mine[mine["when"] == when].groupby(["layer", "form"], sort=False)["fraction"]
                points = grouped.agg(fraction="mean", n="count").reset_index().rename(columns={"form": "variant"})
                points["y"] = points["layer"].map(layers.index) + dodge(points["variant"], 0.6)
                points["percent"] = 100 * points["fraction"]

                def tip(point: pd.Series, when: str = when) -> str:
                    return (
                        f"{point['layer']}, {point['variant']}, {when}: {point['percent']:.0f} % (n = {point['n']:.0f})"
                    )

                draw.scatter(canvas, points, "percent", "y", mark, tip, alpha)
            names_on_y(canvas.axes, layers)
            canvas.axes.set_xlim(0, 103)
    if not drawing.panels:
        return drawing.figure()
    networks = rows.groupby(["group", "resolution"])["id"].nunique()
    caption = (
        "The squared norm of the best approximation of each form over that of the kernel, 1 for a kernel of that form; "
        f"means over the trained networks of all studies (n = {numbers.span(networks)}). Faint and small: before "
        "training; strong: after it."
    )
    return drawing.figure(caption, rows["form"], rows)
