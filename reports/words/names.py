"""Names as the report writes them: passes, layers, groups, axes, networks and studies."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from benchmarks.cases.groups import TRIVIAL
from benchmarks.statistics.written import plural
from reports.frames.selection import NETWORK, of_study
from reports.words.numbers import count

PASS_WORDS = {"forward": "forward", "forward_backward": "forward + backward"}
DIRECTION_WORDS = {**PASS_WORDS, "training_step": "training step"}
LAYER_WORDS = {"conv": "one layer", "resnet": "network", "allcnnc": "All-CNN-C", "network": "network of a user"}
GROUPS = {"SO2": "SO(2)", "O2": "O(2)", "RPlus": "R⁺", "SO2xRPlus": "SO(2) × R⁺"}
AXIS_WORDS = {
    "resolution": "group resolution |H|",
    "channels": "width",
    "batch_size": "batch size",
    "image_size": "image size",
    "kernel_size": "kernel size",
}
# What is equal in a study, by the name in its records.
MATCHED_WORDS = {
    "": "widths",
    "none": "widths",
    "time": "time of a training step",
    "memory": "memory of a training step",
    "macs": "MACs of training",
    "maps": "maps C · |H|",
}
# The variants of the first screen; the rarer variants are in its table.
BASIC = ("plain", "lifting", "full", "separable")


def direction_name(direction: str) -> str:
    return DIRECTION_WORDS.get(direction, direction)


def ordered_directions(directions: pd.Series) -> list[str]:
    """Return the distinct passes, in the order of `DIRECTION_WORDS`."""
    return [direction for direction in DIRECTION_WORDS if direction in set(directions)]


def group_name(group: str) -> str:
    """Return a group as it is written in formulas."""
    return GROUPS.get(group, group)


def spaced(name: str) -> str:
    """Return a name from the records with spaces: `out of memory`."""
    return name.replace("_", " ")


def layer_and_pass(costs: pd.DataFrame) -> pd.Series:
    """Return the kind of module and the direction of each case: `one layer, forward`."""
    return costs["layer"].replace(LAYER_WORDS) + ", " + costs["direction"].replace(PASS_WORDS)


def modules(costs: pd.DataFrame) -> str:
    """Return the kinds of modules of some cases: `layers and networks`."""
    found = dict.fromkeys("layers" if layer == "conv" else "networks" for layer in sorted(set(costs["layer"])))
    return " and ".join(found)


def ending(name: str, longest: int = 24) -> str:
    """Return a name shortened for an axis: `…` and its last `longest` characters; shorter names stay as they are."""
    return name if len(name) <= longest else f"…{name[-longest:]}"


def point_words(base: Mapping[str, Any] | pd.Series, *, without: str = "") -> str:
    """Return the base point in words, without the axis that a figure varies."""
    words = {
        "group": group_name(str(base["group"])),
        "resolution": f"|H| = {base['resolution']:.0f}",
        "channels": f"{base['channels']:.0f} → {base['channels']:.0f} channels",
        "batch_size": f"batch {base['batch_size']:.0f}",
        "image_size": f"{base['image_size']:.0f} × {base['image_size']:.0f} pixels",
        "kernel_size": f"{base['kernel_size']:.0f} × {base['kernel_size']:.0f} kernels",
        "dtype": str(base["dtype"]),
        "threads": place(base),
    }
    return ", ".join(text for axis, text in words.items() if axis != without)


def place(row: Mapping[str, Any] | pd.Series) -> str:
    """Return where a pass or a training ran: `2 threads` of the processor, or `on the GPU`."""
    return plural(row["threads"], "thread") if row["device"] == "cpu" else "on the GPU"


def device_name(row: Mapping[str, Any] | pd.Series) -> str:
    """Return the name of the processor, or of the GPU, that a record comes from."""
    if row["device"] == "cpu":
        return str(row["cpu"]) or "an unknown processor"
    return str(row["gpu"]) or "an unknown GPU"


def setting(row: Mapping[Any, Any] | pd.Series) -> str:
    """Return the number format and the execution where they are not the usual ones: `tf32, compiled`."""
    return ", ".join(name for name in (row["dtype"], row["execution"]) if name not in ("float32", "eager"))


def budget(run: pd.Series) -> str:
    """Return the length of a training run: `30 epochs`, `60 seconds`, `2.50 T MACs`."""
    if run["budget_unit"] == "macs":
        return f"{count(run['budget'])} MACs"
    return plural(run["budget"], run["budget_unit"].removesuffix("s")) if run["budget_unit"] else "unknown budget"


def study_title(runs: pd.DataFrame) -> str:
    """Return a heading that distinguishes a study, or runs that were trained alike, from the others.

    What is equal is said of our networks alone, and only where there are two: users' networks have their own sizes.
    """
    run, ours = runs.iloc[0], runs[runs["variant"] != "custom"]
    several = len(ours[NETWORK].drop_duplicates()) > 1
    what, own = MATCHED_WORDS.get(run["matched"], run["matched"]), " but users’ own" * (len(ours) < len(runs))
    matched = f", equal {what}" if of_study(runs) else f", equal widths{own}" if several else ""
    same = ours["network"].nunique() == 1 and ours["network"].iloc[0] not in ("", "resnet")
    network = f", {ours['network'].iloc[0]}" if same else ""
    sampled = ", sampled grids" if run["sampled"] == "True" else ""
    return f"{run['dataset']}{_limited(run)}, {budget(run)}{matched}{network}{sampled}"


def _limited(run: pd.Series) -> str:
    """Return the number of train images of a run that a limit leaves fewer than the data set has."""
    limits = run[["train_limit", "limit"]].dropna()
    if limits.empty:
        return ""
    return f", {plural(limits.min() if pd.isna(run['n_train']) else run['n_train'], 'train image')}"


def by_study(runs: pd.DataFrame) -> str:
    """Return what a choice rests on: `the study rotated-digits, …`, or `the runs on rotated-digits, …`."""
    return f"the {'study' if of_study(runs) else 'runs on'} {study_title(runs)}"


def sets_of_runs(sets: Iterable[pd.DataFrame]) -> str:
    """Return what to call sets of comparable runs together: `studies`, `runs`, or both."""
    found = {of_study(runs) for runs in sets}
    return " and ".join(word for word, kind in (("studies", True), ("runs", False)) if kind in found)


def network_names(table: pd.DataFrame) -> dict[Any, str]:
    """Return a short name of every network, by the index of its row; groups and widths only where they differ.

    Whether a user's network has a width, nobody knows: it has one if it was trained with several.
    """
    ours, own = (table[table["variant"].eq("custom") == custom] for custom in (False, True))
    several_groups = table.loc[table["group"] != TRIVIAL, "group"].nunique() > 1
    networks, widths = ours["network"].nunique() > 1, ours["channels"].nunique() > 1
    of_own = own.groupby("network")["channels"].transform("nunique") > 1
    several_widths = of_own.reindex(table.index, fill_value=widths).tolist()
    named = zip(table.iterrows(), several_widths, strict=True)
    return {i: _network_name(row, networks, several_groups, several) for (i, row), several in named}


def _network_name(row: pd.Series, networks: bool, groups: bool, widths: bool) -> str:
    parts = [row["network"]] if row["variant"] == "custom" else [row["network"]] * networks + [row["variant"]]
    if row["group"] != TRIVIAL:
        parts += [group_name(row["group"])] * groups + [f"|H| = {row['resolution']:.0f}"]
    if row["augmentation"] not in ("", "none"):
        parts.append(f"+ {row['augmentation']}")
    return " ".join(parts) + (f", C = {row['channels']:.0f}" if widths else "")
