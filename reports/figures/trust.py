"""The figures of how far the numbers can be trusted: the noise floor, and equivariance errors."""

import pandas as pd

from benchmarks.statistics.written import listing
from reports.arithmetic.layers import kinds, noise_floors, twin_differences
from reports.arithmetic.prepared import Prepared
from reports.figures import draw
from reports.figures.draw import AXIS_LABELS, FAINT, Canvas, Drawing, Figure, size_of
from reports.frames.selection import own_named
from reports.style import CONVOLUTION, MUTED, look
from reports.words import numbers, of_trust
from reports.words.names import LAYER_WORDS

SMALLEST_ERROR = 1e-9  # smaller errors are drawn at this value, because a log axis cannot show zero
# The noise figure's axis has room for this share of the intervals, but is at most so many times as long as its points
# need; longer intervals end in an arrow at the end of the axis.
SHOWN, MOST_REACH = 0.9, 8


def equivariance(results: Prepared, key: str) -> Figure:
    """Draw the equivariance error against |H| and image size: the worst case, and the range of all cases.

    Cases are turned by elements of their own H, trained networks by quarter turns; only these include plain networks.
    """
    rows, epochs = results.costs, results.data.epochs
    rows = rows[(rows["equivariance_error"] >= 0) & (rows["direction"] == "forward")]
    rows = rows[rows["layer"] != "network"]  # a user's network claims nothing, and is turned by quarter turns
    trained = (
        epochs[(epochs["equivariance_error"] >= 0) & (epochs["dtype"] == "float32")]
        .sort_values("epoch")
        .drop_duplicates("id", keep="last")
    )
    own = results.own_layers
    words = of_trust.equivariance(rows, trained, own[own["direction"] == "forward"])
    drawing = Drawing(key, "Equivariance error without interpolation", words, results.looks)
    trained = trained.assign(variant=own_named(trained))
    named = {layer: f"{LAYER_WORDS[layer]}, elements of H" for layer in ("conv", "resnet")}
    seen = {name: rows[rows["layer"] == layer] for layer, name in named.items()}
    seen["trained, quarter turns"] = trained
    wanted = [(name, mine, "resolution") for name, mine in seen.items() if len(mine)]
    layers = seen[named["conv"]]
    if layers["image_size"].nunique() > 1:
        wanted.append((named["conv"], layers, "image_size"))
    drawn = pd.concat([mine.assign(of=name, along=axis) for name, mine, axis in wanted]) if wanted else rows
    errors = drawn.assign(error=drawn["equivariance_error"].clip(lower=SMALLEST_ERROR))
    bounds = draw.axis_limits(errors[["error"]].assign(tolerance=of_trust.TOLERANCE))
    for name, mine, axis in wanted:
        mine = mine.assign(error=mine["equivariance_error"].clip(lower=SMALLEST_ERROR))
        labels, what = (AXIS_LABELS[axis], "relative error"), f": {name}, against {AXIS_LABELS[axis]}"
        with drawing.panel(size_of(len(wanted), small=True), *labels, what, heading=name) as canvas:

            def tip(point: pd.Series, axis: str = axis) -> str:
                worst = numbers.exponential(point["high"])
                return (
                    f"{point['variant']}, {AXIS_LABELS[axis]} {point['x']:g}: worst {worst} of {point['n']:.0f} cases"
                )

            draw.lines(canvas, mine, axis, "error", "max", tip)
            canvas.axes.axhline(of_trust.TOLERANCE, color=MUTED, linewidth=0.8, linestyle="--")
            draw.steps_x(canvas.axes, mine[axis])
            draw.log_y(canvas.axes, bounds, "{:.0e}")
    if not drawing.panels:
        return drawing.figure()
    per_point = drawn.groupby(["of", "along", "variant", "resolution"]).size()
    caption = (
        f"Points are the worst of n = {numbers.span(per_point)} cases, bars their range; dashed: 1e-5, what float32 "
        "rounding allows."
    )
    if len(trained):
        caption += " Trained networks are turned by 90°, 180° and 270°, in H or not; plain is at |H| = 1."
    if (errors["error"] == SMALLEST_ERROR).any():
        caption += " Errors below 1e-9 are drawn there."
    return drawing.figure(caption, drawn["variant"], drawn)


