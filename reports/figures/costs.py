"""The figures of what layers cost: beside plain, along the axes, MACs against time, other people's, errors, noise."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import seaborn as sns
from markupsafe import Markup

from reports import analysis, learning, wording
from reports.figures.draw import (
    AXES,
    FAINT,
    PANEL,
    SMALL,
    WIDE,
    Figure,
    along,
    dodge,
    limits,
    lines,
    log_x,
    log_y,
    ok,
    panel,
    scatter,
    spread,
    steps_x,
)
from reports.style import CONVOLUTION, GENERATION, MUTED, PAPER, in_order, look


@dataclass(frozen=True)
class Quantity:
    """A measured column: how to name it, its unit, the factor from the column to the unit, and its spread.

    `expected` is the column that it would be proportional to without overheads, and `dashes` how that line is drawn.
    """

    column: str
    name: str
    unit: str
    factor: float
    spread: str
    bounds: tuple[str, ...] = ()
    expected: str = ""
    dashes: str = ""


TIME = Quantity(
    column="seconds",
    name="time",
    unit="ms",
    factor=1e3,
    spread="Points are medians of n = {n} passes in {rounds}; bars are 95 % intervals of the median, "
    "bootstrapped over processes and passes.",
    bounds=("ci_low", "ci_high"),
    expected="macs",
    dashes="Dashed: as fast as MACs grow, through the last point; a point above it is slower than its MACs.",
)
MEMORY = Quantity(
    column="peak_bytes",
    name="peak memory",
    unit="MiB",
    factor=2.0**-20,
    spread="Peak of one profiled pass (n = 1) above what was allocated before it; no spread.",
    expected="predicted_bytes",
    dashes="Dashed: what the memory model predicts from shapes alone.",
)
MACS = Quantity(
    column="macs",
    name="MACs",
    unit="10⁶",
    factor=1e-6,
    spread="Counted on one forward pass (n = 1); no spread.",
)


def growth(costs: pd.DataFrame, quantity: Quantity, direction: str, key: str) -> Figure:
    """A quantity of one layer along every axis that was varied, everything else at the base point; log axes."""
    rows = ok(costs)
    rows = rows[(rows["layer"] == "conv") & (rows["direction"] == direction)]
    rows = rows.assign(macs=analysis.pass_macs(rows))
    rows = rows[rows[quantity.column] > 0]
    words = wording.DIRECTIONS[direction]
    title = f"{quantity.name[0].upper()}{quantity.name[1:]}, {words}"
    takeaway = wording.growth(rows, quantity.column, f"{words} {quantity.name}")
    base = analysis.base_point(rows)
    slices = {axis: wording.varied(along(rows, base, axis), axis) for axis in AXES} if base else {}
    slices = {axis: slice_ for axis, slice_ in slices.items() if slice_[axis].nunique() > 1 or axis == "resolution"}
    if not slices:
        return Figure(key, title, takeaway)
    drawn = pd.concat([slice_.assign(along=axis) for axis, slice_ in slices.items()])
    bounds = limits(drawn[[quantity.column, *quantity.bounds]] * quantity.factor)
    panels: list[Markup] = []
    for axis, slice_ in slices.items():
        with panel(SMALL) as canvas:
            columns = [quantity.column, *quantity.bounds]
            points = slice_.melt(["variant", axis], columns, value_name="y")
            expected = _expected(slice_, axis, quantity)
            for variant, line in expected.groupby("variant"):
                colour = look(str(variant)).colour
                canvas.axes.plot(line[axis], line["y"], color=colour, linewidth=0.9, linestyle=(0, (2, 2)), alpha=0.8)

            def tip(point: pd.Series, axis: str = axis) -> str:
                bars = f" [{point['low']:.3g}, {point['high']:.3g}]" if quantity.bounds else ""
                return f"{point['variant']}, {AXES[axis]} {point['x']:g}: {point['y']:.3g}{bars} {quantity.unit}"

            lines(canvas, points.assign(y=points["y"] * quantity.factor), axis, "y", "median", tip)
            steps_x(canvas.axes, slice_[axis])
            log_y(canvas.axes, bounds)
            canvas.axes.set(xlabel=AXES[axis], ylabel=f"{quantity.name} ({quantity.unit})")
            name = f"{key}-{axis.replace('_', '-')}"
            panels.append(canvas.svg(name, f"{title}, against {AXES[axis]}", takeaway))
    flat = "resolution" in slices and "plain" in set(drawn["variant"])
    caption = (
        f"One convolution, {words}; base point {wording.point(base)}, one axis varied at a time. "
        f"{quantity.spread.format(n=wording.span(drawn['n']), rounds=wording.processes(drawn['rounds']))}"
        f"{' ' + quantity.dashes if quantity.expected else ''}"
        f"{' Plain has no |H|: a horizontal line.' if flat else ''}"
    )
    return Figure(
        key, title, takeaway, caption, tuple(panels), tuple(in_order(drawn["variant"])), small=True, data=drawn
    )


def _expected(slice_: pd.DataFrame, axis: str, quantity: Quantity) -> pd.DataFrame:
    """The line that each variant would follow without overheads: for the memory model as it is, for MACs at scale."""
    if not quantity.expected:
        return pd.DataFrame(columns=["variant", axis, "y"])
    rows = slice_.dropna(subset=[quantity.expected]).sort_values(axis)
    last = rows.drop_duplicates("variant", keep="last").set_index("variant")
    scale = last[quantity.column] / last[quantity.expected] if quantity.expected == "macs" else last["n"] * 0 + 1.0
    y = rows[quantity.expected] * rows["variant"].map(scale) * quantity.factor
    return rows[["variant", axis]].assign(y=y)


def relative_cost(costs: pd.DataFrame, runs: pd.DataFrame, key: str) -> Figure:
    """Time, memory and MACs of each variant at the base point as multiples of plain; beside it what networks reach."""
    title = "What one layer costs, and what a network of such layers reaches"
    table = analysis.against_plain(ok(costs))
    table = table[table["variant"].isin(wording.BASIC)] if table["variant"].isin(wording.BASIC[1:]).any() else table
    best = learning.networks_at(runs, analysis.layer_base(ok(costs)))
    takeaway = wording.relative(table, best)
    panels, texts, drawn = [], [], []
    variants = in_order([*table["variant"], *best["variant"]])
    if len(table):
        svg, data = _multiples(table, key, title, takeaway)
        panels.append(svg)
        drawn.append(data)
        texts.append(
            f"Base point: {wording.point(table.iloc[0])}. Times: ratios of medians with 95 % intervals, n = "
            f"{wording.span(table['n'])} passes in {wording.processes(table['rounds'])}; memory and MACs are counts."
        )
    if len(best):
        svg, data = _reached(runs, best, f"{key}-reached", title, takeaway)
        panels.append(svg)
        drawn.append(data)
        texts.append(
            f"Accuracy: of each variant the network at that |H|, or else the one that validates best; large points are "
            f"means over n = {wording.span(best['n'])} seeds, bars ± 1 s.d., small points the seeds."
        )
    data = pd.concat(drawn) if drawn else pd.DataFrame()
    return Figure(key, title, takeaway, " ".join(texts), tuple(panels), tuple(variants), wide=True, data=data)


def _multiples(table: pd.DataFrame, key: str, title: str, takeaway: str) -> tuple[Markup, pd.DataFrame]:
    kinds = {"time_ratio": "time", "memory_ratio": "memory", "mac_ratio": "MACs"}
    rows = table[table["direction"].isin(wording.DIRECTIONS)]
    data = rows.melt(["variant", "direction", "time_low", "time_high"], list(kinds), "kind", "ratio").dropna()
    data["quantity"] = data["kind"].replace(kinds) + ", " + data["direction"].replace(wording.DIRECTIONS)
    timed = data["kind"] == "time_ratio"
    data = data.assign(low=data["time_low"].where(timed), high=data["time_high"].where(timed))
    data = data.drop(columns=["time_low", "time_high", "kind"])
    names = [f"{kind}, {words}" for kind in kinds.values() for words in wording.DIRECTIONS.values()]
    names = [name for name in names if name in set(data["quantity"])]
    data["y"] = data["quantity"].map(names.index) + dodge(data["variant"])
    with panel((4.1, max(1.7, 0.65 + 0.42 * len(names)))) as canvas:
        spread(canvas, data, "ratio", "y", of="x")
        scatter(canvas, data, "ratio", "y", 38, lambda row: f"{row['variant']}, {row['quantity']}: {_times(row)}")
        log_x(canvas.axes, limits(data[["ratio", "low", "high"]]), "{:g}×")
        canvas.axes.axvline(1, color=MUTED, linewidth=0.8, linestyle="--", zorder=0)
        canvas.axes.set_yticks(range(len(names)), names)
        canvas.axes.set_ylim(len(names) - 0.5, -0.5)
        canvas.axes.set(xlabel="multiple of plain (log scale)", ylabel="")
        return canvas.svg(key, title, takeaway), data.drop(columns="y")


def _times(row: pd.Series) -> str:
    return wording.times(analysis.Interval(row["ratio"], row["low"], row["high"]))


def _reached(
    runs: pd.DataFrame, best: pd.DataFrame, key: str, title: str, takeaway: str
) -> tuple[Markup, pd.DataFrame]:
    names = wording.network_names(best)
    order = [i for variant in in_order(best["variant"]) for i in best.index[best["variant"] == variant]]
    seeds = runs.merge(best[learning.NETWORK].assign(row=best.index), on=learning.NETWORK)
    seeds = seeds.assign(y=seeds["row"].map(order.index), accuracy=100 * seeds["test_accuracy"])
    means = best.assign(y=[order.index(i) for i in best.index], accuracy=100 * best["mean"], name=list(names.values()))
    means["low"], means["high"] = 100 * (best["mean"] - best["sd"]), 100 * (best["mean"] + best["sd"])
    with panel((3.6, max(1.7, 0.65 + 0.42 * len(order)))) as canvas:
        spread(canvas, means, "accuracy", "y", of="x")
        scatter(
            canvas,
            seeds,
            "accuracy",
            "y",
            12,
            lambda row: f"{row['variant']}, seed {row['seed']:.0f}: {row['accuracy']:.1f} %",
            FAINT,
        )
        scatter(
            canvas, means, "accuracy", "y", 48, lambda row: f"{row['name']}: {wording.mean_sd(row['mean'], row['sd'])}"
        )
        canvas.axes.set_yticks(range(len(order)), [names[i].replace(" |H|", "\n|H|") for i in order])
        canvas.axes.set_ylim(len(order) - 0.5, -0.5)
        canvas.axes.set(xlabel="test accuracy (%)", ylabel="")
        svg = canvas.svg(key, f"{title}: test accuracy", takeaway)
    return svg, seeds[[*learning.NETWORK, "seed", "test_accuracy"]]


def mac_split(costs: pd.DataFrame, key: str) -> Figure:
    """MACs of generating kernels and of convolving in a forward, against batch size, one panel per variant."""
    title = "Where the MACs go: generating kernels or convolving"
    rows = ok(costs)
    rows = rows[(rows["layer"] == "conv") & (rows["macs_convolution"] > 0) & (rows["variant"] != "plain")]
    base = analysis.base_point(rows)
    slice_ = along(rows, base, "batch_size") if base else rows
    slice_ = wording.varied(slice_.drop_duplicates(["variant", "batch_size"]), "batch_size")
    takeaway = wording.generation_share(slice_)
    parts = {"macs_convolution": "convolution", "macs_kernel_generation": "kernel generation"}
    long = slice_.rename(columns=parts).melt(["variant", "batch_size"], list(parts.values()), "part", "macs")
    bounds = limits(long[["macs"]] / 1e6)
    panels: list[Markup] = []
    for variant in in_order(slice_["variant"]):
        mine = long[long["variant"] == variant]
        with panel(SMALL) as canvas:
            sns.lineplot(
                mine.assign(macs=mine["macs"] / 1e6),
                x="batch_size",
                y="macs",
                hue="part",
                style="part",
                palette=[CONVOLUTION, GENERATION],
                markers=["o", "X"],
                markeredgecolor=PAPER,
                ax=canvas.axes,
            )
            sns.move_legend(canvas.axes, "upper left", title=None)
            steps_x(canvas.axes, slice_["batch_size"])
            log_y(canvas.axes, (bounds[0], bounds[1] * 8))  # room for the legend
            canvas.axes.set_title(variant)
            canvas.axes.set(xlabel=AXES["batch_size"], ylabel="MACs of one forward (10⁶)")
            panels.append(canvas.svg(f"{key}-{len(panels)}", f"{title}: {variant}", takeaway))
    if not panels:
        return Figure(key, title, takeaway)
    caption = (
        f"MACs of one forward pass that generates its kernels, as every training pass does; inference finds them "
        f"cached. {wording.point(base, without='batch_size')}. Counts (n = 1), so no spread."
    )
    return Figure(key, title, takeaway, caption, tuple(panels), small=True, data=long)


def realised(costs: pd.DataFrame, twins: pd.DataFrame, key: str) -> Figure:
    """Time saved against MACs saved by separable over full, every pair measured; the diagonal is all of it."""
    title = "Realised speed-up: time saved against MACs saved, separable over full"
    pairs = analysis.realised_speedup(ok(costs), twins)
    takeaway = wording.realised(pairs)
    panels: list[Markup] = []
    bounds = limits(pairs[["mac_ratio", "time_low", "time_high", "time_ratio"]].assign(one=1.0))
    for name, rows in pairs.groupby(wording.passes(pairs), sort=False):
        rows = rows.assign(variant="separable", low=rows["time_low"], high=rows["time_high"])
        with panel(PANEL) as canvas:
            canvas.axes.plot(bounds, bounds, color=MUTED, linewidth=0.8, linestyle="--")
            canvas.axes.axhline(1, color=MUTED, linewidth=0.6)
            spread(canvas, rows, "mac_ratio", "time_ratio")
            scatter(canvas, rows, "mac_ratio", "time_ratio", 34, _speedup)
            log_y(canvas.axes, bounds)
            log_x(canvas.axes, bounds)
            canvas.axes.set_title(str(name))
            canvas.axes.set(xlabel="MACs, full / separable (×)", ylabel="time, full / separable (×)")
            panels.append(canvas.svg(f"{key}-{len(panels)}", f"{title} ({name})", takeaway))
    if not panels:
        return Figure(key, title, takeaway)
    caption = (
        f"One point per setting where both were measured (n = {len(pairs)}); bars are 95 % intervals of the ratio of "
        "medians; words are said of the rounds in which both took turns. On the dashed line time falls as much as MACs "
        "do; below 1 separable is slower."
    )
    return Figure(key, title, takeaway, caption, tuple(panels), ("separable",), data=pairs)


def _speedup(pair: pd.Series) -> str:
    ratio = wording.times(analysis.Interval(pair["time_ratio"], pair["low"], pair["high"]))
    where = f"|H| = {pair['resolution']:.0f}, width {pair['channels']:.0f}, batch {pair['batch_size']:.0f}"
    shape = f"{pair['image_size']:.0f} pixels, kernel {pair['kernel_size']:.0f}"
    word = f"; {pair['word']}" if pair["word"] else ""
    return f"{where}, {shape}: time {ratio}, MACs {wording.digits(pair['mac_ratio'])}×{word}"


FLOOR = 1e-9  # an exact zero has no place on a log axis
TOLERANCE = 1e-5


def equivariance(costs: pd.DataFrame, epochs: pd.DataFrame, key: str) -> Figure:
    """Equivariance error against |H| and image size: worst case and range over everything measured there."""
    title = "Equivariance error under the exact rotations of the grid"
    rows = ok(costs)
    rows = rows[(rows["equivariance_error"] >= 0) & (rows["direction"] == "forward")]
    trained = epochs[epochs["equivariance_error"] >= 0].sort_values("epoch").drop_duplicates("id", keep="last")
    takeaway = wording.equivariance(rows)
    seen = {wording.LAYERS[layer]: rows[rows["layer"] == layer] for layer in ("conv", "resnet")}
    seen["trained network"] = trained[trained["variant"] != "plain"]
    wanted = [(name, mine, "resolution") for name, mine in seen.items()]
    wanted += [(wording.LAYERS["conv"], seen[wording.LAYERS["conv"]], "image_size")]
    wanted = [
        (name, mine, axis)
        for name, mine, axis in wanted
        if len(mine) and (axis == "resolution" or mine[axis].nunique() > 1)
    ]
    drawn = pd.concat([mine.assign(of=name, along=axis) for name, mine, axis in wanted]) if wanted else rows
    errors = drawn.assign(error=drawn["equivariance_error"].clip(lower=FLOOR))
    bounds = limits(errors[["error"]].assign(tolerance=TOLERANCE))
    panels: list[Markup] = []
    for name, mine, axis in wanted:
        mine = mine.assign(error=mine["equivariance_error"].clip(lower=FLOOR))
        with panel(SMALL) as canvas:

            def tip(point: pd.Series, axis: str = axis) -> str:
                worst = wording.exponential(point["high"])
                return f"{point['variant']}, {AXES[axis]} {point['x']:g}: worst {worst} of {point['n']:.0f} cases"

            lines(canvas, mine, axis, "error", "max", tip)
            canvas.axes.axhline(TOLERANCE, color=MUTED, linewidth=0.8, linestyle="--")
            steps_x(canvas.axes, mine[axis])
            log_y(canvas.axes, bounds, "{:.0e}")
            canvas.axes.set_title(name)
            canvas.axes.set(xlabel=AXES[axis], ylabel="relative error")
            panels.append(canvas.svg(f"{key}-{len(panels)}", f"{title}: {name}, against {AXES[axis]}", takeaway))
    if not panels:
        return Figure(key, title, takeaway)
    per_point = drawn.groupby(["of", "along", "variant", "resolution"]).size()
    caption = (
        f"Points are the worst of n = {wording.span(per_point)} cases, bars their range; dashed: 1e-5, what float32 "
        f"rounding allows.{' Errors below 1e-9 are drawn there.' if (errors['error'] == FLOOR).any() else ''}"
    )
    return Figure(
        key, title, takeaway, caption, tuple(panels), tuple(in_order(drawn["variant"])), small=True, data=drawn
    )


def noise(costs: pd.DataFrame, twins: pd.DataFrame, key: str) -> Figure:
    """What the same code, entered twice, differs by, against the time of a pass; the floor as a band."""
    title = "Noise floor: the same code, entered twice"
    takeaway = wording.noise(ok(costs), twins)
    if twins.empty:
        return Figure(key, title, takeaway)
    floor = 100 * analysis.noise_floor(twins)
    points = analysis.twin_differences(twins)
    points = points.assign(
        milliseconds=1e3 * points["seconds"], **{name: 100 * points[name] for name in ("change", "low", "high")}
    )
    reach = 1.15 * max(floor, points["change"].abs().max())
    with panel(WIDE) as canvas:
        canvas.axes.axhspan(-floor, floor, color=CONVOLUTION, alpha=0.2, linewidth=0)
        canvas.axes.axhline(0, color=MUTED, linewidth=0.8, linestyle="--", zorder=0)
        spread(canvas, points, "milliseconds", "change", alpha=FAINT)
        scatter(
            canvas,
            points,
            "milliseconds",
            "change",
            34,
            lambda row: f"{row['variant']}, {wording.seconds(row['seconds'])}: {wording.signed(row['change'] / 100)}",
        )
        log_x(canvas.axes, limits(points[["milliseconds"]]))
        canvas.axes.set_ylim(-reach, reach)
        canvas.axes.set(xlabel="time of one pass (ms, log scale)", ylabel="second entry beside the first (%)")
        svg = canvas.svg(key, title, takeaway)
    caption = (
        f"One point per A/A pair (n = {len(points)}), drawn at random in every block and timed in turns with the "
        f"others: the ratio of medians, geometric mean over {wording.processes(points['first'].map(len))}; bars "
        "are 99 % intervals, cut off at the edges. The band is ± the minimum detectable effect. Nothing inside of it "
        "is called faster or slower on this page; where more comparisons are made at once, it is wider for them."
    )
    return Figure(key, title, takeaway, caption, (svg,), tuple(in_order(points["variant"])), wide=True, data=points)


def peers(costs: pd.DataFrame, twins: pd.DataFrame, key: str) -> Figure:
    """The time of layers that are not ours over the time of ours."""
    title = "Other people's layers beside ours"
    pairs = analysis.peers(ok(costs), twins)
    takeaway = wording.peers(pairs)
    if pairs.empty:
        return Figure(key, title, takeaway)
    passes = pairs["direction"].replace(wording.ALL_DIRECTIONS)
    pairs = pairs.assign(name=pairs["implementation"].map(wording.ending) + ", " + passes, variant=pairs["rival"])
    names = sorted(set(pairs["name"]))
    pairs["y"] = pairs["name"].map(names.index) + dodge(pairs["variant"])
    known = np.isfinite(pairs["high"]) & (pairs["low"] > 0)
    with panel((WIDE[0], max(1.6, 0.9 + 0.45 * len(names)))) as canvas:
        canvas.axes.axvline(1, color=MUTED, linewidth=0.8, linestyle="--", zorder=0)
        spread(canvas, pairs[known], "ratio", "y", of="x")
        scatter(canvas, pairs, "ratio", "y", 40, lambda pair: f"{pair['name']}, {pair['variant']}: {_times(pair)}")
        log_x(canvas.axes, limits(pairs.loc[known, ["ratio", "low", "high"]].assign(one=1.0)), "{:g}×")
        canvas.axes.set_yticks(range(len(names)), names)
        canvas.axes.set_ylim(len(names) - 0.5, -0.5)
        canvas.axes.set(xlabel="time of theirs, as a multiple of ours (log scale)", ylabel="")
        svg = canvas.svg(key, title, takeaway)
    caption = (
        f"One point per case that both have (n = {len(pairs)} pairs, {wording.processes(pairs['rounds'])} each); "
        "bars are 99 % intervals of the ratio, round by round where both took turns. Left of the dashed line theirs is "
        "faster."
    )
    return Figure(key, title, takeaway, caption, (svg,), tuple(in_order(pairs["variant"])), wide=True, data=pairs)
