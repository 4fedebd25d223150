"""The sentences about the history of asv and pytest-benchmark."""

import pandas as pd

from benchmarks.answers.suite_changes import Found, SuiteHistory
from benchmarks.statistics.change_points import DRIFT
from benchmarks.statistics.written import interval, number, plural
from reports.frames.history import changes, regressions


def trend(frame: pd.DataFrame) -> str:
    """Count the commits, the benchmarks, and the regressions at each commit; name the worst regression."""
    if frame.empty:
        return "No history was measured: `nox -s asv` and `nox -s bench` do."
    commits, benchmarks = frame["commit"].nunique(), frame.groupby(["suite", "benchmark"]).ngroups
    found = regressions(frame)
    counted = f"{plural(commits, 'commit')}, {benchmarks} benchmarks"
    doubtful = frame.loc[frame["doubtful"], "commit"]
    why = "because plain convolutions moved as well or were not compared"
    doubts = f"; {len(doubtful)} doubtful ({_by_commit(doubtful)}), {why}"
    doubts = f"{doubts if len(doubtful) else ''}."
    if found.empty:
        return f"{counted}: none has regressed{doubts}"
    where, worst, times = _by_commit(found["commit"]), found["benchmark"].iloc[0], found["ratio"].iloc[0]
    return f"{counted}: {len(found)} regressed ({where}); the worst is {worst}, × {times:.2f}{doubts}"


def steps(frame: pd.DataFrame) -> list[str]:
    """Return a sentence for each step and drift in the whole history: of the machine, of kinds and of benchmarks."""
    return [
        f"{_where(suite, history)}: {sentence}."
        for suite, history in changes(frame)
        for sentence in (*map(_of_machine, history.machine), *map(change, history.found))
    ]


def change(one: Found) -> str:
    """Return a clause about a step or a drift, with the commits between which it lies, and its interval."""
    how = "drifted" if one.change.shape == DRIFT else "changed"
    size = f"× {number(one.change.ratio, '.3f')} {interval(*one.change.bounds, '.3f')}"
    reason = f", which is ignored: {one.ignored.reason}" if one.ignored else ""
    doubt = (
        ", which is doubtful, because plain convolutions changed as well or were not measured" if one.doubtful else ""
    )
    return f"{one.series.subject} {how} to {size} {_between(one)}{reason}{doubt}"


def _of_machine(one: Found) -> str:
    size = f"× {number(one.change.ratio, '.3f')} {interval(*one.change.bounds, '.3f')}"
    return f"the machine changed: plain convolutions to {size} {_between(one)}"


def _between(one: Found) -> str:
    return f"after {one.before[:8]} and not after {one.after[:8]}"


def _where(suite: str, history: SuiteHistory) -> str:
    return f"{suite} on {history.place}"


def _by_commit(hashes: pd.Series) -> str:
    return ", ".join(f"{n} at {str(commit)[:8]}" for commit, n in hashes.value_counts(sort=False).items())
