from functools import partial
from typing import Any

from torch import Tensor

from gcnn_impl.checks import described
from gcnn_impl.groups import Group
from gcnn_impl.kernels import ContinuousKernel, group_points, joint_points
from gcnn_impl.layers.base import Convolution, arrange, check_grid


class GroupToGroupConv2d(Convolution):
    """Base class of the variants, (B, C_i, |H_in|, H, W) → (B, C_o, |H_out|, H', W'), with ``Convolution``'s arguments.

    A variant restricts the kernel k_oi(x, h) to products of factors. Besides the factors, a subclass says what their
    product is (``composed_kernel``) and how much of any other kernel such a product explains (``explained_energy``).
    """

    def _check_groups(self, group: Group, out_group: Group | None) -> None:
        super()._check_groups(group, out_group)
        if out_group is not None and group.parent() != out_group.parent():
            raise ValueError(f"a layer maps between grids of one continuous group, not from {group} to {out_group}")

    def composed_kernel(self) -> Tensor:
        """Return the kernel k_oi(x, h) with which the layer convolves, shape (C_o, |H_out|, C_i, |H_in|, k, k)."""
        raise NotImplementedError

    @staticmethod
    def explained_energy(kernels: Tensor, group: Group) -> Tensor | None:
        """Return the energy (squared norm) that the best kernel of this variant explains.

        Args:
            kernels: any kernels, one for each output channel and element, shape (n, C_i, |H_in|, taps).
            group: the group whose elements the third axis holds.

        Returns:
            The energy of each kernel, shape (n,), or of each pair of a kernel and an input channel, shape (n, C_i).
            None where the variant restricts nothing, or does not exist on the group.
        """
        raise NotImplementedError

    def _new_joint_kernel(self, in_channels: int) -> ContinuousKernel:
        """Return a kernel over the plane and the group, k(h⁻¹u, h⁻¹h'), with ``in_channels`` input channels."""
        locate = partial(joint_points, self.group, self.kernel_size)
        return ContinuousKernel(locate, self._grids(), self.out_channels, in_channels, gain=self._gain, **self._siren)

    def _new_group_kernel(self, in_channels: int, fan_in_channels: int | None = None) -> ContinuousKernel:
        """Return a kernel over the group, k(h⁻¹h'), with ``in_channels`` input channels."""
        locate, channels = partial(group_points, self.group), (self.out_channels, in_channels)
        return ContinuousKernel(locate, self._grids(), *channels, fan_in_channels=fan_in_channels, **self._siren)

    def _over_group(self, kernel: ContinuousKernel, *grids: Tensor) -> Tensor:
        """Return the values of a kernel over the group, shape (C_o, |H_out|, C_i, |H_in|)."""
        return self._evaluate(kernel, *grids).permute(2, 0, 3, 1)

    def _over_plane(self, kernel: ContinuousKernel, *grids: Tensor) -> Tensor:
        """Return the values of a kernel over the plane with one input channel, shape (C_o, |H_out|, k, k)."""
        return arrange(self._evaluate(kernel, *grids[:1])).squeeze(2)

    def _grids(self) -> tuple[Tensor, Tensor]:
        return self.out_group.elements(), self.group.elements()

    def _options(self, **after: Any) -> dict[str, Any]:
        """Return the arguments of the convolution over the plane; ``after`` as in ``convolve``."""
        geometry = {"stride": self.stride, "padding": self.padding, "disc": self.group.rotates}
        return {"bias": self.bias, "algorithm": self.algorithm, **geometry, **after}

    def check_input(self, x: object) -> None:
        if not isinstance(x, Tensor) or x.dim() != 5 or x.shape[1:3] != (self.in_channels, self.group.resolution):
            wanted = f"(B, {self.in_channels}, {self.group.resolution}, H, W)"
            raise ValueError(f"expected a map on the group {wanted}, not {described(x)}")

    def forward(self, x: Tensor, in_elements: Tensor | None = None, out_elements: Tensor | None = None) -> Tensor:
        """Convolve on the discretised grids, or on explicit ones, shapes (|H_in|, dim) and (|H_out|, dim)."""
        self.check_input(x)
        if (in_elements is None) != (out_elements is None):
            raise ValueError("give both grids of group elements or neither")
        if in_elements is None or out_elements is None:
            return self.convolve(x, *self.kernels())
        check_grid("in_elements", in_elements, self.group, x.shape[2])
        check_grid("out_elements", out_elements, self.out_group)
        return self.convolve(x, *self.kernels(out_elements, in_elements))
