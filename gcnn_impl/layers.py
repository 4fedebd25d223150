"""Group convolutions as ``nn.Module``s: kernels from continuous nets, applied by ``functional``.

Every layer is a choice of kernel factors (Knigge et al. 2022, section 4; "o" the output, "i" the input channel):

======================================  ============================================
``LiftingConv2d``                       k_oi(x)
``GroupConv2d``                         k_oi(x, h)
``SeparableGroupConv2d``                k^H_oi(h) · k^{R²}_o(x)
``GroupSeparableConv2d``                k^H_oi(h) · k^{R²}_oi(x)
``DepthwiseSeparableConv2d``            w_oi · k_o(x, h)
``DepthwiseGroupSeparableConv2d``       w_oi · k^H_o(h) · k^{R²}_o(x)
``FullySeparableConv2d`` (Sim(2))       k^Θ_oi(θ) · k^S_o(s) · k^{R²}_o(x)
======================================  ============================================

Kernels are generated in every pass with gradients and cached in inference (``eval`` without gradients). The cache
follows the parameters through their version counters, as autograd does: after writing to ``parameter.data``, call
``eval()``.

A layer works on the discretised grids of its groups, ``y = layer(x)``, or on grids that are given explicitly,
``y = layer(x, in_elements, out_elements)`` with elements from ``group.sample()``: a Monte-Carlo approximation of the
integral over H. Nothing is random inside a layer.
"""

import math
from functools import partial
from typing import Any, Self, get_args

import torch
from torch import Tensor, nn

from gcnn_impl import functional
from gcnn_impl.groups import Group, SO2xRPlus
from gcnn_impl.kernels import ContinuousKernel, disc_tip_taps, group_points, joint_points, spatial_points


def _parameters(module: nn.Module) -> list[nn.Parameter]:
    """``list(module.parameters())`` in a third of the time, which inference on one image feels."""
    parameters = [parameter for parameter in module._parameters.values() if parameter is not None]
    for child in module._modules.values():
        if child is not None:
            parameters += _parameters(child)
    return parameters


def _check_integer(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} must be an integer of at least {least}, not {value!r}")


