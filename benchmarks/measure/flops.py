"""Multiply–accumulates (MACs) of one forward pass, counted by fvcore on the traced operators.

Counted are the MACs of the *definition*: the layers run with ``algorithm="direct"``, plain dense convolutions, whatever
faster equivalent path is timed. So variants are compared by what they ask for, as papers count it, and a path that
saves work shows up in the time, not in the MACs.

fvcore sums convolutions and matrix products. Operators that it has no rule for count as zero and are returned by name.
Most are harmless (sines, sums, indexing, pooling: no multiply–accumulates), but some would not be: ``padding="same"``,
``tensordot``, attention and FFTs count zero too, and einsum is rounded. Keep those off what is measured.
"""

import copy
import warnings
from typing import Any

import torch
from torch import Tensor, nn

from gcnn_impl.kernel_nets import SIREN

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # importing fvcore runs torch.jit.script, which torch deprecates
    from fvcore.nn import FlopCountAnalysis

_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def count_macs(module: nn.Module, x: Tensor) -> dict[str, Any]:
    """MACs of ``module(x)`` with the kernels generated anew; the module itself is left as it is.

    Returns:
        ``kernel_generation``: MACs inside the SIREN modules, which do not depend on the batch.
        ``convolution``: all others (in a network, those of its small classifier too), for the whole batch.
        ``unsupported``: how often each operator occurred that fvcore could not count.
    """
    module = copy.deepcopy(module).train()  # in training no layer answers from an inference cache
    for child in module.modules():
        if isinstance(child, _BATCH_NORMS):
            child.eval()  # in training it refuses a batch of one
        if hasattr(child, "algorithm"):
            child.algorithm = "direct"  # type: ignore[assignment]
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracer's, about shapes that it takes for constants
        analysis = FlopCountAnalysis(module, x.detach())
        # fvcore counts two operations an element for a batch norm and calls them MACs. (A handle of None leaves it.)
        analysis.set_op_handle("aten::batch_norm", lambda inputs, outputs: 0)
        analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings("none")
        by_module = analysis.by_module()
        unsupported = dict(analysis.unsupported_ops())
    kernel_nets = [name for name, child in module.named_modules() if isinstance(child, SIREN)]
    kernel_generation = sum(round(by_module[name]) for name in kernel_nets)
    return {
        "kernel_generation": kernel_generation,
        "convolution": round(by_module[""]) - kernel_generation,
        "unsupported": unsupported,
    }
