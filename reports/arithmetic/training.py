"""The arithmetic of training runs: the accuracies of networks and their costs."""

import math
from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from benchmarks.cases.case import FORMER_IMAGES
from benchmarks.cases.datasets import DATASETS
from benchmarks.records.layer_names import layer_kernel_size
from benchmarks.statistics.choosing import Accuracies, compared_accuracies
from benchmarks.statistics.intervals import Interval
from benchmarks.statistics.over_seeds import estimate
from benchmarks.statistics.written import FEWEST
from reports.frames.selection import NETWORK, NETWORK_CASE

WHEN = ("at the start", "after training")
PRICES = ("seconds", "peak_bytes", "macs")
# For each direction of a network's cases: the columns that the network takes over, and their new names.
NETWORK_COSTS = {
    "forward_backward": {"peak_bytes": "peak_bytes", "threads": "threads_case"},
    "forward": {
        **{name: name for name in ("seconds", "ci_low", "ci_high")},
        **{name: f"{name}_case" for name in ("n", "threads", "anchor", "findings")},
    },
}


def over_seeds(frame: pd.DataFrame, by: list[str], value: str) -> pd.DataFrame:
    """Return mean, sample standard deviation (NaN for one value), min, max and n of `value` in each group of `by`."""
    grouped = frame.dropna(subset=[value]).groupby(by, sort=True)[value]
    table = grouped.agg(mean="mean", sd=lambda values: values.std(ddof=1), min="min", max="max", n="count")
    return table.reset_index()


