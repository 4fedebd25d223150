"""Torch's own convolutions with fixed weights: what the arithmetic costs without a group."""

import torch
from torch import Tensor, nn

from benchmarks.cases.case import Case


class FixedWeightConv2d(nn.Module):
    """Ordinary convolutions on the C·|H| channels of a map.

    Channels-last, data and weights: on NCHW data a training pass of 1×1 and depthwise takes 3 to 8 times as long, and
    one of a dense convolution between 10 % less and 40 % more (batch 1 to 64, 2 cores).

    Args:
        convolutions: from C, or C·|H|, to C·|H| channels.
        resolution: |H|.
    """

    def __init__(self, convolutions: nn.Sequential, resolution: int) -> None:
        super().__init__()
        self.convolutions = convolutions.to(memory_format=torch.channels_last)
        self.resolution = resolution

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) or (B, C, |H|, H, W) → (B, C, |H|, H, W)."""
        y = x.flatten(1, -3).contiguous(memory_format=torch.channels_last)  # (B, C·|H|, H, W)
        return self.convolutions(y).unflatten(1, (-1, self.resolution))


def why_unavailable() -> None:
    """Return None: torch is always installed."""


def build_layer(case: Case) -> nn.Module:
    """Build the convolutions with the shapes of the case's variant."""
    k, maps = case.kernel_size, case.channels * case.resolution
    if case.variant == "separable":
        layers = [nn.Conv2d(maps, maps, 1), nn.Conv2d(maps, maps, k, padding=k // 2, groups=maps)]
    else:
        layers = [nn.Conv2d(case.channels if case.variant == "lifting" else maps, maps, k, padding=k // 2)]
    return FixedWeightConv2d(nn.Sequential(*layers), case.resolution)
