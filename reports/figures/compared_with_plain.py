"""The figure of the first screen: the cost of each layer as a multiple of plain, and the accuracy of its network."""

import pandas as pd

from benchmarks.statistics.intervals import Interval
from reports.arithmetic.prepared import Prepared
from reports.figures.bars import dodge, in_lines, names_on_y
from reports.figures.draw import FAINT, Drawing, Figure, axis_limits, log_x, scatter, size_of, spread
from reports.frames.selection import NETWORK, own_named
from reports.style import MUTED, in_order
from reports.words import headline, numbers
from reports.words.names import BASIC, PASS_WORDS, network_names, point_words

KINDS = {"time_ratio": "time", "memory_ratio": "memory", "mac_ratio": "MACs"}
ROWS = len(KINDS) * len(PASS_WORDS)
TITLE = "What one layer costs, and what a network of such layers reaches"
# By whether costs of layers, and accuracies of networks, are drawn; ``TITLE`` for both, and for neither.
TITLES = {(True, False): "What one layer costs", (False, True): "What networks reach"}


def compared_with_plain(results: Prepared, key: str) -> Figure:
    """Draw time, memory and MACs of each variant at the base point as multiples of plain, and network accuracies."""
    table, best = results.against_plain, results.best_networks
    table = table[table["variant"].isin(BASIC)] if table["variant"].isin(BASIC[1:]).any() else table
    title = TITLES.get((len(table) > 0, len(best) > 0), TITLE)
    drawing = Drawing(key, title, headline.compared_with_plain(table, results.shown_studies[0], best), results.looks)
    texts, drawn = [], []
    # Both panels are as high as the one with more rows.
    size = size_of(2, height=max(1.7, 0.65 + 0.42 * max(ROWS * bool(len(table)), len(best))))
    if len(table):
        drawn.append(_multiples(table, drawing, size))
        texts.append(
            f"Base point: {point_words(table.iloc[0])}. Times: ratios of medians with 95 % intervals, n = "
            f"{numbers.span(table['n'])} passes in {numbers.processes(table['rounds'])}; memory and MACs are counts."
            f"{headline.other_block(table)}"
        )
    if len(best):
        drawn.append(_reached(results.runs, best, drawing, size))
        texts.append(
            "Accuracy: of each variant, with and without augmentation, the network at that |H|, or else the one that "
            f"validates best; large points are means over n = {numbers.span(best['n'])} seeds, bars ± 1 s.d., small "
            "points the seeds."
        )
    data = pd.concat(drawn) if drawn else pd.DataFrame()
    return drawing.figure(" ".join(texts), [*table["variant"], *own_named(best)], data)


def _multiples(table: pd.DataFrame, drawing: Drawing, size: tuple[float, float]) -> pd.DataFrame:
    """Draw the multiples of plain, and return their data."""
    rows = table[table["direction"].isin(PASS_WORDS)]
    data = rows.melt(["variant", "direction", "time_low", "time_high"], list(KINDS), "kind", "ratio").dropna()
    data["quantity"] = data["kind"].replace(KINDS) + ", " + data["direction"].replace(PASS_WORDS)
    timed = data["kind"] == "time_ratio"
    data = data.assign(low=data["time_low"].where(timed), high=data["time_high"].where(timed))
    data = data.drop(columns=["time_low", "time_high", "kind"])
    names = [f"{kind}, {words}" for kind in KINDS.values() for words in PASS_WORDS.values()]
    names = [name for name in names if name in set(data["quantity"])]
    data["y"] = data["quantity"].map(names.index) + dodge(data["variant"])
    with drawing.panel(size, "× plain (log scale)", "", key=drawing.key) as canvas:
        spread(canvas, data, "ratio", "y", of="x")
        scatter(canvas, data, "ratio", "y", 38, lambda row: f"{row['variant']}, {row['quantity']}: {_multiple(row)}")
        log_x(canvas.axes, axis_limits(data[["ratio", "low", "high"]]), "{:g}×")
        canvas.axes.axvline(1, color=MUTED, linewidth=0.8, linestyle="--", zorder=0)
        names_on_y(canvas.axes, [in_lines(name) for name in names])
    return data.drop(columns="y")


def _multiple(row: pd.Series) -> str:
    return numbers.multiple(Interval(row["ratio"], row["low"], row["high"]))


def _reached(runs: pd.DataFrame, best: pd.DataFrame, drawing: Drawing, size: tuple[float, float]) -> pd.DataFrame:
    """Draw the accuracies of the networks, and return their data."""
    names = network_names(best)
    order = [i for variant in in_order(best["variant"]) for i in best.index[best["variant"] == variant]]
    seeds = runs.merge(best[NETWORK].assign(row=best.index), on=NETWORK)
    seeds = seeds.assign(y=seeds["row"].map(order.index), accuracy=100 * seeds["test_accuracy"])
    means = best.assign(y=[order.index(i) for i in best.index], accuracy=100 * best["mean"], name=list(names.values()))
    drawn, means = seeds.assign(variant=own_named(seeds)), means.assign(variant=own_named(means))
    means["low"], means["high"] = 100 * (best["mean"] - best["sd"]), 100 * (best["mean"] + best["sd"])

    def of_seed(row: pd.Series) -> str:
        return f"{row['variant']}, seed {row['seed']:.0f}: {row['accuracy']:.1f} %"

    def of_mean(row: pd.Series) -> str:
        return f"{row['name']}: {numbers.mean_sd(row['mean'], row['sd'])}"

    with drawing.panel(size, "test accuracy (%)", "", ": test accuracy", key=f"{drawing.key}-reached") as canvas:
        spread(canvas, means, "accuracy", "y", of="x")
        scatter(canvas, drawn, "accuracy", "y", 12, of_seed, FAINT)
        scatter(canvas, means, "accuracy", "y", 48, of_mean)
        names_on_y(canvas.axes, [_in_lines(names[i]) for i in order])
    return seeds[[*NETWORK, "seed", "test_accuracy"]]


def _in_lines(name: str) -> str:
    """Return a name in two lines where it is long: `separable + rotations` above `|H| = 8, C = 8`."""
    network, _, width = name.partition(", C")
    augmented = f" + {augmentation}" if (augmentation := network.partition(" + ")[2]) else ""
    variant, _, grid = network.removesuffix(augmented).partition(" |H|")
    second = ", ".join(part for part in (f"|H|{grid}" if grid else "", f"C{width}" if width else "") if part)
    return f"{variant}{augmented}\n{second}" if second else f"{variant}{augmented}"
