"""Numbers → words. Every sentence of the report that holds a number is a pure function of a frame, here."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from benchmarks.statistics.comparison import WORDS
from reports import analysis, learning
from reports.analysis import Interval
from reports.style import in_order

DIRECTIONS = {"forward": "forward", "forward_backward": "forward + backward"}
ALL_DIRECTIONS = {**DIRECTIONS, "training_step": "training step"}
LAYERS = {"conv": "one layer", "resnet": "network"}
GROUPS = {"SO2": "SO(2)", "O2": "O(2)", "RPlus": "R⁺", "SO2xRPlus": "SO(2) × R⁺"}
AXES = {
    "resolution": "group resolution |H|",
    "channels": "width",
    "batch_size": "batch size",
    "image_size": "image size",
    "kernel_size": "kernel size",
}
# What the first screen is about; the rarer variants are in its table.
BASIC = ("plain", "lifting", "full", "separable")
NOTHING = "–"
TIME_RATIO = ["time_ratio", "time_low", "time_high"]


@dataclass(frozen=True)
class Sentence:
    """A generated sentence, and the records that its numbers come from: what to call each, and its row in the page."""

    text: str
    records: tuple[tuple[str, str], ...] = ()


def digits(value: float, significant: int = 3) -> str:
    """Plain decimals with so many significant digits (1234 → 1230, 0.00123 → 0.00123)."""
    if not math.isfinite(value):
        return NOTHING
    if value == 0:
        return "0"
    decimals = significant - 1 - math.floor(math.log10(abs(value)))
    return f"{round(value, decimals):,.{max(decimals, 0)}f}"


def decimal(value: float) -> str:
    """One decimal, with a true minus and no negative zero."""
    return f"{round(value, 1) + 0.0:.1f}".replace("-", "−")


def exponential(value: float) -> str:
    return f"{value:.1e}".replace("e-0", "e-") if math.isfinite(value) else NOTHING


def plural(number: float, noun: str) -> str:
    return f"{number:.0f} {noun}{'' if number == 1 else 's'}"


def scaled(value: float, unit: str, steps: dict[str, float]) -> str:
    """The value in the largest of the steps (prefix → size, descending) that leaves it at 1 or more."""
    if not math.isfinite(value):
        return NOTHING
    prefix, size = next(((p, s) for p, s in steps.items() if abs(value) >= s), list(steps.items())[-1])
    return f"{digits(value / size)} {prefix}{unit}"


def seconds(value: float) -> str:
    return scaled(value, "s", {"": 1.0, "m": 1e-3, "µ": 1e-6})


def joules(value: float) -> str:
    return scaled(value, "J", {"": 1.0, "m": 1e-3, "µ": 1e-6})


def memory(value: float) -> str:
    return scaled(value, "B", {"Gi": 2.0**30, "Mi": 2.0**20, "Ki": 2.0**10, "": 1.0})


def count(value: float) -> str:
    return scaled(value, "", {"T": 1e12, "G": 1e9, "M": 1e6, "k": 1e3, "": 1.0}).strip()


def times(interval: Interval) -> str:
    """A ratio with its interval: `3.10× [2.92, 3.31]`; without interval where there is none."""
    bounds = f" [{digits(interval.low)}, {digits(interval.high)}]"
    certain = interval.low == interval.high or not math.isfinite(interval.low + interval.high)
    return f"{digits(interval.value)}×" + ("" if certain else bounds)


def percent(value: float, decimals: int = 1) -> str:
    if not math.isfinite(value):
        return NOTHING
    least = 10.0**-decimals
    return f"< {least:g} %" if 0 < 100 * value < least else f"{100 * value:.{decimals}f} %"


def mean_sd(mean: float, sd: float) -> str:
    """An accuracy over seeds, `96.1 ± 0.4 %`; without spread where there was one seed."""
    return f"{100 * mean:.1f} ± {100 * sd:.1f} %" if math.isfinite(sd) else percent(mean)


def unbroken(text: str) -> str:
    """No line break between a number and its unit, nor around =, ± and ×."""
    text = re.sub(r" (=|±|×) ", "\u00a0\\1\u00a0", text).replace("|\u00a0", "|\u2060\u00a0")  # lines end after bars
    return re.sub(r"(?<=\d) (?=(%|s|ms|µs|[GMK]?i?B)\b|%)", "\u00a0", text)


def ending(name: str, longest: int = 24) -> str:
    """The end of a name that has no room beside an axis: of `package.module:Class` the class."""
    return name if len(name) <= longest else f"…{name[-longest:]}"


def listing(parts: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def span(values: pd.Series) -> str:
    """`3` or `3–5`: an n that differs between points."""
    known = values.dropna()
    if known.empty:
        return "unknown"
    low, high = int(known.min()), int(known.max())
    return f"{low}" if low == high else f"{low}–{high}"


def processes(rounds: pd.Series) -> str:
    """`5 processes`: in how many something was timed."""
    return f"{span(rounds)} process{'' if rounds.max() == 1 else 'es'}"


def point(base: Mapping[str, Any] | pd.Series, *, without: str = "") -> str:
    """The base point in words, one axis left out where the figure varies it."""
    words = {
        "group": GROUPS.get(str(base["group"]), str(base["group"])),
        "resolution": f"|H| = {base['resolution']:.0f}",
        "channels": f"{base['channels']:.0f} → {base['channels']:.0f} channels",
        "batch_size": f"batch {base['batch_size']:.0f}",
        "image_size": f"{base['image_size']:.0f} × {base['image_size']:.0f} pixels",
        "kernel_size": f"{base['kernel_size']:.0f} × {base['kernel_size']:.0f} kernels",
        "dtype": str(base["dtype"]),
        "threads": plural(base["threads"], "thread"),
    }
    return ", ".join(text for axis, text in words.items() if axis != without)


def growth(costs: pd.DataFrame, column: str, what: str) -> str:
    """How `column` grows with |H|: fitted exponents of the group variants on the slice at the base point."""
    if costs.empty:
        return f"No {what} was measured."
    name = next(name for name, measured in analysis.GROWING.items() if measured == column)
    table = analysis.growths(costs)
    table = table[(table["axis"] == "resolution") & table[name].notna()]
    powers = {str(row["variant"]): exponent(row, name) for _, row in table.iterrows()}
    found = [f"{powers[variant]} for {variant}" for variant in in_order(powers) if variant != "plain"]
    if not found:
        return f"{what[0].upper()}{what[1:]}: measured at one group resolution only."
    verb = "grow" if what.endswith("s") else "grows"
    n = f"n = {span(table['n'])} resolutions"
    return f"{what[0].upper()}{what[1:]} {verb} with |H| to the power {listing(found)} ({n})."


def exponent(row: pd.Series, name: str) -> str:
    """`1.7 ± 0.3`, a 95 % interval; without it where two points give none, or where all lie on one line."""
    half = row[f"{name}_high"] - row[name]
    return decimal(row[name]) + (f" ± {decimal(half)}" if half >= 0.05 else "")


def bends(growths: pd.DataFrame, direction: str) -> str:
    """Where the time grows least and most beside the MACs, over all axes and variants of one pass."""
    rows = growths[(growths["direction"] == direction) & growths[["time_times", "macs_times"]].notna().all(axis=1)]
    if rows.empty:
        return "No growth of time beside MACs was measured."
    beside = (rows["time_times"] / rows["macs_times"]).sort_values(kind="stable")
    ends = rows.loc[[beside.index[0], beside.index[-1]] if len(beside) > 1 else beside.index]
    parts = [
        f"{row['variant']} from {AXES[row['axis']]} {row['first']:g} to {row['last']:g}: "
        f"MACs {digits(row['macs_times'], 2)}×, time {digits(row['time_times'], 2)}×"
        for _, row in ends.iterrows()
    ]
    names = ["least", "most"][: len(parts)]
    told = "; ".join(f"{name}, {part}" for name, part in zip(names, parts, strict=True))
    return f"{ALL_DIRECTIONS[direction].capitalize()}: beside its MACs, time grows {told}."


def generation_share(costs: pd.DataFrame) -> str:
    """The range of the share of a generating forward's MACs that makes kernels, per variant."""
    rows = costs.dropna(subset=["macs_kernel_generation", "macs_convolution"])
    rows = varied(rows[(rows["variant"] != "plain") & (rows["macs_convolution"] > 0)], "batch_size")
    if rows.empty:
        return "No MACs were counted."
    share = rows["macs_kernel_generation"] / (rows["macs_kernel_generation"] + rows["macs_convolution"])
    low, high = rows["batch_size"].min(), rows["batch_size"].max()
    parts = []
    for variant in in_order(rows["variant"]):
        mine = share[rows["variant"] == variant]
        at_low, at_high = (mine[rows["batch_size"] == batch].median() for batch in (low, high))
        change = "" if low == high else f" and {percent(at_high)} at batch {high:.0f}"
        parts.append(f"{percent(at_low)} for {variant} at batch {low:.0f}{change}")
    return f"Of the MACs of a forward pass, generating its kernels takes {'; '.join(parts)}."


