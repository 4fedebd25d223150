"""Change points of a history: every step and every slow drift in a series of logarithms, with its size and its date.

A history is divided into levels so that the sum of squares around the levels is least, with a price for each level
(optimal partitioning). The price is a number of standard errors, whose unit is the spread of repetitions or of
successive values, so changes of level hardly affect the unit. Then each step is compared with a straight line between
the two levels, a drift. Single outliers are pulled to their neighbours first. ``python -m
benchmarks.evidence.histories`` counts how often histories of unchanged code get a change, and how often planted
changes are found.

This module needs only the standard library.
"""

import itertools
import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

STEP, DRIFT, EITHER = "step", "drift", "step or drift"
# A level has at least so many values: one disturbed run among three does not move a median.
FEWEST = 3
# A drift takes at least so many runs from its first to its last. A shorter one is a step, or a few disturbed runs.
SHORTEST_DRIFT = 5
# The price of a change in standard errors. A series without changes gets one in about one of 500 cases at ``SURE``,
# and in one of 100 at 4.
SURE = 5.0
# Suites store six digits: smaller differences are rounding.
LEAST_SPREAD = 1e-5
# Values further from the median of their neighbours than so many standard deviations are pulled to this distance.
MOST_DEVIATIONS = 2.5
# The bound of the likelihood ratio for the place of a change that holds the true place in 95 % (Hansen 2000).
PLACE_BOUND = 7.35
# The bound of the likelihood ratio for one parameter at 5 %: less does not tell a step from a drift.
SHAPE_BOUND = 3.84
# The median of |x| for a standard deviation of 1, and the normal quantile of a two-sided interval of 99 %.
MEDIAN_DEVIATION, QUANTILE = 0.6745, 2.576
# The normal quantile of 80 %.
POWER_QUANTILE = 0.842
MOST_CORRELATION = 0.8


@dataclass(frozen=True)
class Change:
    """A change between runs, which are numbered from 0, and its size as a difference of logarithms.

    A step lies after the run ``before`` and not after the run ``after``; the first run on the new level is most likely
    ``at``. A drift lasts from ``before``, the last run on the old level, to ``after``, the first on the new one.
    """

    shape: str  # STEP, DRIFT, or EITHER where the values do not tell a step from a drift
    before: int
    at: int
    after: int
    size: float
    error: float  # standard error of the size

    @property
    def ratio(self) -> float:
        return math.exp(self.size)

    @property
    def bounds(self) -> tuple[float, float]:
        """The 99 % interval of the ratio."""
        return math.exp(self.size - QUANTILE * self.error), math.exp(self.size + QUANTILE * self.error)


def change_points(
    runs: Sequence[Sequence[float]], *, sure: float = SURE, correlation: float = 0.0, fewest: int = FEWEST
) -> list[Change]:
    """Return the changes of a history, the earliest first.

    Args:
        runs: for each run, oldest first, its values as logarithms: at least one, several if it was repeated.
        sure: the price of a change in standard errors.
        correlation: of successive values, from ``correlation_of``; it makes the standard errors greater.
        fewest: the values of a level: with one more, several disturbed runs in succession are no level.

    >>> [change] = change_points([[0.0]] * 6 + [[0.1]] * 6)
    >>> change.shape, change.before, change.at, change.after, round(change.size, 3)
    ('step', 5, 6, 6, 0.1)
    """
    values = [value for run in runs for value in run]
    if len(values) < 2 * fewest:
        return []
    pulled = iter(_pulled(values, max(_spread(runs), LEAST_SPREAD), fewest))
    sums = _Sums([[next(pulled) for _ in run] for run in runs])
    unit = _unit(runs, correlation)
    price = sure**2 * unit**2
    borders = _partition(sums, price, fewest)
    return [replace(change, error=change.error * unit) for change in _shaped(sums, borders, price, unit**2)]


def smallest_step(runs: Sequence[Sequence[float]], *, sure: float = SURE, correlation: float = 0.0) -> float:
    """Return the step, as a fraction, that ``change_points`` finds in four of five cases in the middle of a history."""
    n = sum(map(len, runs))
    return math.expm1((sure + POWER_QUANTILE) * _unit(runs, correlation) * math.sqrt(4 / n)) if n else math.inf


def without_changes(runs: Sequence[Sequence[float]], changes: Sequence[Change]) -> list[float]:
    """Return the values of all runs as they would be if nothing had changed, except for noise."""
    return [
        value - sum(_share(change, k) * change.size for change in changes)
        for k, run in enumerate(runs)
        for value in run
    ]


