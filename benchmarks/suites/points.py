"""The points that the asv suite and the pytest-benchmark suite measure, and functions that asv's benchmarks share.

The point of a layer is (device, variant, |H|, channels, batch size), and that of a network (device, variant, |H|).
The points are the same on every machine, so that machines can be compared. A machine skips points that it cannot run.
"""

import dataclasses
import itertools
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import torch

from benchmarks.cases.case import CASE_VERSION, Case
from benchmarks.cases.training_run import RECIPES, TrainingRun
from benchmarks.records.outcome import InvalidResult
from benchmarks.workloads.build import build_workload
from benchmarks.workloads.workload import Workload

# Increase when a benchmark of a suite measures something else than before: other rounds, another clock, more in the
# timed region. (When the meaning of a case changes, increase CASE_VERSION.) Results of different versions are not
# compared, and asv starts a new series. Without a version, asv would only notice changes of the benchmark's method.
SUITE_VERSION = 3
VERSION = f"{CASE_VERSION}.{SUITE_VERSION}"

DEVICES = ["cpu", "cuda"]
# Plain convolutions of so many channels take as long as the slowest layers of the grid. Short ones alone are no control
# of the machine: next to four busy loops they took 2 to 5 % longer, and layers of many milliseconds up to 12 times.
CONTROL_CHANNELS = 128
# The grids are so small that each suite takes minutes.
LAYER_POINTS: Mapping[str, list[Any]] = {
    "device": DEVICES,
    "variant": ["plain", "lifting", "full", "separable"],
    "resolution": [4, 8, 16],
    "channels": [8, 16, CONTROL_CHANNELS],
    "batch_size": [1, 16],
}
LAYER_DIRECTIONS = ("forward", "forward_backward")
# The paper's network, at the size of the quick training study.
NETWORK_POINTS: Mapping[str, list[Any]] = {
    "device": DEVICES,
    "variant": ["plain", "full", "separable"],
    "resolution": [4, 8],
}
# Enough epochs to distinguish a network that learns from one that does not.
TRAINING_EPOCHS = 3

# A value on each axis of LAYER_POINTS or NETWORK_POINTS.
Point = tuple[Any, ...]
# What ``measure_points`` returns.
PointResults = dict[Point, Any]


def layer_case(device: str, variant: str, resolution: int, channels: int, batch_size: int, *, direction: str) -> Case:
    """Return the case of a layer; a plain layer has no |H|."""
    sizes: dict[str, Any] = {"channels": channels, "batch_size": batch_size, **_grid(variant, resolution)}
    return Case(variant=variant, direction=direction, device=device, **sizes)


def network_run(device: str, variant: str, resolution: int) -> TrainingRun:
    """Return the training run of a network, at the recipe's learning rate for its variant."""
    rate = RECIPES["short"].learning_rate(variant)
    schedule: dict[str, Any] = {"recipe": "short", "budget": TRAINING_EPOCHS, "learning_rate": rate}
    return TrainingRun(variant=variant, device=device, **schedule, **_grid(variant, resolution))


def _grid(variant: str, resolution: int) -> dict[str, Any]:
    return {"group": "trivial", "resolution": 1} if variant == "plain" else {"group": "SO2", "resolution": resolution}


def layer_cases() -> list[Case]:
    """Return the cases of all layers in both directions, each once, on all devices."""
    points = [point for point in itertools.product(*LAYER_POINTS.values()) if not outside_of_grid(*point)]
    return list(dict.fromkeys(layer_case(*point, direction=each) for point in points for each in LAYER_DIRECTIONS))


def step_case(run: TrainingRun) -> Case:
    """Return the case of one training step of a run."""
    return dataclasses.replace(run.case(), direction="training_step")


def absent(device: str) -> str | None:
    """Return why nothing can be measured on a device, or None. Do not call it at import: it initialises CUDA."""
    return "no CUDA device" if device == "cuda" and not torch.cuda.is_available() else None


def not_applicable(device: str, variant: str, resolution: int, *sizes: int) -> str | None:
    """Return why a combination of parameters is not measured here (asv tries them all); None if it is measured."""
    return outside_of_grid(device, variant, resolution, *sizes) or absent(device)


def outside_of_grid(device: str, variant: str, resolution: int, *sizes: int) -> str | None:
    """Return why a combination of parameters is measured nowhere; None if it is. ``sizes`` begin with the channels."""
    if variant == "plain" and resolution != LAYER_POINTS["resolution"][0]:
        return "a plain convolution has no group resolution"
    if variant != "plain" and sizes[:1] == (CONTROL_CHANNELS,):
        return f"{CONTROL_CHANNELS} channels are for plain convolutions, which show whether the machine moved"
    return None


def clock() -> float:
    """Return seconds, after waiting for CUDA if it is in use."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()
    return time.perf_counter()


class Timed:
    """The settings with which asv times passes."""

    version = VERSION
    # At least two rounds of ten samples each: with fewer, asv cannot call any difference significant.
    rounds = 2
    repeat = (10, 20, 2.0)
    warmup_time = 0.2
    timer = staticmethod(clock)


def skip_unless_applicable(*point: Any) -> None:
    """Raise ``NotImplementedError``, for which asv shows n/a, when a point is not measured here."""
    if reason := not_applicable(*point):
        raise NotImplementedError(reason)


def measure_points(axes: Mapping[str, list[Any]], measure: Callable[[Point], object]) -> PointResults:
    """Measure every applicable point. The result of a point that fails is the error that ``result_at`` raises.

    A commit whose ``gcnn_impl`` lacks a name that this checkout's ``benchmarks`` import has no such point.
    """
    results: PointResults = {}
    for point in itertools.product(*axes.values()):
        if not not_applicable(*point):
            try:
                results[point] = measure(point)
            except Exception as error:
                lacking = isinstance(error, ImportError) and (error.name or "").partition(".")[0] == "gcnn_impl"
                kind = NotImplementedError if lacking else InvalidResult
                results[point] = kind(f"{type(error).__name__}: {error}")
    return results


def result_at(results: PointResults, point: Point) -> Any:
    """Return the result of a point; raise ``InvalidResult`` if it failed, ``NotImplementedError`` if it was skipped."""
    skip_unless_applicable(*point)
    if isinstance(results[point], Exception):
        raise results[point]
    return results[point]


@lru_cache(maxsize=1)
def workload(case: Case) -> Workload:
    """Build the workload of a case, and keep it for further calls until one asks for another case."""
    torch.set_num_threads(case.threads)
    return build_workload(case)


def cost(case: Case) -> dict[str, Any]:
    """Measure the fields of a record that do not depend on the clock.

    Returns:
        ``memory`` of a pass of the case, ``macs`` of one forward pass, ``parameters``, ``equivariance_error``.

    Raises:
        InvalidResult: when the output is wrong.
    """
    # Late, because older commits of gcnn_impl lack names that these modules import, and their passes are timed, too.
    from benchmarks.measure.correctness import check_output
    from benchmarks.measure.macs import trace_macs
    from benchmarks.measure.memory import peak_memory

    built = workload(case)
    return {
        "equivariance_error": check_output(built),
        "memory": peak_memory(built.run, case.device, prepare=built.prepare),
        "macs": trace_macs(built.module, built.x),
        "parameters": sum(parameter.numel() for parameter in built.module.parameters()),
    }
