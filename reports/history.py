"""What asv and pytest-benchmark measured from commit to commit → one tidy frame, with the regressions marked.

Reading and judging are those of the gate, `benchmarks.suites.gate`: what it calls regressed is marked here, and nothing else.
"""

import math
import re
from ast import literal_eval
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.records.printable import printable
from benchmarks.records.suite_results import Commit, fastest, in_order, read_asv, read_pytest_benchmark_runs
from benchmarks.statistics.regression import Result, comparable, has_regressed, ratio

# The noise floors of the two suites, as `noxfile.py` has them; docs/history.md says how they were found.
FACTOR = 1.25
COLUMNS = {
    "suite": str,  # "asv", or "pytest-benchmark"
    "machine": str,
    "commit": str,
    "date": str,  # of the commit (asv) or of the run, ISO 8601
    "position": float,  # in the order of commits; the runs of one commit share it
    "benchmark": str,  # with its point, as the suite calls it
    "quantity": str,
    "device": str,
    "layer": str,
    "direction": str,
    "variant": str,
    "resolution": float,
    "channels": float,
    "batch_size": float,
    "status": str,  # "ok", "failed"; what was skipped has no row
    "version": str,  # of the benchmark: another one measures something else
    "value": float,  # seconds, bytes, MACs, … as the suite stores it
    "low": float,
    "high": float,
    "ratio": float,  # to the commit before that has it, where the two are judged
    "regressed": bool,
}
# How the suites name a point: asv by values in this order, pytest-benchmark in one word (benchmarks/suite.py).
POINT = ("device", "variant", "resolution", "channels", "batch_size")
QUANTITIES = {"time_pass": "time", "time_step": "time"}
DIRECTIONS = {"Forward": "forward", "ForwardBackward": "forward_backward", "TrainingStep": "training_step"}
WORD = re.compile(
    r"test_pass\[(?P<layer>[^-\]]+)-(?P<variant>[^-\]]+)-H(?P<resolution>\d+)-C(?P<channels>\d+)-B(?P<batch_size>\d+)"
    r"-(?P<direction>[^-\]]+)-(?P<device>[^-\]]+)\]$"
)


def history(
    asv: Path | None = None,
    pytest_benchmark: Path | None = None,
    *,
    order: Sequence[str] = (),
    factor: float = FACTOR,
) -> pd.DataFrame:
    """A row for every benchmark of every commit, in the order of commits.

    Args:
        asv: the results_dir of asv.conf.json.
        pytest_benchmark: the storage of `nox -s bench`.
        order: hashes of commits, oldest first; those that are not among them follow by date.
        factor: the noise floor.

    Raises:
        ValueError: for a file that is of neither suite.
    """
    suites = {
        "asv": read_asv(asv) if asv else [],
        "pytest-benchmark": _once(read_pytest_benchmark_runs(pytest_benchmark)) if pytest_benchmark else [],
    }
    rows = [row for suite, commits in suites.items() for row in _rows(suite, in_order(commits, order), factor)]
    frame = pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)
    texts = {name: frame[name].map(lambda text: printable(str(text), 120)) for name in COLUMNS if COLUMNS[name] is str}
    return frame.assign(**texts).astype({name: kind for name, kind in COLUMNS.items() if kind is not str})


def regressions(frame: pd.DataFrame) -> pd.DataFrame:
    """What became slower or larger and where, the worst first."""
    return frame[frame["regressed"]].sort_values("ratio", ascending=False, kind="stable")


def relative(frame: pd.DataFrame, quantity: str = "time") -> pd.DataFrame:
    """What a figure draws: every benchmark of a variant as multiples, `relative`, of what it was at first.

    Where the version of a benchmark changed, nothing is beside what was before it; so a benchmark begins anew there.
    """
    rows = frame[(frame["quantity"] == quantity) & (frame["status"] == "ok") & (frame["value"] > 0)]
    rows = rows[rows["variant"] != ""]
    key = ["suite", "machine", "benchmark", "version"]
    return rows.assign(relative=rows["value"] / rows.groupby(key, sort=False)["value"].transform("first"))


def takeaway(frame: pd.DataFrame) -> str:
    """How many commits and benchmarks there are, and what regressed where."""
    if frame.empty:
        return "No history was measured: `nox -s asv` and `nox -s bench` do."
    commits, benchmarks = frame["commit"].nunique(), frame.groupby(["suite", "benchmark"]).ngroups
    found = regressions(frame)
    counted = f"{commits} commit{'' if commits == 1 else 's'}, {benchmarks} benchmarks"
    if found.empty:
        return f"{counted}: none is slower than at the commit before, beyond the noise floor."
    where = ", ".join(f"{n} at {str(commit)[:8]}" for commit, n in found["commit"].value_counts(sort=False).items())
    worst, times = found["benchmark"].iloc[0], found["ratio"].iloc[0]
    return f"{counted}: {len(found)} regressed ({where}); the worst is {worst}, × {times:.2f}."


def _once(runs: Sequence[Commit]) -> list[Commit]:
    """The runs of one commit as one: the fastest counts, as in the gate."""
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
                    **_point(name),
                    "status": "ok" if result.measured else "failed",
                    "version": result.version,
                    "value": result.value,
                    "low": result.low,
                    "high": result.high,
                    "ratio": ratio(older, result) if judged and older else math.nan,
                    "regressed": bool(judged and older and has_regressed(older, result, factor)),
                }
            )
            if result.measured:
                before[commit.place, name] = result
    return rows


def _point(name: str) -> Mapping[str, Any]:
    """What a benchmark's name says about its point; as much as can be read."""
    if word := WORD.search(name):
        return {"quantity": "time", **word.groupdict()}
    function, _, arguments = name.partition("(")
    parts = function.split(".")
    quantity = QUANTITIES.get(parts[-1], parts[-1].removeprefix("track_"))
    kind = parts[-2] if len(parts) > 1 else ""
    layer = {"bench_layers": "conv", "bench_training": "resnet"}.get(parts[0], "")
    found: dict[str, Any] = {"quantity": quantity, "layer": layer, "direction": DIRECTIONS.get(kind, "")}
    try:
        values = literal_eval(f"({arguments.removesuffix(')')},)") if arguments else ()
    except (SyntaxError, ValueError):
        return found
    return {**found, **dict(zip(POINT, values, strict=False))} if layer else found
