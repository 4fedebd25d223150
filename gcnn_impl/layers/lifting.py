from typing import Any

from torch import Tensor

from gcnn_impl import functional
from gcnn_impl.checks import described
from gcnn_impl.groups import Group
from gcnn_impl.layers.base import Convolution, arrange, check_grid


class LiftingConv2d(Convolution):
    """Lifting convolution, (B, C_i, H, W) → (B, C_o, |H|, H', W'), kernel k_oi(x).

    The arguments are those of ``Convolution`` without ``out_group``; ``group`` is the grid of the output.

    Raises:
        TypeError: for an ``out_group``.
    """

    name = "lifting"
    layouts = (functional.group_major_kernel,)

    def _check_groups(self, group: Group, out_group: Group | None) -> None:
        if out_group is not None:
            raise TypeError("LiftingConv2d takes no out_group: group is the grid of its output")
        super()._check_groups(group, out_group)

    def _add_kernels(self) -> None:
        self.spatial_kernel = self._new_spatial_kernel(self.in_channels)

    def generate(self, *grids: Tensor) -> tuple[Tensor, ...]:
        return (arrange(self._evaluate(self.spatial_kernel, *grids)),)

    def convolve(self, x: Tensor, *kernels: Tensor, **after: Any) -> Tensor:
        options = {"bias": self.bias, "stride": self.stride, "padding": self.padding, **after}
        return functional.lift_conv2d(x, *kernels, **options)

    def macs(self, in_pixels: int, out_pixels: int) -> int:
        """Return C_o C_i |H| k² per output pixel."""
        return self.out_channels * self.in_channels * self.group.resolution * self.kernel_size**2 * out_pixels

    def check_input(self, x: object) -> None:
        if not isinstance(x, Tensor) or x.dim() != 4 or x.shape[1] != self.in_channels:
            raise ValueError(f"expected an image (B, {self.in_channels}, H, W), not {described(x)}")

    def forward(self, x: Tensor, out_elements: Tensor | None = None) -> Tensor:
        """Lift an image to the discretised grid, or to ``out_elements``, shape (|H|, dim)."""
        self.check_input(x)
        if out_elements is None:
            return self.convolve(x, *self.kernels())
        check_grid("out_elements", out_elements, self.group)
        return self.convolve(x, *self.kernels(out_elements))
