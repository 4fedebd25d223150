"""Networks that are compared: group ResNet and All-CNN-C with their plain twins, as frozen configs and thin modules.

``GroupResNet`` is the network of Knigge et al. 2022 as their code builds it: a lifting convolution, residual blocks
(two convolutions, a 1×1 convolution on the skip where the width changes), each followed by batch norm and 2×2 spatial
max pooling, one more convolution without padding, the maximum over H and the plane, and a classifier with one hidden
layer. ``GroupAllCNNC`` is their version of Springenberg et al., "Striving for Simplicity", 2015: nine convolutions, the
last two 1×1, max pooling where the original strides (on an even image a stride does not commute with quarter turns),
and the maximum of each class over H and the plane.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from itertools import pairwise
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from gcnn_impl import functional
from gcnn_impl.groups import Group, Trivial
from gcnn_impl.layers import (
    DepthwiseGroupSeparableConv2d,
    DepthwiseSeparableConv2d,
    FullySeparableConv2d,
    GroupBatchNorm2d,
    GroupConv2d,
    GroupSeparableConv2d,
    GroupToGroupConv2d,
    LiftingConv2d,
    SeparableGroupConv2d,
)
from gcnn_impl.macs import module_macs

# Initial gains 1/√E[f²] for what feeds a convolution: a rectified standard normal has E[f²] = 1/2, the rectified
# maximum of four (a pooling window) about 1.55. Dropping channels with probability p multiplies E[f²] by 1/(1 − p).
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


def _check_dropout(**probabilities: float) -> None:
    for name, p in probabilities.items():
        if not 0 <= p < 1:
            raise ValueError(f"{name} must be in [0, 1), not {p!r}")


@dataclass(frozen=True)
class PlainResNetConfig:
    """An ordinary CNN of the same depth, widths and kernel sizes as ``GroupResNet``.

    Args:
        widths: channels after the first convolution and after each residual block.
        last_kernel_size: of the last, unpadded convolution.
        classifier_width: hidden units of the classifier.
        dropout: probability in the classifier.
        channel_dropout: probability of dropping a whole channel, after the first convolution, each block and the last
            convolution.
    """

    in_channels: int = 1
    num_classes: int = 10
    widths: tuple[int, ...] = (32, 32, 64)
    kernel_size: int = 7
    last_kernel_size: int = 3
    classifier_width: int = 256
    dropout: float = 0.3
    channel_dropout: float = 0.0

    def __post_init__(self) -> None:
        if len(self.widths) < 2 or any(width < 1 for width in self.widths):
            raise ValueError(f"widths must be two or more positive channel counts, not {self.widths}")
        _check_dropout(dropout=self.dropout, channel_dropout=self.channel_dropout)


@dataclass(frozen=True)
class AllCNNCConfig:
    """An ordinary All-CNN-C, with max pooling in place of strides.

    Args:
        widths: channels of the first three and of the next five convolutions.
        kernel_size: of the first seven convolutions; the last two are 1×1.
        first_dropout: probability of dropping a whole channel after the first convolution.
        dropout: the same after the third and the sixth.
    """

    in_channels: int = 3
    num_classes: int = 10
    widths: tuple[int, ...] = (96, 192)
    kernel_size: int = 5
    first_dropout: float = 0.2
    dropout: float = 0.5

    def __post_init__(self) -> None:
        if len(self.widths) != 2 or any(width < 1 for width in self.widths):
            raise ValueError(f"widths must be two positive channel counts, not {self.widths}")
        _check_dropout(first_dropout=self.first_dropout, dropout=self.dropout)

    def hidden_layers(self) -> list[tuple[int, int, int, bool, float]]:
        """(C_i, C_o, kernel size, pooled, dropout) of all convolutions but the last."""
        narrow, wide = self.widths
        k, p = self.kernel_size, self.dropout
        return [
            (self.in_channels, narrow, k, False, self.first_dropout),
            (narrow, narrow, k, True, 0.0),
            (narrow, narrow, k, False, p),
            (narrow, wide, k, False, 0.0),
            (wide, wide, k, True, 0.0),
            (wide, wide, k, False, p),
            (wide, wide, k, False, 0.0),
            (wide, wide, 1, False, 0.0),
        ]


@dataclass(frozen=True)
class GroupOptions:
    """What makes a network equivariant, the same in every layer.

    Args:
        group: the subgroup H and its grid.
        variant: the group-to-group convolution, a key of ``CONVOLUTIONS``.
        hidden_features, omega: size and frequency of the SIREN kernels; the ResNet's 1×1 skips use half the size.
        sampled: in training, move the grid of H by one random offset per forward (from torch's global generator), a
            Monte-Carlo approximation of the integral; in evaluation the grid is the discretised one.

    Raises:
        ValueError: for an unknown variant.
    """

    group: Group = field(default_factory=Trivial)
    variant: str = "separable"
    hidden_features: int = 64
    omega: float = 10.0
    sampled: bool = False

    def __post_init__(self) -> None:
        if self.variant not in CONVOLUTIONS:
            raise ValueError(f"unknown variant {self.variant!r}; allowed: {', '.join(CONVOLUTIONS)}")

    def grids(self, training: bool) -> tuple[Tensor, ...]:
        """The input and the output grid for the layers of one forward; none stands for the discretised ones."""
        if not (self.sampled and training):
            return ()
        grid = self.group.sample()
        return grid, grid


@dataclass(frozen=True)
class GroupResNetConfig(GroupOptions, PlainResNetConfig):
    """The paper's group ResNet; arguments of ``PlainResNetConfig``, then of ``GroupOptions``."""

    def __post_init__(self) -> None:
        PlainResNetConfig.__post_init__(self)
        GroupOptions.__post_init__(self)

    def plain_twin(self) -> PlainResNetConfig:
        """The ordinary CNN of equal depth and channels."""
        return PlainResNetConfig(**{f.name: getattr(self, f.name) for f in fields(PlainResNetConfig)})


@dataclass(frozen=True)
class GroupAllCNNCConfig(GroupOptions, AllCNNCConfig):
    """The paper's group All-CNN-C; arguments of ``AllCNNCConfig``, then of ``GroupOptions``."""

    def __post_init__(self) -> None:
        AllCNNCConfig.__post_init__(self)
        GroupOptions.__post_init__(self)

    def plain_twin(self) -> AllCNNCConfig:
        """The ordinary CNN of equal depth and channels."""
        return AllCNNCConfig(**{f.name: getattr(self, f.name) for f in fields(AllCNNCConfig)})


def _max_pool(x: Tensor) -> Tensor:
    """2×2 spatial maxima of a map on the group or of an ordinary one, so that twins pool alike."""
    return functional.spatial_max_pool(x) if x.dim() == 5 else functional.spatial_max_pool(x[:, :, None])[:, :, 0]


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
        self.norm1 = GroupBatchNorm2d(in_channels, **factory)
        self.conv2 = conv(in_channels, out_channels, k, gain=RELU_GAIN, **same, **options)
        self.norm2 = GroupBatchNorm2d(out_channels, **factory)
        self.skip: nn.Module | None = None
        if in_channels != out_channels:
            half: dict[str, Any] = {"hidden_features": config.hidden_features // 2}
            self.skip = conv(in_channels, out_channels, 1, gain=gain, **half, **options)

    def forward(self, x: Tensor, *grids: Tensor) -> Tensor:
        y = torch.relu(self.norm1(self.conv1(x, *grids)))
        y = torch.relu(self.norm2(self.conv2(y, *grids)))
        return torch.relu(y + (x if self.skip is None else self.skip(x, *grids)))


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
        self.lifting_norm = GroupBatchNorm2d(widths[0], **factory)
        pairs = list(pairwise(widths))
        kept = (1 - config.channel_dropout) ** 0.5
        gains = [RELU_GAIN * kept] + [POOLED_GAIN * kept] * (len(pairs) - 1)
        self.blocks = nn.ModuleList(
            _GroupBlock(config, i, o, gain, **factory) for (i, o), gain in zip(pairs, gains, strict=True)
        )
        self.norms = nn.ModuleList(GroupBatchNorm2d(o, **factory) for _, o in pairs)
        self.last = CONVOLUTIONS[config.variant](
            widths[-1], widths[-1], config.last_kernel_size, config.group, bias=False, gain=POOLED_GAIN * kept, **siren
        )
        self.last_norm = GroupBatchNorm2d(widths[-1], **factory)
        self.dropout = nn.Dropout3d(config.channel_dropout)  # a channel over all of H and the plane: equivariant
        self.classifier = Classifier(config, **factory)

    def features(self, x: Tensor) -> Tensor:
        """The last map on the group, (B, C, H, W) → (B, C', |H|, H', W')."""
        grids = self.config.grids(self.training)
        x = torch.relu(self.dropout(self.lifting_norm(self.lifting(x, *grids[:1]))))
        for block, norm in zip(self.blocks, self.norms, strict=True):
            x = torch.relu(self.dropout(_max_pool(norm(block(x, *grids)))))
        return torch.relu(self.dropout(self.last_norm(self.last(x, *grids))))

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
        self.dropout = nn.Dropout2d(config.channel_dropout)
        self.classifier = Classifier(config, **factory)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.dropout(self.first_norm(self.first(x))))
        for block, norm in zip(self.blocks, self.norms, strict=True):
            x = torch.relu(self.dropout(_max_pool(norm(block(x)))))
        x = torch.relu(self.dropout(self.last_norm(self.last(x))))
        return self.classifier(x.amax(dim=(-2, -1)))


class _AllCNNCLayer(nn.Module):
    """Convolution, 2×2 pooling or not, norm, dropout of channels, ReLU: of maps on the group or of ordinary ones."""

    def __init__(self, conv: nn.Module, norm: nn.Module, dropout: nn.Module, pooled: bool) -> None:
        super().__init__()
        self.conv, self.norm, self.dropout, self.pooled = conv, norm, dropout, pooled

    def forward(self, x: Tensor, *grids: Tensor) -> Tensor:
        x = self.conv(x, *grids)
        return torch.relu(self.dropout(self.norm(_max_pool(x) if self.pooled else x)))


class GroupAllCNNC(nn.Module):
    """The paper's group All-CNN-C, (B, C, H, W) → (B, num_classes); see ``GroupAllCNNCConfig``.

    Dropout follows the norm in every layer; the authors' first one precedes it.
    """

    def __init__(
        self,
        config: GroupAllCNNCConfig,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        factory: dict[str, Any] = {"device": device, "dtype": dtype}
        options: dict[str, Any] = {
            "group": config.group,
            "hidden_features": config.hidden_features,
            "omega": config.omega,
            **factory,
        }
        self.config = config
        self.layers = nn.ModuleList()
        gain = 1.0
        for i, o, k, pooled, p in config.hidden_layers():
            convolution = CONVOLUTIONS[config.variant] if self.layers else LiftingConv2d
            conv = convolution(i, o, k, padding=k // 2, bias=False, gain=gain, **options)
            norm, dropout = GroupBatchNorm2d(o, **factory), nn.Dropout3d(p)
            self.layers.append(_AllCNNCLayer(conv, norm, dropout, pooled))
            gain = RELU_GAIN * (1 - p) ** 0.5
        self.last = CONVOLUTIONS[config.variant](config.widths[-1], config.num_classes, 1, gain=gain, **options)

    def features(self, x: Tensor) -> Tensor:
        """Class scores at every point of the group, (B, C, H, W) → (B, num_classes, |H|, H', W')."""
        grids = self.config.grids(self.training)
        for i, layer in enumerate(self.layers):
            x = layer(x, *(grids if i else grids[:1]))
        return self.last(x, *grids)

    def forward(self, x: Tensor) -> Tensor:
        return functional.project(self.features(x))


class AllCNNC(nn.Module):
    """The plain twin, (B, C, H, W) → (B, num_classes); see ``AllCNNCConfig``."""

    def __init__(
        self,
        config: AllCNNCConfig,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        factory: dict[str, Any] = {"device": device, "dtype": dtype}
        self.config = config
        self.layers = nn.Sequential(
            *(
                _AllCNNCLayer(
                    nn.Conv2d(i, o, k, padding=k // 2, bias=False, **factory),
                    nn.BatchNorm2d(o, **factory),
                    nn.Dropout2d(p),
                    pooled,
                )
                for i, o, k, pooled, p in config.hidden_layers()
            )
        )
        self.last = nn.Conv2d(config.widths[-1], config.num_classes, 1, **factory)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.layers(x)).amax(dim=(-2, -1))


Config = TypeVar("Config", PlainResNetConfig, AllCNNCConfig, GroupResNetConfig, GroupAllCNNCConfig)

NETWORKS: dict[type, Callable[..., nn.Module]] = {
    PlainResNetConfig: PlainResNet,
    AllCNNCConfig: AllCNNC,
    GroupResNetConfig: GroupResNet,
    GroupAllCNNCConfig: GroupAllCNNC,
}


def build(config: Config, *, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> nn.Module:
    """The network of a config."""
    return NETWORKS[type(config)](config, device=device, dtype=dtype)


def count_parameters(config: Config) -> int:
    """Learnable numbers of a config's network."""
    return sum(p.numel() for p in build(config, device="meta").parameters())


def count_macs(config: Config, image_size: int) -> int:
    """Multiply-accumulates for one square image of a config's network, without those that generate kernels."""
    image = torch.empty(1, config.in_channels, image_size, image_size, device="meta")
    return module_macs(build(config, device="meta"), image)


def width_for_parameters(config: Config, target: int) -> Config:
    """The config with widths scaled so that the number of parameters comes nearest to ``target``.

    >>> group_net = GroupResNetConfig()
    >>> twin = width_for_parameters(group_net.plain_twin(), count_parameters(group_net))
    """
    return _nearest(config, target, count_parameters)


def width_for_macs(config: Config, target: int, image_size: int) -> Config:
    """The config with widths scaled so that the MACs for one image (``count_macs``) come nearest to ``target``."""
    return _nearest(config, target, lambda scaled: count_macs(scaled, image_size))


def _nearest(config: Config, target: int, cost: Callable[[Config], int]) -> Config:
    """Bisect over the largest width, which the others follow in proportion; ``cost`` grows with it."""
    if target < 1:
        raise ValueError(f"target must be at least 1, not {target!r}")
    largest = max(config.widths)

    def scaled(width: int) -> Config:
        return replace(config, widths=tuple(max(1, round(w * width / largest)) for w in config.widths))

    limit = 1
    while cost(scaled(limit)) < target:
        limit *= 2
    widths = range(1, limit + 1)
    above = bisect_left(widths, target, key=lambda width: cost(scaled(width)))
    candidates = [scaled(width) for width in widths[max(above - 1, 0) : above + 1]]
    return min(candidates, key=lambda candidate: abs(cost(candidate) - target))
