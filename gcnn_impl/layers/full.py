"""The variants that are applied as one convolution over the group and the plane: full and group-separable."""

from typing import Any, Self

from torch import Tensor

from gcnn_impl import functional
from gcnn_impl.groups import Group
from gcnn_impl.kernels import disc_tip_taps
from gcnn_impl.layers.base import arrange, scaled
from gcnn_impl.layers.group_to_group import GroupToGroupConv2d
from gcnn_impl.low_rank import rank_one_energy


class UnfactoredConv2d(GroupToGroupConv2d):
    """Base class of the variants that are applied as one convolution over the group and the plane at once."""

    layouts = (functional.channels_last_kernel,)
    scales_few = False
    disc_tips: Tensor

    def _add_kernels(self) -> None:
        # A buffer: copying the indices to the device in every pass would wait for it, which CUDA graphs do not allow.
        tips = disc_tip_taps(self.kernel_size).to(self._factory["device"])
        self.register_buffer("disc_tips", tips, persistent=False)

    def _apply(self, *args: Any, **kwargs: Any) -> Self:
        super()._apply(*args, **kwargs)
        self.disc_tips = disc_tip_taps(self.kernel_size).to(self._device())  # ``to_empty`` leaves it uninitialised
        return self

    def _values(self, *grids: Tensor, taps: Tensor | None = None) -> Tensor:
        """Return the kernel values, shape (|H_out|, |H_in|, taps, C_o, C_i)."""
        raise NotImplementedError

    def _drops_taps(self) -> bool:
        same = self.padding == self.kernel_size // 2
        return self.algorithm != "direct" and self.group.rotates and self.kernel_size >= 5 and same

    def generate(self, *grids: Tensor) -> tuple[Tensor, ...]:
        return (arrange(self._values(*grids)),)

    def working_kernels(self, *grids: Tensor) -> tuple[Tensor, ...]:
        if not self._drops_taps():
            return super().working_kernels(*grids)
        k = self.kernel_size
        values = self._values(*grids, taps=self.disc_tips)
        inner, vertical, horizontal = values.permute(3, 0, 4, 1, 2).split([(k - 2) ** 2, 2, 2], dim=-1)
        parts = inner.unflatten(-1, (k - 2, k - 2)), vertical[..., None], horizontal[..., None, :]
        return tuple(functional.channels_last_kernel(part) for part in parts)

    def _scaled(self, kernels: tuple[Tensor, ...], scale: Tensor) -> tuple[Tensor, ...]:
        return tuple(scaled(kernel, scale) for kernel in kernels)  # parts, whose results are added

    def convolve(self, x: Tensor, *kernels: Tensor, **after: Any) -> Tensor:
        options = {"bias": self.bias, "stride": self.stride, "algorithm": self.algorithm, **after}
        if len(kernels) == 1:
            return functional.group_conv2d(x, *kernels, padding=self.padding, **options)
        return functional.disc_group_conv2d(x, *kernels, **options)

    def macs(self, in_pixels: int, out_pixels: int) -> int:
        """Return C_o C_i |H_out| |H_in| k² per output pixel."""
        elements = self.out_group.resolution * self.group.resolution
        return self.out_channels * self.in_channels * elements * self.kernel_size**2 * out_pixels

    def composed_kernel(self) -> Tensor:
        return self.generate()[0]


class GroupConv2d(UnfactoredConv2d):
    """Full (non-separable) group convolution, kernel k_oi(x, h)."""

    name = "full"

    def _add_kernels(self) -> None:
        super()._add_kernels()
        self.joint_kernel = self._new_joint_kernel(self.in_channels)

    def _values(self, *grids: Tensor, taps: Tensor | None = None) -> Tensor:
        return self._evaluate(self.joint_kernel, *grids, taps=taps)

    @staticmethod
    def explained_energy(kernels: Tensor, group: Group) -> Tensor | None:
        """Return None: the full kernel is not restricted."""
        return None


class GroupSeparableConv2d(UnfactoredConv2d):
    """Group-separable convolution, kernel k^H_oi(h) · k^{R²}_oi(x), composed into a full kernel."""

    name = "gseparable"

    def _add_kernels(self) -> None:
        super()._add_kernels()
        self.group_kernel = self._new_group_kernel(self.in_channels, fan_in_channels=1)
        self.spatial_kernel = self._new_spatial_kernel(self.in_channels)

    def _values(self, *grids: Tensor, taps: Tensor | None = None) -> Tensor:
        over_plane = self._evaluate(self.spatial_kernel, *grids[:1], taps=taps)  # (|H_out|, taps, C_o, C_i)
        return self._evaluate(self.group_kernel, *grids)[:, :, None] * over_plane[:, None]

    @staticmethod
    def explained_energy(kernels: Tensor, group: Group) -> Tensor | None:
        """Return the energy of the best rank-1 approximation of each |H_in| × taps matrix, shape (n, C_i)."""
        return rank_one_energy(kernels)
