"""The gate: it counts and judges the results of a run of the asv or the pytest-benchmark suite.

The suites' exit statuses are ambiguous: status 1 of asv means "regressed", "nothing measured" or "no such commit".
The gate reads the result files instead, and says "fine" (exit status 0), "regressed" (1), "undecided" (3), "failed",
"measured nothing" or "another machine" (2). This program needs only the standard library.
"""

import argparse
import math
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from benchmarks.records.suite_names import point_of
from benchmarks.records.suite_results import (
    Commit,
    commit_order,
    commits_in_order,
    fastest,
    read_asv,
    read_pytest_benchmark_run,
)
from benchmarks.statistics.regression import BenchmarkResults, Result, comparable, has_regressed, ratio_of_medians
from benchmarks.statistics.steps import FEWEST_RESULTS, present_level, threshold
from benchmarks.statistics.verdicts import FINE, NOT_COMPARED, REGRESSED, STATUS, UNDECIDED
from benchmarks.statistics.written import number

FAILED, MEASURED_NOTHING, ANOTHER_MACHINE = "failed", "measured nothing", "another machine"
# The gravest word last.
EXIT_STATUS = {word: STATUS[word] for word in (FINE, UNDECIDED, REGRESSED)}
EXIT_STATUS |= dict.fromkeys((FAILED, MEASURED_NOTHING, ANOTHER_MACHINE), STATUS[NOT_COMPARED])


@dataclass(frozen=True)
class Judgement:
    """The ``word`` of a judgement, a key of ``EXIT_STATUS``, and lines with the reasons."""

    word: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Compared:
    """A new result of a benchmark, the earlier one that it is compared with, and the factor that a step exceeds."""

    name: str
    old: Result
    new: Result
    factor: float
    runs: int  # number of earlier results on the present level

    @property
    def control(self) -> bool:
        """Whether the benchmark times torch's own convolution, which no commit changes."""
        point = point_of(self.name)
        return (point["quantity"], point.get("layer"), point.get("variant")) == ("time", "conv", "plain")

    @property
    def slower(self) -> bool:
        return has_regressed(self.old, self.new, self.factor)

    @property
    def moved(self) -> bool:
        """Whether the result is a step up or down."""
        return self.slower or has_regressed(self.new, self.old, self.factor)

    @property
    def line(self) -> str:
        values = f"{self.old.value:.4g} → {self.new.value:.4g}, × {number(ratio_of_medians(self.old, self.new), '.3g')}"
        return f"{self.name}: {values}; a step is × {self.factor:.3g} ({self.runs} earlier results)"


def judge(after: BenchmarkResults, history: Sequence[BenchmarkResults], factor: float) -> Judgement:
    """Judge the results of a run by the earlier runs on the same machine, the oldest first; there may be none.

    A benchmark has regressed when its median exceeds that of its present level by more than a step (``statistics.
    steps``; ``factor`` while the level has few results), and its lower quartile exceeds the level's upper quartile. An
    interval of the median would be too narrow, because the next process may run at another speed on a shared host. One
    slow process among several does not move the lower quartile.

    If a plain convolution, whose code is torch's, made a step up or down, then the machine did: no time is called
    regressed, and the run is undecided. Quantities that are counted are judged all the same.
    """
    failed = sorted(name for name, result in after.items() if result.value is None)
    measured = sorted(name for name, result in after.items() if result.measured)
    lines = [f"failed: {name}" for name in failed]
    lines.append(f"{len(measured)} measured, {len(failed)} failed, {len(after) - len(measured) - len(failed)} skipped")
    if not history:
        return Judgement(FAILED if failed else FINE if measured else MEASURED_NOTHING, tuple(lines))

    compared = list(_compared(after, measured, history, factor))
    moved = [one for one in compared if one.control and one.moved]
    slower = [one for one in compared if one.slower]
    doubtful = [one for one in slower if moved and point_of(one.name)["quantity"] == "time"]
    regressed = [one for one in slower if one not in doubtful]
    lines += [f"regressed: {one.line}" for one in regressed]
    lines += [f"unchanged code moved: {one.line}" for one in moved]
    lines += [f"doubtful: {one.line}" for one in doubtful if one not in moved]
    lines.append(f"{len(compared)} compared, {len(regressed)} regressed, {len(doubtful)} doubtful")
    if moved:
        lines.append(
            f"undecided: {len(moved)} plain convolutions moved, so the machine did; run again on a calm machine"
        )
    if failed:
        return Judgement(FAILED, tuple(lines))
    if not compared:
        return Judgement(MEASURED_NOTHING, tuple(lines))
    return Judgement(REGRESSED if regressed else UNDECIDED if moved else FINE, tuple(lines))


def _compared(
    after: BenchmarkResults, measured: Sequence[str], history: Sequence[BenchmarkResults], factor: float
) -> Iterator[Compared]:
    """Yield the benchmarks with an earlier result, each with the factor that follows from its own past."""
    levels: dict[str, list[Result]] = {}
    for name in measured:
        same = [run[name] for run in history if comparable(name, run.get(name), after[name])]
        if same:
            positive = all(result.value for result in same)
            levels[name] = same[-len(present_level(_logs(same))) :] if positive else same[-1:]
    # The levels with enough results, whose spread is known.
    logs = {name: _logs(level) for name, level in levels.items() if len(level) >= FEWEST_RESULTS}
    common = _common_spreads(logs)
    for name, level in levels.items():
        if name in logs:
            step = threshold(logs[name], common[point_of(name)["quantity"]])
            yield Compared(name, _middle(level), after[name], step, len(level))
        else:
            yield Compared(name, level[-1], after[name], factor, len(level))


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


