"""The choice of networks within a budget, from stored results.

A candidate is a trained configuration with its test accuracy over seeds. A configuration whose inference was timed is
a candidate once for each batch size and number of threads. The costs of inference come from a sweep over networks.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

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
from benchmarks.statistics.written import percentage

MIB = 2**20


@dataclass(frozen=True)
class Quantity:
    """A cost that a budget may limit: its unit, and its name in texts."""

    unit: str
    text: str


QUANTITIES = {
    "ms": Quantity("ms", "time per image of inference"),
    "mib": Quantity("MiB", "peak memory of a pass of inference"),
    "epoch_seconds": Quantity("s/epoch", "training time per epoch"),
    "training_mib": Quantity("MiB", "peak memory of a training step"),
    "macs": Quantity("MACs", "multiply–accumulates per image without those of kernels"),
    "parameters": Quantity("parameters", "learnable numbers"),
}
# Quantities of inference, measured in a sweep over networks. The others are recorded with every training run.
SWEPT = ("ms", "mib")
# Quantities without an interval: counts, and memory, which is measured once.
EXACT = ("mib", "training_mib", "macs", "parameters")
# The fields that a training run shares with the case of its network's inference.
SHARED = ("variant", "group", "resolution", "scales", "channels", "kernel_size", "image_size", "device")


@dataclass(frozen=True)
class Candidate:
    """A trained configuration and its costs.

    Args:
        accuracy: test accuracy over seeds, a fraction.
        costs: those of ``QUANTITIES`` that were measured, with intervals.
        inference: batch size and threads of the timed inference; empty if it was not timed.
        case: the axes of the case of its network, see ``case_of``.
        by_seed: test accuracy of each seed, a fraction.
        step: smallest possible difference of two accuracies.
        name: a short name of its network.
    """

    configuration: Configuration
    accuracy: Estimate
    costs: Mapping[str, Estimate]
    inference: str = ""
    case: Mapping[str, object] = field(default_factory=dict)
    by_seed: Mapping[int, float] = field(default_factory=dict)
    step: float = 0.0
    name: str = ""


@dataclass(frozen=True)
class Budget:
    """Upper limits of quantities, and a lower limit of the test accuracy, which is a fraction.

    Raises:
        ValueError: for limits that no network can meet.
    """

    limits: Mapping[str, float] = field(default_factory=dict)
    min_accuracy: float | None = None

    def __post_init__(self) -> None:
        for name, limit in self.limits.items():
            if not 0 < limit < math.inf:
                raise ValueError(f"limit {quantity(name, limit)} is not allowed; allowed: positive numbers")
        if self.min_accuracy is not None and not 0 < self.min_accuracy <= 1:
            raise ValueError(f"accuracy {self.min_accuracy} is not allowed; allowed: fractions above 0, up to 1")

    @property
    def text(self) -> str:
        """The budget in words; empty for a budget without limits."""
        parts = [quantity(name, limit) for name, limit in self.limits.items()]
        parts += [] if self.min_accuracy is None else [f"{self.min_accuracy:.1%} accuracy or more"]
        return ", ".join(parts)

    def excess(self, candidate: Candidate) -> dict[str, float]:
        """Return the fraction by which each missed limit is missed; raise ``KeyError`` if a limited cost is unknown."""
        parts = {name: candidate.costs[name].mean / limit - 1 for name, limit in self.limits.items()}
        if self.min_accuracy is not None:
            parts["accuracy"] = 1 - candidate.accuracy.mean / self.min_accuracy
        return {name: part for name, part in parts.items() if part > 0}

    def unsure(self, candidate: Candidate) -> bool:
        """Return whether an interval of a candidate reaches beyond the budget."""
        over = any(candidate.costs[name].high > limit for name, limit in self.limits.items())
        return over or (self.min_accuracy is not None and candidate.accuracy.low < self.min_accuracy)


@dataclass(frozen=True)
class Advice:
    """The candidates, sorted by a budget.

    Args:
        front: candidates within the budget that no other one beats when means are compared; the most accurate first.
        possible: candidates that are beaten, but by none that is certainly more accurate and costs no more.
        beaten: the other candidates within the budget.
        over: candidates that exceed the budget or are not accurate enough; the nearest to the budget first.
        unknown: candidates without a measurement of a limited quantity.
        axes: the quantities that decide, besides accuracy, whether a candidate beats another one: the limited ones;
            without limits the first that is known of all candidates, because hardly any network is beaten in all.
    """

    front: Sequence[Candidate]
    possible: Sequence[Candidate]
    beaten: Sequence[Candidate]
    over: Sequence[Candidate]
    unknown: Sequence[Candidate]
    axes: Sequence[str]


def candidates(records: Iterable[Record]) -> list[Candidate]:
    """Return a candidate for every configuration with a trained seed, or for each setting of its timed inference."""
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
        costs = {
            "epoch_seconds": estimate([seconds_per_epoch(run) for run in runs]).within(0.0, math.inf),
            "macs": _exact(macs_per_image(runs[0])),
            "parameters": _exact(runs[0]["parameters"]),
        }
        peaks = [peak for run in runs if (peak := training_peak_bytes(run)) is not None]
        if peaks:
            costs["training_mib"] = _exact(max(peaks) / MIB)
        usual = key.get("dtype", "float32") == "float32"
        case = case_of(key, runs[0])
        timed = inference.get((key.machine, *_values(case)), []) if usual else []
        accuracies = {run["run"]["seed"]: run["test_accuracy"] for run in runs}
        untimed = Candidate(key, accuracy, costs, "", case, accuracies, step, names[key])
        found += [
            replace(untimed, costs=costs | _inference_costs(record), inference=_setting(record)) for record in timed
        ] or [untimed]
    return _once(found)


def advise(found: Sequence[Candidate], budget: Budget) -> Advice:
    """Sort candidates by a budget, and those within the budget by whether another one beats them."""
    known = [candidate for candidate in found if budget.limits.keys() <= candidate.costs.keys()]
    within = sorted((c for c in known if not budget.excess(c)), key=lambda c: -c.accuracy.mean)
    axes = tuple(budget.limits) or known_quantities(within)[:1]
    worse = [c for c in within if any(_beats(other, c, axes) for other in within)]
    beaten = [c for c in worse if any(_surely_beats(other, c, axes) for other in within)]
    return Advice(
        front=[c for c in within if c not in worse],
        possible=[c for c in worse if c not in beaten],
        beaten=beaten,
        over=sorted((c for c in known if budget.excess(c)), key=lambda c: max(budget.excess(c).values())),
        unknown=[c for c in found if c not in known],
        axes=axes,
    )


def known_quantities(within: Sequence[Candidate]) -> tuple[str, ...]:
    """Return the quantities that were measured of all candidates."""
    return tuple(name for name in QUANTITIES if within and all(name in candidate.costs for candidate in within))


def nearest_line(budget: Budget, advice: Advice) -> str:
    """Write the line for a budget that no candidate meets: the nearest candidate, and by how much it misses."""
    if not advice.over:
        return f"no network is known to meet {budget.text}"
    nearest = advice.over[0]
    misses = []
    for name, part in budget.excess(nearest).items():
        if name == "accuracy":
            misses.append(f"{nearest.accuracy.mean:.1%} accuracy")
        else:
            misses.append(f"{quantity(name, nearest.costs[name].mean)}, {percentage(part, 0)} over")
    setting = f" ({nearest.inference})" if nearest.inference else ""
    return f"no network meets {budget.text}; nearest: {nearest.name}{setting} with {'; '.join(misses)}"


def quantity(name: str, value: float) -> str:
    """Write a number with its unit.

    >>> quantity("macs", 12_300_000)
    '12.3M MACs'
    """
    for factor, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if name in ("macs", "parameters") and value >= factor:
            return f"{value / factor:.3g}{prefix} {QUANTITIES[name].unit}"
    return f"{value:.3g} {QUANTITIES[name].unit}"


def _beats(a: Candidate, b: Candidate, axes: Sequence[str]) -> bool:
    """Return whether a's means are no worse than b's on every axis and in accuracy, and one of them is better."""
    ours, theirs = ([*(c.costs[name].mean for name in axes), -c.accuracy.mean] for c in (a, b))
    return ours != theirs and all(x <= y for x, y in zip(ours, theirs, strict=True))


def _surely_beats(a: Candidate, b: Candidate, axes: Sequence[str]) -> bool:
    """Return whether a costs no more than b, by means, and a's interval of accuracy lies above that of b."""
    cheaper = all(a.costs[name].mean <= b.costs[name].mean for name in axes)
    return cheaper and a.accuracy.low > b.accuracy.high


def _once(found: Iterable[Candidate]) -> list[Candidate]:
    """Return each network once. (A study trains its reference network again for every budget that it matches.)"""
    different: dict[tuple[object, ...], Candidate] = {}
    for candidate in found:
        key = candidate.configuration
        others = tuple(pair for pair in key.fields if pair[0] != "matched")
        different.setdefault((key.machine, others, candidate.inference), candidate)
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


def _inference_costs(record: Record) -> dict[str, Estimate]:
    """Return milliseconds per image, and the peak memory of a pass if it was measured."""
    found, peak = interval_of(record), (record.get("memory") or {}).get("peak_bytes")
    median, low, high = (1e3 / record["case"]["batch_size"] * seconds for seconds in found)
    costs = {"ms": Estimate(median, low, high, len(rounds_of(record)))}
    return costs | ({} if peak is None else {"mib": _exact(peak / MIB)})


def _setting(record: Record) -> str:
    batch, threads = record["case"]["batch_size"], record["case"]["threads"]
    on = f", {threads} thread{'s' if threads > 1 else ''}" if record["case"]["device"] == "cpu" else ""
    return f"batch {batch}{on}"
