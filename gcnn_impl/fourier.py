"""Convolution with many channels through the Fourier transform over the plane.

A circular correlation is a product at every frequency, y(f) = k*(f) · x(f); for maps of M channels it is a product of
matrices, (M_o, M_i) × (M_i, B). For kernels of radius r, padding a map of H × W with zeros to (H + r) × (W + r) makes
the circular correlation equal to the ordinary one. A pair of channels takes about 2·(H + r)·(W + r)
multiply–accumulates instead of T·H·W, for T taps.

``native.fourier_conv`` computes the same in C for float32, in another order; here, it is computed by torch's products.
All matrix products are real, because torch's real products are faster here than its complex ones. A transform of
thirty pixels is a product with a small matrix. Every product leaves its result in the order that the next needs.
Complex maps are stored as real parts above imaginary parts, 2·B rows: k*·x = k_r·x + k_i·(i x) is two real products.

Kernels are transformed a few frequencies at a time, and again in the backward pass: all frequencies of a kernel of
512 × 512 channels would take gigabytes. In addition to the memory of a direct convolution, only the spectra of the
maps then need memory. At 28 × 28 and k = 7, a spectrum is 1.3 times as large as its map.
"""

import functools
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gcnn_impl.watching import constant_in_compiled_code

# (row, column) of every tap. Taps t and T − 1 − t are opposite, and the middle tap lies at (0, 0).
Offsets = tuple[tuple[int, int], ...]
# Number of kernel values transformed at once: enough for efficient products, few enough for a processor's cache.
CHUNK = 2**22


@dataclass(frozen=True)
class Costs:
    """The time of the steps, in units of one multiply–accumulate of oneDNN's direct convolution.

    Args:
        transforms: a multiply–accumulate of the transforms of the maps.
        map_value: a frequency of a map.
        product: a real multiply–accumulate of the products at every frequency.
        products: number of real products for one complex product.
        tap: a tap at one frequency of the kernel of a pair of channels.
        pair: a frequency of the kernel of a pair of channels.
        margin: factor by which, in the fit, the transform must beat a direct convolution.
    """

    transforms: float
    map_value: float
    product: float
    products: int
    tap: float
    pair: float
    margin: float


# Least-squares fits to measured layers of 32 to 512 maps (docs/performance.md): of PyTorch's operators to 20 layers on
# two cores of an AMD EPYC (Zen 5), where MKL's products are slow; of the operators in C to 132 layers on one core of an
# AMD EPYC (Zen 4).
COSTS = Costs(transforms=7.0, map_value=0.0, product=2.6, products=4, tap=0.0, pair=250.0, margin=1.2)
COSTS_IN_C = Costs(transforms=0.0, map_value=300.0, product=1.05, products=3, tap=2.0, pair=20.0, margin=1.1)


def relative_cost(
    batch: int, height: int, width: int, in_maps: int, out_maps: int, taps: int, radius: int, in_c: bool
) -> float:
    """Return the fitted time of the transform over that of a direct convolution, for in_maps = |H_in|·C_i maps.

    Args:
        taps: number of taps of the kernel.
        radius: radius of the kernel.
        in_c: whether the operators in C compute it.
    """
    costs = COSTS_IN_C if in_c else COSTS
    rows, columns = (height + radius) // 2 + 1, width + radius
    transforms = 2 * rows * width * (height + 2 * columns)
    of_maps = batch * (in_maps + out_maps) * (costs.transforms * transforms + costs.map_value * rows * columns)
    of_a_pair = costs.product * costs.products * batch + costs.tap * taps + costs.pair
    cost = of_maps + rows * columns * in_maps * out_maps * of_a_pair
    direct = taps * height * width * batch * in_maps * out_maps
    return cost / direct if direct else math.inf  # an empty batch


def square(radius: int) -> Offsets:
    """Return (row, column) of the taps of a square, row by row."""
    side = range(-radius, radius + 1)
    return tuple((row, column) for row in side for column in side)


