"""Reads the result files of asv and pytest-benchmark into ``Result``s. This module needs only the standard library."""

import json
import math
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.records.record import cores_text
from benchmarks.statistics.regression import BenchmarkResults, Result

_T = TypeVar("_T")


@dataclass(frozen=True)
class Commit:
    """The results of a commit on one machine: of asv in one environment, or of one run of pytest-benchmark."""

    hash: str
    place: str  # asv's name of the machine, or the GPU or processor in a file of pytest-benchmark
    date: int  # Unix time in milliseconds of the commit (asv) or of the run (pytest-benchmark)
    results: BenchmarkResults


def read_asv(directory: Path, *, since: float = 0.0, patterns: Sequence[str] = ()) -> list[Commit]:
    """Return the commits with a result that passes both filters, oldest first.

    Args:
        directory: the ``results_dir`` of asv.conf.json.
        since: Unix time in seconds; results that were begun earlier are left out.
        patterns: the patterns of ``asv run -b``; other results are left out. They are needed besides ``since``:
            asv stores one time per benchmark, so a run at some points also gives its time to old results at others.

    Raises:
        ValueError: for a file that is not asv's; the message names it.
    """
    paths = (path for path in sorted(directory.glob("*/*.json")) if path.name != "machine.json")
    commits = (_read(path, "a result of asv 0.6", _asv_commit, path.parent.name, since, patterns) for path in paths)
    return sorted((commit for commit in commits if commit.results), key=lambda commit: commit.date)


def read_asv_rounds(directory: Path) -> list[Commit]:
    """Return the commits in asv's results and in those of its folders ``round-1``, ``round-2``, …, oldest first.

    A commit that was measured in several rounds stands there several times. Raise ``ValueError`` as ``read_asv``.
    """
    folders = (directory, *sorted(directory.glob("round-*")))
    return sorted((commit for folder in folders for commit in read_asv(folder)), key=lambda commit: commit.date)


def _read(path: Path, what: str, parse: Callable[..., _T], *options: Any) -> _T:
    """Return the parsed content of a file; if parsing fails, raise a ``ValueError`` that names the file."""
    try:
        return parse(json.loads(path.read_text(encoding="utf-8")), *options)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not {what}: {error!r}") from None


def _asv_commit(content: Any, place: str, since: float, patterns: Sequence[str]) -> Commit:
    results = {
        name: result
        for name, result in _asv_results(content, since)
        if not patterns or any(re.search(pattern, name) for pattern in patterns)
    }
    return Commit(content["commit_hash"], place, content["date"], results)


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
    """Return the results in a file that pytest-benchmark saved, including the failed tests that ``conftest.py`` adds.

    Raises:
        ValueError: for another kind of file; the message names it.
    """
    return _read(path, "a file of this suite", _run_results)


def read_pytest_benchmark_run(path: Path) -> Commit:
    """Return the run in a file that pytest-benchmark saved; raise ``ValueError`` for another kind of file."""
    return _read(path, "a file of this suite", _run)


def read_pytest_benchmark_runs(directory: Path) -> list[Commit]:
    """Return the runs that pytest-benchmark saved below a directory, oldest first.

    Raises:
        ValueError: for another kind of file; the message names it.
    """
    runs = map(read_pytest_benchmark_run, sorted(directory.glob("*/*.json")))
    return sorted(runs, key=lambda run: run.date)


def _run(content: Any) -> Commit:
    machine, date = content["machine_info"], datetime.fromisoformat(content["datetime"])
    place = str(machine.get("gpu") or f"{machine['cpu']}, {cores_text(machine)} cores")
    return Commit(str(content["commit_info"]["id"]), place, round(1000 * date.timestamp()), _run_results(content))


def _run_results(content: Any) -> dict[str, Result]:
    results = {name: Result(None, math.nan, math.nan, "") for name in content["failed"]}
    for benchmark in content["benchmarks"]:
        stats, extra = benchmark["stats"], benchmark["extra_info"]
        version = f"{extra['suite_version']} {extra['case_id']}"
        result = Result(float(stats["median"]), float(stats["q1"]), float(stats["q3"]), version)
        results.setdefault(benchmark["fullname"], result)
    return results


def commit_order(repository: Path = Path()) -> list[str]:
    """Return the hashes of a checkout's commits, parents first; none without a checkout or without git."""
    command = ["git", "-C", str(repository), "log", "--all", "--topo-order", "--reverse", "--format=%H"]
    try:
        return subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=30).stdout.split()
    except (OSError, subprocess.SubprocessError):
        return []


def commits_in_order(commits: Iterable[Commit], order: Sequence[str]) -> list[Commit]:
    """Return the commits in the given order of hashes, followed by unknown commits by date.

    Dates alone are not enough: a rebase gives several commits the same second.
    """
    place = {hash_: number for number, hash_ in enumerate(order)}
    return sorted(commits, key=lambda commit: (place.get(commit.hash, len(place)), commit.date))


def fastest(runs: Sequence[BenchmarkResults]) -> BenchmarkResults:
    """Return the lowest result of each benchmark; a benchmark that failed in any run has failed."""

    def rank(result: Result) -> float:
        return -math.inf if result.value is None else result.value

    names = dict.fromkeys(name for run in runs for name in run)
    return {name: min((run[name] for run in runs if name in run), key=rank) for name in names}
