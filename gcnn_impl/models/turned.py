"""Plain networks that see turned copies of an image: the alternatives to a network on the group.

``AveragedNetwork`` averages the logits of all copies in evaluation (Puny et al. 2022, "Frame Averaging for Invariant
and Equivariant Network Design", with the whole group as the frame). ``CanonicalNetwork`` has a small group network that
chooses one copy (Kaba et al. 2023, "Equivariance with Learned Canonicalization Functions"). Both are
invariant under the rotations of their group: exactly under quarter turns of square images, else as far as bilinear
interpolation allows.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import affine_grid, grid_sample, one_hot

from gcnn_impl.checks import described
from gcnn_impl.groups import SO2
from gcnn_impl.layers import GroupBatchNorm2d, LiftingConv2d, SeparableGroupConv2d
from gcnn_impl.layers.folding import conv_norm_relu
from gcnn_impl.models.allcnnc import AllCNNC
from gcnn_impl.models.base import RELU_GAIN, Network
from gcnn_impl.models.configs import AveragedConfig, CanonicalConfig, PlainResNetConfig, TurnedConfig
from gcnn_impl.models.resnet import PlainResNet


def turned_copies(x: Tensor, group: SO2) -> Tensor:
    """Return L_g x for every g of a group of rotations, (B, C, S, S) → (|H|, B, C, S, S).

    Quarter turns permute the pixels. Other rotations interpolate bilinearly; outside, an image has the values of its
    edge. A copy that is a quarter turn from another one is that copy's permutation.

    Raises:
        ValueError: for anything but square images.
    """
    if x.dim() != 4 or x.shape[-1] != x.shape[-2]:
        raise ValueError(f"square images (B, C, S, S) are needed, not {described(x)}")
    n = group.resolution
    quarters = math.gcd(n, 4)  # rotations of the group that permute the pixels
    by_angle = [x if i == 0 else _turned(x, 2 * math.pi * i / n) for i in range(n // quarters)]
    copies = [copy.rot90(4 // quarters * q, (-2, -1)) for q in range(quarters) for copy in by_angle]
    return torch.stack(copies)


def _turned(x: Tensor, angle: float) -> Tensor:
    """Turn images counter-clockwise by an angle in radians, (B, C, S, S) → (B, C, S, S)."""
    cos, sin = math.cos(angle), math.sin(angle)
    # A point of the result is read at its inverse rotation. Rows run downwards, so the signs of sin change places.
    inverse = x.new_zeros(2, 3)  # filled on the device, so that a CUDA graph can hold it
    inverse.diagonal().fill_(cos)
    inverse[0, 1], inverse[1, 0] = -sin, sin
    grid = affine_grid(inverse.expand(len(x), 2, 3), list(x.shape), align_corners=False)
    return grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _plain(config: TurnedConfig, **factory: Any) -> nn.Module:
    network = config.network
    return PlainResNet(network, **factory) if isinstance(network, PlainResNetConfig) else AllCNNC(network, **factory)


class AveragedNetwork(Network[AveragedConfig]):
    """A plain network in training, and the mean of its logits over turned copies in evaluation.

    (B, C, S, S) → (B, num_classes); see ``AveragedConfig``.
    """

    takes = AveragedConfig

    def _add_layers(self, **factory: Any) -> None:
        self.network = _plain(self.config, **factory)

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return self.network(x)
        copies = turned_copies(x, self.config.group)  # (|H|, B, C, S, S)
        logits = self.network(copies.flatten(0, 1))  # (|H|·B, num_classes)
        return logits.unflatten(0, copies.shape[:2]).mean(dim=0)


class Orientation(nn.Module):
    """A small group network that gives every rotation a score, (B, C, S, S) → (B, |H|).

    Turning the image by g permutes the scores: that of h becomes that of gh.
    """

    def __init__(self, config: CanonicalConfig, **factory: Any) -> None:
        super().__init__()
        k, c = config.network.kernel_size, config.channels
        names = ("group", "hidden_features", "omega")
        options = {**{name: getattr(config, name) for name in names}, **factory}
        same = {"padding": k // 2, "bias": False, **options}
        self.lifting = LiftingConv2d(config.in_channels, c, k, **same)
        self.lifting_norm = GroupBatchNorm2d(c, **factory)
        self.conv = SeparableGroupConv2d(c, c, k, gain=RELU_GAIN, **same)
        self.norm = GroupBatchNorm2d(c, **factory)
        self.last = SeparableGroupConv2d(c, 1, 1, gain=RELU_GAIN, **options)

    def forward(self, x: Tensor) -> Tensor:
        x = conv_norm_relu(self.lifting, self.lifting_norm, x)
        x = conv_norm_relu(self.conv, self.norm, x)
        return self.last(x).mean(dim=(-2, -1))[:, 0]  # (B, 1, |H|, S, S) → (B, |H|)


class CanonicalNetwork(Network[CanonicalConfig]):
    """A network that first turns an image upright, (B, C, S, S) → (B, num_classes); see ``CanonicalConfig``.

    The image is turned back by the rotation of the highest score. In training, the scores have the gradients that they
    would have if the copies were mixed by the softmax of the scores (a straight-through estimator).
    """

    takes = CanonicalConfig

    def _add_layers(self, **factory: Any) -> None:
        self.orientation = Orientation(self.config, **factory)
        self.network = _plain(self.config, **factory)

    def forward(self, x: Tensor) -> Tensor:
        return self.network(self.upright(x))

    def upright(self, x: Tensor) -> Tensor:
        """Return the images as the network sees them, (B, C, S, S) → (B, C, S, S)."""
        n = self.config.group.resolution
        scores = self.orientation(x)  # (B, |H|)
        back = turned_copies(x, self.config.group).roll(-1, 0).flip(0)  # copy h is turned by h⁻¹: 0, n − 1, n − 2, …
        chosen = scores.argmax(dim=1)
        if not (self.training and torch.is_grad_enabled()):
            return back[chosen, torch.arange(len(x), device=x.device)]
        soft = scores.softmax(dim=1)
        weights = one_hot(chosen, n).to(soft) + soft - soft.detach()
        return torch.einsum("bh,hbcij->bcij", weights.to(back), back)
