"""Estimates with intervals: ratios of two estimates, and slopes on logarithms."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from benchmarks.statistics.written import FEWEST


class Interval(NamedTuple):
    """An estimate and its interval; the bounds are NaN where the data cannot give an interval."""

    value: float
    low: float
    high: float


def ratio(numerator: Interval, denominator: Interval) -> Interval:
    """Return the ratio of two independent positive estimates, and its interval (MOVER on the logarithms).

    Zou & Donner 2008: the squared distances from estimate to bound add up like variances. The method needs neither
    raw samples nor a bootstrap. With an exact denominator, the relative interval is that of the numerator.
    """
    a, b = (Interval(*np.log(estimate)) for estimate in (numerator, denominator))
    value = a.value - b.value
    low = value - math.hypot(a.value - a.low, b.high - b.value)
    high = value + math.hypot(a.high - a.value, b.value - b.low)
    return Interval(math.exp(value), math.exp(low), math.exp(high))


def scaling_exponent(x: Sequence[float], y: Sequence[float]) -> Interval:
    """Fit the slope of log y against log x by least squares, with Student's 95 % interval.

    Two points give a slope and no interval (NaN); fewer than two distinct x give NaN.
    """
    u, v = np.log(np.asarray(x, dtype=float)), np.log(np.asarray(y, dtype=float))
    if len(np.unique(u)) < 2:
        return Interval(math.nan, math.nan, math.nan)
    centred = u - u.mean()
    slope = float(centred @ v / (centred @ centred))
    freedom = len(u) - 2
    if freedom < 1:
        return Interval(slope, math.nan, math.nan)
    residual = v - v.mean() - slope * centred
    error = math.sqrt(residual @ residual / freedom / (centred @ centred))
    half = float(stats.t.ppf(0.975, freedom)) * error
    return Interval(slope, slope - half, slope + half)


def mean_over_rounds(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """Return the mean of one number from each round, with Student's interval of this confidence.

    The bounds are NaN below three rounds.

    >>> mean_over_rounds([1.0, 3.0])
    Interval(value=2.0, low=nan, high=nan)
    """
    mean = float(np.mean(values))
    if len(values) < FEWEST:
        return Interval(mean, math.nan, math.nan)
    half = float(stats.t.ppf((1 + confidence) / 2, len(values) - 1) * np.std(values, ddof=1)) / math.sqrt(len(values))
    return Interval(mean, mean - half, mean + half)


def difference_of_means(a: Sequence[float], b: Sequence[float], confidence: float) -> Interval:
    """Return the mean of b less the mean of a, and Welch's interval; a side has one number from each round.

    The bounds are NaN if a side has less than three rounds.
    """
    difference = float(np.mean(b) - np.mean(a))
    if min(len(a), len(b)) < FEWEST:
        return Interval(difference, math.nan, math.nan)
    errors = [float(np.std(values, ddof=1)) / math.sqrt(len(values)) for values in (a, b)]
    freedom = welch_freedom(errors, [len(a), len(b)])
    half = float(stats.t.ppf((1 + confidence) / 2, freedom)) * math.hypot(*errors)
    return Interval(difference, difference - half, difference + half)


def welch_freedom(errors: Sequence[float], sizes: Sequence[int]) -> float:
    """Return the degrees of freedom of a difference of means (Welch, Satterthwaite); 0 if a side has too few values.

    ``errors`` are the standard errors of the means, and ``sizes`` the numbers of values.
    """
    if min(sizes) < FEWEST:
        return 0.0
    total = sum(error**2 for error in errors) ** 2
    parts = sum(error**4 / (size - 1) for error, size in zip(errors, sizes, strict=True))
    return total / parts if parts > 0 else sum(sizes) - 2.0
