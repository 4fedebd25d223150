"""The sentence of ``python -m benchmarks advise`` that says which network to take, and what this rests on."""

from collections import Counter
from collections.abc import Sequence

from benchmarks.answers.advisor import QUANTITIES, Candidate, quantity
from benchmarks.statistics.choosing import MARGIN_WORDS, choose, compared_accuracies
from benchmarks.statistics.over_seeds import DECIDING_SEEDS

# The cost by which a network is chosen, where it is known: that of inference, which users pay most often.
PREFERRED = "ms"


def recommendation(within: Sequence[Candidate], axes: Sequence[str]) -> list[str]:
    """Return a line about the network to take among candidates within a budget; none without a cost or a choice.

    It is the cheapest network shown to be within ``MARGIN`` of the most accurate, by tests over seeds.

    Args:
        axes: the quantities that decide; all candidates have them.
    """
    within = _comparable(within)
    if len(within) < 2 or not axes:
        return []
    axis = PREFERRED if PREFERRED in axes else axes[0]
    accuracies = compared_accuracies([c.by_seed for c in within], step=max(c.step for c in within))
    choice = choose(accuracies, [candidate.costs[axis].mean for candidate in within])
    if choice is None:
        return []
    best, chosen = within[choice.most_accurate], within[choice.chosen]
    if accuracies.seeds < DECIDING_SEEDS:
        return [f"too few seeds to tell accuracies apart; the highest: {_described(best, axis)}"]
    if choice.chosen == choice.most_accurate:
        none = "none is cheaper" if choice.cheapest else f"none cheaper is shown to be within {MARGIN_WORDS} of it"
        line = f"take {_described(best, axis)}, the most accurate; {none}"
    else:
        line = (
            f"take {_described(chosen, axis)}, the cheapest by {QUANTITIES[axis].text} that is shown to be within "
            f"{MARGIN_WORDS} of the most accurate, {_described(best, axis)}"
        )
    undecided = ", ".join(within[i].configuration.network for i in choice.undecided)
    return [line, *([f"the seeds do not decide whether these cheaper ones are: {undecided}"] if undecided else [])]


def _comparable(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return each configuration once, in the setting of inference (batch, threads) that most of them were timed in."""
    settings = Counter(candidate.inference for candidate in candidates).most_common(1)
    chosen = [c for c in candidates if c.inference == settings[0][0]] if settings else []
    return list({c.configuration: c for c in reversed(chosen)}.values())[::-1]


def _described(candidate: Candidate, axis: str) -> str:
    setting = f", {candidate.inference}" if candidate.inference else ""
    cost = quantity(axis, candidate.costs[axis].mean)
    return f"{candidate.configuration.network} ({candidate.accuracy.mean:.1%}, {cost}{setting})"
