"""A sequential test: after how many pairs of processes a case is decided, with an error rate that is fixed beforehand.

Each pair of processes gives one number, the logarithm of the ratio of times. After some numbers of pairs (the looks) a
t interval is computed. If every look used the same error rate, one of many looks would err sooner or later. So the
error rate of a run is divided: equally among its cases, and for each case 1/2, 1/6, 1/12, … of its part goes to the
first, second, third look (1 / (j (j + 1)) adds up to 1 over all j). By the union bound, all intervals at all looks of
all cases hold the true ratios with a probability of at least 1 − ``RUN_ERROR_RATE``, whenever the run is stopped.

The bound needs neither a last look nor independent cases. It needs numbers that are roughly normal.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

# Two-sided. A run of unchanged code has a case that is wrongly called slower in at most half as many runs.
RUN_ERROR_RATE = 0.01
# Looks are taken after this number of pairs, and whenever the number has grown by this factor.
FIRST_LOOK, GROWTH = 6, 4 / 3
# The forecast of the number of pairs goes no further.
MOST_PAIRS = 2000


@dataclass(frozen=True)
class Look:
    """The estimate at a look: the logarithm of the ratio, and the half-width of its interval."""

    number: int  # 1 for the first look
    pairs: int
    change: float
    reach: float  # infinity if there are fewer than two pairs
    spread: float  # standard deviation between pairs


def looks(most: int) -> list[int]:
    """Return the numbers of pairs after which looks are taken.

    >>> looks(40)
    [6, 8, 11, 15, 20, 27, 36]
    """
    found = [FIRST_LOOK]
    while found[-1] <= most:
        found.append(math.ceil(found[-1] * GROWTH))
    return [pairs for pairs in found if pairs <= most]


def look(values: Sequence[float], number: int, comparisons: int, least_spread: float = 0.0) -> Look:
    """Return the estimate from the logarithms of all pairs so far.

    Args:
        values: a logarithm for each pair.
        number: the number of this look; every number may be used once, but after any number of pairs.
        comparisons: number of cases of the run, which share its error rate.
        least_spread: the interval is at least as wide as one of values with this standard deviation. With few pairs a
            case sometimes looks steady by luck.

    Raises:
        ValueError: for no values.
    """
    if not values:
        raise ValueError("no values to look at; allowed: one or more")
    spread = max(spread_of(values), least_spread)
    reach = quantile(len(values), number, comparisons) * spread / math.sqrt(len(values))
    return Look(number, len(values), float(np.mean(values)), reach, spread)


def spread_of(values: Sequence[float]) -> float:
    """Return the standard deviation between pairs; infinity for fewer than two, whose spread is unknown."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else math.inf


def quantile(pairs: int, number: int, comparisons: int) -> float:
    """Return the t quantile of a look; infinity for fewer than two pairs."""
    error_rate = RUN_ERROR_RATE / comparisons / (number * (number + 1))
    return float(special.stdtrit(pairs - 1, 1 - error_rate / 2)) if pairs > 1 else math.inf


def more_pairs(found: Look, comparisons: int, at_least: float, moved: float = 1.0) -> int | None:
    """Forecast how many more pairs would decide a case, if its change and its spread stay as they are.

    A case is decided by an interval that leaves out either no change or the size asked about, each shifted by the
    factor ``moved`` (``statistics.verdicts``). Return None if more than ``MOST_PAIRS`` would be needed.
    """
    allowance = math.log(moved)
    wanted = max(found.change - allowance, math.log1p(at_least) - allowance - found.change)
    number = found.number
    for pairs in looks(MOST_PAIRS):
        if pairs > found.pairs:
            number += 1
            if quantile(pairs, number, comparisons) * found.spread / math.sqrt(pairs) < wanted:
                return pairs - found.pairs
    return None
