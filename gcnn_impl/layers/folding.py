"""A convolution with the batch norm, the ReLU and the residual that follow it.

In inference the norm is an affine map of each channel, which the kernels and the bias of the convolution take in
(Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference",
section 3.2). The folded kernels are kept as long as the layer keeps its kernels and the norm its statistics.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from gcnn_impl.layers.base import Convolution
from gcnn_impl.layers.norm import GroupBatchNorm2d, norm_relu
from gcnn_impl.watching import is_traced_or_transformed, runs_forward_alone


def conv_norm_relu(
    conv: nn.Module,
    norm: nn.Module,
    x: Tensor,
    grids: tuple[Tensor, ...] = (),
    residual: Callable[[], Tensor] | None = None,
) -> Tensor:
    """Return ``norm_relu`` of a convolution, on the discretised grids or on explicit ones.

    In inference a group convolution that keeps its kernels takes in the norm. It does not if the norm or the
    convolution has hooks, which watch the one without the other, or under autocast.
    """
    folded = None if grids else _folded(conv, norm, x)
    if folded is None:
        maps = [conv(x, *grids)]
        del x  # and no name for the result: a name would keep a map in memory until the end
        return norm_relu(norm, maps.pop(), residual)
    layer, kernels, bias = folded
    return layer.convolve(x, *kernels, bias=bias, relu=True, residual=None if residual is None else residual())


def _folded(conv: nn.Module, norm: nn.Module, x: Tensor) -> tuple[Convolution, tuple[Tensor, ...], Tensor] | None:
    """Return the layer, and its kernels and its bias with the norm folded in; None where the norm runs by itself."""
    if not isinstance(conv, Convolution) or type(norm) is not GroupBatchNorm2d:
        return None
    if not type(conv).__module__.startswith("gcnn_impl.") or norm.num_features != conv.out_channels:
        return None
    if not (runs_forward_alone(conv) and runs_forward_alone(norm)):
        return None
    affine = norm.affine_map()
    if affine is None or is_traced_or_transformed():
        return None
    conv.check_input(x)
    device, dtype = affine[0].device, affine[0].dtype
    if x.device != device or x.dtype != dtype or dtype not in (torch.float32, torch.float64):
        return None
    if torch.is_autocast_enabled(device.type):
        return None
    if x.is_cuda and (torch.compiler.is_compiling() or torch.cuda.is_current_stream_capturing()):
        return None  # kernels that are folded while a graph is captured would belong to the graph
    found = conv.folded(affine)
    return None if found is None else (conv, *found)
