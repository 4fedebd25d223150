"""The arithmetic on samples, against numpy and scipy on made-up ones."""

import numpy as np
import pytest
from scipy import stats

from benchmarks.measure.statistics import summarise


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


def test_the_interval_covers_it_for_drifting_samples_where_the_plain_bootstrap_does_not() -> None:
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
    samples = [1.0, 2.0, 3.0, 5.0, 8.0]
    assert summarise(samples) == summarise(samples)


def test_one_slow_sample_does_not_move_the_median() -> None:
    assert summarise([1.0] * 9 + [1000.0])["median"] == 1.0


def test_one_sample_is_its_own_summary() -> None:
    assert summarise([2.0]) == {"n": 1, "median": 2.0, "q1": 2.0, "q3": 2.0, "ci_low": 2.0, "ci_high": 2.0}


def test_no_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="no samples"):
        summarise([])
