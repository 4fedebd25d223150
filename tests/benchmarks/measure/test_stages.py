"""The stages of passes with a made-up clock, and the stages of our layers."""

import time
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from benchmarks.cases.case import Case
from benchmarks.measure.stages import INSIDE_FORWARD, PHASES, StageClock, stage_seconds
from benchmarks.workloads.build import build_workload
from benchmarks.workloads.workload import Workload
from gcnn_impl import functional

SMALL: dict[str, Any] = {"channels": 2, "batch_size": 2, "image_size": 9, "kernel_size": 3, "resolution": 4}
VARIANTS = ["lifting", "full", "separable", "gseparable", "dseparable", "dgseparable", "separable2d"]


def small_case(variant: str, **fields: Any) -> Case:
    group = {
        "plain": {"group": "trivial", "resolution": 1},
        "separable2d": {"group": "SO2xRPlus", "scales": 2},
    }
    return Case(variant=variant, **(SMALL | group.get(variant, {}) | fields))


class Time:
    """A clock that only ``take`` advances."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def take(self, seconds: float) -> None:
        self.now += seconds


def slow(clock: Time, forward: float, backward: float, x: Tensor) -> Tensor:
    """Return x; its forward and backward advance the clock by the given times."""

    class Slow(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            clock.take(forward)
            return x.view_as(x)

        @staticmethod
        def backward(ctx: Any, gradient: Tensor) -> Tensor:
            clock.take(backward)
            return gradient

    return Slow.apply(x)


class SlowLayer(nn.Module):
    """Generation takes 3 (and 6 backward), the convolution 5 (and 10 backward), and everything else 1."""

    def __init__(self, clock: Time) -> None:
        super().__init__()
        self.clock, self.weight = clock, nn.Parameter(torch.ones(1))

    def kernels(self) -> tuple[Tensor, ...]:
        return (slow(self.clock, 3, 6, self.weight),)

    def convolve(self, x: Tensor, kernel: Tensor) -> Tensor:
        return slow(self.clock, 5, 10, x * kernel)

    def forward(self, x: Tensor) -> Tensor:
        self.clock.take(1)
        return self.convolve(x, *self.kernels())


class SlowStep(torch.optim.SGD):
    def __init__(self, module: SlowLayer) -> None:
        super().__init__(module.parameters(), lr=0.1)
        self.clock = module.clock

    def step(self, closure: Any = None) -> None:
        self.clock.take(4)


def test_every_second_is_charged_to_one_stage() -> None:
    clock = Time()
    module = SlowLayer(clock)
    workload = Workload(module, torch.ones(1), torch.ones(1), None, True, SlowStep(module))
    assert stage_seconds(workload, clock, passes=3) == {
        "kernel_generation": 3,
        "group_mixing": None,
        "spatial_convolution": 5,
        "other": 1,
        "forward": 9,
        "backward": 16,
        "optimiser": 4,
        "kernel_generation_share": pytest.approx((3 + 6) / (9 + 16 + 4)),
    }


def test_in_inference_kernels_have_no_backward() -> None:
    clock = Time()
    stages = stage_seconds(Workload(SlowLayer(clock), torch.ones(1), torch.ones(1), None, False), clock, passes=1)
    assert (stages["forward"], stages["backward"], stages["optimiser"]) == (9, None, None)
    assert stages["kernel_generation_share"] == pytest.approx(3 / 9)


def test_inside_a_compiled_module_nothing_is_watched() -> None:
    clock = Time()
    module = SlowLayer(clock)
    stages = stage_seconds(
        Workload(module, torch.ones(1), torch.ones(1), None, False, call=lambda x: module(x)), clock, passes=1
    )
    assert stages["forward"] == 9
    assert all(stages[stage] is None for stage in (*INSIDE_FORWARD, "kernel_generation_share"))


def test_an_error_closes_the_stage() -> None:
    clock = Time()
    stages = StageClock(clock)

    def fail() -> None:
        with stages.stage("inner"):
            clock.take(2)
            raise KeyError

    with stages.stage("outer"):
        with pytest.raises(KeyError):
            fail()
        clock.take(1)
    clock.take(5)  # outside every stage
    assert stages.total() == {"outer": 1, "inner": 2}


@pytest.mark.parametrize("direction", ["forward", "training_step"])
@pytest.mark.parametrize("layer", ["conv", "resnet"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_stages_of_our_layers(variant: str, layer: str, direction: str) -> None:
    if (layer, variant) == ("resnet", "lifting"):
        pytest.skip("no such network")
    functions = dict(vars(functional))
    workload = build_workload(small_case(variant, layer=layer, direction=direction))
    stages = stage_seconds(workload, time.perf_counter, passes=1)
    occurring = {stage for stage in (*INSIDE_FORWARD, *PHASES) if stages[stage] is not None}
    expected = {"kernel_generation", "spatial_convolution", "other", "forward"}
    expected |= {"group_mixing"} if variant not in ("lifting", "full", "gseparable") else set()
    expected |= {"backward", "optimiser"} if direction == "training_step" else set()
    assert occurring == expected
    assert stages["kernel_generation_share"] is not None
    assert stages["kernel_generation_share"] > 0
    # Afterwards no function is wrapped.
    assert vars(functional) == functions
    assert not {"kernels", "convolve", "forward"} & {name for m in workload.module.modules() for name in vars(m)}
    assert workload.module(workload.x).shape == workload.cotangent.shape


def test_a_layer_of_many_channels_mixes_by_the_fourier_transform_in_the_stage_of_mixing() -> None:
    workload = build_workload(small_case("separable", channels=16, resolution=8))
    stages = stage_seconds(workload, time.perf_counter, passes=1)
    assert stages["group_mixing"] is not None
    assert stages["group_mixing"] > 0


@pytest.mark.parametrize("layer", ["conv", "resnet"])
def test_a_plain_module_generates_no_kernels(layer: str) -> None:
    stages = stage_seconds(build_workload(small_case("plain", layer=layer)), time.perf_counter, passes=1)
    assert stages["kernel_generation"] is stages["group_mixing"] is stages["kernel_generation_share"] is None
    assert stages["spatial_convolution"] is not None


def test_watching_does_not_change_the_output() -> None:
    workload = build_workload(small_case("separable"))
    expected = workload.run()
    with StageClock(time.perf_counter).inside(workload.module):
        watched = workload.run()
    torch.testing.assert_close(watched, expected, rtol=0, atol=0)
