"""The results of asv and pytest-benchmark, commit by commit → one tidy frame, in which regressions are marked.

The test for a regression is that of the gate, `benchmarks.suites.gate`, with the noise floor `FACTOR`.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.records.printable import printable
from benchmarks.records.suite_names import point_of
from benchmarks.records.suite_results import Commit, commits_in_order, fastest, read_asv, read_pytest_benchmark_runs
from benchmarks.statistics.regression import FACTOR, Result, comparable, has_regressed, ratio_of_medians

HISTORY_COLUMNS = {
    "suite": str,  # "asv", or "pytest-benchmark"
    "machine": str,
    "commit": str,
    "date": str,  # date of the commit (asv) or of the run, in ISO 8601
    "position": float,  # place in the order of commits, the same for all runs of one commit
    "benchmark": str,  # name and parameters, as the suite writes them
    "quantity": str,
    "device": str,
    "layer": str,
    "direction": str,
    "variant": str,
    "resolution": float,
    "channels": float,
    "batch_size": float,
    "status": str,  # "ok" or "failed"; a skipped benchmark has no row
    "version": str,  # version of the benchmark; different versions measure different things
    "value": float,  # seconds, bytes, MACs, … as the suite stores it
    "low": float,
    "high": float,
    "ratio": float,  # value / value at the last earlier commit, where the two can be compared
    "regressed": bool,
}


def history(
    asv: Path | None = None, pytest_benchmark: Path | None = None, *, order: Sequence[str] = (), factor: float = FACTOR
) -> pd.DataFrame:
    """Return a row for every benchmark of every commit, in the order of commits.

    Args:
        asv: the results_dir of asv.conf.json.
        pytest_benchmark: the storage of `nox -s bench`.
        order: hashes of commits, oldest first; all other commits follow, by date.
        factor: the noise floor, as a ratio of two results.

    Raises:
        ValueError: for a file that neither suite wrote.
    """
    suites = {
        "asv": read_asv(asv) if asv else [],
        "pytest-benchmark": _once(read_pytest_benchmark_runs(pytest_benchmark)) if pytest_benchmark else [],
    }
    rows = [row for suite, commits in suites.items() for row in _rows(suite, commits_in_order(commits, order), factor)]
    frame = pd.DataFrame(rows, columns=list(HISTORY_COLUMNS), dtype=object)
    texts = [name for name, kind in HISTORY_COLUMNS.items() if kind is str]
    frame[texts] = frame[texts].map(lambda text: printable(str(text), 120))
    return frame.astype({name: kind for name, kind in HISTORY_COLUMNS.items() if kind is not str})


def regressions(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep the benchmarks that became slower or larger, with the greatest ratio first."""
    return frame[frame["regressed"]].sort_values("ratio", ascending=False, kind="stable")


def multiples_of_first(frame: pd.DataFrame, quantity: str = "time") -> pd.DataFrame:
    """Add `relative` to every benchmark of a variant: its value as a multiple of its first value.

    A new version of a benchmark is never compared with an older version, so each version begins at 1.
    """
    rows = frame[(frame["quantity"] == quantity) & (frame["status"] == "ok") & (frame["value"] > 0)]
    rows = rows[rows["variant"] != ""]
    key = ["suite", "machine", "benchmark", "version"]
    return rows.assign(relative=rows["value"] / rows.groupby(key, sort=False)["value"].transform("first"))


def _once(runs: Sequence[Commit]) -> list[Commit]:
    """Merge the runs of one commit; as in the gate, the fastest result of each benchmark is kept."""
    found: dict[tuple[str, str], list[Commit]] = {}
    for run in runs:
        found.setdefault((run.hash, run.place), []).append(run)
    return [replace(same[0], results=fastest([run.results for run in same])) for same in found.values()]


def _rows(suite: str, commits: Sequence[Commit], factor: float) -> list[dict[str, Any]]:
    positions = {hash_: number for number, hash_ in enumerate(dict.fromkeys(commit.hash for commit in commits))}
    before: dict[tuple[str, str], Result] = {}
    rows = []
    for commit in commits:
        for name, result in commit.results.items():
            if result.value is not None and not result.measured:
                continue  # skipped
            older = before.get((commit.place, name))
            judged = older is not None and comparable(name, older, result)
            rows.append(
                {
                    "suite": suite,
                    "machine": commit.place,
                    "commit": commit.hash,
                    "date": datetime.fromtimestamp(commit.date / 1000, UTC).isoformat(timespec="seconds"),
                    "position": positions[commit.hash],
                    "benchmark": name,
                    "layer": "",
                    "direction": "",
                    "device": "",
                    "variant": "",
                    **point_of(name),
                    "status": "ok" if result.measured else "failed",
                    "version": result.version,
                    "value": result.value,
                    "low": result.low,
                    "high": result.high,
                    "ratio": ratio_of_medians(older, result) if judged and older else math.nan,
                    "regressed": bool(judged and older and has_regressed(older, result, factor)),
                }
            )
            if result.measured:
                before[commit.place, name] = result
    return rows
