"""The figure of the choice: the accuracy of every network against each of its costs."""

import pandas as pd

from benchmarks.cases.groups import TRIVIAL
from benchmarks.statistics.written import listing
from reports.arithmetic.prepared import StudyRuns
from reports.figures import draw
from reports.figures.draw import FAINT, Canvas, Drawing, Figure, Tip, size_of
from reports.frames.selection import own_named
from reports.style import INK
from reports.words import numbers, of_choice
from reports.words.names import ending, group_name, network_names

# For the column of each cost: the axis label, and the factor from the column to the unit.
PRICE_LABELS = {
    "seconds": ("inference time per image (ms)", 1e3),
    "peak_bytes": ("peak memory of training (MiB)", 2.0**-20),
    "macs": ("MACs per image (10⁶)", 1e-6),
}


def pareto(study: StudyRuns, key: str) -> Figure:
    """Draw test accuracy against time, memory and MACs, each with a front; networks that are not on it are faint."""
    networks = study.networks.reset_index(drop=True)
    drawing = Drawing(key, "Accuracy against time, memory and MACs", of_choice.fronts(study), study.looks)
    points = networks.assign(name=list(network_names(networks).values()), accuracy=100 * networks["mean"])
    points = points.assign(spread=100 * points["sd"].fillna(0.0), number=range(len(points)), label=short_names(points))
    points["variant"] = own_named(points)
    known = points.dropna(subset=["accuracy"])
    priced = [column for column in PRICE_LABELS if known[column].notna().any()]
    for column in priced:
        label, factor = PRICE_LABELS[column]
        beaten = pd.Series([bool(rivals) for rivals in study.beaten[column]], index=points.index, dtype=bool)
        mine = known.assign(price=known[column] * factor, front=~beaten).dropna(subset=["price"])
        timed = (mine["ci_low"] > 0) & (column == "seconds")
        mine["left"] = (factor * mine["ci_low"]).where(timed)
        mine["right"] = (factor * mine["ci_high"]).where(timed)
        mine["low"], mine["high"] = mine["accuracy"] - mine["spread"], mine["accuracy"] + mine["spread"]
        log_label, size = label.replace(")", ", log scale)"), size_of(len(priced))
        with drawing.panel(size, log_label, "test accuracy (%)", f": {label}", price=column) as canvas:
            _front(canvas, mine[mine["front"]].sort_values("price"))
            for _, point in mine.iterrows():
                _bars(canvas, point)
            for on_front, alpha in ((False, FAINT), (True, 1.0)):
                draw.scatter(canvas, mine[mine["front"] == on_front], "price", "accuracy", 48, _tip(label), alpha)
            draw.log_x(canvas.axes, draw.axis_limits(mine[["price"]]))
    if not drawing.panels:
        return drawing.figure()
    batch, threads = numbers.span(points["batch_size"]), f"threads: {numbers.span(points['threads_case'])}"
    ran = threads if (study.runs["device"] == "cpu").all() else "on the GPU"
    timing = (
        f" Time is the median forward pass of the network at batch {batch} ({ran}) divided by the batch, "
        f"n = {numbers.span(points['n_case'])} passes, horizontal bars 95 % intervals."
    )
    counted = [word for name, word in of_choice.PRICE_WORDS.items() if name != "seconds" and points[name].notna().any()]
    exact = f" Without spread: {listing(counted)}." if counted else ""
    caption = (
        f"Points are mean test accuracy, vertical bars ± 1 s.d. over seeds (n = {numbers.span(points['n'])})."
        f"{timing if points['seconds'].notna().any() else ''}{exact} Faint: networks that another one clearly beats in "
        "accuracy and this cost. The other one is at least as good in both by its mean, and shown to be better in one: "
        "cheaper (of times, by 95 % intervals that do not overlap), or more accurate (paired test over seeds, below). "
        "The line is the highest mean accuracy up to each cost."
        f"{' Numbers are |H|.' if points['label'].str[:1].str.isdigit().any() else ''}"
    )
    data = points.drop(columns=["spread", "number", "label", "anchor_case"], errors="ignore")
    return drawing.figure(caption, points["variant"], data)


def _front(canvas: Canvas, front: pd.DataFrame) -> None:
    """Draw the line through the front, in the order of its costs."""
    reached = front[front["accuracy"] >= front["accuracy"].cummax()]  # the others are only not told apart
    xs, ys = reached["price"].tolist(), reached["accuracy"].tolist()
    canvas.axes.step(xs, ys, where="post", color=INK, linewidth=0.9, linestyle="--", gid="front")
    canvas.named["front"] = {"data-front": ""}
    canvas.points.join(xs, ys)


def _bars(canvas: Canvas, point: pd.Series) -> None:
    """Draw the error bars of a network; if it is on the front, name what tells it from others of its colour."""
    where, colour = (point["price"], point["accuracy"]), canvas.look(point["variant"]).colour
    across = None if pd.isna(point["left"]) else [[where[0] - point["left"]], [point["right"] - where[0]]]
    bars = canvas.axes.errorbar(
        *where, point["spread"], across, fmt="none", color=colour, linewidth=1, alpha=1.0 if point["front"] else FAINT
    )
    network = {"data-network": f"{point['number']:.0f}"}
    for i, drawn in enumerate(bars[2]):
        drawn.set_gid(f"bar{i}of{point['number']:.0f}")
        canvas.named[drawn.get_gid()] = network
    if point["front"] and point["label"]:
        gid = f"name{point['number']:.0f}"
        canvas.labels.append((*where, point["label"], gid))
        canvas.named[gid] = network


def short_names(networks: pd.DataFrame) -> list[str]:
    """Return, for each network, what tells it from the others of its variant: |H|, group, augmentation, width.

    |H| is left out where all networks have the same, and the group that most networks have is not named. Users'
    networks are called by their functions, without the modules.
    """
    groups = networks.loc[networks["group"] != TRIVIAL, ["resolution", "group"]]
    several, usual = groups["resolution"].nunique() > 1, groups["group"].mode()
    alike = ["network", "variant", "group", "resolution", "augmentation"]
    widths = networks.groupby(alike, dropna=False)["channels"].transform("nunique") > 1
    names = []
    for wide, (_, row) in zip(widths, networks.iterrows(), strict=True):
        parts = [ending(str(row["network"]).rpartition(":")[2])] * (row["variant"] == "custom")
        parts += [f"{row['resolution']:.0f}"] * (several and row["group"] != TRIVIAL)
        parts += [group_name(str(row["group"]))] * (row["group"] not in (TRIVIAL, *usual[:1]))
        parts += [f"+ {row['augmentation']}"] * (row["augmentation"] not in ("", "none"))
        parts += [f"C = {row['channels']:.0f}"] * bool(wide)
        names.append(" ".join(parts))
    return names


def _tip(label: str) -> Tip:
    def tip(point: pd.Series) -> str:
        spread = numbers.mean_sd(point["mean"], point["sd"])
        return f"{point['name']}: {spread}; {label} {numbers.digits(point['price'])}"

    return tip
