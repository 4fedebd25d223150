"""Sentences about training: how accurate networks are, what they spend, and how they were trained."""

import math
from collections.abc import Callable

import pandas as pd

from benchmarks.statistics.written import listing
from reports.arithmetic.training import WHEN, over_seeds
from reports.frames.selection import NETWORK
from reports.style import in_order
from reports.words.names import budget, device_name, network_names, place
from reports.words.numbers import (
    count,
    general,
    mean_sd,
    percent,
    plural,
    seconds,
    spans,
)


def accuracy(runs: pd.DataFrame) -> str:
    """State, for each variant, the highest mean validation accuracy of its networks, each run at its best epoch."""
    table = over_seeds(runs, NETWORK, "validation_accuracy").sort_values("mean", ascending=False, kind="stable")
    if table.empty:
        return "No training run has finished."
    best, names = table.drop_duplicates(["variant", "network"]), network_names(table)
    rows = [row for variant in in_order(best["variant"]) for row in best[best["variant"] == variant].iterrows()]
    parts = [f"{mean_sd(row['mean'], row['sd'])} ({names[i]})" for i, row in rows]
    spread = "mean ± s.d." if best["sd"].notna().any() else "single runs"
    n = spans(best["n"], "seed")
    return (
        f"Validation accuracy at the best epoch of each run, of the best network of each variant: {listing(parts)} "
        f"({spread}, n = {n})."
    )


def time_to_train(epochs: pd.DataFrame) -> str:
    """State, for each variant, the mean seconds of a whole training, from its fastest to its slowest network."""
    last = epochs.sort_values("epoch").drop_duplicates("id", keep="last")
    if last.empty:
        return "No training run has finished an epoch."
    means = last.groupby(NETWORK, dropna=False)["seconds"].mean()
    parts = [_least_to_most(means.xs(v, level="variant"), seconds, v) for v in in_order(last["variant"])]
    return f"Training for {spans(last['epoch'], 'epoch')} takes {listing(parts)}."


def macs_to_train(epochs: pd.DataFrame) -> str:
    """State, for each variant, the MACs of a whole training, from its cheapest to its most expensive network."""
    last = epochs.sort_values("epoch").drop_duplicates("id", keep="last").dropna(subset=["macs"])
    if last.empty:
        return "No MACs of training were counted."
    macs = last.set_index("variant")["macs"]
    parts = [_least_to_most(macs[macs.index == v], count, v) for v in in_order(macs.index)]
    return f"The whole training asks for {listing(parts)} MACs."


def _least_to_most(values: pd.Series, show: Callable[[float], str], variant: str) -> str:
    low, high = values.min(), values.max()
    return f"{show(low)}{'' if low == high else f' to {show(high)}'} for {variant}"


def target(spent: pd.DataFrame, target: float) -> str:
    """Say which network reaches the target first, in seconds and in MACs; only networks whose seeds all reach it count.

    The numbers are those of each network's median run, with the range over its seeds.
    """
    if not math.isfinite(target):
        return "No validation accuracy was measured, so there is no target to reach."
    goal = f"a validation accuracy of {percent(target, 0)}"
    names, sure = network_names(spent), spent[spent["reached"] == spent["n"]]
    if sure.empty:
        return f"There is no network of which all seeds reach {goal}."
    parts = []
    for unit, words, show in (("seconds", "seconds", seconds), ("macs", "MACs", count)):
        known = sure[sure[f"{unit}_median"].notna()].sort_values(f"{unit}_median", kind="stable")
        texts = []
        for i, row in known.head(2).iterrows():
            median, low, high = (show(row[f"{unit}_{part}"]) for part in ("median", "low", "high"))
            texts.append(f"{names[i]} ({median}{f' [{low} to {high}]' if row['n'] > 1 else ''})")
        parts.append(f"with the fewest {words} {', then '.join(texts)}")
    among = (
        "" if len(sure) == len(spent) else f", of the {len(sure)} of {len(spent)} networks whose seeds all get there"
    )
    return (
        f"First at {goal}{among}: {'; '.join(parts)}. Numbers are those of the median run, with the range of "
        f"n = {spans(sure['n'], 'seed')}."
    )


def redundancy(rows: pd.DataFrame) -> str:
    """Say how much of the kernels of full networks every separable form explains, after training and before."""
    mine = rows[rows["variant"] == "full"]
    if mine.empty:
        return "No redundancy of the kernels of a full network was measured."
    before, after = (mine[mine["when"] == when] for when in WHEN)
    parts = []
    for form in in_order(after["form"]):
        values, start = (each.loc[each["form"] == form, "fraction"] for each in (after, before))
        low, high = percent(values.min(), 0), percent(values.max(), 0)
        parts.append(f"{percent(values.median(), 0)} [{low} to {high}] by {form} ({percent(start.median(), 0)})")
    n = plural(after[[*NETWORK, "seed", "layer"]].drop_duplicates().shape[0], "trained layer")
    networks = plural(after[[*NETWORK, "seed"]].drop_duplicates().shape[0], "trained network")
    return (
        f"Of the energy of full kernels, the best kernels of each form explain {listing(parts)}: medians and ranges "
        f"of n = {n} of {networks}, without those of kernel size 1, which separable and gseparable kernels explain "
        "wholly; in brackets the median at the start."
    )


def recipe(runs: pd.DataFrame) -> str:
    """Say how the networks of one study were trained, on which data and on which device."""
    run = runs.iloc[0]
    rates = {str(variant): _numbers(rows["learning_rate"]) for variant, rows in runs.groupby("variant")}
    same = runs["learning_rate"].nunique() == 1
    rate = f"{run['learning_rate']:g}" if same else listing([f"{rates[v]} ({v})" for v in in_order(rates)])
    threads = f", {place(run)}" if run["device"] == "cpu" else ""
    kernels = " and ".join(f"{size:.0f} × {size:.0f}" for size in sorted(runs["kernel_size"].unique()))
    narrow, wide = f"{run['channels']:.0f}", f"{2 * run['channels']:.0f}"
    named = [("widths", f"{narrow}, {wide}" if (runs["network"] == "allcnnc").any() else f"{narrow}, {narrow}, {wide}")]
    if run["matched"] not in ("", "none"):
        named = [("widths chosen for equal", run["matched"])]
    parts = ("train", "validation", "test")
    images = ", ".join(f"{general(run[f'n_{part}'])} {part}" for part in parts)
    return (
        f"{run['dataset']} ({images}), {run['image_size']:.0f} × {run['image_size']:.0f} pixels; {' '.join(named[0])}, "
        f"{kernels} kernels, batch {run['batch_size']:.0f}, {budget(run)}, "
        f"learning rate {rate}, trained on {device_name(run)}{threads}."
    )


def _numbers(values: pd.Series) -> str:
    """List the distinct numbers, the smallest first: `0.003 or 0.01`."""
    return " or ".join(f"{value:g}" for value in sorted(values.unique()))
