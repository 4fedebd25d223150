"""Which network to take within a budget, from the results at hand. Pure and without torch: the report asks too.

A candidate is a trained configuration, and one of the ways its inference was timed where it was. Accuracy is of test
images, over seeds. Inference costs what the network of the same case took in a sweep.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.cases.case import OURS
from benchmarks.cases.training_run import DATASETS
from benchmarks.records.configurations import (
    Configuration,
    by_configuration,
    macs_per_image,
    seconds_per_epoch,
    training_peak_bytes,
)
from benchmarks.records.record import Record, machine_of
from benchmarks.statistics.over_seeds import Estimate, estimate

MB = 1e6


@dataclass(frozen=True)
class Quantity:
    """Something that a budget may limit.

    Args:
        unit: behind a number.
        text: what it is, for people.
    """

    unit: str
    text: str


QUANTITIES = {
    "ms": Quantity("ms", "time per image of inference"),
    "mb": Quantity("MB", "peak memory of a pass of inference"),
    "epoch_seconds": Quantity("s/epoch", "training time per epoch"),
    "training_mb": Quantity("MB", "peak memory of a training step"),
    "macs": Quantity("MACs", "multiply–accumulates per image, kernels not counted"),
    "parameters": Quantity("parameters", "learnable numbers"),
}
# These come from a sweep over networks, the others with every training run.
OF_INFERENCE = ("ms", "mb")
# Counted, not timed: no interval. (Memory is measured once.)
EXACT = ("mb", "training_mb", "macs", "parameters")
# What a training run shares with the case that measures its network's inference.
SHARED = ("variant", "group", "resolution", "scales", "channels", "kernel_size", "image_size", "device")
# What the sweep measures: networks for images of one channel and ten classes.
SWEPT_DATASETS = tuple(name for name, images in DATASETS.items() if (images.channels, images.classes) == (1, 10))


@dataclass(frozen=True)
class Candidate:
    """A configuration and what it costs.

    Args:
        configuration: what was trained.
        accuracy: of test images, over seeds.
        costs: of ``QUANTITIES``, those that were measured, with intervals.
        inference: batch and threads of the timed inference; empty where it was not timed.
    """

    configuration: Configuration
    accuracy: Estimate
    costs: Mapping[str, Estimate]
    inference: str = ""


@dataclass(frozen=True)
class Budget:
    """What may be spent, and what must be reached.

    Args:
        limits: the most of each quantity.
        min_accuracy: a fraction.

    Raises:
        ValueError: for an empty budget and values that nothing can keep.
    """

    limits: Mapping[str, float] = field(default_factory=dict)
    min_accuracy: float | None = None

    def __post_init__(self) -> None:
        if not self.limits and self.min_accuracy is None:
            raise ValueError("no budget; allowed: one limit or more, or a least accuracy")
        for name, limit in self.limits.items():
            if not 0 < limit < math.inf:
                raise ValueError(
                    f"a limit of {limit} {QUANTITIES[name].unit} is not allowed; allowed: positive numbers"
                )
        if self.min_accuracy is not None and not 0 < self.min_accuracy <= 1:
            raise ValueError(f"accuracy {self.min_accuracy} is not allowed; allowed: fractions above 0, up to 1")

    @property
    def text(self) -> str:
        """The budget for people."""
        parts = [quantity(name, limit) for name, limit in self.limits.items()]
        parts += [] if self.min_accuracy is None else [f"{self.min_accuracy:.1%} accuracy or more"]
        return ", ".join(parts)

    def excess(self, candidate: Candidate) -> dict[str, float]:
        """By which part each limit is exceeded, and the accuracy missed; empty within the budget.

        Raises:
            KeyError: for a limit on what was not measured.
        """
        parts = {name: candidate.costs[name].mean / limit - 1 for name, limit in self.limits.items()}
        if self.min_accuracy is not None:
            parts["accuracy"] = 1 - candidate.accuracy.mean / self.min_accuracy
        return {name: part for name, part in parts.items() if part > 0}

    def unsure(self, candidate: Candidate) -> bool:
        """Whether an interval of a candidate that keeps within the budget reaches out of it."""
        over = any(candidate.costs[name].high > limit for name, limit in self.limits.items())
        return over or (self.min_accuracy is not None and candidate.accuracy.low < self.min_accuracy)


@dataclass(frozen=True)
class Advice:
    """What keeps within a budget.

    Args:
        front: what nothing beats, by means; the most accurate first.
        possible: what is beaten, but by nothing that is surely more accurate and costs no more.
        beaten: the others within the budget.
        over: what exceeds it, or is not accurate enough, nearest first.
        unknown: what lacks a measurement of something that is limited.
        axes: the costs that the front is about.
    """

    front: Sequence[Candidate]
    possible: Sequence[Candidate]
    beaten: Sequence[Candidate]
    over: Sequence[Candidate]
    unknown: Sequence[Candidate]
    axes: Sequence[str]


def candidates(records: Iterable[Record]) -> list[Candidate]:
    """All configurations of training records with at least one seed, and their inference where it was timed."""
    records = list(records)
    inference: dict[tuple[object, ...], list[Record]] = {}
    for record in records:
        if record["kind"] == "cost" and record["status"] == "ok" and _is_inference(record["case"]):
            inference.setdefault((machine_of(record), *_shared(record["case"])), []).append(record)
    found = []
    for key, runs in by_configuration(records).items():
        step = 1 / runs[0]["data"]["test"]
        accuracy = estimate([run["test_accuracy"] for run in runs], step=step).within(0.0, 1.0)
        costs = {
            "epoch_seconds": estimate([seconds_per_epoch(run) for run in runs]).within(0.0, math.inf),
            "macs": _exact(macs_per_image(runs[0])),
            "parameters": _exact(runs[0]["parameters"]),
        }
        peaks = [peak for run in runs if (peak := training_peak_bytes(run)) is not None]
        if peaks:
            costs["training_mb"] = _exact(max(peaks) / MB)
        timed = inference.get((key.machine, *_shared(dict(key.fields))), []) if _is_swept(key) else []
        found += [Candidate(key, accuracy, costs | _inference_costs(record), _setting(record)) for record in timed]
        if not timed:
            found.append(Candidate(key, accuracy, costs))
    return _once(found)


def advise(found: Sequence[Candidate], budget: Budget) -> Advice:
    """Sort candidates by a budget; those within it by what beats them."""
    known = [candidate for candidate in found if budget.limits.keys() <= candidate.costs.keys()]
    within = [candidate for candidate in known if not budget.excess(candidate)]
    axes = tuple(budget.limits) or tuple(
        name for name in QUANTITIES if within and all(name in candidate.costs for candidate in within)
    )
    groups: dict[str, list[Candidate]] = {"front": [], "possible": [], "beaten": []}
    for candidate in sorted(within, key=lambda candidate: -candidate.accuracy.mean):
        if not any(_beats(other, candidate, axes) for other in within):
            groups["front"].append(candidate)
        elif not any(_surely_beats(other, candidate, axes) for other in within):
            groups["possible"].append(candidate)
        else:
            groups["beaten"].append(candidate)
    over = [candidate for candidate in known if budget.excess(candidate)]
    return Advice(
        **groups,
        over=sorted(over, key=lambda candidate: max(budget.excess(candidate).values())),
        unknown=[candidate for candidate in found if not budget.limits.keys() <= candidate.costs.keys()],
        axes=axes,
    )


def nearest_line(budget: Budget, advice: Advice) -> str:
    """What to say where nothing keeps within the budget: what comes nearest, and by how much it misses."""
    if not advice.over:
        return f"nothing is known to meet {budget.text}"
    nearest = advice.over[0]
    misses = []
    for name, part in budget.excess(nearest).items():
        if name == "accuracy":
            misses.append(f"{nearest.accuracy.mean:.1%} accuracy")
        else:
            misses.append(f"{quantity(name, nearest.costs[name].mean)}, {part:.0%} over")
    setting = f" ({nearest.inference})" if nearest.inference else ""
    return f"nothing meets {budget.text}; nearest: {nearest.configuration.network}{setting} with {'; '.join(misses)}"


def quantity(name: str, value: float) -> str:
    """A number with its unit.

    >>> quantity("macs", 12_300_000)
    '12.3M MACs'
    """
    for factor, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if name in ("macs", "parameters") and value >= factor:
            return f"{value / factor:.3g}{prefix} {QUANTITIES[name].unit}"
    return f"{value:.3g} {QUANTITIES[name].unit}"


def _beats(a: Candidate, b: Candidate, axes: Sequence[str]) -> bool:
    """Whether a is as good as b in everything, by means, and better in something."""
    ours, theirs = ([c.costs[name].mean for name in axes] + [-c.accuracy.mean] for c in (a, b))
    pairs = list(zip(ours, theirs, strict=True))
    return all(x <= y for x, y in pairs) and any(x < y for x, y in pairs)


def _surely_beats(a: Candidate, b: Candidate, axes: Sequence[str]) -> bool:
    cheaper = all(a.costs[name].mean <= b.costs[name].mean for name in axes)
    return cheaper and a.accuracy.low > b.accuracy.high


def _once(found: Iterable[Candidate]) -> list[Candidate]:
    """Without those that differ by the budget they were matched by alone: a study has its reference in every table."""
    different: dict[tuple[object, ...], Candidate] = {}
    for candidate in found:
        key = candidate.configuration
        others = tuple(pair for pair in key.fields if pair[0] != "matched")
        different.setdefault((key.machine, others, candidate.inference), candidate)
    return list(different.values())


def _exact(value: float) -> Estimate:
    return Estimate(float(value), float(value), float(value), 1)


def _shared(fields: Mapping[str, object]) -> tuple[object, ...]:
    return tuple(fields.get(name, 1) for name in SHARED)  # only scales are missing in old records, and were 1


def _is_swept(key: Configuration) -> bool:
    """Whether a sweep measures this network's inference; how wide its kernel nets are, cached kernels do not tell."""
    usual = key.get("network", "resnet") == "resnet" and key.get("dtype", "float32") == "float32"
    return usual and key["dataset"] in SWEPT_DATASETS


def _is_inference(case: Mapping[str, object]) -> bool:
    """Our networks as they are used by default: eager, in float32, with cached kernels."""
    ours = case["layer"] == "resnet" and case.get("implementation", OURS) == OURS
    usual = case["execution"] == "eager" and case.get("dtype", "float32") == "float32"
    return ours and usual and case["direction"] == "forward" and case["kernels"] == "cached"


def _inference_costs(record: Record) -> dict[str, Estimate]:
    seconds, batch = record["seconds"], record["case"]["batch_size"]
    scale = 1e3 / batch
    ms = Estimate(
        scale * seconds["median"],
        scale * seconds["ci_low"],
        scale * seconds["ci_high"],
        len(seconds.get("rounds", "1")),
    )
    memory = record["memory"] or {}
    return {"ms": ms} | ({"mb": _exact(memory["peak_bytes"] / MB)} if "peak_bytes" in memory else {})


def _setting(record: Record) -> str:
    batch, threads = record["case"]["batch_size"], record["case"]["threads"]
    on = f", {threads} thread{'s' if threads > 1 else ''}" if record["case"]["device"] == "cpu" else ""
    return f"batch {batch}{on}"
