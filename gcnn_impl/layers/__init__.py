"""Group convolutions as modules: ``kernels`` makes their kernels, ``functional`` applies them, ``models`` has networks.

Every layer is a choice of kernel factors (Knigge et al. 2022, section 4), with o the output and i the input channel:

======================================  ============================================
``LiftingConv2d``                       k_oi(x)
``GroupConv2d``                         k_oi(x, h)
``SeparableGroupConv2d``                k^H_oi(h) · k^{R²}_o(x)
``GroupSeparableConv2d``                k^H_oi(h) · k^{R²}_oi(x)
``DepthwiseSeparableConv2d``            w_oi · k_o(x, h)
``DepthwiseGroupSeparableConv2d``       w_oi · k^H_o(h) · k^{R²}_o(x)
``FullySeparableConv2d`` (Sim(2))       k^Θ_oi(θ) · k^S_o(s) · k^{R²}_o(x)
======================================  ============================================

Kernels are generated in every pass with gradients. In inference (``eval`` without gradients) on the processor a layer
keeps them as long as its parameters have the same bytes, whoever wrote them. ``freeze`` keeps the kernels of a network
whatever happens to the parameters: without any check, and on a GPU too, where comparing bytes would stall the stream.
Kernels that are kept take in the batch norm that follows them (``folding``).

A layer works on the discretised grids of its groups, ``y = layer(x)``, or on explicit grids,
``y = layer(x, in_elements, out_elements)`` with elements from ``group.sample()``: a Monte-Carlo approximation of the
integral over H. Nothing is random inside a layer.
"""

from gcnn_impl.layers.base import Convolution as Convolution
from gcnn_impl.layers.depthwise_separable import DepthwiseGroupSeparableConv2d as DepthwiseGroupSeparableConv2d
from gcnn_impl.layers.depthwise_separable import DepthwiseSeparableConv2d as DepthwiseSeparableConv2d
from gcnn_impl.layers.frozen import freeze as freeze
from gcnn_impl.layers.frozen import unfreeze as unfreeze
from gcnn_impl.layers.full import GroupConv2d as GroupConv2d
from gcnn_impl.layers.full import GroupSeparableConv2d as GroupSeparableConv2d
from gcnn_impl.layers.group_to_group import GroupToGroupConv2d as GroupToGroupConv2d
from gcnn_impl.layers.lifting import LiftingConv2d as LiftingConv2d
from gcnn_impl.layers.norm import GroupBatchNorm2d as GroupBatchNorm2d
from gcnn_impl.layers.separable import FullySeparableConv2d as FullySeparableConv2d
from gcnn_impl.layers.separable import SeparableGroupConv2d as SeparableGroupConv2d

# The variants by the short names that configs, records and figures use.
CONVOLUTIONS: dict[str, type[GroupToGroupConv2d]] = {
    variant.name: variant
    for variant in (
        GroupConv2d,
        SeparableGroupConv2d,
        GroupSeparableConv2d,
        DepthwiseSeparableConv2d,
        DepthwiseGroupSeparableConv2d,
        FullySeparableConv2d,
    )
}
