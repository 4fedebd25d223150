"""The text of ``python -m benchmarks advise``: which results may be compared, and the advice as tables."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.answers.advisor import (
    EXACT,
    QUANTITIES,
    SWEPT,
    Advice,
    Budget,
    Candidate,
    known_quantities,
    nearest_line,
    quantity,
)
from benchmarks.answers.recommendation import deciding_cost, recommendation
from benchmarks.answers.text_tables import columns
from benchmarks.cases.case import FORMER_IMAGES, InvalidCase
from benchmarks.cases.meant import remedy
from benchmarks.records.record import Machine, machine_text
from benchmarks.statistics.written import TOO_FEW, interval, percentage, some_of

# The kinds of contenders that a reader expects beside each other, by variant and by whether the images are augmented.
ALTERNATIVES = {
    ("plain", False): "plain",
    ("plain", True): "plain with augmented images",
    ("averaged", None): "plain, averaged over turned copies",
    ("canonical", None): "a network that turns images upright (canonical)",
    ("separable", False): "separable",
    ("full", False): "full",
}

# The most networks that are named as clearly beaten.
MOST_NAMED = 6


def choose(
    found: Sequence[Candidate], device: str, dataset: str | None, train_limit: int | None = None
) -> tuple[list[Candidate], str]:
    """Return candidates whose accuracies and times may be compared, and a line that describes them.

    They are the largest group that shares the device, the data set with the choice of its images, and the machine;
    with ``train_limit`` the largest of those trained on so many images, not on fewer.

    Raises:
        InvalidCase: when no candidate is left, or when there are several data sets and ``dataset`` is None.
    """
    here = [candidate for candidate in found if candidate.configuration["device"] == device]
    datasets = sorted({str(candidate.configuration["dataset"]) for candidate in here})
    if not datasets:
        devices = sorted({str(candidate.configuration["device"]) for candidate in found})
        there = remedy(device, devices) if devices else "see python -m benchmarks train"
        raise InvalidCase(f"the results have no network trained on device {device!r}; {there}")
    if dataset is None and len(datasets) > 1:
        raise InvalidCase(f"the results are for several data sets; give --dataset, allowed: {', '.join(datasets)}")
    dataset = dataset or datasets[0]
    if dataset not in datasets:
        raise InvalidCase(f"no results for dataset {dataset!r}; {remedy(dataset, datasets)}")
    groups: dict[tuple[Machine, *tuple[Any, ...]], list[Candidate]] = {}
    for candidate in here:
        key = candidate.configuration
        if key["dataset"] == dataset:
            images_of = (key.get("limit"), key.get("train_limit"), key.get("data_seed", 0))
            groups.setdefault((key.machine, *images_of), []).append(candidate)
    sizes = sorted({group[2] for group in groups if group[2] is not None})
    if train_limit is not None:
        groups = {group: of for group, of in groups.items() if group[2] == train_limit}
        if not groups:
            there = ", ".join(map(str, sizes)) or "none, because all networks were trained on all images"
            raise InvalidCase(f"no results for --train-limit {train_limit}; allowed: {there}")

    def size(group: tuple[Machine, *tuple[Any, ...]]) -> tuple[int, float]:
        return len(groups[group]), math.inf if group[2] is None else group[2]  # of equal groups, the most train images

    chosen = max(groups, key=size)
    (machine, limit, train_limit, _), most = chosen, groups[chosen]
    others = sum(candidate.configuration["dataset"] == dataset for candidate in here) - len(most)
    asked = [str(size) for size in sizes if size != train_limit]
    choices = f" (--train-limit {', '.join(asked)}: those with so many train images)" if asked else ""
    limits = [] if limit is None else [f"at most {limit} images in each part"]
    limits += [] if train_limit is None else [f"{train_limit} train images"]
    images = f" ({', '.join(limits)})" if limits else ""
    remark = f"{len(most)} configurations on {dataset}{images}, {machine_text(machine)}"
    return most, remark + (f"; {others} on other machines or images are left out{choices}" if others else "")


def advice_lines(advice: Advice, budget: Budget) -> list[str]:
    """Write the advice as lines of text."""
    within = [*advice.front, *advice.possible, *advice.beaten]
    lines = _unknown_lines(advice, budget)
    if not within:
        return [nearest_line(budget, advice), *lines]
    axes = ", ".join(QUANTITIES[name].text for name in advice.axes)
    deciding = [deciding_cost(advice.axes)] if budget.limits else known_quantities(within)
    taken = recommendation(within, deciding, budget.unsure)
    limited = f"within {budget.text}" if budget.text else "networks, without limits"
    title = f"{len(within)} {limited}; {len(advice.front)} on the front of accuracy against {axes}"
    lines = [*taken, title, *_table(advice.front, advice, budget), *lines]
    if advice.possible:
        lines += ["", "beaten by the front, but not by a clear difference of accuracy:"]
        lines += _table(advice.possible, advice, budget)
    if advice.beaten:
        lines += ["", f"beaten by a clear difference of accuracy: {_named(advice.beaten)}"]
    if any(budget.unsure(candidate) for candidate in (*advice.front, *advice.possible)):
        lines.append(f"?: its mean is within the budget, but not its whole interval, or {TOO_FEW}")
    return lines


def _unknown_lines(advice: Advice, budget: Budget) -> list[str]:
    lacking = Counter(
        QUANTITIES[name].text for candidate in advice.unknown for name in budget.limits if name not in candidate.costs
    )
    lines = [f"{count} are not judged: their {text} was not measured" for text, count in lacking.items()]
    if lines and any(name in SWEPT for name in budget.limits):
        lines.append(f"  for example: python -m benchmarks sweep {_options(advice.unknown[0])} --batch-size 1")
    return lines


def _options(candidate: Candidate) -> str:
    """Write the options of a sweep that times the inference of a network."""
    case = candidate.case
    if case["layer"] == "network":
        own = f"--layer resnet --variant plain --network {case['implementation']}"
        names = ["channels", "image_size", *FORMER_IMAGES]
    else:
        own = f"--layer {case['layer']}"
        names = ["variant", "group", "resolution", "scales", "channels", "image_size", "kernel_size", *FORMER_IMAGES]
    return " ".join([own, *(f"--{name.replace('_', '-')} {case[name]}" for name in names)])


def advice_value(remark: str, budget: Budget, advice: Advice) -> dict[str, Any]:
    """Return the advice for programs; accuracies are fractions, and ``QUANTITIES`` has the units of the costs."""
    sorts = ("front", "possible", "beaten", "over", "unknown")
    return {
        "about": remark,
        "limits": budget.limits,
        "min_accuracy": budget.min_accuracy,
        "decided_by": advice.axes,
        **{name: [_candidate_value(each) for each in getattr(advice, name)] for name in sorts},
        "not_among_the_results": missing_alternatives([each for name in sorts for each in getattr(advice, name)]),
    }


def _candidate_value(candidate: Candidate) -> dict[str, Any]:
    return {
        "network": candidate.name,
        "run": dict(candidate.configuration.fields),
        "accuracy": candidate.accuracy,
        "costs": candidate.costs,
        "inference": candidate.inference or None,
    }


def missing_alternatives(found: Iterable[Candidate]) -> list[str]:
    """Return the kinds of contenders that none of some candidates is."""
    kinds = {(c.configuration["variant"], c.configuration.get("augmentation", "none") != "none") for c in found}
    there = kinds | {(variant, None) for variant, _ in kinds}
    return [text for kind, text in ALTERNATIVES.items() if kind not in there]


def alternatives_lines(found: Sequence[Candidate]) -> list[str]:
    """Say which kinds of contenders are not among the candidates, among which the advice does not choose."""
    missing = missing_alternatives(found)
    return [f"not among these results: {'; '.join(missing)}"] if missing else []


def _table(rows: Sequence[Candidate], advice: Advice, budget: Budget) -> list[str]:
    texts = [name.replace("_", " ").replace("mib", "MiB") for name in advice.axes]
    names = [text + ("" if name in EXACT else " [95 %]") for name, text in zip(advice.axes, texts, strict=True)]
    header = ("", "test accuracy, % [95 %]", "n", *names, "inference")
    return columns([header, *(_row(candidate, advice, budget) for candidate in rows)])


def _named(candidates: Sequence[Candidate]) -> str:
    """Name the most accurate candidates, at most ``MOST_NAMED``, and count the others."""
    best = sorted(candidates, key=lambda candidate: -candidate.accuracy.mean)
    return some_of([f"{candidate.name} ({percentage(candidate.accuracy.mean)})" for candidate in best], MOST_NAMED)


def _row(candidate: Candidate, advice: Advice, budget: Budget) -> tuple[str, ...]:
    accuracy, key = candidate.accuracy, candidate.configuration
    cells = []
    for name in advice.axes:
        cost = candidate.costs[name]
        bounds = "" if name in EXACT else f" {interval(cost.low, cost.high, '.3g', cost.n)}"
        cells.append(quantity(name, cost.mean).rsplit(" ", 1)[0] + bounds)
    network = f"{'? ' if budget.unsure(candidate) else ''}{candidate.name} {key['image_size']}²"
    return (
        f"{network}, {key['budget']:g} {key['budget_unit']}, lr {key['learning_rate']:g}",
        f"{100 * accuracy.mean:.1f} {interval(100 * accuracy.low, 100 * accuracy.high, '.1f', accuracy.n)}",
        str(accuracy.n),
        *cells,
        candidate.inference or "not timed",
    )
