"""Networks that are compared: the paper's group ResNet and its plain twin, as frozen configs and thin modules.

The network is that of Knigge et al. 2022 as their code builds it: a lifting convolution, residual blocks (two
convolutions, a 1×1 convolution on the skip where the width changes), each followed by batch norm and 2×2 spatial max
pooling, one more convolution without padding, the maximum over H and the plane, and a classifier with one hidden layer.
"""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from gcnn_impl import functional
from gcnn_impl.groups import Group, Trivial
from gcnn_impl.layers import (
    DepthwiseGroupSeparableConv2d,
    DepthwiseSeparableConv2d,
    FullySeparableConv2d,
    GroupConv2d,
    GroupSeparableConv2d,
    GroupToGroupConv2d,
    LiftingConv2d,
    SeparableGroupConv2d,
)

# Initial gains 1/√E[f²] for what feeds a convolution: a rectified standard normal has E[f²] = 1/2, the rectified
# maximum of four (a pooling window) about 1.55.
RELU_GAIN = 2**0.5
POOLED_GAIN = 1.55**-0.5

# The variants by the short names that configs, records and figures use.
CONVOLUTIONS: dict[str, type[GroupToGroupConv2d]] = {
    "full": GroupConv2d,
    "separable": SeparableGroupConv2d,
    "gseparable": GroupSeparableConv2d,
    "dseparable": DepthwiseSeparableConv2d,
    "dgseparable": DepthwiseGroupSeparableConv2d,
    "separable2d": FullySeparableConv2d,
}


@dataclass(frozen=True)
class PlainResNetConfig:
    """An ordinary CNN of the same depth, widths and kernel sizes as ``GroupResNet``.

    Args:
        widths: channels after the first convolution and after each residual block.
        last_kernel_size: of the last, unpadded convolution.
        classifier_width: hidden units of the classifier.
        dropout: probability in the classifier.
    """

    in_channels: int = 1
    num_classes: int = 10
    widths: tuple[int, ...] = (32, 32, 64)
    kernel_size: int = 7
    last_kernel_size: int = 3
    classifier_width: int = 256
    dropout: float = 0.3

    def __post_init__(self) -> None:
        if len(self.widths) < 2 or any(width < 1 for width in self.widths):
            raise ValueError(f"widths must be two or more positive channel counts, not {self.widths}")


@dataclass(frozen=True)
class GroupResNetConfig(PlainResNetConfig):
    """The paper's group ResNet.

    Args:
        group: the subgroup H and its grid, the same in every layer.
        variant: the group-to-group convolution, a key of ``CONVOLUTIONS``.
        hidden_features, omega: size and frequency of the SIREN kernels; 1×1 skips use half the size.

    Raises:
        ValueError: for an unknown variant.
    """

    group: Group = field(default_factory=Trivial)
    variant: str = "separable"
    hidden_features: int = 64
    omega: float = 10.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.variant not in CONVOLUTIONS:
            raise ValueError(f"unknown variant {self.variant!r}; allowed: {', '.join(CONVOLUTIONS)}")

    def plain_twin(self) -> PlainResNetConfig:
        """The ordinary CNN of equal depth and channels."""
        return PlainResNetConfig(
            self.in_channels,
            self.num_classes,
            self.widths,
            self.kernel_size,
            self.last_kernel_size,
            self.classifier_width,
            self.dropout,
        )


class Classifier(nn.Sequential):
    """Invariant features → logits, (B, C) → (B, num_classes)."""

    def __init__(self, config: PlainResNetConfig, **factory: Any) -> None:
        width = config.classifier_width
        super().__init__(
            nn.Linear(config.widths[-1], width, bias=False, **factory),
            nn.BatchNorm1d(width, **factory),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(width, config.num_classes, **factory),
        )


