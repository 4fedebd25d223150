"""Sentences about training: how accurate networks are, what they spend, and how they were trained."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from benchmarks.statistics.over_seeds import DECIDING_SEEDS
from benchmarks.statistics.written import listing, plural
from reports.arithmetic.prepared import StudyRuns
from reports.arithmetic.to_target import rivals_of_first
from reports.arithmetic.training import WHEN, over_seeds
from reports.frames.selection import NETWORK, of_study, own_named
from reports.style import in_order
from reports.words.names import MATCHED_WORDS, budget, device_name, network_names, place
from reports.words.numbers import (
    count,
    digits,
    general,
    mean_sd,
    memory,
    percent,
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
    n, own = spans(best["n"], "seed"), best["variant"] == "custom"
    of_ours = [] if own.all() else ["of each variant’s network with the highest mean"]
    which = listing([*of_ours, *["of each user’s network"] * bool(own.any())])
    return f"Validation accuracy at the best epoch of each run, {which}: {listing(parts)} ({spread}, n = {n})."


def learning_rates(runs: pd.DataFrame) -> str:
    """Say where the learning rates of networks come from: a study searches for them, `train` does not."""
    if not of_study(runs):
        return "The learning rate of each network is that of its recipe, or one that was given: none was searched here."
    return (
        "The learning rate of each network is the best, on the validation images, of those that the study tried. "
        "Lowest or highest here: no network of this study has a lower or higher one. Such a rate may lie at an end of "
        "those tried, and a network with a better one outside of them would be more accurate."
    )


def time_to_train(epochs: pd.DataFrame) -> str:
    """State, for each variant, the mean seconds of a whole training, from its fastest to its slowest network.

    Each user's network stands by itself, here and in ``macs_to_train``.
    """
    last = epochs.sort_values("epoch").drop_duplicates("id", keep="last")
    if last.empty:
        return "No training run has finished an epoch."
    means = last.groupby(NETWORK, dropna=False)["seconds"].mean().reset_index()
    named = own_named(means)
    parts = [_least_to_most(means.loc[named == name, "seconds"], seconds, name) for name in in_order(named)]
    ranges = ", from the fastest to the slowest network" if any(" to " in part for part in parts) else ""
    return f"Training for {spans(last['epoch'], 'epoch')} takes {listing(parts)} (means over seeds{ranges})."


def macs_to_train(epochs: pd.DataFrame) -> str:
    """State, for each variant, the MACs of a whole training, from its cheapest to its most expensive network."""
    last = epochs.sort_values("epoch").drop_duplicates("id", keep="last").dropna(subset=["macs"])
    if last.empty:
        return "No MACs of training were counted."
    named = own_named(last)
    parts = [_least_to_most(last.loc[named == name, "macs"], count, name) for name in in_order(named)]
    return f"MACs of the whole training: {listing(parts)}."


def _least_to_most(values: pd.Series, show: Callable[[float], str], name: str) -> str:
    low, high = show(values.min()), show(values.max())
    return f"{low}{'' if low == high else f' to {high}'} for {name}"


def target(spent: pd.DataFrame, target: float) -> str:
    """Say which network reaches the target first, in seconds and MACs, and which others the seeds do not tell apart.

    Only networks whose seeds all reach the target count.
    """
    if not math.isfinite(target):
        return "No validation accuracy was measured, so there is no target to reach."
    goal = f"a validation accuracy of {percent(target, 0)}"
    names, sure = network_names(spent), spent[spent["reached"] == spent["n"]]
    if sure.empty:
        return f"There is no network of which all seeds reach {goal}."
    units = (("seconds", "seconds", seconds), ("macs", "MACs", count))
    parts = [_first(spent, names, *unit) for unit in units if sure[f"{unit[0]}_median"].notna().any()]
    among = (
        "" if len(sure) == len(spent) else f", of the {len(sure)} of {len(spent)} networks whose seeds all get there"
    )
    return (
        f"First at {goal}{among}. {'. '.join(parts)}. Numbers are medians over n = {spans(sure['n'], 'seed')}, "
        "with the least and the most."
    )


# The sentence names this many networks that are not told apart from the first; the table has all of them.
MOST_RIVALS = 3


def _first(spent: pd.DataFrame, names: Mapping[Any, str], unit: str, words: str, show: Callable[[float], str]) -> str:
    """Return the first network in one unit, or those of equal medians, and the networks not told apart from them."""
    found = rivals_of_first(spent, unit)
    medians = found[f"{unit}_median"]

    def described(i: Any) -> str:
        low, median, high = (show(found.loc[i, f"{unit}_{part}"]) for part in ("low", "median", "high"))
        return f"{names[i]} ({median}{'' if low == high else f' [{low} to {high}]'})"

    level = found.index[medians == medians.iloc[0]]
    rivals = [i for i in found.index if i not in level]
    text = f"Fewest {words}: {listing([described(i) for i in level])}"
    text += ", whose medians are equal" if len(level) > 1 else ""
    if found["n"].min() < DECIDING_SEEDS:
        return f"{text}, by its median; the seeds are too few to tell others apart from it"
    more = [f"{len(rivals) - MOST_RIVALS} more"] if len(rivals) > MOST_RIVALS else []
    alike = listing([*(described(i) for i in rivals[:MOST_RIVALS]), *more])
    return (
        f"{text}; not told apart from {'them' if len(level) > 1 else 'it'}: {alike}"
        if rivals
        else f"{text}, fewer than any other"
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
    n = plural(after[["id", "layer"]].drop_duplicates().shape[0], "trained layer")
    networks = plural(after["id"].nunique(), "trained network")
    return (
        f"Of the energy of full kernels, the best kernels of each form explain {listing(parts)}: medians and ranges "
        f"of n = {n} of {networks} of all studies, without those of kernel size 1, which separable and gseparable "
        "kernels explain wholly; in brackets the median at the start."
    )


def recipe(runs: pd.DataFrame) -> str:
    """Say how the networks of one study were trained, on which data and on which device."""
    ours = runs[runs["variant"] != "custom"]  # whose sizes say something
    run = (ours if len(ours) else runs).iloc[0]
    rates = {str(name): _numbers(rows["learning_rate"]) for name, rows in runs.groupby(own_named(runs))}
    same = runs["learning_rate"].nunique() == 1
    rate = f"{run['learning_rate']:g}" if same else listing([f"{rates[name]} ({name})" for name in in_order(rates)])
    threads = f", {place(run)}" if run["device"] == "cpu" else ""
    kernels = " and ".join(f"{size:.0f} × {size:.0f}" for size in sorted(ours["kernel_size"].unique()))
    narrow, wide = f"{run['channels']:.0f}", f"{2 * run['channels']:.0f}"
    widths = (
        f"widths {narrow}, {wide}" if (ours["network"] == "allcnnc").any() else f"widths {narrow}, {narrow}, {wide}"
    )
    if run["matched"] not in ("", "none"):
        widths = f"widths chosen for equal {MATCHED_WORDS.get(run['matched'], run['matched'])}"
    own = " (but users’ own)" if len(ours) < len(runs) else ""
    sizes = f"{widths}, {kernels} kernels{own}, " if len(ours) else ""
    parts = ("train", "validation", "test")
    images = ", ".join(f"{general(run[f'n_{part}'])} {part}" for part in parts)
    return (
        f"{run['dataset']} ({images}), {run['image_size']:.0f} × {run['image_size']:.0f} pixels; "
        f"{sizes}batch {run['batch_size']:.0f}, {budget(run)}, "
        f"learning rate {rate}, trained on {device_name(run)}{threads}."
    )


# What networks of a study are equal in: the column of `networks` that shows how nearly, its name, how it is written.
MATCHED: dict[str, tuple[str, str, Callable[[float], str]]] = {
    "parameters": ("parameters", "the parameters", count),
    # A busy machine only lengthens a training, so the fastest seed tells most about the network.
    "time": ("training_low", "the seconds of a whole training, of the fastest seed of each network,", seconds),
    "memory": ("peak_bytes", "the memory of training", memory),
    "macs": ("macs", "the MACs of an image", count),
}
OWN_SIZE = " A user’s network that takes no width has one size."


def matching(study: StudyRuns) -> str:
    """Say what the networks of a study are equal in, and how nearly."""
    matched, networks = study.runs.iloc[0]["matched"], study.networks
    own = (networks["variant"] == "custom").any()
    if (networks["variant"] == "custom").all():
        return "Users’ networks have sizes of their own; their parameters, MACs, memory and time differ."
    if matched in ("", "none"):
        but = " but users’ own" if own else ""
        return f"All networks{but} have equal widths; their parameters, MACs, memory and time differ."
    what = f"Widths are chosen so that networks are equal in {MATCHED_WORDS.get(matched, matched)}"
    if matched not in MATCHED or networks[MATCHED[matched][0]].dropna().empty:
        return f"{what}, as nearly as whole numbers of channels allow.{OWN_SIZE if own else ''}"
    column, noun, show = MATCHED[matched]
    names, values = network_names(networks), networks[column].dropna()
    least, most = float(values.min()), float(values.max())
    low, high = names[values.idxmin()], names[values.idxmax()]
    return (
        f"{what}, as nearly as whole numbers of channels allow: {noun} go from {show(least)} ({low}) to {show(most)} "
        f"({high}), which is {digits(most / least)}×.{OWN_SIZE if own else ''}"
    )


def _numbers(values: pd.Series) -> str:
    """List the distinct numbers, the smallest first: `0.003 or 0.01`."""
    return " or ".join(f"{value:g}" for value in sorted(values.unique()))
