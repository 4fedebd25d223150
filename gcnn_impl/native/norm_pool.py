"""Batch norm with the spatial max pooling and the ReLU that follow it, in C; images are (B, H, W, |H|, C)."""

from typing import Any

import torch
from torch import Tensor

from gcnn_impl.native.norm import check_channels
from gcnn_impl.native.operators import addresses, check, library_in_use, memory
from gcnn_impl.registration import operator


def _sizes(x: Tensor) -> tuple[int, ...]:
    """Return B, H, W, M = |H|·C, C, and the number of threads."""
    batch, height, width, resolution, channels = x.shape
    return batch, height, width, resolution * channels, channels, torch.get_num_threads()


def _scratch(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the scratch in float64 and in float32, which statistics and pooling use one after the other."""
    *sizes, channels, threads = _sizes(x)
    of_norm = memory("gcnn_norm_memory", 2, x.numel() // channels, channels, threads)
    doubles, floats = map(max, zip(of_norm, memory("gcnn_pool_memory", 2, *sizes, threads), strict=True))
    return x.new_empty(doubles, dtype=torch.float64), x.new_empty(floats)


def _fits(x: Tensor) -> bool:
    return x.dim() == 5 and x.numel() > 0 and x.shape[1] % 2 == x.shape[2] % 2 == 0


def _pooled_like(x: Tensor, *_: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Return empty pooled images, and empty means and scales."""
    batch, height, width, resolution, channels = x.shape
    y = x.new_empty(batch, height // 2, width // 2, resolution, channels)
    return y, x.new_empty(channels), x.new_empty(channels)


@operator(
    "norm_pool(Tensor x, Tensor? weight, Tensor? bias, Tensor(a!)? running_mean, Tensor(b!)? running_var,"
    " bool of_batch, float momentum, float eps, bool relu) -> (Tensor, Tensor, Tensor)",
    "CPU",
    fake=_pooled_like,
)
def normalise(
    x: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    of_batch: bool,
    momentum: float,
    eps: float,
    relu: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the pooled images, (B, H/2, W/2, |H|, C), and the mean and the 1/deviation of each channel."""
    check(_fits(x) and (of_batch or running_mean is not None), x)
    check_channels(x, weight, bias, running_mean, running_var)
    check((running_mean is None) == (running_var is None), x)
    doubles, floats = _scratch(x)
    y, mean, scale = _pooled_like(x)
    tensors = x, weight, bias, running_mean, running_var, y, mean, scale, doubles, floats
    library_in_use().gcnn_norm_pool(*addresses(*tensors), of_batch, momentum, eps, relu, *_sizes(x))
    return y, mean, scale


def _empty_gradients(
    gradient: Tensor, x: Tensor, weight: Tensor | None, bias: Tensor | None, *_: Any
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    of_weight, of_bias = (None if p is None else torch.empty_like(p) for p in (weight, bias))
    return torch.empty_like(x), of_weight, of_bias


@operator(
    "norm_pool_backward(Tensor gradient, Tensor x, Tensor? weight, Tensor? bias, Tensor mean, Tensor scale,"
    " bool of_batch, bool relu) -> (Tensor, Tensor?, Tensor?)",
    "CPU",
    fake=_empty_gradients,
)
def gradients(
    gradient: Tensor,
    x: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    mean: Tensor,
    scale: Tensor,
    of_batch: bool,
    relu: bool,
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Return the gradients of x, weight and bias."""
    check(_fits(x), x)
    batch, height, width, resolution, channels = x.shape
    check(gradient.shape == (batch, height // 2, width // 2, resolution, channels), gradient, x)
    check_channels(x, weight, bias, mean, scale)
    doubles, floats = _scratch(x)
    of_x, of_weight, of_bias = _empty_gradients(gradient, x, weight, bias)
    tensors = gradient, x, weight, bias, mean, scale, of_x, of_weight, of_bias, doubles, floats
    library_in_use().gcnn_norm_pool_backward(*addresses(*tensors), of_batch, relu, *_sizes(x))
    return of_x, of_weight, of_bias