def noise(results: Prepared, key: str) -> Figure:
    """Draw by how much two measurements of the same code differ, against the time of a pass, with the noise floor."""
    twins = results.data.twins
    drawing = Drawing(key, "Noise floor: the same code, timed twice", of_trust.noise(results.measured, twins))
    if twins.empty:
        return drawing.figure()
    floors = {kind: 100 * floor for kind, floor in noise_floors(twins).items()}
    points = twin_differences(twins)
    points = points.assign(milliseconds=1e3 * points["seconds"])
    points[["change", "low", "high"]] *= 100
    least = 1.15 * max(*floors.values(), points["change"].abs().max()) or 1.0  # all twins may be equal
    ends = points[["low", "high"]].abs().max(axis=1)
    wanted = 1.05 * ends.quantile(SHOWN, "higher") if ends.notna().any() else least
    reach = float(max(least, min(wanted, MOST_REACH * least)))
    cut = int((ends > reach).sum())

    def tip(pair: pd.Series) -> str:
        return f"{pair['variant']}, {numbers.seconds(pair['seconds'])}: {numbers.signed_percent(pair['change'] / 100)}"

    labels = "time of one pass (ms, log scale)", "second twin minus first (%)"
    for number, (kind, floor) in enumerate(floors.items(), start=1):
        mine = points[kinds(points) == kind]
        where = of_trust.where_timed(mine.iloc[0])
        name = key if number == 1 else f"{key}-{number}"
        with drawing.panel(size_of(len(floors)), *labels, f", {where}", heading=where, key=name) as canvas:
            canvas.axes.axhspan(-floor, floor, color=CONVOLUTION, alpha=0.2, linewidth=0)
            canvas.axes.axhline(0, color=MUTED, linewidth=0.8, linestyle="--", zorder=0)
            draw.spread(canvas, mine, "milliseconds", "change", alpha=FAINT)
            _arrows(canvas, mine, reach)
            draw.scatter(canvas, mine, "milliseconds", "change", 34, tip)
            draw.log_x(canvas.axes, draw.axis_limits(points[["milliseconds"]]))
            canvas.axes.set_ylim(-reach, reach)
    axes = {"number formats": set(points["dtype"]), "executions": set(points["execution"])}
    settings = [f"{axis} ({', '.join(sorted(names))})" for axis, names in axes.items() if len(names) > 1]
    longer = f"; {cut} of them {'reaches' if cut == 1 else 'reach'} beyond the axis, as arrows show" if cut else ""
    together = f" Pairs of all {listing(settings)} count together." if settings else ""
    caption = (
        f"One point per A/A pair (n = {len(points)}), drawn at random in every block and timed in turns with the "
        f"others: the ratio of medians, geometric mean over {numbers.processes(points['first'].map(len))}; bars "
        f"are 99 % intervals{longer}. The band is ± the minimum detectable effect of such passes. Nothing inside of it "
        "is called faster or slower here; where more comparisons are made at once, it is wider for them."
        f"{together}"
    )
    return drawing.figure(caption, points["variant"], points)


def _arrows(canvas: Canvas, points: pd.DataFrame, reach: float) -> None:
    """Draw an arrow at the end of the axis, from −reach to reach, for every interval that goes on beyond it."""
    drawn = draw.thinned(points.dropna(subset=["low", "high"]))
    ends = {"up": ("^", reach, drawn[drawn["high"] > reach]), "down": ("v", -reach, drawn[drawn["low"] < -reach])}
    for name, (marker, end, rows) in ends.items():
        colours = [look(str(variant)).colour for variant in rows["variant"]]
        heights = [0.96 * end] * len(rows)
        arrows = canvas.axes.scatter(rows["milliseconds"], heights, s=18, c=colours, marker=marker, linewidths=0)
        arrows.set_gid(f"beyond-{name}")
        canvas.named[f"beyond-{name}"] = {"data-beyond": name}