def trained_networks(costs: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Return every network of a study with its test accuracy over seeds and its costs; unmeasured values are NaN.

    The costs come from the network's own cases (same variant, group, sizes and batch): the forward pass, divided
    by the batch, and the peak memory of a pass with backward. Cases with as many threads as the runs are preferred.
    Columns: network, `mean`, `sd`, `min`, `max`, `n` (seeds), `parameters`, `training_seconds` (mean, and
    `training_low`, `training_high`), `macs` (of one image),
    `seconds`, `ci_low`, `ci_high` (of one image), `n_case` (passes), `threads_case`, `peak_bytes`, `anchor_case`,
    `findings_case` (why the time is called noisy), `other_batch` and `other_seconds` (a forward pass at another batch
    than that of the runs, which is not compared).
    """
    grouped = runs.groupby(NETWORK, dropna=False)
    table = over_seeds(runs, NETWORK, "test_accuracy").merge(
        grouped.agg(
            parameters=("parameters", "first"),
            training_seconds=("seconds", "mean"),
            training_low=("seconds", "min"),
            training_high=("seconds", "max"),
            macs=("macs_convolution", "first"),
            batch_size=("batch_size", "first"),
            threads=("threads", "first"),
        ).reset_index(),
        on=NETWORK,
    )
    shared = _with_images(runs)[["image_size", "batch_size", "device", *FORMER_IMAGES]].drop_duplicates()
    cases = costs[costs["layer"] != "conv"]
    names = cases["layer"].where(cases["layer"] != "network", cases["implementation"])
    cases = cases.assign(anchor=cases.get("anchor", ""), network=names)
    cases = cases.merge(shared.drop(columns="batch_size").drop_duplicates())
    # The kernel size of a user's network says nothing.
    cases["kernel_size"] = cases["kernel_size"].where(cases["variant"] != "custom", math.nan)
    sizes = table["kernel_size"]
    table["kernel_size"] = sizes.where(table["variant"] != "custom", math.nan)
    as_trained = cases["batch_size"].isin(shared["batch_size"])
    table = table.merge(_at_other_batches(cases[~as_trained]), on=NETWORK_CASE, how="left")
    cases = cases[as_trained]
    for direction, columns in NETWORK_COSTS.items():
        mine = cases[cases["direction"] == direction].rename(columns=columns)
        mine = mine.assign(other=~mine["threads_case"].isin(table["threads"])).sort_values("other", kind="stable")
        mine = mine.drop_duplicates(NETWORK_CASE)[[*NETWORK_CASE, *columns.values()]]
        table = table.drop(columns="threads_case", errors="ignore").merge(mine, on=NETWORK_CASE, how="left")
    table["kernel_size"] = sizes
    table["findings_case"] = [found if isinstance(found, tuple) else () for found in table["findings_case"]]
    for column in ("seconds", "ci_low", "ci_high"):
        table[column] /= table["batch_size"]
    return table


def _at_other_batches(cases: pd.DataFrame) -> pd.DataFrame:
    """Return the forward pass of each network at its largest batch: `other_batch` and `other_seconds`."""
    passes = cases[cases["direction"] == "forward"].sort_values("batch_size", ascending=False, kind="stable")
    found = passes.drop_duplicates(NETWORK_CASE).rename(
        columns={"batch_size": "other_batch", "seconds": "other_seconds"}
    )
    return found[[*NETWORK_CASE, "other_batch", "other_seconds"]]


def with_memory_of_steps(networks: pd.DataFrame, epochs: pd.DataFrame) -> pd.DataFrame:
    """Return networks with the peak of a training step of their runs as `peak_bytes`, where no pass was measured.

    A step holds what a pass with backward holds: the moments of Adam are there before it.
    """
    steps = epochs.groupby(NETWORK, dropna=False)["peak_bytes"].max().rename("step_bytes").reset_index()
    found = networks.merge(steps, on=NETWORK, how="left")
    return found.assign(peak_bytes=found["peak_bytes"].fillna(found["step_bytes"])).drop(columns="step_bytes")


def _with_images(runs: pd.DataFrame) -> pd.DataFrame:
    """Add the axes of ``Case`` for the images of each run: those of its record, or else those of its data set."""
    known = [DATASETS.get(name) for name in runs["dataset"]]
    usual = {
        "in_channels": [images and images.channels for images in known],
        "num_classes": [images and images.classes for images in known],
    }
    stated = {"in_channels": runs["image_channels"], "num_classes": runs["classes"]}
    axes = {
        axis: stated[axis].fillna(pd.Series(usual[axis], index=runs.index, dtype=float)).fillna(former)
        for axis, former in FORMER_IMAGES.items()
    }
    return runs.assign(**axes)


def accuracies(runs: pd.DataFrame, networks: pd.DataFrame, asked: Collection[tuple[int, int]] = ()) -> Accuracies:
    """Compare the test accuracies of networks, in the order of their rows, over the seeds that they share.

    Args:
        asked: the pairs (row numbers) that matter most, see ``compared_accuracies``.
    """
    known = [by_seed(runs, row) for _, row in networks.iterrows()]
    fractions = [dict(zip(map(int, found.index), map(float, found), strict=True)) for found in known]
    return compared_accuracies(fractions, asked=asked, step=accuracy_step(runs))


def beaten_by(networks: pd.DataFrame, compared: Accuracies, price: str) -> list[list[int]]:
    """Return, for each network, the rivals (row numbers) that are clearly better in accuracy and one cost together.

    Such a rival is at least as good in both by its mean, and clearly better in one: shown to be more accurate, or
    cheaper, of times with a 95 % interval that lies below that of the network.

    Args:
        price: the column of the cost, one of ``PRICES``; networks without it beat nobody and are beaten by nobody.
    """
    costs = networks[price].tolist()
    spread = ("ci_low", "ci_high") if price == "seconds" else (price, price)
    low, high = (networks[column].tolist() for column in spread)
    numbers = range(len(networks))

    def beats(rival: int, mine: int) -> bool:
        cheaper, better = high[rival] < low[mine], (rival, mine) in compared.better
        no_worse = costs[rival] <= costs[mine] and compared.means[rival] >= compared.means[mine]
        return no_worse and (cheaper or better)

    return [[rival for rival in numbers if beats(rival, mine)] for mine in numbers]


def rivalled_by(networks: pd.DataFrame, compared: Accuracies, price: str) -> list[list[int]]:
    """Return, for each network, the clearly cheaper rivals than which it is not shown to be more accurate.

    A network on the front that has such rivals is there by its mean alone.
    """
    spread = ("ci_low", "ci_high") if price == "seconds" else (price, price)
    low, high = (networks[column].tolist() for column in spread)
    numbers = range(len(networks))
    return [[j for j in numbers if high[j] < low[i] and (i, j) not in compared.better] for i in numbers]


def best_networks(runs: pd.DataFrame) -> pd.DataFrame:
    """Return, for each variant and augmentation, the network that validates best, and its test accuracies.

    Networks without augmentation come first. Each user's network counts. Further column: `validation`, the mean
    validation accuracy.
    """
    choice = over_seeds(runs, NETWORK, "validation_accuracy").sort_values("mean", ascending=False, kind="stable")
    choice = choice.assign(
        augmented=~choice["augmentation"].isin(["", "none"]),
        own=choice["network"].where(choice["variant"] == "custom", ""),
        validation=choice["mean"],
    ).sort_values("augmented", kind="stable")
    chosen = choice.drop_duplicates(["variant", "augmentation", "own"])[[*NETWORK, "validation"]]
    return chosen.merge(over_seeds(runs, NETWORK, "test_accuracy"), on=NETWORK)


def networks_at(runs: pd.DataFrame, base: Mapping[str, object]) -> pd.DataFrame:
    """Return, for each variant and augmentation, the network at `base`'s group and |H|, or else that validates best.

    The cost of a layer at one |H| is thus shown next to the accuracy of networks at the same |H|. Plain has no |H|.
    """
    here = (runs["resolution"] == base.get("resolution")) & (runs["group"] == base.get("group"))
    here &= runs["variant"] != "plain"
    elsewhere = ~runs["variant"].isin(runs.loc[here & runs["test_accuracy"].notna(), "variant"])
    return best_networks(runs[here | elsewhere])


def best_plain(best: pd.DataFrame) -> Any:
    """Return the index of the plain network, of ``best_networks``, that validates best; None where there is none."""
    plain = best.loc[best["variant"] == "plain", "validation"]
    return plain.idxmax() if len(plain) else None


def gains(runs: pd.DataFrame, best: pd.DataFrame) -> dict[Any, Interval]:
    """Return by how much each network's test accuracy exceeds that of the best plain one, by the index of its row.

    The gain is their ``difference`` over the seeds that both share.
    """
    plain = best_plain(best)
    if plain is None:
        return {}
    known, step = {i: by_seed(runs, row) for i, row in best.iterrows()}, accuracy_step(runs)
    found = {i: difference(ours, known[plain], step) for i, ours in known.items() if i != plain}
    return {i: gap for i, (gap, n) in found.items() if n}


def difference(ours: pd.Series, theirs: pd.Series, step: float) -> tuple[Interval, int]:
    """Return the accuracies of one network minus those of another over the seeds that both share, and their number.

    With fewer than ``FEWEST`` seeds, the ends of the interval are NaN.

    Args:
        ours, theirs: test accuracies ``by_seed``.
        step: smallest possible difference of two accuracies.
    """
    seeds = ours.index.intersection(theirs.index)
    found = estimate((ours[seeds] - theirs[seeds]).tolist(), step=step)
    ends = (found.low, found.high) if found.n >= FEWEST else (math.nan, math.nan)
    return Interval(found.mean, *ends), found.n


def by_seed(runs: pd.DataFrame, network: pd.Series) -> pd.Series:
    """Return the test accuracies of one network by seed; of runs of one seed, that of the last."""
    mine = runs.merge(network[NETWORK].to_frame().T.infer_objects(), on=NETWORK)
    mine = mine.dropna(subset=["test_accuracy", "seed"]).drop_duplicates("seed", keep="last")
    return mine.set_index("seed")["test_accuracy"]


def accuracy_step(runs: pd.DataFrame) -> float:
    """Return the smallest possible difference of two test accuracies; 0 where the number of images is unknown."""
    images = runs["n_test"].dropna()
    return 1 / float(images.iloc[0]) if len(images) and images.iloc[0] > 0 else 0.0


def redundancies(epochs: pd.DataFrame) -> pd.DataFrame:
    """Return the explained energy of every layer of every run, at its first and at its last epoch with a value.

    Left out are kernels that are separable by construction: those of size 1, and all where |H| is 1.

    Columns: network, `id` (of the run, as studies may share a network and a seed), `seed`, `epoch`, `when` ("at the
    start", "after training"), `layer`, `form` (of kernel), `fraction`.
    """
    known = epochs[(epochs["redundancy"].map(len) > 0) & (epochs["resolution"] > 1)]
    known = known.sort_values("epoch", kind="stable")
    rows = []
    ends = known.drop_duplicates("id", keep="first"), known.drop_duplicates("id", keep="last")
    for when, runs in zip(WHEN, ends, strict=True):
        for record in runs.to_dict("records"):
            common = {name: record[name] for name in (*NETWORK, "id", "seed", "epoch")}
            rows += [
                {**common, "when": when, "layer": layer, "form": form, "fraction": fraction}
                for layer, form, fraction in record["redundancy"]
                if layer_kernel_size(layer, record) > 1
            ]
    return pd.DataFrame(rows, columns=[*NETWORK, "id", "seed", "epoch", "when", "layer", "form", "fraction"])
