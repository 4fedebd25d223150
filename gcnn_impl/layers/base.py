"""The base class of all layers: their arguments, their grids and the inference cache of their kernels."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from gcnn_impl import functional
from gcnn_impl.checks import (
    ALGORITHMS,
    check_choice,
    check_dtype,
    check_flag,
    check_integer,
    check_odd,
    check_real,
    described,
)
from gcnn_impl.groups import Group, check_group
from gcnn_impl.kernels import ContinuousKernel, spatial_points
from gcnn_impl.layers.kept import Keeping, Kept, infers, sources_of


class Convolution(Keeping):
    """Base class of all layers; use one of its subclasses.

    A subclass says which kernels the layer has (``_add_kernels``), how to ``generate`` them, in which ``layouts`` they
    work best, how to ``convolve`` with them, and how many ``macs`` a convolution takes.

    Args:
        in_channels, out_channels: C_i, C_o.
        kernel_size: odd side of the kernel grid, in pixels.
        group: the subgroup H and its discretised grid; the grid of the input where the input is a map on the group.
        out_group: the grid of the output, of the same continuous group; by default ``group``.
        stride, padding: over the plane, in pixels. With stride 2 a layer is equivariant on odd sides alone: on an even
            side, the pixels that it keeps are not those that it keeps of the turned image.
        bias: whether to add one learnable number per output channel.
        algorithm: "auto" for the fastest equivalent algorithm, or the name of one, see ``functional``.
        gain: scale of the kernel at initialisation; 1/√E[f²] for inputs f gives outputs of unit variance.
        hidden_features, omega: size and frequency of the SIREN kernels.
        device, dtype: of the parameters, as in torch. Kernels of parameters in half precision are computed in float32
            and then rounded.

    Raises:
        ValueError: for a size below its least value, an even kernel, an unknown algorithm, a gain, an ω₀ or a dtype
            that makes no sense, or grids that the layer cannot map between.
    """

    name: ClassVar[str]  # short name, which configs, records and figures use
    layouts: ClassVar[tuple[Callable[[Tensor], Tensor], ...]]  # how each generated kernel is laid out in memory
    scales_few: ClassVar[bool] = True  # whether ``_scaled`` multiplies few numbers: those of one factor
    _frozen: tuple[Tensor, ...] | None
    _folded: tuple[tuple[Tensor, ...], tuple[Tensor, ...], tuple[Tensor, ...]] | None = None

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
        self.in_channels = check_integer("in_channels", in_channels, 1)
        self.out_channels = check_integer("out_channels", out_channels, 1)
        self.kernel_size = check_odd("kernel_size", kernel_size)
        self.stride, self.padding = check_integer("stride", stride, 1), check_integer("padding", padding, 0)
        check_choice("algorithm", algorithm, ALGORITHMS)
        check_dtype(dtype)
        self._check_groups(group, out_group)
        self.group, self.out_group = group, group if out_group is None else out_group
        self.algorithm = algorithm
        self._gain = check_real("gain", gain, "a finite number of at least 0", 0.0)
        self._factory: dict[str, Any] = {"device": device, "dtype": dtype}
        self._siren: dict[str, Any] = {"hidden_features": hidden_features, "omega": omega, **self._factory}
        self.bias = nn.Parameter(torch.zeros(self.out_channels, **self._factory)) if check_flag("bias", bias) else None
        self._add_kernels()

    def _check_groups(self, group: Group, out_group: Group | None) -> None:
        """Raise ``ValueError`` unless the layer can map between these grids."""
        for name, grid in [("group", group), ("out_group", group if out_group is None else out_group)]:
            check_group(name, grid)

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

    def convolve(self, x: Tensor, *kernels: Tensor, **after: Any) -> Tensor:
        """Apply the layer with the given working kernels.

        ``after`` may have a ``bias`` in place of the layer's own, and ``relu`` and ``residual`` as in ``functional``.
        """
        raise NotImplementedError

    def check_input(self, x: object) -> None:
        """Raise ``ValueError`` unless the layer takes ``x``."""
        raise NotImplementedError

    def macs(self, in_pixels: int, out_pixels: int) -> int:
        """Return the multiply–accumulates for one sample of these sizes, without those that generate kernels."""
        raise NotImplementedError

    def kernels(self, *grids: Tensor) -> tuple[Tensor, ...]:
        """Return ``working_kernels``; in inference on the discretised grids, those that are frozen or still current."""
        kept = None if grids else self._kept_kernels()
        return self._generated(*grids) if kept is None else kept

    def _generated(self, *grids: Tensor) -> tuple[Tensor, ...]:
        device = self._device().type
        if device == "meta" or not torch.is_autocast_enabled(device):
            return self.working_kernels(*grids)
        with torch.autocast(device, enabled=False):  # half precision is too coarse for sines
            return self.working_kernels(*grids)

    def _kept_kernels(self) -> tuple[Tensor, ...] | None:
        """Return the kernels that are frozen or still current, the same as before; None where none are kept."""
        if not infers(self):
            return None
        if self._frozen is not None or torch.compiler.is_compiling():  # compiled code cannot compare bytes
            return self._frozen
        sources = sources_of(self) if self._device().type == "cpu" else None
        if sources is None:
            return None
        key = self.algorithm, self.padding, [kernel.net.omega for kernel in self._kernels()]
        if self._kept is None or not self._kept.is_current(key, sources):
            self._kept = Kept(key, sources, self._generated())
        return self._kept.tensors

    def folded(self, affine: tuple[Tensor, Tensor]) -> tuple[tuple[Tensor, ...], Tensor] | None:
        """Return the kernels and the bias of the layer followed by y ↦ scale · y + shift.

        None is returned where this does not pay: for a layer that keeps no kernels; in compiled code, which folds the
        kernels in every pass, for a layer all of whose kernels would be scaled.

        Args:
            affine: scale and shift of each channel, shape (C_o,). The folded kernels are kept as long as this pair and
                the kernels are the same objects.
        """
        is_compiled = torch.compiler.is_compiling()
        if is_compiled and not self.scales_few:
            return None
        kernels = self.kernels() if is_compiled else self._kept_kernels()
        if kernels is None:
            return None
        scale, shift = affine
        bias = shift if self.bias is None else torch.addcmul(shift, scale, self.bias)
        if is_compiled:
            return self._scaled(kernels, scale), bias
        if self._folded is None or self._folded[0] is not kernels or self._folded[1] is not affine:
            self._folded = kernels, affine, self._scaled(kernels, scale)
        return self._folded[2], bias

    def _scaled(self, kernels: tuple[Tensor, ...], scale: Tensor) -> tuple[Tensor, ...]:
        """Return working kernels that give scale · y, of the same layouts: here the last one is a factor of all."""
        return *kernels[:-1], scaled(kernels[-1], scale)

    def freeze(self) -> Self:
        """Keep the present kernels for inference, see ``gcnn_impl.freeze``; return the layer itself, in eval mode."""
        self.eval()
        with torch.no_grad():
            self._frozen = self.working_kernels()
        return self

    def unfreeze(self) -> Self:
        """Let the kernels follow the parameters again; return the layer itself."""
        self._folded = None
        return super().unfreeze()

    def _new_spatial_kernel(self, in_channels: int) -> ContinuousKernel:
        """Return a kernel over the plane, k(h⁻¹u), with ``in_channels`` input channels."""
        locate = partial(spatial_points, self.group, self.kernel_size)
        grids = (self.out_group.elements(),)
        return ContinuousKernel(locate, grids, self.out_channels, in_channels, gain=self._gain, **self._siren)

    def _evaluate(
        self, kernel: ContinuousKernel, *grids: Tensor, taps: Tensor | None = None, first: int | None = None
    ) -> Tensor:
        return kernel(*grids, taps=taps, first=first, by_operator=self.algorithm == "auto")

    def _kernels(self) -> list[ContinuousKernel]:
        return [module for module in self._modules.values() if isinstance(module, ContinuousKernel)]

    def _device(self) -> torch.device:
        return self._kernels()[0].coordinates.device  # a replica of nn.DataParallel has no parameters

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_folded": None}

    def reset_parameters(self) -> None:
        """Draw all parameters anew (also after ``to_empty``, for a module made on the meta device)."""
        self.unfreeze()
        for kernel in self._kernels():
            kernel.reset_parameters()
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def extra_repr(self) -> str:
        geometry = f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"
        return f"{self.in_channels}, {self.out_channels}, {geometry}, bias={self.bias is not None}"


def check_grid(name: str, elements: Tensor, group: Group, count: int | None = None) -> None:
    """Raise ``ValueError`` unless ``elements`` are elements of the group, shape (count, dim); None is any count."""
    rows = elements.shape[0] if isinstance(elements, Tensor) and elements.dim() else 0
    wanted = max(rows, 1) if count is None else count, group.dim
    if rows == 0 or tuple(elements.shape) != wanted:
        raise ValueError(f"{name} must have the shape {wanted} on {group}, not {described(elements)}")
    if elements.dtype == torch.bool or elements.dtype.is_complex:
        raise ValueError(f"{name} must be real numbers, not {elements.dtype}")
    if not bool(group.contains(elements.detach().to("cpu", torch.float64)).all()):
        raise ValueError(f"{name} must be elements of {group}: {group.elements_in_words}; not {elements.tolist()}")


def arrange(values: Tensor) -> Tensor:
    """Arrange the values of a kernel, (|H_out|, [|H_in|,] k·k, C_o, C_i) → (C_o, |H_out|, C_i, [|H_in|,] k, k)."""
    k = math.isqrt(values.shape[-3])
    return values.movedim((-2, -1), (0, 2)).unflatten(-1, (k, k))


def scaled(kernel: Tensor, scale: Tensor) -> Tensor:
    """Multiply a kernel (C_o, …) by a number for each output channel, shape (C_o,); the layout in memory is kept."""
    return kernel.clone().mul_(scale.view(-1, *[1] * (kernel.dim() - 1)))
