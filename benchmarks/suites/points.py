"""The cases of the asv suite and of the pytest-benchmark suite: one source for both.

A point is device, variant, |H|, channels and batch size, in this order; the same on every machine, so that results of
different machines can be laid side by side. What a machine cannot run is skipped there, with a reason.
"""

import dataclasses
import itertools
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import torch

from benchmarks.cases.case import CASE_VERSION, Case
from benchmarks.cases.training_run import RECIPES, TrainingRun
from benchmarks.measure.correctness import check_output
from benchmarks.measure.macs import count_macs
from benchmarks.measure.memory import peak_memory
from benchmarks.workloads.build import build
from benchmarks.workloads.workload import Workload

# Bump when a benchmark of a suite means another measurement than before, whatever the reason: other rounds, another
# clock, something more inside the timed region. (A case that means something else has CASE_VERSION for that.) Results
# of different versions are never compared; asv then starts a new series. By default it would go by the source of the
# benchmark's own method, which stays the same when the code that it calls changes.
SUITE_VERSION = 3
VERSION = f"{CASE_VERSION}.{SUITE_VERSION}"

DEVICES = ["cpu", "cuda"]
# Small enough that either suite takes minutes.
LAYERS: Mapping[str, list[Any]] = {
    "device": DEVICES,
    "variant": ["plain", "lifting", "full", "separable"],
    "resolution": [4, 8, 16],
    "channels": [8, 16],
    "batch_size": [1, 16],
}
LAYER_DIRECTIONS = ("forward", "forward_backward")
# The paper's network, at the size of the quick training study.
NETWORKS: Mapping[str, list[Any]] = {
    "device": DEVICES,
    "variant": ["plain", "full", "separable"],
    "resolution": [4, 8],
}
# Enough to tell a network that learns from one that does not.
TRAINING_EPOCHS = 3


# A value on each axis of LAYERS or NETWORKS.
Point = tuple[Any, ...]


def layer_case(device: str, variant: str, resolution: int, channels: int, batch_size: int, *, direction: str) -> Case:
    """The case of a layer; a plain one has no |H|."""
    return Case(
        variant=variant,
        **_grid(variant, resolution),
        channels=channels,
        batch_size=batch_size,
        direction=direction,
        device=device,
    )


def network_run(device: str, variant: str, resolution: int) -> TrainingRun:
    """The training run of a network, at the learning rate that was chosen for its variant."""
    return TrainingRun(
        variant=variant,
        **_grid(variant, resolution),
        recipe="short",
        budget=TRAINING_EPOCHS,
        learning_rate=RECIPES["short"].learning_rate(variant),
        device=device,
    )


def _grid(variant: str, resolution: int) -> dict[str, Any]:
    return {"group": "trivial", "resolution": 1} if variant == "plain" else {"group": "SO2", "resolution": resolution}


def layer_cases() -> list[Case]:
    """Every layer of the suites in both directions, each once, on all devices."""
    points = itertools.product(*LAYERS.values())
    return list(
        dict.fromkeys(layer_case(*point, direction=direction) for point in points for direction in LAYER_DIRECTIONS)
    )


def step_case(run: TrainingRun) -> Case:
    """The case of one training step of a run."""
    return dataclasses.replace(run.case(), direction="training_step")


def absent(device: str) -> str | None:
    """Why nothing can be measured on a device; None where it can. Not to be asked at import: it wakes CUDA up."""
    return "no CUDA device" if device == "cuda" and not torch.cuda.is_available() else None


def not_applicable(device: str, variant: str, resolution: int, *_: int) -> str | None:
    """Why asv, which only knows full grids, does not measure a point; None when it does."""
    if variant == "plain" and resolution != LAYERS["resolution"][0]:
        return "a plain convolution has no group resolution"
    return absent(device)


def clock() -> float:
    """Seconds, after waiting for the device where there is one in use."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()
    return time.perf_counter()


class Sampled:
    """How asv samples a time."""

    version = VERSION
    # Two rounds and ten samples in each at least: with fewer, asv cannot call any difference significant.
    rounds = 2
    repeat = (10, 20, 2.0)
    warmup_time = 0.2
    timer = staticmethod(clock)


@lru_cache(maxsize=1)
def workload(case: Case) -> Workload:
    """The workload of a case, built once for as long as it is in turn."""
    torch.set_num_threads(case.threads)
    return build(case)


def cost(case: Case) -> dict[str, Any]:
    """What does not depend on the clock, under the names that a record has: memory of a pass of the case, MACs of one
    forward, parameters, equivariance error.

    Raises:
        InvalidResult: when the output is wrong.
    """
    built = workload(case)
    return {
        "equivariance_error": check_output(built),
        "memory": peak_memory(built.run, case.device, prepare=built.prepare),
        "macs": count_macs(built.module, built.x),
        "parameters": sum(parameter.numel() for parameter in built.module.parameters()),
    }
