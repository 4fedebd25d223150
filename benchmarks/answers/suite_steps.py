"""The steps in the results of a suite: which benchmarks of a run are slower than before, and whether the machine moved.

The gate and the report's history judge by this rule alone, so they cannot contradict each other.
"""

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

from benchmarks.records.known_changes import NOTHING_KNOWN, Ignored, Known, Threshold
from benchmarks.records.suite_names import is_control, point_of
from benchmarks.records.suite_results import Commit, fastest
from benchmarks.statistics.regression import Result, comparable, has_regressed, ratio_of_medians
from benchmarks.statistics.steps import FEWEST_RESULTS, LEAST_FACTOR, MOST_RESULTS, present_level, threshold
from benchmarks.statistics.verdicts import FINE, NOT_COMPARED, REGRESSED, UNDECIDED
from benchmarks.statistics.written import number, plural

# The unit of a quantity in asv's results and in those of pytest-benchmark, and the factor with which it is printed.
UNITS = {
    "time": (" ms", 1e3),
    "peak_bytes": (" MiB", 2**-20),
    "macs": (" M MACs", 1e-6),
    "parameters": (" parameters", 1),
}


@dataclass(frozen=True)
class Compared:
    """A new result of a benchmark, the earlier one that it is compared with, and the factor that a step exceeds."""

    name: str
    old: Result
    new: Result
    factor: float
    runs: int  # number of earlier results on the present level
    threshold: Threshold | None = None  # what is known of the benchmark
    ignored: Ignored | None = None  # why a step of this run is intended

    @property
    def control(self) -> bool:
        return is_control(self.name)

    @property
    def quantity(self) -> str:
        return str(point_of(self.name)["quantity"])

    @property
    def ratio(self) -> float:
        return ratio_of_medians(self.old, self.new)

    @property
    def slower(self) -> bool:
        return has_regressed(self.old, self.new, self.factor)

    @property
    def moved(self) -> bool:
        """Whether the result is a step up or down."""
        return self.slower or has_regressed(self.new, self.old, self.factor)

    @property
    def _values(self) -> str:
        """Both values with their unit; times are in ms, except for those of a second or more."""
        old, new = self.old.value or 0.0, self.new.value or 0.0
        unit, factor = UNITS.get(self.quantity, ("", 1.0))
        if self.quantity == "time" and min(old, new) >= 1:
            unit, factor = " s", 1.0
        return f"{factor * old:.4g} → {factor * new:.4g}{unit}"

    @property
    def line(self) -> str:
        values = f"{self._values}, × {number(self.ratio, '.3g')}"
        known = "".join(f"; {entry.reason}" for entry in (self.threshold, self.ignored) if entry)
        return f"{self.name}: {values}; a step is × {self.factor:.3g} ({plural(self.runs, 'earlier result')}){known}"


@dataclass(frozen=True)
class Steps:
    """The benchmarks of a run that have an earlier result on the same machine, and which of them made a step.

    A benchmark is slower when its median exceeds that of its present level by more than a step (``statistics.steps``),
    and its lower quartile exceeds the level's upper quartile. An interval of the median would be too narrow, because
    the next process may run at another speed on a shared host. One slow process among several does not move the lower
    quartile.

    If a plain convolution, whose code is torch's, made a step up or down, then the machine did: no time is called
    regressed, and the run is undecided. The same holds if times were compared and no plain convolution was, because
    nothing shows then what the machine did. Quantities that are counted are judged all the same.
    """

    compared: tuple[Compared, ...]

    @property
    def moved(self) -> list[Compared]:
        """The plain convolutions that made a step up or down."""
        return [one for one in self.compared if one.control and one.moved]

    @property
    def uncontrolled(self) -> bool:
        """Whether times were compared, and no plain convolution among them shows what the machine did."""
        times = [one for one in self.compared if one.quantity == "time"]
        return bool(times) and not any(one.control for one in times)

    @property
    def doubtful(self) -> list[Compared]:
        """The slower times of a run in which the machine moved, or may have moved unseen."""
        slower = [one for one in self.compared if one.slower and one.quantity == "time"]
        return slower if self.moved or self.uncontrolled else []

    @property
    def ignored(self) -> list[Compared]:
        """The slower benchmarks whose step is intended, although the machine did not move."""
        doubtful = self.doubtful
        return [one for one in self.compared if one.slower and one.ignored and one not in doubtful]

    @property
    def regressed(self) -> list[Compared]:
        doubtful = self.doubtful
        return [one for one in self.compared if one.slower and not one.ignored and one not in doubtful]

    @property
    def word(self) -> str:
        if not self.compared:
            return NOT_COMPARED
        return REGRESSED if self.regressed else UNDECIDED if self.moved or self.uncontrolled else FINE