class _Convolution(nn.Module):
    """What all layers share: geometry, bias, the choice of grids and the inference cache.

    A subclass says how to ``generate`` its kernels and how to ``convolve`` with them.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        stride: int,
        padding: int,
        bias: bool,
        algorithm: functional.Algorithm,
        device: torch.device | str | None,
        dtype: torch.dtype | None,
    ) -> None:
        super().__init__()
        _check_integer("in_channels", in_channels, 1)
        _check_integer("out_channels", out_channels, 1)
        _check_integer("kernel_size", kernel_size, 1)
        _check_integer("stride", stride, 1)
        _check_integer("padding", padding, 0)
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd, so that a kernel has a centre to turn about, not {kernel_size}")
        self.in_channels, self.out_channels, self.kernel_size = in_channels, out_channels, kernel_size
        if algorithm not in get_args(functional.Algorithm):
            raise ValueError(f"unknown algorithm {algorithm!r}; allowed: {', '.join(get_args(functional.Algorithm))}")
        self.stride, self.padding, self.algorithm = stride, padding, algorithm
        self.bias = nn.Parameter(torch.zeros(out_channels, device=device, dtype=dtype)) if bias else None
        self._cached: tuple[list[object], list[nn.Parameter], tuple[Tensor, ...]] | None = None

    def generate(self, *grids: Tensor) -> tuple[Tensor, ...]:
        """The kernels from the parameters, on the discretised grids or on (out_elements[, in_elements])."""
        raise NotImplementedError

    def working_kernels(self, *grids: Tensor) -> tuple[Tensor, ...]:
        """The kernels in the form and the memory layout that ``convolve`` is fastest with."""
        raise NotImplementedError

    def convolve(self, x: Tensor, *kernels: Tensor) -> Tensor:
        """The layer with given working kernels."""
        raise NotImplementedError

    def kernels(self, *grids: Tensor) -> tuple[Tensor, ...]:
        """``working_kernels``, through the cache in inference on the discretised grids."""
        device = self._device().type
        if device != "meta" and torch.is_autocast_enabled(device):  # half precision would blur the sines
            with torch.autocast(device, enabled=False):
                return self.kernels(*grids)
        if grids or self.training or torch.is_grad_enabled() or torch.compiler.is_compiling() or device == "meta":
            return self.working_kernels(*grids)
        parameters = _parameters(self)
        if any(p.is_inference() for p in parameters):  # no version counter to follow
            return self.working_kernels()
        key: list[object] = [self.algorithm, self.padding]
        key += [(id(p), p.data_ptr(), p._version) for p in parameters]
        if self._cached is None or self._cached[0] != key:
            self._cached = (key, parameters, self.working_kernels())  # while they are held, no id is used again
        return self._cached[2]

    def _evaluate(self, kernel: ContinuousKernel, *grids: Tensor, taps: Tensor | None = None) -> Tensor:
        return kernel(*grids, taps=taps, in_c=self.algorithm == "auto")

    def _device(self) -> torch.device:
        return _parameters(self)[0].device

    def train(self, mode: bool = True) -> Self:
        self._cached = None
        return super().train(mode)

    def _apply(self, *args: Any, **kwargs: Any) -> Self:
        self._cached = None
        return super()._apply(*args, **kwargs)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_cached": None}  # a copy has parameters of its own

    def reset_parameters(self) -> None:
        """Draw all parameters anew (also after ``to_empty``, for a module made on the meta device)."""
        for module in self.children():
            if isinstance(module, ContinuousKernel):
                module.reset_parameters()
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def extra_repr(self) -> str:
        geometry = f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"
        return f"{self.in_channels}, {self.out_channels}, {geometry}, bias={self.bias is not None}"


def _check_group(group: object) -> None:
    if not isinstance(group, Group):
        raise ValueError(f"group must be a Group such as SO2(8), not {group!r}")


def _check_grid(name: str, grid: Tensor, group: Group, elements: int) -> None:
    if tuple(grid.shape) != (elements, group.dim):
        raise ValueError(f"{name} must have the shape ({elements}, {group.dim}) on {group}, not {tuple(grid.shape)}")


class GroupBatchNorm2d(nn.BatchNorm2d):
    """Batch norm of maps on the group with statistics over (B, |H|, H, W), (B, C, |H|, H, W) → (B, C, |H|, H, W)."""

    def forward(self, input: Tensor) -> Tensor:
        x = input.permute(0, 1, 3, 4, 2)  # (B, C, H, W, |H|), which is channels-last where the map is group-major
        y = super().forward(x.flatten(3)).unflatten(3, x.shape[3:])
        return y.permute(0, 1, 4, 2, 3)


class LiftingConv2d(_Convolution):
    """Lifting convolution, (B, C_i, H, W) → (B, C_o, |H|, H', W'), kernel k_oi(x).

    Args:
        in_channels, out_channels: C_i, C_o.
        kernel_size: odd side of the kernel grid, in pixels.
        group: the subgroup H and its discretised grid.
        algorithm: "auto" for the fastest equivalent path, or one of them by name, see ``functional``.
        gain: scale of the kernel at initialisation, 1/√E[f²] for unit variance of the output.
        hidden_features, omega: size and frequency of the SIREN kernels.

    Raises:
        ValueError: for a size below its least value or an even kernel.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        group: Group,
        *,
        stride: int = 1,
        padding: int = 0,
        bias: bool = True,
        algorithm: functional.Algorithm = "auto",
        gain: float = 1.0,
        hidden_features: int = 64,
        omega: float = 10.0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        factory: dict[str, Any] = {"device": device, "dtype": dtype}
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            padding=padding,
            bias=bias,
            algorithm=algorithm,
            **factory,
        )
        _check_group(group)
        self.group = group
        self.spatial_kernel = ContinuousKernel(
            partial(spatial_points, group, kernel_size),
            (group.elements(),),
            out_channels,
            in_channels,
            gain=gain,
            hidden_features=hidden_features,
            omega=omega,
            **factory,
        )

    def generate(self, *grids: Tensor) -> tuple[Tensor, ...]:
        return (_spatial_kernel(self._evaluate(self.spatial_kernel, *grids)),)

    def working_kernels(self, *grids: Tensor) -> tuple[Tensor, ...]:
        (kernel,) = self.generate(*grids)
        return (functional.group_major_kernel(kernel),)

    def convolve(self, x: Tensor, *kernels: Tensor) -> Tensor:
        return functional.lift_conv2d(x, *kernels, bias=self.bias, stride=self.stride, padding=self.padding)

    def forward(self, x: Tensor, out_elements: Tensor | None = None) -> Tensor:
        """Lift an image to the discretised grid, or to ``out_elements``, shape (|H|, dim)."""
        if x.dim() != 4 or x.shape[1] != self.in_channels:
            raise ValueError(f"expected an image (B, {self.in_channels}, H, W), not {tuple(x.shape)}")
        if out_elements is None:
            return self.convolve(x, *self.kernels())
        _check_grid("out_elements", out_elements, self.group, len(out_elements))
        return self.convolve(x, *self.kernels(out_elements))


