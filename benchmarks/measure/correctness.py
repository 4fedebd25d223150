"""Whether a module's answer is right. The cost of a wrong one means nothing, so this comes before any measurement."""

import torch

from benchmarks.isolation import InvalidResult
from benchmarks.workloads import Workload
from gcnn_impl.equivariance import equivariance_error, exact_elements

# float32 gives 1e-7 to 1e-6; a wrong rotation or a permuted group axis gives more than 1e-1.
EQUIVARIANCE_TOLERANCE = 1e-4
# The error needs several passes and no large batch.
EQUIVARIANCE_SAMPLES = 2


@torch.no_grad()
def check_output(workload: Workload) -> float | None:
    """The equivariance error of a workload whose output is right; None where no group element is exact on pixels.

    Raises:
        InvalidResult: when the output is no tensor, has the wrong shape, is not finite, or is not equivariant.
    """
    module, group = workload.module, workload.group
    training = module.training
    module.eval()
    y = module(workload.x)
    if not isinstance(y, torch.Tensor):
        raise InvalidResult(f"output is a {type(y).__name__}, expected a tensor")
    if y.shape != workload.cotangent.shape:
        raise InvalidResult(f"output has shape {tuple(y.shape)}, expected {tuple(workload.cotangent.shape)}")
    if not y.isfinite().all():
        raise InvalidResult("output has values that are not finite")
    error = None
    if group is not None and len(exact_elements(group)) > 0:
        error = equivariance_error(module, workload.x[:EQUIVARIANCE_SAMPLES], group)
        if not error <= EQUIVARIANCE_TOLERANCE:  # also for nan
            raise InvalidResult(f"equivariance error {error:.3g}, allowed: {EQUIVARIANCE_TOLERANCE:.0e}")
    module.train(training)
    return error