def _share(change: Change, run: int) -> float:
    """Return the share of a change that has happened at a run."""
    if change.shape != DRIFT:
        return float(run >= change.at)
    return min(max((run - change.before) / (change.after - change.before), 0.0), 1.0)


def _unit(runs: Sequence[Sequence[float]], correlation: float) -> float:
    """Return the standard deviation of a value that makes the standard errors of means right despite a correlation.

    Differences of neighbours have the variance 2·σ²·(1 − ρ), and means of n values nearly σ²·(1 + ρ) / (1 − ρ) / n.
    """
    return max(_spread(runs), LEAST_SPREAD) * math.sqrt(1 + correlation) / (1 - correlation)


def spread_of_successive(values: Sequence[float], lag: int = 1) -> float:
    """Return the standard deviation that follows from the differences of values ``lag`` apart; 0 for fewer than two.

    Differences beyond three deviations count as three.
    """
    return _spread_of([y - x for x, y in zip(values, values[lag:], strict=False)])


def _spread(runs: Sequence[Sequence[float]]) -> float:
    """Return the spread of repetitions of a run where there are enough, else that of successive values."""
    within = [y - x for run in runs for x, y in itertools.pairwise(run)]
    if len(within) >= 2 * FEWEST:
        return _spread_of(within)
    return spread_of_successive([value for run in runs for value in run])


def _spread_of(differences: Sequence[float]) -> float:
    if not differences:
        return 0.0
    most = 3 * statistics.median(map(abs, differences)) / MEDIAN_DEVIATION
    return math.sqrt(statistics.fmean(min(abs(difference), most) ** 2 for difference in differences) / 2)


def correlation_of(histories: Sequence[Sequence[float]]) -> float:
    """Return the correlation of successive values, the median over histories of one machine; 0 if it is negative.

    The variance of differences of values two apart is 1 + correlation times that of neighbours.
    """
    found = []
    for values in histories:
        if (near := spread_of_successive(values)) > LEAST_SPREAD and len(values) >= 2 * FEWEST:
            found.append((spread_of_successive(values, 2) / near) ** 2 - 1)
    return min(max(statistics.median(found), 0.0), MOST_CORRELATION) if found else 0.0


