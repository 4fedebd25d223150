"""The group ResNet of Knigge et al. 2022, as their code builds it, and its plain twin, an ordinary CNN.

The network consists of a lifting convolution; residual blocks, each followed by batch norm and 2×2 spatial max pooling;
one more convolution without padding; the maximum over H and the plane; and a classifier with one hidden layer. A block
has two convolutions, and a 1×1 convolution on the skip where the width changes. Dropout scales whole channels by 0 or a
positive number, so that it commutes with the ReLU; it follows the ReLU where a norm and its ReLU can be one operator.
"""

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from gcnn_impl import functional
from gcnn_impl.layers import CONVOLUTIONS, GroupBatchNorm2d, LiftingConv2d
from gcnn_impl.layers.folding import conv_norm_relu
from gcnn_impl.layers.norm import norm_pool_relu, norm_relu
from gcnn_impl.models.base import POOLED_GAIN, RELU_GAIN, Network, max_pool
from gcnn_impl.models.configs import GroupResNetConfig, PlainResNetConfig


class Classifier(nn.Sequential):
    """Two linear layers from invariant features to logits, (B, C) → (B, num_classes)."""

    def __init__(self, config: PlainResNetConfig, **factory: Any) -> None:
        width = config.classifier_width
        super().__init__(
            nn.Linear(config.widths[-1], width, bias=False, **factory),
            nn.BatchNorm1d(width, **factory),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(width, config.num_classes, **factory),
        )


class ResidualBlock(nn.Module):
    """Residual block of maps on the group or of ordinary ones, (B, C_i, [|H|,] H, W) → (B, C_o, [|H|,] H, W).

    ``skip`` is a 1×1 convolution C_i → C_o; None leaves the skip as it is, where C_i = C_o.
    """

    def __init__(
        self, conv1: nn.Module, norm1: nn.Module, conv2: nn.Module, norm2: nn.Module, skip: nn.Module | None
    ) -> None:
        super().__init__()
        self.conv1, self.norm1, self.conv2, self.norm2, self.skip = conv1, norm1, conv2, norm2, skip

    def forward(self, x: Tensor, *grids: Tensor) -> Tensor:
        def skip() -> Tensor:
            return x if self.skip is None else self.skip(x, *grids)

        # Nested, because a name for a map would keep it in memory until the end.
        return conv_norm_relu(self.conv2, self.norm2, conv_norm_relu(self.conv1, self.norm1, x, grids), grids, skip)


def _group_block(config: GroupResNetConfig, c_in: int, c_out: int, gain: float, **factory: Any) -> ResidualBlock:
    conv, k = CONVOLUTIONS[config.variant], config.kernel_size
    options = {"bias": False, **config.layer_options(**factory)}
    same, half = {"padding": k // 2, **options}, {**options, "hidden_features": max(config.hidden_features // 2, 1)}
    return ResidualBlock(
        conv(c_in, c_in, k, gain=gain, **same),
        GroupBatchNorm2d(c_in, **factory),
        conv(c_in, c_out, k, gain=RELU_GAIN, **same),
        GroupBatchNorm2d(c_out, **factory),
        conv(c_in, c_out, 1, gain=gain, **half) if c_in != c_out else None,
    )


def _plain_block(config: PlainResNetConfig, c_in: int, c_out: int, **factory: Any) -> ResidualBlock:
    k = config.kernel_size
    return ResidualBlock(
        nn.Conv2d(c_in, c_in, k, padding=k // 2, bias=False, **factory),
        nn.BatchNorm2d(c_in, **factory),
        nn.Conv2d(c_in, c_out, k, padding=k // 2, bias=False, **factory),
        nn.BatchNorm2d(c_out, **factory),
        nn.Conv2d(c_in, c_out, 1, bias=False, **factory) if c_in != c_out else None,
    )


class GroupResNet(Network[GroupResNetConfig]):
    """The paper's group ResNet, (B, C, H, W) → (B, num_classes); see ``GroupResNetConfig``."""

    takes = GroupResNetConfig

    def _add_layers(self, **factory: Any) -> None:
        config, widths, k = self.config, self.config.widths, self.config.kernel_size
        conv = CONVOLUTIONS[config.variant]
        options = {"bias": False, **config.layer_options(**factory)}
        self.lifting = LiftingConv2d(config.in_channels, widths[0], k, padding=k // 2, **options)
        self.lifting_norm = GroupBatchNorm2d(widths[0], **factory)
        pairs = list(pairwise(widths))
        kept = (1 - config.channel_dropout) ** 0.5
        gains = [RELU_GAIN * kept] + [POOLED_GAIN * kept] * (len(pairs) - 1)
        blocks = [_group_block(config, i, o, gain, **factory) for (i, o), gain in zip(pairs, gains, strict=True)]
        self.blocks = nn.ModuleList(blocks)
        self.norms = nn.ModuleList(GroupBatchNorm2d(o, **factory) for _, o in pairs)
        self.last = conv(widths[-1], widths[-1], config.last_kernel_size, gain=POOLED_GAIN * kept, **options)
        self.last_norm = GroupBatchNorm2d(widths[-1], **factory)
        self.dropout = nn.Dropout3d(config.channel_dropout)  # dropping whole channels is equivariant
        self.classifier = Classifier(config, **factory)

    def features(self, x: Tensor) -> Tensor:
        """Return the last map on the group, (B, C, H, W) → (B, C', |H|, H', W')."""
        grids = self.config.grids(self.training)
        x = self.dropout(conv_norm_relu(self.lifting, self.lifting_norm, x, grids[:1]))
        for block, norm in zip(self.blocks, self.norms, strict=True):
            x = self.dropout(norm_pool_relu(norm, block(x, *grids)))
        return self.dropout(conv_norm_relu(self.last, self.last_norm, x, grids))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(functional.project(self.features(x)))


class PlainResNet(Network[PlainResNetConfig]):
    """The plain twin of ``GroupResNet``, (B, C, H, W) → (B, num_classes); see ``PlainResNetConfig``."""

    takes = PlainResNetConfig

    def _add_layers(self, **factory: Any) -> None:
        config, widths, k = self.config, self.config.widths, self.config.kernel_size
        self.first = nn.Conv2d(config.in_channels, widths[0], k, padding=k // 2, bias=False, **factory)
        self.first_norm = nn.BatchNorm2d(widths[0], **factory)
        pairs = list(pairwise(widths))
        self.blocks = nn.ModuleList(_plain_block(config, i, o, **factory) for i, o in pairs)
        self.norms = nn.ModuleList(nn.BatchNorm2d(o, **factory) for _, o in pairs)
        self.last = nn.Conv2d(widths[-1], widths[-1], config.last_kernel_size, bias=False, **factory)
        self.last_norm = nn.BatchNorm2d(widths[-1], **factory)
        self.dropout = nn.Dropout2d(config.channel_dropout)
        self.classifier = Classifier(config, **factory)

    def forward(self, x: Tensor) -> Tensor:
        x = self.dropout(norm_relu(self.first_norm, self.first(x)))
        for block, norm in zip(self.blocks, self.norms, strict=True):
            x = torch.relu(self.dropout(max_pool(norm(block(x)))))
        x = self.dropout(norm_relu(self.last_norm, self.last(x)))
        return self.classifier(x.amax(dim=(-2, -1)))
