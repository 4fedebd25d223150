"""The advice: which candidates are within a budget, which no other one beats, and which miss the budget by how much."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.answers.candidates import Candidate
from benchmarks.answers.quantities import QUANTITIES, SWEPT, labelled, quantity
from benchmarks.cases.meant import check_fraction
from benchmarks.statistics.written import percentage, some_of

# The most networks that a line names; the others are counted.
MOST_NAMED = 6


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
        if self.min_accuracy is not None:
            check_fraction(self.min_accuracy, "accuracy")

    @property
    def text(self) -> str:
        """The budget in words; empty for a budget without limits."""
        parts = [labelled(name, limit) for name, limit in self.limits.items()]
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
    """Write the line for a budget that no candidate meets: the nearest candidate, and by how much it misses.

    The nearest candidate is the one whose largest miss is the smallest fraction of its limit.
    """
    if not advice.over:
        return f"no network is known to meet {budget.text}"
    nearest = advice.over[0]
    misses = []
    for name, part in budget.excess(nearest).items():
        if name == "accuracy":
            misses.append(f"{nearest.accuracy.mean:.1%} accuracy")
        else:
            setting = f" ({nearest.setting.text})" if name in SWEPT and nearest.setting else ""
            misses.append(f"{labelled(name, nearest.costs[name].mean)}{setting}, {_over(part)}")
    several = len(budget.limits) + (budget.min_accuracy is not None) > 1
    rule = ", by its largest miss in proportion to the limit" if several else ""
    return f"no network meets {budget.text}; nearest{rule}: {nearest.name} with {'; '.join(misses)}"


def over_line(budget: Budget, over: Sequence[Candidate]) -> str:
    """Name the candidates over the budget with what they miss, the nearest first, and count those beyond the most."""
    named = [f"{candidate.name} ({', '.join(_missed(budget, candidate))})" for candidate in over]
    return f"over the budget: {some_of(named, MOST_NAMED)}"


def _missed(budget: Budget, candidate: Candidate) -> list[str]:
    return [
        f"{candidate.accuracy.mean:.1%} accuracy" if name == "accuracy" else labelled(name, candidate.costs[name].mean)
        for name in budget.excess(candidate)
    ]


def _over(part: float) -> str:
    """Write by which fraction a limit is exceeded: `57% over`, and as a multiple where it is more than twice."""
    times = f"{1 + part:,.0f}" if part >= 99 else f"{1 + part:.3g}"
    return f"{times}× the budget" if part > 1 else f"{percentage(part, 0)} over"


def _beats(a: Candidate, b: Candidate, axes: Sequence[str]) -> bool:
    """Return whether a's means are no worse than b's on every axis and in accuracy, and one of them is better."""
    ours, theirs = ([*(c.costs[name].mean for name in axes), -c.accuracy.mean] for c in (a, b))
    return ours != theirs and all(x <= y for x, y in zip(ours, theirs, strict=True))


def _surely_beats(a: Candidate, b: Candidate, axes: Sequence[str]) -> bool:
    """Return whether a costs no more than b, by means, and a's interval of accuracy lies above that of b."""
    cheaper = all(a.costs[name].mean <= b.costs[name].mean for name in axes)
    return cheaper and a.accuracy.low > b.accuracy.high
