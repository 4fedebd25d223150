"""Multiply–accumulates (MACs) of one pass: fvcore counts the forward, torch checks it, and a rule gives the backward.

The MACs are those of the *definition*: the layers run with ``algorithm="direct"``, dense convolutions, even where a
faster equivalent path is timed. Variants are thus compared as papers count them, and a path that saves work shows up in
the time, not in the MACs.

fvcore traces the module and sums convolutions and matrix products, module by module. It has no rule for some operators
that multiply, such as ``padding="same"``, ``tensordot`` and attention. torch's counter sees the convolutions and the
matrix products that these consist of; where the two differ, or where a module cannot be traced, torch's sum is taken.
There is no count where an operator ran that neither can count (``benchmarks.measure.operators``), or where nothing was
multiplied; the operators are named. ``zero_counted_time_share`` is the share of the time that operators without MACs
take.

Backward: a product has two factors, and the gradient of each costs as many MACs as the product. So the backward has
twice the MACs of the forward, less the gradients that nothing requires: those of a network's images, and of the
coordinates that kernels are generated from. torch's counter is of no use here, because it multiplies the weight
gradient of a grouped convolution by the number of groups.
"""

import copy
import math
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch._C._autograd import DeviceType
from torch._C._functorch import is_functorch_wrapped_tensor
from torch.overrides import TorchFunctionMode
from torch.profiler import ProfilerActivity, profile
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.measure.operators import RULES, Census
from benchmarks.workloads.workload import Workload, set_mode
from gcnn_impl.kernel_nets import SIREN
from gcnn_impl.models import AveragedNetwork

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # importing fvcore runs torch.jit.script, which torch deprecates
    from fvcore.nn import FlopCountAnalysis

# Backward computes two gradients, of the input and of the weights, and each takes the MACs of a forward pass. (This is
# an upper bound: the input of the first layer needs no gradient.)
PASSES_PER_STEP = 3
# Modules that stay in eval mode. They have no MACs, and in train mode they would change their statistics, refuse a
# batch of one, or advance the random generator.
_LEFT_ALONE = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.Dropout, nn.Dropout2d, nn.Dropout3d)
# Products whose first operand is a summand instead of a factor.
_SUMMAND_FIRST = ("addmm", "addmv", "addbmm", "baddbmm")
# Functions of torch that multiply two factors. The rule for the backward is right for these alone.
_OF_TWO_FACTORS = re.compile(
    r"_*(r|i)?(conv\w*|mm|bmm|matmul|linear|einsum|tensordot|mv|dot|vdot|inner|outer|addmm|addmv|addbmm|baddbmm)_*"
    r"|grid_sample\w*|interpolate|upsample\w*"
)
# Rules of fvcore for operators that do no MACs here: sums, means, copies.
_NO_MACS = ("batch_norm", "group_norm", "layer_norm", "instance_norm", "adaptive_avg_pool2d", "upsample_nearest2d")
# The reason where no operator has MACs: a layer that convolves by other operators, such as products and sums.
NOTHING = "no convolution and no product of matrices"
# The operators that fvcore counts, forward and backward, by their names in the profiler (torch, oneDNN, MKL); and our
# operators in C and Triton that do the same work.
COUNTED = re.compile(
    r"^(aten|mkldnn|mkl)::.*(conv|mm|matmul|linear|einsum|tensordot|attention)"
    r"|^gcnn_impl::(depthwise|fourier|mix|irreps_mix|siren)"
)


def trace_macs(module: nn.Module, x: Tensor) -> dict[str, Any]:
    """Count the MACs of ``module(x)`` with newly generated kernels; the module itself does not change.

    A network that averages over turned copies of its images in eval mode is counted in its present mode.

    Returns:
        ``kernel_generation``: MACs inside the SIREN modules, which do not depend on the batch.
        ``convolution``: all other MACs of the forward for the whole batch, including a network's small classifier.
        ``backward``: MACs of the gradients of the parameters, and of the input if it requires one.
        ``unsupported``: the operators that fvcore has no rule for, and how often each occurred.
        ``not_counted``: why these counts are None, such as the operators that may do MACs that nobody can count; else
            None. Where only the backward cannot be counted, only ``backward`` is None.
    """
    module = _by_definition(module)
    generating = [name for name, child in module.named_modules() if isinstance(child, SIREN)]
    try:
        by_module, unsupported = _fvcore_counts(module, x)
    except RuntimeError:  # not every module can be traced; without kernel nets torch's counter is enough
        if generating:
            raise
        by_module, unsupported = {}, {}
    found = _torch_counts(module, x)
    kernel_generation = sum(by_module[name] for name in generating)
    forward = found.forward or None if not found.unknown else None
    reason = _times(found.unknown) or (None if forward else NOTHING)
    return {
        "kernel_generation": None if forward is None else kernel_generation,
        "convolution": None if forward is None else forward - kernel_generation,
        "backward": None if forward is None or found.without_rule else found.backward,
        "unsupported": unsupported,
        "not_counted": reason or (f"the backward of {_times(found.without_rule)}" if found.without_rule else None),
    }


