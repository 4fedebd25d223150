"""An example of a user's own layer, for ``python -m benchmarks sweep --layer examples.own_layer:P4Conv2d``."""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from gcnn_impl import SO2


class P4Conv2d(nn.Module):
    """Group convolution over quarter turns, with one free weight per tap (Cohen, Welling, ICML 2016).

    Args:
        group: ``SO2(4)``; weights on the pixel grid can only turn by multiples of 90°.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, *, group: SO2, padding: int = 0) -> None:
        super().__init__()
        if group != SO2(4):
            raise ValueError(f"P4Conv2d turns by 90°, not by {group}; allowed: SO2(4)")
        self.padding = padding
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, 4, kernel_size, kernel_size))
        self.bias = nn.Parameter(torch.zeros(out_channels, 1, 1, 1))
        nn.init.kaiming_uniform_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, 4, H, W) to (B, C', 4, H, W)."""
        # For the output at turn r, the weight is turned by r, in the plane and along the turns of the input.
        turned = [self.weight.roll(r, dims=2).rot90(r, dims=(-2, -1)) for r in range(4)]
        weight = torch.stack(turned, dim=1).flatten(2, 3).flatten(0, 1)  # (C'·4, C·4, k, k)
        return conv2d(x.flatten(1, 2), weight, padding=self.padding).unflatten(1, (-1, 4)) + self.bias
