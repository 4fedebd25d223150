"""The time until an accuracy is reached, and until one network overtakes another, over seeds.

The accuracy of a run is its best validation accuracy so far. A run that ends or diverges before it reaches the target
is censored: it is not left out; its time to the target counts as infinite.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.answers.text_tables import columns
from benchmarks.records.configurations import Configuration, by_seed, network_names
from benchmarks.records.record import Record, machine_text

TARGETS = (0.90, 0.95, 0.97, 0.98)
# The axes of time, and the units in which tables show them.
SPENT_UNITS = {"epoch": 1.0, "seconds": 1.0, "macs": 1e12}
HEADINGS = ("epochs", "seconds", "MACs, T")
# Numbers of images that comparable runs share.
LIMITS = ("limit", "train_limit", "epoch_images")


@dataclass(frozen=True)
class Waiting:
    """The epochs, seconds or MACs until an event, over seeds.

    Args:
        median: over seeds, infinite where the event is missing in half of the seeds or more. The medians on two axes
            need not be those of one seed.
        low, high: the smallest and the largest value; with five seeds they enclose the true median in 94 of 100 cases.
        reached: how many of the ``n`` seeds have the event.
        within: the epochs, seconds or MACs of the longest run.
    """

    median: float
    low: float
    high: float
    reached: int
    n: int
    within: float

    def text(self, unit: float = 1.0) -> str:
        """Write the numbers in multiples of ``unit``, such as "12 [9, 30], 5 of 5"."""
        if not self.n:
            return "–"
        if not self.reached:
            return f"not within {self.within / unit:.3g}, 0 of {self.n}"
        parts = [f"{part / unit:.3g}" if math.isfinite(part) else "∞" for part in (self.median, self.low, self.high)]
        return f"{parts[0]} [{parts[1]}, {parts[2]}], {self.reached} of {self.n}"


def to_target(records: Sequence[Record], target: float, axis: str = "epoch") -> Waiting:
    """Return the epochs, seconds or MACs until the validation accuracy is at least ``target``, a fraction.

    The records are those of one configuration, one for each seed; ``axis`` is a key of ``SPENT_UNITS``.
    """
    return _waiting([first_at(record, axis, target) for record in records], records, axis)


def overtaking(contenders: Sequence[Record], rivals: Sequence[Record], axis: str = "seconds") -> Waiting:
    """Return after how many epochs, seconds or MACs one configuration stays ahead of another, over seeds.

    A run that has ended keeps its last accuracy. Seeds of only one configuration are left out. ``axis`` is a
    key of ``SPENT_UNITS``.
    """
    ours, theirs = by_seed(contenders), by_seed(rivals)
    common = sorted(ours.keys() & theirs.keys())
    values = [_overtakes(ours[seed], theirs[seed], axis) for seed in common]
    return _waiting(values, [*(ours[seed] for seed in common), *(theirs[seed] for seed in common)], axis)


def at_pace(record: Record, seconds_per_epoch: float) -> Record:
    """Return the record with the given seconds for every epoch, instead of seconds measured on a shared machine."""
    epochs = [{**entry, "seconds": entry["epoch"] * seconds_per_epoch} for entry in record["epochs"]]
    return {**record, "epochs": epochs}


def _curve(record: Record, axis: str) -> tuple[np.ndarray, np.ndarray]:
    """Return positions on the axis, and the best validation accuracy up to each position."""
    entries = [entry for entry in record["epochs"] if entry.get("validation_accuracy") is not None]
    accuracies = np.array([entry["validation_accuracy"] for entry in entries], dtype=float)
    return np.array([entry[axis] for entry in entries], dtype=float), np.maximum.accumulate(accuracies)


def first_at(record: Record, axis: str, target: float) -> float:
    """Return the epochs, seconds or MACs of one run until its validation accuracy is at least ``target``."""
    positions, best = _curve(record, axis)
    there = np.flatnonzero(best >= target)
    return float(positions[there[0]]) if len(there) else math.inf


def _overtakes(contender: Record, rival: Record, axis: str) -> float:
    (ours, our_best), (theirs, their_best) = _curve(contender, axis), _curve(rival, axis)
    positions = np.union1d(ours, theirs)

    def at(where: np.ndarray, best: np.ndarray) -> np.ndarray:
        begun = np.searchsorted(where, positions, side="right") - 1
        return np.where(begun < 0, 0.0, best[np.maximum(begun, 0)])

    ahead = at(ours, our_best) > at(theirs, their_best)
    if not ahead[-1]:
        return math.inf
    behind = np.flatnonzero(~ahead)
    return float(positions[behind[-1] + 1 if len(behind) else 0])


def _waiting(values: Sequence[float], records: Sequence[Record], axis: str) -> Waiting:
    within = max((float(record["epochs"][-1][axis]) for record in records), default=math.nan)
    if not values:
        return Waiting(math.nan, math.nan, math.nan, 0, 0, within)
    reached = sum(map(math.isfinite, values))
    return Waiting(statistics.median(values), min(values), max(values), reached, len(values), within)


def target_waits(configurations: Mapping[str, Sequence[Record]], targets: Sequence[float]) -> list[dict[str, Any]]:
    """Return, for each configuration and target, the epochs, seconds and MACs until the target."""
    return [
        {"network": name, "target": target, **{axis: to_target(records, target, axis) for axis in SPENT_UNITS}}
        for name, records in configurations.items()
        for target in targets
    ]


def overtaking_waits(configurations: Mapping[str, Sequence[Record]], rival: str) -> list[dict[str, Any]]:
    """Return, for each configuration, the epochs, seconds and MACs after which it stays ahead of ``rival``."""
    return [
        {
            "network": name,
            "overtakes": rival,
            **{axis: overtaking(records, configurations[rival], axis) for axis in SPENT_UNITS},
        }
        for name, records in configurations.items()
        if name != rival
    ]


def target_lines(configurations: Mapping[str, Sequence[Record]], targets: Sequence[float] = TARGETS) -> list[str]:
    """Write a table of the epochs, seconds and 10¹² MACs that each configuration, by name, needs to reach each target.

    A target that no run reaches has a single line.
    """
    runs = [record for records in configurations.values() for record in records]
    reached = [target for target in targets if to_target(runs, target).reached]
    rows = [
        (row["network"], f"{row['target']:.0%}", *(row[axis].text(unit) for axis, unit in SPENT_UNITS.items()))
        for row in target_waits(configurations, reached)
    ]
    missed = [f"{target:.0%}: 0 of {len(runs)} runs" for target in targets if target not in reached]
    return [*(columns([("", "target", *HEADINGS), *rows]) if reached else []), *missed]


def overtaking_lines(configurations: Mapping[str, Sequence[Record]], rival: str) -> list[str]:
    """Write a table of the times at which each configuration overtakes the one named ``rival``."""
    rows = [
        (row["network"], *(row[axis].text(unit) for axis, unit in SPENT_UNITS.items()))
        for row in overtaking_waits(configurations, rival)
    ]
    return columns([(f"overtakes {rival} after", *HEADINGS), *rows])


def comparable_runs(
    configurations: Mapping[Configuration, Sequence[Record]], dataset: str | None = None
) -> dict[str, dict[str, Sequence[Record]]]:
    """Group records by all that comparable runs share (data, sizes, budget, machine, matching), then by network."""
    groups: dict[str, dict[str, Sequence[Record]]] = {}
    names = network_names(configurations)
    for key, records in configurations.items():
        if dataset in (None, key["dataset"]):
            size = key["image_size"]
            limits = "".join(f", {name} {key.get(name)}" for name in LIMITS if key.get(name) is not None)
            title = (
                f"{key['dataset']} {size}×{size}{limits}, {key['budget']:g} {key['budget_unit']}, "
                f"batch {key['batch_size']}, matched by {key['matched']}, {key['device']}×{key['threads']}, "
                f"{machine_text(key.machine)}"
            )
            name = names[key]
            group = groups.setdefault(title, {})
            if name in group:
                name = f"{name} lr={key['learning_rate']:g}"
            group[f"{name} {key.id}" if name in group else name] = records
    return groups
