"""The figure of the history: the times of asv and pytest-benchmark from commit to commit, with regressions marked."""

from collections.abc import Iterator, Sequence

import pandas as pd
from matplotlib.ticker import FixedLocator, NullLocator

from benchmarks.answers.suite_changes import SuiteHistory
from benchmarks.records.suite_names import point_of
from reports.figures.draw import Drawing, Figure, axis_limits, lines, log_y, size_of
from reports.frames.history import changes, multiples_of_first
from reports.style import INK, MUTED
from reports.words import of_history

# The most commits that are named on the axis; more names would overlap.
MOST_NAMES = 10


def _changes(
    found: Sequence[tuple[str, SuiteHistory]], suite: str, machine: str, device: str, commits: pd.DataFrame
) -> Iterator[tuple[float, float]]:
    """Yield the places on the axis before and after each change of a panel that is the code's."""
    place = dict(zip(commits["commit"], commits["position"], strict=True))
    histories = [history for name, history in found if (name, history.place) == (suite, machine)]
    for one in (each for history in histories for each in history.found if not each.doubtful):
        same = point_of(one.series.benchmarks[0]).get("device", "") == device
        if same and one.before in place and one.after in place:
            yield place[one.before], place[one.after]


def trend(frame: pd.DataFrame, key: str) -> Figure:
    """Draw the time of every variant as a multiple of its first time, with a panel per suite, machine and device."""
    drawing = Drawing(key, "Time from commit to commit", of_history.trend(frame))
    drawn, found = multiples_of_first(frame), changes(frame)
    by_place = drawn.groupby(["suite", "machine", "device"], sort=False)
    for (suite, machine, device), rows in by_place:
        commits = rows.drop_duplicates("position").sort_values("position")
        names = dict(zip(commits["position"], commits["commit"].str[:8], strict=True))
        place = f"{suite} on {machine}{f', {device}' if device not in ('', 'cpu') else ''}"
        size, label = size_of(by_place.ngroups), "time, as a multiple of the first"
        with drawing.panel(size, "", label, f": {place}", heading=place[:50]) as canvas:

            def tip(point: pd.Series, names: dict[float, str] = names) -> str:
                where = f"{point['variant']} at {names[point['x']]}"
                return f"{where}: × {point['y']:.3g}, median of {point['n']:.0f} benchmarks"

            axes = canvas.axes
            axes.axhline(1, color=MUTED, linewidth=0.8, linestyle="--", zorder=0)
            lines(canvas, rows, "position", "relative", "median", tip)
            slower = rows[rows["regressed"]]
            axes.scatter(slower["position"], slower["relative"], 60, marker="x", color=INK, linewidth=1.4, zorder=4)
            for before, after in _changes(found, str(suite), str(machine), str(device), commits):
                axes.axvspan(before, after, color=MUTED, alpha=0.25, linewidth=0, zorder=0)
            log_y(axes, axis_limits(rows[["relative"]].assign(one=1.0)), "{:g}×")
            shown = commits.iloc[:: max(1, -(-len(commits) // MOST_NAMES))]
            axes.xaxis.set_major_locator(FixedLocator(shown["position"].tolist()))
            axes.xaxis.set_minor_locator(NullLocator())
            axes.set_xticks(shown["position"], shown["position"].map(names), rotation=40, ha="right")
            axes.set_xlim(commits["position"].min() - 0.5, commits["position"].max() + 0.5)
    if not drawing.panels:
        return drawing.figure()
    n = drawn.groupby(["suite", "machine", "device", "variant", "position"]).size()
    among = f"{n.min()}" if n.min() == n.max() else f"{n.min()}–{n.max()}"
    caption = (
        f"Lines are medians over n = {among} benchmarks of a variant, bars go from the least to the most; a cross is a "
        "benchmark that has regressed, by the rule with which `nox -s asv` and `nox -s bench` judge, from the whole "
        "history of the machine; a grey band is a step or a drift of the whole history, and ends where its new level "
        "begins. asv and pytest-benchmark time with clocks of their own, one process after the other: "
        "docs/history.md."
    )
    return drawing.figure(caption, drawn["variant"], drawn)
