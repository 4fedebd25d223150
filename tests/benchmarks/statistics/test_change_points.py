"""Change points of made-up histories: steps, drifts, outliers, counts, repeated runs and correlated values."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from benchmarks.statistics.change_points import (
    DRIFT,
    EITHER,
    STEP,
    Change,
    change_points,
    correlation_of,
    spread_of_successive,
)


def runs(means: Sequence[float], spread: float, seed: int, repeated: int = 1) -> list[list[float]]:
    rng = np.random.default_rng(seed)
    return [[float(mean + spread * x) for x in rng.standard_t(5, size=repeated)] for mean in means]


def level(mean: float, n: int = 10) -> list[float]:
    return [mean] * n


RAMP = [0.02 * min(max(k - 9, 0), 10) / 10 for k in range(30)]  # 0.2 % a run, from run 9 to run 19


def found(means: Sequence[float], spread: float, seeds: int = 40, repeated: int = 1) -> list[list[Change]]:
    return [change_points(runs(means, spread, seed, repeated)) for seed in range(seeds)]


@pytest.mark.parametrize("n", [8, 12, 20])
def test_a_history_without_changes_gets_none_in_199_of_200_cases(n: int) -> None:
    assert sum(map(bool, found(level(0.0, n), 0.03, seeds=1000))) <= 5


def test_a_step_is_found_at_its_run_with_its_size() -> None:
    held, shapes = [], []
    for changes in found([*level(0.0), *level(0.1)], 0.01):
        [change] = changes
        assert change.before < 10 <= change.after
        assert change.ratio == pytest.approx(math.exp(0.1), rel=0.03)
        low, high = change.bounds
        held.append(low < math.exp(0.1) < high)
        shapes.append(change.shape)
    assert np.mean(held) >= 0.95
    assert np.mean([shape == DRIFT for shape in shapes]) <= 0.1


def test_a_drift_of_two_percent_over_ten_runs_is_found_and_dated() -> None:
    shapes = []
    for changes in found(RAMP, 0.002):
        [change] = changes
        shapes.append(change.shape)
        assert abs(change.before - 9) <= 5
        assert abs(change.after - 19) <= 5
        assert change.size == pytest.approx(0.02, abs=0.006)
    assert np.mean([shape == DRIFT for shape in shapes]) >= 0.9


def test_where_the_noise_hides_the_shape_of_a_change_its_date_is_a_range() -> None:
    changes = [one for each in found(RAMP, 0.006) for one in each]
    assert {change.shape for change in changes} == {STEP, DRIFT, EITHER}
    overlapping = [change.before < 19 and change.after > 9 for change in changes]
    assert np.mean(overlapping) > 0.95


def test_every_step_of_a_staircase_is_found_where_runs_were_repeated() -> None:
    stairs = [0.0, -0.3, -0.5, -0.2, -0.4, -1.0, -1.1]
    complete = [[change.at for change in changes] == [1, 2, 3, 4, 5, 6] for changes in found(stairs, 0.008, repeated=3)]
    assert np.mean(complete) >= 0.9


def test_up_and_down_again_are_two_steps() -> None:
    for changes in found([*level(0.0), *level(0.2, 5), *level(0.0)], 0.01):
        assert [change.at for change in changes] == [10, 15]
        assert [change.size > 0 for change in changes] == [True, False]


@pytest.mark.parametrize("disturbed", [[4], [4, 5], [0], [11]], ids=str)
def test_disturbed_runs_are_no_change(disturbed: list[int]) -> None:
    values = runs(level(0.0, 12), 0.02, seed=0)
    for run in disturbed:
        values[run] = [1.0]
    assert change_points(values) == []


def test_counts_change_at_once_and_rounding_does_not() -> None:
    [change] = change_points([[value] for value in [5.0] * 4 + [5.001] * 3])
    assert (change.before, change.at, change.after) == (3, 4, 4)
    assert change_points([[5.0], [5.000001]] * 6) == []
    assert change_points([[1.0]] * 5) == []
    assert change_points([]) == []


def moods(n: int, correlation: float, seed: int) -> list[float]:
    rng = np.random.default_rng(seed)
    values = [float(rng.normal())]
    for _ in range(n - 1):
        values.append(correlation * values[-1] + math.sqrt(1 - correlation**2) * float(rng.normal()))
    return values


def test_the_correlation_of_a_machine_is_found_and_prevents_false_steps() -> None:
    histories = [moods(40, 0.5, seed) for seed in range(100)]
    correlation = correlation_of(histories)
    assert correlation == pytest.approx(0.5, abs=0.15)
    assert correlation_of([moods(40, 0.0, seed) for seed in range(100)]) < 0.1
    without, with_it = (
        sum(bool(change_points([[value] for value in values], correlation=each)) for values in histories)
        for each in (0.0, correlation)
    )
    assert with_it <= 5 < without


def test_the_spread_is_that_of_values_without_steps() -> None:
    [values] = zip(*runs([*level(0.0, 50), *level(1.0, 50)], 0.02, seed=3), strict=True)
    assert spread_of_successive(values) == pytest.approx(0.02, rel=0.4)
    assert spread_of_successive([1.0]) == 0.0
