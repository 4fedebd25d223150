"""Multiply–accumulates (MACs) of one pass: fvcore counts the forward, and a rule gives the backward.

The MACs are those of the *definition*: the layers run with ``algorithm="direct"``, dense convolutions, even where a
faster equivalent path is timed. Variants are thus compared as papers count them, and a path that saves work shows up in
the time, not in the MACs.

fvcore traces the module and sums convolutions and matrix products. An operator without a rule counts as zero and is
returned by name. Most of these have no MACs (sines, sums, indexing, pooling), but ``padding="same"``, ``tensordot``,
attention and FFTs count as zero too, and an einsum's MACs are rounded; do not measure modules that use them.
``zero_counted_time_share`` is the share of the time that such operators take.

Backward: a product has two factors, and the gradient of each costs as many MACs as the product. So the backward has
twice the MACs of the forward, less the gradients that nothing requires: those of a network's images, and of the
coordinates that kernels are generated from. torch's counter is of no use here, because it multiplies the weight
gradient of a grouped convolution by the number of groups.
"""

import copy
import math
import re
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch._C._autograd import DeviceType
from torch.overrides import TorchFunctionMode
from torch.profiler import ProfilerActivity, profile
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.workloads.workload import Workload
from gcnn_impl.kernel_nets import SIREN

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # importing fvcore runs torch.jit.script, which torch deprecates
    from fvcore.nn import FlopCountAnalysis

# Modules that stay in eval mode. They have no MACs, and in train mode they would change their statistics, refuse a
# batch of one, or advance the random generator.
_LEFT_ALONE = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.Dropout, nn.Dropout2d, nn.Dropout3d)
# Products whose first operand is a summand instead of a factor.
_SUMMAND_FIRST = ("addmm", "addmv", "addbmm", "baddbmm")
# The operators that fvcore counts, forward and backward, by their names in the profiler (torch, oneDNN, MKL); and our
# operators in C and Triton that do the same work.
COUNTED = re.compile(r"^(aten|mkldnn|mkl)::.*(conv|mm|matmul|linear|einsum)|^gcnn_impl::(depthwise|mix|siren)")


def trace_macs(module: nn.Module, x: Tensor) -> dict[str, Any]:
    """Count the MACs of ``module(x)`` with newly generated kernels; the module itself does not change.

    Returns:
        ``kernel_generation``: MACs inside the SIREN modules, which do not depend on the batch.
        ``convolution``: all other MACs of the forward for the whole batch, including a network's small classifier.
        ``backward``: MACs of the gradients of the parameters, and of the input if it requires one.
        ``unsupported``: the operators that fvcore could not count, and how often each occurred.
    """
    module = _by_definition(module)
    by_module, unsupported = _fvcore_counts(module, x)
    kernel_generation = sum(by_module[name] for name, child in module.named_modules() if isinstance(child, SIREN))
    return {
        "kernel_generation": kernel_generation,
        "convolution": by_module[""] - kernel_generation,
        "backward": _backward_macs(module, x),
        "unsupported": unsupported,
    }


def zero_counted_time_share(workload: Workload) -> float | None:
    """Return the share of a pass's time in zero-MAC operators, including Python and autograd; None if no operator ran.

    The share is computed from the profiler's self times: the GPU's if the pass runs on the GPU, else the processor's.
    A pass must have run before, because the first pass does work that later ones do not.
    """
    on_device = workload.x.device.type == "cuda"
    activities = [ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * on_device
    workload.prepare()
    with profile(activities=activities, acc_events=True) as profiler:
        workload.run()
    times = [
        (event.self_device_time_total if on_device else event.self_cpu_time_total, bool(COUNTED.match(event.key)))
        for event in profiler.key_averages()
        # On a GPU the kernels are events too, whose time is also that of the operators that launched them.
        if event.device_type == DeviceType.CPU
    ]
    total = sum(time for time, _ in times)
    return 1 - sum(time for time, counted in times if counted) / total if total else None


def _by_definition(module: nn.Module) -> nn.Module:
    """Return a copy of the module that generates its kernels and takes no faster equivalent path."""
    module = copy.deepcopy(module).train()  # in train mode no layer uses cached kernels
    for child in module.modules():
        if isinstance(child, _LEFT_ALONE):
            child.eval()
        if hasattr(child, "algorithm"):
            child.algorithm = "direct"  # type: ignore[assignment]
    return module


def _fvcore_counts(module: nn.Module, x: Tensor) -> tuple[dict[str, int], dict[str, int]]:
    """Return the MACs of a forward by module, and how often each operator without a rule occurred."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracer warns about shapes that it takes for constants
        analysis = FlopCountAnalysis(module, x.detach())
        # fvcore counts two MACs an element for a batch norm, although it has none. (A handle of None keeps its rule.)
        analysis.set_op_handle("aten::batch_norm", lambda inputs, outputs: 0)
        analysis.set_op_handle("aten::matmul", _matmul_macs)
        analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings("none")
        by_module = {name: round(macs) for name, macs in analysis.by_module().items()}
        return by_module, dict(analysis.unsupported_ops())


def _matmul_macs(inputs: list[Any], outputs: list[Any]) -> int:
    """Return the MACs of a matmul of any shapes; fvcore's own rule fails on escnn's matrix times vector."""
    macs: int = math.prod(outputs[0].type().sizes()) * inputs[0].type().sizes()[-1]
    return macs


class _BackwardMacs(TorchFunctionMode):
    """Adds up, over all products, the MACs times the number of factors that require a gradient."""

    def __init__(self, counter: FlopCounterMode) -> None:
        super().__init__()
        self.counter = counter
        self.macs: int = 0

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        before = self.counter.get_total_flops()
        result = func(*args, **(kwargs or {}))
        if macs := (self.counter.get_total_flops() - before) // 2:
            operands = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
            first = int(getattr(func, "__name__", "") in _SUMMAND_FIRST)
            self.macs += macs * sum(factor.requires_grad for factor in operands[first : first + 2])
        return result


def _backward_macs(module: nn.Module, x: Tensor) -> int:
    counter = FlopCounterMode(display=False)
    backward = _BackwardMacs(counter)
    with torch.enable_grad(), counter, backward:
        module(x.detach().requires_grad_(x.requires_grad))
    return backward.macs
