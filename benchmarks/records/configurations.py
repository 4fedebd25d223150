"""Training records that differ in nothing but the seed belong together. Pure and without torch: the report asks too."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.cases.groups import group_label
from benchmarks.records.record import Machine, Record, machine_of

# Fields that old records lack, with the value they could only have.
FORMER: dict[str, Any] = {"scales": 1, "matched": "none", "budget_unit": "epochs"}
# What a network cannot be named without; a record that lacks one belongs to no configuration.
NEEDED = {"dataset", "variant", "group", "resolution", "channels", "image_size", "budget", "seed"}
# What a run has that a configuration does not. (Old records have "epochs" for the budget.)
SEED, FORMER_BUDGET = "seed", "epochs"


@dataclass(frozen=True)
class Configuration:
    """What is trained, on which machine.

    Args:
        fields: of the run, without the seed, sorted by name.
        machine: as ``records.machine_of`` names it.
    """

    fields: tuple[tuple[str, Any], ...]
    machine: Machine

    def __getitem__(self, name: str) -> Any:
        return dict(self.fields)[name]

    def get(self, name: str, default: Any = None) -> Any:
        """A field, or the default where the records are too old to have it."""
        return dict(self.fields).get(name, default)

    @property
    def network(self) -> str:
        """The network, for people: variant, group and width."""
        return network_label(dict(self.fields))

    @property
    def label(self) -> str:
        """The network, and what was done to it."""
        matched = "" if self["matched"] == "none" else f", matched by {self['matched']}"
        size, budget = self["image_size"], self["budget"]
        return f"{self.network}, {self['dataset']} {size}×{size}, {budget:g} {self['budget_unit']}{matched}"


def network_label(run: Mapping[str, Any]) -> str:
    """Variant, group and channels of a run's fields.

    >>> network_label({"variant": "separable", "group": "SO2xRPlus", "resolution": 8, "scales": 2, "channels": 4})
    'separable SO2xRPlus(4×2) C=4'
    """
    if run["variant"] == "plain":
        return f"plain C={run['channels']}"
    group = group_label(run["group"], run["resolution"], run.get("scales", 1))
    return f"{run['variant']} {group} C={run['channels']}"


def by_configuration(records: Iterable[Record], *, diverged: bool = False) -> dict[Configuration, list[Record]]:
    """The training records that are "ok", in the order of their seeds, one for each seed (the newest).

    Args:
        diverged: also those that diverged, which have epochs, and no test accuracy.
    """
    found: dict[Configuration, dict[int, Record]] = {}
    for record in records:
        if record["kind"] == "training" and (record["status"] == "ok" or (diverged and has_diverged(record))):
            fields = {**FORMER, **(record.get("run") or {})}
            fields.setdefault("budget", fields.pop(FORMER_BUDGET, None))
            if any(fields.get(name) is None for name in NEEDED):
                continue
            seed = fields.pop(SEED)
            key = Configuration(tuple(sorted(fields.items())), machine_of(record))
            found.setdefault(key, {})[seed] = record
    return {key: [runs[seed] for seed in sorted(runs)] for key, runs in found.items()}


def has_diverged(record: Record) -> bool:
    """Whether a run got somewhere and lost it."""
    return record.get("stopped") == "diverged" and bool(record["epochs"])


def by_seed(records: Sequence[Record]) -> dict[int, Record]:
    """Records of one configuration by their seeds, to be paired with those of another."""
    return {record["run"][SEED]: record for record in records}


def seconds_per_epoch(record: Record) -> float:
    """Of training alone, over the whole run."""
    last = record["epochs"][-1]
    return float(last["seconds"]) / int(last["epoch"])


def macs_per_image(record: Record) -> float:
    """Of one forward, kernels not counted."""
    return float(record["macs_per_image"]["convolution"])


def training_peak_bytes(record: Record) -> float | None:
    """The highest peak memory of a training step that was measured; None where none was."""
    peaks = [epoch["peak_bytes"] for epoch in record["epochs"] if epoch.get("peak_bytes") is not None]
    return float(max(peaks)) if peaks else None
