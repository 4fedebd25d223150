"""The sentence of ``python -m benchmarks advise`` that says which network to take, and what this rests on."""

import math
from collections import Counter
from collections.abc import Callable, Sequence

from benchmarks.answers.advisor import EXACT, QUANTITIES, Candidate, quantity
from benchmarks.answers.choice_words import choice_words
from benchmarks.statistics.choosing import Choice, choose, compared_accuracies
from benchmarks.statistics.intervals import Interval, ratio
from benchmarks.statistics.over_seeds import DECIDING_SEEDS, Estimate
from benchmarks.statistics.written import FEWEST, TOO_FEW, interval, listing

# The cost by which a network is chosen, where it is known: that of inference, which users pay most often.
PREFERRED = "ms"


def recommendation(
    within: Sequence[Candidate], axes: Sequence[str], unsure: Callable[[Candidate], bool] = lambda candidate: False
) -> list[str]:
    """Return lines about the network to take among candidates within a budget; none without a cost or a choice.

    It is the cheapest network shown to be within ``MARGIN`` of the most accurate, by tests over seeds. Costs that lead
    to the same choice share a line.

    Args:
        axes: the quantities to be cheap in; all candidates have them.
        unsure: whether an interval of a candidate reaches beyond the budget, which the lines then say.
    """
    within = _comparable(within)
    if len(within) < 2:
        return []
    accuracies = compared_accuracies([c.by_seed for c in within], step=max(c.step for c in within))
    choices: dict[Choice, list[str]] = {}
    for axis in axes:
        choice = choose(accuracies, [candidate.costs[axis].mean for candidate in within])
        if choice is not None:
            choices.setdefault(choice, []).append(axis)
    if choices and accuracies.seeds < DECIDING_SEEDS:
        choice, costs = next(iter(choices.items()))
        best = _described(within[choice.most_accurate], costs[:1])
        return [f"too few seeds to tell accuracies apart; the highest: {best}"]
    lines = []
    for choice, costs in choices.items():
        chosen = within[choice.chosen]
        beyond = f". A 95 % interval of {chosen.name} reaches beyond the budget"
        lines.append(_line(within, choice, costs) + (beyond if unsure(chosen) else ""))
    return lines


def deciding_cost(limited: Sequence[str]) -> str:
    """Return the cost by which a network is chosen within a budget: that of inference if it is limited."""
    return PREFERRED if PREFERRED in limited else limited[0]


def _line(within: Sequence[Candidate], choice: Choice, costs: Sequence[str]) -> str:
    described = [_described(candidate, costs) for candidate in within]
    by = f"by {listing([QUANTITIES[name].text for name in costs])}"
    names, times = [candidate.name for candidate in within], ""
    if len(costs) == 1:
        times = _times(within[choice.most_accurate].costs[costs[0]], within[choice.chosen].costs[costs[0]])
    return choice_words(choice, described, names, by, times)


def _times(dear: Estimate, cheap: Estimate) -> str:
    """Return a cost as a multiple of another, with its interval: `2.81× [2.60, 3.02]`; counts have none."""
    if min(dear.mean, cheap.mean) <= 0:
        return ""
    times = f"{dear.mean / cheap.mean:.3g}×"
    if dear == cheap or (dear.low == dear.high and cheap.low == cheap.high):
        return times  # of counts, and of networks that share a record because they differ in augmentation alone
    if min(dear.low, cheap.low) <= 0 or not math.isfinite(dear.high + cheap.high):
        return f"{times} ({TOO_FEW})"
    found = ratio(*(Interval(each.mean, each.low, each.high) for each in (dear, cheap)))
    return f"{times} {interval(found.low, found.high, '.3g', min(dear.n, cheap.n))}"


def _comparable(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return each configuration once, in the setting of inference (batch, threads) that most of them were timed in."""
    settings = Counter(candidate.inference for candidate in candidates).most_common(1)
    chosen = [c for c in candidates if c.inference == settings[0][0]] if settings else []
    return list({c.configuration: c for c in reversed(chosen)}.values())[::-1]


def _described(candidate: Candidate, costs: Sequence[str]) -> str:
    known = [f"{candidate.accuracy.mean:.1%}", *(_cost(name, candidate.costs[name], costs) for name in costs)]
    known += [candidate.inference] if candidate.inference else []
    return f"{candidate.name} ({', '.join(known)})"


def _cost(name: str, cost: Estimate, costs: Sequence[str]) -> str:
    """Write a cost, with its interval where it has one and is the only one of `costs`: `3 [2.9, 3.1] ms`."""
    value, unit = quantity(name, cost.mean).split(" ", 1)
    if len(costs) > 1 or name in EXACT or cost.n < FEWEST or not math.isfinite(cost.high - cost.low):
        return f"{value} {unit}"
    return f"{value} {interval(cost.low, cost.high, '.3g')} {unit}"
