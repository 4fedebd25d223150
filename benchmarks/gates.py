"""What a run of the asv or the pytest-benchmark suite has shown: results are counted first, then judged.

Exit statuses of the suites say little: asv's 1 means "regressed", "nothing measured" and "no such commit" alike. So
their files are read, and the word is one of four: "fine" (exit status 0), "regressed" (1), "failed" and "measured
nothing" (2). This module needs the standard library alone.
"""

import argparse
import json
import math
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any

EXIT_STATUS = {"fine": 0, "regressed": 1, "failed": 2, "measured nothing": 2}
# Published, not judged. Equivariance errors are rounding, and sums in another order move them by half; that they are
# small is checked before anything is measured. The test error of a short training has a standard error of points.
HISTORY_ONLY = ("track_equivariance_error", "track_test_error")


@dataclass(frozen=True)
class Result:
    """One benchmark at one point.

    Args:
        value: the median time, or what else was measured, less being better; None when the benchmark failed, nan when
            it was skipped.
        low, high: the quartiles; both are the value where nothing varies.
        version: of the benchmark; other versions measure something else.
    """

    value: float | None
    low: float
    high: float
    version: str

    @property
    def measured(self) -> bool:
        return self.value is not None and math.isfinite(self.value)


Results = Mapping[str, Result]


@dataclass(frozen=True)
class Judgement:
    """A key of ``EXIT_STATUS``, and the lines that say why."""

    word: str
    lines: tuple[str, ...]


def judge(after: Results, before: Results | None, factor: float) -> Judgement:
    """What to make of the results of a run.

    A benchmark has regressed when its median is over ``factor`` times what it was and its lower quartile lies above
    the upper one of before. An interval of the median would be too narrow: it knows nothing of the next process, which
    on a shared host may run at another speed. Of samples from several processes, one slow one moves no lower quartile.

    Args:
        after: the results in question.
        before: what they are compared with; None for no comparison.
        factor: the noise floor.
    """
    failed = sorted(name for name, result in after.items() if result.value is None)
    measured = sorted(name for name, result in after.items() if result.measured)
    lines = [f"failed: {name}" for name in failed]
    lines.append(f"{len(measured)} measured, {len(failed)} failed, {len(after) - len(measured) - len(failed)} skipped")
    if before is None:
        return Judgement("failed" if failed else "fine" if measured else "measured nothing", tuple(lines))

    pairs = [(name, before[name], after[name]) for name in measured if comparable(name, before.get(name), after[name])]
    regressed = [
        f"regressed: {name}: {old.value:.4g} → {new.value:.4g}, × {ratio(old, new):.3g}"
        for name, old, new in pairs
        if has_regressed(old, new, factor)
    ]
    lines += [*regressed, f"{len(pairs)} compared, {len(regressed)} regressed by more than × {factor:g}"]
    word = "failed" if failed else "measured nothing" if not pairs else "regressed" if regressed else "fine"
    return Judgement(word, tuple(lines))


def comparable(name: str, before: Result | None, after: Result) -> bool:
    """Whether a benchmark is judged, and measured the same thing at both."""
    judged = not any(quantity in name for quantity in HISTORY_ONLY)
    return judged and before is not None and before.measured and after.measured and before.version == after.version


def has_regressed(before: Result, after: Result, factor: float) -> bool:
    """Whether the median is over ``factor`` times what it was, and the quartiles lie apart."""
    return ratio(before, after) > factor and after.low > before.high


def ratio(before: Result, after: Result) -> float:
    """Of the medians of two results that were measured."""
    assert before.value is not None
    assert after.value is not None
    if before.value == 0:
        return 1.0 if after.value == 0 else math.inf
    return after.value / before.value


@dataclass(frozen=True)
class Commit:
    """What a suite measured of one commit on one machine: asv in one environment, pytest-benchmark in one run.

    Args:
        date: milliseconds of the epoch: of the commit in asv's files, of the run in pytest-benchmark's.
    """

    hash: str
    place: str
    date: int
    results: Results


