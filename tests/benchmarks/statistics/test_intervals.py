"""Intervals against independent computation: scipy, and simulated experiments."""

import math

import numpy as np
import pytest
from scipy import stats

from benchmarks.statistics.intervals import Interval, ratio, scaling_exponent


def test_ratio_of_exact_numbers_is_exact():
    assert ratio(Interval(6, 6, 6), Interval(2, 2, 2)) == pytest.approx((3, 3, 3))


def test_ratio_over_an_exact_denominator_keeps_the_relative_interval():
    assert ratio(Interval(10, 8, 13), Interval(2, 2, 2)) == pytest.approx((5, 4, 6.5))


def test_interval_of_a_ratio_covers_95_percent_of_simulated_experiments():
    rng = np.random.default_rng(0)
    sigma_a, sigma_b, covered, trials = 0.2, 0.1, 0, 4000
    for log_a, log_b in zip(rng.normal(0, sigma_a, trials), rng.normal(0, sigma_b, trials), strict=True):
        a, b = (Interval(*np.exp([x, x - 1.96 * s, x + 1.96 * s])) for x, s in ((log_a, sigma_a), (log_b, sigma_b)))
        estimate = ratio(a, b)
        covered += estimate.low <= 1.0 <= estimate.high
    assert covered / trials == pytest.approx(0.95, abs=0.015)


def test_scaling_exponent_agrees_with_scipy():
    x, y = [2, 4, 8, 16, 32], [3.1, 9.0, 40.0, 130.0, 500.0]
    fit = stats.linregress(np.log(x), np.log(y))
    half = stats.t.ppf(0.975, 3) * fit.stderr
    expected = (fit.slope, fit.slope - half, fit.slope + half)
    assert scaling_exponent(x, y) == pytest.approx(expected)


def test_scaling_exponent_needs_points():
    assert math.isnan(scaling_exponent([2, 2], [1.0, 2.0]).value)
    two = scaling_exponent([2, 4], [1.0, 8.0])
    assert two.value == pytest.approx(3)
    assert math.isnan(two.low)