def varied(rows: pd.DataFrame, axis: str) -> pd.DataFrame:
    """The variants that were measured at two values of an axis or more; all of them where none was."""
    several = rows.groupby("variant")[axis].transform("nunique") > 1
    return rows[several] if several.any() else rows


def passes(costs: pd.DataFrame) -> pd.Series:
    """`one layer, forward` and so on: what was passed through, and in which direction."""
    return costs["layer"].replace(LAYERS) + ", " + costs["direction"].replace(DIRECTIONS)


def realised(pairs: pd.DataFrame) -> str:
    """How much of the MACs saved by separability shows up as time saved: median and range over all pairs."""
    if pairs.empty:
        return "Full and separable were not both measured at any point."
    parts = []
    for name, rows in pairs.groupby(passes(pairs), sort=False):
        low, high = rows["realised"].min(), rows["realised"].max()
        spread = f" [{percent(low, 0)} to {percent(high, 0)}]" if len(rows) > 1 else ""
        parts.append(f"{name}: {percent(rows['realised'].median(), 0)}{spread}, n = {len(rows)}")
    shares = f"Share of the MAC saving that shows up as time, median and range: {'; '.join(parts)}."
    return f"{shares} {tally(pairs['word'], 'separable', 'full')}".strip()


def tally(words: pd.Series, subject: str, rival: str) -> str:
    """How often each word of `benchmarks.statistics.comparison` was said; nothing where none could be."""
    said = words[words != ""]
    names = {word: "the same" if word == "same" else word for word in WORDS}
    counts = [f"{name} in {n}" for word, name in names.items() if (n := int((said == word).sum()))]
    where = plural(len(said), "setting")
    return f"Compared with {rival} in {where}, {subject} is called {listing(counts)}." if counts else ""