def _pulled(values: Sequence[float], spread: float, fewest: int) -> Iterator[float]:
    """Yield the values, each at most ``MOST_DEVIATIONS`` from the median of the nearest values around it."""
    width = 2 * fewest - 1  # the shortest level is the majority of such a window
    for place, value in enumerate(values):
        first = min(max(place - width // 2, 0), len(values) - width)
        middle = statistics.median(values[first : first + width])
        most = MOST_DEVIATIONS * spread
        yield min(max(value, middle - most), middle + most)


class _Sums:
    """Sums over runs [0, k) of n, k·n, k²·n, y, k·y and y², from which every fit follows at once."""

    def __init__(self, runs: Sequence[Sequence[float]]) -> None:
        centre = statistics.median(value for run in runs for value in run)
        terms: list[tuple[float, ...]] = []
        for k, run in enumerate(runs):
            n, y = len(run), sum(value - centre for value in run)
            terms.append((n, k * n, k * k * n, y, k * y, sum((value - centre) ** 2 for value in run)))
        self.runs = len(runs)
        self.columns: list[list[float]] = [
            list(itertools.accumulate(column, initial=0.0)) for column in zip(*terms, strict=True)
        ]

    def over(self, first: int, last: int) -> list[float]:
        return [column[last] - column[first] for column in self.columns]

    def count(self, first: int, last: int) -> float:
        return self.columns[0][last] - self.columns[0][first]

    def misfit(self, first: int, last: int) -> float:
        """Return the sum of squares around the mean of the runs [first, last)."""
        n, y, squares = (self.columns[c][last] - self.columns[c][first] for c in (0, 3, 5))
        return max(squares - y * y / n, 0.0)

    def ramp(self, first: int, last: int, begin: int, end: int) -> tuple[float, float, float]:
        """Fit a level up to the run ``begin``, a line from there to ``end``, and a level from there on.

        Returns:
            The squares that the fit saves, compared with one level over [first, last); the size of the change; the
            square of its standard error for values with variance 1. A step is the shortest line.
        """
        n, _, _, y, _, _ = self.over(first, last)
        rising, after = self.over(begin, end), self.over(end, last)
        length = end - begin
        w = (rising[1] - begin * rising[0]) / length + after[0]
        ww = (rising[2] - 2 * begin * rising[1] + begin**2 * rising[0]) / length**2 + after[0]
        wy = (rising[4] - begin * rising[3]) / length + after[3]
        weight, product = ww - w * w / n, wy - w * y / n
        return product**2 / weight, product / weight, 1 / weight


def _partition(sums: _Sums, price: float, fewest: int) -> list[int]:
    """Return the borders of the levels, with 0 and the number of runs, that cost least."""
    counts, totals, squares = (sums.columns[c] for c in (0, 3, 5))
    best, before = [-price] + [math.inf] * sums.runs, [0] * (sums.runs + 1)
    for last in range(1, sums.runs + 1):
        n, y, yy = counts[last], totals[last], squares[last]
        for first in range(last):
            if best[first] < math.inf and n - counts[first] >= fewest:
                misfit = yy - squares[first] - (y - totals[first]) ** 2 / (n - counts[first])
                cost = best[first] + max(misfit, 0.0) + price
                if cost < best[last]:
                    best[last], before[last] = cost, first
    borders = [sums.runs]
    while borders[-1] > 0:
        borders.append(before[borders[-1]])
    return borders[::-1]


def _shaped(sums: _Sums, borders: Sequence[int], price: float, variance: float) -> list[Change]:
    """Return the changes: steps at the borders, drifts where these fit better, and drifts within levels."""
    found, start, left = [], 0, list(borders[1:])
    while len(left) > 1:
        change, used = _first_change(sums, start, left, price, variance)
        found.append(change)
        start, left = change.at, left[used:]
    firsts = [0, *(change.at for change in found)]
    lasts = [*(change.before + 1 if change.shape == DRIFT else change.at for change in found), sums.runs]
    for first, last in zip(firsts, lasts, strict=True):
        # A drift that is worth its price is worth half of it as a step, which is much faster to look for.
        if max((sums.ramp(first, last, k - 1, k)[0] for k in range(first + 1, last)), default=0.0) > price / 2:
            drift = _drift(sums, first, last)
            if drift is not None and drift[1] > price:
                found.append(drift[0])
    return sorted(found, key=lambda change: change.at)


def _first_change(sums: _Sums, start: int, borders: Sequence[int], price: float, variance: float) -> tuple[Change, int]:
    """Return the change at the first of the borders that follow ``start``, and the number of borders that it takes.

    Successive steps in one direction are a drift where a line fits better, at the price of one change.
    """
    means = [_mean(sums, first, last) for first, last in itertools.pairwise((start, *borders))]
    up = [y > x for x, y in itertools.pairwise(means)]
    together = len(list(itertools.takewhile(lambda rises: rises == up[0], up)))
    step = _step(sums, start, borders[0], borders[1], variance)
    for used in range(together, 0, -1):
        drift = _drift(sums, start, borders[used])
        if drift is None:
            continue
        change, saved = drift
        levels = sum(sums.misfit(first, last) for first, last in itertools.pairwise((start, *borders[: used + 1])))
        steps_saved = sums.misfit(start, borders[used]) - levels
        better = saved - price - (steps_saved - used * price)
        if better >= SHAPE_BOUND * variance:
            return change, used
        if used == 1 and better > 0:
            before, after = min(step.before, change.before), max(step.after, change.after)
            return replace(step, shape=EITHER, before=before, after=after), 1
    return step, 1


def _mean(sums: _Sums, first: int, last: int) -> float:
    n, _, _, y, _, _ = sums.over(first, last)
    return y / n


def _step(sums: _Sums, first: int, place: int, last: int, variance: float) -> Change:
    """Return the step at a place between two levels, with the other places that are possible."""
    saved = {k: sums.ramp(first, last, k - 1, k)[0] for k in range(first + 1, last)}
    possible = [k for k, squares in saved.items() if squares >= saved[place] - PLACE_BOUND * variance]
    _, size, error = sums.ramp(first, last, place - 1, place)
    return Change(STEP, min(possible) - 1, place, max(possible), size, math.sqrt(error))


def _drift(sums: _Sums, first: int, last: int) -> tuple[Change, float] | None:
    """Return the drift that fits the runs [first, last) best, and the squares that it saves; None for too few runs."""
    ends = [(a, b) for a in range(first, last) for b in range(a + SHORTEST_DRIFT, last)]
    if not ends or sums.count(first, last) < 2 * FEWEST:
        return None
    fits = {(a, b): sums.ramp(first, last, a, b) for a, b in ends}
    begin, end = max(fits, key=lambda line: fits[line][0])
    saved, size, error = fits[begin, end]
    return Change(DRIFT, begin, end, end, size, math.sqrt(error)), saved
