"""Numbers as they are written."""

import math

import pandas as pd
import pytest

from benchmarks.statistics.intervals import Interval
from reports.words import numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234567, "1,230,000"), (999.6, "1,000"), (12.345, "12.3"), (0.001234, "0.00123"), (0, "0"), (math.nan, "–")],
)
def test_digits(value, text):
    assert numbers.digits(value) == text


@pytest.mark.parametrize(
    ("function", "value", "text"),
    [
        (numbers.seconds, 1.5, "1.50 s"),
        (numbers.seconds, 0.0123, "12.3 ms"),
        (numbers.seconds, 45.6e-6, "45.6 µs"),
        (numbers.seconds, 1e-9, "0.00100 µs"),
        (numbers.seconds, math.nan, "–"),
        (numbers.memory, 3 * 2**20, "3.00 MiB"),
        (numbers.memory, 100, "100 B"),
        (numbers.count, 5.14e9, "5.14 G"),
        (numbers.count, 12, "12.0"),
        (numbers.percent, 0.1234, "12.3 %"),
        (numbers.percent, 0.0001, "< 0.1 %"),
        (numbers.percent, 0.0, "0.0 %"),
        (numbers.exponential, 3.2e-7, "3.2e-7"),
        (numbers.decimal, -0.04, "0.0"),
        (numbers.decimal, -1.26, "−1.3"),
    ],
)
def test_units(function, value, text):
    assert function(value) == text


def test_ratios_show_their_interval_only_where_they_have_one():
    assert numbers.multiple(Interval(3.1, 2.9, 3.3)) == "3.10× [2.90, 3.30]"
    assert numbers.multiple(Interval(8, 8, 8)) == "8.00×"
    assert numbers.multiple(Interval(8, math.nan, math.nan)) == "8.00× (n too small for an interval)"
    assert numbers.multiple(Interval(8, 0, math.inf)) == "8.00× (n too small for an interval)"


@pytest.mark.parametrize(
    "write", [numbers.digits, numbers.seconds, numbers.count, numbers.percent, numbers.signed_percent]
)
@pytest.mark.parametrize("value", [3.9e22, -3.9e22, 1e300, math.nan, math.inf])
def test_no_number_is_written_with_endless_digits(write, value):
    text = write(value)
    assert sum(map(str.isdigit, text)) <= 9
    assert "nan" not in text
    assert "inf" not in text


def test_accuracy_of_one_seed_has_no_spread():
    assert numbers.mean_sd(0.961, 0.004) == "96.1 ± 0.4 %"
    assert numbers.mean_sd(0.961, math.nan) == "96.1 %"


def test_span():
    assert numbers.span(pd.Series([3, 3])) == "3"
    assert numbers.span(pd.Series([7, 500, math.nan])) == "7–500"


def test_processes_are_counted():
    assert [numbers.processes(pd.Series(n)) for n in ([1.0], [5.0, 5.0], [1.0, 5.0])] == [
        "1 process",
        "5 processes",
        "1–5 processes",
    ]


def test_units_do_not_break_from_their_numbers():
    assert numbers.unbroken("|H| = 8") == "|H|\u2060\u00a0=\u00a08"
    assert numbers.unbroken("n = 3, 95 % in 2.5 ms a b") == "n\u00a0=\u00a03, 95\u00a0% in 2.5\u00a0ms a b"