def judge_asv(
    commits: Sequence[Commit], factor: float, wanted: Sequence[str] = (), history: Sequence[Commit] = ()
) -> Judgement:
    """Judge each commit by the commits before it on the same machine, and return the gravest word.

    Args:
        commits: the results of this run, oldest first.
        factor: the factor that counts while the spread of a benchmark is not known.
        wanted: hashes of the commits to judge, in this order; all if empty. They were measured in turns, so each is
            compared with those before it in this list alone.
        history: all results, oldest first, if the commits are to be compared with those of earlier runs.
    """
    there = {commit.hash for commit in commits}
    if not commits or not there.issuperset(wanted):
        missing = ", ".join(hash_[:8] for hash_ in wanted if hash_ not in there) or "any commit"
        return Judgement(MEASURED_NOTHING, (f"this run has no result for {missing}",))
    if wanted:
        commits = [commit for hash_ in wanted for commit in commits if commit.hash == hash_]
    order = [commit.hash for commit in history]
    judgements = []
    for place, commit in enumerate(commits):
        before = history[: order.index(commit.hash)] if commit.hash in order and not wanted else commits[:place]
        older = [one for one in before if one.place == commit.place]
        title = commit.hash[:8] + (f" after {older[-1].hash[:8]}" if older else "") + f" on {commit.place}"
        judgements.append(_titled(title, judge(commit.results, [one.results for one in older], factor)))
    word = max((judgement.word for judgement in judgements), key=list(EXIT_STATUS).index)
    return Judgement(word, tuple(line for judgement in judgements for line in judgement.lines))


def judge_pytest_benchmark(files: Sequence[Path], before: Sequence[Path], factor: float) -> Judgement:
    """Judge each benchmark by its fastest result in all ``files``, because other processes can only slow it down.

    Earlier runs of other machines do not count. If there are only such, nothing can be compared.
    """
    if not files:
        return Judgement(MEASURED_NOTHING, ("pytest-benchmark saved no file",))
    runs, earlier = (sorted(map(read_pytest_benchmark_run, each), key=lambda run: run.date) for each in (files, before))
    here, there = ({run.place for run in each} for each in (runs, earlier))
    if len(here) > 1 or (there and not there & here):
        machines = " against ".join(" and ".join(sorted(each)) for each in (there, here) if each)
        return Judgement(ANOTHER_MACHINE, (f"results of different machines are not compared: {machines}",))
    history = [run.results for run in earlier if run.place in here]
    names = ", ".join(path.name for path in files)
    title = f"{names} after {len(history)} earlier runs" if history else f"{names}, without an earlier file"
    if left_out := len(earlier) - len(history):
        title += f", {left_out} of other machines left out"
    return _titled(f"{title}, on {min(here)}", judge(fastest([run.results for run in runs]), history, factor))


def _titled(title: str, judgement: Judgement) -> Judgement:
    return Judgement(judgement.word, (f"{title}: {judgement.word}", *judgement.lines))


def main(argv: Sequence[str] | None = None) -> int:
    """Judge the results of a suite, print the judgement and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.suites.gate", description=__doc__)
    suites = parser.add_subparsers(dest="suite", required=True)
    asv = suites.add_parser("asv", help="commits in asv's results, each compared with the one before")
    asv.add_argument("directory", type=Path, help="results_dir of asv.conf.json")
    asv.add_argument(
        "--commits", nargs="+", default=(), help="the commits to judge, in this order (default: all, by date)"
    )
    asv.add_argument("-b", "--bench", action="append", default=[], help="only benchmarks that match")
    asv.add_argument("--since", type=float, default=0.0, help="only results begun after this Unix time, seconds")
    pytest = suites.add_parser("pytest-benchmark", help="a run's file, compared with that of an earlier run")
    pytest.add_argument("files", type=Path, nargs="*", help="files of the run and its repetitions")
    pytest.add_argument("--before", type=Path, nargs="*", default=(), metavar="FILE", help="files of earlier runs")
    for suite in (asv, pytest):
        suite.add_argument(
            "--factor", type=float, required=True, help="the factor while the spread is unknown, such as 1.1"
        )
    args = parser.parse_args(argv)
    try:
        if args.suite == "asv":
            order = commit_order()
            fresh, history = (
                commits_in_order(read_asv(args.directory, since=since, patterns=args.bench), order)
                for since in (args.since, 0.0)
            )
            judgement = judge_asv(fresh, args.factor, args.commits, history)
        else:
            judgement = judge_pytest_benchmark(args.files, args.before, args.factor)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return STATUS[NOT_COMPARED]
    print(*judgement.lines, judgement.word, sep="\n")
    return EXIT_STATUS[judgement.word]


if __name__ == "__main__":
    sys.exit(main())
