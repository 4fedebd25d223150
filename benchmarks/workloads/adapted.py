"""An adapter for layers whose inputs or outputs are not the maps (B, C, |H|, H, W) that the benchmark gives and takes.

A user's factory, ``package.module:function``, returns an ``Adapted`` layer: ``examples/escnn_layer.py`` is an example.
"""

from collections.abc import Callable
from typing import Any, Self

import torch
from torch import Tensor, nn


class Adapted(nn.Module):
    """A layer between two conversions; both are timed with the layer.

    Args:
        layer: the layer, with inputs and outputs of any type.
        wrap: turns a map (B, C, |H|, H, W), or images (B, C, H, W), into the layer's input, such as a
            ``GeometricTensor`` of escnn.
        unwrap: turns the layer's output into a map (B, C', |H|, H', W').
    """

    def __init__(self, layer: nn.Module, wrap: Callable[[Tensor], Any], unwrap: Callable[[Any], Tensor]) -> None:
        super().__init__()
        self.layer, self.wrap, self.unwrap = layer, wrap, unwrap

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, |H|, H, W) to (B, C', |H|, H', W')."""
        return self.unwrap(self.layer(self.wrap(x)))

    def train(self, mode: bool = True) -> Self:
        """Set the mode, without gradients: a filter that escnn keeps in eval mode must not belong to a graph."""
        with torch.no_grad():
            return super().train(mode)
