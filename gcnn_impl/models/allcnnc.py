"""The group All-CNN-C of Knigge et al. 2022, and its plain twin, an ordinary CNN.

All-CNN-C is the network of Springenberg et al., "Striving for Simplicity", 2015: nine convolutions, the last two 1×1.
Here max pooling replaces the strides of the original: on an even image a stride does not commute with quarter turns.
The logit of a class is the maximum of its scores over H and the plane.
"""

from typing import Any

from torch import Tensor, nn

from gcnn_impl import functional
from gcnn_impl.layers import CONVOLUTIONS, GroupBatchNorm2d, LiftingConv2d
from gcnn_impl.layers.folding import conv_norm_relu
from gcnn_impl.layers.norm import norm_relu
from gcnn_impl.models.base import RELU_GAIN, Network, max_pool
from gcnn_impl.models.configs import AllCNNCConfig, GroupAllCNNCConfig


class HiddenLayer(nn.Module):
    """Convolution, 2×2 pooling if ``pooled``, norm, ReLU and dropout of channels, for any maps."""

    def __init__(self, conv: nn.Module, norm: nn.Module, dropout: nn.Module, pooled: bool) -> None:
        super().__init__()
        self.conv, self.norm, self.dropout, self.pooled = conv, norm, dropout, pooled

    def forward(self, x: Tensor, *grids: Tensor) -> Tensor:
        if self.pooled:
            return self.dropout(norm_relu(self.norm, max_pool(self.conv(x, *grids))))
        return self.dropout(conv_norm_relu(self.conv, self.norm, x, grids))


class GroupAllCNNC(Network[GroupAllCNNCConfig]):
    """The paper's group All-CNN-C, (B, C, H, W) → (B, num_classes); see ``GroupAllCNNCConfig``.

    Dropout follows the norm and its ReLU in every layer; the authors' first dropout precedes the norm.
    """

    takes = GroupAllCNNCConfig

    def _add_layers(self, **factory: Any) -> None:
        config, gain = self.config, 1.0
        options = config.layer_options(**factory)
        self.layers = nn.ModuleList()
        for i, o, k, pooled, p in config.hidden_layers():
            convolution = CONVOLUTIONS[config.variant] if self.layers else LiftingConv2d
            conv = convolution(i, o, k, padding=k // 2, bias=False, gain=gain, **options)
            norm, dropout = GroupBatchNorm2d(o, **factory), nn.Dropout3d(p)
            self.layers.append(HiddenLayer(conv, norm, dropout, pooled))
            gain = RELU_GAIN * (1 - p) ** 0.5
        self.last = CONVOLUTIONS[config.variant](config.widths[-1], config.num_classes, 1, gain=gain, **options)

    def features(self, x: Tensor) -> Tensor:
        """Return the class scores at every point of the group, (B, C, H, W) → (B, num_classes, |H|, H', W')."""
        grids = self.config.grids(self.training)
        for i, layer in enumerate(self.layers):
            x = layer(x, *(grids if i else grids[:1]))
        return self.last(x, *grids)

    def forward(self, x: Tensor) -> Tensor:
        return functional.project(self.features(x))


class AllCNNC(Network[AllCNNCConfig]):
    """The plain twin of ``GroupAllCNNC``, (B, C, H, W) → (B, num_classes); see ``AllCNNCConfig``."""

    takes = AllCNNCConfig

    def _add_layers(self, **factory: Any) -> None:
        self.layers = nn.Sequential()
        for i, o, k, pooled, p in self.config.hidden_layers():
            conv = nn.Conv2d(i, o, k, padding=k // 2, bias=False, **factory)
            self.layers.append(HiddenLayer(conv, nn.BatchNorm2d(o, **factory), nn.Dropout2d(p), pooled))
        self.last = nn.Conv2d(self.config.widths[-1], self.config.num_classes, 1, **factory)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.layers(x)).amax(dim=(-2, -1))
