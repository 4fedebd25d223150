"""The SIREN kernel nets: values of a kernel at all its places in one launch, gradients of the parameters in another."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gcnn_impl.gpu.launching import KEYS, ceil_div, check, on_device_of, power_of_two
from gcnn_impl.gpu.switch import takes as takes_tensors
from gcnn_impl.gradients import is_differentiated, pytorch_gradients
from gcnn_impl.kernel_nets import parameter_shapes, siren_at_places
from gcnn_impl.registration import operator

PROGRAMS = 256  # of the backward pass; an H100 has 132 multiprocessors
BLOCK_SUM = 512


class _Sizes(NamedTuple):
    """Sizes of a kernel, and the blocks in which the programs work."""

    places: int
    points: int
    coordinates: int
    hidden: int
    values: int
    elements: int  # A, output elements
    taps: int  # T
    inputs: int  # J, input elements
    channels: int  # C_o
    block_places: int
    block_values: int
    share: int  # places of a program of the backward pass

    def grid(self) -> tuple[int, int]:
        return ceil_div(self.places, self.block_places), ceil_div(self.values, self.block_values)

    def backward_grid(self) -> tuple[int, int]:
        return ceil_div(self.places, self.share), ceil_div(self.values, self.block_values)

    def counters(self) -> int:
        """Return how many counters are enough, whatever the blocks: compiled code outlives a change of the blocks."""
        return ceil_div(self.places, 16) + ceil_div(self.values, 16) + 1


def _power(count: int, most: int) -> int:
    """Return the least power of two that is at least ``count``, but from 16 to ``most``."""
    return min(max(16, power_of_two(count)), most)


def _sizes(
    coordinates: Tensor, index: Tensor, taps: Tensor | None, parameters: Sequence[Tensor], channels: int
) -> _Sizes:
    (points, dimensions), (values, hidden) = coordinates.shape, parameters[4].shape
    elements, inputs = index.shape[0], index.shape[1] if index.dim() == 3 else 1
    count = index.shape[-1] if taps is None else taps.shape[0]
    places = elements * count * inputs
    block_places, block_values = _power(places, 32), _power(values, 64)
    shares = max(1, PROGRAMS // ceil_div(values, block_values))
    share = ceil_div(ceil_div(places, block_places), shares) * block_places
    return _Sizes(
        *(places, points, dimensions, hidden, values, elements, count, inputs, channels),
        *(block_places, block_values, share),
    )


def _strides(index: Tensor) -> tuple[int, int, int]:
    return index.stride(0), index.stride(1) if index.dim() == 3 else 0, index.stride(-1)


def _options(sizes: _Sizes, taps: Tensor | None, omega: float, block_hidden: int) -> dict[str, Any]:
    inner = sizes.values // sizes.channels
    return {
        "omega": omega,
        "D": sizes.coordinates,
        "K": sizes.hidden,
        "HAS_TAPS": taps is not None,
        "BY_PLACE": inner < 16,
        "BLOCK_P": sizes.block_places,
        "BLOCK_F": sizes.block_values,
        "BLOCK_K": _power(sizes.hidden, block_hidden),
        "num_warps": 8,
        "enable_fp_fusion": True,
    }


def _check(
    coordinates: Tensor,
    weights: Tensor,
    index: Tensor,
    taps: Tensor | None,
    parameters: Sequence[Tensor],
    channels: int,
) -> None:
    """Raise ``ValueError`` unless the kernels may read these tensors; the values of index and taps are not checked."""
    (points, dimensions), (values, hidden) = coordinates.shape, parameters[4].shape
    shapes = parameter_shapes(dimensions, hidden, values)
    fits = weights.shape == (points,) and tuple([tuple(p.shape) for p in parameters]) == shapes
    fits = fits and channels >= 1 and values % channels == 0
    check(fits, *[t for t in (weights, coordinates, *parameters) if t.shape[-1]])  # without coordinates nothing is read
    places = index.dim() in (2, 3) and (taps is None or (taps.dim() == 1 and taps.is_contiguous()))
    for t in (index, taps):
        places = places and (t is None or (t.dtype == torch.int64 and t.device == weights.device and t.numel() > 0))
    if not places:
        raise ValueError("index (A, [J,] k·k) and taps (T,) must be integers of 64 bits on the device of the weights")


def _empty_values(coordinates: Tensor, sizes: _Sizes) -> tuple[Tensor, Tensor]:
    """Return empty values, (A, C_o, T·J, C_i), and empty counters."""
    inner = sizes.values // sizes.channels
    values = coordinates.new_empty(sizes.elements, sizes.channels, sizes.taps * sizes.inputs, inner)
    return values, coordinates.new_empty(sizes.counters(), dtype=torch.int32)


@operator(
    "siren_triton(Tensor coordinates, Tensor weights, Tensor index, Tensor? taps, Tensor[] parameters, float omega,"
    " int channels) -> (Tensor, Tensor)",
    *KEYS,
    fake=lambda coordinates, weights, index, taps, parameters, omega, channels: _empty_values(
        coordinates, _sizes(coordinates, index, taps, parameters, channels)
    ),
)
def _siren(
    coordinates: Tensor,
    weights: Tensor,
    index: Tensor,
    taps: Tensor | None,
    parameters: Sequence[Tensor],
    omega: float,
    channels: int,
) -> tuple[Tensor, Tensor]:
    """Return the values and the counters of the backward pass, which are zero."""
    from gcnn_impl.gpu import siren_kernels

    _check(coordinates, weights, index, taps, parameters, channels)
    s = _sizes(coordinates, index, taps, parameters, channels)
    values, counters = _empty_values(coordinates, s)
    tensors = coordinates, weights, index, taps, *parameters, values, counters
    sizes = s.places, s.points, s.values, *_strides(index), s.taps, s.inputs, channels, s.values // channels
    with on_device_of(values):
        siren_kernels.forward[s.grid()](*tensors, *sizes, s.counters(), **_options(s, taps, omega, 64))
    return values, counters


def _gradients_like(parameters: Sequence[Tensor]) -> list[Tensor]:
    return [torch.empty_like(parameter) for parameter in parameters]


@operator(
    "siren_backward_triton(Tensor gradient, Tensor coordinates, Tensor weights, Tensor index, Tensor? taps,"
    " Tensor[] parameters, Tensor counters, float omega) -> Tensor[]",
    *KEYS,
    fake=lambda gradient, coordinates, weights, index, taps, parameters, *_: _gradients_like(parameters),
)
def _siren_backward(
    gradient: Tensor,
    coordinates: Tensor,
    weights: Tensor,
    index: Tensor,
    taps: Tensor | None,
    parameters: Sequence[Tensor],
    counters: Tensor,
    omega: float,
) -> list[Tensor]:
    """Return the gradients of the six parameters; the counters are zero before and after."""
    from gcnn_impl.gpu import siren_kernels

    channels = gradient.shape[1]
    _check(coordinates, weights, index, taps, parameters, channels)
    s = _sizes(coordinates, index, taps, parameters, channels)
    check(gradient.shape == (s.elements, channels, s.taps * s.inputs, s.values // channels), gradient, weights)
    if counters.shape != (s.counters(),) or counters.dtype != torch.int32 or counters.device != gradient.device:
        raise ValueError(f"counters must be those of the forward pass, not {tuple(counters.shape)} {counters.dtype}")
    found = _gradients_like(parameters)
    shares, blocks = s.backward_grid()
    features = gradient.new_empty(blocks, s.places, s.hidden)
    lasts = gradient.new_empty(shares, s.values * (s.hidden + 1))
    hiddens = gradient.new_empty(shares, s.hidden * (s.hidden + s.coordinates + 2))
    tensors = gradient, coordinates, weights, index, taps, *parameters[:5], *found, features, lasts, hiddens, counters
    sizes = s.places, s.points, s.values, *_strides(index), s.taps, s.inputs, channels, s.values // channels, s.share
    with on_device_of(gradient):
        siren_kernels.backward[(shares, blocks)](
            *tensors,
            *sizes,
            D_PADDED=_power(s.coordinates, 1 << 30),
            BLOCK_SUM=BLOCK_SUM,
            **_options(s, taps, omega, 32),
        )
    return found


class _Siren(torch.autograd.Function):
    @staticmethod
    def forward(ctx, coordinates, weights, index, taps, omega, channels, *parameters):  # type: ignore[no-untyped-def]
        values, counters = _siren(coordinates, weights, index, taps, parameters, omega, channels)
        ctx.save_for_backward(coordinates, weights, index, taps, counters, *parameters)
        ctx.omega, ctx.channels = omega, channels
        return values

    @staticmethod
    def backward(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
        coordinates, weights, index, taps, counters, *parameters = ctx.saved_tensors
        if torch.is_grad_enabled() or not takes_tensors(gradient):

            def reference(*parameters: Tensor) -> Tensor:
                return siren_at_places(coordinates, weights, index, taps, ctx.omega, ctx.channels, *parameters)

            found: Sequence[Tensor | None] = pytorch_gradients(reference, parameters, gradient)
        else:
            fixed = coordinates, weights, index, taps
            found = _siren_backward(gradient.contiguous(), *fixed, parameters, counters, ctx.omega)
        return None, None, None, None, None, None, *found


def takes(coordinates: Tensor, weights: Tensor, parameters: Sequence[Tensor]) -> bool:
    """Return whether ``siren`` may be called: on tensors that ``gpu.takes``, in single or double precision."""
    # A kernel over the trivial group has no coordinates, that is, none of the values that ``gpu.takes`` asks for.
    given = [t for t in (coordinates, weights, *parameters) if t.shape[-1]]
    return weights.dtype in (torch.float32, torch.float64) and takes_tensors(*given)


def siren(
    coordinates: Tensor,
    weights: Tensor,
    index: Tensor,
    taps: Tensor | None,
    omega: float,
    channels: int,
    parameters: Sequence[Tensor],
) -> Tensor:
    """Compute ``kernel_nets.siren_at_places``; the index may have any strides without a copy."""
    fixed = coordinates.contiguous(), weights.contiguous(), index, None if taps is None else taps.contiguous()
    parameters = [p.contiguous() for p in parameters]
    if is_differentiated(*parameters):
        return _Siren.apply(*fixed, omega, channels, *parameters)
    return _siren(*fixed, parameters, omega, channels)[0]