def step_macs(macs_of_image: Mapping[str, Any], batch_size: int) -> int | None:
    """Return the MACs of a training step from ``trace_macs``'s result for one image; None if they were not counted."""
    if macs_of_image["convolution"] is None:
        return None
    forward: int = macs_of_image["kernel_generation"] + batch_size * macs_of_image["convolution"]
    return PASSES_PER_STEP * forward


def _times(names: Mapping[str, int]) -> str:
    """Write names with how often each occurred."""
    return ", ".join(f"{name} × {count}" for name, count in sorted(names.items()))


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
    copied = set_mode(copy.deepcopy(module), training=True)  # in train mode no layer uses cached kernels
    for child, original in zip(copied.modules(), module.modules(), strict=True):
        if isinstance(child, _LEFT_ALONE):
            child.eval()
        if isinstance(child, AveragedNetwork):  # it computes more in eval mode
            child.training = original.training
        if hasattr(child, "algorithm"):
            child.algorithm = "direct"  # type: ignore[assignment]
    return copied


def _fvcore_counts(module: nn.Module, x: Tensor) -> tuple[dict[str, int], dict[str, int]]:
    """Return the MACs of a forward by module, and how often each operator without a rule occurred."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracer warns about shapes that it takes for constants
        analysis = FlopCountAnalysis(module, x.detach())
        # fvcore counts two MACs an element for a batch norm, although it has none. (A handle of None keeps its rule.)
        for name in _NO_MACS:
            analysis.set_op_handle(f"aten::{name}", lambda inputs, outputs: 0)
        analysis.set_op_handle("aten::matmul", _matmul_macs)
        analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings("none")
        by_module = {name: round(macs) for name, macs in analysis.by_module().items()}
        return by_module, dict(analysis.unsupported_ops())


def _matmul_macs(inputs: list[Any], outputs: list[Any]) -> int:
    """Return the MACs of a matmul of any shapes; fvcore's own rule fails on escnn's matrix times vector."""
    macs: int = math.prod(outputs[0].type().sizes()) * inputs[0].type().sizes()[-1]
    return macs


@dataclass
class _Counts:
    """What torch's counter says of a pass; operators and functions that cannot be counted, and how often each ran."""

    forward: int
    backward: int
    unknown: Mapping[str, int]
    without_rule: Mapping[str, int]


class _BackwardMacs(TorchFunctionMode):
    """Adds up, over all products, the MACs times the number of factors that require a gradient."""

    def __init__(self, counter: FlopCounterMode) -> None:
        super().__init__()
        self.counter = counter
        self.macs: int = 0
        self.seen: int = 0  # MACs of the forward in functions that this mode sees; code of TorchScript has others
        self.without_rule: dict[str, int] = {}

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        before = self.counter.get_total_flops()
        result = func(*args, **(kwargs or {}))
        if macs := (self.counter.get_total_flops() - before) // 2:
            name = getattr(func, "__name__", "")
            self.seen += macs
            operands = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
            first = int(name in _SUMMAND_FIRST)
            wanting = sum(factor.requires_grad for factor in operands[first : first + 2])
            known = _OF_TWO_FACTORS.fullmatch(name) and (name != "einsum" or len(operands) == 2)
            known = known or not any(operand.requires_grad for operand in operands)
            if known and not any(map(is_functorch_wrapped_tensor, operands)):  # these hide what requires a gradient
                self.macs += macs * wanting
            else:
                self.without_rule[name] = self.without_rule.get(name, 0) + 1
        return result


def _torch_counts(module: nn.Module, x: Tensor) -> _Counts:
    """Count a forward by torch's counter, and its backward by the rule."""
    counter, census = FlopCounterMode(display=False, custom_mapping=dict(RULES)), Census()
    backward = _BackwardMacs(counter)
    with torch.enable_grad(), census, counter, backward:  # the census sees the operators after the counter has
        module(x.detach().requires_grad_(x.requires_grad))
    forward, without_rule = counter.get_total_flops() // 2, backward.without_rule
    if backward.seen != forward:
        without_rule = {**without_rule, "operators outside of torch's functions": 1}
    return _Counts(forward, backward.macs, census.unknown, without_rule)
