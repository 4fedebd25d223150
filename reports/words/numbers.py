"""Numbers as they are written: significant digits, units, intervals, percentages, and lists of words."""

import math
import re
from collections.abc import Callable

import pandas as pd

from benchmarks.statistics import written
from benchmarks.statistics.intervals import Interval
from benchmarks.statistics.written import MOST_DIGITS, TOO_FEW

NOTHING = written.NOTHING
SECONDS = {"": 1.0, "m": 1e-3, "µ": 1e-6}


def digits(value: float, significant: int = 3) -> str:
    """Return plain decimals, rounded to a number of significant digits (1234 → 1230, 0.00123 → 0.00123)."""
    if not math.isfinite(value):
        return NOTHING
    if value == 0:
        return "0"
    if abs(value) >= 10**MOST_DIGITS:
        return f"{value:.{significant - 1}e}"
    decimals = significant - 1 - math.floor(math.log10(abs(value)))
    return f"{round(value, decimals):,.{max(decimals, 0)}f}"


def decimal(value: float) -> str:
    """Return one decimal, with a true minus and no negative zero."""
    return f"{round(value, 1) + 0.0:.1f}".replace("-", "−")


def exponential(value: float) -> str:
    return f"{value:.1e}".replace("e-0", "e-") if math.isfinite(value) else NOTHING


def general(value: float) -> str:
    """Return the shortest decimals of a number: `8`, `0.01`, `60000`."""
    if not math.isfinite(value):
        return NOTHING
    return f"{value:.0f}" if value == round(value) and abs(value) < 10**MOST_DIGITS else f"{value:g}"


def scaled(value: float, unit: str, steps: dict[str, float]) -> str:
    """Return the value with the first prefix in `steps` (prefix → size, descending) that makes it 1 or more."""
    if not math.isfinite(value):
        return NOTHING
    prefix, size = next(((p, s) for p, s in steps.items() if abs(value) >= s), list(steps.items())[-1])
    return f"{digits(value / size)} {prefix}{unit}"


def seconds(value: float) -> str:
    return scaled(value, "s", SECONDS)


def seconds_with_interval(time: Interval) -> str:
    """Return a time and its interval in one unit: `258 [204, 326] µs`; an exact time has none.

    >>> seconds_with_interval(Interval(2.58e-4, 2.04e-4, 3.26e-4))
    '258 [204, 326] µs'
    """
    if not math.isfinite(time.value):
        return NOTHING
    value, unit = seconds(time.value).split(" ")
    if time.low == time.high:
        return f"{value} {unit}"
    size = SECONDS[unit.removesuffix("s")]
    return f"{value} {bounds(time.low / size, time.high / size, digits)} {unit}"


def joules(value: float) -> str:
    return scaled(value, "J", {"": 1.0, "m": 1e-3, "µ": 1e-6})


def memory(value: float) -> str:
    return scaled(value, "B", {"Gi": 2.0**30, "Mi": 2.0**20, "Ki": 2.0**10, "": 1.0})


def count(value: float) -> str:
    return scaled(value, "", {"T": 1e12, "G": 1e9, "M": 1e6, "k": 1e3, "": 1.0}).strip()


def multiple(interval: Interval) -> str:
    """Return a ratio with its interval: `3.10× [2.92, 3.31]`; an exact ratio has none."""
    exact = interval.low == interval.high
    return f"{digits(interval.value)}×" + ("" if exact else f" {bounds(interval.low, interval.high, digits)}")


def bounds(low: float, high: float, show: Callable[[float], str]) -> str:
    """Return the ends of an interval: `[2.92, 3.31]`; words where n is too small for an interval."""
    return f"[{show(low)}, {show(high)}]" if math.isfinite(high - low) else f"({TOO_FEW})"


def percent(value: float, decimals: int = 1) -> str:
    if not math.isfinite(value):
        return NOTHING
    if abs(value) > 10:
        return f"{'>' if value > 0 else '<'} {'' if value > 0 else '−'}1000 %"
    least = 10.0**-decimals
    return f"< {least:g} %" if 0 < 100 * value < least else f"{100 * value:.{decimals}f} %".replace("-", "−")


def part_of_whole(value: float) -> str:
    """Return a share in percent; a part that was timed apart from its whole may seem larger than the whole."""
    return "over 100 %" if value > 1 else percent(value)


def signed_percent(value: float) -> str:
    """Return a relative change in percent, with a true minus."""
    return f"{written.number(100 * value, '+.1f')} %".replace("-", "−")


def percentage_points(difference: Interval) -> str:
    """Return a difference of accuracies in percentage points: `+9.1 [7.0, 11.2]`."""
    sign = "+" if difference.value >= 0 else ""
    ends = bounds(difference.low, difference.high, lambda end: decimal(100 * end))
    return f"{sign}{decimal(100 * difference.value)} {ends}"


def mean_sd(mean: float, sd: float) -> str:
    """Return an accuracy over seeds, `96.1 ± 0.4 %`; the spread is left out where there was one seed.

    A spread that one decimal would show as 0.0 has two: `95.04 ± 0.03 %`.
    """
    decimals = 2 if 0 < 100 * sd < 0.05 else 1
    return f"{100 * mean:.{decimals}f} ± {100 * sd:.{decimals}f} %" if math.isfinite(sd) else percent(mean)


def unbroken(text: str) -> str:
    """Allow no line break between a number and its unit, within an interval, nor around =, ±, × and /."""
    text = re.sub(r" (=|±|×|/) ", "\u00a0\\1\u00a0", text).replace("|\u00a0", "|\u2060\u00a0")  # lines break after bars
    text = re.sub(r"(\[[^\[\], ]+,) (?=[^\[\], ]+\])", "\\1\u00a0", text)
    return re.sub(r"(?<=[\d\]]) (?=(%|s|ms|µs|[GMK]?i?B)\b|%)", "\u00a0", text)


def span(values: pd.Series) -> str:
    """Return the range of a count, such as the n of a figure's points: `3` if all are equal, else `3–5`."""
    known = values.dropna()
    if known.empty:
        return "unknown"
    low, high = int(known.min()), int(known.max())
    return f"{low}" if low == high else f"{low}–{high}"


def spans(values: pd.Series, noun: str, ending: str = "s") -> str:
    """Return the range of a count, with its noun: `1 seed`, `3–5 seeds`."""
    return f"{span(values)} {noun}{'' if values.max() == 1 else ending}"


def processes(rounds: pd.Series) -> str:
    """Return the number of processes in which something was timed: `5 processes`."""
    return spans(rounds, "process", "es")
