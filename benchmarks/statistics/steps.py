"""Steps in the history of a benchmark: where its present level begins, and which new value is a step away from it.

This module needs only the standard library.
"""

import math
import statistics
from collections.abc import Sequence

from benchmarks.statistics.change_points import change_points

# With fewer earlier results on the present level, the spread of the benchmark is not known.
FEWEST_RESULTS = 4
# Older results than so many say nothing about the present, and would take time.
MOST_RESULTS = 100
# A new value is a step if it is more than this number of standard deviations away from the present level. The smallest
# step is that of ``LEAST_FACTOR``, also for a quantity that is the same in every run.
DEVIATIONS = 4.0
LEAST_FACTOR = 1.05


def present_level(values: Sequence[float]) -> Sequence[float]:
    """Return the values from the last change point on: from the last step, or from the end of the last drift.

    >>> present_level([1.0, 1.1, 1.0, 2.0, 2.1, 2.0])
    [2.0, 2.1, 2.0]
    """
    changes = change_points([[value] for value in values])
    return values[changes[-1].at :] if changes else values


def threshold(level: Sequence[float], common_spread: float, least: float = LEAST_FACTOR) -> float:
    """Return the factor beyond which a new value is a step away from the median of a level of logarithms.

    Args:
        level: logarithms of at least two earlier results.
        common_spread: the spread of other benchmarks, against one that looks steady by luck.
        least: the smallest factor.
    """
    spread = max(statistics.stdev(level), common_spread)
    return max(least, math.exp(DEVIATIONS * spread * math.sqrt(1 + 1 / len(level))))