class GroupToGroupConv2d(_Convolution):
    """What the convolutions from a map on the group to a map on the group share; use one of its subclasses.

    (B, C_i, |H_in|, H, W) → (B, C_o, |H_out|, H', W').

    Args:
        in_channels, out_channels: C_i, C_o.
        kernel_size: odd side of the kernel grid, in pixels.
        group: the subgroup H and the grid of the input.
        out_group: the grid of the output, of the same continuous group; the input's unless told otherwise.
        algorithm: "auto" for the fastest equivalent path, or one of them by name, see ``functional``.
        gain: scale of the kernel at initialisation, 1/√E[f²] for unit variance of the output.
        hidden_features, omega: size and frequency of the SIREN kernels.

    Raises:
        ValueError: for a size below its least value, an even kernel, or grids of different groups.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        group: Group,
        *,
        out_group: Group | None = None,
        stride: int = 1,
        padding: int = 0,
        bias: bool = True,
        algorithm: functional.Algorithm = "auto",
        gain: float = 1.0,
        hidden_features: int = 64,
        omega: float = 10.0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        factory: dict[str, Any] = {"device": device, "dtype": dtype}
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            padding=padding,
            bias=bias,
            algorithm=algorithm,
            **factory,
        )
        self.group, self.out_group = group, group if out_group is None else out_group
        _check_group(self.group)
        _check_group(self.out_group)
        if self.group.parent() != self.out_group.parent():
            raise ValueError(f"a layer maps between grids of one continuous group, not from {group} to {out_group}")
        self._factory, self._gain = factory, gain
        self._kernel_options: dict[str, Any] = {"hidden_features": hidden_features, "omega": omega, **factory}
        self._add_kernels()

    def _add_kernels(self) -> None:
        raise NotImplementedError

    def _joint(self, in_channels: int) -> ContinuousKernel:
        locate = partial(joint_points, self.group, self.kernel_size)
        options = {"gain": self._gain, **self._kernel_options}
        return ContinuousKernel(locate, self._grids(), self.out_channels, in_channels, **options)

    def _over_plane(self, in_channels: int) -> ContinuousKernel:
        locate = partial(spatial_points, self.group, self.kernel_size)
        options = {"gain": self._gain, **self._kernel_options}
        return ContinuousKernel(locate, self._grids()[:1], self.out_channels, in_channels, **options)

    def _over_group(self, in_channels: int, fan_in_channels: int | None = None) -> ContinuousKernel:
        locate = partial(group_points, self.group)
        options = {"fan_in_channels": fan_in_channels, **self._kernel_options}
        return ContinuousKernel(locate, self._grids(), self.out_channels, in_channels, **options)

    def _add_channel_mix(self) -> None:
        self.channel_weight = nn.Parameter(torch.empty(self.out_channels, self.in_channels, **self._factory))
        self._reset_channel_mix()

    def _reset_channel_mix(self) -> None:
        nn.init.normal_(self.channel_weight, std=self.in_channels**-0.5)

    def _geometry(self) -> dict[str, Any]:
        disc, algorithm = self.group.rotates, self.algorithm
        return {"stride": self.stride, "padding": self.padding, "disc": disc, "algorithm": algorithm}

    def _grids(self) -> tuple[Tensor, Tensor]:
        return self.out_group.elements(), self.group.elements()

    def forward(self, x: Tensor, in_elements: Tensor | None = None, out_elements: Tensor | None = None) -> Tensor:
        """Convolve on the discretised grids, or on explicit ones, shapes (|H_in|, dim) and (|H_out|, dim)."""
        if x.dim() != 5 or x.shape[1] != self.in_channels or x.shape[2] != self.group.resolution:
            wanted = f"(B, {self.in_channels}, {self.group.resolution}, H, W)"
            raise ValueError(f"expected a map on the group {wanted}, not {tuple(x.shape)}")
        if (in_elements is None) != (out_elements is None):
            raise ValueError("give both grids of group elements or neither")
        if in_elements is None or out_elements is None:
            return self.convolve(x, *self.kernels())
        _check_grid("in_elements", in_elements, self.group, x.shape[2])
        _check_grid("out_elements", out_elements, self.out_group, len(out_elements))
        return self.convolve(x, *self.kernels(out_elements, in_elements))


def _joint_kernel(values: Tensor) -> Tensor:
    """(|H_out|, |H_in|, k·k, C_o, C_i) → (C_o, |H_out|, C_i, |H_in|, k, k)."""
    k = math.isqrt(values.shape[2])
    return values.permute(3, 0, 4, 1, 2).unflatten(-1, (k, k))


def _spatial_kernel(values: Tensor) -> Tensor:
    """(|H_out|, k·k, C_o, C_i) → (C_o, |H_out|, C_i, k, k)."""
    k = math.isqrt(values.shape[1])
    return values.permute(2, 0, 3, 1).unflatten(-1, (k, k))


def _group_kernel(values: Tensor) -> Tensor:
    """(|H_out|, |H_in|, C_o, C_i) → (C_o, |H_out|, C_i, |H_in|)."""
    return values.permute(2, 0, 3, 1)


class _Unfactored(GroupToGroupConv2d):
    """Variants that are applied as one convolution over the group and the plane at once."""

    def _values(self, *grids: Tensor, taps: Tensor | None = None) -> Tensor:
        """Kernel values, shape (|H_out|, |H_in|, taps, C_o, C_i)."""
        raise NotImplementedError

    def _drops_taps(self) -> bool:
        same = self.padding == self.kernel_size // 2
        return self.algorithm != "direct" and self.group.rotates and self.kernel_size >= 5 and same

    def generate(self, *grids: Tensor) -> tuple[Tensor, ...]:
        return (_joint_kernel(self._values(*grids)),)

    def working_kernels(self, *grids: Tensor) -> tuple[Tensor, ...]:
        if not self._drops_taps():
            return tuple(functional.channels_last_kernel(kernel) for kernel in self.generate(*grids))
        k = self.kernel_size
        values = self._values(*grids, taps=disc_tip_taps(k).to(self._device()))
        inner, vertical, horizontal = values.permute(3, 0, 4, 1, 2).split([(k - 2) ** 2, 2, 2], dim=-1)
        parts = inner.unflatten(-1, (k - 2, k - 2)), vertical[..., None], horizontal[..., None, :]
        return tuple(functional.channels_last_kernel(part) for part in parts)

    def convolve(self, x: Tensor, *kernels: Tensor) -> Tensor:
        options: dict[str, Any] = {"bias": self.bias, "stride": self.stride, "algorithm": self.algorithm}
        if len(kernels) == 1:
            return functional.group_conv2d(x, *kernels, padding=self.padding, **options)
        return functional.disc_group_conv2d(x, *kernels, **options)


class GroupConv2d(_Unfactored):
    """Full (non-separable) group convolution, kernel k_oi(x, h)."""

    def _add_kernels(self) -> None:
        self.joint_kernel = self._joint(self.in_channels)

    def _values(self, *grids: Tensor, taps: Tensor | None = None) -> Tensor:
        return self._evaluate(self.joint_kernel, *grids, taps=taps)


class SeparableGroupConv2d(GroupToGroupConv2d):
    """Separable group convolution, kernel k^H_oi(h) · k^{R²}_o(x): the paper's main variant."""

    def _add_kernels(self) -> None:
        self.group_kernel = self._over_group(self.in_channels)
        self.spatial_kernel = self._over_plane(1)

    def generate(self, *grids: Tensor) -> tuple[Tensor, ...]:
        spatial = _spatial_kernel(self._evaluate(self.spatial_kernel, *grids[:1]))[:, :, 0]
        return _group_kernel(self._evaluate(self.group_kernel, *grids)), spatial

    def working_kernels(self, *grids: Tensor) -> tuple[Tensor, ...]:
        over_group, over_plane = self.generate(*grids)
        return functional.channels_last_kernel(over_group), functional.group_major_kernel(over_plane)

    def convolve(self, x: Tensor, *kernels: Tensor) -> Tensor:
        return functional.separable_group_conv2d(x, *kernels, bias=self.bias, **self._geometry())


