"""The sentences of ``python -m benchmarks advise`` that say which network to take, and what this rests on."""

import math
from collections.abc import Callable, Sequence

from benchmarks.answers.candidates import Candidate
from benchmarks.answers.choice_words import choice_words
from benchmarks.answers.quantities import EXACT, OF_RECORD, QUANTITIES, SWEPT, bounds, quantity
from benchmarks.statistics.choosing import MARGIN_WORDS, Accuracies, choose, compared_accuracies
from benchmarks.statistics.intervals import Interval, ratio
from benchmarks.statistics.over_seeds import DECIDING_SEEDS, Estimate
from benchmarks.statistics.written import FEWEST, TOO_FEW, interval, listing

# The cost by which a network is chosen, where it is known: that of inference, which users pay most often.
PREFERRED = "ms"


def recommendation(
    within: Sequence[Candidate], axis: str, unsure: Callable[[Candidate], bool] = lambda candidate: False
) -> list[str]:
    """Return the line about the network to take among candidates within a budget; none without a candidate.

    It is the cheapest network shown to be within ``MARGIN`` of the most accurate, by tests over seeds.

    Args:
        axis: the quantity to be cheap in; all candidates have it.
        unsure: whether an interval of a candidate reaches beyond the budget, which the line then says.
    """
    accuracies = _accuracies(within)
    found = choose(accuracies, [candidate.costs[axis].mean for candidate in within])
    if found is None:
        return []
    chosen, best = within[found.chosen], within[found.most_accurate]
    described = [_described(candidate, axis) for candidate in within]
    beyond = f". A 95 % interval of {chosen.name} reaches beyond the budget" if unsure(chosen) else ""
    if len(within) == 1:
        return [f"only {described[0]} is within the budget{beyond}"]
    if accuracies.seeds < DECIDING_SEEDS:
        return [_too_few(described[found.most_accurate])]
    names = [candidate.name for candidate in within]
    times = _times(best.costs[axis], chosen.costs[axis], axis)
    return [choice_words(found, described, names, f"by {QUANTITIES[axis].text}", times) + beyond]


def short_choices(within: Sequence[Candidate], axes: Sequence[str]) -> list[str]:
    """Return a line for each network that is the one to take by some of the costs, without a budget.

    Args:
        axes: the quantities to be cheap in; all candidates have them.
    """
    accuracies = _accuracies(within)
    found = {axis: choose(accuracies, [candidate.costs[axis].mean for candidate in within]) for axis in axes}
    choices = {axis: choice for axis, choice in found.items() if choice is not None}
    if not choices:
        return []
    best = within[next(iter(choices.values())).most_accurate]
    most = f"{best.name} ({best.accuracy.mean:.1%})"
    if len(within) == 1:
        return [f"the only network is {most}"]
    if accuracies.seeds < DECIDING_SEEDS:
        return [_too_few(most)]
    by_network: dict[int, list[str]] = {}
    for axis, choice in choices.items():
        by_network.setdefault(choice.chosen, []).append(axis)
    costs = {i: [f"{QUANTITIES[axis].short} ({_cost(within[i], axis)})" for axis in of] for i, of in by_network.items()}
    if all(within[i] == best for i in costs):
        lines = [
            f"take {most}, which has the highest mean accuracy; no network is shown to be within {MARGIN_WORDS} of it "
            f"and cheaper by any of these costs: {listing(next(iter(costs.values())))}"
        ]
    else:
        lines = [
            f"{most} has the highest mean accuracy; of it and the networks shown to be within {MARGIN_WORDS} of it:",
            *(
                f"take {within[i].name} ({within[i].accuracy.mean:.1%}) for the least {_either(parts)}"
                for i, parts in costs.items()
            ),
        ]
    open_ = dict.fromkeys(within[i].name for choice in choices.values() for i in choice.undecided)
    if open_:
        be = "this cheaper network is" if len(open_) == 1 else "these cheaper networks are"
        lines.append(f"the seeds do not decide whether {be} within {MARGIN_WORDS} too: {listing([*open_])}")
    return lines


def deciding_cost(limited: Sequence[str]) -> str:
    """Return the cost by which a network is chosen within a budget: that of inference if it is limited."""
    return PREFERRED if PREFERRED in limited else limited[0]


def _accuracies(within: Sequence[Candidate]) -> Accuracies:
    return compared_accuracies([c.by_seed for c in within], step=max((c.step for c in within), default=0.0))


def _too_few(best: str) -> str:
    return f"too few seeds to tell accuracies apart; the highest: {best}"


def _either(parts: Sequence[str]) -> str:
    """Join words by commas and a last "or"."""
    return " or ".join(part for part in (", ".join(parts[:-1]), parts[-1]) if part)


def _times(dear: Estimate, cheap: Estimate, axis: str) -> str:
    """Return a cost as a multiple of another, with its interval: `2.81× [2.60, 3.02]`; counts have none."""
    if min(dear.mean, cheap.mean) <= 0:
        return ""
    times = f"{dear.mean / cheap.mean:.3g}×"
    if dear == cheap or (dear.low == dear.high and cheap.low == cheap.high):
        return times  # of counts, and of networks that share a record because they differ in augmentation alone
    if min(dear.low, cheap.low) <= 0 or not math.isfinite(dear.high + cheap.high):
        return f"{times} ({TOO_FEW})"
    found = ratio(*(Interval(each.mean, each.low, each.high) for each in (dear, cheap)))
    n = None if axis == OF_RECORD else min(dear.n, cheap.n)
    return f"{times} {interval(found.low, found.high, '.3g', n)}"


def _described(candidate: Candidate, axis: str) -> str:
    return f"{candidate.name} ({candidate.accuracy.mean:.1%}, {_cost(candidate, axis)})"


def _cost(candidate: Candidate, axis: str) -> str:
    """Write a cost with its interval, its noise, and for inference its setting: `3 [2, 4] ms, batch 1, 1 thread`."""
    cost = candidate.costs[axis]
    value, unit = quantity(axis, cost.mean).split(" ", 1)
    known = axis not in EXACT and (axis == OF_RECORD or cost.n >= FEWEST) and math.isfinite(cost.high - cost.low)
    parts = [f"{value} {bounds(axis, cost)} {unit}" if known else f"{value} {unit}"]
    parts += ["noisy"] if axis == OF_RECORD and candidate.noisy else []
    return ", ".join([*parts, *([candidate.setting.text] if axis in SWEPT and candidate.setting else [])])
