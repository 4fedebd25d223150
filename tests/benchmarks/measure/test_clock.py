"""Sampling with a made-up clock that only the passes advance."""

import time
from itertools import islice, pairwise

import pytest

from benchmarks.measure.clock import (
    CYCLES_PER_SECOND,
    LONGEST_WAIT,
    counterbalanced,
    device_seconds,
    longest_turn,
    synchronised_clock,
    take_turn,
    warm_up,
)
from benchmarks.measure.sampling import Sampling
from tests.benchmarks.conftest import Cuda


class Passes:
    """A pass of known durations, a clock that the passes advance, and the number of passes."""

    def __init__(self, *seconds: float) -> None:
        self.seconds, self.now, self.calls = list(seconds), 0.0, 0

    def prepare(self) -> None:
        self.now += 100.0  # must not be timed

    def run(self) -> None:
        self.now += self.seconds[min(self.calls, len(self.seconds) - 1)]
        self.calls += 1

    def sample(self, sampling: Sampling) -> list[float]:
        """Warm up, then take turns of one pass until the sampling stops, as in a round."""
        clock, samples = (lambda: self.now), list[float]()
        warm_up(self.run, clock, sampling, prepare=self.prepare)
        while sampling.stopped(samples, lambda _: False) is None:
            samples += take_turn(self.run, clock, 0.0, prepare=self.prepare)
        return samples


def test_slow_passes_are_sampled_the_smallest_number_of_times_after_two_to_warm_up() -> None:
    passes = Passes(50.0, 2.0)
    assert passes.sample(Sampling(rounds=1, min_samples=3, seconds=1.0)) == [2.0, 2.0, 2.0]
    assert passes.calls == 2 + 3


def test_samples_are_whole_nanoseconds() -> None:
    passes = Passes(0.2)
    passes.now = 0.1
    assert passes.now + 0.2 - passes.now != 0.2  # floats round
    assert take_turn(passes.run, lambda: passes.now, 0.0, prepare=lambda: None) == [0.2]


def test_faster_passes_are_sampled_until_the_budget_is_spent() -> None:
    passes = Passes(0.125)
    assert passes.sample(Sampling(rounds=1, min_samples=3, seconds=2.5)) == [0.125] * 20
    assert passes.calls == 2 + 20  # one pass, and a twentieth of the budget, to warm up


def test_fast_passes_are_sampled_the_largest_number_of_times() -> None:
    assert len(Passes(2.0**-20).sample(Sampling(rounds=1, min_samples=3, max_samples=50, seconds=0.01))) == 50


@pytest.mark.parametrize(
    "wrong", [{"rounds": 0}, {"min_samples": 0}, {"min_samples": 1001}, {"seconds": 0.0}, {"seconds": float("nan")}]
)
def test_wrong_sampling_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="is not allowed; allowed: "):
        Sampling(**wrong)  # type: ignore[arg-type]


def test_the_clock_of_the_cpu_counts_seconds_and_never_goes_back() -> None:
    clock = synchronised_clock("cpu")
    readings = [clock()]
    for _ in range(3):
        time.sleep(0.01)
        readings.append(clock())
    assert all(0.01 <= after - before < 10 for before, after in pairwise(readings))


def test_time_on_the_device_is_between_events_and_excludes_preparation(cuda: Cuda) -> None:
    seconds = iter([0.5, 0.25, 0.25])

    def run() -> None:
        cuda.note("run", next(seconds))

    def prepare() -> None:
        cuda.note("prepare", 100.0)

    assert device_seconds(run, prepare=prepare, passes=3, wall_seconds=0.01) == [0.5, 0.25, 0.25]
    one = [f"wait {0.01 * CYCLES_PER_SECOND:.0f}", "prepare", "record", "run", "record"]
    assert cuda.taken() == [*one, *one, *one, "synchronize"]  # once, at the end


def test_the_device_is_not_kept_waiting_for_longer_than_a_limit(cuda: Cuda) -> None:
    device_seconds(lambda: None, prepare=lambda: None, passes=1, wall_seconds=3600.0)
    assert cuda.taken()[0] == f"wait {LONGEST_WAIT * CYCLES_PER_SECOND:.0f}"


def test_the_clock_of_cuda_waits_for_the_device_before_it_is_read(cuda: Cuda, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "perf_counter", lambda: cuda.note("read"))
    synchronised_clock("cuda")()
    assert cuda.taken() == ["synchronize", "read"]


def test_a_turn_on_cuda_also_ends_when_its_preparations_take_long() -> None:
    passes = Passes(0.125)  # each prepared for 100 s
    assert longest_turn(0.5, "cpu") == float("inf")
    for longest, taken in ((50.0, 2), (150.0, 3), (longest_turn(70.0, "cuda"), 5)):
        samples = take_turn(passes.run, lambda: passes.now, 1e6, prepare=passes.prepare, longest=longest)
        assert samples == [0.125] * taken


def test_a_turn_ends_by_time_or_number_of_passes_but_has_at_least_one_pass() -> None:
    for seconds, most, taken in ((0.5, 100, 4), (0.5, 2, 2), (0.0, 100, 1)):
        passes = Passes(0.125)
        assert len(take_turn(passes.run, lambda p=passes: p.now, seconds, prepare=passes.prepare, most=most)) == taken


@pytest.mark.parametrize(
    ("samples", "precise", "why"),
    [
        ([1.0], True, None),  # at least two in each of five rounds
        ([1.0, 1.0], False, "budget"),
        ([0.01] * 3, True, "precision"),
        ([0.01] * 3, False, None),
        ([0.01] * 20, False, "samples"),
    ],
)
def test_a_round_ends_when_it_is_precise_or_has_used_its_share(
    samples: list[float], precise: bool, why: str | None
) -> None:
    sampling = Sampling(rounds=5, min_samples=10, max_samples=100, seconds=5.0)
    assert sampling.stopped(samples, lambda _: precise) == why


def test_turns_are_counterbalanced_and_every_round_begins_with_another_contender() -> None:
    assert list(islice(counterbalanced(3, 0), 9)) == [0, 1, 2, 2, 1, 0, 0, 1, 2]
    assert list(islice(counterbalanced(3, 1), 6)) == [1, 2, 0, 0, 2, 1]
    assert {next(counterbalanced(3, number)) for number in range(3)} == {0, 1, 2}
