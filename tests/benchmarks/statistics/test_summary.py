"""Summaries of made-up samples, compared with numpy and scipy."""

import math

import numpy as np
import pytest
from scipy import stats

from benchmarks.statistics.summary import precise_enough, summarise, summarise_rounds, with_few_rounds


def test_median_and_quartiles_are_those_of_numpy() -> None:
    samples = np.random.default_rng(1).lognormal(size=101).tolist()
    summary = summarise(samples)
    assert summary["n"] == 101
    assert summary["median"] == np.median(samples)
    assert [summary["q1"], summary["q3"]] == np.percentile(samples, [25, 75]).tolist()


def test_for_independent_samples_the_interval_agrees_with_the_bootstrap_of_scipy() -> None:
    samples = np.random.default_rng(2).lognormal(size=400)
    theirs = stats.bootstrap(
        (samples,), np.median, method="percentile", n_resamples=5000, rng=np.random.default_rng(3)
    ).confidence_interval
    summary = summarise(samples.tolist())
    assert summary["ci_high"] - summary["ci_low"] == pytest.approx(theirs.high - theirs.low, rel=0.3)


def test_the_interval_covers_the_true_median_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(4)
    summaries = [summarise(rng.normal(size=50).tolist()) for _ in range(200)]
    covered = np.mean([summary["ci_low"] <= 0 <= summary["ci_high"] for summary in summaries])
    assert 0.86 <= covered <= 0.99


def test_the_interval_covers_the_median_of_drifting_samples_where_the_plain_bootstrap_does_not() -> None:
    rng, plain, ours = np.random.default_rng(5), 0, 0
    for _ in range(100):
        samples = np.zeros(400)
        for i, noise in enumerate(rng.normal(size=400)):
            samples[i] = 0.8 * samples[i - 1] + noise
        summary = summarise(samples.tolist())
        ours += summary["ci_low"] <= 0 <= summary["ci_high"]
        low, high = np.quantile(np.median(rng.choice(samples, (300, 400)), axis=1), [0.025, 0.975])
        plain += low <= 0 <= high
    assert ours >= 80 > 65 >= plain


def test_the_same_samples_give_the_same_interval() -> None:
    samples = np.random.default_rng(10).lognormal(size=100).tolist()
    assert summarise(samples) == summarise(samples)


def test_one_slow_sample_does_not_move_the_median() -> None:
    assert summarise([1.0] * 9 + [1000.0])["median"] == 1.0


def test_one_sample_is_its_own_summary() -> None:
    assert summarise([2.0]) == {"n": 1, "median": 2.0, "q1": 2.0, "q3": 2.0, "ci_low": 2.0, "ci_high": 2.0}


def test_no_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="no samples"):
        summarise([])


def test_the_summary_of_rounds_is_that_of_all_samples_together() -> None:
    rounds = [[1.0, 2.0, 3.0], [4.0, 5.0], [6.0, 7.0, 8.0, 9.0]]
    summary = summarise_rounds(rounds)
    assert {name: summary[name] for name in ("n", "median", "q1", "q3")} == {"n": 9, "median": 5, "q1": 3, "q3": 7}
    assert 0 < summary["ci_low"] < 1 < 5 < 9 < summary["ci_high"]  # beyond all samples: three processes say little


@pytest.mark.parametrize("count", [2, 3, 4, 5])
@pytest.mark.parametrize("between", [0.0, 0.02, 0.1])
def test_the_interval_covers_the_true_median_for_any_spread_between_processes(between: float, count: int) -> None:
    rng, covered = np.random.default_rng(6), 0
    for _ in range(100):
        rounds = np.exp(between * rng.normal(size=(count, 1)) + 0.05 * rng.normal(size=(count, 40)))
        summary = summarise_rounds(rounds.tolist())
        covered += summary["ci_low"] <= 1 <= summary["ci_high"]
    assert covered >= 91


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_an_interval_of_few_rounds_includes_how_much_they_differ(count: int) -> None:
    medians = [1.0, 1.1, 0.9, 1.2, 0.8][:count]
    low, high = with_few_rounds(0.99, 1.0, 1.01, medians)
    if count in (1, 5):
        assert (low, high) == (0.99, 1.01)
    else:
        reach = stats.t.ppf(0.975, count - 1) * stats.sem(np.log(medians))
        assert (low, high) == pytest.approx((math.exp(-reach), math.exp(reach)))
    assert with_few_rounds(0.1, 1.0, 100.0, medians[:3]) == (0.1, 100.0)


def test_the_summary_of_one_round_is_that_of_its_samples() -> None:
    samples = np.random.default_rng(7).lognormal(size=60).tolist()
    assert summarise_rounds([samples]) | summarise(samples) == summarise_rounds([samples])


def test_a_round_without_samples_changes_nothing() -> None:
    assert summarise_rounds([[1.0, 2.0], []]) == summarise_rounds([[1.0, 2.0]])


def test_outliers_are_counted_and_kept() -> None:
    samples = [10.0, 11.0, 12.0, 13.0, 14.0] * 4  # quartiles 11 and 13: fences at 8 and 16, 5 and 19
    summary = summarise_rounds([[*samples, 16.5, 7.5], [*samples, 19.5]])
    assert summary["outliers"] == {"mild": 2, "far": 1}
    assert summary["n"] == 43


def test_a_round_ends_when_its_median_is_known_to_a_hundredth() -> None:
    rng = np.random.default_rng(9)
    samples = np.exp(0.05 * rng.normal(size=1000)).tolist()
    enough = [n for n in range(1, 1001) if precise_enough(samples[:n])]
    # Standard error of a normal median: 1.25 · 0.05 / √n; 3.3 of them are 0.01 at n = 420.
    assert 200 <= enough[0] <= 700
    assert enough[-1] == 1000


@pytest.mark.parametrize("n", [0, 1, 10])
def test_a_few_samples_are_never_enough(n: int) -> None:
    assert not precise_enough([1.0] * n)


def test_a_few_equal_samples_are_enough() -> None:
    assert precise_enough([1.0] * 12)
