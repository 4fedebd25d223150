"""The figures of training: accuracy against what was spent, accuracy against costs, and the redundancy of kernels."""

import pandas as pd

from benchmarks.cases.groups import TRIVIAL
from benchmarks.statistics.written import listing
from reports.arithmetic.prepared import Prepared, StudyRuns
from reports.arithmetic.training import WHEN, redundancies
from reports.figures import draw
from reports.figures.draw import FAINT, PANEL, SMALL, Drawing, Figure, Tip
from reports.frames.selection import NETWORK
from reports.style import INK, look
from reports.words import numbers, of_choice, of_training
from reports.words.names import group_name, network_names

# The noun and the axis label of each column that accuracy is drawn against.
SPENT_LABELS = {
    "epoch": ("epochs", "epoch"),
    "seconds": ("seconds of training", "training time, cumulative (s)"),
    "macs": ("MACs of training", "MACs, cumulative (10⁹)"),
}
# The lines of networks by the augmentation of their images.
LINES = {"none": "-", "rotations": "--", "scales": ":", "rotations+scales": "-."}


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
    drawing = Drawing(key, f"Validation accuracy against {what}", takeaway)
    if rows.empty:
        return drawing.figure()
    cell = [*NETWORK, "epoch"]
    rows = rows.assign(accuracy=100 * rows["validation_accuracy"])
    if x != "epoch":
        rows[x] = rows.groupby(cell, dropna=False)[x].transform("mean")
        rows = rows[rows[x] > 0]  # nothing is spent before the first step, and a log axis cannot show zero
    plain, others = rows[rows["group"] == TRIVIAL], rows[rows["group"] != TRIVIAL]
    low, high = rows["accuracy"].min(), rows["accuracy"].max()
    several = others["group"].nunique() > 1
    pairs = sorted(set(zip(others["group"], others["resolution"], strict=True)))
    grids = [(str(group), resolution) for group, resolution in pairs]
    for grid in grids or (None,):
        chosen = others if grid is None else others[(others["group"] == grid[0]) & (others["resolution"] == grid[1])]
        mine = pd.concat([plain, chosen])
        name = "plain" if grid is None else f"{group_name(grid[0]) + ', ' if several else ''}|H| = {grid[1]:.0f}"
        with drawing.panel(SMALL, label, "validation accuracy (%)", f", {name}", heading=name) as canvas:
            kinds = [mine["augmentation"].replace("", "none"), mine["network"].where(mine["variant"] == "custom", "")]
            for (augmentation, own), part in mine.groupby(kinds, sort=True):
                augmented = "" if augmentation == "none" else f" + {augmentation}"

                def tip(point: pd.Series, own: str = own, augmented: str = augmented) -> str:
                    return (
                        f"{own or point['variant']}{augmented}, {label} {point['x']:.3g}: {point['y']:.1f} % "
                        f"[{point['low']:.1f}, {point['high']:.1f}], n = {point['n']:.0f}"
                    )

                style = LINES.get(str(augmentation), "--")
                draw.lines(canvas, part, x, "accuracy", "mean", tip, bars=False, marks=False, linestyle=style)
            if x != "epoch":
                draw.log_x(canvas.axes, draw.axis_limits(rows[[x]]))
            margin = 0.05 * (high - low) or 1.0
            canvas.axes.set_ylim(low - margin, min(high + margin, 100.5))
    seeds = runs.groupby(NETWORK, dropna=False)["seed"].nunique()
    when = f" {what[0].upper()}{what[1:]} are the mean over seeds at each epoch, validation excluded."
    caption = (
        f"Lines are means over seeds (n = {numbers.span(seeds)}), bands go from the worst to the best seed."
        f"{when if x != 'epoch' else ''} "
        f"Data and training: {of_training.recipe(runs)}"
    )
    if (~rows["augmentation"].isin(["", "none"])).any():
        caption += " Dashed: the train images were turned; dotted: scaled; dash-dotted: both."
    columns = ["network", "variant", "group", "resolution", "channels", "augmentation", "seed"]
    drawn = rows[[*columns, "epoch", "seconds", "macs", "validation_accuracy"]]
    if x == "macs":
        drawn = drawn.assign(macs=drawn["macs"] * 1e9)
    return drawing.figure(caption, rows["variant"], drawn, small=True)


# For the column of each cost: the axis label, and the factor from the column to the unit.
PRICE_LABELS = {
    "seconds": ("inference time per image (ms)", 1e3),
    "peak_bytes": ("peak memory of training (MiB)", 2.0**-20),
    "macs": ("MACs per image (10⁶)", 1e-6),
}


