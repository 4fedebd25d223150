"""asv: time, memory, MACs, parameters and equivariance error of single layers, from commit to commit.

asv imports every module of this folder when it looks for benchmarks, and takes functions and methods named ``time_*``
and ``track_*`` for benchmarks: no other module may use these names, and none may compute or touch CUDA at import.
"""

import time
from functools import lru_cache

import torch

from benchmarks.cases import CASE_VERSION, Case
from benchmarks.measure.correctness import check_output
from benchmarks.measure.flops import count_macs
from benchmarks.measure.memory import peak_memory
from benchmarks.workloads import Workload, build

# Bump when a benchmark below means another measurement than before; asv then starts a new series. (By default it goes
# by the source of the method alone, which does not change with the code that the method calls.)
SUITE_VERSION = 1

# The same on every machine: a device that is absent is skipped.
DEVICES = ["cpu", "cuda"]
VARIANTS = ["plain", "lifting", "full", "separable"]
RESOLUTIONS = [4, 8]


def suite_case(device: str, variant: str, resolution: int, direction: str) -> Case:
    """A layer small enough that the suite takes minutes; ``resolution`` is ignored for plain, which has no group."""
    plain = variant == "plain"
    return Case(
        variant=variant,
        group="trivial" if plain else "SO2",
        resolution=1 if plain else resolution,
        channels=8,
        batch_size=4,
        direction=direction,
        device=device,
    )


@lru_cache
def suite_workload(case: Case) -> Workload:
    """The workload of a case, built once: asv calls ``setup`` before every single pass."""
    torch.set_num_threads(case.threads)
    return build(case)


def clock() -> float:
    """Seconds, after waiting for the device where there is one in use."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()
    return time.perf_counter()


class Layer:
    """What the benchmarks of a layer share; asv finds none in here."""

    version = f"{CASE_VERSION}.{SUITE_VERSION}"
    params = (DEVICES, VARIANTS, RESOLUTIONS)
    param_names = ("device", "variant", "resolution")
    direction = "forward_backward"

    def setup(self, device: str, variant: str, resolution: int) -> None:
        if device == "cuda" and not torch.cuda.is_available():
            raise NotImplementedError("no CUDA device")
        if variant == "plain" and resolution != RESOLUTIONS[0]:
            raise NotImplementedError("a plain convolution has no group resolution")
        self.workload = suite_workload(suite_case(device, variant, resolution, self.direction))
        self.workload.prepare()


class Forward(Layer):
    """Inference: eval, no gradients, cached kernels."""

    direction = "forward"
    # Two rounds and ten samples in each at least: with fewer, asv cannot call any difference significant.
    rounds = 2
    repeat = (10, 20, 2.0)
    warmup_time = 0.2
    timer = staticmethod(clock)

    def time_pass(self, device: str, variant: str, resolution: int) -> None:
        self.workload.run()


class ForwardBackward(Forward):
    """Training: kernels generated in every pass, gradients of parameters and input."""

    direction = "forward_backward"


class Cost(Layer):
    """What does not depend on the clock."""

    def track_peak_bytes(self, device: str, variant: str, resolution: int) -> int:
        """Peak memory of forward and backward, above what was allocated before."""
        return int(peak_memory(self.workload.run, device, prepare=self.workload.prepare)["peak_bytes"])

    track_peak_bytes.unit = "bytes"  # type: ignore[attr-defined]

    def track_macs(self, device: str, variant: str, resolution: int) -> int:
        """Multiply–accumulates of one forward pass, kernels generated."""
        macs = count_macs(self.workload.module, self.workload.x)
        return macs["kernel_generation"] + macs["convolution"]

    track_macs.unit = "MAC"  # type: ignore[attr-defined]

    def track_parameters(self, device: str, variant: str, resolution: int) -> int:
        """Learnable numbers."""
        return sum(parameter.numel() for parameter in self.workload.module.parameters())

    track_parameters.unit = "parameters"  # type: ignore[attr-defined]

    def track_equivariance_error(self, device: str, variant: str, resolution: int) -> float:
        """Worst relative error under quarter turns; nan (asv shows n/a) for a plain layer."""
        error = check_output(self.workload)
        return float("nan") if error is None else error

    track_equivariance_error.unit = "relative error"  # type: ignore[attr-defined]
