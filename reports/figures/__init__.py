"""The figures, drawn with seaborn. Each is a function of frames and says what it shows in one generated sentence.

A figure is a row of panels, one `<svg>` each, so that the page can stack them on a phone. Without data it has no
panel, and the sentence says what is missing.
"""

from reports import analysis, learning
from reports.figures import costs as cost_figures
from reports.figures import inside, training
from reports.figures.costs import MACS, MEMORY, TIME, growth
from reports.figures.draw import Figure, ok
from reports.frames import Frames

__all__ = ["Figure", "every", "ok"]

# Studies that are drawn; the runs of all others are in the table of records.
STUDIES = 3


def every(data: Frames, prefix: str = "") -> dict[str, list[Figure]]:
    """All figures of one set of results, by section of the page; `prefix` keeps the keys of several sets apart."""
    p = f"{prefix}-" if prefix else ""
    twins = data.twins
    measured = analysis.latest(ok(data.costs))
    ours = analysis.comparable(measured)
    costs = analysis.usual_threads(ours)
    steps = analysis.usual_threads(analysis.comparable(measured, (*analysis.PASSES, analysis.STEP)))
    runs = learning.studies(ok(data.runs))[:STUDIES] or [learning.one_recipe(ok(data.runs))]
    suffixes = ["", *(f"-{number}" for number in range(2, len(runs) + 1))]
    return {
        "headline": [cost_figures.relative_cost(costs, runs[0], f"{p}relative")],
        "choice": [
            training.pareto(learning.networks(ours, study), f"{p}pareto{suffix}")
            for study, suffix in zip(runs, suffixes, strict=True)
        ],
        "growth": [
            growth(costs, TIME, "forward", f"{p}time-forward"),
            growth(costs, TIME, "forward_backward", f"{p}time-training"),
            growth(costs, MEMORY, "forward", f"{p}memory-forward"),
            growth(costs, MEMORY, "forward_backward", f"{p}memory-training"),
            growth(costs, MACS, "forward", f"{p}macs"),
        ],
        "inside": [inside.stages(steps, f"{p}stages"), inside.memory_parts(steps, f"{p}memory-parts")],
        "separable": [
            cost_figures.realised(costs, twins, f"{p}realised"),
            cost_figures.mac_split(costs, f"{p}split"),
        ],
        "roofline": [inside.roofline(steps, f"{p}roofline")],
        "peers": [cost_figures.peers(measured, twins, f"{p}peers")],
        "accuracy": [
            training.accuracy(data.epochs, study, x, f"{p}accuracy-{name}{suffix}")
            for study, suffix in zip(runs, suffixes, strict=True)
            for x, name in (("epoch", "epochs"), ("seconds", "seconds"), ("macs", "macs"))
        ],
        "equivariance": [cost_figures.equivariance(costs, data.epochs, f"{p}equivariance-error")],
        "redundancy": [training.redundancy(data.epochs, f"{p}redundancy")],
        "noise": [cost_figures.noise(measured, twins, f"{p}noise")],
    }
