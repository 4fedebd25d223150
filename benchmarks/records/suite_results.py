"""The result files of asv and of pytest-benchmark. The standard library is enough."""

import json
import math
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks.statistics.regression import Result, Results


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


def fastest(runs: Sequence[Results]) -> Results:
    """Of every benchmark the run with the lowest value; a failure in any of them is a failure."""

    def rank(result: Result) -> float:
        return -math.inf if result.value is None else result.value

    names = dict.fromkeys(name for run in runs for name in run)
    return {name: min((run[name] for run in runs if name in run), key=rank) for name in names}