def read_asv(directory: Path, *, since: float = 0.0, patterns: Sequence[str] = ()) -> list[Commit]:
    """The commits in asv's results, oldest first.

    Args:
        directory: the ``results_dir`` of asv.conf.json.
        since: seconds of the epoch; what was begun earlier is left out, and so is a commit of which nothing remains.
        patterns: as they were given to ``asv run -b``. Of a benchmark that ran at some points only, asv keeps what it
            knew of the others, and writes it down with the time of this run.

    Raises:
        ValueError: for a file that is not asv's; the message names it.
    """
    commits = []
    for path in sorted(directory.glob("*/*.json")):
        if path.name == "machine.json":
            continue
        try:
            content = json.loads(path.read_text())
            results = {
                name: result
                for name, result in _asv_results(content, since)
                if not patterns or any(re.search(pattern, name) for pattern in patterns)
            }
            if results:
                commits.append(Commit(content["commit_hash"], path.parent.name, content["date"], results))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} is not a result of asv 0.6: {error!r}") from None
    return sorted(commits, key=lambda commit: commit.date)


def _asv_results(content: Mapping[str, Any], since: float) -> Iterator[tuple[str, Result]]:
    for name, row in content["results"].items():
        columns = dict(zip(content["result_columns"], row, strict=False))  # asv drops empty columns at the end
        if columns["started_at"] < 1000 * since:
            continue
        points = list(product(*columns["params"]))
        missing: list[None] = [None] * len(points)
        values, lows, highs = (columns.get(column) or missing for column in ("result", "stats_q_25", "stats_q_75"))
        for point, value, low, high in zip(points, values, lows, highs, strict=True):
            if not isinstance(value, int | float | None):
                raise TypeError(f"{value!r:.40} is no number")
            certain = math.nan if value is None else value
            low, high = (certain if bound is None else bound for bound in (low, high))
            full_name = f"{name}({', '.join(point)})" if point else name
            yield full_name, Result(value, low, high, columns["version"])


def read_pytest_benchmark(path: Path) -> dict[str, Result]:
    """The results in a file that pytest-benchmark saved; failed tests are those that ``conftest.py`` named.

    Raises:
        ValueError: for another kind of file; the message names it.
    """
    try:
        content = json.loads(path.read_text())
        results = {name: Result(None, math.nan, math.nan, "") for name in content["failed"]}
        for benchmark in content["benchmarks"]:
            stats, extra = benchmark["stats"], benchmark["extra_info"]
            version = f"{extra['suite_version']} {extra['case_id']}"
            result = Result(float(stats["median"]), float(stats["q1"]), float(stats["q3"]), version)
            results.setdefault(benchmark["fullname"], result)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a file of this suite: {error!r}") from None
    return results


def read_pytest_benchmark_runs(directory: Path) -> list[Commit]:
    """The runs that pytest-benchmark saved below a directory, oldest first.

    Raises:
        ValueError: for another kind of file; the message names it.
    """
    runs = []
    for path in sorted(directory.glob("*/*.json")):
        results = read_pytest_benchmark(path)
        try:
            content = json.loads(path.read_text())
            machine, date = content["machine_info"], datetime.fromisoformat(content["datetime"])
            place = str(machine.get("gpu") or f"{machine['cpu']}, {machine['cores']} cores")
            runs.append(Commit(str(content["commit_info"]["id"]), place, round(1000 * date.timestamp()), results))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} is not a file of this suite: {error!r}") from None
    return sorted(runs, key=lambda run: run.date)