def noise(costs: pd.DataFrame, twins: pd.DataFrame) -> str:
    """The minimum detectable effect of this set of results, and how many of its records are noisy."""
    judged = costs[costs["noise"] != ""]
    noisy = f"{(judged['noise'] == 'noisy').sum()} of {plural(len(judged), 'record')} are called noisy."
    if twins.empty:
        return "Nothing was entered twice, so the noise floor of these results is not known."
    return (
        f"The minimum detectable effect is {percent(analysis.noise_floor(twins))}: the same code, entered twice, "
        f"hardly ever differs by more (n = {plural(len(twins), 'A/A pair')}). {noisy if len(judged) else ''}"
    ).strip()


def stages(costs: pd.DataFrame) -> str:
    """What generating kernels takes of a whole pass, its backward included, at the base point."""
    rows = costs.dropna(subset=["kernel_generation_share"])
    if rows.empty:
        return "No stages were timed."
    parts = []
    for direction in in_directions(rows["direction"]):
        mine = rows[rows["direction"] == direction].sort_values("kernel_generation_share", kind="stable")
        ends = mine.iloc[[0, -1]] if len(mine) > 1 else mine
        texts = [f"{percent(row['kernel_generation_share'])} ({row['variant']})" for _, row in ends.iterrows()]
        parts.append(f"{' to '.join(texts)} in {ALL_DIRECTIONS[direction]}")
    return f"Of a whole pass, generating kernels (with its own backward) takes {listing(parts)}."


