"""Performance profiles over studies and budgets (Dolan, Moré 2002): who is within a factor of the best, how often."""

import math
from collections.abc import Mapping, Sequence

from benchmarks.answers.text_tables import columns
from benchmarks.studies.results import StudyResults

FACTORS = (1.0, 1.1, 1.25, 1.5, 2.0)
# One problem: the mean test errors, fractions, of the contenders of a study at one budget.
Problem = Mapping[str, float]


def problems_of(parts: Sequence[StudyResults]) -> list[Problem]:
    """Return a problem for every part of some studies and every budget, of contenders with all their seeds."""
    found: list[Problem] = []
    for part in parts:
        study = part.decisions.study
        for matched in study.matches:
            accuracies = {contender.label: part.accuracy(matched, contender) for contender in study.contenders}
            errors = {label: 1 - each.mean for label, each in accuracies.items() if each.n == part.decisions.seeds}
            if len(errors) > 1:
                found.append(errors)
    return found


def profile_lines(problems: Sequence[Problem]) -> list[str]:
    """Return the table of how often each contender's test error is within a factor of the best error; of most first."""
    if len(problems) < 2:
        return []
    labels = dict.fromkeys(label for problem in problems for label in problem)
    ratios = {label: [_ratio(problem, label) for problem in problems if label in problem] for label in labels}
    order = sorted(ratios, key=lambda label: [-_share(ratios[label], factor) for factor in reversed(FACTORS)])
    rows = [("test error within … of the best", *(f"{factor:g}×" for factor in FACTORS), "of")]
    for label in order:
        shares = (f"{_share(ratios[label], factor):.0%}" for factor in FACTORS)
        rows.append((label, *shares, f"{len(ratios[label])} comparisons"))
    note = f"{len(problems)} comparisons: every part of every study, at every budget. Means over seeds are compared."
    return [*columns(rows), note]


def _ratio(problem: Problem, label: str) -> float:
    best = min(problem.values())
    if problem[label] == best:
        return 1.0
    return problem[label] / best if best else math.inf


def _share(ratios: Sequence[float], factor: float) -> float:
    return sum(ratio <= factor for ratio in ratios) / len(ratios)
