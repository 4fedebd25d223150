"""Multiply-accumulates in closed form: of the convolutions per sample, and of generating their kernels per forward.

MACs, not FLOPs (2 per MAC), of the definition with dense k × k kernels: taps that the disc makes zero count, additions,
windows, norms and sines do not. A fast path that skips zero taps or goes through the Fourier domain executes other
numbers; these are the ones that variants are compared by.
"""

from math import prod

import torch
from torch import Tensor, nn

from gcnn_impl.groups import Group, SO2xRPlus
from gcnn_impl.kernels import ContinuousKernel
from gcnn_impl.layers import (
    DepthwiseGroupSeparableConv2d,
    DepthwiseSeparableConv2d,
    FullySeparableConv2d,
    GroupToGroupConv2d,
    LiftingConv2d,
    SeparableGroupConv2d,
)


def full_macs(c_in: int, c_out: int, h_in: int, h_out: int, taps: int, out_pixels: int) -> int:
    """Full and composed group-separable: C_o C_i |H_out| |H_in| k² per output pixel; a lifting has |H_in| = 1."""
    return c_out * c_in * h_out * h_in * taps * out_pixels


def separable_macs(c_in: int, c_out: int, h_in: int, h_out: int, taps: int, in_pixels: int, out_pixels: int) -> int:
    """Separable: 1×1 over (C_i·|H_in|), then depthwise k × k."""
    return c_out * h_out * (c_in * h_in * in_pixels + taps * out_pixels)


def dseparable_macs(c_in: int, c_out: int, h_in: int, h_out: int, taps: int, in_pixels: int, out_pixels: int) -> int:
    """Depthwise-separable: 1×1 over C_i, then k × k over H with C_o groups."""
    return c_out * h_in * (c_in * in_pixels + h_out * taps * out_pixels)


def dgseparable_macs(c_in: int, c_out: int, h_in: int, h_out: int, taps: int, in_pixels: int, out_pixels: int) -> int:
    """Depthwise- and group-separable: 1×1 over C_i, grouped 1×1 over H, depthwise k × k."""
    return c_out * (h_in * (c_in + h_out) * in_pixels + h_out * taps * out_pixels)


def separable2d_macs(
    c_in: int,
    c_out: int,
    in_grid: tuple[int, int],
    out_grid: tuple[int, int],
    taps: int,
    in_pixels: int,
    out_pixels: int,
) -> int:
    """Fully separable on Sim(2), grids R × S: 1×1 over (C_i·R), grouped 1×1 over S, depthwise k × k."""
    (r_in, s_in), (r_out, s_out) = in_grid, out_grid
    mixing = r_out * s_in * (c_in * r_in + s_out) * in_pixels
    return c_out * (mixing + r_out * s_out * taps * out_pixels)


def siren_macs(points: int, coordinates: int, hidden: int, values: int) -> int:
    """A SIREN with two sine layers at ``points`` places: d·m + m² + m·n each."""
    return points * (coordinates * hidden + hidden**2 + hidden * values)


def _factors(group: Group) -> tuple[int, int]:
    assert isinstance(group, SO2xRPlus)  # the layer has checked it
    return group.rotations, group.scales


def layer_macs(layer: nn.Module, in_shape: tuple[int, ...], out_shape: tuple[int, ...]) -> int:
    """MACs of one layer on the given input and output, without generating kernels; 0 for what is no convolution.

    Args:
        layer: a layer of ``gcnn_impl``, ``nn.Conv2d`` or ``nn.Linear``.
        in_shape, out_shape: shapes with the batch first.
    """
    batch = in_shape[0]
    if isinstance(layer, nn.Linear):
        return prod(out_shape) * layer.in_features
    pixels = prod(in_shape[-2:]), prod(out_shape[-2:])
    if isinstance(layer, nn.Conv2d):
        return prod(out_shape) * layer.in_channels // layer.groups * prod(layer.kernel_size)
    if isinstance(layer, LiftingConv2d):
        channels, taps = (layer.in_channels, layer.out_channels), layer.kernel_size**2
        return batch * full_macs(*channels, 1, layer.group.resolution, taps, pixels[1])
    if not isinstance(layer, GroupToGroupConv2d):
        return 0
    channels, taps = (layer.in_channels, layer.out_channels), layer.kernel_size**2
    if isinstance(layer, FullySeparableConv2d):
        return batch * separable2d_macs(*channels, _factors(layer.group), _factors(layer.out_group), taps, *pixels)
    sizes = *channels, layer.group.resolution, layer.out_group.resolution, taps
    if isinstance(layer, SeparableGroupConv2d):
        return batch * separable_macs(*sizes, *pixels)
    if isinstance(layer, DepthwiseSeparableConv2d):
        return batch * dseparable_macs(*sizes, *pixels)
    if isinstance(layer, DepthwiseGroupSeparableConv2d):
        return batch * dgseparable_macs(*sizes, *pixels)
    return batch * full_macs(*sizes, pixels[1])


def generation_macs(module: nn.Module) -> int:
    """MACs that generate the kernels of a layer or of all layers of a network, once per forward whatever the batch.

    On the discretised grids every net is evaluated once for each of its distinct arguments.
    """
    nets = [(m.net, len(m.coordinates)) for m in module.modules() if isinstance(m, ContinuousKernel)]
    return sum(siren_macs(points, n.in_features, n.hidden_features, n.out_features) for n, points in nets)


@torch.no_grad()
def module_macs(module: nn.Module, x: Tensor) -> int:
    """MACs of a module on an input, the sum over its layers; runs it in evaluation, on the meta device if it is there.

    >>> module_macs(nn.Conv2d(2, 3, 5), torch.empty(1, 2, 8, 8))
    2400
    """
    total = 0

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        total += layer_macs(layer, tuple(inputs[0].shape), tuple(output.shape))

    kinds = nn.Conv2d, nn.Linear, LiftingConv2d, GroupToGroupConv2d
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
