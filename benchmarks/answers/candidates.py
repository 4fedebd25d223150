"""The trained networks among which a budget chooses, from stored results.

A candidate is a trained configuration with its test accuracy over seeds. The costs of its inference come from a sweep
over networks. They depend on the batch size and the threads, so that an answer takes those of one setting.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from benchmarks.answers.quantities import SWEPT
from benchmarks.cases.case import FORMER_IMAGES, OURS, is_own
from benchmarks.cases.datasets import DATASETS
from benchmarks.records.configurations import (
    Configuration,
    by_configuration,
    macs_per_image,
    network_names,
    seconds_per_epoch,
    training_peak_bytes,
)
from benchmarks.records.costs import interval_of, is_timed
from benchmarks.records.record import Record, machine_of, rounds_of
from benchmarks.statistics.over_seeds import Estimate, estimate
from benchmarks.statistics.written import plural

MIB = 2**20
# The fields that a training run shares with the case of its network's inference.
SHARED = ("variant", "group", "resolution", "scales", "channels", "kernel_size", "image_size", "device")


class Setting(NamedTuple):
    """The batch size and the threads of a timed inference; a GPU's has no threads."""

    batch_size: int
    threads: int | None

    @property
    def text(self) -> str:
        """The setting in words."""
        threads = "" if self.threads is None else f", {plural(self.threads, 'thread')}"
        return f"batch {self.batch_size}{threads}"


