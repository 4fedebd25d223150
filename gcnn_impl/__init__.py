"""Lifting, full and separable group convolutions on R² ⋊ H, after Knigge, Romero, Bekkers (ICML 2022).

This package is what the benchmarks measure. It needs only torch and numpy, and contains no clocks and no data sets.
The subgroup H and its grid come from ``groups``, the layers from ``layers``, the networks from ``models``:

    >>> import torch
    >>> from gcnn_impl import LiftingConv2d, SeparableGroupConv2d, SO2
    >>> group = SO2(8)
    >>> lift = LiftingConv2d(1, 16, kernel_size=7, group=group, padding=3)
    >>> conv = SeparableGroupConv2d(16, 16, kernel_size=7, group=group, padding=3)
    >>> conv(lift(torch.randn(2, 1, 28, 28))).shape
    torch.Size([2, 16, 8, 28, 28])
"""

from gcnn_impl.equivariance import assert_equivariant as assert_equivariant
from gcnn_impl.equivariance import equivariance_error as equivariance_error
from gcnn_impl.equivariance import layer_errors as layer_errors
from gcnn_impl.groups import O2 as O2
from gcnn_impl.groups import SO2 as SO2
from gcnn_impl.groups import Group as Group
from gcnn_impl.groups import RPlus as RPlus
from gcnn_impl.groups import SO2xRPlus as SO2xRPlus
from gcnn_impl.groups import Trivial as Trivial
from gcnn_impl.layers import DepthwiseGroupSeparableConv2d as DepthwiseGroupSeparableConv2d
from gcnn_impl.layers import DepthwiseSeparableConv2d as DepthwiseSeparableConv2d
from gcnn_impl.layers import FullySeparableConv2d as FullySeparableConv2d
from gcnn_impl.layers import GroupConv2d as GroupConv2d
from gcnn_impl.layers import GroupSeparableConv2d as GroupSeparableConv2d
from gcnn_impl.layers import LiftingConv2d as LiftingConv2d
from gcnn_impl.layers import SeparableGroupConv2d as SeparableGroupConv2d
from gcnn_impl.layers import freeze as freeze
from gcnn_impl.layers import unfreeze as unfreeze
from gcnn_impl.macs import generation_macs as generation_macs
from gcnn_impl.macs import layer_macs as layer_macs
from gcnn_impl.macs import module_macs as module_macs
from gcnn_impl.models import CONVOLUTIONS as CONVOLUTIONS
from gcnn_impl.models import AllCNNC as AllCNNC
from gcnn_impl.models import AllCNNCConfig as AllCNNCConfig
from gcnn_impl.models import AveragedConfig as AveragedConfig
from gcnn_impl.models import AveragedNetwork as AveragedNetwork
from gcnn_impl.models import CanonicalConfig as CanonicalConfig
from gcnn_impl.models import CanonicalNetwork as CanonicalNetwork
from gcnn_impl.models import GroupAllCNNC as GroupAllCNNC
from gcnn_impl.models import GroupAllCNNCConfig as GroupAllCNNCConfig
from gcnn_impl.models import GroupResNet as GroupResNet
from gcnn_impl.models import GroupResNetConfig as GroupResNetConfig
from gcnn_impl.models import PlainResNet as PlainResNet
from gcnn_impl.models import PlainResNetConfig as PlainResNetConfig
from gcnn_impl.models import build as build
from gcnn_impl.models import count_macs as count_macs
from gcnn_impl.models import count_parameters as count_parameters
from gcnn_impl.models import width_for_macs as width_for_macs
from gcnn_impl.models import width_for_parameters as width_for_parameters
from gcnn_impl.redundancy import network_redundancy as network_redundancy
from gcnn_impl.redundancy import redundancy as redundancy

__version__ = "0.1.0"