def commit_order(repository: Path = Path()) -> list[str]:
    """The hashes of a checkout's commits, parents first; none where there is no checkout, or no git."""
    command = ["git", "-C", str(repository), "log", "--all", "--topo-order", "--reverse", "--format=%H"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return []
    return done.stdout.split()


def in_order(commits: Iterable[Commit], order: Sequence[str]) -> list[Commit]:
    """As ``order`` has them, oldest first; those that are not in it follow by date.

    Dates alone would not do: a rebase writes commits of one second.
    """
    place = {hash_: number for number, hash_ in enumerate(order)}
    return sorted(commits, key=lambda commit: (place.get(commit.hash, len(place)), commit.date))


def judge_asv(commits: Sequence[Commit], factor: float, wanted: Sequence[str] = ()) -> Judgement:
    """Judge each commit beside the one before it on the same machine; the gravest word counts.

    Args:
        commits: oldest first.
        factor: the noise floor.
        wanted: hashes of commits, to be judged alone and in this order; all if there are none.
    """
    there = {commit.hash for commit in commits}
    if not commits or not there.issuperset(wanted):
        missing = ", ".join(hash_[:8] for hash_ in wanted if hash_ not in there) or "any commit"
        return Judgement("measured nothing", (f"this run left no result of {missing}",))
    if wanted:
        commits = [commit for hash_ in wanted for commit in commits if commit.hash == hash_]
    judgements, before = [], dict[str, Commit]()
    for commit in commits:
        older = before.get(commit.place)
        title = commit.hash[:8] + (f" after {older.hash[:8]}" if older else "") + f" on {commit.place}"
        judgement = judge(commit.results, older.results if older else None, factor)
        judgements.append(Judgement(judgement.word, (f"{title}: {judgement.word}", *judgement.lines)))
        before[commit.place] = commit
    return _gravest(judgements)


def judge_pytest_benchmark(files: Sequence[Path], before: Path | None, factor: float) -> Judgement:
    """Judge the files of one run, or of a run and its repetitions, of which the fastest counts.

    pytest-benchmark measures in one process, and other processes only ever slow it down.
    """
    if not files:
        return Judgement("measured nothing", ("pytest-benchmark saved no file",))
    after = fastest([read_pytest_benchmark(path) for path in files])
    judgement = judge(after, read_pytest_benchmark(before) if before else None, factor)
    names = ", ".join(path.name for path in files)
    title = f"{names} after {before.name}" if before else f"{names}, with nothing before"
    return Judgement(judgement.word, (f"{title}: {judgement.word}", *judgement.lines))


def fastest(runs: Sequence[Results]) -> Results:
    """Of every benchmark the run with the lowest value; a failure in any of them is a failure."""

    def rank(result: Result) -> float:
        return -math.inf if result.value is None else result.value

    names = dict.fromkeys(name for run in runs for name in run)
    return {name: min((run[name] for run in runs if name in run), key=rank) for name in names}


def _gravest(judgements: Sequence[Judgement]) -> Judgement:
    order = list(EXIT_STATUS)
    word = max((judgement.word for judgement in judgements), key=order.index)
    return Judgement(word, tuple(line for judgement in judgements for line in judgement.lines))


def main(argv: Sequence[str] | None = None) -> int:
    """Read, count, judge, and print what came out; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gates", description=(__doc__ or "").split("\n")[0])
    suites = parser.add_subparsers(dest="suite", required=True)
    asv = suites.add_parser("asv", help="commits in asv's results, each beside the one before")
    asv.add_argument("directory", type=Path, help="results_dir of asv.conf.json")
    asv.add_argument("--commits", nargs="+", default=(), help="these alone, in this order (default: all, by date)")
    asv.add_argument("-b", "--bench", action="append", default=[], help="only benchmarks that match")
    asv.add_argument("--since", type=float, default=0.0, help="seconds of the epoch: what was begun since then")
    pytest = suites.add_parser("pytest-benchmark", help="a run's file beside that of an earlier run")
    pytest.add_argument("files", type=Path, nargs="*", help="of the run, and of its repetitions if there are any")
    pytest.add_argument("--before", type=Path, metavar="FILE", help="of the earlier run (default: none)")
    for suite in (asv, pytest):
        suite.add_argument("--factor", type=float, required=True, help="the noise floor, such as 1.1")
    args = parser.parse_args(argv)
    try:
        if args.suite == "asv":
            judgement = judge_asv(
                in_order(read_asv(args.directory, since=args.since, patterns=args.bench), commit_order()),
                args.factor,
                args.commits,
            )
        else:
            judgement = judge_pytest_benchmark(args.files, args.before, args.factor)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(*judgement.lines, sep="\n")
    print(judgement.word)
    return EXIT_STATUS[judgement.word]


if __name__ == "__main__":
    sys.exit(main())