class GroupSeparableConv2d(_Unfactored):
    """Group-separable convolution, kernel k^H_oi(h) · k^{R²}_oi(x), composed into a full kernel."""

    def _add_kernels(self) -> None:
        self.group_kernel = self._over_group(self.in_channels, fan_in_channels=1)
        self.spatial_kernel = self._over_plane(self.in_channels)

    def _values(self, *grids: Tensor, taps: Tensor | None = None) -> Tensor:
        over_plane = self._evaluate(self.spatial_kernel, *grids[:1], taps=taps)  # (|H_out|, taps, C_o, C_i)
        return self._evaluate(self.group_kernel, *grids)[:, :, None] * over_plane[:, None]


class DepthwiseSeparableConv2d(GroupToGroupConv2d):
    """Depthwise-separable group convolution, kernel w_oi · k_o(x, h)."""

    def _add_kernels(self) -> None:
        self._add_channel_mix()
        self.joint_kernel = self._joint(1)

    def reset_parameters(self) -> None:
        super().reset_parameters()
        self._reset_channel_mix()

    def generate(self, *grids: Tensor) -> tuple[Tensor, ...]:
        return (_joint_kernel(self._evaluate(self.joint_kernel, *grids)),)

    def working_kernels(self, *grids: Tensor) -> tuple[Tensor, ...]:
        (kernel,) = self.generate(*grids)
        return (kernel.contiguous(),)

    def convolve(self, x: Tensor, *kernels: Tensor) -> Tensor:
        mixed = functional.channel_mix(x, self.channel_weight)
        return functional.depthwise_group_conv2d(
            mixed, *kernels, bias=self.bias, stride=self.stride, padding=self.padding
        )


