"""Numbers → words. Every sentence of the report that holds a number is a pure function of a frame, here."""

import math
import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from benchmarks.comparison import WORDS
from reports import analysis
from reports.analysis import Interval
from reports.style import in_order

DIRECTIONS = {"forward": "forward", "forward_backward": "forward + backward"}
ALL_DIRECTIONS = {**DIRECTIONS, "training_step": "training step"}
LAYERS = {"conv": "one layer", "resnet": "network"}
GROUPS = {"SO2": "SO(2)", "O2": "O(2)", "RPlus": "R⁺", "SO2xRPlus": "SO(2) × R⁺"}
NOTHING = "–"
TIME_RATIO = ["time_ratio", "time_low", "time_high"]


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
    text = re.sub(r" (=|±|×) ", "\u00a0\\1\u00a0", text)
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
    base = analysis.base_point(costs)
    if not base:
        return f"No {what} was measured."
    slice_ = analysis.at(costs, base, free=["resolution"])
    slice_ = slice_[(slice_["variant"] != "plain") & (slice_[column] > 0)]
    found = []
    for variant in in_order(slice_["variant"]):
        rows = slice_[slice_["variant"] == variant]
        exponent = analysis.scaling_exponent(rows["resolution"].tolist(), rows[column].tolist())
        if math.isfinite(exponent.value):
            known = math.isfinite(exponent.low) and exponent.high - exponent.low >= 0.05
            bounds = f" [{decimal(exponent.low)}, {decimal(exponent.high)}]" if known else ""
            found.append(f"{decimal(exponent.value)}{bounds} for {variant}")
    if not found:
        return f"{what[0].upper()}{what[1:]}: measured at one group resolution only."
    verb = "grow" if what.endswith("s") else "grows"
    n = span(slice_.groupby("variant")["resolution"].nunique())
    return f"{what[0].upper()}{what[1:]} {verb} with |H| to the power {listing(found)} (n = {n} resolutions)."


def generation_share(costs: pd.DataFrame) -> str:
    """The range of the share of a generating forward's MACs that makes kernels, per variant."""
    rows = costs.dropna(subset=["macs_kernel_generation", "macs_convolution"])
    rows = rows[(rows["variant"] != "plain") & (rows["macs_convolution"] > 0)]
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
    """How often each word of `benchmarks.comparison` was said; nothing where none could be."""
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
    """Test accuracy of every variant at the |H| of its best mean validation accuracy; the test set has no say in it."""
    by = ["variant", "resolution"]
    choice = analysis.over_seeds(runs, by, "validation_accuracy").sort_values("mean", ascending=False, kind="stable")
    best = choice.drop_duplicates("variant")[by].merge(analysis.over_seeds(runs, by, "test_accuracy"), on=by)
    if best.empty:
        return "No training run has finished."
    texts = {}
    for _, row in best.iterrows():
        where = "" if row["variant"] == "plain" else f" at |H| = {row['resolution']:.0f}"
        texts[row["variant"]] = f"{row['variant']} {mean_sd(row['mean'], row['sd'])}{where}"
    parts = [texts[variant] for variant in in_order(texts)]
    spread = "mean ± s.d." if best["sd"].notna().any() else "single runs"
    seeds = "seed" if best["n"].max() == 1 else "seeds"
    return (
        f"Test accuracy at the |H| that is best on validation: {listing(parts)} ({spread}, n = {span(best['n'])} "
        f"{seeds})."
    )


def time_to_train(epochs: pd.DataFrame) -> str:
    """Mean training seconds of the whole schedule, per variant, from fastest to slowest network of each."""
    last = epochs.sort_values("epoch").drop_duplicates("id", keep="last")
    if last.empty:
        return "No training run has finished an epoch."
    means = last.groupby(["variant", "resolution"])["seconds"].mean()
    parts = []
    for variant in in_order(last["variant"]):
        of_variant = means.xs(variant, level="variant")
        low, high = of_variant.min(), of_variant.max()
        parts.append(f"{seconds(low)}{'' if low == high else f' to {seconds(high)}'} for {variant}")
    return f"Training for {span(last['epoch'])} epoch{'' if last['epoch'].max() == 1 else 's'} takes {listing(parts)}."


