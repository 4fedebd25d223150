"""Examples of a user's own networks, for ``--network examples.own_network:resnet18``; see docs/own-network.md.

A factory is given the channels of the images, the number of classes and the side of the images, and returns any module
from images (B, C, S, S) to logits (B, num_classes). A factory with an argument ``channels`` is given a width, too, so
that a study can match the network's cost to that of the others.
"""

from torch import Tensor, nn
from torchvision.models import resnet18 as torchvision_resnet18

from gcnn_impl import SO2, LiftingConv2d, SeparableGroupConv2d
from gcnn_impl.functional import project
from gcnn_impl.layers import GroupBatchNorm2d


def small_cnn(in_channels: int, num_classes: int, image_size: int, channels: int = 16) -> nn.Module:
    """Return an ordinary CNN of three convolutions with the widths (C, C, 2C)."""

    def block(c_in: int, c_out: int) -> list[nn.Module]:
        return [nn.Conv2d(c_in, c_out, 3, padding=1, bias=False), nn.BatchNorm2d(c_out), nn.ReLU()]

    features = [*block(in_channels, channels), *block(channels, channels), nn.MaxPool2d(2)]
    features += [*block(channels, 2 * channels), nn.AdaptiveMaxPool2d(1), nn.Flatten()]
    return nn.Sequential(*features, nn.Linear(2 * channels, num_classes))


def resnet18(in_channels: int, num_classes: int, image_size: int) -> nn.Module:
    """Return torchvision's ResNet-18 without pretrained weights, with the usual first layers for small images."""
    network = torchvision_resnet18(num_classes=num_classes)
    if image_size <= 64:
        network.conv1 = nn.Conv2d(in_channels, 64, 3, padding=1, bias=False)
        network.maxpool = nn.Identity()
    elif in_channels != 3:
        network.conv1 = nn.Conv2d(in_channels, 64, 7, stride=2, padding=3, bias=False)
    return network


class SeparableCNN(nn.Module):
    """A network of this project's layers on SE(2) with |H| = 8 and the widths (C, C, 2C).

    Quarter turns of images with an even side, which pooling halves, change the logits by rounding alone.
    """

    def __init__(self, in_channels: int, num_classes: int, channels: int) -> None:
        super().__init__()
        group = SO2(8)
        self.lift = LiftingConv2d(in_channels, channels, 5, group, padding=2, bias=False)
        self.conv1 = SeparableGroupConv2d(channels, channels, 5, group, padding=2, bias=False)
        self.conv2 = SeparableGroupConv2d(channels, 2 * channels, 5, group, padding=2, bias=False)
        self.norm0, self.norm1, self.norm2 = map(GroupBatchNorm2d, (channels, channels, 2 * channels))
        self.classifier = nn.Linear(2 * channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (B, C, S, S) to logits (B, num_classes)."""
        x = self.norm0(self.lift(x), relu=True)  # (B, C, |H|, S, S)
        x = self.norm1(self.conv1(x), relu=True, pool=True)  # (B, C, |H|, S/2, S/2): 2 × 2 spatial maxima
        x = self.norm2(self.conv2(x), relu=True)
        logits: Tensor = self.classifier(project(x))  # of the maxima over H and the plane
        return logits


def separable_cnn(in_channels: int, num_classes: int, image_size: int, channels: int = 8) -> nn.Module:
    """Return a ``SeparableCNN``; ``channels`` is its width."""
    return SeparableCNN(in_channels, num_classes, channels)