class DepthwiseGroupSeparableConv2d(GroupToGroupConv2d):
    """Depthwise- and group-separable convolution, kernel w_oi · k^H_o(h) · k^{R²}_o(x)."""

    def _add_kernels(self) -> None:
        self._add_channel_mix()
        self.group_kernel = self._over_group(1)
        self.spatial_kernel = self._over_plane(1)

    def reset_parameters(self) -> None:
        super().reset_parameters()
        self._reset_channel_mix()

    def generate(self, *grids: Tensor) -> tuple[Tensor, ...]:
        spatial = _spatial_kernel(self._evaluate(self.spatial_kernel, *grids[:1]))[:, :, 0]
        return _group_kernel(self._evaluate(self.group_kernel, *grids)), spatial

    def working_kernels(self, *grids: Tensor) -> tuple[Tensor, ...]:
        over_group, over_plane = self.generate(*grids)
        return over_group.contiguous(), functional.group_major_kernel(over_plane)

    def convolve(self, x: Tensor, *kernels: Tensor) -> Tensor:
        group_kernel, spatial_kernel = kernels
        mixed = functional.channel_mix(x, self.channel_weight)
        mixed = functional.depthwise_group_conv2d(mixed, group_kernel[..., None, None])
        return functional.spatial_conv2d(mixed, spatial_kernel, bias=self.bias, **self._geometry())


