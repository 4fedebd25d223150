"""Lifting, full and separable group convolutions on R² ⋊ H, after Knigge, Romero, Bekkers (ICML 2022).

This package is what the benchmarks measure; it needs torch and numpy alone, and contains no clocks and no data sets.
The subgroup H and its grid come from ``groups``, the layers from ``layers``, the networks from ``models``:

    >>> import torch
    >>> from gcnn_impl import LiftingConv2d, SeparableGroupConv2d, SO2
    >>> group = SO2(8)
    >>> lift = LiftingConv2d(1, 16, kernel_size=7, group=group, padding=3)
    >>> conv = SeparableGroupConv2d(16, 16, kernel_size=7, group=group, padding=3)
    >>> conv(lift(torch.randn(2, 1, 28, 28))).shape
    torch.Size([2, 16, 8, 28, 28])
"""

from gcnn_impl.equivariance import assert_equivariant, equivariance_error
from gcnn_impl.groups import O2, SO2, Group, RPlus, SO2xRPlus, Trivial
from gcnn_impl.layers import (
    DepthwiseGroupSeparableConv2d,
    DepthwiseSeparableConv2d,
    FullySeparableConv2d,
    GroupConv2d,
    GroupSeparableConv2d,
    LiftingConv2d,
    SeparableGroupConv2d,
)
from gcnn_impl.macs import generation_macs, layer_macs, module_macs
from gcnn_impl.models import (
    CONVOLUTIONS,
    AllCNNC,
    AllCNNCConfig,
    GroupAllCNNC,
    GroupAllCNNCConfig,
    GroupResNet,
    GroupResNetConfig,
    PlainResNet,
    PlainResNetConfig,
    build,
    count_macs,
    count_parameters,
    width_for_macs,
    width_for_parameters,
)
from gcnn_impl.redundancy import network_redundancy, redundancy

__version__ = "0.1.0"

__all__ = [
    "CONVOLUTIONS",
    "O2",
    "SO2",
    "AllCNNC",
    "AllCNNCConfig",
    "DepthwiseGroupSeparableConv2d",
    "DepthwiseSeparableConv2d",
    "FullySeparableConv2d",
    "Group",
    "GroupAllCNNC",
    "GroupAllCNNCConfig",
    "GroupConv2d",
    "GroupResNet",
    "GroupResNetConfig",
    "GroupSeparableConv2d",
    "LiftingConv2d",
    "PlainResNet",
    "PlainResNetConfig",
    "RPlus",
    "SO2xRPlus",
    "SeparableGroupConv2d",
    "Trivial",
    "assert_equivariant",
    "build",
    "count_macs",
    "count_parameters",
    "equivariance_error",
    "generation_macs",
    "layer_macs",
    "module_macs",
    "network_redundancy",
    "redundancy",
    "width_for_macs",
    "width_for_parameters",
]