def memory_model(costs: pd.DataFrame) -> str:
    """How far the prediction of peak memory is from the measured peak, over all records that have both."""
    rows = costs[(costs["predicted_bytes"] > 0) & (costs["peak_bytes"] > 0)]
    if rows.empty:
        return "No peak memory was predicted."
    residual = rows["predicted_bytes"] / rows["peak_bytes"] - 1
    worst = rows.iloc[int(residual.abs().argmax())]
    return (
        f"The model predicts the peak to within {percent(residual.abs().median())} (median of n = {len(rows)} records; "
        f"from {signed(residual.min())} to {signed(residual.max())}, the furthest for {worst['variant']}, "
        f"{ALL_DIRECTIONS.get(worst['direction'], worst['direction'])})."
    )


def peers(pairs: pd.DataFrame) -> str:
    """How often each peer is faster or slower than ours."""
    if pairs.empty:
        return "Nothing but our own layers was measured."
    parts = []
    for name, rows in pairs.groupby("implementation", sort=True):
        low, high = digits(rows["ratio"].min(), 2), digits(rows["ratio"].max(), 2)
        taken = f"{name} takes {low}× to {high}×" if len(rows) > 1 else f"{name} takes {low}×"
        parts.append(f"{taken} the time of ours. {tally(rows['word'], 'it', 'ours')}".strip())
    return " ".join(parts)


def signed(value: float) -> str:
    """A relative change in percent, with a true minus."""
    return f"{100 * value:+.1f} %".replace("-", "−")


def group(name: str) -> str:
    """A group as it is written in formulas."""
    return GROUPS.get(name, name)


def in_directions(directions: pd.Series) -> list[str]:
    """The distinct passes, in our order."""
    return [direction for direction in ALL_DIRECTIONS if direction in set(directions)]


def equivariance(costs: pd.DataFrame) -> str:
    """The worst error of all, against the tolerance that float32 rounding allows."""
    known = costs.dropna(subset=["equivariance_error"])
    if known.empty:
        return "No equivariance error was measured."
    worst = known.sort_values("equivariance_error").iloc[-1]
    verdict = "rounding only" if worst["equivariance_error"] <= 1e-5 else "more than rounding"
    return (
        f"The worst relative error of {plural(len(known), 'case')} is {exponential(worst['equivariance_error'])} "
        f"({worst['variant']}, |H| = {worst['resolution']:.0f}): {verdict}."
    )


def accuracy(runs: pd.DataFrame) -> str:
    """Test accuracy of every variant, of the network of it that validates best; the test set has no say in it."""
    best = learning.best_networks(runs)
    if best.empty:
        return "No training run has finished."
    names = network_names(best)
    texts = {row["variant"]: f"{mean_sd(row['mean'], row['sd'])} ({names[i]})" for i, row in best.iterrows()}
    parts = [texts[variant] for variant in in_order(texts)]
    spread = "mean ± s.d." if best["sd"].notna().any() else "single runs"
    seeds = "seed" if best["n"].max() == 1 else "seeds"
    return (
        f"Test accuracy of the networks that validate best: {listing(parts)} ({spread}, n = {span(best['n'])} {seeds})."
    )


def time_to_train(epochs: pd.DataFrame) -> str:
    """Mean training seconds of the whole schedule, per variant, from fastest to slowest network of each."""
    last = epochs.sort_values("epoch").drop_duplicates("id", keep="last")
    if last.empty:
        return "No training run has finished an epoch."
    means = last.groupby(learning.NETWORK, dropna=False)["seconds"].mean()
    parts = []
    for variant in in_order(last["variant"]):
        of_variant = means.xs(variant, level="variant")
        low, high = of_variant.min(), of_variant.max()
        parts.append(f"{seconds(low)}{'' if low == high else f' to {seconds(high)}'} for {variant}")
    return f"Training for {span(last['epoch'])} epoch{'' if last['epoch'].max() == 1 else 's'} takes {listing(parts)}."


def macs_to_train(epochs: pd.DataFrame) -> str:
    """MACs of the whole schedule, per variant, from the cheapest to the dearest network of each."""
    last = epochs.sort_values("epoch").drop_duplicates("id", keep="last").dropna(subset=["macs"])
    if last.empty:
        return "No MACs of training were counted."
    parts = []
    for variant in in_order(last["variant"]):
        of_variant = last.loc[last["variant"] == variant, "macs"]
        low, high = of_variant.min(), of_variant.max()
        parts.append(f"{count(low)}{'' if low == high else f' to {count(high)}'} for {variant}")
    return f"The whole training asks for {listing(parts)} MACs."