class FullySeparableConv2d(GroupToGroupConv2d):
    """Separable over rotation, scale and the plane on Sim(2), kernel k^Θ_oi(θ) · k^S_o(s) · k^{R²}_o(x).

    Raises:
        ValueError: also for any other group than SO2xRPlus.
    """

    def _add_kernels(self) -> None:
        if not (isinstance(self.group, SO2xRPlus) and isinstance(self.out_group, SO2xRPlus)):
            raise ValueError(f"the fully separable convolution needs SO2xRPlus, not {self.group}")
        out_grids, in_grids = self._split(*self._grids())
        options = self._kernel_options
        self.rotation_kernel = ContinuousKernel(
            partial(group_points, self.group.rotation),
            (out_grids[0], in_grids[0]),
            self.out_channels,
            self.in_channels,
            **options,
        )
        self.scale_kernel = ContinuousKernel(
            partial(group_points, self.group.scale),
            (out_grids[1], in_grids[1]),
            self.out_channels,
            1,
            **options,
        )
        self.spatial_kernel = self._over_plane(1)

    def _split(self, out_elements: Tensor, in_elements: Tensor) -> list[tuple[Tensor, Tensor]]:
        """The rotations and the scales of rotation-major product grids, for the output and the input."""
        factors = []
        for elements, group in [(out_elements, self.out_group), (in_elements, self.group)]:
            scales = group.scale.resolution  # type: ignore[attr-defined]
            rotation, scale = elements[::scales, :1], elements[:scales, 1:]
            product = torch.cat([rotation.repeat_interleave(scales, 0), scale.repeat(len(rotation), 1)], dim=-1)
            if product.shape != elements.shape or not torch.allclose(product, elements):
                raise ValueError(f"the elements are not a rotation-major product of rotations and {scales} scales")
            factors.append((rotation, scale))
        return factors

    def generate(self, *grids: Tensor) -> tuple[Tensor, ...]:
        rotations: tuple[Tensor, ...] = ()
        scales: tuple[Tensor, ...] = ()
        if grids:
            rotations, scales = zip(*self._split(*grids), strict=True)
        rotation_kernel = _group_kernel(self._evaluate(self.rotation_kernel, *rotations))
        scale_kernel = _group_kernel(self._evaluate(self.scale_kernel, *scales))
        return rotation_kernel, scale_kernel, _spatial_kernel(self._evaluate(self.spatial_kernel, *grids[:1]))[:, :, 0]

    def working_kernels(self, *grids: Tensor) -> tuple[Tensor, ...]:
        rotation, scale, over_plane = self.generate(*grids)
        over_rotations = functional.channels_last_kernel(rotation)
        return over_rotations, scale.contiguous(), functional.group_major_kernel(over_plane)

    def convolve(self, x: Tensor, *kernels: Tensor) -> Tensor:
        return functional.fully_separable_conv2d(x, *kernels, bias=self.bias, **self._geometry())