def fourier_conv2d(x: Tensor, taps: Tensor, offsets: Offsets, bias: Tensor | None = None) -> Tensor:
    """Return y_o(p) = b_o + Σ_i Σ_t x_i(p + offset_t) k_oi(t), with zeros outside of the image.

    Args:
        x: shape (B, M_i, H, W); the result has the shape (B, M_o, H, W), channels-last.
        taps: kernel values, shape (T, M_o, M_i).
        offsets: see ``Offsets``.
        bias: shape (M_o,).
    """
    batch, maps, height, width = x.shape
    radius = radius_of(offsets)
    n_rows, n_columns = height + radius, width + radius
    rows, columns = (dft(n, size, x.dtype, x.device) for n, size in [(n_rows, height), (n_columns, width)])
    half = n_rows // 2 + 1  # the other rows of frequencies are conjugates of these
    cos, sin = (m[:half] for m in rows)  # (U, H)

    # Every size is given, because −1 stands for no number where the batch is empty.
    in_maps, out_maps = batch * maps, batch * taps.shape[1]
    z = x.permute(2, 3, 0, 1).reshape(height, width * in_maps)  # (H, W·B·M)
    real, imaginary = ((m @ z).view(half, width, in_maps) for m in (cos, -sin))  # (U, W, B·M)
    spectrum = torch.stack(_turn(real, imaginary, *columns), dim=2)  # (U, V, 2, B·M_i)

    even, odd = _by_parity(taps)
    waves = tap_waves(offsets, half, n_rows, n_columns, x.dtype, x.device)
    products = _SpectralProduct.apply(
        spectrum.view(half * n_columns, 2 * batch, maps), even, odd, *waves
    )  # (U·V, 2·B, M_o)

    real, imaginary = products.view(half, n_columns, 2, out_maps).unbind(2)  # (U, V, B·M_o)
    real, imaginary = _turn(real, imaginary, columns[0].t(), -columns[1].t())  # (U, W, B·M_o)
    weight = row_weights(n_rows, n_columns, x.dtype, x.device)[:, None]
    y = torch.addmm((cos * weight).t() @ real.flatten(1), (-sin * weight).t(), imaginary.flatten(1))
    y = y.view(height, width, batch, taps.shape[1])
    if bias is not None:
        y = y + bias
    return y.permute(2, 0, 1, 3).contiguous().permute(0, 3, 1, 2)


def radius_of(offsets: Offsets) -> int:
    """Return the radius of a kernel: the largest distance of a tap from the middle, along a row or a column."""
    return max(abs(place) for offset in offsets for place in offset)


def _turn(real: Tensor, imaginary: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor]:
    """Multiply the second axis of (U, W, …) by cos − i sin: a transform over one axis, or its inverse with −sin."""
    cos, sin, minus_sin = (m.expand(len(real), -1, -1) for m in (cos, sin, -sin))
    turned = torch.baddbmm(torch.bmm(cos, real), sin, imaginary)
    return turned, torch.baddbmm(torch.bmm(cos, imaginary), minus_sin, real)


def _by_parity(taps: Tensor) -> tuple[Tensor, Tensor]:
    """Return sums and differences of opposite taps, (T, …) → (T//2 + 1, …), (T//2, …).

    In the transform, the sums are multiplied by cosines, and the differences by sines.
    """
    middle = len(taps) // 2
    first, last = taps[:middle], taps[middle + 1 :].flip(0)
    return torch.cat([first + last, taps[middle : middle + 1]]), first - last