def to_target(epochs: pd.DataFrame, target: float) -> str:
    """Which network is at the target first, in seconds and in MACs, by the median over seeds."""
    if not math.isfinite(target):
        return "No validation accuracy was measured, so there is no target to reach."
    table = learning.to_target(epochs, target)
    names = network_names(table)
    parts, named = [], ""
    for unit, words, show in (("seconds", "seconds", seconds), ("macs", "MACs", count)):
        row = table.sort_values(f"{unit}_median", kind="stable").iloc[0]
        if math.isfinite(row[f"{unit}_median"]):
            who = "" if names[row.name] == named else f"{names[row.name]} with "
            parts.append(f"{who}the fewest {words} ({show(row[f'{unit}_median'])})")
            named = names[row.name]
    goal = f"a validation accuracy of {percent(target, 0)}"
    if not parts:
        return f"Half of the seeds or more of every network do not reach {goal}."
    return f"First at {goal}: {listing(parts)}, by the median over n = {span(table['n'])} seeds."


def pareto(networks: pd.DataFrame) -> str:
    """The networks on the front of accuracy, time, memory and MACs at once, fastest first."""
    if networks.empty:
        return "No network was trained here, so there is no accuracy to weigh costs against."
    known = [
        name
        for name, column in {"time": "seconds", "memory": "peak_bytes", "MACs": "macs"}.items()
        if networks[column].notna().any()
    ]
    front = networks[networks["front"]].sort_values(["seconds", "mean"], kind="stable")
    if front.empty:
        return "No network has an accuracy and all of the costs, so there is no front."
    names = network_names(networks)
    parts = [f"{names[i]} ({percent(row['mean'])})" for i, row in front.iterrows()]
    return (
        f"{len(front)} of {plural(len(networks), 'network')} {'is' if len(front) == 1 else 'are'} beaten by no other "
        f"in {listing(['accuracy', *known])} at once: {listing(parts)}."
    )


def redundancy(rows: pd.DataFrame) -> str:
    """What the separable form explains of the kernels of full networks, before and after training."""
    mine = rows[(rows["form"] == "separable") & (rows["variant"] == "full")]
    if mine.empty:
        return "No redundancy of the kernels of a full network was measured."
    parts = []
    for when in learning.WHEN:
        values = mine.loc[mine["when"] == when, "fraction"]
        if len(values):
            low, high = percent(values.min(), 0), percent(values.max(), 0)
            parts.append(f"{percent(values.median(), 0)} {when} [{low} to {high}]")
    n = plural(mine.loc[mine["when"] == learning.WHEN[0]].shape[0] or len(mine), "layer")
    return (
        f"Of the energy of full kernels, the best separable ones explain {listing(parts)} (median and range, n = {n})."
    )


def roofline(costs: pd.DataFrame) -> str:
    """What part of the roof the variants reach at the base point, and whether copying or computing is the limit."""
    rows = costs.dropna(subset=["roofline_fraction", "arithmetic_intensity", "matrix_ceiling", "memory_ceiling"])
    if rows.empty:
        return "No roofline was measured."
    ends = rows.sort_values("roofline_fraction", kind="stable").iloc[[0, -1] if len(rows) > 1 else [0]]
    parts = [
        f"{percent(row['roofline_fraction'], 0)} ({row['variant']}, "
        f"{ALL_DIRECTIONS.get(row['direction'], row['direction'])})"
        for _, row in ends.iterrows()
    ]
    bound = rows["arithmetic_intensity"] < rows["matrix_ceiling"] / rows["memory_ceiling"]
    limit = f"moving memory is the limit for {bound.sum()} of {len(rows)} of them, computing for the others"
    return f"Passes of one layer reach {' to '.join(parts)} of what this machine can do; {limit}."


