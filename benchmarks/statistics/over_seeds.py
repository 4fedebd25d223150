"""Means over a few seeds of a network, and tests between networks.

Seeds are the only replicates: intervals and tests are about other seeds on the same images, not about other images.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from benchmarks.statistics.comparison import FAMILY_ERROR_RATE

CONFIDENCE = 0.95
RESAMPLES = 4000
# The percentile-t bootstrap needs this many seeds; with fewer, most resamples repeat one value.
BOOTSTRAP_SEEDS = 5
# The least standard deviation of a resample, as a share of that of the seeds: without it, resamples of nearly equal
# values make intervals hundreds of standard deviations wide, and the coverage is the same.
LEAST_RESAMPLED = 0.25
# A test needs this many seeds; the differences of two seeds are too often equal by rounding.
DECIDING_SEEDS = 3
VERDICTS = ("supports", "contradicts", "cannot decide")


@dataclass(frozen=True)
class Estimate:
    """A mean over ``n`` seeds (NaN for no seed) and its 95 % interval (infinite for fewer than two seeds)."""

    mean: float
    low: float
    high: float
    n: int

    def within(self, low: float, high: float) -> "Estimate":
        """Return the estimate with its interval cut to the range of the quantity, such as 0 to 1 for an accuracy."""
        return Estimate(self.mean, max(self.low, low), min(self.high, high), self.n)


@dataclass(frozen=True)
class Test:
    """A paired t test of a mean difference against a threshold."""

    difference: Estimate  # its interval is not corrected for the other tests of the family
    threshold: float
    p: float  # two-sided p value, if the true difference equals the threshold
    adjusted: float  # p after Holm's correction
    word: str  # one of ``VERDICTS``, about the claim that the difference is larger than the threshold


def estimate(values: Sequence[float], *, step: float = 0.0) -> Estimate:
    """Return the mean over seeds with a 95 % interval: percentile-t bootstrap for five or more seeds, else Student's.

    With five seeds, the interval covers the true mean of a normal distribution in 95 of 100 cases (plain percentile
    bootstrap: 85), and that of an exponential distribution in 92 (80). With three seeds, Student's interval covers
    them in 95 and in 88 cases. If one seed in five fails completely, no interval from five seeds is right: this one
    covers the mean in about 68 of 100. The same values always give the same interval.

    Args:
        values: one value per seed.
        step: smallest possible difference of two values (for an accuracy, one divided by the number of images), so that
            seeds with equal values do not give an interval of width 0.
    """
    sample = np.asarray(values, dtype=np.float64)
    n = len(sample)
    mean = float(sample.mean()) if n else math.nan
    if n < 2:
        return Estimate(mean, -math.inf, math.inf, n)
    error = _standard_error(sample, step)
    tail = (1 - CONFIDENCE) / 2
    upper = float(special.stdtrit(n - 1, 1 - tail))
    lower = -upper
    if n >= BOOTSTRAP_SEEDS and sample.std(ddof=1) > _least_spread(step):
        resamples = sample[np.random.default_rng(0).integers(n, size=(RESAMPLES, n))]
        least = max(LEAST_RESAMPLED * float(sample.std(ddof=1)), _least_spread(step))
        errors = np.maximum(resamples.std(axis=1, ddof=1), least) / math.sqrt(n)
        t = (resamples.mean(axis=1) - mean) / errors
        lower, upper = (float(q) for q in np.quantile(t, [tail, 1 - tail]))
    return Estimate(mean, mean - upper * error, mean - lower * error, n)


def paired_tests(
    pairs: Sequence[tuple[Sequence[float], Sequence[float]]], *, threshold: float = 0.0, step: float = 0.0
) -> list[Test]:
    """Test for each pair of a family whether a is larger than b by more than a threshold.

    The tests are two-sided paired t tests, corrected by Holm 1979, so that at most 1 of 20 families has a wrong word.
    (Tests of signs or permutations cannot decide with five seeds, because their p is at least 1/16.)

    Args:
        pairs: values of a and of b, seed by seed.
        threshold: threshold of a − b; a threshold of −margin tests whether a is worse than b by less than the margin.
        step: smallest possible difference of two values, see ``estimate``.

    Returns:
        A test for each pair. Its word is "supports" if a − b is above the threshold, "contradicts" if it is below the
        threshold, and "cannot decide" otherwise, and always for fewer than three seeds.

    Raises:
        ValueError: for pairs with unequal numbers of seeds.
    """
    for a, b in pairs:
        if len(a) != len(b):
            raise ValueError(f"{len(a)} and {len(b)} seeds are not pairs; allowed: equally many")
    differences = [np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64) for a, b in pairs]
    ps = [p_value(difference, threshold, step) for difference in differences]
    tests = []
    for difference, p, adjusted in zip(differences, ps, holm(ps), strict=True):
        found = estimate(difference.tolist(), step=step)
        decided = "supports" if found.mean > threshold else "contradicts"
        tests.append(Test(found, threshold, p, adjusted, decided if adjusted < FAMILY_ERROR_RATE else "cannot decide"))
    return tests


def holm(ps: Sequence[float]) -> list[float]:
    """Return p values corrected for their number (Holm 1979), in the same order.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(ps)), key=lambda i: ps[i])
    adjusted = [1.0] * len(ps)
    highest = 0.0
    for rank, i in enumerate(order):
        highest = max(highest, min(1.0, (len(ps) - rank) * ps[i]))
        adjusted[i] = highest
    return adjusted


def p_value(differences: Sequence[float] | NDArray[np.float64], threshold: float = 0.0, step: float = 0.0) -> float:
    """Return the two-sided p value of a t test of a mean difference against a threshold; 1 for too few seeds.

    Args:
        differences: one for each seed; fewer than ``DECIDING_SEEDS`` show nothing.
        step: smallest possible difference of two values, see ``estimate``.
    """
    sample = np.asarray(differences, dtype=np.float64)
    n = len(sample)
    if n < DECIDING_SEEDS:
        return 1.0
    away, error = abs(float(sample.mean()) - threshold), _standard_error(sample, step)
    if error == 0:
        return 1.0  # equal values do not show how much seeds differ
    return float(2 * special.stdtr(n - 1, -away / error))


def rounded_off(value: float) -> float:
    """Return a value to 12 decimals, without the rounding error of its arithmetic, to compare with a threshold.

    >>> 0.95 - 0.94 > 0.01, rounded_off(0.95 - 0.94) > 0.01
    (True, False)
    """
    return round(value, 12)


def _standard_error(values: NDArray[np.float64], step: float) -> float:
    return max(float(values.std(ddof=1)), _least_spread(step)) / math.sqrt(len(values))


def _least_spread(step: float) -> float:
    """Return the standard deviation that rounding to a step causes."""
    return step / math.sqrt(12)
