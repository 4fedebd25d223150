"""The convolution through the Fourier transform over the plane, in C, with gradients.

A caller must first check all tensors with ``takes``. The operators work on images (B, H, W, M) of M = |H|·C maps. The
formulas are those of ``fourier``, which is the reference.
"""

import functools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from gcnn_impl.fourier import Offsets, dft, fourier_conv2d, radius_of, row_weights, tap_waves
from gcnn_impl.gradients import is_differentiated, pytorch_gradients
from gcnn_impl.native.operators import addresses, check, is_pytorchs, library_in_use, memory
from gcnn_impl.registration import operator


def _pairs(offsets: Sequence[int]) -> Offsets:
    return tuple(zip(offsets[::2], offsets[1::2], strict=True))


def _fits(images: Tensor, taps: Tensor, offsets: Sequence[int]) -> bool:
    """Return whether taps (T, M_o, M_i) belong to images (B, H, W, M_i), and taps t and T − 1 − t are opposite."""
    if images.dim() != 4 or taps.dim() != 3 or taps.shape[2] != images.shape[3] or len(offsets) != 2 * len(taps):
        return False
    pairs = _pairs(offsets)
    return pairs == tuple((-row, -column) for row, column in pairs[::-1]) and len(pairs) % 2 == 1


class _Plane:
    """The transforms over a plane of (H, W) pixels and a border as wide as the kernel, and their number of frequencies.

    Spectra are buffers whose layout only the functions in C know.
    """

    def __init__(self, images: Tensor, offsets: Sequence[int]) -> None:
        self.offsets = _pairs(offsets)
        self.batch, self.height, self.width, _ = images.shape
        radius = radius_of(self.offsets)
        self.sizes = self.height + radius, self.width + radius
        self.frequencies = (self.sizes[0] // 2 + 1) * self.sizes[1]
        self.threads = torch.get_num_threads()

    def _tables(self, images: Tensor, weighted: bool) -> list[Tensor | None]:
        """Return cosines and sines of the rows and of the columns, and the weights of the rows of frequencies."""
        like = images.dtype, images.device
        halves = [table[: n // 2 + 1] for n in self.sizes for table in dft(n, n // 2 + 1, *like)]
        return [*halves, row_weights(*self.sizes, *like) if weighted else None]

    def _memory(self, maps: int) -> list[int]:
        return memory("gcnn_fourier_memory", 2, self.batch, self.width, maps, *self.sizes, self.threads)

    def transform(self, images: Tensor, weighted: bool) -> Tensor:
        """Return the spectrum of images (B, H, W, M)."""
        maps = images.shape[3]
        spectrum, scratch = map(images.new_empty, self._memory(maps))
        tensors = images, *self._tables(images, weighted), spectrum, scratch
        sizes = self.batch, self.height, self.width, maps, *self.sizes, self.threads
        library_in_use().gcnn_fourier(*addresses(*tensors), *sizes)
        return spectrum

    def back(self, spectrum: Tensor, maps: int, weighted: bool, bias: Tensor | None = None) -> Tensor:
        """Return images (B, H, W, M): with weights, those of the spectrum; without, the transpose of ``transform``."""
        y = spectrum.new_empty(self.batch, self.height, self.width, maps)
        scratch = spectrum.new_empty(self._memory(maps)[1])
        tensors = spectrum, *self._tables(spectrum, weighted), bias, y, scratch
        sizes = self.batch, self.height, self.width, maps, *self.sizes, self.threads
        library_in_use().gcnn_fourier_back(*addresses(*tensors), *sizes)
        return y

    def _waves(self, taps: Tensor) -> tuple[Tensor, Tensor]:
        return tap_waves(self.offsets, self.sizes[0] // 2 + 1, *self.sizes, taps.dtype, taps.device)

    def product(self, spectrum: Tensor, taps: Tensor, conjugate: bool) -> Tensor:
        """Return the spectrum's product with the kernel, (M_i → M_o), or with its conjugate, (M_o → M_i)."""
        count, *maps = taps.shape
        m_out, m_in = maps[::-1] if conjugate else maps
        sizes = count, self.batch, m_in, m_out
        y = spectrum.new_empty(self._memory(m_out)[0])
        panels, scratch = map(spectrum.new_empty, memory("gcnn_fourier_product_memory", 2, *sizes, self.threads))
        tensors = spectrum, taps, *self._waves(taps), y, panels, scratch
        library_in_use().gcnn_fourier_product(*addresses(*tensors), self.frequencies, *sizes, conjugate, self.threads)
        return y

    def of_taps(self, gradient: Tensor, spectrum: Tensor, taps: Tensor) -> Tensor:
        """Return the gradient of taps, from the spectra of the result's gradient and of the images."""
        count, m_out, m_in = taps.shape
        sizes = self.frequencies, count, self.batch, m_in, m_out, self.threads
        found = torch.empty_like(taps)
        buffers = map(taps.new_empty, memory("gcnn_fourier_weight_memory", 3, *sizes))
        tensors = gradient, spectrum, *self._waves(taps), found, *buffers
        library_in_use().gcnn_fourier_weight(*addresses(*tensors), *sizes)
        return found


@operator(
    "fourier_conv2d(Tensor images, Tensor taps, Tensor? bias, int[] offsets) -> Tensor",
    "CPU",
    fake=lambda images, taps, *_: images.new_empty(*images.shape[:3], taps.shape[1]),
)
def _convolve(images: Tensor, taps: Tensor, bias: Tensor | None, offsets: Sequence[int]) -> Tensor:
    """Convolve images, (B, H, W, M_i) and taps (T, M_o, M_i) → (B, H, W, M_o)."""
    fits = _fits(images, taps, offsets) and (bias is None or bias.shape == taps.shape[1:2])
    check(fits, images, taps, bias)
    plane = _Plane(images, offsets)
    # The spectrum of the images is released before the result needs memory.
    product = plane.product(plane.transform(images, False), taps, False)
    return plane.back(product, taps.shape[1], True, bias)


def _empty_gradients(
    gradient: Tensor, images: Tensor, taps: Tensor, offsets: Sequence[int], of_images: bool, of_taps: bool
) -> tuple[Tensor | None, Tensor | None]:
    return torch.empty_like(images) if of_images else None, torch.empty_like(taps) if of_taps else None


@operator(
    "fourier_conv2d_backward(Tensor gradient, Tensor images, Tensor taps, int[] offsets, bool of_images, bool of_taps)"
    " -> (Tensor?, Tensor?)",
    "CPU",
    fake=_empty_gradients,
)
def _gradients(
    gradient: Tensor, images: Tensor, taps: Tensor, offsets: Sequence[int], of_images: bool, of_taps: bool
) -> tuple[Tensor | None, Tensor | None]:
    """Return the gradients of images and of taps; None where ``of_images`` or ``of_taps`` is false."""
    fits = _fits(images, taps, offsets) and gradient.shape == (*images.shape[:3], taps.shape[1])
    check(fits, gradient, images, taps)
    plane = _Plane(images, offsets)
    g = plane.transform(gradient, True)
    # The images' spectrum is computed again: to keep it would take more memory than the images.
    of_x, of_kernel = None, plane.of_taps(g, plane.transform(images, False), taps) if of_taps else None
    if of_images:
        product = plane.product(g, taps, True)
        del g  # the result needs memory
        of_x = plane.back(product, images.shape[3], False)
    return of_x, of_kernel


def _reference(images: Tensor, taps: Tensor, bias: Tensor | None, offsets: Sequence[int]) -> Tensor:
    """Compute the same convolution in PyTorch."""
    return fourier_conv2d(images.permute(0, 3, 1, 2), taps, _pairs(offsets), bias).permute(0, 2, 3, 1)


class _FourierConv2d(torch.autograd.Function):
    @staticmethod
    def forward(ctx, images, taps, bias, offsets):  # type: ignore[no-untyped-def]
        ctx.save_for_backward(images, taps, bias)
        ctx.offsets = offsets
        return _convolve(images, taps, bias, offsets)

    @staticmethod
    def backward(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
        images, taps, bias = ctx.saved_tensors
        if is_pytorchs(gradient):
            reference = functools.partial(_reference, offsets=ctx.offsets)
            found: tuple[Any, ...] = pytorch_gradients(reference, (images, taps, bias), gradient)
            return *found, None
        gradient = gradient.contiguous()
        found = _gradients(gradient, images, taps, ctx.offsets, *ctx.needs_input_grad[:2])
        return *found, gradient.sum((0, 1, 2)) if ctx.needs_input_grad[2] else None, None


def convolve(x: Tensor, taps: Tensor, offsets: Offsets, bias: Tensor | None) -> Tensor:
    """Compute ``fourier.fourier_conv2d``, with the same arguments and result."""
    images, taps = x.permute(0, 2, 3, 1).contiguous(), taps.contiguous()
    bias, places = None if bias is None else bias.contiguous(), [place for offset in offsets for place in offset]
    if is_differentiated(images, taps, bias):
        y = _FourierConv2d.apply(images, taps, bias, places)
    else:
        y = _convolve(images, taps, bias, places)
    return y.permute(0, 3, 1, 2)
