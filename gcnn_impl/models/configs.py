"""Frozen configs: everything about a network but its weights."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

from torch import Tensor

from gcnn_impl.checks import check_choice, check_flag, check_integer, check_kind, check_odd, check_positive, check_real
from gcnn_impl.groups import SO2, Group, Trivial, check_group
from gcnn_impl.layers import CONVOLUTIONS


def _check_sizes(config: object, *names: str, odd: tuple[str, ...] = ()) -> None:
    """Make the named fields integers of at least 1, and the sides of kernels odd ones; else raise ``ValueError``."""
    for name in names:
        object.__setattr__(config, name, check_integer(name, getattr(config, name), 1))
    for name in odd:
        object.__setattr__(config, name, check_odd(name, getattr(config, name)))


def _check_widths(config: object, allowed: str, fits: Callable[[int], bool]) -> None:
    """Make ``widths`` a tuple of integers of at least 1, of an allowed length; else raise ``ValueError``."""
    widths: Any = getattr(config, "widths")  # noqa: B009
    try:
        checked = tuple(check_integer("a width", width, 1) for width in widths)
    except (TypeError, ValueError):
        checked = ()
    if not fits(len(checked)):
        raise ValueError(f"widths must be {allowed} positive channel counts, not {widths!r}")
    object.__setattr__(config, "widths", checked)


def _check_dropout(config: object, *names: str) -> None:
    for name in names:
        p = check_real(name, getattr(config, name), "in [0, 1)", 0.0, math.nextafter(1, 0))
        object.__setattr__(config, name, p)


@dataclass(frozen=True)
class PlainResNetConfig:
    """An ordinary CNN of the same depth, widths and kernel sizes as ``GroupResNet``.

    Args:
        in_channels: channels of an image.
        num_classes: number of logits.
        widths: channels after the first convolution and after each residual block.
        kernel_size: side of the kernels of the first convolution and of the blocks, in pixels.
        last_kernel_size: side of the kernel of the last, unpadded convolution.
        classifier_width: hidden units of the classifier.
        dropout: probability of dropping a feature in the classifier.
        channel_dropout: probability of dropping a whole channel, after the first convolution, each block and the last
            convolution.

    Raises:
        ValueError: for fewer than two widths, a size below 1, an even kernel, or a probability outside [0, 1).
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
        _check_widths(self, "two or more", lambda count: count >= 2)
        _check_sizes(self, "in_channels", "num_classes", "classifier_width", odd=("kernel_size", "last_kernel_size"))
        _check_dropout(self, "dropout", "channel_dropout")


@dataclass(frozen=True)
class AllCNNCConfig:
    """An ordinary All-CNN-C, with max pooling in place of strides.

    Args:
        in_channels: channels of an image.
        num_classes: number of logits.
        widths: channels of the first three and of the next five convolutions.
        kernel_size: side of the kernels of the first seven convolutions, in pixels; the last two are 1×1.
        first_dropout: probability of dropping a whole channel after the first convolution.
        dropout: the same probability after the third and the sixth convolution.

    Raises:
        ValueError: for any other number of widths than two, a size below 1, an even kernel, or a probability outside
            [0, 1).
    """

    in_channels: int = 3
    num_classes: int = 10
    widths: tuple[int, ...] = (96, 192)
    kernel_size: int = 5
    first_dropout: float = 0.2
    dropout: float = 0.5

    def __post_init__(self) -> None:
        _check_widths(self, "two", lambda count: count == 2)
        _check_sizes(self, "in_channels", "num_classes", odd=("kernel_size",))
        _check_dropout(self, "first_dropout", "dropout")

    def hidden_layers(self) -> list[tuple[int, int, int, bool, float]]:
        """Return (C_i, C_o, kernel size, pooled, dropout) of all convolutions but the last."""
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
    """Options of an equivariant network, the same in every layer.

    Args:
        group: the subgroup H and its grid.
        variant: the group-to-group convolution, a key of ``CONVOLUTIONS``.
        hidden_features, omega: size and frequency of the SIREN kernels; the ResNet's 1×1 skips use half the size.
        sampled: in training, move the grid of H by one random offset per forward (from torch's global generator), a
            Monte-Carlo approximation of the integral; in evaluation the grid is the discretised one.

    Raises:
        ValueError: for an unknown variant, no group, a width below 1, or an ω₀ that is not finite and positive.
    """

    group: Group = field(default_factory=Trivial)
    variant: str = "separable"
    hidden_features: int = 64
    omega: float = 10.0
    sampled: bool = False

    def __post_init__(self) -> None:
        check_group("group", self.group)
        check_choice("variant", self.variant, CONVOLUTIONS)
        _check_sizes(self, "hidden_features")
        object.__setattr__(self, "sampled", check_flag("sampled", self.sampled))
        object.__setattr__(self, "omega", check_positive("omega", self.omega))

    def layer_options(self, **factory: Any) -> dict[str, Any]:
        """Return the arguments that all layers share, with torch's ``device`` and ``dtype``."""
        return {"group": self.group, "hidden_features": self.hidden_features, "omega": self.omega, **factory}

    def grids(self, training: bool) -> tuple[Tensor, ...]:
        """Return the input and the output grid for the layers of one forward; () stands for the discretised grids."""
        return (self.group.sample(),) * 2 if self.sampled and training else ()


