"""Users' layers that work, with operators for which fvcore has no rule."""

import torch
from torch import Tensor, nn

from gcnn_impl import Group


class _Layer(nn.Module):
    """A layer that takes the same arguments as our layers, and mixes the channels of each element of the group."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, *, group: Group, padding: int) -> None:
        super().__init__()
        self.mixing = nn.Conv2d(in_channels, out_channels, 1, padding="same")


class Same(_Layer):
    """Mixes by a convolution with ``padding="same"``, which can be counted."""

    def forward(self, x: Tensor) -> Tensor:
        images = x.transpose(1, 2)  # (B, |H|, C, H, W)
        mixed: Tensor = self.mixing(images.flatten(0, 1)).unflatten(0, images.shape[:2]).transpose(1, 2)
        return mixed


class Fourier(Same):
    """Passes through the frequencies, by operators that cannot be counted."""

    def forward(self, x: Tensor) -> Tensor:
        back: Tensor = torch.fft.irfft2(torch.fft.rfft2(super().forward(x)), s=x.shape[-2:])
        return back
