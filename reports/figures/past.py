"""The figure of what asv and pytest-benchmark measured from commit to commit."""

import pandas as pd
from markupsafe import Markup

from reports import wording
from reports.figures.draw import PANEL, Figure, limits, lines, log_y, panel, scatter
from reports.history import takeaway, trends
from reports.style import INK, MUTED, in_order

# Commits that are named below an axis; the others stand between them.
NAMED_COMMITS = 6


def history(frame: pd.DataFrame, key: str = "history") -> Figure:
    """Times as multiples of what each benchmark began with, a panel per suite and machine; regressions are ringed."""
    title = "Times from commit to commit"
    said = takeaway(frame)
    table = trends(frame)
    panels: list[Markup] = []
    bounds = limits(table[["value", "low", "high"]].assign(one=1.0))
    for (suite, machine), rows in table.groupby(["suite", "machine"], sort=False):
        places = rows.drop_duplicates("position").sort_values("position")
        step = -(-len(places) // NAMED_COMMITS)
        with panel(PANEL) as canvas:
            axes = canvas.axes
            axes.axhline(1, color=MUTED, linewidth=0.8, linestyle="--", zorder=0)
            commits = {float(row["position"]): str(row["commit"]) for _, row in places.iterrows()}

            def tip(point: pd.Series, commits: dict[float, str] = commits) -> str:
                spread = f"[{point['low']:.2f}, {point['high']:.2f}]"
                return f"{point['variant']}, {commits[point['x']][:10]}: {point['y']:.2f}× {spread}"

            long = rows.melt(["variant", "position"], ["value", "low", "high"], value_name="times")
            lines(canvas, long, "position", "times", "median", tip, bars=False)
            worse = rows[rows["regressed"] > 0]
            scatter(canvas, worse, "position", "value", 34, lambda row: f"{row['regressed']:.0f} regressed here")
            axes.scatter(worse["position"], worse["value"], s=110, facecolors="none", edgecolors=INK, linewidths=1.2)
            log_y(axes, bounds, "{:g}×")
            axes.set_xticks(places["position"][::step], [commit[:7] for commit in places["commit"][::step]])
            axes.set_title(f"{suite}, {wording.ending(str(machine), 28)}")
            axes.set(xlabel="commit, oldest first", ylabel="time, beside the first commit")
            panels.append(canvas.svg(f"{key}-{len(panels)}", f"{title}: {suite}, {machine}", said))
    if not panels:
        return Figure(key, title, said)
    caption = (
        f"Lines are medians over n = {wording.span(table['n'])} benchmarks of each layer, each beside its own first "
        "commit; bands go from the least to the most. A ring: a benchmark regressed there, beyond its suite's floor. "
        "Nothing is compared across machines or suites."
    )
    return Figure(key, title, said, caption, tuple(panels), tuple(in_order(table["variant"])), data=table)
