"""Change points in made-up histories, and thresholds that follow from a benchmark's own past."""

import math

import numpy as np
import pytest

from benchmarks.statistics.steps import LEAST_FACTOR, present_level, threshold


def history(*levels: float, runs: int = 8, spread: float = 0.03, seed: int = 0) -> list[float]:
    rng = np.random.default_rng(seed)
    return [level + spread * float(x) for level in levels for x in rng.normal(size=runs)]


@pytest.mark.parametrize("levels", [(0.0,), (0.0, 0.3), (0.0, 0.3, -0.2), (0.0, 0.5, 0.0, 0.5)])
def test_the_present_level_begins_at_the_last_change(levels: tuple[float, ...]) -> None:
    found = [len(present_level(history(*levels, seed=seed))) for seed in range(50)]
    assert np.mean([abs(n - 8) <= 1 for n in found]) >= 0.9


def test_steady_histories_are_hardly_ever_split() -> None:
    assert np.mean([len(present_level(history(0.0, runs=20, seed=seed))) == 20 for seed in range(300)]) >= 0.95


def test_one_disturbed_run_is_no_change_of_level() -> None:
    values = history(0.0, runs=12)
    values[6] = 1.0
    assert len(present_level(values)) == 12


def test_counts_that_are_the_same_in_every_run_change_at_once() -> None:
    assert present_level([1.0] * 5 + [2.0] * 3) == [2.0] * 3
    assert present_level([1.0] * 5) == [1.0] * 5
    assert present_level([]) == []


def test_a_benchmark_that_varies_more_needs_a_greater_step() -> None:
    quiet, loud = (history(0.0, runs=30, spread=spread) for spread in (0.01, 0.1))
    assert threshold(quiet, 0.0) < 1.06 < 1.3 < threshold(loud, 0.0)
    assert threshold([0.0] * 5, 0.0) == LEAST_FACTOR
    assert threshold([0.0] * 5, 0.1) == pytest.approx(math.exp(0.4 * math.sqrt(1.2)))


def test_hardly_any_run_of_a_steady_machine_has_a_step_among_85_benchmarks() -> None:
    rng = np.random.default_rng(1)
    runs, benchmarks, alarms = 100, 85, 0
    for _ in range(runs):
        spreads = 0.03 * np.exp(0.5 * rng.normal(size=(benchmarks, 1)))
        past, new = (spreads * rng.normal(size=(benchmarks, n)) for n in (8, 1))
        common = float(np.median(past.std(axis=1, ddof=1)))
        limits = [threshold(row.tolist(), common) for row in past]
        alarms += any(
            math.exp(x - np.median(row)) > limit for x, row, limit in zip(new[:, 0], past, limits, strict=True)
        )
    assert alarms <= 5