def steps_of(run: Commit, history: Sequence[Commit], factor: float, known: Known = NOTHING_KNOWN) -> Steps:
    """Compare the results of a run with those of the earlier runs on the same machine, the oldest first.

    Args:
        run, history: results by the names of the benchmarks.
        factor: the step of a benchmark whose present level has few results.
        known: thresholds of benchmarks, and commits with intended steps, at which a new level begins.
    """
    measured = sorted(name for name, result in run.results.items() if result.measured)
    return Steps(tuple(_compared(run, measured, history, factor, known)))


def earlier(commit: Commit, commits: Sequence[Commit]) -> list[Commit]:
    """Return those of ``commits``, oldest first, that come before a commit and are of the same machine."""
    first = next((n for n, other in enumerate(commits) if other.hash == commit.hash), len(commits))
    return [one for one in commits[:first] if one.place == commit.place]


def judged_runs(runs: Sequence[Commit], factor: float, known: Known = NOTHING_KNOWN) -> list[tuple[Commit, Steps]]:
    """Return the runs of pytest-benchmark, given oldest first, each with its steps.

    ``nox -s bench`` repeats a run that is regressed or undecided, and judges the faster of both results. Therefore such
    a run and the next one on the same machine are one run here if both are of one commit.
    """
    history: dict[str, list[Commit]] = {}
    to_repeat: dict[str, tuple[int, Commit]] = {}  # of each machine
    judged: dict[int, tuple[Commit, Steps]] = {}
    for n, run in enumerate(runs):
        before = history.setdefault(run.place, [])
        place, first = to_repeat.pop(run.place, (n, None))
        if first is not None and first.hash == run.hash:
            both = replace(first, results=fastest([first.results, run.results]))
            judged[place] = both, steps_of(both, before[:-1], factor, known)
        else:
            steps = steps_of(run, before, factor, known)
            judged[n] = run, steps
            failed = any(result.value is None for result in run.results.values())
            if steps.word in (REGRESSED, UNDECIDED) and not failed:
                to_repeat[run.place] = n, run
        before.append(run)
    return list(judged.values())


def _compared(
    run: Commit, measured: Sequence[str], history: Sequence[Commit], factor: float, known: Known
) -> Iterator[Compared]:
    """Yield the benchmarks with an earlier result, each with the factor that follows from its own past."""
    after = run.results
    levels: dict[str, list[Result]] = {}
    for name in measured:
        since = max((n for n, one in enumerate(history) if known.ignores(one.hash, name)), default=0)
        results = (one.results.get(name) for one in history[since:])
        same = [result for result in results if result and comparable(name, result, after[name])][-MOST_RESULTS:]
        if same:
            positive = all(result.value for result in same)
            levels[name] = same[-len(present_level(_logs(same))) :] if positive else same[-1:]
    # The levels with enough results, whose spread is known.
    logs = {name: _logs(level) for name, level in levels.items() if len(level) >= FEWEST_RESULTS}
    common = _common_spreads(logs)
    for name, level in levels.items():
        own = known.threshold(name)
        entries = own, known.ignores(run.hash, name)
        least = 1 + own.at_least if own else LEAST_FACTOR
        if name in logs:
            step = threshold(logs[name], common[point_of(name)["quantity"]], least)
            yield Compared(name, _middle(level), after[name], step, len(level), *entries)
        else:
            yield Compared(name, level[-1], after[name], max(factor, least) if own else factor, len(level), *entries)


def _logs(level: Sequence[Result]) -> list[float]:
    """Return the logarithms of results other than 0."""
    return [math.log(result.value) for result in level if result.value]


def _common_spreads(logs: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Return for each quantity the median spread of its benchmarks, from the logarithms of each benchmark's level."""
    spreads: dict[str, list[float]] = {}
    for name, level in logs.items():
        spreads.setdefault(point_of(name)["quantity"], []).append(statistics.stdev(level))
    return {quantity: statistics.median(found) for quantity, found in spreads.items()}


def _middle(level: Sequence[Result]) -> Result:
    """Return the median of the results of a level, with the medians of their quartiles."""
    value, low, high = (statistics.median(map(attrgetter(name), level)) for name in ("value", "low", "high"))
    return Result(value, low, high, level[-1].version)
