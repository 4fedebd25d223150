"""The sentence of ``python -m benchmarks advise`` that says which network to take, and what this rests on."""

from collections import Counter
from collections.abc import Sequence

from benchmarks.answers.advisor import QUANTITIES, Candidate, quantity
from benchmarks.answers.choice_words import choice_words
from benchmarks.statistics.choosing import Choice, choose, compared_accuracies
from benchmarks.statistics.over_seeds import DECIDING_SEEDS
from benchmarks.statistics.written import listing

# The cost by which a network is chosen, where it is known: that of inference, which users pay most often.
PREFERRED = "ms"


def recommendation(within: Sequence[Candidate], axes: Sequence[str]) -> list[str]:
    """Return lines about the network to take among candidates within a budget; none without a cost or a choice.

    It is the cheapest network shown to be within ``MARGIN`` of the most accurate, by tests over seeds. Costs that lead
    to the same choice share a line.

    Args:
        axes: the quantities to be cheap in; all candidates have them.
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
    return [_line(within, choice, costs) for choice, costs in choices.items()]


def deciding_cost(limited: Sequence[str]) -> str:
    """Return the cost by which a network is chosen within a budget: that of inference if it is limited."""
    return PREFERRED if PREFERRED in limited else limited[0]


def _line(within: Sequence[Candidate], choice: Choice, costs: Sequence[str]) -> str:
    described = [_described(candidate, costs) for candidate in within]
    by = f"by {listing([QUANTITIES[name].text for name in costs])}"
    return choice_words(choice, described, [candidate.configuration.network for candidate in within], by)


def _comparable(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return each configuration once, in the setting of inference (batch, threads) that most of them were timed in."""
    settings = Counter(candidate.inference for candidate in candidates).most_common(1)
    chosen = [c for c in candidates if c.inference == settings[0][0]] if settings else []
    return list({c.configuration: c for c in reversed(chosen)}.values())[::-1]


def _described(candidate: Candidate, costs: Sequence[str]) -> str:
    known = [f"{candidate.accuracy.mean:.1%}", *(quantity(name, candidate.costs[name].mean) for name in costs)]
    known += [candidate.inference] if candidate.inference else []
    return f"{candidate.configuration.network} ({', '.join(known)})"
