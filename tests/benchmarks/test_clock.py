"""Sampling against a clock that only moves when the pass says so."""

import pytest

from benchmarks.measure.clock import Sampling, sample, synchronised_clock


class Passes:
    """A pass of known duration, a clock that it moves, and a log of what was called."""

    def __init__(self, *seconds: float) -> None:
        self.seconds, self.now, self.calls = list(seconds), 0.0, 0

    def prepare(self) -> None:
        self.now += 100.0  # must not be timed

    def run(self) -> None:
        self.now += self.seconds[min(self.calls, len(self.seconds) - 1)]
        self.calls += 1

    def sample(self, sampling: Sampling) -> list[float]:
        return sample(self.run, lambda: self.now, sampling, prepare=self.prepare)


def test_slow_passes_are_sampled_the_least_number_of_times_after_one_to_warm_up() -> None:
    passes = Passes(50.0, 2.0)
    assert passes.sample(Sampling(min_samples=3, seconds=1.0)) == [2.0, 2.0, 2.0]
    assert passes.calls == 1 + 3


def test_faster_passes_are_sampled_until_the_budget_is_spent() -> None:
    passes = Passes(0.125)
    assert passes.sample(Sampling(min_samples=3, seconds=2.5)) == [0.125] * 20
    assert passes.calls == 4 + 20  # a fifth of the budget to warm up


def test_fast_passes_are_sampled_the_most_number_of_times() -> None:
    assert len(Passes(2.0**-20).sample(Sampling(min_samples=3, max_samples=50, seconds=0.01))) == 50


@pytest.mark.parametrize(
    "wrong", [{"min_samples": 0}, {"min_samples": 501}, {"seconds": 0.0}, {"seconds": float("nan")}]
)
def test_wrong_sampling_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="is not allowed; allowed: "):
        Sampling(**wrong)  # type: ignore[arg-type]


def test_the_clock_of_the_cpu_is_monotonic() -> None:
    clock = synchronised_clock("cpu")
    assert clock() <= clock()
