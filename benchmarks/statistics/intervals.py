"""Estimates with intervals: ratios of two estimates, and slopes on logarithms."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats


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
