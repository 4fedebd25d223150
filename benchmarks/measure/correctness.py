"""Whether a module's answer is right. The cost of a wrong answer means nothing, so this comes before any measurement."""

import torch

from benchmarks.workloads import Workload
from gcnn_impl.equivariance import equivariance_error, exact_elements

# float32 gives 1e-7 to 1e-6; a wrong rotation or a permuted group axis gives more than 1e-1.
EQUIVARIANCE_TOLERANCE = 1e-4
# The error needs several passes and no large batch.
EQUIVARIANCE_SAMPLES = 2


class InvalidOutput(Exception):  # noqa: N818
    """The module ran, and its answer is wrong."""


@torch.no_grad()
def check_output(workload: Workload) -> float | None:
    """The equivariance error of a workload whose output is right; None where no group element is exact on pixels.

    Raises:
        InvalidOutput: when the output has the wrong shape, is not finite, or is not equivariant.
    """
    module, group = workload.module, workload.group
    training = module.training
    module.eval()
    y = module(workload.x)
    if y.shape != workload.cotangent.shape:
        raise InvalidOutput(f"output has shape {tuple(y.shape)}, expected {tuple(workload.cotangent.shape)}")
    if not y.isfinite().all():
        raise InvalidOutput("output has values that are not finite")
    error = None
    if group is not None and len(exact_elements(group)) > 0:
        error = equivariance_error(module, workload.x[:EQUIVARIANCE_SAMPLES], group)
        if not error <= EQUIVARIANCE_TOLERANCE:  # also for nan
            raise InvalidOutput(f"equivariance error {error:.3g}, allowed: {EQUIVARIANCE_TOLERANCE:.0e}")
    module.train(training)
    return error
