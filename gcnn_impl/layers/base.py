"""The base class of all layers: their arguments, their grids and the inference cache of their kernels."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, Self, get_args

import torch
from torch import Tensor, nn

from gcnn_impl import functional
from gcnn_impl.groups import Group, check_integer
from gcnn_impl.kernels import ContinuousKernel, spatial_points


class Convolution(nn.Module):
    """Base class of all layers; use one of its subclasses.

    A subclass says which kernels the layer has (``_add_kernels``), how to ``generate`` them, in which ``layouts`` they
    work best, how to ``convolve`` with them, and how many ``macs`` a convolution takes.

    Args:
        in_channels, out_channels: C_i, C_o.
        kernel_size: odd side of the kernel grid, in pixels.
        group: the subgroup H and its discretised grid; the grid of the input where the input is a map on the group.
        out_group: the grid of the output, of the same continuous group; by default ``group``.
        stride, padding: over the plane, in pixels.
        bias: whether to add one learnable number per output channel.
        algorithm: "auto" for the fastest equivalent algorithm, or the name of one, see ``functional``.
        gain: scale of the kernel at initialisation; 1/√E[f²] for inputs f gives outputs of unit variance.
        hidden_features, omega: size and frequency of the SIREN kernels.
        device, dtype: of the parameters, as in torch.

    Raises:
        ValueError: for a size below its least value, an even kernel, an unknown algorithm, or grids that the layer
            cannot map between.
    """

    name: ClassVar[str]  # short name, which configs, records and figures use
    layouts: ClassVar[tuple[Callable[[Tensor], Tensor], ...]]  # how each generated kernel is laid out in memory

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
        super().__init__()
        check_integer("in_channels", in_channels, 1)
        check_integer("out_channels", out_channels, 1)
        check_integer("kernel_size", kernel_size, 1)
        check_integer("stride", stride, 1)
        check_integer("padding", padding, 0)
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd, so that a kernel has a centre to turn about, not {kernel_size}")
        if algorithm not in get_args(functional.Algorithm):
            raise ValueError(f"unknown algorithm {algorithm!r}; allowed: {', '.join(get_args(functional.Algorithm))}")
        self._check_groups(group, out_group)
        self.in_channels, self.out_channels, self.kernel_size = in_channels, out_channels, kernel_size
        self.group, self.out_group = group, group if out_group is None else out_group
        self.stride, self.padding, self.algorithm = stride, padding, algorithm
        self._gain = gain
        self._factory: dict[str, Any] = {"device": device, "dtype": dtype}
        self._siren: dict[str, Any] = {"hidden_features": hidden_features, "omega": omega, **self._factory}
        self._cached: tuple[list[object], list[nn.Parameter], tuple[Tensor, ...]] | None = None
        self.bias = nn.Parameter(torch.zeros(out_channels, **self._factory)) if bias else None
        self._add_kernels()

    def _check_groups(self, group: Group, out_group: Group | None) -> None:
        """Raise ``ValueError`` unless the layer can map between these grids."""
        for name, grid in [("group", group), ("out_group", group if out_group is None else out_group)]:
            if not isinstance(grid, Group):
                raise ValueError(f"{name} must be a Group such as SO2(8), not {grid!r}")

    def _add_kernels(self) -> None:
        """Create the learnable parts of the kernel."""
        raise NotImplementedError

    def generate(self, *grids: Tensor) -> tuple[Tensor, ...]:
        """Generate the kernels from the parameters, on the discretised grids or on (out_elements[, in_elements])."""
        raise NotImplementedError

    def working_kernels(self, *grids: Tensor) -> tuple[Tensor, ...]:
        """Return the kernels in the form and the memory layout with which ``convolve`` is fastest."""
        kernels = self.generate(*grids)
        return tuple(layout(kernel) for layout, kernel in zip(self.layouts, kernels, strict=True))

    def convolve(self, x: Tensor, *kernels: Tensor) -> Tensor:
        """Apply the layer with the given working kernels."""
        raise NotImplementedError

    def macs(self, in_pixels: int, out_pixels: int) -> int:
        """Return the multiply–accumulates for one sample of these sizes, without those that generate kernels."""
        raise NotImplementedError

    def kernels(self, *grids: Tensor) -> tuple[Tensor, ...]:
        """Return ``working_kernels``; in inference on the discretised grids, the cached ones."""
        device = self._device().type
        if device != "meta" and torch.is_autocast_enabled(device):  # half precision is too coarse for sines
            with torch.autocast(device, enabled=False):
                return self.kernels(*grids)
        if grids or self.training or torch.is_grad_enabled() or torch.compiler.is_compiling() or device == "meta":
            return self.working_kernels(*grids)
        parameters = _parameters(self)
        if any(p.is_inference() for p in parameters):  # such a parameter has no version counter
            return self.working_kernels()
        key: list[object] = [self.algorithm, self.padding]
        key += [(id(p), p.data_ptr(), p._version) for p in parameters]
        if self._cached is None or self._cached[0] != key:
            self._cached = (key, parameters, self.working_kernels())  # holding the parameters keeps their ids unique
        return self._cached[2]

    def _new_spatial_kernel(self, in_channels: int) -> ContinuousKernel:
        """Return a kernel over the plane, k(h⁻¹u), with ``in_channels`` input channels."""
        locate = partial(spatial_points, self.group, self.kernel_size)
        grids = (self.out_group.elements(),)
        return ContinuousKernel(locate, grids, self.out_channels, in_channels, gain=self._gain, **self._siren)

    def _evaluate(self, kernel: ContinuousKernel, *grids: Tensor, taps: Tensor | None = None) -> Tensor:
        return kernel(*grids, taps=taps, by_operator=self.algorithm == "auto")

    def _device(self) -> torch.device:
        return _parameters(self)[0].device

    def train(self, mode: bool = True) -> Self:
        self._cached = None
        return super().train(mode)

    def _apply(self, *args: Any, **kwargs: Any) -> Self:
        self._cached = None
        return super()._apply(*args, **kwargs)  # type: ignore[no-untyped-call]

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


def check_grid(name: str, elements: Tensor, group: Group, count: int) -> None:
    """Raise ``ValueError`` unless ``elements`` are ``count`` elements of the group, shape (count, dim)."""
    if tuple(elements.shape) != (count, group.dim):
        raise ValueError(f"{name} must have the shape ({count}, {group.dim}) on {group}, not {tuple(elements.shape)}")


def arrange(values: Tensor) -> Tensor:
    """Arrange the values of a kernel, (|H_out|, [|H_in|,] k·k, C_o, C_i) → (C_o, |H_out|, C_i, [|H_in|,] k, k)."""
    k = math.isqrt(values.shape[-3])
    return values.movedim((-2, -1), (0, 2)).unflatten(-1, (k, k))


def _parameters(module: nn.Module) -> list[nn.Parameter]:
    """Return ``list(module.parameters())`` in a third of that call's time, for fast inference on one image."""
    parameters = [parameter for parameter in module._parameters.values() if parameter is not None]
    for child in module._modules.values():
        if child is not None:
            parameters += _parameters(child)
    return parameters
