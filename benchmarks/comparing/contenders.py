"""The cases of a comparison with what their pairs of processes gave, and what the pairs cost."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.cases.case import Case
from benchmarks.comparing.pairs import SIDES, Taken, log_ratio
from benchmarks.records.outcome import Outcome
from benchmarks.statistics import verdicts
from benchmarks.statistics.sequential import FIRST_LOOK, Look


@dataclass
class Contender:
    """A case and what its pairs of processes gave: logarithms of ratios by pair, and medians in seconds by side."""

    case: Case
    control: bool
    logs: dict[int, float] = field(default_factory=dict)
    seconds: dict[str, list[float]] = field(default_factory=lambda: {side: [] for side in SIDES})
    failures: dict[str, Outcome] = field(default_factory=dict)
    found: Look | None = None
    verdict: str = verdicts.UNDECIDED
    remedy: str = "no pair of processes in the time allowed"
    more: int | None = FIRST_LOOK  # pairs that would decide the case, as things are; None if it takes too many

    @property
    def running(self) -> bool:
        """Whether further pairs measure the case. A control is never decided: it runs along with the cases."""
        return not self.failures and (self.control or self.verdict == verdicts.UNDECIDED)

    @property
    def open(self) -> bool:
        """Whether the case needs further pairs."""
        return self.running and not self.control

    def add(self, taken: Taken, pair: int) -> None:
        """Add what the pair of this number gave: nothing if the turns ended early, because another case failed."""
        self.failures |= taken.failures
        if not taken.failures and taken.enough:
            a, b = (taken.turns[side] for side in SIDES)
            self.logs[pair] = log_ratio(a, b)
            for side in SIDES:
                passes = [one.seconds for turn in taken.turns[side] for one in turn]
                self.seconds[side].append(statistics.median(passes))


@dataclass
class Effort:
    """What a group, or a run, has spent so far: pairs of processes, turns, turns that were undisturbed, seconds."""

    pairs: int = 0
    turns: int = 0
    undisturbed: int = 0
    seconds: float = 0.0

    def add(self, taken: Mapping[int, Taken], seconds: float) -> None:
        """Add a pair of processes."""
        self.pairs += 1
        self.turns += sum(len(one.turns["B"]) for one in taken.values())
        self.undisturbed += sum(one.undisturbed for one in taken.values())
        self.seconds += seconds


def moved_by(group: Sequence[Contender]) -> float:
    """Return the factor by which the controls became slower or faster, at most; 1 if that is not certain of any."""
    factors = [1.0]
    for one in group:
        if one.control and one.found is not None and abs(one.found.change) > one.found.reach:
            factors.append(math.exp(abs(one.found.change) + one.found.reach))
    return max(factors)


def bounds(found: Look) -> tuple[float, float]:
    """Return the bounds of the interval of the ratio B / A."""
    if math.isinf(found.reach):
        return 0.0, math.inf
    return math.exp(found.change - found.reach), math.exp(min(found.change + found.reach, 700.0))
