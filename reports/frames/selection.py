"""Which rows of the frames may be drawn, compared and averaged: by status, by case, by settings, and by study."""

from collections.abc import Iterable, Sequence

import pandas as pd

from benchmarks.cases.case import FORMER_IMAGES
from reports.frames.columns import CASE_AXES, OURS, RUN_AXES
from reports.frames.frames import Frames

PASSES = ("forward", "forward_backward")
STEP = "training_step"
# A plain layer has no group, so it has no value on these axes.
GROUP_AXES = ("group", "resolution", "scales")
POINT_AXES = ["device", *GROUP_AXES, "channels", "batch_size", "image_size", "kernel_size", "dtype", "threads"]
# The columns that identify a network's case, and with its training a network within a study.
NETWORK_CASE = ["network", "variant", "group", "resolution", "scales", "channels", "kernel_size"]
NETWORK = [*NETWORK_CASE, "augmentation"]
# The columns that are equal for all runs of a study. `architecture` is the network, `width` its channels, `kernel` its
# kernel size; users' networks, of which these say nothing, have those of the others, with which they are compared.
# `width` and `kernel` have no value where the sizes were chosen for each network to match something else.
STUDY = ["dataset", "matched", "width", "kernel", "image_size", "batch_size", "budget_unit", "budget", "recipe"]
STUDY += [
    "architecture",
    "hidden_features",
    "sampled",
    "limit",
    "train_limit",
    "epoch_images",
    "dtype",
    "device",
    "threads",
]
OPTIMISER = ["learning_rate", "weight_decay"]
# The optimiser may be tuned for each of these.
TUNED = ["network", "variant", "augmentation"]


