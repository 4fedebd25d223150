"""The rounding error of a number format: the output and the gradient of the input, compared with float64."""

import copy

import torch

from benchmarks.measure.correctness import relative_error
from benchmarks.workloads.workload import Workload, set_mode

# The error of two images says as much as the error of a batch.
SAMPLES = 2


def rounding_error(workload: Workload) -> dict[str, float | None]:
    """Compare a pass over two images in the workload's format with the same module in float64 on the same device.

    The module itself does not change. float64 is neither autocast nor rounded to tf32. Batch norms use their running
    statistics: the statistics of two images would enlarge the error of a network at will.

    Returns:
        The relative errors of the ``output`` and of the ``input_gradient``, which is None if the pass has no backward
        or its input requires no gradient.
    """
    y, gradient = _pass(workload, torch.float32, autocast=True)
    expected, expected_gradient = _pass(workload, torch.float64, autocast=False)
    return {
        "output": relative_error(y, expected),
        "input_gradient": None
        if gradient is None or expected_gradient is None
        else relative_error(gradient, expected_gradient),
    }


def _pass(workload: Workload, dtype: torch.dtype, *, autocast: bool) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Return the output and the gradient of the input of a copy of the module in a dtype."""
    module = set_mode(copy.deepcopy(workload.module).to(dtype), training=False)
    x = workload.x[:SAMPLES].detach().to(dtype).requires_grad_(workload.x.requires_grad)
    few = Workload(module, x, workload.cotangent, None, False, autocast=workload.autocast if autocast else None)
    with torch.set_grad_enabled(workload.backward), few.autocasting():
        y: torch.Tensor = module(x)
    if x.requires_grad:
        y.backward(workload.cotangent[:SAMPLES].to(y.dtype))
    return y, x.grad
