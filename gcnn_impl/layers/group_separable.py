"""The group-separable convolution, whose kernel separates the group from the plane for every pair of channels."""

from typing import ClassVar

from torch import Tensor

from gcnn_impl.groups import Group
from gcnn_impl.layers.full import UnfactoredConv2d
from gcnn_impl.low_rank import rank_one_energy


class GroupSeparableConv2d(UnfactoredConv2d):
    """Group-separable convolution, kernel k^H_oi(h) · k^{R²}_oi(x), composed into a full kernel."""

    name: ClassVar[str] = "gseparable"

    def _add_kernels(self) -> None:
        self.group_kernel = self._new_group_kernel(self.in_channels, fan_in_channels=1)
        self.spatial_kernel = self._new_spatial_kernel(self.in_channels)

    def _values(self, *grids: Tensor, taps: Tensor | None = None) -> Tensor:
        over_plane = self._evaluate(self.spatial_kernel, *grids[:1], taps=taps)  # (|H_out|, taps, C_o, C_i)
        return self._evaluate(self.group_kernel, *grids)[:, :, None] * over_plane[:, None]

    @staticmethod
    def explained_energy(kernels: Tensor, group: Group) -> Tensor | None:
        """Separate, for each (o, i), the matrix h × x."""
        return rank_one_energy(kernels)
