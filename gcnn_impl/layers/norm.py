"""Batch norm of maps on the group, alone or together with the ReLU and the residual that follow it."""

from collections.abc import Callable
from types import ModuleType
from typing import NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from gcnn_impl.batch_norm import batch_norm, norm_pool, operators_for, pools
from gcnn_impl.checks import check_axes
from gcnn_impl.functional import spatial_max_pool
from gcnn_impl.layers.kept import Keeping, Kept, are_comparable, infers
from gcnn_impl.rectifying import rectified
from gcnn_impl.watching import is_exporting, runs_forward_alone


class FrozenNorm(NamedTuple):
    """Copies of running mean, running variance, weight and bias, and what they make of a value: scale · y + shift."""

    tensors: tuple[Tensor, Tensor, Tensor | None, Tensor | None]
    affine: tuple[Tensor, Tensor]


class GroupBatchNorm2d(Keeping, nn.BatchNorm2d):
    """Batch norm of maps on the group, (B, C, |H|, H, W) → (B, C, |H|, H, W), with statistics over (B, |H|, H, W).

    Raises:
        ValueError: for a tensor with other axes.
    """

    _frozen: FrozenNorm | None

    def forward(self, input: Tensor, relu: bool = False, residual: Tensor | None = None, pool: bool = False) -> Tensor:
        """Normalise a map.

        Args:
            input: the map.
            relu: whether to rectify the normalised map.
            residual: a map of the same shape that is added then; the sum is rectified.
            pool: whether to take ``spatial_max_pool`` of the normalised map before it is rectified, without a residual.
        """
        if pool and residual is not None:
            raise ValueError("pool goes without a residual")
        check_axes("input", input, "B", "C", "|H|", "H", "W")
        if residual is not None and residual.shape != input.shape:
            raise ValueError(
                f"residual must have the shape of input, {tuple(input.shape)}, not {tuple(residual.shape)}"
            )
        frozen = self._frozen if infers(self) else None
        own = self.running_mean, self.running_var, self.weight, self.bias
        mean, variance, weight, bias = own if frozen is None else frozen.tensors
        if is_exporting() and not self.training and mean is not None and variance is not None:
            affine = self._affine(mean, variance, weight, bias) if frozen is None else frozen.affine
            y = _exported(input, *affine)
            return rectified(spatial_max_pool(y) if pool else y, relu, residual)
        operators = self._operators(input, residual)
        if operators is not None:
            if self.training and self.num_batches_tracked is not None:
                self.num_batches_tracked.add_(1)
            is_tracked = not self.training or self.track_running_stats
            running = (mean, variance) if is_tracked else (None, None)
            of_batch = self.training or mean is None
            tensors, momentum = (input, weight, bias, *running), self.momentum or 0.0
            if pool and pools(operators, input):
                return norm_pool(*tensors, of_batch, momentum, self.eps, relu)
            y = batch_norm(operators, *tensors, residual, of_batch, momentum, self.eps, relu and not pool)
            return rectified(spatial_max_pool(y), relu, None) if pool else y
        x = input.permute(0, 1, 3, 4, 2)  # (B, C, H, W, |H|), which is channels-last where the map is group-major
        if frozen is None:
            y = super().forward(x.flatten(3))
        else:
            y = functional.batch_norm(x.flatten(3), *frozen.tensors, False, 0.0, self.eps)
        y = _with_gradients_like(y).unflatten(3, x.shape[3:])
        y = y.permute(0, 1, 4, 2, 3)
        return rectified(spatial_max_pool(y) if pool else y, relu, residual)

    def freeze(self) -> Self:
        """Keep the present statistics and parameters for inference; return the layer itself, in eval mode."""
        self.eval()
        with torch.no_grad():
            mean, variance, weight, bias = (
                None if t is None else t.detach().clone()
                for t in (self.running_mean, self.running_var, self.weight, self.bias)
            )
            if mean is not None and variance is not None:
                self._frozen = FrozenNorm((mean, variance, weight, bias), self._affine(mean, variance, weight, bias))
        return self

    def affine_map(self) -> tuple[Tensor, Tensor] | None:
        """Return scale and shift of each channel in inference, shape (C,); the same tuple as long as both are current.

        Return None where statistics are those of the batch, where the norm may depend on anything else, and in exported
        programs, whose height and width only ``_exported`` leaves free.
        """
        if not infers(self) or is_exporting():
            return None
        if self._frozen is not None:
            return self._frozen.affine
        mean, variance, weight, bias = self.running_mean, self.running_var, self.weight, self.bias
        if mean is None or variance is None or not mean.is_cpu:
            return None
        if torch.compiler.is_compiling():  # compiled code cannot compare bytes
            return self._affine(mean, variance, weight, bias)
        sources = [t for t in (mean, variance, weight, bias) if t is not None]
        if not are_comparable(sources):
            return None
        key = self.eps, weight is None, bias is None
        if self._kept is None or not self._kept.is_current(key, sources):
            self._kept = Kept(key, sources, self._affine(mean, variance, weight, bias))
        return self._kept.tensors  # type: ignore[return-value]

    def _affine(
        self, mean: Tensor, variance: Tensor, weight: Tensor | None, bias: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Return the scale and the shift of each channel in evaluation, shape (C,)."""
        scale = torch.rsqrt(variance + self.eps)
        scale = scale if weight is None else scale * weight
        shift = -mean * scale
        return scale, shift if bias is None else shift + bias

    def reset_parameters(self) -> None:
        self.unfreeze()
        super().reset_parameters()

    def _operators(self, x: Tensor, residual: Tensor | None) -> ModuleType | None:
        """Return the module whose operators take this; None where torch has the cumulative averages and the errors."""
        parameters = [p for p in (self.weight, self.bias, self.running_mean, self.running_var) if p is not None]
        operators = operators_for(x, residual)
        if operators is None or (parameters and operators_for(*parameters) is not operators):
            return None
        wider = {torch.bfloat16: torch.float32, torch.float16: torch.float32}.get(x.dtype, x.dtype)
        fits = (
            all(p.dtype in (x.dtype, wider) and p.device == x.device and p.is_contiguous() for p in parameters)
            and x.shape[1] == self.num_features
            and x.numel() > self.num_features
            and self.momentum is not None
        )
        return operators if fits else None


def _with_gradients_like(y: Tensor) -> Tensor:
    """Return y; its gradient is laid out in memory as y.

    Where one image or one row makes a layout ambiguous, torch 2.15 computes wrong gradients of a batch norm on the CPU
    for a gradient that lies in another order.
    """
    if y.requires_grad and y.is_cpu and 1 in y.shape and not torch.compiler.is_compiling():
        size, stride = y.shape, y.stride()
        y.register_hook(lambda gradient: gradient.new_empty_strided(size, stride).copy_(gradient))
    return y


def norm_relu(norm: nn.Module, x: Tensor, residual: Callable[[], Tensor] | None = None) -> Tensor:
    """Return relu(norm(x)), and with a residual relu(relu(norm(x)) + residual()); by one operator where there is one.

    Elsewhere the residual is computed last, when x is no longer needed, so that fewer maps are in memory at once.
    """
    plain = type(norm) is GroupBatchNorm2d and runs_forward_alone(norm)  # hooks see the norm alone
    if plain and operators_for(x) is not None:
        return norm(x, relu=True, residual=None if residual is None else residual())
    y = norm(x)
    del x
    y = torch.relu(y)
    return y if residual is None else torch.relu(y + residual())


def norm_pool_relu(norm: nn.Module, x: Tensor) -> Tensor:
    """Return relu(spatial_max_pool(norm(x))) of a map on the group; by one operator where there is one."""
    if type(norm) is GroupBatchNorm2d and runs_forward_alone(norm):  # hooks see the norm alone
        return norm(x, relu=True, pool=True)
    return torch.relu(spatial_max_pool(norm(x)))


def _exported(input: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Normalise in eval mode by operations that leave height and width of an exported program free."""
    y = input.permute(0, 3, 4, 2, 1).contiguous() * scale + shift  # (B, H, W, |H|, C)
    return y.to(input.dtype).permute(0, 4, 3, 1, 2).contiguous()
