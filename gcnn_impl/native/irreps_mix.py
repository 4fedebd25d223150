"""The mixing over H in the basis of irreducible parts, as an operator in C with gradients.

A caller must first check all tensors with ``takes``. The shapes are those of ``operators``.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gcnn_impl.gradients import is_differentiated, pytorch_gradients
from gcnn_impl.irreps import Irreps
from gcnn_impl.native.operators import check, images_of, is_pytorchs, library_in_use, memory, on_images, result
from gcnn_impl.registration import operator


def _sizes(images: Tensor, weights: int, out_channels: int) -> tuple[int, ...]:
    """Return P, |H|, C_i and C_o, the number of weights, and the number of threads."""
    *pixels, resolution, channels = images.shape
    return torch.Size(pixels).numel(), resolution, channels, out_channels, weights, torch.get_num_threads()


def _fits(images: Tensor, spectrum: Tensor, basis: Tensor, upright: Tensor, blocks: Tensor, out_channels: int) -> bool:
    if images.dim() != 5 or spectrum.dim() != 1 or not images.numel() or out_channels < 1:
        return False
    if blocks.dim() != 2 or blocks.dtype is not torch.int64 or not (blocks.is_cpu and blocks.is_contiguous()):
        return False
    resolution, channels = images.shape[3:]
    pairs = channels * out_channels
    if basis.shape != (resolution, resolution) or upright.shape != basis.shape or len(spectrum) % pairs:
        return False
    first, size, place = blocks.t().tolist() if blocks.shape[1] == 3 else ([], [], [])
    ends = [f + s for f, s in zip(first, size, strict=True)]
    within = all(p >= 0 and p + s * s <= len(spectrum) // pairs for p, s in zip(place, size, strict=True))
    return first == [0, *ends[:-1]] and ends[-1:] == [resolution] and min(size) >= 1 and within


@operator(
    "irreps_mix(Tensor images, Tensor spectrum, Tensor basis, Tensor upright, Tensor blocks, int out_channels)"
    " -> Tensor",
    "CPU",
    fake=lambda images, *others: images.new_empty(*images.shape[:4], others[-1]),
)
def _mix(images: Tensor, spectrum: Tensor, basis: Tensor, upright: Tensor, blocks: Tensor, out_channels: int) -> Tensor:
    """Mix images, (B, H, W, |H|, C_i) and a spectrum → (B, H, W, |H|, C_o)."""
    check(_fits(images, spectrum, basis, upright, blocks, out_channels), images, spectrum, basis, upright)
    pixels, resolution, c_in, c_out, weights, threads = _sizes(images, len(spectrum), out_channels)
    floats, _ = memory("gcnn_irreps_memory", 2, pixels, resolution, c_in, c_out, weights, threads)
    y, scratch = images.new_empty(*images.shape[:4], c_out), images.new_empty(floats)
    tensors = images, spectrum, basis, upright, blocks
    addresses = [t.data_ptr() for t in tensors]
    sizes = pixels, resolution, c_in, c_out, threads
    library_in_use().gcnn_irreps_mix(*addresses, len(blocks), y.data_ptr(), scratch.data_ptr(), *sizes)
    return y


def _empty_gradients(
    gradient: Tensor, images: Tensor, spectrum: Tensor, *others: Any
) -> tuple[Tensor | None, Tensor | None]:
    *_, of_images, of_spectrum = others
    return torch.empty_like(images) if of_images else None, torch.empty_like(spectrum) if of_spectrum else None


@operator(
    "irreps_mix_backward(Tensor gradient, Tensor images, Tensor spectrum, Tensor basis, Tensor upright, Tensor blocks,"
    " bool of_images, bool of_spectrum) -> (Tensor?, Tensor?)",
    "CPU",
    fake=_empty_gradients,
)
def _mix_backward(
    gradient: Tensor,
    images: Tensor,
    spectrum: Tensor,
    basis: Tensor,
    upright: Tensor,
    blocks: Tensor,
    of_images: bool,
    of_spectrum: bool,
) -> tuple[Tensor | None, Tensor | None]:
    """Return the gradients of images and of the spectrum; None where ``of_images`` or ``of_spectrum`` is false."""
    fits = gradient.dim() == 5 and gradient.shape[:4] == images.shape[:4]
    fits = fits and _fits(images, spectrum, basis, upright, blocks, gradient.shape[-1])
    check(fits, gradient, images, spectrum, basis, upright)
    pixels, resolution, c_in, c_out, weights, threads = _sizes(images, len(spectrum), gradient.shape[-1])
    floats = memory("gcnn_irreps_memory", 2, pixels, resolution, c_in, c_out, weights, threads)
    scratch, partial = map(images.new_empty, floats)
    g_images, g_spectrum = _empty_gradients(gradient, images, spectrum, of_images, of_spectrum)
    tables = [t.data_ptr() for t in (gradient, images, spectrum, basis, upright, blocks)]
    results = [None if t is None else t.data_ptr() for t in (g_images, g_spectrum, scratch, partial)]
    sizes = weights, pixels, resolution, c_in, c_out, threads
    library_in_use().gcnn_irreps_mix_backward(*tables, len(blocks), *results, *sizes)
    return g_images, g_spectrum


def _with_scales(images: Tensor, scales: int) -> Tensor:
    """View the scales as channels, (B, H, W, |K|·S, C) → (B, H, W, |K|, S·C)."""
    return images.unflatten(3, (-1, scales)).flatten(4)


def _mixed(images: Tensor, spectrum: Tensor, irreps: Irreps, out_channels: int) -> Tensor:
    """Mix images, (B, H, W, |H|, C_i) → (B, H, W, |H|, C_o)."""
    wide = _mix(_with_scales(images, irreps.scales), spectrum, *irreps.tables, irreps.scales * out_channels)
    return wide.view(*images.shape[:4], out_channels)


class _IrrepsMix(torch.autograd.Function):
    @staticmethod
    def forward(ctx, images, spectrum, irreps, out_channels, reference):  # type: ignore[no-untyped-def]
        ctx.save_for_backward(images, spectrum)
        ctx.irreps, ctx.reference = irreps, reference
        return _mixed(images, spectrum, irreps, out_channels)

    @staticmethod
    def backward(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
        images, spectrum = ctx.saved_tensors
        if is_pytorchs(gradient):
            found = pytorch_gradients(on_images(ctx.reference), (images, spectrum), gradient)
        else:
            g, x = (_with_scales(t, ctx.irreps.scales) for t in (gradient.contiguous(), images))
            of_x, of_spectrum = _mix_backward(g, x, spectrum, *ctx.irreps.tables, *ctx.needs_input_grad[:2])
            found = None if of_x is None else of_x.view_as(images), of_spectrum
        return *found, None, None, None


def group_mix(
    x: Tensor, spectrum: Tensor, irreps: Irreps, out_channels: int, reference: Callable[..., Tensor]
) -> Tensor:
    """Compute ``functional.fourier_group_mix``; ``reference`` is the same function in PyTorch, of (x, spectrum)."""
    images = images_of(x)
    if is_differentiated(images, spectrum):
        return result(_IrrepsMix.apply(images, spectrum, irreps, out_channels, reference))
    return result(_mixed(images, spectrum, irreps, out_channels))
