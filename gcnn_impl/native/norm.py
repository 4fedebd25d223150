"""Batch norm with ReLU and residual in C; the arguments and results are those of ``gpu.norm``."""

from typing import Any

import torch
from torch import Tensor

from gcnn_impl.native.operators import addresses, check, library_in_use, memory
from gcnn_impl.registration import operator


def check_channels(x: Tensor, *tensors: Tensor | None) -> None:
    """Raise ``ValueError`` unless these tensors, some of which may be missing, have a value for each channel of x."""
    check(all(t is None or t.shape == x.shape[-1:] for t in tensors), x, *tensors)


def _sizes(x: Tensor) -> tuple[tuple[int, int, int], Tensor, Tensor]:
    """Return the numbers of rows, channels and threads, and the scratch in float64 and in float32."""
    sizes = x.numel() // x.shape[-1], x.shape[-1], torch.get_num_threads()
    doubles, floats = memory("gcnn_norm_memory", 2, *sizes)
    return sizes, x.new_empty(doubles, dtype=torch.float64), x.new_empty(floats)


def _normalised_like(x: Tensor, *_: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Return empty normalised rows, and empty means and scales."""
    return torch.empty_like(x), x.new_empty(x.shape[-1]), x.new_empty(x.shape[-1])


@operator(
    "batch_norm(Tensor x, Tensor? weight, Tensor? bias, Tensor(a!)? running_mean, Tensor(b!)? running_var,"
    " Tensor? residual, bool of_batch, float momentum, float eps, bool relu) -> (Tensor, Tensor, Tensor)",
    "CPU",
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
    check_channels(x, weight, bias, running_mean, running_var)
    rows, paired = x.numel() // x.shape[-1], (running_mean is None) == (running_var is None)
    enough = rows > 1 if of_batch else running_mean is not None
    check((residual is None or residual.shape == x.shape) and paired and enough, x, residual)
    sizes, doubles, floats = _sizes(x)
    y, mean, scale = _normalised_like(x)
    tensors = x, weight, bias, running_mean, running_var, residual, y, mean, scale, doubles, floats
    library_in_use().gcnn_batch_norm(*addresses(*tensors), of_batch, momentum, eps, relu, *sizes)
    return y, mean, scale


def _empty_gradients(
    gradient: Tensor, x: Tensor, weight: Tensor | None, bias: Tensor | None, *others: Any
) -> tuple[Tensor, Tensor | None, Tensor | None, Tensor | None]:
    *_, y, _, _ = others
    of_weight, of_bias, of_residual = (None if t is None else torch.empty_like(t) for t in (weight, bias, y))
    return torch.empty_like(x), of_weight, of_bias, of_residual


@operator(
    "batch_norm_backward(Tensor gradient, Tensor x, Tensor? weight, Tensor? bias, Tensor mean, Tensor scale,"
    " Tensor? y, bool of_batch, bool relu) -> (Tensor, Tensor?, Tensor?, Tensor?)",
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
    y: Tensor | None,
    of_batch: bool,
    relu: bool,
) -> tuple[Tensor, Tensor | None, Tensor | None, Tensor | None]:
    """Return the gradients of x, weight, bias and residual; y is the output if there was a residual, else None."""
    check_channels(x, weight, bias, mean, scale)
    check(gradient.shape == x.shape and (y is None or y.shape == x.shape), gradient, x, y)
    sizes, doubles, floats = _sizes(x)
    of_x, of_weight, of_bias, of_residual = _empty_gradients(gradient, x, weight, bias, y, of_batch, relu)
    given = gradient, x, weight, bias, mean, scale, y
    tensors = *given, of_x, of_weight, of_bias, of_residual, doubles, floats
    library_in_use().gcnn_batch_norm_backward(*addresses(*tensors), of_batch, relu, *sizes)
    return of_x, of_weight, of_bias, of_residual
