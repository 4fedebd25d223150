from torch import Tensor

from gcnn_impl import functional
from gcnn_impl.groups import Group
from gcnn_impl.layers.group_to_group import GroupToGroupConv2d
from gcnn_impl.low_rank import rank_one_energy


class SeparableGroupConv2d(GroupToGroupConv2d):
    """Separable group convolution, kernel k^H_oi(h) · k^{R²}_o(x): the paper's main variant."""

    name = "separable"
    layouts = (functional.channels_last_kernel, functional.group_major_kernel)

    def _add_kernels(self) -> None:
        self.group_kernel = self._new_group_kernel(self.in_channels)
        self.spatial_kernel = self._new_spatial_kernel(1)

    def generate(self, *grids: Tensor) -> tuple[Tensor, ...]:
        return self._over_group(self.group_kernel, *grids), self._over_plane(self.spatial_kernel, *grids)

    def convolve(self, x: Tensor, *kernels: Tensor) -> Tensor:
        return functional.separable_group_conv2d(x, *kernels, bias=self.bias, **self._geometry())

    def macs(self, in_pixels: int, out_pixels: int) -> int:
        """Return the MACs of a 1×1 convolution over (C_i·|H_in|), then a depthwise k × k one."""
        mixing = self.in_channels * self.group.resolution * in_pixels
        return self.out_channels * self.out_group.resolution * (mixing + self.kernel_size**2 * out_pixels)

    def composed_kernel(self) -> Tensor:
        return functional.compose_kernels(*self.generate())

    @staticmethod
    def explained_energy(kernels: Tensor, group: Group) -> Tensor | None:
        """Separate, for each o, the matrix (i, h) × x."""
        return rank_one_energy(kernels.flatten(1, 2))
