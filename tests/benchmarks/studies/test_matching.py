"""Widths that meet a budget, and the costs by which they are matched."""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.cases.training_run import TrainingRun
from benchmarks.measure.macs import trace_macs as traced_macs
from benchmarks.studies import matching
from benchmarks.studies.matching import (
    COSTS,
    interleaved_steps,
    macs,
    match_widths,
    measure_pace,
    nearest_width,
    parameters,
    step_bytes,
    step_workload,
)

REFERENCE = TrainingRun(resolution=2, channels=3, kernel_size=3, hidden_features=8, image_size=12, batch_size=8)
FULL = replace(REFERENCE, variant="full")
PLAIN = replace(REFERENCE, variant="plain", group="trivial", resolution=1)


@pytest.mark.parametrize("target", [1, 2, 3, 50, 100, 1000, 10**9])
@pytest.mark.parametrize("power", [1, 2])
def test_no_other_width_is_nearer(target: float, power: int) -> None:
    def distance(channels: int) -> float:
        return max(channels**power / target, target / channels**power)

    found = nearest_width(lambda channels: channels**power, target, most=200)
    assert distance(found) == pytest.approx(min(distance(channels) for channels in range(1, 201)))


def test_few_widths_are_tried() -> None:
    tried: list[int] = []
    nearest_width(lambda channels: tried.append(channels) or channels, 100)  # type: ignore[func-returns-value]
    assert len(set(tried)) <= 15


def test_a_width_that_was_tried_and_is_nearer_is_not_passed_over() -> None:
    """A width of 7 takes longer than one of 8, as odd widths do, and the search goes by 8 on its way to 6 and 7."""
    seconds = {1: 0.2, 2: 0.4, 4: 0.7, 6: 0.9, 7: 1.3, 8: 1.04}
    assert nearest_width(lambda channels: seconds[channels], 1.0) == 8


@pytest.mark.parametrize("budget", sorted(COSTS))
@pytest.mark.parametrize("contender", [FULL, PLAIN], ids=["full", "plain"])
def test_the_matched_width_is_nearer_than_its_neighbours(budget: str, contender: TrainingRun) -> None:
    found = match_widths((budget, REFERENCE, contender), lambda fields: None)
    cost = COSTS[budget]
    assert found["target"] == cost(REFERENCE)
    assert found["achieved"] == cost(replace(contender, channels=found["channels"]))
    around = [
        cost(replace(contender, channels=found["channels"] + step)) for step in (-1, 1) if found["channels"] + step
    ]
    distance = abs(found["achieved"] / found["target"] - 1)
    assert all(abs(other / found["target"] - 1) > 0.8 * distance for other in around)


def test_parameters_are_counted_as_in_the_network() -> None:
    module = step_workload(FULL).module
    assert parameters(FULL) == sum(parameter.numel() for parameter in module.parameters())


def test_macs_are_those_of_one_image_and_its_share_of_kernel_generation() -> None:
    workload = step_workload(FULL)
    counted = traced_macs(workload.module, workload.x[:1])
    expected = counted["convolution"] + counted["kernel_generation"] / FULL.batch_size
    assert macs(FULL) == pytest.approx(expected, rel=0.02)
    assert macs(replace(FULL, batch_size=1024)) < macs(FULL)


def test_memory_is_measured_and_grows_with_the_batch() -> None:
    assert step_bytes(replace(FULL, batch_size=16)) > 1.2 * step_bytes(FULL)


def test_time_is_matched_by_the_measured_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "relative_step_seconds", lambda reference, run: run.channels / 7.2)
    assert match_widths(("time", REFERENCE, PLAIN), lambda fields: None) == {
        "channels": 7,
        "target": 1.0,
        "achieved": 7 / 7.2,
    }


def test_networks_take_turns_and_the_first_step_of_a_turn_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fake:
        def __init__(self, run: TrainingRun) -> None:
            self.name = run.variant

        def prepare(self) -> None: ...

        def run(self) -> None:
            order.append(self.name)

    order: list[str] = []
    ticks = itertools.count()
    monkeypatch.setattr(matching, "step_workload", Fake)
    monkeypatch.setattr(matching, "synchronised_clock", lambda device: lambda: float(next(ticks)))
    times = interleaved_steps([REFERENCE, FULL], 2, 2)
    assert order == ["separable"] * 3 + ["full"] * 6 + ["separable"] * 3
    assert [len(each) for each in times] == [4, 4]


def test_a_round_times_every_run() -> None:
    said: list[dict[str, Any]] = []
    for number in (0, 1):
        found = measure_pace(((REFERENCE, FULL, PLAIN), number), said.append)
        assert [len(seconds) for seconds in found["seconds"]] == [matching.PASSES] * 3
        assert min(min(seconds) for seconds in found["seconds"]) > 0
    assert [each["measured"] for each in said] == [0, 1, 2, 2, 1, 0]
