"""The depthwise-separable variants: a mix of channels w_oi, then a kernel for each channel alone."""

from typing import Any

import torch
from torch import Tensor, nn

from gcnn_impl import functional
from gcnn_impl.groups import Group
from gcnn_impl.layers.base import arrange
from gcnn_impl.layers.group_to_group import GroupToGroupConv2d
from gcnn_impl.low_rank import rank_one_energy, rank_one_tensor_energy


class ChannelMixingConv2d(GroupToGroupConv2d):
    """Base class of the variants that first mix the channels by w_oi, the same at every point of the group."""

    def _add_kernels(self) -> None:
        self.channel_weight = nn.Parameter(torch.empty(self.out_channels, self.in_channels, **self._factory))
        self._reset_channel_mix()

    def _reset_channel_mix(self) -> None:
        nn.init.normal_(self.channel_weight, std=self.in_channels**-0.5)

    def reset_parameters(self) -> None:
        super().reset_parameters()
        self._reset_channel_mix()


class DepthwiseSeparableConv2d(ChannelMixingConv2d):
    """Depthwise-separable group convolution, kernel w_oi · k_o(x, h)."""

    name = "dseparable"
    layouts = (Tensor.contiguous,)

    def _add_kernels(self) -> None:
        super()._add_kernels()
        self.joint_kernel = self._new_joint_kernel(1)

    def generate(self, *grids: Tensor) -> tuple[Tensor, ...]:
        return (arrange(self._evaluate(self.joint_kernel, *grids)),)

    def convolve(self, x: Tensor, *kernels: Tensor, **after: Any) -> Tensor:
        mixed = functional.channel_mix(x, self.channel_weight)
        options = {"bias": self.bias, "stride": self.stride, "padding": self.padding, **after}
        return functional.depthwise_group_conv2d(mixed, *kernels, **options)

    def macs(self, in_pixels: int, out_pixels: int) -> int:
        """Return the MACs of a 1×1 convolution over C_i, then a k × k one over H with C_o groups."""
        filtering = self.out_group.resolution * self.kernel_size**2 * out_pixels
        return self.out_channels * self.group.resolution * (self.in_channels * in_pixels + filtering)

    def composed_kernel(self) -> Tensor:
        return self.channel_weight[:, None, :, None, None, None] * self.generate()[0]

    @staticmethod
    def explained_energy(kernels: Tensor, group: Group) -> Tensor | None:
        """Return the energy of each kernel's best rank-1 approximation as a C_i × (|H_in|·taps) matrix, shape (n,)."""
        return rank_one_energy(kernels.flatten(2))


class DepthwiseGroupSeparableConv2d(ChannelMixingConv2d):
    """Depthwise- and group-separable convolution, kernel w_oi · k^H_o(h) · k^{R²}_o(x)."""

    name = "dgseparable"
    layouts = (Tensor.contiguous, functional.depthwise_kernel)

    def _add_kernels(self) -> None:
        super()._add_kernels()
        self.group_kernel = self._new_group_kernel(1)
        self.spatial_kernel = self._new_spatial_kernel(1)

    def generate(self, *grids: Tensor) -> tuple[Tensor, ...]:
        return self._over_group(self.group_kernel, *grids), self._over_plane(self.spatial_kernel, *grids)

    def convolve(self, x: Tensor, *kernels: Tensor, **after: Any) -> Tensor:
        group_kernel, spatial_kernel = kernels
        mixed = functional.channel_mix(x, self.channel_weight)
        mixed = functional.depthwise_group_conv2d(mixed, group_kernel[..., None, None])
        return functional.spatial_conv2d(mixed, spatial_kernel, **self._options(**after))

    def macs(self, in_pixels: int, out_pixels: int) -> int:
        """Return the MACs of a 1×1 convolution over C_i, a grouped 1×1 one over H, and a depthwise k × k one."""
        h_in, h_out = self.group.resolution, self.out_group.resolution
        mixing = h_in * (self.in_channels + h_out) * in_pixels
        return self.out_channels * (mixing + h_out * self.kernel_size**2 * out_pixels)

    def composed_kernel(self) -> Tensor:
        group_kernel, spatial_kernel = self.generate()
        over_group = self.channel_weight[:, None, :, None] * group_kernel  # (C_o, |H_out|, C_i, |H_in|)
        return functional.compose_kernels(over_group, spatial_kernel)

    @staticmethod
    def explained_energy(kernels: Tensor, group: Group) -> Tensor | None:
        """Return the energy of a rank-1 approximation of each C_i × |H_in| × taps tensor, shape (n,): a lower bound."""
        return rank_one_tensor_energy(kernels)
