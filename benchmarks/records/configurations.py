"""``Configuration``: what training records have in common if they differ in the seed alone. Needs no torch."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.cases import training_run
from benchmarks.cases.case import is_own, short_hash
from benchmarks.cases.groups import TRIVIAL, group_label
from benchmarks.records.complete import why_incomplete
from benchmarks.records.record import Machine, Record, machine_of, place_of
from benchmarks.records.store import warn_of_all

# Fields that old records lack, with the only value that was possible then.
FORMER: dict[str, Any] = {"scales": 1, "matched": "none", "budget_unit": "epochs", **training_run.FORMER}


@dataclass(frozen=True)
class Configuration:
    """A network, its training and the machine, without a seed."""

    fields: tuple[tuple[str, Any], ...]  # names and values of the run's fields without the seed, sorted by name
    machine: Machine

    def __getitem__(self, name: str) -> Any:
        return dict(self.fields)[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Return a field, or the default if the records are too old to have the field."""
        return dict(self.fields).get(name, default)

    @property
    def kind(self) -> str:
        """A short name of the network and its augmentation without its width: variant and group."""
        network = str(self.get("network", "resnet"))
        name = network if self["variant"] == "custom" else self["variant"]
        if network != "resnet" and name != network:
            name = f"{network} {name}"
        if self["group"] != TRIVIAL:
            name += f" {group_label(self['group'], self['resolution'], self.get('scales', 1))}"
        if self.get("augmentation", "none") != "none":
            name += f" + {self['augmentation']}"
        return name

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits that depend on every field."""
        return short_hash(dict(self.fields))

    def label(self, network: str) -> str:
        """Return a short name of the training of a network with this name."""
        matched = "" if self["matched"] == "none" else f", matched by {self['matched']}"
        size, budget = self["image_size"], self["budget"]
        device = "" if self.get("device", "cpu") == "cpu" else f", {self['device']}"
        few = "" if self.get("train_limit") is None else f", {self['train_limit']} train images"
        images = f"{self['dataset']} {size}×{size}{few}"
        return f"{network}, {images}, {budget:g} {self['budget_unit']}{matched}{device}"


def network_names(found: Collection[Configuration]) -> dict[Configuration, str]:
    """Return a short name of every network: variant, group, augmentation and width C.

    Whether a user's network has a width, records do not say: it has one if it was trained with several on the same
    images.
    """

    def images(key: Configuration) -> tuple[Any, ...]:
        return tuple(key.get(name) for name in ("network", "dataset", "image_size", "limit", "train_limit"))

    widths: dict[tuple[Any, ...], set[int]] = {}
    for key in found:
        widths.setdefault(images(key), set()).add(key["channels"])
    sized = {key for key in found if not is_own(key.get("network")) or len(widths[images(key)]) > 1}
    return {key: f"{key.kind} C={key['channels']}" if key in sized else key.kind for key in found}


def by_configuration(records: Iterable[Record], *, diverged: bool = False) -> dict[Configuration, list[Record]]:
    """Return the newest ok record of each seed, grouped by configuration; with ``diverged`` also diverged runs.

    Warns:
        RecordWarning: for records that lack what answers need, which are left out.
    """
    found: dict[Configuration, dict[int, Record]] = {}
    incomplete = []
    for record in records:
        if record["kind"] == "training" and (record["status"] == "ok" or (diverged and has_diverged(record))):
            if lack := why_incomplete(record):
                incomplete.append(f"{place_of(record)}: left out of the answers: the record has {lack}")
                continue
            given = {name: value for name, value in record["run"].items() if name not in FORMER or value is not None}
            fields = {**FORMER, **given}
            fields.setdefault("budget", fields.pop("epochs", None))  # the name in schema 1
            seed = fields.pop("seed")
            key = Configuration(tuple(sorted(fields.items())), machine_of(record))
            found.setdefault(key, {})[seed] = record
    warn_of_all(incomplete, "records lack what answers need, and are left out")
    return {key: [runs[seed] for seed in sorted(runs)] for key, runs in found.items()}


def has_diverged(record: Record) -> bool:
    """Return whether a run diverged after its first evaluation."""
    return record.get("stopped") == "diverged" and bool(record.get("epochs"))


def by_seed(records: Sequence[Record]) -> dict[int, Record]:
    """Return the records of one configuration by their seeds, to pair them with those of another configuration."""
    return {record["run"]["seed"]: record for record in records}


def seconds_per_epoch(record: Record) -> float:
    """Return the training time of an epoch, without evaluation: the mean over the run."""
    last = record["epochs"][-1]
    return float(last["seconds"]) / int(last["epoch"])


def macs_per_image(record: Record) -> float:
    """Return the MACs of one image's forward, without kernel generation."""
    return float(record["macs_per_image"]["convolution"])


def training_peak_bytes(record: Record) -> float | None:
    """Return the highest measured peak memory of a training step; None if none was measured."""
    peaks = [epoch["peak_bytes"] for epoch in record["epochs"] if epoch.get("peak_bytes") is not None]
    return float(max(peaks)) if peaks else None