def undecided(words: pd.Series) -> str:
    """How many comparisons of this page came to no word."""
    said = words[words != ""]
    if said.empty:
        return "No comparison was judged: nothing was entered twice, or only one kind of layer was measured."
    open_ = int((said == "ambiguous").sum())
    of = plural(len(said), "comparison")
    return f"{open_} of {of} could not be decided: their intervals reach across the noise floor."


def recipe(runs: pd.DataFrame) -> str:
    """How the networks of one study were trained, and on what."""
    run = runs.iloc[0]
    rates = {str(variant): _numbers(rows["learning_rate"]) for variant, rows in runs.groupby("variant")}
    same = runs["learning_rate"].nunique() == 1
    rate = f"{run['learning_rate']:g}" if same else listing([f"{rates[v]} ({v})" for v in in_order(rates)])
    kernels = " and ".join(f"{size:.0f} × {size:.0f}" for size in sorted(runs["kernel_size"].unique()))
    named = [("widths", f"{run['channels']:.0f}, {run['channels']:.0f}, {2 * run['channels']:.0f}")]
    if run["matched"] not in ("", "none"):
        named = [("widths chosen for equal", run["matched"])]
    return (
        f"{run['dataset']} ({run['n_train']:.0f} train, {run['n_validation']:.0f} validation, {run['n_test']:.0f} "
        f"test), {run['image_size']:.0f} × {run['image_size']:.0f} pixels; {' '.join(named[0])}, "
        f"{kernels} kernels, batch {run['batch_size']:.0f}, {budget(run)}, "
        f"learning rate {rate}, {plural(run['threads'], 'thread')}."
    )


def _numbers(values: pd.Series) -> str:
    """Different ones, the smallest first: `0.003 or 0.01`."""
    return " or ".join(f"{value:g}" for value in sorted(values.unique()))


def budget(run: pd.Series) -> str:
    """How long was trained: `30 epochs`, `60 seconds`, `2.50 T MACs`."""
    if run["budget_unit"] == "macs":
        return f"{count(run['budget'])} MACs"
    return plural(run["budget"], run["budget_unit"].removesuffix("s")) if run["budget_unit"] else "unknown budget"


def study(runs: pd.DataFrame) -> str:
    """What sets a study apart, as a heading."""
    run = runs.iloc[0]
    matched = f", equal {run['matched']}" if run["matched"] not in ("", "none") else ", equal widths"
    network = f", {run['network']}" if run["network"] not in ("", "resnet") else ""
    sampled = ", sampled grids" if run["sampled"] == "True" else ""
    return f"{run['dataset']}, {budget(run)}{matched}{network}{sampled}"


def network_names(table: pd.DataFrame) -> dict[Any, str]:
    """A name for every row, by its index: as short as it can be, groups and widths are named where they differ."""
    group = table["variant"] != "plain"
    several = table.loc[group, "group"].nunique() > 1, table["channels"].nunique() > 1
    return {i: _network_name(row, *several) for i, row in table.iterrows()}


def _network_name(row: pd.Series, groups: bool, widths: bool) -> str:
    parts = [row["variant"]]
    if row["variant"] != "plain":
        parts += [GROUPS.get(row["group"], row["group"])] * groups + [f"|H| = {row['resolution']:.0f}"]
    return " ".join(parts) + (f", C = {row['channels']:.0f}" if widths else "")


def relative(table: pd.DataFrame, best: pd.DataFrame) -> str:
    """Which variant costs the most and the least time beside plain, over both directions; and who is most accurate."""
    parts = []
    others = table[table["variant"] != "plain"]
    if len(others):
        ends = others.sort_values("time_ratio").iloc[[0, -1]]
        prices = [
            f"{digits(row['time_ratio'], 2)}× ({row['variant']}, {DIRECTIONS.get(row['direction'], row['direction'])})"
            for _, row in ends.iterrows()
        ]
        parts.append(
            f"at equal width, equivariance costs from {prices[0]} to {prices[1]} the time of a plain convolution"
        )
    if len(best):
        most = best.sort_values("mean", kind="stable").iloc[-1]
        parts.append(f"the most accurate network is {network_names(best)[most.name]} ({percent(most['mean'])})")
    if not parts:
        return "No plain convolution was measured at the base point and no network was trained: nothing to compare."
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def headline(costs: pd.DataFrame, runs: pd.DataFrame, twins: pd.DataFrame) -> list[Sentence]:
    """Up to three sentences: what equivariance costs at the base point, what separability saves, what both buy."""
    found = [cost(costs), saving(costs, twins), gain(runs, analysis.layer_base(costs))]
    return [sentence for sentence in found if sentence is not None]


