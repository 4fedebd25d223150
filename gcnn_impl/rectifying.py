"""The ReLU and the residual that follow a batch norm or a convolution."""

import torch
from torch import Tensor

from gcnn_impl.watching import is_traced_or_transformed


def rectified(y: Tensor, relu: bool, residual: Tensor | None) -> Tensor:
    """Return y, rectified if ``relu``; with a residual, relu(y + residual)."""
    y = torch.relu(y) if relu else y
    return y if residual is None else torch.relu(y + residual)


def rectify(y: Tensor, relu: bool, residual: Tensor | None) -> Tensor:
    """Return ``rectified`` of a new map, in place where no gradients are recorded: another map costs page faults.

    Raises:
        ValueError: for a residual of another shape than y.
    """
    if not relu and residual is None:
        return y
    if residual is not None and residual.shape != y.shape:
        raise ValueError(f"residual must have the shape of the result, {tuple(y.shape)}, not {tuple(residual.shape)}")
    if torch.is_grad_enabled() or torch.compiler.is_compiling() or is_traced_or_transformed():
        return rectified(y, relu, residual)
    y = y.relu_() if relu else y
    return y if residual is None else y.add_(residual).relu_()