def pareto(points: pd.DataFrame) -> str:
    """The networks on the front, fastest first."""
    if points.empty:
        return "No network has both a test accuracy and a measured inference time."
    front = points[points["front"]].sort_values("seconds")
    names = [
        f"{network_name(row)} ({seconds(row['seconds'])} per image, {percent(row['mean'])})"
        for _, row in front.iterrows()
    ]
    return f"{len(front)} of {len(points)} networks are on the front: {listing(names)}."


def recipe(runs: pd.DataFrame) -> str:
    """How the networks of one study were trained, and on what."""
    run = runs.iloc[0]
    rates = {str(variant): f"{rows['learning_rate'].iloc[0]:g}" for variant, rows in runs.groupby("variant")}
    same = len(set(rates.values())) == 1
    rate = f"{run['learning_rate']:g}" if same else listing([f"{rates[v]} ({v})" for v in in_order(rates)])
    return (
        f"{run['dataset']} ({run['n_train']:.0f} train, {run['n_validation']:.0f} validation, {run['n_test']:.0f} "
        f"test), {run['image_size']:.0f} × {run['image_size']:.0f} pixels; widths {run['channels']:.0f}, "
        f"{run['channels']:.0f}, {2 * run['channels']:.0f}, {run['kernel_size']:.0f} × {run['kernel_size']:.0f} "
        f"kernels, batch {run['batch_size']:.0f}, {plural(run['epochs'], 'epoch')}, learning rate {rate}, "
        f"{plural(run['threads'], 'thread')}."
    )


def network_name(row: pd.Series) -> str:
    return "plain" if row["variant"] == "plain" else f"{row['variant']} |H| = {row['resolution']:.0f}"


def relative(table: pd.DataFrame) -> str:
    """Which variant costs the most and the least time beside plain, over both directions."""
    others = table[table["variant"] != "plain"]
    if others.empty:
        return "Only the plain convolution was measured."
    ends = others.sort_values("time_ratio").iloc[[0, -1]]
    parts = [
        f"{digits(row['time_ratio'], 2)}× ({row['variant']}, {DIRECTIONS.get(row['direction'], row['direction'])})"
        for _, row in ends.iterrows()
    ]
    return f"At equal width, equivariance costs from {parts[0]} to {parts[1]} the time of a plain convolution."


def headline(costs: pd.DataFrame, runs: pd.DataFrame, twins: pd.DataFrame) -> list[str]:
    """Two or three sentences: what equivariance costs at the base point, what separability saves, what it buys."""
    sentences = []
    table = analysis.against_plain(costs)
    for direction, verb in (("forward", "Inference"), ("forward_backward", "A training pass")):
        rows = table[table["direction"] == direction]
        plain, others = rows[rows["variant"] == "plain"], rows[rows["variant"] != "plain"]
        if len(others):
            ratios = {row["variant"]: times(Interval(*row[TIME_RATIO])) for _, row in others.iterrows()}
            sentences.append(
                f"{verb} ({DIRECTIONS[direction]}) of one layer takes {seconds(plain['seconds'].item())} as a plain "
                f"convolution and, relative to it, {listing([f'{ratios[v]} for {v}' for v in in_order(ratios)])}."
            )
    layers = costs[costs["layer"] == "conv"]
    here = analysis.at(layers, analysis.base_point(layers))
    pairs = analysis.realised_speedup(here, twins)
    if len(pairs):
        parts = [
            f"{times(Interval(*p[TIME_RATIO]))} as fast as full in {DIRECTIONS.get(p['direction'], p['direction'])} "
            f"({p['word'] + '; ' if p['word'] else ''}{digits(p['mac_ratio'], 2)}× fewer MACs)"
            for _, p in pairs.iterrows()
        ]
        sentences.append(f"Separable is {listing(parts)}.")
    if runs["test_accuracy"].notna().any():
        sentences.append(accuracy(runs))
    return sentences
