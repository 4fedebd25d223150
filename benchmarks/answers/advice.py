"""The text of ``python -m benchmarks advise``: sentences and tables, and the same for programs."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.answers.advisor import MOST_NAMED, Advice, Budget, known_quantities, nearest_line, over_line
from benchmarks.answers.candidates import Candidate
from benchmarks.answers.quantities import EXACT, OF_RECORD, QUANTITIES, SWEPT, bounds, quantity
from benchmarks.answers.recommendation import deciding_cost, recommendation, short_choices
from benchmarks.answers.text_tables import columns
from benchmarks.cases.case import FORMER_IMAGES
from benchmarks.statistics.written import TOO_FEW, interval, listing, percentage, plural, some_of

# The kinds of contenders that a reader expects beside each other, by variant and by whether the images are augmented.
ALTERNATIVES = {
    ("plain", False): "plain",
    ("plain", True): "plain with augmented images",
    ("averaged", None): "plain, averaged over turned copies",
    ("canonical", None): "a network that turns images upright (canonical)",
    ("separable", False): "separable",
    ("full", False): "full",
}


def advice_lines(advice: Advice, budget: Budget, sweep: str = "--batch-size 1") -> list[str]:
    """Write the advice as lines of text; ``sweep`` has the options of a sweep that times what was not timed."""
    within = [*advice.front, *advice.possible, *advice.beaten]
    lines = [*_noise_lines([*within, *advice.over], advice), *_unknown_lines(advice, budget, sweep)]
    if not within:
        others = [over_line(budget, advice.over[1:])] if len(advice.over) > 1 else []
        return [nearest_line(budget, advice), *others, *lines]
    axes = ", ".join(QUANTITIES[name].text for name in advice.axes)
    if budget.limits or (budget.text and len(within) == 1):
        taken = recommendation(within, deciding_cost(advice.axes), budget.unsure)
    else:
        taken = [*short_choices(within, known_quantities(within)), *_partly_known(within)]
    limited = (
        f"{len(within)} within {budget.text}" if budget.text else f"{plural(len(within), 'network')}, without limits"
    )
    title = f"{limited}; {len(advice.front)} on the front of accuracy against {axes}"
    over = [over_line(budget, advice.over)] if advice.over else []
    lines = [*taken, title, *_table(advice.front, advice, budget), *over, *lines]
    if advice.possible:
        lines += ["", "beaten by the front, but not by a clear difference of accuracy:"]
        lines += _table(advice.possible, advice, budget)
    if advice.beaten:
        lines += ["", f"beaten by a clear difference of accuracy: {_named(advice.beaten)}"]
    if any(budget.unsure(candidate) for candidate in (*advice.front, *advice.possible)):
        lines.append(f"?: its mean is within the budget, but not its whole interval, or {TOO_FEW}")
    return lines


def _noise_lines(judged: Sequence[Candidate], advice: Advice) -> list[str]:
    """Say how many times of inference the records call noisy, and why, if the answer uses such times."""
    noisy = [candidate.noisy for candidate in judged if OF_RECORD in advice.axes and candidate.noisy]
    if not noisy:
        return []
    kinds = Counter(kind for kinds in noisy for kind in kinds)
    why = listing([f"{kind} ({count})" for kind, count in kinds.most_common()])
    n = f"{len(noisy)} of {plural(len(judged), 'network')}"
    return [f"noisy: the records distrust the time of inference of {n}: {why}"]


def _partly_known(within: Sequence[Candidate]) -> list[str]:
    """Say which costs of inference are left out because they are known of some candidates alone."""
    counts = {name: sum(name in candidate.costs for candidate in within) for name in SWEPT}
    return [
        f"left out: {QUANTITIES[name].text}, known of {count} of {len(within)} networks (--max-{name} compares these)"
        for name, count in counts.items()
        if 0 < count < len(within)
    ]


def _unknown_lines(advice: Advice, budget: Budget, sweep: str) -> list[str]:
    lacking = Counter(
        QUANTITIES[name].text for candidate in advice.unknown for name in budget.limits if name not in candidate.costs
    )
    lines = [
        f"{count} {'is not judged: its' if count == 1 else 'are not judged: their'} {text} was not measured"
        for text, count in lacking.items()
    ]
    if lines and any(name in SWEPT for name in budget.limits):
        lines.append(f"  for example: python -m benchmarks sweep {_options(advice.unknown[0])} {sweep}")
    return lines


def uses_inference(advice: Advice, budget: Budget) -> bool:
    """Return whether costs of inference decide the answer."""
    within = [*advice.front, *advice.possible, *advice.beaten]
    known = () if budget.limits else known_quantities(within)
    return any(name in SWEPT for name in (*budget.limits, *advice.axes, *known))


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


def advice_value(remark: str, budget: Budget, advice: Advice, comparable: Sequence[Candidate]) -> dict[str, Any]:
    """Return the advice for programs; accuracies are fractions, and ``QUANTITIES`` has the units of the costs.

    ``comparable`` are all candidates that could be chosen from, without regard to groups and variants asked for.
    """
    sorts = ("front", "possible", "beaten", "over", "unknown")
    return {
        "about": remark,
        "limits": budget.limits,
        "min_accuracy": budget.min_accuracy,
        "decided_by": advice.axes,
        **{name: [_candidate_value(each) for each in getattr(advice, name)] for name in sorts},
        "not_among_the_results": missing_alternatives(comparable),
    }


def _candidate_value(candidate: Candidate) -> dict[str, Any]:
    return {
        "network": candidate.name,
        "run": dict(candidate.configuration.fields),
        "accuracy": candidate.accuracy,
        "costs": candidate.costs,
        "inference": candidate.setting.text if candidate.setting else None,
        "noisy": list(candidate.noisy),
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
    setting = ["inference"] if any(name in SWEPT for name in advice.axes) else []
    header = ("", "test accuracy, % [95 %]", "n", *names, *setting)
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
        cells.append(f"{quantity(name, cost.mean).rsplit(' ', 1)[0]} {bounds(name, cost)}".rstrip())
    if candidate.setting and any(name in SWEPT for name in advice.axes):
        noisy = ", noisy" if OF_RECORD in advice.axes and candidate.noisy else ""
        cells.append(candidate.setting.text + noisy)
    network = f"{'? ' if budget.unsure(candidate) else ''}{candidate.name} {key['image_size']}²"
    return (
        f"{network}, {key['budget']:g} {key['budget_unit']}, lr {key['learning_rate']:g}",
        f"{100 * accuracy.mean:.1f} {interval(100 * accuracy.low, 100 * accuracy.high, '.1f', accuracy.n)}",
        str(accuracy.n),
        *cells,
    )