def cost(costs: pd.DataFrame) -> Sentence | None:
    """The time of every variant beside plain, in both passes."""
    table = analysis.against_plain(costs)
    table = table[table["direction"].isin(DIRECTIONS) & table["variant"].isin(BASIC)]
    if (table["variant"] == "plain").all():
        return None
    parts = []
    for direction, words in (("forward", "inference"), ("forward_backward", "a training pass")):
        rows = {str(row["variant"]): row for _, row in table[table["direction"] == direction].iterrows()}
        if len(rows) > 1:
            ratios = [f"{times(Interval(*rows[v][TIME_RATIO]))} for {v}" for v in in_order(rows) if v != "plain"]
            parts.append(f"{listing(ratios)} in {words} (plain: {seconds(rows['plain']['seconds'])})")
    sentence = f"Cost: one layer takes, beside a plain convolution of the same width, {'; '.join(parts)}."
    return Sentence(sentence, records_of(table))


def saving(costs: pd.DataFrame, twins: pd.DataFrame) -> Sentence | None:
    """How much faster separable is than full at the base point, beside how many fewer MACs it asks for."""
    layers = costs[costs["layer"] == "conv"]
    here = analysis.at(layers, analysis.base_point(layers))
    pairs = analysis.realised_speedup(here, twins)
    if pairs.empty:
        return None
    parts = [
        f"{times(Interval(*p[TIME_RATIO]))} as fast as full in {DIRECTIONS.get(p['direction'], p['direction'])} "
        f"({p['word'] + '; ' if p['word'] else ''}{digits(p['mac_ratio'], 2)}× fewer MACs)"
        for _, p in pairs.iterrows()
    ]
    used = here[here["variant"].isin(["full", "separable"])]
    return Sentence(f"Saving: separable is {listing(parts)}.", records_of(used))


def gain(runs: pd.DataFrame, base: Mapping[str, object]) -> Sentence | None:
    """What the network of each variant on the group and |H| of `base` gains over plain, in points of test accuracy."""
    best = learning.networks_at(runs, base)
    if best.empty:
        return None
    names = network_names(best)
    gains = learning.gains(runs, best)
    parts = []
    for variant in in_order(best["variant"]):
        row = best[best["variant"] == variant].iloc[0]
        text = f"{names[row.name]} reaches {mean_sd(row['mean'], row['sd'])}"
        parts.append(f"{text}, {points(gains[variant])} points over plain" if variant in gains else text)
    unit = "mean ± s.d.; gains with 95 % intervals, paired by seed" if best["sd"].notna().any() else "single runs"
    n = f"n = {span(best['n'])} seed{'' if best['n'].max() == 1 else 's'}"
    return Sentence(
        f"Gain, on the test images of {runs.iloc[0]['dataset']}: {'; '.join(parts)} ({unit}, {n}).",
        records_of(runs.merge(best[learning.NETWORK], on=learning.NETWORK)),
    )


def points(difference: Interval) -> str:
    """A difference of accuracies in percentage points: `+9.1 [7.0, 11.2]`."""
    bounds = f" [{decimal(100 * difference.low)}, {decimal(100 * difference.high)}]"
    sign = "+" if difference.value >= 0 else ""
    return f"{sign}{decimal(100 * difference.value)}" + (
        bounds if math.isfinite(difference.low + difference.high) else ""
    )


def records_of(rows: pd.DataFrame) -> tuple[tuple[str, str], ...]:
    """What to call the records of these rows in a list of links, and where they are."""
    found = {}
    for row in rows.to_dict("records"):
        seed = row.get("seed", math.nan)
        what = f"seed {seed:.0f}" if math.isfinite(seed) else ALL_DIRECTIONS.get(row.get("direction", ""), "")
        if row.get("anchor"):
            found[row["anchor"]] = f"{row['variant']}, {what}"
    return tuple((name, anchor) for anchor, name in found.items())
