"""Closed forms of the multiply–accumulates (MACs): of a convolution per sample, and of generating kernels per forward.

One MAC is two FLOPs. The definition with dense k × k kernels is counted: its zero taps outside the disc count too, but
additions, windows, norms and sines do not. A fast path that skips zero taps or goes through the Fourier domain executes
another number of MACs; variants are compared by the numbers given here. The closed form of a variant is the method
``macs`` of its class.
"""

from math import prod

import torch
from torch import Tensor, nn

from gcnn_impl.checks import check_kind
from gcnn_impl.kernels import ContinuousKernel
from gcnn_impl.layers import Convolution


def siren_macs(points: int, coordinates: int, hidden: int, values: int) -> int:
    """Return the MACs of a SIREN with two sine layers: d·m + m² + m·n per point; d coordinates, m hidden, n values.

    >>> siren_macs(points=10, coordinates=2, hidden=64, values=16)
    52480
    """
    return points * (coordinates * hidden + hidden**2 + hidden * values)


def layer_macs(layer: nn.Module, in_shape: tuple[int, ...], out_shape: tuple[int, ...]) -> int:
    """Return the MACs of one layer on the given input and output, without those that generate its kernels.

    The layer is one of ``gcnn_impl``, ``nn.Conv2d`` or ``nn.Linear``; others have 0 MACs. Shapes have the batch first.

    >>> layer_macs(nn.Linear(3, 4), (2, 3), (2, 4))
    24
    """
    if isinstance(layer, nn.Linear):
        return prod(out_shape) * layer.in_features
    if isinstance(layer, nn.Conv2d):
        return prod(out_shape) * layer.in_channels // layer.groups * prod(layer.kernel_size)
    if isinstance(layer, Convolution):
        return in_shape[0] * layer.macs(prod(in_shape[-2:]), prod(out_shape[-2:]))
    return 0


def generation_macs(module: nn.Module) -> int:
    """Return the MACs of generating the kernels of a layer or a network once; the batch size does not matter.

    On the discretised grids every net is evaluated once for each of its distinct arguments.
    """
    check_kind("module", module, nn.Module, "an nn.Module")
    nets = [(m.net, len(m.coordinates)) for m in module.modules() if isinstance(m, ContinuousKernel)]
    return sum(siren_macs(points, n.in_features, n.hidden_features, n.out_features) for n, points in nets)


@torch.no_grad()
def module_macs(module: nn.Module, x: Tensor) -> int:
    """Return the MACs of a module on an input, the sum over its layers.

    The module runs once, in eval mode; on the meta device this run computes no values.

    >>> module_macs(nn.Conv2d(2, 3, 5), torch.empty(1, 2, 8, 8))
    2400
    """
    check_kind("module", module, nn.Module, "an nn.Module")
    total = 0

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        total += layer_macs(layer, tuple(inputs[0].shape), tuple(output.shape))

    kinds = nn.Conv2d, nn.Linear, Convolution
    handles = [m.register_forward_hook(count) for m in module.modules() if isinstance(m, kinds)]
    modes = [(m, m.training) for m in module.modules()]
    try:
        module.eval()(x)
    finally:
        for handle in handles:
            handle.remove()
        for m, training in modes:
            m.training = training
    return total
