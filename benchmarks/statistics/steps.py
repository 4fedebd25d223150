"""Steps in the history of a benchmark: where its present level begins, and which new value is a step away from it.

This module needs only the standard library.
"""

import itertools
import math
import statistics
from collections.abc import Sequence

# With fewer earlier results on the present level, the spread of the benchmark is not known.
FEWEST_RESULTS = 4
# Older results than so many say nothing about the present, and would take time.
MOST_RESULTS = 100
# A new value is a step if it is more than this number of standard deviations away from the present level. The smallest
# step is that of ``LEAST_FACTOR``, also for a quantity that is the same in every run.
DEVIATIONS = 4.0
LEAST_FACTOR = 1.05
# A change point is looked for between at most so many values before and after it, and at least so many: one disturbed
# run among three does not move a median.
MOST_AROUND, FEWEST_AROUND = 8, 3
# The medians before and after a change point are at least so many standard errors apart.
STANDARD_ERRORS = 5.0
# The standard error of a median in standard errors of the mean, and the median of |x − y| for two values with standard
# deviation 1.
MEDIAN_ERROR, MEDIAN_DIFFERENCE = math.sqrt(math.pi / 2), 0.6745 * math.sqrt(2)


def present_level(values: Sequence[float]) -> Sequence[float]:
    """Return the values from the last change point on.

    A change point is a place where the medians of the neighbouring values before and after differ by
    ``STANDARD_ERRORS``. Of adjacent places the one counts whose two medians fit best; only the last ``MOST_AROUND`` of
    them can belong to the last change. The spread is that of successive values of the whole history, which changes of
    level hardly affect.

    >>> present_level([1.0, 1.1, 1.0, 2.0, 2.1, 2.0])
    [2.0, 2.1, 2.0]
    """
    places = range(FEWEST_AROUND, len(values) - FEWEST_AROUND + 1)
    spread = _spread_of_successive(values)
    changed = [place for place in places if _standard_errors(values, place, spread) >= STANDARD_ERRORS]
    if not changed:
        return values
    backwards = range(changed[-1], changed[-1] - MOST_AROUND, -1)
    adjacent = sorted(itertools.takewhile(changed.__contains__, backwards))
    return values[min(adjacent, key=lambda place: _misfit(values, place)) :]


def _around(values: Sequence[float], place: int) -> tuple[Sequence[float], Sequence[float]]:
    return values[max(place - MOST_AROUND, 0) : place], values[place : place + MOST_AROUND]


def _spread_of_successive(values: Sequence[float]) -> float:
    """Return the standard deviation that follows from the differences of successive values; 0 for fewer than two."""
    differences = [abs(y - x) for x, y in itertools.pairwise(values)]
    return statistics.median(differences) / MEDIAN_DIFFERENCE if differences else 0.0


def _standard_errors(values: Sequence[float], place: int, spread: float) -> float:
    """Return the distance of the medians before and after a place in standard errors; 0 for equal medians."""
    before, after = _around(values, place)
    apart = abs(statistics.median(after) - statistics.median(before))
    error = MEDIAN_ERROR * spread * math.sqrt(1 / len(before) + 1 / len(after))
    return apart / error if error > 0 else math.inf if apart > 0 else 0.0


def _misfit(values: Sequence[float], place: int) -> float:
    """Return the sum of the distances of the neighbouring values to the median of their side."""
    return sum(abs(value - statistics.median(side)) for side in _around(values, place) for value in side)


def threshold(level: Sequence[float], common_spread: float) -> float:
    """Return the factor beyond which a new value is a step away from the median of a level of logarithms.

    Args:
        level: logarithms of at least two earlier results.
        common_spread: the spread of other benchmarks, against one that looks steady by luck.
    """
    spread = max(statistics.stdev(level), common_spread)
    return max(LEAST_FACTOR, math.exp(DEVIATIONS * spread * math.sqrt(1 + 1 / len(level))))