class _GroupBlock(nn.Module):
    """Residual block, (B, C_i, |H|, H, W) → (B, C_o, |H|, H, W)."""

    def __init__(
        self, config: GroupResNetConfig, in_channels: int, out_channels: int, gain: float, **factory: Any
    ) -> None:
        super().__init__()
        conv, k = CONVOLUTIONS[config.variant], config.kernel_size
        same: dict[str, Any] = {"padding": k // 2, "hidden_features": config.hidden_features}
        options: dict[str, Any] = {"group": config.group, "bias": False, "omega": config.omega, **factory}
        self.conv1 = conv(in_channels, in_channels, k, gain=gain, **same, **options)
        self.norm1 = nn.BatchNorm3d(in_channels, **factory)
        self.conv2 = conv(in_channels, out_channels, k, gain=RELU_GAIN, **same, **options)
        self.norm2 = nn.BatchNorm3d(out_channels, **factory)
        self.skip: nn.Module = nn.Identity()
        if in_channels != out_channels:
            half: dict[str, Any] = {"hidden_features": config.hidden_features // 2}
            self.skip = conv(in_channels, out_channels, 1, gain=gain, **half, **options)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.norm1(self.conv1(x)))
        y = torch.relu(self.norm2(self.conv2(y)))
        return torch.relu(y + self.skip(x))


class GroupResNet(nn.Module):
    """The paper's group ResNet, (B, C, H, W) → (B, num_classes); see ``GroupResNetConfig``."""

    def __init__(
        self,
        config: GroupResNetConfig,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        factory: dict[str, Any] = {"device": device, "dtype": dtype}
        siren: dict[str, Any] = {"hidden_features": config.hidden_features, "omega": config.omega, **factory}
        self.config = config
        widths, k = config.widths, config.kernel_size
        self.lifting = LiftingConv2d(
            config.in_channels, widths[0], k, config.group, padding=k // 2, bias=False, **siren
        )
        self.lifting_norm = nn.BatchNorm3d(widths[0], **factory)
        pairs = list(pairwise(widths))
        gains = [RELU_GAIN] + [POOLED_GAIN] * (len(pairs) - 1)
        self.blocks = nn.ModuleList(
            _GroupBlock(config, i, o, gain, **factory) for (i, o), gain in zip(pairs, gains, strict=True)
        )
        self.norms = nn.ModuleList(nn.BatchNorm3d(o, **factory) for _, o in pairs)
        self.last = CONVOLUTIONS[config.variant](
            widths[-1], widths[-1], config.last_kernel_size, config.group, bias=False, gain=POOLED_GAIN, **siren
        )
        self.last_norm = nn.BatchNorm3d(widths[-1], **factory)
        self.classifier = Classifier(config, **factory)

    def features(self, x: Tensor) -> Tensor:
        """The last map on the group, (B, C, H, W) → (B, C', |H|, H', W')."""
        x = torch.relu(self.lifting_norm(self.lifting(x)))
        for block, norm in zip(self.blocks, self.norms, strict=True):
            x = torch.relu(functional.spatial_max_pool(norm(block(x))))
        return torch.relu(self.last_norm(self.last(x)))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(functional.project(self.features(x)))


class _PlainBlock(nn.Module):
    """Residual block, (B, C_i, H, W) → (B, C_o, H, W)."""

    def __init__(self, config: PlainResNetConfig, in_channels: int, out_channels: int, **factory: Any) -> None:
        super().__init__()
        k = config.kernel_size
        self.conv1 = nn.Conv2d(in_channels, in_channels, k, padding=k // 2, bias=False, **factory)
        self.norm1 = nn.BatchNorm2d(in_channels, **factory)
        self.conv2 = nn.Conv2d(in_channels, out_channels, k, padding=k // 2, bias=False, **factory)
        self.norm2 = nn.BatchNorm2d(out_channels, **factory)
        self.skip: nn.Module = nn.Identity()
        if in_channels != out_channels:
            self.skip = nn.Conv2d(in_channels, out_channels, 1, bias=False, **factory)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.norm1(self.conv1(x)))
        y = torch.relu(self.norm2(self.conv2(y)))
        return torch.relu(y + self.skip(x))


class PlainResNet(nn.Module):
    """The plain twin, (B, C, H, W) → (B, num_classes); see ``PlainResNetConfig``."""

    def __init__(
        self,
        config: PlainResNetConfig,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        factory: dict[str, Any] = {"device": device, "dtype": dtype}
        self.config = config
        widths, k = config.widths, config.kernel_size
        self.first = nn.Conv2d(config.in_channels, widths[0], k, padding=k // 2, bias=False, **factory)
        self.first_norm = nn.BatchNorm2d(widths[0], **factory)
        pairs = list(pairwise(widths))
        self.blocks = nn.ModuleList(_PlainBlock(config, i, o, **factory) for i, o in pairs)
        self.norms = nn.ModuleList(nn.BatchNorm2d(o, **factory) for _, o in pairs)
        self.last = nn.Conv2d(widths[-1], widths[-1], config.last_kernel_size, bias=False, **factory)
        self.last_norm = nn.BatchNorm2d(widths[-1], **factory)
        self.classifier = Classifier(config, **factory)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.first_norm(self.first(x)))
        for block, norm in zip(self.blocks, self.norms, strict=True):
            x = norm(block(x))
            x = torch.relu(functional.spatial_max_pool(x[:, :, None])[:, :, 0])
        x = torch.relu(self.last_norm(self.last(x)))
        return self.classifier(x.amax(dim=(-2, -1)))