def pareto(study: StudyRuns, key: str) -> Figure:
    """Draw test accuracy against time, memory and MACs, each with a front; networks that are not on it are faint."""
    networks = study.networks.reset_index(drop=True)
    drawing = Drawing(key, "Accuracy against time, memory and MACs", of_choice.fronts(study))
    points = networks.assign(name=list(network_names(networks).values()), accuracy=100 * networks["mean"])
    points = points.assign(spread=100 * points["sd"].fillna(0.0))
    for column, (label, factor) in PRICE_LABELS.items():
        beaten = pd.Series([bool(rivals) for rivals in study.beaten[column]], index=points.index, dtype=bool)
        mine = points.assign(price=points[column] * factor, front=~beaten).dropna(subset=["price", "accuracy"])
        if mine.empty:
            continue
        log_label = label.replace(")", ", log scale)")
        with drawing.panel(PANEL, log_label, "test accuracy (%)", f": {label}") as canvas:
            axes = canvas.axes
            front = mine[mine["front"]].sort_values("price")
            reached = front[front["accuracy"] >= front["accuracy"].cummax()]  # the others are only not told apart
            axes.step(reached["price"], reached["accuracy"], where="post", color=INK, linewidth=0.9, linestyle="--")
            for _, point in mine.iterrows():
                alpha = 1.0 if point["front"] else FAINT
                bounds = [[point["price"] - factor * point["ci_low"]], [factor * point["ci_high"] - point["price"]]]
                across = bounds if column == "seconds" and point["ci_low"] > 0 else None
                where, colour = (point["price"], point["accuracy"]), look(point["variant"]).colour
                axes.errorbar(*where, point["spread"], across, fmt="none", color=colour, linewidth=1, alpha=alpha)
                if point["variant"] != "plain" and point["front"]:
                    label_ = f"{point['resolution']:.0f}"
                    axes.annotate(label_, where, (5, 4), textcoords="offset points", color=INK)
            for on_front, alpha in ((False, FAINT), (True, 1.0)):
                draw.scatter(canvas, mine[mine["front"] == on_front], "price", "accuracy", 48, _tip(label), alpha)
            draw.log_x(axes, draw.axis_limits(mine[["price"]]))
    if not drawing.panels:
        return drawing.figure()
    batch, threads = numbers.span(points["batch_size"]), f"threads: {numbers.span(points['threads_case'])}"
    ran = threads if (study.runs["device"] == "cpu").all() else "on the GPU"
    timed = (
        f" Time is the median forward pass of the network at batch {batch} ({ran}) divided by the batch, "
        f"n = {numbers.span(points['n_case'])} passes, horizontal bars 95 % intervals."
    )
    counted = [word for name, word in of_choice.PRICE_WORDS.items() if name != "seconds" and points[name].notna().any()]
    exact = f" Without spread: {listing(counted)}." if counted else ""
    caption = (
        f"Points are mean test accuracy, vertical bars ± 1 s.d. over seeds (n = {numbers.span(points['n'])})."
        f"{timed if points['seconds'].notna().any() else ''}{exact} Faint: networks that another one clearly beats in "
        "accuracy and this cost. The other one is at least as good in both by its mean, and shown to be better in one: "
        "cheaper (of times, by 95 % intervals that do not overlap), or more accurate (paired test over seeds, below). "
        "The line is the highest mean accuracy up to each cost. Numbers are |H|."
    )
    data = points.drop(columns=["spread", "anchor_case"], errors="ignore")
    return drawing.figure(caption, points["variant"], data)


def _tip(label: str) -> Tip:
    def tip(point: pd.Series) -> str:
        spread = numbers.mean_sd(point["mean"], point["sd"])
        return f"{point['name']}: {spread}; {label} {numbers.digits(point['price'])}"

    return tip


def redundancy(results: Prepared, key: str) -> Figure:
    """Draw how much energy of full kernels each separable form explains, per layer, before and after training."""
    rows = redundancies(results.data.epochs)
    drawing = Drawing(key, "Redundancy: what separable kernels explain of full ones", of_training.redundancy(rows))
    rows = rows[(rows["variant"] == "full") & (rows["fraction"] >= 0)]
    for (group, resolution), mine in rows.groupby(["group", "resolution"]):
        layers = list(dict.fromkeys(mine["layer"]))
        size, grid = (PANEL[0], max(1.8, 0.8 + 0.3 * len(layers))), f", |H| = {resolution:.0f}"
        labels = "energy explained (%)", "layer of the network"
        with drawing.panel(size, *labels, grid, heading=group_name(str(group)) + grid) as canvas:
            for when, alpha, mark in zip(WHEN, (FAINT, 1.0), (22, 38), strict=True):
                grouped = mine[mine["when"] == when].groupby(["layer", "form"], sort=False)["fraction"]
                points = grouped.agg(fraction="mean", n="count").reset_index().rename(columns={"form": "variant"})
                points["y"] = points["layer"].map(layers.index) + draw.dodge(points["variant"], 0.6)
                points["percent"] = 100 * points["fraction"]

                def tip(point: pd.Series, when: str = when) -> str:
                    return (
                        f"{point['layer']}, {point['variant']}, {when}: {point['percent']:.0f} % (n = {point['n']:.0f})"
                    )

                draw.scatter(canvas, points, "percent", "y", mark, tip, alpha)
            draw.names_on_y(canvas.axes, layers)
            canvas.axes.set_xlim(0, 103)
    if not drawing.panels:
        return drawing.figure()
    seeds = rows.groupby(["group", "resolution"])["seed"].nunique()
    caption = (
        "The squared norm of the best approximation of each form over that of the kernel, 1 for a kernel of that form; "
        f"means over seeds (n = {numbers.span(seeds)}). Faint and small: before training; strong: after it."
    )
    return drawing.figure(caption, rows["form"], rows)
