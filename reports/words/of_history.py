"""The sentence about the history of asv and pytest-benchmark."""

import pandas as pd

from reports.frames.history import regressions
from reports.words.numbers import plural


def trend(frame: pd.DataFrame) -> str:
    """Count the commits, the benchmarks, and the regressions at each commit; name the worst regression."""
    if frame.empty:
        return "No history was measured: `nox -s asv` and `nox -s bench` do."
    commits, benchmarks = frame["commit"].nunique(), frame.groupby(["suite", "benchmark"]).ngroups
    found = regressions(frame)
    counted = f"{plural(commits, 'commit')}, {benchmarks} benchmarks"
    doubtful = frame.loc[frame["doubtful"], "commit"]
    doubts = f"; {len(doubtful)} doubtful ({_by_commit(doubtful)}), because plain convolutions moved as well"
    doubts = f"{doubts if len(doubtful) else ''}."
    if found.empty:
        return f"{counted}: none has regressed{doubts}"
    where, worst, times = _by_commit(found["commit"]), found["benchmark"].iloc[0], found["ratio"].iloc[0]
    return f"{counted}: {len(found)} regressed ({where}); the worst is {worst}, × {times:.2f}{doubts}"


def _by_commit(hashes: pd.Series) -> str:
    return ", ".join(f"{n} at {str(commit)[:8]}" for commit, n in hashes.value_counts(sort=False).items())
