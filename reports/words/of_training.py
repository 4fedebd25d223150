"""Sentences about training: how accurate networks are, what they spend, and how they were trained."""

import math
from collections.abc import Callable

import pandas as pd

from reports.arithmetic.training import WHEN, best_networks
from reports.frames.selection import NETWORK
from reports.style import in_order
from reports.words.names import budget, device_name, network_names, place
from reports.words.numbers import count, general, listing, mean_sd, percent, plural, seconds, span, spans


def accuracy(runs: pd.DataFrame) -> str:
    """State, for each variant, the test accuracy of the network with the best validation accuracy."""
    best = best_networks(runs)
    if best.empty:
        return "No training run has finished."
    names = network_names(best)
    rows = [row for variant in in_order(best["variant"]) for row in best[best["variant"] == variant].iterrows()]
    parts = [f"{mean_sd(row['mean'], row['sd'])} ({names[i]})" for i, row in rows]
    spread = "mean ± s.d." if best["sd"].notna().any() else "single runs"
    n = spans(best["n"], "seed")
    return f"Test accuracy of the networks that validate best: {listing(parts)} ({spread}, n = {n})."


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
    """Say which network reaches the target first, in seconds and in MACs, by the median over seeds."""
    if not math.isfinite(target):
        return "No validation accuracy was measured, so there is no target to reach."
    names = network_names(spent)
    parts, named = [], ""
    for unit, words, show in (("seconds", "seconds", seconds), ("macs", "MACs", count)):
        row = spent.sort_values(f"{unit}_median", kind="stable").iloc[0]
        if math.isfinite(row[f"{unit}_median"]):
            who = "" if names[row.name] == named else f"{names[row.name]} with "
            parts.append(f"{who}the fewest {words} ({show(row[f'{unit}_median'])})")
            named = names[row.name]
    goal = f"a validation accuracy of {percent(target, 0)}"
    if not parts:
        return f"Half of the seeds or more of every network do not reach {goal}."
    return f"First at {goal}: {listing(parts)}, by the median over n = {span(spent['n'])} seeds."


def pareto(networks: pd.DataFrame) -> str:
    """Name the networks on the front of accuracy, time, memory and MACs at once, fastest first."""
    if networks.empty:
        return "No network was trained here, so there is no accuracy to weigh costs against."
    costs = {"time": "seconds", "memory": "peak_bytes", "MACs": "macs"}
    known = [name for name, column in costs.items() if networks[column].notna().any()]
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
    """Say how much of the kernels of full networks the separable form explains, before and after training."""
    mine = rows[(rows["form"] == "separable") & (rows["variant"] == "full")]
    if mine.empty:
        return "No redundancy of the kernels of a full network was measured."
    parts = []
    for when in WHEN:
        values = mine.loc[mine["when"] == when, "fraction"]
        if len(values):
            low, high = percent(values.min(), 0), percent(values.max(), 0)
            parts.append(f"{percent(values.median(), 0)} {when} [{low} to {high}]")
    n = plural(mine.loc[mine["when"] == WHEN[0]].shape[0] or len(mine), "layer")
    return (
        f"Of the energy of full kernels, the best separable ones explain {listing(parts)} (median and range, n = {n})."
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