@constant_in_compiled_code
@functools.lru_cache(maxsize=64)
@torch.inference_mode(False)
def dft(n: int, size: int, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return cos and sin of 2π u p / n, shapes (n, size)."""
    # The products are taken in integers modulo n: as floats, large angles would lose digits.
    turns = torch.outer(torch.arange(n), torch.arange(size)) % n
    angle = turns.double() * (2 * math.pi / n)
    return angle.cos().to(device, dtype), angle.sin().to(device, dtype)


@constant_in_compiled_code
@functools.lru_cache(maxsize=64)
@torch.inference_mode(False)
def row_weights(rows: int, columns: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return the weights of the rows of frequencies in the transform back, shape (rows // 2 + 1,).

    All rows but the first, and the middle one of an even number, also stand for their conjugates.
    """
    weights = torch.full((rows // 2 + 1,), 2.0, dtype=torch.float64)
    weights[0] = 1
    if rows % 2 == 0:
        weights[-1] = 1
    return (weights / (rows * columns)).to(device, dtype)


@constant_in_compiled_code
@functools.lru_cache(maxsize=64)
@torch.inference_mode(False)
def tap_waves(
    offsets: Offsets, half: int, rows: int, columns: int, dtype: torch.dtype, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Return cos and sin of 2π (u·row/rows + v·column/columns) for the taps in the order of ``_by_parity``.

    Shapes (U·V, T//2 + 1) and (U·V, T//2).
    """
    place = torch.tensor(offsets[: len(offsets) // 2 + 1], dtype=torch.float64)  # (T//2 + 1, 2), the middle tap last
    u, v = torch.arange(half, dtype=torch.float64), torch.arange(columns, dtype=torch.float64)
    turns = u[:, None, None] * place[:, 0] / rows + v[:, None] * place[:, 1] / columns  # (U, V, T//2 + 1)
    angle = turns.flatten(0, 1) * (2 * math.pi)
    return angle.cos().to(device, dtype), angle[:, :-1].sin().to(device, dtype)


def _kernel_spectrum(even: Tensor, odd: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor]:
    """Return the real and the imaginary part of k*(f), each (F, M_o, M_i); each row of cos and sin is a frequency."""
    shape = (len(cos), *even.shape[1:])
    return (cos @ even.flatten(1)).view(shape), (sin @ odd.flatten(1)).view(shape)


def _times_i(z: Tensor) -> Tensor:
    """Return i·z, for z with its real parts above its imaginary parts, (F, 2·B, M)."""
    real, imaginary = z.chunk(2, dim=1)
    return torch.cat([-imaginary, real], dim=1)


class _SpectralProduct(torch.autograd.Function):
    """The product y(f) = k*(f) · x(f) at F frequencies, of x (F, 2·B, M_i) and the taps that ``_by_parity`` returns."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, even: Tensor, odd: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        y = []
        for z, c, s in _chunks(even, x, cos, sin):
            real, imaginary = _kernel_spectrum(even, odd, c, s)
            y.append(torch.baddbmm(torch.bmm(z, real.mT), _times_i(z), imaginary.mT))
        return torch.cat(y)

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:  # type: ignore[no-untyped-def]
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
        x, even, odd, cos, sin = ctx.saved_tensors
        grad_x = []
        grad_even, grad_odd = torch.zeros_like(even).flatten(1), torch.zeros_like(odd).flatten(1)
        for g, z, c, s in _chunks(even, gradient, x, cos, sin):
            if ctx.needs_input_grad[0]:
                real, imaginary = _kernel_spectrum(even, odd, c, s)
                grad_x.append(torch.baddbmm(torch.bmm(g, real), _times_i(-g), imaginary))
            if ctx.needs_input_grad[1]:
                grad_even = torch.addmm(grad_even, c.t(), torch.bmm(g.mT, z).flatten(1))
                grad_odd = torch.addmm(grad_odd, s.t(), torch.bmm(g.mT, _times_i(z)).flatten(1))
        grad_taps = (grad_even.view_as(even), grad_odd.view_as(odd)) if ctx.needs_input_grad[1] else (None, None)
        return torch.cat(grad_x) if grad_x else None, *grad_taps, None, None


def _chunks(kernel: Tensor, *tensors: Tensor) -> "zip[tuple[Tensor, ...]]":
    """Split the F frequencies of tensors (F, …) so that a part of a kernel's spectrum has about ``CHUNK`` values."""
    frequencies = max(1, CHUNK // (kernel.shape[1] * kernel.shape[2]))
    return zip(*(tensor.split(frequencies) for tensor in tensors), strict=True)
