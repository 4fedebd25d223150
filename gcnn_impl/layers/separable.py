"""The variants that separate the group from the plane, and on Sim(2) the rotations from the scales as well."""

from functools import partial
from typing import Any

import torch
from torch import Tensor

from gcnn_impl import functional, native
from gcnn_impl.groups import Group, SO2xRPlus
from gcnn_impl.irreps import Irreps, irreps_that_pay
from gcnn_impl.kernels import ContinuousKernel, group_points
from gcnn_impl.layers.group_to_group import GroupToGroupConv2d
from gcnn_impl.low_rank import rank_one_energy, rank_one_tensor_energy


class SeparableGroupConv2d(GroupToGroupConv2d):
    """Separable group convolution, kernel k^H_oi(h) · k^{R²}_o(x): the paper's main variant."""

    name = "separable"
    layouts = (functional.channels_last_kernel, functional.depthwise_kernel)
    _parts: Irreps | None = None  # the irreducible parts over H, where these pay

    def _add_kernels(self) -> None:
        self.group_kernel = self._new_group_kernel(self.in_channels)
        self.spatial_kernel = self._new_spatial_kernel(1)
        if self.group == self.out_group:  # kept, because the compiler would trace how they are computed
            self._parts = irreps_that_pay(self.group, self.in_channels, self.out_channels)

    def generate(self, *grids: Tensor) -> tuple[Tensor, ...]:
        return self._over_group(self.group_kernel, *grids), self._over_plane(self.spatial_kernel, *grids)

    def working_kernels(self, *grids: Tensor) -> tuple[Tensor, ...]:
        """Return the kernels, or the spectrum of the one over H where the Fourier transform over H is faster."""
        irreps = None if grids or not self._mixes_by_parts() else self._parts
        if irreps is None:
            return super().working_kernels(*grids)
        spectrum = irreps.spectrum(self._evaluate(self.group_kernel, first=irreps.scales))
        return spectrum, self.layouts[1](self._over_plane(self.spatial_kernel))

    def convolve(self, x: Tensor, *kernels: Tensor, **after: Any) -> Tensor:
        over_group, over_plane = kernels
        if over_group.dim() > 1 or self._parts is None:  # a spectrum has one axis
            mixed = functional.group_mix(x, over_group, algorithm=self.algorithm)
        else:
            mixed = functional.fourier_group_mix(x, over_group, self._parts)
        return functional.spatial_conv2d(mixed, over_plane, **self._options(**after))

    def _mixes_by_parts(self) -> bool:
        """Return whether the operators in C should mix by irreducible parts, where these pay."""
        return self.algorithm == "auto" and native.takes(self.group_kernel.net.bias_last)

    def macs(self, in_pixels: int, out_pixels: int) -> int:
        """Return the MACs of a 1×1 convolution over (C_i·|H_in|), then a depthwise k × k one."""
        mixing = self.in_channels * self.group.resolution * in_pixels
        return self.out_channels * self.out_group.resolution * (mixing + self.kernel_size**2 * out_pixels)

    def composed_kernel(self) -> Tensor:
        return functional.compose_kernels(*self.generate())

    @staticmethod
    def explained_energy(kernels: Tensor, group: Group) -> Tensor | None:
        """Return the energy of each kernel's best rank-1 approximation as a (C_i·|H_in|) × taps matrix, shape (n,)."""
        return rank_one_energy(kernels.flatten(1, 2))


class FullySeparableConv2d(GroupToGroupConv2d):
    """Fully separable convolution on Sim(2), kernel k^Θ_oi(θ) · k^S_o(s) · k^{R²}_o(x).

    Raises:
        ValueError: for any other group than SO2xRPlus, and as in ``Convolution``.
    """

    name = "separable2d"
    layouts = (functional.channels_last_kernel, Tensor.contiguous, functional.depthwise_kernel)
    group: SO2xRPlus
    out_group: SO2xRPlus

    def _check_groups(self, group: Group, out_group: Group | None) -> None:
        super()._check_groups(group, out_group)
        if not (isinstance(group, SO2xRPlus) and isinstance(out_group, SO2xRPlus | None)):
            raise ValueError(f"the fully separable convolution needs SO2xRPlus, not {group}")

    def _add_kernels(self) -> None:
        rotations, scales = self._split(*self._grids())
        over_rotations, over_scales = (partial(group_points, g) for g in (self.group.rotation, self.group.scale))
        channels = self.out_channels, self.in_channels
        self.rotation_kernel = ContinuousKernel(over_rotations, rotations, *channels, **self._siren)
        self.scale_kernel = ContinuousKernel(over_scales, scales, self.out_channels, 1, **self._siren)
        self.spatial_kernel = self._new_spatial_kernel(1)

    def _split(self, out_elements: Tensor, in_elements: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Return the rotations and the scales of rotation-major product grids, both as (output, input)."""
        factors = []
        for elements, group in [(out_elements, self.out_group), (in_elements, self.group)]:
            scales = group.scales
            rotation, scale = elements[::scales, :1], elements[:scales, 1:]
            product = torch.cat([rotation.repeat_interleave(scales, 0), scale.repeat(len(rotation), 1)], dim=-1)
            if product.shape != elements.shape or not torch.allclose(product, elements):
                raise ValueError(f"the elements are not a rotation-major product of rotations and {scales} scales")
            factors.append((rotation, scale))
        (out_rotation, out_scale), (in_rotation, in_scale) = factors
        return (out_rotation, in_rotation), (out_scale, in_scale)

    def generate(self, *grids: Tensor) -> tuple[Tensor, ...]:
        rotations, scales = self._split(*grids) if grids else ((), ())
        return (
            self._over_group(self.rotation_kernel, *rotations),
            self._over_group(self.scale_kernel, *scales),
            self._over_plane(self.spatial_kernel, *grids),
        )

    def convolve(self, x: Tensor, *kernels: Tensor, **after: Any) -> Tensor:
        return functional.fully_separable_conv2d(x, *kernels, **self._options(**after))

    def macs(self, in_pixels: int, out_pixels: int) -> int:
        """Return the MACs of a 1×1 convolution over (C_i·R_in), a grouped 1×1 one over S, and a depthwise k × k one.

        R and S are the numbers of rotations and of scales.
        """
        (r_in, s_in), (r_out, s_out) = ((g.rotations, g.scales) for g in (self.group, self.out_group))
        mixing = r_out * s_in * (self.in_channels * r_in + s_out) * in_pixels
        return self.out_channels * (mixing + r_out * s_out * self.kernel_size**2 * out_pixels)

    def composed_kernel(self) -> Tensor:
        rotation, scale, spatial = self.generate()
        over_group = torch.einsum("oaib,oscd->oasibd", rotation, scale)
        return functional.compose_kernels(over_group.flatten(4, 5).flatten(1, 2), spatial)

    @staticmethod
    def explained_energy(kernels: Tensor, group: Group) -> Tensor | None:
        """Return the energy of a rank-1 approximation of (C_i·rotations) × scales × taps tensors; None off Sim(2)."""
        if not isinstance(group, SO2xRPlus):
            return None
        return rank_one_tensor_energy(kernels.unflatten(2, (group.rotations, group.scales)).flatten(1, 2))
