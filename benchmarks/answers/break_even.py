"""How long until an accuracy is reached, and when one network overtakes another: ``python -m benchmarks break-even``.

Accuracies are of validation images, and the best so far: what training would give if it stopped there. A run that does
not get there within its budget, or diverges before, is censored: it counts as longer than any other, and is never left
out.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.answers.text_tables import columns
from benchmarks.records.configurations import Configuration, by_seed
from benchmarks.records.record import Record

TARGETS = (0.90, 0.95, 0.97)
AXES = ("epoch", "seconds", "macs")


@dataclass(frozen=True)
class Waiting:
    """How much of something it takes, over seeds.

    Args:
        median: infinite where half of the seeds or more are not there by the end.
        low, high: the least and the most; of five seeds they hold the true median in 94 of 100 cases.
        reached: of ``n`` seeds.
        within: what the longest run had.
    """

    median: float
    low: float
    high: float
    reached: int
    n: int
    within: float

    def text(self, number: str = "{:.3g}") -> str:
        """For people: "12 [9, 30], 5 of 5"."""
        if not self.n:
            return "–"
        if not self.reached:
            return f"not within {number.format(self.within)}, 0 of {self.n}"
        parts = [number.format(part) if math.isfinite(part) else "∞" for part in (self.median, self.low, self.high)]
        return f"{parts[0]} [{parts[1]}, {parts[2]}], {self.reached} of {self.n}"


def to_target(records: Sequence[Record], target: float, axis: str = "epoch") -> Waiting:
    """Epochs, seconds or MACs until the validation accuracy is at least the target.

    Args:
        records: of one configuration, a record for each seed.
        target: a fraction.
        axis: one of ``AXES``.
    """
    return _waiting([_first(record, axis, target) for record in records], records, axis)


def overtaking(contenders: Sequence[Record], rivals: Sequence[Record], axis: str = "seconds") -> Waiting:
    """From where on the contender stays ahead of the rival, seed by seed.

    A run that is over keeps what it had. Seeds that only one of them has are left out.

    Args:
        contenders, rivals: records of one configuration each.
        axis: one of ``AXES``.
    """
    ours, theirs = by_seed(contenders), by_seed(rivals)
    common = sorted(ours.keys() & theirs.keys())
    values = [_overtakes(ours[seed], theirs[seed], axis) for seed in common]
    return _waiting(values, [*(ours[seed] for seed in common), *(theirs[seed] for seed in common)], axis)


def at_pace(record: Record, seconds_per_epoch: float) -> Record:
    """The record as if every epoch had taken so long: measured in quiet, where runs shared the machine."""
    epochs = [{**entry, "seconds": entry["epoch"] * seconds_per_epoch} for entry in record["epochs"]]
    return {**record, "epochs": epochs}


def _curve(record: Record, axis: str) -> tuple[np.ndarray, np.ndarray]:
    """Positions, and the best validation accuracy by then."""
    entries = [entry for entry in record["epochs"] if entry.get("validation_accuracy") is not None]
    accuracies = np.array([entry["validation_accuracy"] for entry in entries], dtype=float)
    return np.array([entry[axis] for entry in entries], dtype=float), np.maximum.accumulate(accuracies)


def _first(record: Record, axis: str, target: float) -> float:
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
    ordered = sorted(values)
    middle = ordered[(len(ordered) - 1) // 2 : len(ordered) // 2 + 1]
    median = sum(middle) / len(middle)
    return Waiting(median, ordered[0], ordered[-1], sum(map(math.isfinite, values)), len(values), within)


def target_lines(configurations: Mapping[str, Sequence[Record]], targets: Sequence[float] = TARGETS) -> list[str]:
    """A table of epochs, seconds and 10¹² MACs to each target, by the name of the configuration.

    A target that nobody reaches has one line in all.
    """
    rows: list[tuple[str, ...]] = [("", "target", "epochs", "seconds", "MACs, T")]
    everybody = [record for records in configurations.values() for record in records]
    reached = [target for target in targets if to_target(everybody, target).reached]
    for name, records in configurations.items():
        tera = [_scaled(record) for record in records]
        for target in reached:
            waits = [to_target(records, target, "epoch"), to_target(records, target, "seconds")]
            cells = [wait.text() for wait in (*waits, to_target(tera, target, "macs"))]
            rows.append((name, f"{target:.0%}", *cells))
    nobody = [f"{target:.0%}: 0 of {len(everybody)} runs" for target in targets if target not in reached]
    return [*(columns(rows) if reached else []), *nobody]


def overtaking_lines(configurations: Mapping[str, Sequence[Record]], rival: str) -> list[str]:
    """A table of when each configuration overtakes the one that is named."""
    rows: list[tuple[str, ...]] = [(f"overtakes {rival} after", "epochs", "seconds", "MACs, T")]
    plain = configurations[rival]
    for name, records in configurations.items():
        if name != rival:
            waits = [overtaking(records, plain, "epoch"), overtaking(records, plain, "seconds")]
            waits.append(overtaking([_scaled(r) for r in records], [_scaled(r) for r in plain], "macs"))
            rows.append((name, *(wait.text() for wait in waits)))
    return columns(rows)


def _scaled(record: Record) -> Record:
    """With MACs in units of 10¹²."""
    return {**record, "epochs": [{**entry, "macs": entry["macs"] / 1e12} for entry in record["epochs"]]}


def comparable(
    configurations: Mapping[Configuration, Sequence[Record]], dataset: str | None = None
) -> dict[str, dict[str, Sequence[Record]]]:
    """Records by what makes runs comparable (data, sizes, budget, machine, matching), then by network."""
    groups: dict[str, dict[str, Sequence[Record]]] = {}
    for key, records in configurations.items():
        if dataset in (None, key["dataset"]):
            size = key["image_size"]
            title = (
                f"{key['dataset']} {size}×{size}, {key['budget']:g} {key['budget_unit']}, batch {key['batch_size']}, "
                f"matched by {key['matched']}, {key['device']}×{key['threads']}, {' '.join(key.machine)}"
            )
            name = key.network
            group = groups.setdefault(title, {})
            group[f"{name} lr={key['learning_rate']:g}" if name in group else name] = records
    return groups
