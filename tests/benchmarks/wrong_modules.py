"""Layers and networks with the mistakes that users make."""

from typing import Any

import torch
from torch import Tensor, nn

from gcnn_impl import SO2, SeparableGroupConv2d


class Clockwise(nn.Module):
    """A layer whose axis of H is in the order of the inverse elements."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, *, group: SO2, padding: int) -> None:
        super().__init__()
        self.layer = SeparableGroupConv2d(in_channels, out_channels, kernel_size, group, padding=padding)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x.roll(-1, 2).flip(2)).roll(-1, 2).flip(2)  # type: ignore[no-any-return]


class Raises(Clockwise):
    """A layer whose forward raises."""

    def forward(self, x: Tensor) -> Tensor:
        raise RuntimeError("not today")


class NeedsABatch(Clockwise):
    """A layer that takes no small batch."""

    def forward(self, x: Tensor) -> Tensor:
        assert len(x) > 2
        return x


class Misspelt(Clockwise):
    """A layer with a name that does not exist."""

    def forward(self, x: Tensor) -> Tensor:
        return y  # type: ignore[name-defined, no-any-return]  # noqa: F821


class Transposed(Clockwise):
    """A layer that returns the axis of H before the channels."""

    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2)


class NoArguments(nn.Module):
    """A layer with another constructor."""


class _NotBack(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        raise RuntimeError("not back")


class RaisesInBackward(Clockwise):
    """A correct layer whose backward raises."""

    def forward(self, x: Tensor) -> Tensor:
        return _NotBack.apply(self.layer(x))  # type: ignore[no-any-return, no-untyped-call]


def no_module(in_channels: int, num_classes: int, image_size: int) -> int:
    """Return no module."""
    return num_classes


def raising(in_channels: int, num_classes: int, image_size: int) -> nn.Module:
    """Raise an error."""
    raise ValueError("no")


def wrong_classes(in_channels: int, num_classes: int, image_size: int) -> nn.Module:
    """Return a network with three logits."""
    return nn.Sequential(nn.Flatten(), nn.Linear(in_channels * image_size**2, 3))


def shrinking(in_channels: int, num_classes: int, image_size: int) -> nn.Module:
    """Return a network for large images."""
    return nn.Sequential(nn.MaxPool2d(8), nn.Conv2d(in_channels, num_classes, 3), nn.AdaptiveMaxPool2d(1), nn.Flatten())


def zeros(in_channels: int, num_classes: int, image_size: int) -> nn.Module:
    """Return a network whose last layer is zero at first, as many are: nothing is wrong with it."""
    linear = nn.Linear(in_channels * image_size**2, num_classes)
    nn.init.zeros_(linear.weight)
    nn.init.zeros_(linear.bias)
    return nn.Sequential(nn.Flatten(), linear)


class _Classifier(nn.Module):
    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.linear = nn.Linear(features, classes)

    def forward(self, x: Tensor) -> Tensor:
        return _NotBack.apply(self.linear(x.flatten(1)))  # type: ignore[no-any-return, no-untyped-call]


def raises_in_backward(in_channels: int, num_classes: int, image_size: int) -> nn.Module:
    """Return a network whose backward raises."""
    return _Classifier(in_channels * image_size**2, num_classes)


def lazy(in_channels: int, num_classes: int, image_size: int) -> nn.Module:
    """Return a network whose last layer learns its size from the first images."""
    return nn.Sequential(nn.Flatten(), nn.LazyLinear(num_classes))


def lazy_layer(in_channels: int, out_channels: int, kernel_size: int, *, group: SO2, padding: int) -> nn.Module:
    """Return a layer that learns its number of channels from the first map."""
    return nn.LazyConv3d(out_channels, (1, kernel_size, kernel_size), padding=(0, padding, padding))