@dataclass(frozen=True)
class Inference:
    """The costs of a timed inference, and the kinds of noise that its record names."""

    costs: Mapping[str, Estimate]
    noisy: tuple[str, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """A trained configuration and its costs.

    Args:
        accuracy: test accuracy over seeds, a fraction.
        costs: those of ``QUANTITIES`` that were measured, with intervals; those of inference in one setting alone.
        timed: the inference in each setting in which it was timed.
        setting: the setting whose costs of inference are among ``costs``; None if they have none.
        case: the axes of the case of its network, see ``case_of``.
        by_seed: test accuracy of each seed, a fraction.
        step: smallest possible difference of two accuracies.
        name: a short name of its network.
    """

    configuration: Configuration
    accuracy: Estimate
    costs: Mapping[str, Estimate]
    timed: Mapping[Setting, Inference] = field(default_factory=dict)
    setting: Setting | None = None
    case: Mapping[str, object] = field(default_factory=dict)
    by_seed: Mapping[int, float] = field(default_factory=dict)
    step: float = 0.0
    name: str = ""

    @property
    def noisy(self) -> tuple[str, ...]:
        """The kinds of noise in the time of its inference; empty for a quiet or an unknown one."""
        return self.timed[self.setting].noisy if self.setting else ()

    def in_setting(self, setting: Setting | None) -> "Candidate":
        """Return the candidate with the costs of inference of a setting; without any if it was not timed there."""
        others = {name: cost for name, cost in self.costs.items() if name not in SWEPT}
        if setting is None or setting not in self.timed:
            return replace(self, costs=others, setting=None)
        return replace(self, costs={**others, **self.timed[setting].costs}, setting=setting)


def candidates(records: Iterable[Record]) -> list[Candidate]:
    """Return a candidate for every configuration with a trained seed; its costs are not those of a setting yet."""
    records = list(records)
    inference: dict[tuple[object, ...], list[Record]] = {}
    for record in records:
        if record["kind"] == "cost" and is_timed(record) and _is_inference(record.get("case") or {}):
            inference.setdefault((machine_of(record), *_of_case(record["case"])), []).append(record)
    trained, found = by_configuration(records), []
    names = network_names(trained)
    for key, runs in trained.items():
        step = 1 / runs[0]["data"]["test"]
        accuracy = estimate([run["test_accuracy"] for run in runs], step=step).within(0.0, 1.0)
        usual = key.get("dtype", "float32") == "float32"
        case = case_of(key, runs[0])
        timed = inference.get((key.machine, *_values(case)), []) if usual else []
        settings = {_setting(record): _inference(record) for record in reversed(timed)}
        accuracies = {run["run"]["seed"]: run["test_accuracy"] for run in runs}
        costs = _training_costs(runs)
        found.append(Candidate(key, accuracy, costs, settings, None, case, accuracies, step, names[key]))
    return _once(found)


def _training_costs(runs: Sequence[Record]) -> dict[str, Estimate]:
    """Return the costs that a configuration's training runs have: times over seeds, the highest peak, and counts."""
    costs = {
        "epoch_seconds": estimate([seconds_per_epoch(run) for run in runs]).within(0.0, math.inf),
        "training_seconds": estimate([float(run["epochs"][-1]["seconds"]) for run in runs]).within(0.0, math.inf),
        "macs": _exact(macs_per_image(runs[0])),
        "parameters": _exact(runs[0]["parameters"]),
    }
    peaks = [peak for run in runs if (peak := training_peak_bytes(run)) is not None]
    return costs | ({"training_mib": _exact(max(peaks) / MIB)} if peaks else {})


def _once(found: Iterable[Candidate]) -> list[Candidate]:
    """Return each network once. (A study trains its reference network again for every budget that it matches.)"""
    different: dict[tuple[object, ...], Candidate] = {}
    for candidate in found:
        key = candidate.configuration
        others = tuple(pair for pair in key.fields if pair[0] != "matched")
        different.setdefault((key.machine, others), candidate)
    return list(different.values())


def _exact(value: float) -> Estimate:
    return Estimate(float(value), float(value), float(value), 1)


def case_of(key: Configuration, run: Record) -> dict[str, object]:
    """Return the axes of the case of a configuration's network, whose inference a sweep can measure."""
    network, images = str(key.get("network", "resnet")), DATASETS.get(str(key["dataset"]))
    data = run.get("data") or {}
    known = {"in_channels": images and images.channels, "num_classes": images and images.classes}
    given = {"in_channels": data.get("channels"), "num_classes": data.get("classes")}
    return {
        **{name: key.get(name, 1) for name in SHARED},  # only scales can be missing (old records): 1
        **{name: given[name] or known[name] or value for name, value in FORMER_IMAGES.items()},
        "layer": "network" if is_own(network) else network,
        "implementation": network if is_own(network) else OURS,
    }


def _of_case(case: Mapping[str, object]) -> tuple[object, ...]:
    return _values({"scales": 1, "implementation": OURS, **FORMER_IMAGES, **case})


def _values(case: Mapping[str, object]) -> tuple[object, ...]:
    """Return the values that identify a network; the kernel size of a user's network says nothing."""
    names = (*SHARED, *FORMER_IMAGES, "layer", "implementation")
    own = case.get("layer") == "network"
    return tuple(None if own and name == "kernel_size" else case.get(name) for name in names)


def _is_inference(case: Mapping[str, object]) -> bool:
    """Return whether a case is a network in its usual inference: eager, in float32, with cached kernels."""
    ours = case.get("layer") != "conv"  # peers have layers alone
    usual = case.get("execution") == "eager" and case.get("dtype", "float32") == "float32"
    known = all(case.get(name) is not None for name in ("batch_size", "threads", "device"))
    return ours and usual and known and case.get("direction") == "forward" and case.get("kernels") == "cached"


def _setting(record: Record) -> Setting:
    case = record["case"]
    return Setting(case["batch_size"], case["threads"] if case["device"] == "cpu" else None)


def _inference(record: Record) -> Inference:
    """Return milliseconds per image, the peak memory of a pass if it was measured, and the noise of the times."""
    found, peak = interval_of(record), (record.get("memory") or {}).get("peak_bytes")
    median, low, high = (1e3 / record["case"]["batch_size"] * seconds for seconds in found)
    costs = {"ms": Estimate(median, low, high, len(rounds_of(record)))}
    findings = (record.get("noise") or {}).get("findings") or ()
    noisy = tuple(dict.fromkeys(str(finding["kind"]).replace("_", " ") for finding in findings))
    return Inference(costs | ({} if peak is None else {"mib": _exact(peak / MIB)}), noisy)
