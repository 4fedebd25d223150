"""Statistics over seeds: intervals cover the mean as often as documented, and tests are rarely wrong."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from benchmarks.statistics.over_seeds import Estimate, estimate, holm, paired_tests

TRIALS = 400
Draw = Callable[[np.random.Generator, int], np.ndarray]


def coverage(draw: Draw, mean: float, n: int) -> float:
    """Return how often the interval of n seeds covers the true mean."""
    rng = np.random.default_rng(0)
    found = [estimate(draw(rng, n).tolist()) for _ in range(TRIALS)]
    return sum(each.low <= mean <= each.high for each in found) / TRIALS


@pytest.mark.parametrize(
    ("n", "draw", "mean", "least"),
    [
        (3, lambda rng, n: rng.normal(size=n), 0.0, 0.93),
        (5, lambda rng, n: rng.normal(size=n), 0.0, 0.93),
        (10, lambda rng, n: rng.normal(size=n), 0.0, 0.93),
        # A skewed distribution: a few seeds are far worse than most.
        (3, lambda rng, n: -rng.exponential(size=n), -1.0, 0.85),
        (5, lambda rng, n: -rng.exponential(size=n), -1.0, 0.89),
        (10, lambda rng, n: -rng.exponential(size=n), -1.0, 0.91),
    ],
    ids=["normal-3", "normal-5", "normal-10", "skewed-3", "skewed-5", "skewed-10"],
)
def test_an_interval_covers_the_mean_as_often_as_its_docstring_says(
    n: int, draw: Draw, mean: float, least: float
) -> None:
    assert least <= coverage(draw, mean, n) <= 0.99


def test_four_nearly_equal_seeds_and_an_outlier_do_not_make_an_endless_interval() -> None:
    values = [0.90, 0.9001, 0.9002, 0.9003, 0.80]
    found = estimate(values)
    assert (found.high - found.low) / np.std(values, ddof=1) < 4.5


def test_one_seed_has_no_interval_and_none_has_no_mean() -> None:
    assert estimate([0.9]) == Estimate(0.9, -math.inf, math.inf, 1)
    assert estimate([0.9]).within(0, 1) == Estimate(0.9, 0, 1, 1)
    assert math.isnan(estimate([]).mean)


def test_student_for_three_seeds() -> None:
    values = [0.90, 0.92, 0.97]
    expected = stats.t.interval(0.95, 2, np.mean(values), stats.sem(values))
    found = estimate(values)
    assert (found.low, found.high) == pytest.approx(expected)


def test_the_same_seeds_give_the_same_interval_and_the_unit_does_not_matter() -> None:
    values = [0.90, 0.92, 0.97, 0.91, 0.95]
    assert estimate(values) == estimate(values)
    percent = estimate([100 * value for value in values])
    assert percent.low == pytest.approx(100 * estimate(values).low)


def test_equal_seeds_give_an_interval_of_the_width_of_a_step() -> None:
    sure, careful = estimate([0.9] * 5), estimate([0.9] * 5, step=1 / 300)
    assert sure.low == sure.high == 0.9
    assert careful.low < 0.9 < careful.high
    assert careful.high - careful.low < 2 / 300


def test_holm_against_its_definition() -> None:
    # By hand: sorted p times m, m − 1, …, then made monotonic (Holm 1979).
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_the_p_value_of_a_pair_is_that_of_scipy() -> None:
    a, b = [0.95, 0.96, 0.94, 0.97, 0.95], [0.94, 0.93, 0.94, 0.95, 0.92]
    (found,) = paired_tests([(a, b)])
    assert found.p == found.adjusted == pytest.approx(stats.ttest_rel(a, b).pvalue)
    (shifted,) = paired_tests([(a, b)], threshold=-0.01)
    assert shifted.p == pytest.approx(stats.ttest_1samp(np.subtract(a, b), -0.01).pvalue)


@pytest.mark.parametrize(
    ("difference", "threshold", "word"),
    [
        (0.05, 0.0, "supports"),
        (-0.05, 0.0, "contradicts"),
        (0.0, 0.0, "cannot decide"),
        (0.0, -0.03, "supports"),
        (-0.05, -0.02, "contradicts"),
    ],
)
def test_the_word_names_the_side_of_the_threshold(difference: float, threshold: float, word: str) -> None:
    noise = np.array([-0.006, 0.006, 0.0, 0.004, -0.004])
    b = np.array([0.90, 0.93, 0.91, 0.92, 0.94])
    (found,) = paired_tests([((b + noise + difference).tolist(), b.tolist())], threshold=threshold)
    assert found.word == word
    assert found.difference.mean == pytest.approx(difference)


def test_families_of_equals_have_a_false_word_in_one_of_twenty() -> None:
    rng, wrong = np.random.default_rng(0), 0
    for _ in range(TRIALS):
        pairs = [(rng.normal(size=5).tolist(), rng.normal(size=5).tolist()) for _ in range(4)]
        wrong += any(test.word != "cannot decide" for test in paired_tests(pairs))
    assert wrong / TRIALS <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / TRIALS)


def test_a_large_difference_is_found() -> None:
    rng, found = np.random.default_rng(0), 0
    for _ in range(100):
        b = rng.normal(0.90, 0.01, size=5)
        found += paired_tests([((b + rng.normal(0.03, 0.01, size=5)).tolist(), b.tolist())])[0].word == "supports"
    assert found >= 95


@pytest.mark.parametrize("values", [[], [0.9]])
def test_too_few_seeds_decide_nothing(values: list[float]) -> None:
    (found,) = paired_tests([(values, [0.1] * len(values))])
    assert found.word == "cannot decide"


def test_two_seeds_that_agree_by_rounding_decide_nothing() -> None:
    (found,) = paired_tests([([0.91, 0.92], [0.90, 0.91])])
    assert found.word == "cannot decide"
    (found,) = paired_tests([([0.91, 0.92], [0.90, 0.91])], step=1 / 300)
    assert found.word == "cannot decide"


def test_seeds_without_a_partner_are_refused() -> None:
    with pytest.raises(ValueError, match="3 and 2 seeds are not pairs"):
        paired_tests([([1, 2, 3], [1, 2])])
