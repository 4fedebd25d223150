"""Multiply–accumulates (MACs) of one pass: forward counted by fvcore on the traced operators, backward by a rule.

Counted are the MACs of the *definition*: the layers run with ``algorithm="direct"``, plain dense convolutions, whatever
faster equivalent path is timed. So variants are compared by what they ask for, as papers count it, and a path that
saves work shows up in the time, not in the MACs.

fvcore sums convolutions and matrix products. Operators that it has no rule for count as zero and are returned by name.
Most are harmless (sines, sums, indexing, pooling: no multiply–accumulates), but some would not be: ``padding="same"``,
``tensordot``, attention and FFTs count zero too, and einsum is rounded. Keep those off what is measured;
``zero_counted_time_share`` says how much of the time goes into what counts as zero.

Backward: a product has two factors, and the gradient of each costs as many MACs as the product. So it is twice the
forward, less the gradients nobody asks for: of a network's images, of the coordinates that kernels are generated from.
No counter is used for it: torch's multiplies the weight gradient of a grouped convolution by the number of groups.
"""

import copy
import math
import re
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.profiler import ProfilerActivity, profile
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.workloads.workload import Workload
from gcnn_impl.kernel_nets import SIREN

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # importing fvcore runs torch.jit.script, which torch deprecates
    from fvcore.nn import FlopCountAnalysis

# Has no MACs, and what a training forward does to it is not wanted: statistics move, a batch of one is refused, the
# random generator moves on.
_LEFT_ALONE = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.Dropout, nn.Dropout2d, nn.Dropout3d)
# Products whose first operand is a summand, and those whose third is.
_SUMMAND_FIRST = ("addmm", "addmv", "addbmm", "baddbmm")
# The operators that fvcore counts, by the names that the profiler shows: forward, backward, oneDNN's and cuDNN's; and
# ours in C, which do the work of such ones.
COUNTED = re.compile(r"^(aten|mkldnn|mkl)::.*(conv|mm|matmul|linear|einsum)|^gcnn_impl::(depthwise|mix|siren)")


def count_macs(module: nn.Module, x: Tensor) -> dict[str, Any]:
    """MACs of ``module(x)`` with the kernels generated anew; the module itself is left as it is.

    Returns:
        ``kernel_generation``: MACs inside the SIREN modules, which do not depend on the batch.
        ``convolution``: all others (in a network, those of its small classifier too), for the whole batch.
        ``backward``: of both, for the gradients of the parameters, and of the input if it requires one.
        ``unsupported``: how often each operator occurred that fvcore could not count.
    """
    module = _by_definition(module)
    by_module, unsupported = _fvcore_counts(module, x)
    kernel_nets = [name for name, child in module.named_modules() if isinstance(child, SIREN)]
    kernel_generation = sum(by_module[name] for name in kernel_nets)
    return {
        "kernel_generation": kernel_generation,
        "convolution": by_module[""] - kernel_generation,
        "backward": _backward_macs(module, x),
        "unsupported": unsupported,
    }


def zero_counted_time_share(workload: Workload) -> float | None:
    """Share of a pass that is spent in operators that count as zero MACs, Python and autograd between them included.

    By the profiler's self times: of the device where there is one, else of the processor. None where no operator ran.
    """
    on_device = workload.x.device.type == "cuda"
    activities = [ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * on_device
    workload.prepare()
    workload.run()
    workload.prepare()
    with profile(activities=activities, acc_events=True) as profiler:
        workload.run()
    times = [
        (event.self_device_time_total if on_device else event.self_cpu_time_total, bool(COUNTED.match(event.key)))
        for event in profiler.key_averages()
    ]
    total = sum(time for time, _ in times)
    return 1 - sum(time for time, counted in times if counted) / total if total else None


def _by_definition(module: nn.Module) -> nn.Module:
    """A copy that generates its kernels and takes no faster equivalent path."""
    module = copy.deepcopy(module).train()  # in training no layer answers from an inference cache
    for child in module.modules():
        if isinstance(child, _LEFT_ALONE):
            child.eval()
        if hasattr(child, "algorithm"):
            child.algorithm = "direct"  # type: ignore[assignment]
    return module


def _fvcore_counts(module: nn.Module, x: Tensor) -> tuple[dict[str, int], dict[str, int]]:
    """MACs by module, and operators without a rule."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracer's, about shapes that it takes for constants
        analysis = FlopCountAnalysis(module, x.detach())
        # fvcore counts two operations an element for a batch norm and calls them MACs. (A handle of None leaves it.)
        analysis.set_op_handle("aten::batch_norm", lambda inputs, outputs: 0)
        analysis.set_op_handle("aten::matmul", _matmul_macs)
        analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings("none")
        by_module = {name: round(macs) for name, macs in analysis.by_module().items()}
        return by_module, dict(analysis.unsupported_ops())


def _matmul_macs(inputs: list[Any], outputs: list[Any]) -> int:
    """Of any shapes that torch takes; fvcore's own rule fails on a matrix times a vector, which escnn does."""
    return math.prod(outputs[0].type().sizes()) * inputs[0].type().sizes()[-1]


class _BackwardMacs(TorchFunctionMode):
    """Adds up, for every product, its MACs times the factors that require a gradient."""

    def __init__(self, counter: FlopCounterMode) -> None:
        super().__init__()
        self.counter, self.macs = counter, 0

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        before = self.counter.get_total_flops()
        result = func(*args, **(kwargs or {}))
        macs = (self.counter.get_total_flops() - before) // 2
        if macs:
            operands = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
            first = int(getattr(func, "__name__", "") in _SUMMAND_FIRST)
            self.macs += macs * sum(factor.requires_grad for factor in operands[first : first + 2])
        return result


def _backward_macs(module: nn.Module, x: Tensor) -> int:
    with torch.enable_grad(), FlopCounterMode(display=False) as counter, _BackwardMacs(counter) as mode:
        module(x.detach().requires_grad_(x.requires_grad))
    return mode.macs
