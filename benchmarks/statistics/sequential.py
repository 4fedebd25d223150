"""A sequential test: after how many pairs of processes a case is decided, with an error rate that is fixed beforehand.

Each pair of processes gives one number, the logarithm of the ratio of times. After some numbers of pairs (the looks) a
t interval is computed. If every look used the same error rate, one of many looks would err sooner or later. So the
error rate of a run is divided: equally among its cases, and for each case 1/2, 1/6, 1/12, … of its part goes to the
first, second, third look (1 / (j (j + 1)) adds up to 1 over all j). By the union bound, all intervals at all looks of
all cases hold the true ratios with a probability of at least 1 − ``RUN_ERROR_RATE``, whenever the run is stopped.

The bound needs neither a last look nor independent cases. It needs numbers that are roughly normal.

A process can be slower than the next one throughout, by a fifth, in all that it computes. A control, whose code both
sides share, shows this. So there are two estimates of a case: the mean of its numbers, and their regression on those of
the control in the same pairs (analysis of covariance), which is the value of the line where the control takes the same
time at both sides, with the spread around the line. Both intervals share the error rate of the look, so that both hold
at once, and the narrower one is used. The regression is wide where the control moved, as after code that leaves less of
the control's data in the caches.
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
# A control whose logarithms differ by less than this, which is no more than rounding, says nothing.
LEAST_DIFFERENCE = 1e-9
# The forecast of the number of pairs goes no further.
MOST_PAIRS = 2000


@dataclass(frozen=True)
class Estimate:
    """An estimate of the logarithm of the ratio. Its standard error is ``spread`` · √``leverage``."""

    pairs: int
    change: float
    spread: float  # standard deviation between pairs; infinity if there are fewer than two
    leverage: float  # 1 / pairs for a mean, more for the value of a line at the control's 0
    degrees: int  # of freedom of the spread


@dataclass(frozen=True)
class Look:
    """The estimate at a look: the logarithm of the ratio, and the half-width of its interval."""

    number: int  # 1 for the first look
    pairs: int
    change: float
    reach: float  # infinity if there are fewer than two pairs
    spread: float  # standard deviation between pairs
    degrees: int  # of freedom of the spread
    intervals: int  # number of intervals that share the run's error rate


def looks(most: int) -> list[int]:
    """Return the numbers of pairs after which looks are taken.

    >>> looks(40)
    [6, 8, 11, 15, 20, 27, 36]
    """
    found = [FIRST_LOOK]
    while found[-1] <= most:
        found.append(math.ceil(found[-1] * GROWTH))
    return [pairs for pairs in found if pairs <= most]


def estimate(values: Sequence[float], control: Sequence[float] | None = None) -> Estimate:
    """Return the estimate from the logarithms of all pairs so far.

    Args:
        values: a logarithm for each pair.
        control: the logarithms of unchanged code in the same pairs, at least three.

    Raises:
        ValueError: for no values.
    """
    pairs = len(values)
    if not pairs:
        raise ValueError("no values to look at; allowed: one or more")
    y = np.asarray(values, dtype=float)
    x = np.zeros(pairs) if control is None else np.asarray(control, dtype=float)
    if np.ptp(x) < LEAST_DIFFERENCE:
        spread = float(y.std(ddof=1)) if pairs > 1 else math.inf
        return Estimate(pairs, float(y.mean()), spread, 1 / pairs, pairs - 1)
    centred = x - x.mean()
    squares = float(centred @ centred)
    slope = float(centred @ y) / squares
    rest = y - y.mean() - slope * centred
    change = float(y.mean() - slope * x.mean())
    spread = math.sqrt(float(rest @ rest) / (pairs - 2))
    return Estimate(pairs, change, spread, 1 / pairs + float(x.mean()) ** 2 / squares, pairs - 2)


def look(estimates: Sequence[Estimate], number: int, comparisons: int, least_spreads: Sequence[float] = ()) -> Look:
    """Put an interval around each estimate of a case, and return the narrowest.

    Args:
        number: the number of this look; every number may be used once, but after any number of pairs.
        comparisons: number of cases of the run, which share its error rate.
        least_spreads: the interval of each estimate is at least as wide as one of values with this standard deviation.
            With few pairs a case sometimes looks steady by luck. By default there is no such bound.
    """
    intervals = comparisons * len(estimates)
    found = []
    for one, least in zip(estimates, least_spreads or [0.0] * len(estimates), strict=True):
        spread = max(one.spread, least)
        reach = quantile(one.degrees, number, intervals) * spread * math.sqrt(one.leverage)
        found.append(Look(number, one.pairs, one.change, reach, spread, one.degrees, intervals))
    return min(found, key=lambda one: one.reach)


def quantile(degrees: int, number: int, intervals: int) -> float:
    """Return the t quantile of a look; infinity without degrees of freedom."""
    error_rate = RUN_ERROR_RATE / intervals / (number * (number + 1))
    return float(special.stdtrit(degrees, 1 - error_rate / 2)) if degrees > 0 else math.inf


def more_pairs(found: Look, at_least: float, moved: float = 1.0) -> int | None:
    """Forecast how many more pairs would decide a case, if its change and its spread stay as they are.

    A case is decided by an interval that leaves out either no change or the size asked about, each shifted by the
    factor ``moved`` (``statistics.verdicts``). Return None if more than ``MOST_PAIRS`` would be needed.
    """
    allowance = math.log(moved)
    wanted = max(found.change - allowance, math.log1p(at_least) - allowance - found.change)
    number, lost = found.number, found.pairs - found.degrees
    for pairs in looks(MOST_PAIRS):
        if pairs > found.pairs:
            number += 1
            if quantile(pairs - lost, number, found.intervals) * found.spread / math.sqrt(pairs) < wanted:
                return pairs - found.pairs
    return None
