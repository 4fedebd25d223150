"""The peer torch: ordinary convolutions with fixed weights, the cost of the arithmetic without a group."""

import torch
from torch import Tensor, nn

from benchmarks.cases.case import Case


class FixedWeightConv2d(nn.Module):
    """Ordinary convolutions from C (lifting) or C·|H| channels to C·|H| channels; the resolution is |H|.

    Data and weights are channels-last. On NCHW data, a training pass takes 3 to 8 times as long with 1×1 and depthwise
    convolutions, and between 10 % less and 40 % more with a dense one (batch 1 to 64, 2 cores).
    """

    def __init__(self, convolutions: nn.Sequential, resolution: int) -> None:
        super().__init__()
        self.convolutions = convolutions.to(memory_format=torch.channels_last)
        self.resolution = resolution

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) or (B, C, |H|, H, W) to (B, C, |H|, H, W)."""
        images = x.flatten(1, -3).contiguous(memory_format=torch.channels_last)  # (B, C·|H|, H, W)
        maps: Tensor = self.convolutions(images).unflatten(1, (-1, self.resolution))
        return maps


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
