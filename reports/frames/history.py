"""The results of asv and pytest-benchmark, run by run → one tidy frame, in which regressions are marked.

The rule is `benchmarks.answers.suite_steps`, by which the gate judges, too. The steps and drifts of the whole history
are those of `benchmarks.answers.suite_changes`.
"""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.answers.suite_changes import SuiteHistory, suite_histories
from benchmarks.answers.suite_steps import Steps, earlier, judged_runs, steps_of
from benchmarks.records.known_changes import project_known
from benchmarks.records.printable import printable
from benchmarks.records.suite_names import point_of
from benchmarks.records.suite_results import Commit, commits_in_order, read_asv, read_pytest_benchmark_runs
from benchmarks.statistics.regression import FACTOR, Result

HISTORY_COLUMNS = {
    "suite": str,  # "asv", or "pytest-benchmark"
    "machine": str,
    "commit": str,
    "date": str,  # date of the commit (asv) or of the run, in ISO 8601
    "position": float,  # place in the order of commits (asv) or of runs (pytest-benchmark)
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
    "ratio": float,  # value / the earlier value that it is compared with, where there is one
    "regressed": bool,
    "doubtful": bool,  # slower, but plain convolutions moved, too, or none was compared
}


def history(
    asv: Path | None = None, pytest_benchmark: Path | None = None, *, order: Sequence[str] = (), factor: float = FACTOR
) -> pd.DataFrame:
    """Return a row for every benchmark of every commit, in the order of commits.

    Args:
        asv: the results_dir of asv.conf.json.
        pytest_benchmark: the storage of `nox -s bench`.
        order: hashes of commits, oldest first; asv's results follow this order, those of other commits come last.
        factor: the step of a benchmark that has few earlier results, as a ratio.

    Raises:
        ValueError: for a file that neither suite wrote, or a wrong entry of ``known.toml``.
    """
    commits = commits_in_order(read_asv(asv) if asv else [], order)
    known = project_known()
    of_asv = [(one, steps_of(one, earlier(one, commits), factor, known)) for one in commits]
    runs = judged_runs(read_pytest_benchmark_runs(pytest_benchmark) if pytest_benchmark else [], factor, known)
    place = {hash_: number for number, hash_ in enumerate(dict.fromkeys(commit.hash for commit in commits))}
    rows = [row for commit, steps in of_asv for row in _rows("asv", place[commit.hash], commit, steps)]
    rows += [row for number, run in enumerate(runs) for row in _rows("pytest-benchmark", number, *run)]
    frame = pd.DataFrame(rows, columns=list(HISTORY_COLUMNS), dtype=object)
    texts = [name for name, kind in HISTORY_COLUMNS.items() if kind is str]
    frame[texts] = frame[texts].map(lambda text: printable(str(text), 120))
    return frame.astype({name: kind for name, kind in HISTORY_COLUMNS.items() if kind is not str})


def changes(frame: pd.DataFrame) -> list[tuple[str, SuiteHistory]]:
    """Return the steps and drifts of each suite on each machine, with the name of the suite."""
    found = []
    for suite, rows in frame[frame["status"] == "ok"].groupby("suite", sort=False):
        runs = [_run(run) for _, run in rows.groupby(["position", "machine"], sort=True)]
        order = [run.hash for run in runs]
        found += [(str(suite), history) for history in suite_histories(runs, order, project_known())]
    return found


def _run(rows: pd.DataFrame) -> Commit:
    first = rows.iloc[0]
    values = zip(rows["benchmark"], rows["value"], rows["low"], rows["high"], rows["version"], strict=True)
    results = {name: Result(value, low, high, version) for name, value, low, high, version in values}
    return Commit(first["commit"], first["machine"], int(first["position"]), results)


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


def _rows(suite: str, position: int, run: Commit, steps: Steps) -> list[dict[str, Any]]:
    ratios = {one.name: one.ratio for one in steps.compared}
    regressed, doubtful = ({one.name for one in found} for found in (steps.regressed, steps.doubtful))
    return [
        {
            "suite": suite,
            "machine": run.place,
            "commit": run.hash,
            "date": datetime.fromtimestamp(run.date / 1000, UTC).isoformat(timespec="seconds"),
            "position": position,
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
            "ratio": ratios.get(name, math.nan),
            "regressed": name in regressed,
            "doubtful": name in doubtful,
        }
        for name, result in run.results.items()
        if result.value is None or result.measured  # the others were skipped
    ]
