"""The series of a suite's history: the logarithms of each benchmark, and of each kind, from run to run.

Times are divided by those of the controls, plain convolutions whose code is torch's, in the same run.
"""

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from benchmarks.records.suite_names import is_control, kind_of, point_of
from benchmarks.records.suite_results import Commit
from benchmarks.statistics.regression import HISTORY_ONLY

# The prices of a change in standard errors; ``benchmarks.evidence.histories`` counts the false changes that are left.
# There are fewer kinds than benchmarks, so their price is lower.
SURE_OF_A_BENCHMARK, SURE_OF_A_KIND = 5.5, 5.0
CONTROLS = "plain convolutions, the controls"

# The logarithms of a benchmark, one for each result of a history; None where it was not measured.
Logs = Sequence[float | None]


@dataclass(frozen=True)
class Series:
    """The history of a benchmark, or of a kind: the mean over its benchmarks."""

    subject: str
    benchmarks: tuple[str, ...]
    hashes: tuple[str, ...]  # of the runs with a value, oldest first
    runs: tuple[tuple[float, ...], ...]  # logarithms; several of a run that was repeated

    @property
    def of_a_kind(self) -> bool:
        return len(self.benchmarks) > 1

    @property
    def sure(self) -> float:
        return SURE_OF_A_KIND if self.of_a_kind else SURE_OF_A_BENCHMARK

    @property
    def values(self) -> int:
        return sum(map(len, self.runs))

    @property
    def is_time(self) -> bool:
        return bool(point_of(self.benchmarks[0])["quantity"] == "time")


def series_of(commits: Sequence[Commit]) -> tuple[list[Series], Series]:
    """Return the series of kinds and benchmarks, and the series of the controls.

    Args:
        commits: results on one machine, oldest first; successive results of one commit are repetitions of a run.
    """
    logs = _logs(commits)
    controls = _controls(logs)
    judged = {name: _divided(name, values, controls) for name, values in logs.items() if not is_control(name)}
    kinds: dict[str, list[str]] = {}
    for name in judged:
        kinds.setdefault(kind_of(name), []).append(name)
    pooled = [each for kind, names in kinds.items() for each in _pooled(kind, names, judged, commits)]
    single = [_series(name, (name,), values, commits) for name, values in judged.items()]
    return [*pooled, *single], _series(CONTROLS, (CONTROLS,), controls, commits)


def _logs(commits: Sequence[Commit]) -> dict[str, list[float | None]]:
    """Return the logarithms of all benchmarks in their newest version, without those that are not judged or not > 0."""
    newest = {name: result.version for commit in commits for name, result in commit.results.items() if result.measured}
    logs: dict[str, list[float | None]] = {name: [] for name in newest}
    for commit in commits:
        for name, values in logs.items():
            result = commit.results.get(name)
            same = result is not None and result.measured and result.version == newest[name]
            values.append(math.log(result.value) if same and result and result.value and result.value > 0 else None)
    kept = {name: values for name, values in logs.items() if any(value is not None for value in values)}
    return {name: values for name, values in kept.items() if not any(word in name for word in HISTORY_ONLY)}


def _controls(logs: Mapping[str, Logs]) -> list[float | None]:
    """Return how slow the machine was at each result: the median over the controls, each relative to its own median."""
    centred = [_centred(values) for name, values in logs.items() if is_control(name)]
    found = [[value for value in values if value is not None] for values in zip(*centred, strict=True)]
    entries = len(next(iter(logs.values()), ()))
    return [statistics.median(values) if values else None for values in found] if centred else [None] * entries


def _centred(values: Logs) -> list[float | None]:
    middle = statistics.median(value for value in values if value is not None)
    return [None if value is None else value - middle for value in values]


def _divided(name: str, values: Logs, controls: Logs) -> Logs:
    """Divide a time by the controls; a result without controls counts only if there are none in the whole history."""
    if point_of(name)["quantity"] != "time" or all(control is None for control in controls):
        return values
    pairs = zip(values, controls, strict=True)
    return [None if value is None or control is None else value - control for value, control in pairs]


def _series(subject: str, names: tuple[str, ...], values: Logs, commits: Sequence[Commit]) -> Series:
    hashes, runs = [], []
    for hash_, group in groupby(zip(commits, values, strict=True), key=lambda pair: pair[0].hash):
        run = tuple(value for _, value in group if value is not None)
        if run:
            hashes.append(hash_)
            runs.append(run)
    return Series(subject, names, tuple(hashes), tuple(runs))


def _pooled(kind: str, names: Sequence[str], logs: Mapping[str, Logs], commits: Sequence[Commit]) -> Iterator[Series]:
    """Yield the mean over the benchmarks of a kind, where half of them were measured; none for a single one."""
    there = [sum(logs[name][n] is not None for name in names) >= len(names) / 2 for n in range(len(commits))]
    complete = [
        name for name in names if all(value is not None for value, used in zip(logs[name], there, strict=True) if used)
    ]
    if len(complete) > 1:
        columns = zip(*(_centred(logs[name]) for name in complete), strict=True)
        means = [
            statistics.fmean(value for value in values if value is not None) if used else None
            for values, used in zip(columns, there, strict=True)
        ]
        yield _series(kind, tuple(complete), means, commits)