def ok(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows that may be drawn: measured to the end, with a value on every axis.

    A record that lacks a value on an axis can be listed, but not compared.
    """
    axes = list(CASE_AXES if "layer" in frame else RUN_AXES)
    known = frame[axes].notna() & (frame[axes] != "")
    return frame[(frame["status"] == "ok") & known.all(axis=1)]


def latest(costs: pd.DataFrame) -> pd.DataFrame:
    """Keep the newest record of every case. Axes identify a case, because ids differ between versions of the suite."""
    case = ["layer", "implementation", "variant", "direction", "kernels", "execution", *POINT_AXES, *FORMER_IMAGES]
    return costs.sort_values("measured_at", kind="stable").drop_duplicates(case, keep="last").sort_index()


def ours_by_default(costs: pd.DataFrame, directions: Sequence[str] = PASSES) -> pd.DataFrame:
    """Keep our layers and all networks as they are used by default: eager, float32, kernels cached in inference only.

    Peers, users' layers, compiled code, other number formats and inference that generates its kernels are left out.
    """
    return _by_default(costs[(costs["implementation"] == OURS) | (costs["layer"] == "network")], directions)


def own_layers_by_default(costs: pd.DataFrame) -> pd.DataFrame:
    """Keep users' layers as they are used by default, as ``ours_by_default`` keeps ours."""
    return _by_default(costs[(costs["layer"] == "conv") & (costs["variant"] == "custom")], PASSES)


def _by_default(costs: pd.DataFrame, directions: Sequence[str]) -> pd.DataFrame:
    usual = costs["direction"].map(lambda direction: "cached" if direction == "forward" else "generated")
    eager = (costs["execution"] == "eager") & (costs["dtype"] == "float32")
    return costs[eager & (costs["kernels"] == usual) & costs["direction"].isin(directions)]


def usual_threads(costs: pd.DataFrame) -> pd.DataFrame:
    """Keep the cases on the most frequent number of threads; of equally frequent numbers the largest."""
    counts = costs["threads"].value_counts()
    return costs[costs["threads"] == counts.index[counts == counts.max()].max()] if len(counts) else costs


def base_point(costs: pd.DataFrame) -> dict[str, object]:
    """Return the most frequent value on each axis; of equally frequent values the lower median.

    In a sweep that varies one axis at a time this is the centre; in a full grid it is the middle. On the axes of the
    group, plain layers are counted only if there are no others. The result is empty when there is no case.
    """
    base: dict[str, object] = {}
    for axis in POINT_AXES:
        voters = costs[costs["variant"] != "plain"] if axis in GROUP_AXES else costs
        counts = (voters if len(voters) else costs)[axis].value_counts()
        if counts.empty:
            return {}
        modes = sorted(counts.index[counts == counts.max()])
        base[axis] = modes[(len(modes) - 1) // 2]
    return base


def layer_base(costs: pd.DataFrame) -> dict[str, object]:
    """Return the base point of single layers (not networks); empty where no single layer was measured."""
    return base_point(costs[costs["layer"] == "conv"])


def at(costs: pd.DataFrame, base: dict[str, object], free: Iterable[str] = ()) -> pd.DataFrame:
    """Keep the cases at the base point on all axes except the free ones; plain layers match any group."""
    keep = pd.Series(True, index=costs.index)
    for axis in set(base) - set(free):
        match = costs[axis] == base[axis]
        keep &= match | (costs["variant"] == "plain") if axis in GROUP_AXES else match
    return costs[keep]


def along(costs: pd.DataFrame, base: dict[str, object], axis: str) -> pd.DataFrame:
    """Keep the cases on the line along one axis through the base point.

    A plain convolution that is there for its number of maps has more channels than any other layer, and is left out.
    """
    line = at(costs, base, free=[axis, *(["scales"] if axis == "resolution" else [])])
    others = line.loc[line["variant"] != "plain", "channels"]
    return line[line["channels"] <= others.max()] if axis == "channels" and len(others) else line


def at_base(costs: pd.DataFrame) -> pd.DataFrame:
    """Keep one layer of each variant at the base point, in each direction."""
    layers = costs[costs["layer"] == "conv"]
    here = at(layers, base_point(layers[layers["direction"].isin(PASSES)]))
    return here.drop_duplicates(["variant", "direction"])


def opening_order(data: Frames) -> list[str]:
    """Return the machines in the order of the report: first each GPU that has results for its base point.

    Among these, and among the others, the machines with the most records come first.
    """

    def opens(machine: str) -> bool:
        costs = ours_by_default(ok(data.on(machine).costs))
        return bool((costs["device"] != "cpu").any()) and len(at_base(costs)) > 0

    return sorted(data.machines, key=lambda machine: not opens(machine))


def own_named(rows: pd.DataFrame) -> pd.Series:
    """Return the variant of each case or run; a user's layer or network is named by its factory instead."""
    factory = "network" if "network" in rows else "implementation"
    return rows["variant"].where(rows["variant"] != "custom", rows[factory])


def of_study(runs: pd.DataFrame) -> bool:
    """Tell whether runs are those of a study: it matches widths and searches learning rates, `train` does neither."""
    return bool((~runs["matched"].isin(["", "none"])).any())


def studies(runs: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the sets of runs that may be compared, the one that tells most first, see ``_weight``.

    All runs of a study agree in the columns `STUDY`. The optimiser may be tuned for each of `TUNED` or, where sizes
    were matched, for each network; of each the study keeps the runs with the most frequent optimiser settings. Runs
    with different settings are thus never averaged as if they were seeds.
    """
    alike, sizes = runs["matched"] == "none", _sizes(runs)
    frame = runs.assign(
        width=sizes["channels"].where(alike),
        kernel=sizes["kernel_size"].where(alike),
        architecture=_architectures(runs),
    )
    sets = [rows for _, rows in frame.groupby(STUDY, dropna=False, sort=False)]
    sets.sort(key=_weight, reverse=True)
    found = []
    for study in sets:
        tuned = TUNED if study["matched"].iloc[0] == "none" else NETWORK
        parts = [_most_common(rows, OPTIMISER) for _, rows in study.groupby(tuned, dropna=False, sort=False)]
        found.append(pd.concat(parts).sort_index())
    return found


def _weight(runs: pd.DataFrame) -> tuple[bool, float, float, int]:
    """Return whether two networks have two seeds, and the numbers of test images, of train images and of runs."""
    seeds = runs.groupby(NETWORK, dropna=False)["seed"].nunique()
    test, train = (float(runs[part].fillna(0).max()) for part in ("n_test", "n_train"))
    return bool((seeds > 1).sum() > 1), test, train, len(runs)


def first_study(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the first study; a frame without rows if there is none."""
    empty = runs.assign(width=runs["channels"], kernel=runs["kernel_size"], architecture=runs["network"])
    return next(iter(studies(runs)), empty)


def _architectures(runs: pd.DataFrame) -> pd.Series:
    """Return the network of each run; a user's network is compared with the networks that most runs have."""
    ours = runs.loc[runs["variant"] != "custom", "network"]
    most = str(ours.mode().iloc[0]) if len(ours) else ""
    return runs["network"].where(runs["variant"] != "custom", most)


def _sizes(runs: pd.DataFrame) -> pd.DataFrame:
    """Return channels and kernel size of each run; those of a user's network are what most comparable runs have."""
    sizes = runs[["channels", "kernel_size"]].copy()
    common = [name for name in STUDY if name not in ("width", "kernel", "architecture")]
    for _, rows in runs.groupby(common, dropna=False, sort=False):
        own = rows["variant"] == "custom"
        for name in ("channels", "kernel_size"):
            known = rows.loc[~own, name]
            if own.any() and len(known):
                others = own & ~rows[name].isin(known)
                sizes.loc[others.index[others], name] = known.mode().iloc[0]
    return sizes


def _most_common(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Keep the rows that have the most frequent combination of values in `columns`."""
    counts = frame.groupby(columns, dropna=False).size()
    if counts.empty:
        return frame
    chosen = pd.Series(counts.idxmax(), index=columns)
    same = (frame[columns] == chosen) | (frame[columns].isna() & chosen.isna())
    return frame[same.all(axis=1)]


def varied(rows: pd.DataFrame, axis: str) -> pd.DataFrame:
    """Keep the variants that were measured at two or more values of an axis; if there are none, keep all variants."""
    several = rows.groupby("variant")[axis].transform("nunique") > 1
    return rows[several] if several.any() else rows


def along_with_plain(rows: pd.DataFrame, base: dict[str, object], axis: str) -> pd.DataFrame:
    """Return the rows along one axis through the base point; plain, which has no |H|, is repeated at each |H|."""
    slice_ = along(rows, base, axis)
    if axis != "resolution":
        return slice_
    plain, others = slice_[slice_["variant"] == "plain"], slice_[slice_["variant"] != "plain"]
    repeated = [plain.assign(resolution=value) for value in sorted(set(others["resolution"]))] or [plain]
    return pd.concat([*repeated, others])
