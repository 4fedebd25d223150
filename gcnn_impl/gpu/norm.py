"""Batch norm with ReLU and residual: two launches forward, two backward.

A map is read twice forward, once for its statistics, and written once. Backward reads the map and the gradient twice,
and writes a gradient; the ReLU's mask is computed anew from the map. With a residual, the first backward launch also
reads the kept output, which the next layer keeps as well, and writes the residual's gradient, which the second reads.
"""

from typing import Any

import torch
from torch import Tensor

from gcnn_impl.gpu.launching import KEYS, ceil_div, check, on_device_of, power_of_two, sum_dtype
from gcnn_impl.registration import operator

BLOCK = 4096  # values that a program works on at once
PARTS = 128  # programs that sum, for each block of channels; every program of the next launch reads their sums
PROGRAMS = 256  # programs that write a map


def _shares(x: Tensor, programs: int) -> tuple[tuple[int, int], int, dict[str, Any]]:
    """Return the grid of at most ``programs`` × blocks of channels, the rows of a program, and the blocks."""
    channels = x.shape[-1]
    block_c = min(power_of_two(channels), 128)
    rows, block_r = x.numel() // channels, BLOCK // block_c
    share = ceil_div(ceil_div(rows, block_r), programs) * block_r
    options = {"BLOCK_R": block_r, "BLOCK_C": block_c, "num_warps": 8, "enable_fp_fusion": True}
    return (ceil_div(rows, share), ceil_div(channels, block_c)), share, options


def _check_channels(channels: int, *pairs: Tensor | None) -> None:
    """Raise ``ValueError`` unless these tensors, pairs of which are given or not, have a value for each channel."""
    given = [t for t in pairs if t is not None]
    paired = all((a is None) == (b is None) for a, b in zip(pairs[::2], pairs[1::2], strict=True))
    check(paired and all(t.shape == (channels,) for t in given), *given)


def _normalised_like(x: Tensor, *_: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Return an empty map, and empty means and scales."""
    mean, scale = (x.new_empty(x.shape[-1], dtype=sum_dtype(x.dtype)) for _ in range(2))
    return torch.empty_like(x), mean, scale


@operator(
    "batch_norm_triton(Tensor x, Tensor? weight, Tensor? bias, Tensor(a!)? running_mean, Tensor(b!)? running_var,"
    " Tensor? residual, bool of_batch, float momentum, float eps, bool relu) -> (Tensor, Tensor, Tensor)",
    *KEYS,
    fake=_normalised_like,
)
def normalise(
    x: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    residual: Tensor | None,
    of_batch: bool,
    momentum: float,
    eps: float,
    relu: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the normalised rows, and the mean and the 1/deviation of each channel; x (…, C) is contiguous."""
    from gcnn_impl.gpu import norm_kernels

    channels = x.shape[-1]
    _check_channels(channels, weight, bias, running_mean, running_var)
    alike = residual is None or residual.shape == x.shape
    check(alike and (of_batch or running_mean is not None), x, residual)
    rows = x.numel() // channels
    y, mean, scale = _normalised_like(x)
    (count, blocks), parts_share, options = _shares(x, PARTS)
    parts = None
    with on_device_of(x):
        if of_batch:
            parts = x.new_empty(2, count, channels, dtype=sum_dtype(x.dtype))
            norm_kernels.statistics[(count, blocks)](x, parts, rows, channels, parts_share, **options)
        grid, share, options = _shares(x, PROGRAMS)
        tensors = x, weight, bias, running_mean, running_var, residual, parts, y, mean, scale
        norm_kernels.normalise[grid](
            *tensors,
            *(rows, channels, share, parts_share, count),
            momentum=momentum,
            eps=eps,
            OF_BATCH=of_batch,
            RUNNING=running_mean is not None,
            AFFINE=weight is not None,
            RELU=relu,
            RESIDUAL=residual is not None,
            PARTS_BLOCK=power_of_two(count),
            **options,
        )
    return y, mean, scale


def _gradients_like(
    gradient: Tensor, x: Tensor, weight: Tensor | None, bias: Tensor | None, *others: Any
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    *_, y, _, _ = others
    of_weight, of_bias = (x.new_empty(0) if p is None else torch.empty_like(p) for p in (weight, bias))
    return torch.empty_like(x), of_weight, of_bias, x.new_empty(0) if y is None else torch.empty_like(x)


@operator(
    "batch_norm_backward_triton(Tensor gradient, Tensor x, Tensor? weight, Tensor? bias, Tensor mean, Tensor scale,"
    " Tensor? y, bool of_batch, bool relu) -> (Tensor, Tensor, Tensor, Tensor)",
    *KEYS,
    fake=_gradients_like,
)
def gradients(
    gradient: Tensor,
    x: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    mean: Tensor,
    scale: Tensor,
    y: Tensor | None,
    of_batch: bool,
    relu: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the gradients of x, weight, bias and residual; y is the output if there was a residual, else None."""
    from gcnn_impl.gpu import norm_kernels

    channels = x.shape[-1]
    _check_channels(channels, weight, bias)
    check(mean.shape == scale.shape == (channels,) and mean.dtype == sum_dtype(x.dtype), mean, scale)
    check(gradient.shape == x.shape and (y is None or y.shape == x.shape), gradient, x, y)
    rows = x.numel() // channels
    of_x, of_weight, of_bias, of_residual = _gradients_like(gradient, x, weight, bias, y, of_batch, relu)
    (count, blocks), share, options = _shares(x, PARTS)
    parts = x.new_empty(2, count, channels, dtype=mean.dtype)
    flags = {"AFFINE": weight is not None, "RELU": relu}
    given = x, weight, bias, mean, scale
    with on_device_of(x):
        norm_kernels.gradient_sums[(count, blocks)](
            *(gradient, *given, y, of_residual, parts),
            *(rows, channels, share),
            RESIDUAL=y is not None,
            **flags,
            **options,
        )
        grid, share, options = _shares(x, PROGRAMS)
        norm_kernels.gradients[grid](
            *(gradient if y is None else of_residual, *given, parts, of_x, of_weight, of_bias),
            *(rows, channels, share, count),
            OF_BATCH=of_batch,
            PARTS_BLOCK=power_of_two(count),
            **flags,
            **options,
        )
    return of_x, of_weight, of_bias, of_residual
