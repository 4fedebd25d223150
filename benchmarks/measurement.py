"""One case, measured: what runs in a process of its own for every case.

First the answer is checked, then time, memory and MACs are taken, each by the instrument in ``measure`` that is named
after it.
"""

from typing import Any

import torch

from benchmarks.cases import Case
from benchmarks.measure.clock import Sampling, sample, synchronised_clock
from benchmarks.measure.flops import count_macs
from benchmarks.measure.memory import peak_memory
from benchmarks.measure.statistics import summarise
from benchmarks.workloads import Workload, build
from gcnn_impl.equivariance import equivariance_error, exact_elements

# float32 gives 1e-7 to 1e-6; a wrong rotation or a permuted group axis gives more than 1e-1.
EQUIVARIANCE_TOLERANCE = 1e-4
# The error needs several passes and no large batch.
EQUIVARIANCE_SAMPLES = 2


class InvalidOutput(ArithmeticError):  # noqa: N818
    """The module ran and its answer is wrong: its cost means nothing."""


def measure(case: Case, sampling: Sampling) -> dict[str, Any]:
    """The measured part of a case's record: ``seconds``, ``memory``, ``parameters``, ``macs``, ``equivariance_error``.

    Raises:
        InvalidOutput: when the output is not finite, has the wrong shape, or is not equivariant.
    """
    torch.set_num_threads(case.threads)
    workload = build(case)
    error = check_output(workload)
    samples = sample(workload.run, synchronised_clock(case.device), sampling, prepare=workload.prepare)
    return {
        "seconds": {"samples": samples, **summarise(samples)},
        "memory": peak_memory(workload.run, case.device, prepare=workload.prepare),
        "parameters": sum(parameter.numel() for parameter in workload.module.parameters()),
        "macs": count_macs(workload.module, workload.x),
        "equivariance_error": error,
    }


@torch.no_grad()
def check_output(workload: Workload) -> float | None:
    """The equivariance error of a workload whose output is right; None where there is no exact group element to try.

    Raises:
        InvalidOutput: when the output is not finite, has the wrong shape, or is not equivariant.
    """
    module, group = workload.module, workload.group
    training = module.training
    module.eval()
    try:
        y = module(workload.x)
        if y.shape != workload.cotangent.shape:
            raise InvalidOutput(f"output has shape {tuple(y.shape)}, expected {tuple(workload.cotangent.shape)}")
        if not y.isfinite().all():
            raise InvalidOutput("output has values that are not finite")
        if group is None or len(exact_elements(group)) == 0:
            return None
        error = equivariance_error(module, workload.x[:EQUIVARIANCE_SAMPLES], group)
        if not error <= EQUIVARIANCE_TOLERANCE:
            raise InvalidOutput(f"equivariance error {error:.3g} exceeds {EQUIVARIANCE_TOLERANCE:.0e}")
        return error
    finally:
        module.train(training)
