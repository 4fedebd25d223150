"""Batch norm of maps on the group with what follows it, by our operators in C or in Triton.

A ReLU and a residual may follow, or, in C, spatial max pooling and a ReLU.
"""

from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from gcnn_impl import gpu, native
from gcnn_impl.gpu import norm as gpu_norm
from gcnn_impl.gradients import is_differentiated, pytorch_gradients
from gcnn_impl.native import norm as native_norm
from gcnn_impl.native import norm_pool as native_pool
from gcnn_impl.rectifying import rectified


def operators_for(*tensors: Tensor | None) -> ModuleType | None:
    """Return the module whose operators take these tensors, ``gpu.norm`` or ``native.norm``; None if neither does."""
    if gpu.takes(*tensors):
        return gpu_norm
    return native_norm if native.takes(*tensors) else None


class _BatchNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, residual, operators, running_mean, running_var, of_batch, momentum, eps, relu):  # type: ignore[no-untyped-def]
        options = of_batch, momentum, eps, relu
        y, mean, scale = operators.normalise(x, weight, bias, running_mean, running_var, residual, *options)
        ctx.save_for_backward(x, weight, bias, residual, mean, scale, None if residual is None else y)
        ctx.operators, ctx.of_batch, ctx.eps, ctx.relu = operators, of_batch, eps, relu
        return y

    @staticmethod
    def backward(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
        x, weight, bias, residual, mean, scale, y = ctx.saved_tensors
        operators: Any = ctx.operators
        found: tuple[Tensor | None, ...]
        taken = operators_for(gradient) is operators
        if torch.is_grad_enabled() or not taken:

            def reference(x: Tensor, weight: Tensor | None, bias: Tensor | None, residual: Tensor | None) -> Tensor:
                return rectified(_by_torch(ctx, x, weight, bias, mean, scale), ctx.relu, residual)

            found = pytorch_gradients(reference, (x, weight, bias, residual), gradient)
        else:
            given = gradient.contiguous(), x, weight, bias, mean, scale, y
            found = operators.gradients(*given, ctx.of_batch, ctx.relu)
            present = True, weight is not None, bias is not None, residual is not None
            found = tuple(g if there else None for g, there in zip(found, present, strict=True))
        return *found, *[None] * 7


def _by_torch(ctx: Any, x: Tensor, weight: Tensor | None, bias: Tensor | None, mean: Tensor, scale: Tensor) -> Tensor:
    """Return images, normalised by torch with the statistics of ``ctx``, shape (B, H, W, |H|, C)."""
    running_mean, running_var = (None, None) if ctx.of_batch else (mean, scale**-2 - ctx.eps)
    y = functional.batch_norm(x.flatten(0, -2), running_mean, running_var, weight, bias, ctx.of_batch, 0.0, ctx.eps)
    return y.view_as(x)


class _NormPool(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, running_mean, running_var, of_batch, momentum, eps, relu):  # type: ignore[no-untyped-def]
        options = of_batch, momentum, eps, relu
        y, mean, scale = native_pool.normalise(x, weight, bias, running_mean, running_var, *options)
        ctx.save_for_backward(x, weight, bias, mean, scale)
        ctx.of_batch, ctx.eps, ctx.relu = of_batch, eps, relu
        return y

    @staticmethod
    def backward(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
        x, weight, bias, mean, scale = ctx.saved_tensors
        if torch.is_grad_enabled() or not native.takes(gradient):

            def reference(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
                maps = _by_torch(ctx, x, weight, bias, mean, scale).flatten(3).permute(0, 3, 1, 2)  # (B, |H|·C, H, W)
                y = functional.max_pool2d(maps, 2).permute(0, 2, 3, 1).unflatten(3, x.shape[3:])
                return rectified(y, ctx.relu, None)

            found = pytorch_gradients(reference, (x, weight, bias), gradient)
        else:
            given = gradient.contiguous(), x, weight, bias, mean, scale
            found = native_pool.gradients(*given, ctx.of_batch, ctx.relu)
        return *found, *[None] * 6


def pools(operators: ModuleType, x: Tensor) -> bool:
    """Return whether ``norm_pool`` takes a map: the operators are those in C, and both sides are even."""
    return operators is native_norm and x.shape[-1] % 2 == x.shape[-2] % 2 == 0


def norm_pool(
    x: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    of_batch: bool,
    momentum: float,
    eps: float,
    relu: bool,
) -> Tensor:
    """Normalise a map as ``batch_norm`` does, take 2×2 spatial maxima, and rectify them if ``relu``.

    (B, C, |H|, H, W) → (B, C, |H|, H/2, W/2); ``pools`` says whether it may be called.
    """
    images = _images(x)
    arguments = images, weight, bias, running_mean, running_var, of_batch, momentum, eps, relu
    differentiated = is_differentiated(x, weight, bias)
    return _map(_NormPool.apply(*arguments) if differentiated else native_pool.normalise(*arguments)[0])


def batch_norm(
    operators: ModuleType,
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
) -> Tensor:
    """Normalise a map with statistics over (B, |H|, H, W), then pass it to ``rectified``.

    Args:
        operators: the module that ``operators_for`` returned for all tensors.
        x, residual: maps on the group, shape (B, C, |H|, H, W), of one dtype and in any layout.
        weight, bias: shape (C,), or None for 1 and 0.
        running_mean, running_var: shape (C,); used if ``of_batch`` is false, else updated, where they are given.
        of_batch: whether the statistics are those of x.
        momentum, eps: as in ``torch.nn.functional.batch_norm``.
        relu: whether to rectify the normalised map, before the residual is added.
    """
    images, others = _images(x), None if residual is None else _images(residual)
    if is_differentiated(x, weight, bias, residual):
        statistics = running_mean, running_var
        y = _BatchNorm.apply(images, weight, bias, others, operators, *statistics, of_batch, momentum, eps, relu)
    else:
        options = of_batch, momentum, eps, relu
        y = operators.normalise(images, weight, bias, running_mean, running_var, others, *options)[0]
    return _map(y)


def _map(images: Tensor) -> Tensor:
    """Return images as a map, (B, H, W, |H|, C) → (B, C, |H|, H, W)."""
    y = images.permute(0, 4, 3, 1, 2)
    return y if torch.is_grad_enabled() else y.detach()  # a view made without gradients cannot be changed in place


def _images(x: Tensor) -> Tensor:
    """Return a map, (B, C, |H|, H, W) → (B, H, W, |H|, C), contiguous; without a copy where the map is group-major."""
    return x.permute(0, 3, 4, 2, 1).contiguous()