@dataclass(frozen=True)
class GroupResNetConfig(GroupOptions, PlainResNetConfig):
    """The paper's group ResNet; arguments of ``PlainResNetConfig``, then of ``GroupOptions``."""

    def __post_init__(self) -> None:
        PlainResNetConfig.__post_init__(self)
        GroupOptions.__post_init__(self)

    def plain_twin(self) -> PlainResNetConfig:
        """Return the config of the ordinary CNN with equal depth and channels."""
        return PlainResNetConfig(**{f.name: getattr(self, f.name) for f in fields(PlainResNetConfig)})


@dataclass(frozen=True)
class GroupAllCNNCConfig(GroupOptions, AllCNNCConfig):
    """The paper's group All-CNN-C; arguments of ``AllCNNCConfig``, then of ``GroupOptions``."""

    def __post_init__(self) -> None:
        AllCNNCConfig.__post_init__(self)
        GroupOptions.__post_init__(self)

    def plain_twin(self) -> AllCNNCConfig:
        """Return the config of the ordinary CNN with equal depth and channels."""
        return AllCNNCConfig(**{f.name: getattr(self, f.name) for f in fields(AllCNNCConfig)})


@dataclass(frozen=True)
class TurnedConfig:
    """Options of a plain network that sees turned copies of an image.

    Args:
        network: config of the plain network.
        group: the rotations by which an image is turned.

    Raises:
        ValueError: for anything but the config of a plain network, or a group other than SO(2).
    """

    network: PlainResNetConfig | AllCNNCConfig = field(default_factory=PlainResNetConfig)
    group: SO2 = field(default_factory=lambda: SO2(8))

    def __post_init__(self) -> None:
        if type(self.network) not in (PlainResNetConfig, AllCNNCConfig):
            raise ValueError(f"network must be a PlainResNetConfig or an AllCNNCConfig, not {self.network!r}")
        check_kind("group", self.group, SO2, "an SO2")

    @property
    def in_channels(self) -> int:
        """Channels of an image."""
        return self.network.in_channels


@dataclass(frozen=True)
class AveragedConfig(TurnedConfig):
    """A plain network whose logits are averaged over turned copies of an image; arguments of ``TurnedConfig``."""


@dataclass(frozen=True)
class CanonicalConfig(TurnedConfig):
    """A small group network that turns an image upright, and a plain network; arguments of ``TurnedConfig``, and:

    Args:
        channels: channels of the group network.
        hidden_features, omega: size and frequency of its SIREN kernels.

    Raises:
        ValueError: for a size below 1, or an ω₀ that is not finite and positive.
    """

    channels: int = 4
    hidden_features: int = 64
    omega: float = 10.0

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_sizes(self, "channels", "hidden_features")
        object.__setattr__(self, "omega", check_positive("omega", self.omega))
